package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"crossing/harness/stack"
	"crossing/harness/stack/owner"
)

func TestAnInterruptTakesEverythingDown(t *testing.T) {
	t.Parallel()
	s := start(t, "--runtime=processes", "--one=persistence_test.go")
	ids := s.underWay()

	if err := s.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}

	if !s.ended(soon) {
		t.Fatalf("it goes on after %s:\n%s", soon, s.text)
	}
	if status := s.cmd.ProcessState.ExitCode(); status != exitUnready {
		t.Errorf("status %d, want %d", status, exitUnready)
	}
	if text := s.text.String(); !strings.HasSuffix(text, "\ncrossing: "+errInterrupted.Error()+"\n") || strings.Contains(text, "PASSED") || strings.Contains(text, "FAILED") {
		t.Errorf("it says:\n%s", text)
	}
	s.gone(ids, 0)
	s.earlier()
}

// A person who has no patience gets their machine back all the same.
func TestASecondInterruptKillsAndStillTakesEverythingDown(t *testing.T) {
	t.Parallel()
	s := start(t, "--runtime=processes", "--one=persistence_test.go")
	ids := s.underWay()
	// Suites that are stopped cannot end when they are asked to.
	for _, pid := range s.suites() {
		if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
	}
	for _, said := range []string{"interrupted: everything is being taken down", "crossing: interrupted; "} {
		if err := s.cmd.Process.Signal(syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
		s.await(said)
	}
	if !s.ended(patience / 2) {
		t.Fatalf("it goes on:\n%s", s.text)
	}
	if status := s.cmd.ProcessState.ExitCode(); status != exitUnready {
		t.Errorf("status %d, want %d", status, exitUnready)
	}
	s.gone(ids, 0)
	s.earlier()
}

// A command that is killed cannot take anything down: what it started does.
func TestAKilledCommandsRunEndsByItself(t *testing.T) {
	t.Parallel()
	s := start(t, "--runtime=processes", "--one=persistence_test.go")
	ids := s.underWay()

	if err := s.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	s.ended(soon)

	s.gone(ids, soon)
}

func TestTheNextRunSweepsWhatKilledOnesLeft(t *testing.T) {
	for _, runtime := range []string{stack.Processes, stack.Containers} {
		// One after the other, and before the tests that run side by side:
		// Chromium gives up its requests when a container comes or goes
		// (net::ERR_NETWORK_CHANGED).
		t.Run(runtime, func(t *testing.T) {
			if _, _, err := stack.Choose(t.Context(), runtime); err != nil {
				t.Skip(err)
			}
			s := start(t, "--runtime="+runtime, "--one=persistence_test.go")
			ids := s.underWay()

			all := append(s.suites(), s.cmd.Process.Pid)
			if len(all) < 3 {
				t.Fatalf("want the command, Ginkgo and a suite, got %v", all)
			}
			for _, pid := range all {
				_ = syscall.Kill(pid, syscall.SIGKILL) // one ends when the other does
			}
			s.ended(soon)
			if left := s.left(ids); len(left) == 0 {
				t.Fatal("the killed run left nothing: this test proves nothing")
			}

			again := finish(t, limit, command(t, s.temp, "run", "--engine=chromium", "--runtime="+runtime, "--one="+reload, "--out="+t.TempDir()))

			if again.status != 0 || !strings.Contains(again.stdout, "PASSED") || !strings.Contains(again.stdout, "1 passed") {
				t.Errorf("the run after it is not green: %s", again)
			}
			s.gone(ids, 0)
		})
	}
}

// Suites that were killed have left things behind, which the command takes
// down and names; what strangers left at the same time is no concern of theirs.
func TestWhatKilledSuitesLeftIsToldFromWhatStrangersLeft(t *testing.T) {
	t.Parallel()
	s := start(t, "--runtime=processes", "--one=persistence_test.go")
	ids := s.underWay()
	dead := owner.Self()
	dead.Start = "1" // this process did not start then: its owner is another, long gone
	stranger := filepath.Join(s.temp, "crossing-0badcafe-"+strings.ReplaceAll(dead.String(), ":", "-"))
	if err := os.Mkdir(stranger, 0o711); err != nil {
		t.Fatal(err)
	}
	for _, pid := range s.suites() {
		_ = syscall.Kill(pid, syscall.SIGKILL) // one ends when the other does
	}
	if !s.ended(soon) {
		t.Fatalf("it goes on:\n%s", s.text)
	}
	text := s.text.String()
	_, said, _ := strings.Cut(text, "the suites ended without taking down: ")
	if status := s.cmd.ProcessState.ExitCode(); status != exitUnready || !strings.Contains(said, ids[0]) || strings.Contains(said, "0badcafe") {
		t.Errorf("status %d, want %d, and what is left named:\n%s", status, exitUnready, text)
	}
	if exists(stranger) {
		t.Error("what the stranger left is still there")
	}
	s.gone(ids, 0)
	s.earlier()
}

func TestAStackThatDoesNotStartIsNoVerdict(t *testing.T) {
	t.Parallel()
	s := start(t, "--runtime=processes", "--one="+reload, "--set=auth.DATABASE_URL=postgres://nobody:open-sesame@127.0.0.1:1/x")
	if !s.ended(limit) {
		t.Fatalf("it goes on:\n%s", s.text)
	}
	if status := s.cmd.ProcessState.ExitCode(); status != exitUnready {
		t.Errorf("status %d, want %d:\n%s", status, exitUnready, s.text)
	}
	text := s.text.String()
	_, said, _ := strings.Cut(text, "\ncrossing: ")
	for _, want := range []string{"auth", "node dist/migrate.mjs", "127.0.0.1:1", "nobody", "ECONNREFUSED", "DATABASE_URL"} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is not named:\n%s", want, text)
		}
	}
	if strings.Contains(text, "open-sesame") {
		t.Errorf("the password is told:\n%s", text)
	}
	if lines := strings.Count(strings.TrimSpace(said), "\n"); lines > 12 || strings.Contains(text, "PASSED") || strings.Contains(text, "FAILED") {
		t.Errorf("want one clear message:\n%s", text)
	}
	s.gone(s.ids(), 0)
	s.earlier()
}

