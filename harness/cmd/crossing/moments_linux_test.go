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
)

// moment is a point of a run at which it is ended from outside.
type moment struct {
	name string
	// lines and ready make the application one that lets the moment last.
	lines, ready string
	// one is the spec to run; empty: one that opens a browser.
	one string
	// reached says whether it has come.
	reached func(s *started, asked string) bool
}

var moments = []moment{
	{name: "while a service is built", lines: `build: ["echo >building; sleep 600"]`,
		reached: func(s *started, asked string) bool { return exists(filepath.Join(filepath.Dir(asked), "building")) }},
	{name: "while the suites are compiled", lines: "instances: 1",
		reached: func(s *started, _ string) bool { return strings.Contains(s.text.String(), "compile the suites") }},
	{name: "while a service starts", lines: "command: sleep 600", ready: "{path: /, within: 5m}",
		reached: func(s *started, _ string) bool { return strings.Contains(s.text.String(), "not ready after") }},
	{name: "while a spec runs", lines: "instances: 2",
		reached: func(_ *started, asked string) bool { return visited(asked, "/sign-up") }},
	{name: "while everything is taken down", lines: `command: "trap 'echo >ending; sleep 3' TERM; /usr/bin/python3 page.py ${host} ${port} & wait"`,
		one:     "lets the frontend's pages ask",
		reached: func(_ *started, asked string) bool { return exists(filepath.Join(filepath.Dir(asked), "ending")) }},
}

// inASpec is the moment at which browsers run.
var inASpec = moments[3]

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// visited says whether a page of the smallest application was asked for.
func visited(asked, path string) bool {
	text, _ := os.ReadFile(asked)
	return bytes.Contains(text, []byte(path+"\n"))
}

// reach starts a run and waits for the moment.
func (m moment) reach(t *testing.T) *started {
	t.Helper()
	config, asked := describe(t, m.lines, m.ready)
	one := m.one
	if one == "" {
		one = "signs a new person up"
	}
	s := start(t, "--runtime=processes", "--config="+config, "--procs=1", "--one="+one)
	for deadline := time.Now().Add(limit); !m.reached(s, asked); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) || s.ended(0) {
			t.Fatalf("the moment never came:\n%s", s.text)
		}
	}
	return s
}

func TestAnInterruptAtAnyMomentTakesEverythingDown(t *testing.T) {
	t.Parallel()
	for _, m := range moments {
		t.Run(m.name, func(t *testing.T) {
			s := m.reach(t)

			if err := s.cmd.Process.Signal(syscall.SIGINT); err != nil {
				t.Fatal(err)
			}

			if !s.ended(soon) {
				t.Fatalf("it goes on after %s:\n%s", soon, s.text)
			}
			if status := s.cmd.ProcessState.ExitCode(); status != exitUnready || !strings.HasSuffix(s.text.String(), "\ncrossing: "+errInterrupted.Error()+"\n") {
				t.Errorf("status %d:\n%s", status, s.text)
			}
			s.earlier()
			nothing(t, s.temp)
		})
	}
}

func TestAKillAtAnyMomentLeavesNothingThatIsNotSwept(t *testing.T) {
	t.Parallel()
	for _, m := range moments {
		t.Run(m.name, func(t *testing.T) {
			s := m.reach(t)

			if err := s.cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			s.ended(soon)

			// The suites end by themselves, and may have services to take down.
			for deadline := time.Now().Add(soon); len(s.suites()) > 0 && time.Now().Before(deadline); {
				time.Sleep(50 * time.Millisecond)
			}
			s.sweep()
			nothing(t, s.temp)
			// The next run, which gets no further, takes away what was not published.
			again := command(t, s.temp, "run", "--runtime=containers", "--out="+s.out)
			again.Env = append(again.Env, "DOCKER_HOST=docker")
			refusal(t, finish(t, 20*time.Second, again), "DOCKER_HOST=docker")
			s.earlier()
		})
	}
}

// What says nothing about the application is no verdict on it.
func TestABrowserThatIsKilledInASpecIsNoVerdict(t *testing.T) {
	t.Parallel()
	s := inASpec.reach(t)
	killed := 0
	for _, line := range knowing("--remote-debugging-pipe") {
		folder, words, _ := strings.Cut(line, ": ")
		environ, _ := os.ReadFile(filepath.Join(folder, "environ"))
		if pid, err := strconv.Atoi(filepath.Base(folder)); err == nil && bytes.Contains(environ, []byte(s.temp)) && !strings.Contains(words, "--type=") {
			if syscall.Kill(pid, syscall.SIGKILL) == nil {
				killed++
			}
		}
	}
	if killed == 0 {
		t.Fatalf("no browser was found to kill: the test proves nothing\n%s", s.text)
	}
	if !s.ended(2 * soon) {
		t.Fatalf("it goes on:\n%s", s.text)
	}
	text := s.text.String()
	_, said, _ := strings.Cut(text, "\ncrossing: ")
	if status := s.cmd.ProcessState.ExitCode(); status != exitUnready {
		t.Errorf("status %d, want %d:\n%s", status, exitUnready, text)
	}
	for _, part := range []string{"chromium", "while a spec ran", "says nothing about the application", "run it again", "memory"} {
		if !strings.Contains(said, part) {
			t.Errorf("%q is not named:\n%s", part, text)
		}
	}
	if strings.Contains(text, "FAILED") || strings.Contains(text, "PASSED") {
		t.Errorf("something was judged:\n%s", text)
	}
	s.earlier()
	nothing(t, s.temp)
}
