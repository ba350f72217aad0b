package webdriver

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"crossing/harness/browser"
	"crossing/harness/trace"
)

// TestDeaths ends each process of a session by SIGKILL, as the kernel does
// when memory runs out.
func TestDeaths(t *testing.T) {
	b := newBench(t)
	w := b.start("--enable-itp")
	for _, name := range []string{"WebKitWebDriver", "MiniBrowser", "WebKitWebProcess"} {
		t.Run(name, func(t *testing.T) {
			v := b.visit(w).on(t)
			v.goTo(v.page, front+"/")
			waiting := make(chan error, 1)
			go func() { waiting <- v.page.Eval(v.ctx, `() => new Promise(() => {})`, nil, nil) }()
			if title := v.read(v.page, `() => document.title`); title != "home" {
				t.Fatalf("the page is %q to begin with", title)
			}
			for _, pid := range group(t, v.session.far.(*process).cmd.Process.Pid)[name] {
				if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
					t.Fatal(err)
				}
			}
			select {
			case err := <-waiting:
				if !errors.Is(err, browser.ErrDead) {
					t.Errorf("the call that was waiting: want ErrDead, got %v", err)
				}
			case <-time.After(prompt):
				t.Errorf("the call that was waiting still does")
			}
			if _, err := v.page.URL(v.ctx); !errors.Is(err, browser.ErrDead) {
				t.Errorf("the next call: want ErrDead, got %v", err)
			}
			if err := v.within(prompt, v.session.Close); err != nil {
				t.Errorf("close the session: %v", err)
			}
			// A process's files are closed, by which its end is known, before the
			// kernel takes it off the list (exit(2)).
			left := group(t, v.session.far.(*process).cmd.Process.Pid)
			for limit := time.Now().Add(prompt); len(left) > 0 && time.Now().Before(limit); {
				time.Sleep(10 * time.Millisecond)
				left = group(t, v.session.far.(*process).cmd.Process.Pid)
			}
			if len(left) > 0 {
				t.Errorf("after closing, there are still %v", left)
			}
		})
	}
	t.Run("Xvfb", func(t *testing.T) {
		v := b.visit(w).on(t)
		if err := w.display.close(); err != nil {
			t.Fatal(err)
		}
		err := v.within(prompt, func(ctx context.Context) error { return v.page.Eval(ctx, `() => new Promise(() => {})`, nil, nil) })
		if !errors.Is(err, browser.ErrDead) {
			t.Errorf("a session whose display is gone: want ErrDead, got %v", err)
		}
		_, err = w.NewSession(v.ctx, browser.Options{Proxy: v.line.Proxy()})
		if !errors.Is(err, browser.ErrDead) || !strings.Contains(err.Error(), "display") {
			t.Errorf("a new session: want ErrDead for want of a display, got %v", err)
		}
	})
}

// group lists the processes of a group by their names, zombies left out.
func group(t *testing.T, id int) map[string][]int {
	t.Helper()
	return listed(t, func(_ int, fields []string) bool { return fields[2] == strconv.Itoa(id) })
}

// listed lists living processes by their names. The fields are those of
// proc(5), /proc/pid/stat, from the third on: state, parent, group.
func listed(t *testing.T, want func(pid int, fields []string) bool) map[string][]int {
	t.Helper()
	paths, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string][]int{}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		head, rest, _ := strings.Cut(string(data), " (")
		name, rest, _ := strings.Cut(rest, ") ")
		pid, _ := strconv.Atoi(head)
		if fields := strings.Fields(rest); len(fields) > 2 && fields[0] != "Z" && want(pid, fields) {
			// The kernel cuts names at 15 bytes (proc(5), /proc/pid/comm).
			for _, whole := range []string{"WebKitWebDriver", "WebKitWebProcess", "WebKitNetworkProcess"} {
				if len(name) == 15 && strings.HasPrefix(whole, name) {
					name = whole
				}
			}
			found[name] = append(found[name], pid)
		}
	}
	return found
}

// Variables by which TestMain makes this binary the harness that is killed.
const (
	victimDir = "CROSSING_TEST_VICTIM"
	marker    = "CROSSING_TEST_MARKER"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(victimDir); dir != "" {
		if err := victim(dir); err != nil {
			fmt.Println("victim:", err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// victim opens a session, says so, and waits to be killed.
func victim(dir string) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	w, err := StartWebKit(ctx, launch("", dir))
	if err != nil {
		return err
	}
	s, err := w.NewSession(ctx, browser.Options{Proxy: "http://127.0.0.1:9", Recorder: trace.NewRecorder(trace.NewRedactor(nil), trace.Trace{})})
	if err != nil {
		return errors.Join(err, w.Close())
	}
	if _, err := s.NewPage(ctx); err != nil {
		return errors.Join(err, w.Close())
	}
	fmt.Println("ready")
	<-ctx.Done()
	return errors.Join(errors.New("nobody killed it"), w.Close())
}

// TestNothingOutlivesAKilledHarness: the whole session dies with the process
// that started it. On a display of its own it loses that too; on the user's,
// setpriv is what ends MiniBrowser, as the control shows. What stays there
// carries the environment by which a later run finds it.
func TestNothingOutlivesAKilledHarness(t *testing.T) {
	common := []string{"true", "WebKitWebDriver", "xkbcomp", "sh"}
	for name, c := range map[string]struct {
		programs []string
		stays    bool
	}{
		"its own display":      {[]string{"Xvfb"}, false},
		"the user's display":   {[]string{"setpriv"}, false},
		"the control, without": {nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			users, err := openDisplay(b.ctx, b.dir)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = users.close() }()
			t.Setenv("DISPLAY", users.name)
			t.Setenv("XAUTHORITY", users.authority)
			c.programs = append(c.programs, common...)
			mark := fmt.Sprintf("%d-%d", os.Getpid(), time.Now().UnixNano())
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), victimDir+"="+b.dir, marker+"="+mark, "PATH="+programs(t, c.programs...))
			out := &tail{}
			cmd.Stdout, cmd.Stderr = out, out
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			await(t, b.ctx, func() (string, bool) { return out.String(), strings.Contains(out.String(), "ready") })
			marked := func(pid int, _ []string) bool {
				environ, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
				return err == nil && slices.Contains(strings.Split(string(environ), "\x00"), marker+"="+mark)
			}
			all := listed(t, marked)
			for _, program := range []string{"WebKitWebDriver", "MiniBrowser", "WebKitWebProcess", c.programs[0]} {
				if program != "setpriv" && program != "true" && len(all[program]) == 0 {
					t.Errorf("there is no %s among %v", program, all)
				}
			}
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			if c.stays {
				await(t, b.ctx, func() (string, bool) {
					left := listed(t, marked)
					return fmt.Sprint(left), len(left["WebKitWebDriver"]) == 0 && len(left["MiniBrowser"]) == 1
				})
				for _, pid := range listed(t, marked)["MiniBrowser"] {
					_ = syscall.Kill(pid, syscall.SIGKILL)
				}
			}
			await(t, b.ctx, func() (string, bool) {
				left := listed(t, marked)
				return fmt.Sprint(left), len(left) == 0
			})
		})
	}
}

// programs makes a folder that holds these programs of the system and no
// others; what is not installed is left out.
func programs(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			if err := os.Symlink(path, filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir
}

// await polls until seen says that it is so, and fails with what it last saw.
func await(t *testing.T, ctx context.Context, seen func() (string, bool)) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		text, ok := seen()
		if ok {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("last seen: %s", text)
		case <-tick.C:
		}
	}
}
