package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// program is the built command: tests run what a person runs.
var program string

func TestMain(m *testing.M) { os.Exit(build(m)) }

func build(m *testing.M) int {
	home, err := findCheckout()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	// The command finds its checkout from its own place.
	bin := filepath.Join(home.state(), "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	dir, err := os.MkdirTemp(bin, "test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	// Another account may run it, too.
	if err := os.Chmod(dir, 0o755); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	program = filepath.Join(dir, "crossing")
	if text, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the command: %v\n%s", err, text)
		return 1
	}
	return m.Run()
}

// outcome is what a person has when the command has ended.
type outcome struct {
	status         int
	stdout, stderr string
	took           time.Duration
}

func (o outcome) String() string {
	return fmt.Sprintf("status %d after %s\n--- stdout\n%s\n--- stderr\n%s", o.status, o.took.Round(time.Millisecond), o.stdout, o.stderr)
}

// command is the program with these arguments, and nothing of the settings
// that a person may have in the environment of the tests. It has a temp folder
// of its own, by which what it leaves is told from what others leave. The name
// is short: sockets stand there, and their paths must be.
func command(t *testing.T, temp string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(program, args...)
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		if !isSetting[name] && name != "TMPDIR" && name != keptVariable {
			cmd.Env = append(cmd.Env, entry)
		}
	}
	// A person's kept stack is theirs alone.
	kept := temp
	if temp != "" {
		cmd.Env = append(cmd.Env, "TMPDIR="+temp)
	} else {
		kept = t.TempDir()
	}
	cmd.Env = append(cmd.Env, keptVariable+"="+kept, "HISTORY="+filepath.Join(t.TempDir(), "history.jsonl"))
	return cmd
}

var isSetting = map[string]bool{"CONFIG": true, "ENGINE": true, "RUNTIME": true, "CHROMIUM": true, "WEBKIT": true, "FIREFOX": true, "SUITE": true,
	"ONE": true, "SET": true, "SEED": true, "PROCS": true, "HEADED": true, "SLOWMO": true, "OUT": true, "TIMEOUT": true, "DOCKER": true,
	"FRONTEND_URL": true, "AUTH_URL": true, "API_URL": true, "RESOLVE": true, "CA": true, "EMAIL": true, "PASSWORD": true, "JSON": true, "N": true, "HISTORY": true, "LOAD": true}

// tempFolder is for one command's temp files.
func tempFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "x")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	// A database may run under another account, which passes through it.
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// run runs the command to its end.
func runCrossing(t *testing.T, limit time.Duration, args ...string) outcome {
	t.Helper()
	return finish(t, limit, command(t, "", args...))
}

func finish(t *testing.T, limit time.Duration, cmd *exec.Cmd) outcome {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	began := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	var err error
	late := false
	select {
	case err = <-ended:
	case <-ctx.Done():
		late = true
		_ = cmd.Process.Signal(syscall.SIGTERM) // it takes its services down
		err = <-ended
	}
	o := outcome{stdout: stdout.String(), stderr: stderr.String(), took: time.Since(began)}
	if late {
		t.Fatalf("the command took longer than %s\n%s", limit, o)
	}
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		o.status = exit.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	return o
}
