package processes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"crossing/harness/stack/unit"
)

// instance is one process and its group.
type instance struct {
	launch    unit.Launch
	runtime   *Runtime
	log       string
	directory string              // where the command runs
	account   *syscall.Credential // another one than the run's own, or nil

	turn sync.Mutex // one Stop or Restart at a time

	mu    sync.Mutex
	cmd   *exec.Cmd
	ended chan struct{}
	fate  error // of the last process: nil for status 0
}

func (i *instance) Name() string { return i.launch.Name }

func (i *instance) Address() string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(i.launch.Port))
}

func (i *instance) Source() unit.Source { return unit.Source{File: i.log} }

func (i *instance) Logs(context.Context) ([]byte, error) { return ReadLog(i.log) }

// ReadLog returns the end of a log file, at most unit.LogLimit bytes.
func ReadLog(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read a service's output: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("read a service's output: %w", err)
	}
	from := max(0, info.Size()-unit.LogLimit)
	data := make([]byte, info.Size()-from)
	n, err := f.ReadAt(data, from)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read a service's output: %w", err)
	}
	return data[:n], nil
}

func (i *instance) Ended() <-chan struct{} {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.ended
}

func (i *instance) succeeded() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.fate == nil
}

// inUse is how servers say that their port is taken.
var inUse = regexp.MustCompile(`(?i)address already in use|EADDRINUSE`)

// Fate says how the process ended.
func (i *instance) Fate() string {
	i.mu.Lock()
	fate := i.fate
	i.mu.Unlock()
	text := "it ended with exit status 0"
	if fate != nil {
		text = "it ended with " + fate.Error()
	}
	if output, err := i.Logs(context.Background()); err == nil && inUse.Match(output) {
		text += fmt.Sprintf("; port %d is held by %s", i.launch.Port, holder(i.launch.Port))
	}
	return text
}

// simple is a command that the shell can replace itself with, so that the
// group's leader is the service and signals reach it at once.
var simple = regexp.MustCompile("^[^;&|<>()`\n=]+( [^;&|<>()`\n]*)?$")

func (i *instance) start(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	out, err := os.OpenFile(i.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	command := i.launch.Command
	if simple.MatchString(command) {
		command = "exec " + command
	}
	// Not CommandContext: a service outlives the context it was started with.
	cmd := exec.Command("/bin/sh", "-c", command)
	cmd.Dir, cmd.Env = i.directory, i.runtime.environment(i)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = attributes(i.account)
	if i.launch.Release != nil {
		i.launch.Release()
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if err := fork(cmd); err != nil {
		return fmt.Errorf("in %s: %w", i.directory, err)
	}
	ended := make(chan struct{})
	i.cmd, i.ended = cmd, ended
	go i.watch(cmd, ended)
	if err := i.runtime.run.Note(cmd.Process.Pid); err != nil {
		return errors.Join(err, kill(cmd, syscall.SIGKILL))
	}
	return nil
}

// watch waits for the process, and takes along what is left of its group.
func (i *instance) watch(cmd *exec.Cmd, ended chan struct{}) {
	err := cmd.Wait()
	_ = kill(cmd, syscall.SIGKILL) // most often there is nobody left
	i.mu.Lock()
	i.fate = err
	i.mu.Unlock()
	close(ended)
}

// kill signals the whole group.
func kill(cmd *exec.Cmd, signal syscall.Signal) error {
	err := syscall.Kill(-cmd.Process.Pid, signal)
	if errors.Is(err, syscall.ESRCH) {
		return nil
	}
	return err
}

// Stop asks the group to end, and kills it when it does not in time.
func (i *instance) Stop(ctx context.Context) error {
	i.turn.Lock()
	defer i.turn.Unlock()
	return i.stop(ctx)
}

func (i *instance) stop(ctx context.Context) error {
	i.mu.Lock()
	cmd, ended := i.cmd, i.ended
	i.mu.Unlock()
	if cmd == nil {
		return nil
	}
	select {
	case <-ended:
		return nil
	default:
	}
	if err := kill(cmd, syscall.SIGTERM); err != nil {
		return fmt.Errorf("stop %s: %w", i.Name(), err)
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-ended:
		return nil
	case <-timer.C:
	case <-ctx.Done():
	}
	if err := kill(cmd, syscall.SIGKILL); err != nil {
		return fmt.Errorf("stop %s: %w", i.Name(), err)
	}
	timer.Reset(patience)
	select {
	case <-ended:
		return nil
	case <-timer.C:
		return fmt.Errorf("stop %s: process %d was killed %s ago and is still there", i.Name(), cmd.Process.Pid, patience)
	}
}

// Restart ends the process and starts it again on the same port.
func (i *instance) Restart(ctx context.Context) error {
	i.turn.Lock()
	defer i.turn.Unlock()
	if err := i.stop(ctx); err != nil {
		return err
	}
	if err := i.start(ctx); err != nil {
		return fmt.Errorf("restart %s: %w", strings.TrimSpace(i.launch.What()), err)
	}
	return nil
}
