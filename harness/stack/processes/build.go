package processes

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"crossing/harness/stack/owner"
	"crossing/harness/stack/unit"
)

// Build is a command of this machine's own, such as "npm ci": unlike a
// service it has all of the user's environment, where registries and proxies
// are configured.
type Build struct {
	Directory string
	// Command for /bin/sh, or Program with its arguments.
	Command string
	Program []string
	// Bin is a folder that comes first on the PATH where it exists.
	Bin string
	// Output receives what it writes to standard output, in place of Last.
	Output interface{ Write([]byte) (int, error) }

	last tail
}

// Last is the last line written so far.
func (b *Build) Last() string { return b.last.line() }

// Run runs it to its end. Its error holds how it ended and the last 20 lines
// of its output. When ctx ends, the command and all it started are killed.
// What it leaves in its temp folder goes with it.
func (b *Build) Run(ctx context.Context) (err error) {
	run, err := owner.NewRun()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, run.Close()) }()
	cmd := exec.Command("/bin/sh", "-c", b.Command)
	own := []string{"PATH=" + (&Runtime{bin: b.Bin}).path(), "TMPDIR=" + run.Dir}
	if len(b.Program) > 0 {
		// Such a one may mount what is the machine's below its temp folder, and
		// nobody else is to remove that.
		cmd, own = exec.Command(b.Program[0], b.Program[1:]...), nil
	}
	cmd.Env = append(append(os.Environ(), own...), run.Environment())
	cmd.Dir = b.Directory
	cmd.SysProcAttr = attributes(nil)
	cmd.Stdout, cmd.Stderr = &b.last, &b.last
	if b.Output != nil {
		cmd.Stdout = b.Output
	}
	// What it leaves in the background must not keep the pipes open.
	cmd.WaitDelay = time.Second
	if err := fork(cmd); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		_ = kill(cmd, syscall.SIGKILL) // most often there is nobody left
		if err != nil {
			return fmt.Errorf("it ended with %w; its last lines:%s", err, unit.Tail(b.last.bytes(), 20))
		}
		return nil
	case <-ctx.Done():
		err := kill(cmd, syscall.SIGKILL)
		<-ended
		return errors.Join(context.Cause(ctx), err)
	}
}

// tail keeps the end of an output.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const kept = 64 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if len(t.text) > 2*kept {
		t.text = append([]byte(nil), t.text[len(t.text)-kept:]...)
	}
	return len(p), nil
}

func (t *tail) bytes() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	return bytes.Clone(t.text)
}

func (t *tail) line() string {
	text := strings.TrimRight(string(t.bytes()), "\r\n\t ")
	// Progress bars return to the line's start.
	return strings.TrimSpace(text[strings.LastIndexAny(text, "\r\n")+1:])
}
