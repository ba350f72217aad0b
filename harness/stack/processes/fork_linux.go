package processes

import (
	"os/exec"
	"runtime"
	"sync"
	"syscall"
)

// attributes put a process in a group of its own, which dies when the thread
// that forked it does.
func attributes(account *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL, Credential: account}
}

// forker runs on one thread that lives as long as this process. The signal
// that prctl(2) PR_SET_PDEATHSIG asks for comes when the forking thread ends,
// and a Go thread may end long before its process.
var forker = sync.OnceValue(func() chan<- func() {
	forks := make(chan func())
	go func() {
		runtime.LockOSThread()
		for f := range forks {
			f()
		}
	}()
	return forks
})

func fork(cmd *exec.Cmd) error {
	done := make(chan error)
	forker() <- func() { done <- cmd.Start() }
	return <-done
}
