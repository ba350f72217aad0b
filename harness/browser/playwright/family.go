package playwright

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// processes are process ids.
type processes []int

// family is a process and all that descend from it (Linux, proc(5)); elsewhere
// it is the process alone, and a browser ends when the driver's pipe does.
func family(pid int) processes {
	all := processes{pid}
	for i := 0; i < len(all); i++ {
		paths, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", all[i]))
		if err != nil {
			continue
		}
		for _, path := range paths {
			// A process may end between the listing and the reading.
			data, err := os.ReadFile(path)
			if err != nil {
				continue
			}
			for field := range strings.FieldsSeq(string(data)) {
				if child, err := strconv.Atoi(field); err == nil {
					all = append(all, child)
				}
			}
		}
	}
	return all
}

// kill ends them all at once, the eldest first, so that none starts another.
func (ps processes) kill() error {
	var failed error
	for _, pid := range ps {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			failed = errors.Join(failed, fmt.Errorf("kill process %d: %w", pid, err))
		}
	}
	return failed
}

// keeping are the browser that has a profile's folder on its command line, and
// all that it has started; none where processes are not listed.
func (ps processes) keeping(dir string) processes {
	for _, pid := range ps {
		line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if err == nil && bytes.Contains(line, []byte(dir)) {
			return family(pid)
		}
	}
	return nil
}

// wait returns once all have ended, or ctx has.
func (ps processes) wait(ctx context.Context) error {
	for {
		if ps = slices.DeleteFunc(ps, ended); len(ps) == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("processes %v have not ended: %w", ps, context.Cause(ctx))
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// ended says whether a process has, if nobody has asked how it did, too.
func ended(pid int) bool {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return true
	}
	// pid (name) state …: the name may hold anything (proc_pid_stat(5)).
	_, after, _ := bytes.Cut(data[bytes.LastIndexByte(data, ')')+1:], []byte(" "))
	return bytes.HasPrefix(after, []byte("Z")) || bytes.HasPrefix(after, []byte("X"))
}
