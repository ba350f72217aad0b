package webdriver

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"crossing/harness/browser"
)

// refused starts a browser that cannot start, and wants every word in the
// error and nothing left behind.
func refused(t *testing.T, l browser.Launch, words ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	l.WorkDir = t.TempDir()
	w, err := StartWebKit(ctx, l)
	if err == nil {
		_ = w.Close()
		t.Fatal("it started")
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("the error lacks %q: %v", word, err)
		}
	}
	if left, _ := os.ReadDir(l.WorkDir); len(left) > 0 {
		t.Errorf("it left %v", left)
	}
}

func TestWhatCannotStartSaysWhy(t *testing.T) {
	t.Run("another engine", func(t *testing.T) {
		refused(t, browser.Launch{Profile: browser.Chromium}, `"chromium"`, `"webkit"`)
	})
	t.Run("an unknown policy", func(t *testing.T) {
		refused(t, browser.Launch{Profile: browser.Profile{Name: "p", Engine: "webkit", Policy: "none"}}, `"none"`, string(browser.PolicyTrackingPrevention))
	})
	t.Run("a name that is no file", func(t *testing.T) {
		refused(t, browser.Launch{Profile: browser.WebKit, Executable: "/no/MiniBrowser"}, "WEBKIT", "/no/MiniBrowser")
	})
	t.Run("another program", func(t *testing.T) {
		refused(t, browser.Launch{Profile: browser.WebKit, Executable: "/bin/false"}, "/bin/false", "told no version", "exit status 1")
	})
	t.Run("no driver", func(t *testing.T) {
		t.Setenv("PATH", programs(t, "Xvfb"))
		refused(t, launch("", ""), "WebKitWebDriver is not on PATH", "apt-get install webkit2gtk-driver")
	})
	t.Run("no display and nothing to make one", func(t *testing.T) {
		t.Setenv("DISPLAY", "")
		t.Setenv("WAYLAND_DISPLAY", "")
		t.Setenv("PATH", programs(t, "WebKitWebDriver"))
		refused(t, launch("", ""), "Xvfb", "apt-get install xvfb", "DISPLAY")
	})
	t.Run("a window without a display", func(t *testing.T) {
		t.Setenv("DISPLAY", "")
		t.Setenv("WAYLAND_DISPLAY", "")
		l := launch("", "")
		l.Headed = true
		refused(t, l, "DISPLAY", "WAYLAND_DISPLAY")
	})
	t.Run("a display that does not answer", func(t *testing.T) {
		t.Setenv("DISPLAY", ":99999")
		l := launch("", "")
		l.Headed = true
		refused(t, l, "told no version", "cannot open display")
	})
	t.Run("no MiniBrowser", func(t *testing.T) {
		_, err := findMiniBrowser([]string{filepath.Join(t.TempDir(), "webkit2gtk-4.*", "MiniBrowser")})
		if err == nil || !strings.Contains(err.Error(), "apt-get install webkit2gtk-driver") || !strings.Contains(err.Error(), "WEBKIT") {
			t.Errorf("want the mend, got %v", err)
		}
	})
}

