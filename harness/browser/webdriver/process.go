package webdriver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// killLimit is how long a killed process group may take to be gone.
const killLimit = 5 * time.Second

// process is a program with a process group of its own, so that it can be
// ended together with all that it started.
type process struct {
	name string
	cmd  *exec.Cmd
	out  *tail
	// alive ends when the program itself does; drained is closed when all that
	// inherited its output have ended, its children's children included.
	alive   context.Context
	drained chan struct{}
}

// start starts cmd, whose environment and files are set. On Linux the program
// gets fate as a signal when this process dies, however that happens.
func start(name string, cmd *exec.Cmd, fate syscall.Signal) (*process, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	cmd.Stdout, cmd.Stderr = write, write
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	dieWithParent(cmd.SysProcAttr, fate)
	p := &process{name: name, cmd: cmd, out: &tail{}, drained: make(chan struct{})}
	var ended context.CancelFunc
	p.alive, ended = context.WithCancel(context.Background())
	started := make(chan error)
	go func() {
		// The kernel sends the signal when the thread that forked ends
		// (prctl(2), PR_SET_PDEATHSIG): this one stays until the program's end.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		_ = write.Close()
		started <- err
		if err == nil {
			_ = cmd.Wait() // how it ended is in cmd.ProcessState
		}
		ended()
	}()
	if err := <-started; err != nil {
		_ = read.Close()
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		_, _ = io.Copy(p.out, read)
		_ = read.Close()
		close(p.drained)
	}()
	return p, nil
}

func (p *process) life() context.Context { return p.alive }

// words says how the program ended, if it has, and what it wrote last.
func (p *process) words() string {
	text := p.name + " runs"
	if p.alive.Err() != nil {
		text = p.name + " ended (" + p.cmd.ProcessState.String() + ")"
	}
	if out := p.out.String(); out != "" {
		return text + "; it wrote last: " + out
	}
	return text + "; it wrote nothing"
}

// signal sends to the whole group. A group that has gone is no error.
func (p *process) signal(s syscall.Signal) error {
	select {
	case <-p.drained: // nobody is left, and the number may be another's by now
		if p.alive.Err() != nil {
			return nil //nolint:nilerr // that it has ended is what is wanted
		}
	default:
	}
	if err := syscall.Kill(-p.cmd.Process.Pid, s); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("end %s: %w", p.name, err)
	}
	return nil
}

// gone waits up to limit for the program and all its children to end.
func (p *process) gone(limit time.Duration) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for _, done := range []<-chan struct{}{p.alive.Done(), p.drained} {
		select {
		case <-done:
		case <-timer.C:
			return false
		}
	}
	return true
}

// kill ends the group and returns when it has gone.
func (p *process) kill() error {
	if err := p.signal(syscall.SIGKILL); err != nil {
		return err
	}
	if !p.gone(killLimit) {
		return fmt.Errorf("end %s: %v after SIGKILL, processes of group %d still run", p.name, killLimit, p.cmd.Process.Pid)
	}
	return nil
}

// tail keeps the last bytes that were written to it.
type tail struct {
	mu   sync.Mutex
	data []byte
}

const tailBytes = 2048

func (t *tail) Write(data []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.data = append(t.data, data...)
	if over := len(t.data) - tailBytes; over > 0 {
		t.data = append(t.data[:0], t.data[over:]...)
	}
	return len(data), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.data))
}
