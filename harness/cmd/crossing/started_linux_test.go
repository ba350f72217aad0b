package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// soon is how long a run may take to take everything down.
const soon = 30 * time.Second

// started is a run of the command that goes on while the test looks on.
type started struct {
	t    *testing.T
	cmd  *exec.Cmd
	temp string
	out  string
	text *lockedText
	end  chan struct{}
}

// lockedText may be read while it is written.
type lockedText struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lockedText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lockedText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// start begins a run over earlier reports, in a temp folder of its own.
func start(t *testing.T, args ...string) *started {
	t.Helper()
	out := earlierReports(t)
	return launch(t, out, append([]string{"run", "--engine=chromium", "--out=" + out}, args...)...)
}

// launch begins any command; out is the folder of earlier reports, if any.
func launch(t *testing.T, out string, args ...string) *started {
	t.Helper()
	s := &started{t: t, temp: tempFolder(t), out: out, text: &lockedText{}, end: make(chan struct{})}
	s.cmd = command(t, s.temp, args...)
	s.cmd.Stdout, s.cmd.Stderr = s.text, s.text
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = s.cmd.Wait() // its status is read from ProcessState
		close(s.end)
	}()
	t.Cleanup(func() {
		_ = s.cmd.Process.Signal(syscall.SIGTERM) // most often it has ended
		s.ended(limit)
		s.sweep()
	})
	return s
}

// await waits until what is printed holds a text.
func (s *started) await(text string) {
	s.t.Helper()
	deadline := time.Now().Add(limit)
	for !strings.Contains(s.text.String(), text) {
		select {
		case <-s.end:
			if !strings.Contains(s.text.String(), text) {
				s.t.Fatalf("it ended before it said %q:\n%s", text, s.text)
			}
			return
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("it has not said %q:\n%s", text, s.text)
		}
	}
}

// ended waits for the command's end, and says whether it came in time.
func (s *started) ended(within time.Duration) bool {
	select {
	case <-s.end:
		return true
	case <-time.After(within):
		return false
	}
}

// sweep is the next run's first step.
func (s *started) sweep() string {
	s.t.Helper()
	text, err := command(s.t, s.temp, "sweep").CombinedOutput()
	if err != nil {
		s.t.Errorf("sweep: %v\n%s", err, text)
	}
	return string(text)
}

// ids are the runs whose folders stand in the temp folder.
func (s *started) ids() []string {
	var ids []string
	folders, _ := filepath.Glob(filepath.Join(s.temp, "crossing-*"))
	for _, f := range folders {
		id, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(f), "crossing-"), "-")
		ids = append(ids, id)
	}
	return ids
}

// left lists what there is of these runs: processes by the marker in their
// environment, folders, containers; and Ginkgo with its suites, by the
// settings that they were given.
func (s *started) left(ids []string) []string {
	s.t.Helper()
	var found []string
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || zombie(pid) {
			continue
		}
		environ, _ := os.ReadFile(filepath.Join("/proc", e.Name(), "environ"))
		words, _ := os.ReadFile(filepath.Join("/proc", e.Name(), "cmdline"))
		ours := bytes.Contains(words, []byte("-crossing.settings="+s.temp))
		for _, id := range ids {
			ours = ours || bytes.Contains(environ, []byte("CROSSING_RUN="+id+":"))
		}
		if ours {
			found = append(found, fmt.Sprintf("process %d: %.80s", pid, bytes.ReplaceAll(words, []byte{0}, []byte{' '})))
		}
	}
	folders, _ := filepath.Glob(filepath.Join(s.temp, "crossing-*"))
	found = append(found, folders...)
	for _, id := range ids {
		found = append(found, containersOf(s.t, id)...)
	}
	return found
}

// zombie: a process that has ended and that nobody has asked after.
func zombie(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	end := bytes.LastIndexByte(stat, ')')
	return err != nil || end < 0 || bytes.HasPrefix(bytes.TrimSpace(stat[end+1:]), []byte("Z"))
}

// containersOf asks the engine's own interface; none where no engine answers.
func containersOf(t *testing.T, id string) []string {
	t.Helper()
	socket := strings.TrimPrefix(os.Getenv("DOCKER_HOST"), "unix://")
	if socket == "" {
		socket = "/var/run/docker.sock"
	}
	asker := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socket)
		}}}
	filter := url.QueryEscape(fmt.Sprintf(`{"label":["crossing.run=%s"]}`, id))
	res, err := asker.Get("http://engine/containers/json?all=1&filters=" + filter)
	if err != nil {
		return nil
	}
	defer res.Body.Close()
	var all []struct{ Names []string }
	if err := json.NewDecoder(res.Body).Decode(&all); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range all {
		names = append(names, "container "+strings.Join(c.Names, " "))
	}
	return names
}

// gone waits until nothing is left of these runs.
func (s *started) gone(ids []string, within time.Duration) {
	s.t.Helper()
	deadline := time.Now().Add(within)
	for {
		left := s.left(ids)
		if len(left) == 0 {
			return
		}
		if time.Now().After(deadline) {
			s.t.Errorf("after %s there is left:\n%s\nit had said:\n%s", within, strings.Join(left, "\n"), s.text)
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// earlier says that the reports of an earlier run are as they were.
func (s *started) earlier() {
	s.t.Helper()
	untouched(s.t, s.out)
}

// suites are the processes of Ginkgo and of the suites.
func (s *started) suites() []int {
	var pids []int
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range lines {
		words, _ := os.ReadFile(path)
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil && bytes.Contains(words, []byte("-crossing.settings="+s.temp)) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// underWay waits until a spec has run and others are to come, and returns the
// ids of the runs, of which there must be something to take down.
func (s *started) underWay() []string {
	s.t.Helper()
	s.await("✓ ")
	ids := s.ids()
	if left := s.left(ids); len(left) < 6 {
		s.t.Fatalf("a run that is under way has processes and folders, and this one has only %q: the test proves nothing", left)
	}
	return ids
}
