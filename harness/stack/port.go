package stack

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"syscall"
)

// lowest and highest bound the ports of services: below the range that
// systems give to outgoing connections (32768 and up on Linux, 49152 and up on
// macOS), where nothing takes one by chance later.
const lowest, highest = 16000, 32000

// reserve finds a free port on loopback and holds it until release is called,
// so that no other run takes it meanwhile.
func reserve() (port int, release func(), err error) {
	var last error
	for range 200 {
		port = lowest + rand.IntN(highest-lowest)
		if release, last = hold(port); last == nil {
			return port, release, nil
		}
	}
	return 0, nil, fmt.Errorf("find a free port on 127.0.0.1: 200 between %d and %d could not be had: %w", lowest, highest, last)
}

// hold binds the port without SO_REUSEADDR and without listening: others can't
// bind it, and whoever connects is refused at once, as by a service that is
// not up yet.
func hold(port int) (release func(), err error) {
	syscall.ForkLock.RLock()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(fd)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, err
	}
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return nil, fmt.Errorf("bind %d: %w", port, closed(fd, err))
	}
	return sync.OnceFunc(func() { _ = syscall.Close(fd) }), nil
}

func closed(fd int, err error) error {
	_ = syscall.Close(fd)
	return err
}
