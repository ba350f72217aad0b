package owner

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"sync"
)

// place is the number of the process namespace.
var place = sync.OnceValue(func() string {
	link, err := os.Readlink("/proc/self/ns/pid") // "pid:[4026531836]"
	if err != nil {
		return "unknown"
	}
	return strings.Trim(strings.TrimPrefix(link, "pid:"), "[]")
})

// boot tells one start of the machine from the next, as process start times
// count from it.
var boot = sync.OnceValue(func() string {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil || len(id) < 8 {
		return "0"
	}
	return string(id[:8])
})

// started returns when the process began: clock ticks since the machine's
// start, field 22 of /proc/PID/stat (proc(5)). A zombie is not alive.
func started(pid int) (start string, alive bool) {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return "", false
	}
	// The second field is the command in parentheses, which may hold both
	// spaces and parentheses.
	end := bytes.LastIndexByte(stat, ')')
	if end < 0 {
		return "", false
	}
	fields := strings.Fields(string(stat[end+1:]))
	if len(fields) < 20 || fields[0] == "Z" || fields[0] == "X" {
		return "", false
	}
	return fields[19] + "." + boot(), true
}

// orphans finds the processes that carry the marker of a dead owner.
func orphans() []orphan {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var found []orphan
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		if p, ok := orphaned(pid); ok {
			found = append(found, p)
		}
	}
	return found
}

func orphaned(pid int) (orphan, bool) {
	start, alive := started(pid)
	if !alive {
		return orphan{}, false
	}
	environ, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
	if err != nil {
		return orphan{}, false // another account's, which no run of ours started
	}
	for entry := range bytes.SplitSeq(environ, []byte{0}) {
		marker, ours := bytes.CutPrefix(entry, []byte(Variable+"="))
		if !ours {
			continue
		}
		id, o, ok := marked(string(marker))
		if !ok || !o.Dead() {
			return orphan{}, false
		}
		name, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/comm")
		return orphan{pid: pid, start: start, run: id, what: strings.TrimSpace(string(name))}, true
	}
	return orphan{}, false
}