// A service that hangs fails the specs that need it, each within its limit;
// the run's own limit ends the rest.
func TestAHangingServiceDoesNotHangTheRun(t *testing.T) {
	t.Parallel()
	s := start(t, "--runtime=processes", "--one=persistence_test.go", "--timeout=40s")
	ids := s.underWay()
	stopped := false
	entries, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, path := range entries {
		environ, _ := os.ReadFile(path)
		if !bytes.Contains(environ, []byte("CROSSING_RUN=")) || !bytes.Contains(environ, []byte(s.temp)) || !bytes.Contains(environ, []byte("INSTANCE=auth-")) {
			continue
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err := syscall.Kill(pid, syscall.SIGSTOP); err == nil {
			stopped = true
		}
	}
	if !stopped {
		t.Fatal("no auth service was found that could be stopped: the test proves nothing")
	}
	if !s.ended(2 * time.Minute) {
		t.Fatalf("it goes on:\n%s", s.text)
	}
	if status := s.cmd.ProcessState.ExitCode(); status != exitFailed {
		t.Errorf("status %d, want %d:\n%s", status, exitFailed, s.text)
	}
	s.gone(ids, 0)
}

func TestARunThatChoseNothingIsNotGreen(t *testing.T) {
	t.Parallel()
	s := start(t, "--runtime=processes", "--one=no spec says this")
	if !s.ended(limit) {
		t.Fatalf("it goes on:\n%s", s.text)
	}
	text := s.text.String()
	if status := s.cmd.ProcessState.ExitCode(); status != exitUnready || !strings.Contains(text, "ONE='no spec says this'") {
		t.Errorf("status %d, want %d:\n%s", status, exitUnready, text)
	}
	s.earlier()
}
