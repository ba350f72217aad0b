//go:build !linux

package processes

import (
	"os/exec"
	"syscall"
)

// attributes put a process in a group of its own. These systems have no
// signal for the death of a parent: what a killed run leaves, the next sweeps.
func attributes(account *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Credential: account}
}

func fork(cmd *exec.Cmd) error { return cmd.Start() }

func holder(int) string { return "another process (lsof -i shows which)" }
