//go:build !linux

package webdriver

import (
	"errors"
	"syscall"
)

// dieWithParent does nothing: only Linux has such a signal.
func dieWithParent(*syscall.SysProcAttr, syscall.Signal) {}

func listening(int) (port int, err error) {
	return 0, errors.New("WebKitGTK is driven on Linux only")
}
