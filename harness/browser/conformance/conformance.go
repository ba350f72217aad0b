// Package conformance is the one test that every browser driver passes: what
// package browser promises, shown on a real engine behind a real edge. A
// driver's own tests call Run. It does not judge cookie policies: what an
// engine keeps is measured elsewhere.
package conformance

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"crossing/harness/browser"
	"crossing/harness/edge"
	"crossing/harness/trace"
)

// Driver is what a driver brings to its test.
type Driver struct {
	// Start starts a browser that trusts spki, its temporary files in workDir.
	Start func(ctx context.Context, spki, workDir string) (browser.Browser, error)
	// Kill ends the process of the engine that serves s, as a crash would.
	Kill func(s browser.Session) error
}

// Limits of one subtest, and of what must be prompt: the way back from a
// cancelled wait, or from a browser that has gone.
const (
	limit  = 60 * time.Second
	prompt = 5 * time.Second
)

// Run holds the driver against everything that package browser promises.
func Run(t *testing.T, d Driver) {
	b := newBench(t, d)
	t.Run("version", b.version)
	t.Run("navigation", b.navigation)
	t.Run("evaluation", b.evaluation)
	t.Run("clicking", b.clicking)
	t.Run("typing", b.typing)
	t.Run("frames", b.frames)
	t.Run("tabs and sessions", b.tabs)
	t.Run("cookies", b.cookies)
	t.Run("screenshot", b.screenshot)
	t.Run("page errors", b.pageErrors)
	t.Run("cancelling", b.cancelling)
	t.Run("a dead browser", b.dead)
	t.Run("nothing left behind", b.leftovers)
}

// bench is one browser and the edge in front of the pages that it visits.
type bench struct {
	driver   Driver
	browser  browser.Browser
	edge     *edge.Edge
	redactor *trace.Redactor
	site     *site
}

func newBench(t *testing.T, d Driver) *bench {
	t.Helper()
	b := &bench{driver: d, redactor: trace.NewRedactor(nil), site: newSite()}
	e, err := edge.New(edge.Options{Routes: b.site.routes(), Redactor: b.redactor})
	if err != nil {
		t.Fatalf("start the edge: %v", err)
	}
	t.Cleanup(func() {
		b.site.release()
		if err := e.Close(); err != nil {
			t.Errorf("close the edge: %v", err)
		}
	})
	b.edge = e
	b.browser = b.start(t, workDir(t))
	return b
}

// start starts one more browser, closed when the test ends.
func (b *bench) start(t *testing.T, dir string) browser.Browser {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	br, err := b.driver.Start(ctx, b.edge.SPKI(), dir)
	if err != nil {
		t.Fatalf("start the browser: %v", err)
	}
	t.Cleanup(func() {
		if err := br.Close(); err != nil {
			t.Errorf("close the browser: %v", err)
		}
	})
	return br
}

// workDir is a folder with a short path: a Unix socket's path may have about
// a hundred bytes (unix(7)), and testing's own folders carry the test's name.
func workDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "cx")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("remove %s: %v", dir, err)
		}
	})
	return dir
}

// visitor is one session with its own line through the edge.
type visitor struct {
	t        *testing.T
	ctx      context.Context
	session  browser.Session
	page     browser.Page
	recorder *trace.Recorder
}

func (b *bench) visit(t *testing.T) *visitor {
	t.Helper()
	return b.visitWith(t, b.browser)
}

func (b *bench) visitWith(t *testing.T, br browser.Browser) *visitor {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	recorder := trace.NewRecorder(b.redactor, trace.Trace{Spec: t.Name()})
	line, err := b.edge.Open(recorder)
	if err != nil {
		t.Fatalf("open a line: %v", err)
	}
	t.Cleanup(func() { _ = line.Close() })
	return open(t, ctx, br, line.Proxy(), recorder)
}

// open makes a session with one page; the test's end closes it.
func open(t *testing.T, ctx context.Context, br browser.Browser, proxy string, r *trace.Recorder) *visitor {
	t.Helper()
	s, err := br.NewSession(ctx, browser.Options{Proxy: proxy, Recorder: r})
	if err != nil {
		t.Fatalf("open a session: %v", err)
	}
	t.Cleanup(func() {
		// The subtest's own context has ended by now. A browser that the
		// subtest killed has nothing left to close.
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		if err := s.Close(ctx); err != nil && !errors.Is(err, browser.ErrDead) {
			t.Errorf("close the session: %v", err)
		}
	})
	p, err := s.NewPage(ctx)
	if err != nil {
		t.Fatalf("open a page: %v", err)
	}
	return &visitor{t: t, ctx: ctx, session: s, page: p, recorder: r}
}

// goTo opens url, or ends the test.
func (v *visitor) goTo(url string) {
	v.t.Helper()
	if err := v.page.Goto(v.ctx, url); err != nil {
		v.t.Fatalf("go to %s: %v", url, err)
	}
}

// eval returns what script makes of arg, or ends the test.
func eval[T any](v *visitor, in browser.Scope, script string, arg any) T {
	v.t.Helper()
	var out T
	if err := in.Eval(v.ctx, script, arg, &out); err != nil {
		v.t.Fatalf("evaluate %s: %v", script, err)
	}
	return out
}

// until polls read until it returns want. It fails with what was last read.
func until[T comparable](v *visitor, what string, want T, read func() T) {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.ctx, prompt)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		got := read()
		if got == want {
			return
		}
		select {
		case <-ctx.Done():
			v.t.Fatalf("%s: want %v, last seen %v", what, want, got)
		case <-tick.C:
		}
	}
}

// promptly runs f and fails where it takes longer than prompt.
func promptly(t *testing.T, what string, f func() error) error {
	t.Helper()
	begin := time.Now()
	err := f()
	if took := time.Since(begin); took > prompt {
		t.Errorf("%s took %v, more than %v", what, took.Round(time.Millisecond), prompt)
	}
	return err
}

func (b *bench) version(t *testing.T) {
	version, profile := b.browser.Version(), b.browser.Profile()
	for name, value := range map[string]string{
		"Browser": version.Browser, "Driver": version.Driver,
		"Executable": version.Executable, "Found": version.Found,
		"Profile.Name": profile.Name, "Profile.Engine": profile.Engine,
	} {
		if value == "" {
			t.Errorf("Version says nothing of %s: %+v %+v", name, version, profile)
		}
	}
	if info, err := os.Stat(version.Executable); err != nil || info.IsDir() {
		t.Errorf("Executable %q is no file: %v", version.Executable, err)
	}
}