func TestTheNewestMiniBrowserIsTaken(t *testing.T) {
	dir := t.TempDir()
	for _, version := range []string{"webkit2gtk-4.0", "webkit2gtk-4.1"} {
		if err := os.MkdirAll(filepath.Join(dir, version), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, version, "MiniBrowser"), nil, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	got, err := findMiniBrowser([]string{filepath.Join(dir, "webkitgtk-6.*", "MiniBrowser"), filepath.Join(dir, "webkit2gtk-4.*", "MiniBrowser")})
	if want := filepath.Join(dir, "webkit2gtk-4.1", "MiniBrowser"); got != want || err != nil {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
}

// impostor is a program that tells a version as MiniBrowser does, and then
// does something else.
func impostor(t *testing.T, body string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "MiniBrowser")
	text := "#!/bin/sh\ncase $1 in --version) echo WebKitGTK 1.2.3; exit;; esac\n" + body + "\n"
	if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestASessionThatCannotBeOpened(t *testing.T) {
	for name, c := range map[string]struct{ body, word string }{
		"the browser hangs":        {"echo words-of-the-impostor; sleep 60", "words-of-the-impostor"},
		"the browser ends at once": {"echo words-of-the-impostor; exit 3", "words-of-the-impostor"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			l := launch("", b.dir)
			l.Executable = impostor(t, c.body)
			w, err := startWebKit(b.ctx, l, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = w.Close() }()
			if got := w.Version(); got.Browser != "WebKitGTK 1.2.3" || got.Found != "named by WEBKIT" {
				t.Errorf("version %+v", got)
			}
			ctx, cancel := context.WithTimeout(b.ctx, 3*time.Second)
			defer cancel()
			begin := time.Now()
			_, err = w.NewSession(ctx, browser.Options{Proxy: "http://127.0.0.1:9"})
			if err == nil || !strings.Contains(err.Error(), c.word) {
				t.Errorf("want an error with what was written last, got %v", err)
			}
			if took := time.Since(begin); took > 3*time.Second+prompt {
				t.Errorf("it took %v to say so", took)
			}
		})
	}
}

func TestSessions(t *testing.T) {
	home, runtime, temp := t.TempDir(), t.TempDir(), t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("XDG_RUNTIME_DIR", runtime)
	t.Setenv("XDG_CACHE_HOME", "")
	b := newBench(t)
	t.Setenv("TMPDIR", temp)
	w := b.start("--enable-itp")
	t.Run("a kept profile is not supported", func(t *testing.T) {
		_, err := w.NewSession(b.ctx, browser.Options{Proxy: "http://127.0.0.1:9", Keep: t.TempDir()})
		if !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), "ephemeral") {
			t.Errorf("want ErrUnsupported and the reason, got %v", err)
		}
	})
	t.Run("no session without an edge", func(t *testing.T) {
		for _, proxy := range []string{"", "127.0.0.1:9", "https://127.0.0.1:9"} {
			if _, err := w.NewSession(b.ctx, browser.Options{Proxy: proxy}); err == nil {
				t.Errorf("a session was opened with proxy %q", proxy)
			}
		}
	})
	t.Run("a context that has ended", func(t *testing.T) {
		ctx, cancel := context.WithCancel(b.ctx)
		cancel()
		if _, err := w.NewSession(ctx, browser.Options{Proxy: "http://127.0.0.1:9"}); !errors.Is(err, context.Canceled) {
			t.Errorf("want context.Canceled, got %v", err)
		}
	})
	t.Run("only who has the cookie may use the display", func(t *testing.T) {
		stranger := &webkit{version: w.version, environment: append(slices.Clone(w.environment), "XAUTHORITY=/dev/null")}
		if err := stranger.askVersion(b.ctx); err == nil || !strings.Contains(err.Error(), "cannot open display") {
			t.Errorf("a stranger reached the display: %v", err)
		}
		if err := w.askVersion(b.ctx); err != nil {
			t.Errorf("its owner did not: %v", err)
		}
	})
	t.Run("nothing is written to the user's folders", func(t *testing.T) {
		v := b.visit(w).on(t)
		v.goTo(v.page, front+"/")
		if _, err := v.page.Screenshot(v.ctx); err != nil {
			t.Error(err)
		}
		for _, dir := range []string{home, runtime, temp} {
			if left, _ := os.ReadDir(dir); len(left) > 0 {
				t.Errorf("in %s there is %v", dir, left)
			}
		}
		gaps := strings.Join(v.recorder.Snapshot().Gaps, "\n")
		for _, word := range []string{"uncaught exceptions", "cookies that the engine refuses"} {
			if !strings.Contains(gaps, word) {
				t.Errorf("no gap names %s: %s", word, gaps)
			}
		}
	})
	t.Run("a pause after each action", func(t *testing.T) {
		w.launch.SlowMoMillis = 300
		v := b.visit(w).on(t)
		begin := time.Now()
		v.goTo(v.page, front+"/")
		if took := time.Since(begin); took < 300*time.Millisecond {
			t.Errorf("it took %v, less than the pause", took)
		}
		if err := v.session.Close(v.ctx); err != nil {
			t.Error(err)
		}
	})
	t.Run("closed", func(t *testing.T) {
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := w.NewSession(b.ctx, browser.Options{Proxy: "http://127.0.0.1:9"}); !errors.Is(err, browser.ErrDead) {
			t.Errorf("want ErrDead, got %v", err)
		}
	})
}
