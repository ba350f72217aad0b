package playwright

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// hasten has a Firefox send each message to its driver at once, and returns how
// many of its sockets were set so. Its WebDriver BiDi server leaves Nagle's
// algorithm on (RFC 9293, section 3.7.4), so that the second of two messages waits
// until the first is acknowledged, which Linux puts off by 40 ms: at nearly every
// step of a page (153, measured). Firefox has no setting for it; but the option
// belongs to the socket, which a process may borrow of one that it has started
// (pidfd_getfd(2)). Where that is not allowed, Firefox waits, and does all the
// same.
func hasten(among processes) (set int) {
	for _, pid := range among {
		line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if err != nil || !bytes.Contains(line, []byte("\x00--remote-debugging-port")) {
			continue
		}
		process, err := unix.PidfdOpen(pid, 0)
		if err != nil {
			continue
		}
		for _, fd := range sockets(pid) {
			borrowed, err := unix.PidfdGetfd(process, fd, 0)
			if err != nil {
				continue
			}
			// One that is not of TCP has no such option.
			if unix.SetsockoptInt(borrowed, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1) == nil {
				set++
			}
			_ = unix.Close(borrowed)
		}
		_ = unix.Close(process)
	}
	return set
}

// sockets are the descriptors of a process's sockets.
func sockets(pid int) (all []int) {
	dir := fmt.Sprintf("/proc/%d/fd/", pid)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	for _, entry := range entries {
		name, err := os.Readlink(dir + entry.Name())
		if err != nil || !strings.HasPrefix(name, "socket:") {
			continue
		}
		if fd, err := strconv.Atoi(entry.Name()); err == nil {
			all = append(all, fd)
		}
	}
	return all
}
