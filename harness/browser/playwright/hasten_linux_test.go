package playwright

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"crossing/harness/browser"
)

// A Firefox that was started here holds no message to its driver back, whether
// sessions share it or it has a profile that is kept.
func TestFirefoxSendsAtOnce(t *testing.T) {
	named := os.Getenv("FIREFOX")
	if _, found := system(browser.Firefox.Engine, false); !found && named == "" {
		t.Skip("there is no Firefox: its sockets are not looked at here")
	}
	for name, keep := range map[string]string{"shared": "", "kept": t.TempDir()} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			e := w.start(browser.Launch{Profile: browser.Firefox, Executable: named, DriverDir: driverDir, OnDemand: true}, true)
			w.visit(e, keep)
			var connected int
			for _, pid := range family(e.driver.Pid()) {
				line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
				if err != nil || !bytes.Contains(line, []byte("--remote-debugging-port")) {
					continue
				}
				n, delayed := peers(t, pid)
				connected += n
				if delayed > 0 {
					t.Errorf("Firefox, process %d, delays what it sends by %d of %d connections", pid, delayed, n)
				}
			}
			if connected == 0 {
				t.Error("no connection of Firefox's was found, its driver's neither")
			}
		})
	}
}

// peers are the connections to a port that a process listens on, as its driver's
// is, and how many of them have Nagle's algorithm. What it connects to by itself
// is another matter.
func peers(t *testing.T, pid int) (connected, delayed int) {
	process, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Close(process) }()
	listens := map[int]bool{}
	nodelay := map[int][]int{} // by the local port of a connection
	for _, fd := range sockets(pid) {
		socket, err := unix.PidfdGetfd(process, fd, 0)
		if errors.Is(err, unix.EPERM) {
			t.Skip("this machine lends no sockets: pidfd_getfd: ", err)
		}
		if err != nil {
			continue
		}
		local, err := unix.Getsockname(socket)
		if at, inet := local.(*unix.SockaddrInet4); err == nil && inet {
			if on, err := unix.GetsockoptInt(socket, unix.SOL_SOCKET, unix.SO_ACCEPTCONN); err == nil && on == 1 {
				listens[at.Port] = true
			} else if on, err := unix.GetsockoptInt(socket, unix.IPPROTO_TCP, unix.TCP_NODELAY); err == nil {
				nodelay[at.Port] = append(nodelay[at.Port], on)
			}
		}
		_ = unix.Close(socket)
	}
	for port := range listens {
		for _, on := range nodelay[port] {
			connected++
			if on == 0 {
				delayed++
			}
		}
	}
	return connected, delayed
}
