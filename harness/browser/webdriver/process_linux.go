package webdriver

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

func dieWithParent(attributes *syscall.SysProcAttr, fate syscall.Signal) {
	attributes.Pdeathsig = fate
}

// listening returns the TCP port that process pid listens on, 0 where it does
// not yet. A driver that is told to take any free port does not say which;
// choosing one for it would leave a moment in which others can take it.
func listening(pid int) (port int, err error) {
	dir := "/proc/" + strconv.Itoa(pid)
	links, err := filepath.Glob(dir + "/fd/*")
	if err != nil {
		return 0, err
	}
	sockets := map[string]bool{}
	for _, link := range links {
		// A file may close between the listing and the reading.
		if name, err := os.Readlink(link); err == nil {
			if inode, ok := strings.CutPrefix(name, "socket:["); ok {
				sockets[strings.TrimSuffix(inode, "]")] = true
			}
		}
	}
	table, err := os.ReadFile(dir + "/net/tcp")
	if err != nil {
		return 0, fmt.Errorf("look for the port of process %d: %w", pid, err)
	}
	for line := range strings.Lines(string(table)) {
		// proc(5): sl, local address, remote address, state, ..., inode.
		const local, state, inode, listen = 1, 3, 9, "0A"
		fields := strings.Fields(line)
		if len(fields) <= inode || fields[state] != listen || !sockets[fields[inode]] {
			continue
		}
		_, hex, _ := strings.Cut(fields[local], ":")
		n, err := strconv.ParseUint(hex, 16, 16)
		return int(n), err
	}
	return 0, nil
}
