package conformance

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"crossing/harness/browser"
	"crossing/harness/trace"
)

// marker is an environment variable that every process of the browser under
// test inherits, however it was started.
const marker = "CROSSING_CONFORMANCE"

// leftovers opens, uses and closes a browser in a world of its own, and looks
// for what stays: processes, and files in its work and temporary folders.
func (b *bench) leftovers(t *testing.T) {
	if _, err := os.Stat("/proc/self/environ"); err != nil {
		t.Skipf("processes cannot be listed here: %v", err)
	}
	temp, work := workDir(t), workDir(t)
	t.Setenv("TMPDIR", temp)
	c := newCensus(t)

	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	br, err := b.driver.Start(ctx, b.edge.SPKI(), work)
	if err != nil {
		t.Fatalf("start the browser: %v", err)
	}
	closing := br.Close
	defer func() { _ = closing() }()
	recorder := trace.NewRecorder(b.redactor, trace.Trace{Spec: t.Name()})
	line, err := b.edge.Open(recorder)
	if err != nil {
		t.Fatalf("open a line: %v", err)
	}
	defer func() { _ = line.Close() }()

	// One session is closed by its owner, the other by the browser's end.
	kept, dropped := b.used(t, ctx, br, line.Proxy(), recorder), b.used(t, ctx, br, line.Proxy(), recorder)
	c.take()
	if len(c.seen) == 0 {
		t.Fatal("no process of the browser was seen: this test would see none that stays")
	}
	if err := kept.Close(ctx); err != nil {
		t.Errorf("close the session: %v", err)
	}
	if err := br.Close(); err != nil {
		t.Errorf("close the browser: %v", err)
	}
	closing = func() error { return nil }
	v := &visitor{t: t, ctx: ctx}
	until(v, "processes after closing", "", func() string { return strings.Join(c.alive(), ", ") })
	for _, dir := range []string{temp, work} {
		if left := files(t, dir); len(left) > 0 {
			t.Errorf("left in %s: %v", dir, left)
		}
	}
	if err := promptly(t, "closing the dropped session", func() error { return dropped.Close(ctx) }); err != nil {
		t.Logf("the session that the browser's end closed says: %v", err)
	}
	if err := br.Close(); err != nil {
		t.Errorf("close the browser twice: %v", err)
	}
}

// used returns a session that has seen a page with a cross-site frame.
func (b *bench) used(t *testing.T, ctx context.Context, br browser.Browser, proxy string, r *trace.Recorder) browser.Session {
	t.Helper()
	s, err := br.NewSession(ctx, browser.Options{Proxy: proxy, Recorder: r})
	if err != nil {
		t.Fatalf("open a session: %v", err)
	}
	p, err := s.NewPage(ctx)
	if err != nil {
		t.Fatalf("open a page: %v", err)
	}
	if err := p.Goto(ctx, front+"/framed"); err != nil {
		t.Fatal(err)
	}
	return s
}

// process is one line of a listing. Its start tells it from a later process
// with the same id.
type process struct {
	pid, parent   int
	name, started string
}

// census counts the processes that belong to the browser under test: those
// that carry the marker, and the descendants of this test that it did not
// have before. Chromium's renderers overwrite their environment, and what was
// orphaned has another parent: each way of looking misses some.
type census struct {
	t      *testing.T
	value  string
	before map[int]bool
	seen   map[process]bool
}

func newCensus(t *testing.T) *census {
	c := &census{t: t, before: map[int]bool{}, seen: map[process]bool{}}
	c.value = fmt.Sprintf("%s=%d-%d", marker, os.Getpid(), time.Now().UnixNano())
	name, value, _ := strings.Cut(c.value, "=")
	t.Setenv(name, value)
	for _, p := range processes(t) {
		c.before[p.pid] = true
	}
	return c
}

// take notes the processes of this moment.
func (c *census) take() {
	ours := map[int]bool{os.Getpid(): true}
	all := processes(c.t)
	// Parents mostly have the smaller id, but ids wrap: look until no more
	// are found.
	for grown := true; grown; {
		grown = false
		for _, p := range all {
			if !ours[p.pid] && ours[p.parent] && !c.before[p.pid] {
				ours[p.pid], grown = true, true
			}
		}
	}
	for _, p := range all {
		if p.pid != os.Getpid() && (ours[p.pid] || c.marked(p)) {
			c.seen[p] = true
		}
	}
}

func (c *census) marked(p process) bool {
	// A process may end between the listing and the reading.
	environ, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", p.pid))
	return err == nil && slices.Contains(strings.Split(string(environ), "\x00"), c.value)
}

// alive names those that were seen and still are, and any that came since.
func (c *census) alive() []string {
	c.take()
	now := map[string]bool{}
	for _, p := range processes(c.t) {
		now[strconv.Itoa(p.pid)+p.started] = true
	}
	var left []string
	for p := range c.seen {
		if now[strconv.Itoa(p.pid)+p.started] {
			left = append(left, fmt.Sprintf("%d %s", p.pid, p.name))
		}
	}
	slices.Sort(left)
	return left
}

// processes lists all processes but zombies (proc(5), /proc/pid/stat).
func processes(t *testing.T) []process {
	t.Helper()
	paths, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	var all []process
	for _, path := range paths {
		line, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		// The name stands in brackets and may hold any character.
		open, end := bytes.IndexByte(line, '('), bytes.LastIndexByte(line, ')')
		if open < 0 || end < open {
			continue
		}
		pid, _ := strconv.Atoi(strings.TrimSpace(string(line[:open])))
		rest := strings.Fields(string(line[end+1:]))
		if len(rest) < 20 || rest[0] == "Z" {
			continue
		}
		parent, _ := strconv.Atoi(rest[1])
		all = append(all, process{pid: pid, parent: parent, name: string(line[open+1 : end]), started: rest[19]})
	}
	return all
}

func files(t *testing.T, dir string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err == nil && path != dir {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
