package playwright

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"crossing/harness/browser"
)

// script writes an executable that stands for a browser that does not start.
func script(t *testing.T, body string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "browser")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+body+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// Every failure to start is one sentence that names what is wrong, and leaves
// nothing.
func TestStartRefuses(t *testing.T) {
	plain := filepath.Join(t.TempDir(), "plain")
	if err := os.WriteFile(plain, []byte("no program"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(l *browser.Launch)
		words  []string
	}{
		"an executable that is not there": {
			func(l *browser.Launch) { l.Executable = "/nowhere/chromium" },
			[]string{"/nowhere/chromium", "no such file"},
		},
		"a file that is no executable": {
			func(l *browser.Launch) { l.Executable = plain }, []string{plain, "permission denied"},
		},
		"a missing library": {
			func(l *browser.Launch) {
				l.Executable = script(t, `echo "$0: error while loading shared libraries: libnss3.so: cannot open shared object file" >&2; exit 127`)
			},
			[]string{"libnss3.so is missing", "install-deps"},
		},
		"a browser that ends at once": {
			func(l *browser.Launch) { l.Executable = script(t, `echo "the profile is in use" >&2; exit 21`) },
			[]string{"did not start", "the profile is in use"},
		},
		"a browser that says nothing": {
			func(l *browser.Launch) { l.Executable = script(t, `exec sleep 600`) },
			[]string{"did not start in the time given"},
		},
		"no display for a window": {
			func(l *browser.Launch) { l.Headed = true }, []string{"DISPLAY"},
		},
		"no driver": {
			func(l *browser.Launch) { l.DriverDir = "/nowhere/driver" }, []string{"/nowhere/driver", "set-up"},
		},
		"an unknown engine": {
			func(l *browser.Launch) { l.Profile = browser.Profile{Name: "lynx", Engine: "lynx"} }, []string{"lynx", "chromium"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("DISPLAY", "")
			work := t.TempDir()
			l := browser.Launch{Profile: browser.Chromium, DriverDir: driverDir, WorkDir: work}
			c.change(&l)
			ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
			defer cancel()
			b, err := Start(ctx, l)
			if err == nil {
				_ = b.Close()
				t.Fatal("it started")
			}
			t.Log(err)
			for _, word := range c.words {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("the error lacks %q: %v", word, err)
				}
			}
			if strings.Contains(err.Error(), "\n") || len(err.Error()) > 400 {
				t.Errorf("the error is no sentence: %v", err)
			}
			if left, _ := os.ReadDir(work); len(left) > 0 {
				t.Errorf("left in the work folder: %v", left)
			}
		})
	}
}

func TestStartCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	stop := time.AfterFunc(time.Second, cancel)
	defer stop.Stop()
	begin := time.Now()
	l := browser.Launch{Profile: browser.Chromium, DriverDir: driverDir, Executable: script(t, "exec sleep 600")}
	if _, err := Start(ctx, l); !errors.Is(err, context.Canceled) {
		t.Errorf("want context.Canceled, got %v", err)
	}
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("the way back took %v", took)
	}
}

// Playwright's own build goes before the system's. A link to the system's
// browser stands for it here: what is under test is the choice.
func TestOwnBuildFirst(t *testing.T) {
	real, ok := system("chromium", false)
	if !ok {
		t.Skip("no Chromium on PATH to link to")
	}
	t.Setenv("PLAYWRIGHT_BROWSERS_PATH", t.TempDir())
	if path, ok := Installed(driverDir, "chromium"); ok {
		t.Errorf("an empty folder holds %s", path)
	}
	if path, ok := Find(driverDir, "chromium", false); !ok || path != real {
		t.Errorf("with no build of Playwright's own: found %q, want %s", path, real)
	}
	if path, ok := Find(driverDir, "chromium", true); ok && strings.Contains(path, "headless") {
		t.Errorf("for a window, %s was found, which has none", path)
	}
	e := &engine{launch: browser.Launch{Profile: browser.Chromium, DriverDir: driverDir}, life: newLife()}
	dir, err := workDir(e.launch)
	if err != nil {
		t.Fatal(err)
	}
	e.dir = dir
	defer func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := e.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	e.kind = e.driver.Chromium
	own := e.kind.ExecutablePath()
	builds, rest, _ := strings.Cut(own, "/chromium-")
	revision, _, _ := strings.Cut(rest, "/")
	shell := filepath.Join(builds, "chromium_headless_shell-"+revision, "chrome-headless-shell-linux64", "chrome-headless-shell")
	// The shell comes first: it is taken only while the whole build is missing.
	for _, path := range []string{shell, own} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(real, path); err != nil {
			t.Fatal(err)
		}
		if got, ok := Installed(driverDir, "chromium"); !ok || got != path {
			t.Errorf("Installed: %q %v, want %s", got, ok, path)
		}
		if got, found, err := e.executable(); err != nil || got != path || found != "Playwright's own build" {
			t.Errorf("executable: %q %q %v, want %s", got, found, err, path)
		}
	}
	e.launch.Executable = real
	if got, found, err := e.executable(); err != nil || got != real || found != "named by the user" {
		t.Errorf("executable: %q %q %v, want the named one", got, found, err)
	}
	if path, ok := Installed(driverDir, "webkit"); ok {
		t.Errorf("WebKit is found in %s, where only Chromium is", path)
	}
}

func TestInstallDriverRefuses(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "driver")
	err := InstallDriver(t.Context(), dir, "/nowhere/node", os.Stderr)
	if err == nil || !strings.Contains(err.Error(), "/nowhere/node") {
		t.Errorf("want an error that names the Node, got %v", err)
	}
	if left, _ := os.ReadDir(filepath.Dir(dir)); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if _, ok := DriverInstalled(dir); ok {
		t.Error("a driver is said to be where none is")
	}
	// Half a driver is none: its package is there, its Node is not.
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(driverDir, "package"), filepath.Join(dir, "package")); err != nil {
		t.Fatal(err)
	}
	if version, ok := DriverInstalled(dir); ok || version != DriverVersion() {
		t.Errorf("half a driver: %q %v", version, ok)
	}
	if version, ok := DriverInstalled(driverDir); !ok || version != DriverVersion() {
		t.Errorf("the driver itself: %q %v", version, ok)
	}
}

// An edge that the browser was not told of is not trusted.
func TestTrust(t *testing.T) {
	w, other := newWorld(t), newWorld(t)
	l := w.launch()
	l.SPKI = other.edge.SPKI()
	v := w.visit(w.start(l, true), "")
	err := v.page.Goto(v.ctx, front+"/")
	if !errors.Is(err, browser.ErrNotArrived) || !strings.Contains(err.Error(), "ERR_CERT_AUTHORITY_INVALID") {
		t.Errorf("want ErrNotArrived with ERR_CERT_AUTHORITY_INVALID, got %v", err)
	}
}

// A driver that dies takes its browser with it, and is told as a dead browser.
func TestDeadDriver(t *testing.T) {
	w := newWorld(t)
	e := w.start(w.launch(), true)
	v := w.visit(e, "")
	v.goTo(front + "/")
	main, err := browserPID(e)
	if err != nil {
		t.Fatal(err)
	}
	waiting := make(chan error, 1)
	go func() { waiting <- v.page.Eval(v.ctx, `() => new Promise(() => {})`, nil, nil) }()
	if err := syscall.Kill(e.driver.Pid(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-waiting:
		if !errors.Is(err, browser.ErrDead) {
			t.Errorf("the call that was waiting: want ErrDead, got %v", err)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("a call still waits for a driver that has gone")
	}
	if _, err := e.NewSession(v.ctx, browser.Options{Proxy: "http://127.0.0.1:1", Recorder: v.recorder}); !errors.Is(err, browser.ErrDead) {
		t.Errorf("a new session: want ErrDead, got %v", err)
	}
	if _, err := v.page.URL(v.ctx); !errors.Is(err, browser.ErrDead) {
		t.Errorf("the address: want ErrDead, got %v", err)
	}
	v.soon("the browser's end", func() bool { return syscall.Kill(main, 0) != nil }, func() any { return main })
}

func TestAFirefoxThatIsTooOldIsCalledSo(t *testing.T) {
	// As Firefox 140 was measured to answer Playwright 1.61.
	err := startupError("/usr/bin/firefox-esr", errors.New(`playwright: Protocol error (network.addDataCollector): unknown command
Message: network.addDataCollector
Call log:
  - [pid=1][err] WebDriver BiDi listening on ws://127.0.0.1:34969`))
	for _, words := range []string{"/usr/bin/firefox-esr is too old", DriverVersion(), "network.addDataCollector", "FIREFOX"} {
		if !strings.Contains(err.Error(), words) {
			t.Errorf("%q lacks %q", err, words)
		}
	}
}
