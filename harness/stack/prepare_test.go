package stack

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"crossing/harness/target"
)

// building is a folder with a build that counts how often it ran.
func building(t *testing.T, spec func(*target.Service)) (Options, func() int) {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, "src/main.ts", "one")
	write(t, dir, "notes.md", "one")
	s := target.Service{
		Command: "true", Port: 1, Ready: target.Ready{Path: "/"},
		Build: []string{"mkdir -p dist && cp src/main.ts dist/main.js", "echo ran >>runs.log"},
	}
	if spec != nil {
		spec(&s)
	}
	count := func() int {
		text, err := os.ReadFile(filepath.Join(dir, "runs.log"))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		return bytes.Count(text, []byte("ran"))
	}
	o := options(t, Processes, map[string]target.Service{"auth": s})
	o.Dir = dir
	return o, count
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func prepared(t *testing.T, o Options, runs func() int, want int, when string) {
	t.Helper()
	if err := Prepare(t.Context(), o); err != nil {
		t.Fatalf("%s: %v", when, err)
	}
	if got := runs(); got != want {
		t.Errorf("%s: it was built %d times, want %d", when, got, want)
	}
}

func TestABuildRunsOnlyWhenItsInputsChange(t *testing.T) {
	for name, spec := range map[string]func(*target.Service){
		"as git sees them": nil,
		"as globs":         func(s *target.Service) { s.Inputs = []string{"**", "!notes.md", "!*.log"} },
	} {
		t.Run(name, func(t *testing.T) {
			o, runs := building(t, spec)
			write(t, o.Dir, ".gitignore", "dist/\n*.log\n")
			if out, err := exec.Command("git", "init", "-q", o.Dir).CombinedOutput(); err != nil {
				t.Skipf("needs git: %v %s", err, out)
			}

			prepared(t, o, runs, 1, "at first")
			prepared(t, o, runs, 1, "with nothing changed")
			write(t, o.Dir, "src/main.ts", "two")
			prepared(t, o, runs, 2, "with a changed input")
			if err := os.RemoveAll(filepath.Join(o.Dir, "dist")); err != nil {
				t.Fatal(err)
			}
			prepared(t, o, runs, 3, "with its output gone")
			write(t, o.Dir, "dist/stray.js", "ignored by git")
			prepared(t, o, runs, 3, "with a change that git ignores")
			write(t, o.Dir, "notes.md", "two")
			want := 4
			if spec != nil {
				want = 3
			}
			prepared(t, o, runs, want, "with another file changed")
		})
	}
}

func TestABuildWithoutGitIsStampedToo(t *testing.T) {
	o, _ := building(t, func(s *target.Service) {
		s.Build = []string{"mkdir -p dist && cp src/main.ts dist/main.js", "echo ran >>dist/runs.log; cp dist/runs.log dist/../dist/all"}
	})
	runs := func() int {
		text, _ := os.ReadFile(filepath.Join(o.Dir, "dist", "all"))
		return bytes.Count(text, []byte("ran"))
	}

	prepared(t, o, runs, 1, "at first")
	prepared(t, o, runs, 1, "with nothing changed")
	write(t, o.Dir, "src/main.ts", "two")
	prepared(t, o, runs, 2, "with a changed input")
}

func TestAFailedBuildShowsItsLastLinesAndRunsAgain(t *testing.T) {
	o, _ := building(t, func(s *target.Service) {
		s.Build = []string{"echo Cannot find module express >&2; test -e mended"}
	})

	failsWith(t, Prepare(t.Context(), o), "auth", "test -e mended", "exit status 1", "Cannot find module express")

	write(t, o.Dir, "mended", "")
	if err := Prepare(t.Context(), o); err != nil {
		t.Fatal(err)
	}
}

func TestACancelledBuildIsKilledAndLeavesNoStamp(t *testing.T) {
	o, _ := building(t, func(s *target.Service) {
		s.Build = []string{"echo $$ >pid; sleep 60"}
		s.Inputs = []string{"src/**"}
	})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		for ctx.Err() == nil {
			if text, err := os.ReadFile(filepath.Join(o.Dir, "pid")); err == nil && len(text) > 0 {
				cancel()
			}
			time.Sleep(5 * time.Millisecond)
		}
	}()
	begun := time.Now()

	err := Prepare(ctx, o)

	if !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
	pid, _ := os.ReadFile(filepath.Join(o.Dir, "pid"))
	if _, err := os.Stat("/proc/" + strings.TrimSpace(string(pid))); err == nil {
		t.Error("the build still runs")
	}
	if stamps, _ := filepath.Glob(filepath.Join(o.StateDir, "builds", "*")); len(stamps) > 0 {
		t.Errorf("stamps: %v", stamps)
	}
}

func TestTwoRunsDontBuildAtOnce(t *testing.T) {
	o, runs := building(t, func(s *target.Service) {
		s.Build = []string{"mkdir busy && sleep 0.3 && rmdir busy && echo ran >>runs.log"}
		s.Inputs = []string{"src/**"}
	})
	failed := make(chan error, 2)
	for range 2 {
		go func() { failed <- Prepare(t.Context(), o) }()
	}
	for range 2 {
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}
	if n := runs(); n != 1 {
		t.Errorf("it was built %d times", n)
	}
}

func TestAnImageIsBuiltOnceAndAgainWhenItsContextChanges(t *testing.T) {
	needsEngine(t)
	o := options(t, Containers, map[string]target.Service{"api": part("plain")})
	o.Dir = t.TempDir()
	if err := os.CopyFS(o.Dir, os.DirFS(service)); err != nil {
		t.Fatal(err)
	}
	write(t, o.Dir, ".dockerignore", "notes.md\n")
	builds := 0
	o.Progress = func(text string) {
		t.Log(text)
		if strings.HasPrefix(text, "build image crossing/api:") && strings.Contains(text, "done") {
			builds++
		}
	}
	write(t, o.Dir, "extra", time.Now().String()) // so that no earlier test's image fits
	runs := func() int { return builds }

	prepared(t, o, runs, 1, "at first")
	begun := time.Now()
	prepared(t, o, runs, 1, "with nothing changed")
	t.Logf("nothing to do: %s", time.Since(begun))
	write(t, o.Dir, "notes.md", "ignored")
	prepared(t, o, runs, 1, "with an ignored file changed")
	if err := os.Chmod(filepath.Join(o.Dir, "extra"), 0o755); err != nil {
		t.Fatal(err)
	}
	prepared(t, o, runs, 2, "with a file's mode changed")
}

func TestAFailedImageShowsWhatTheEngineSaid(t *testing.T) {
	needsEngine(t)
	o := options(t, Containers, map[string]target.Service{"api": part("plain")})
	o.Dir = t.TempDir()
	write(t, o.Dir, "Dockerfile", "FROM scratch\nCOPY missing /missing\n")

	failsWith(t, Prepare(t.Context(), o), "image of api", "crossing/api:", "Dockerfile", "COPY failed", "missing")
}

func TestAMissingImageIsNamed(t *testing.T) {
	needsEngine(t)
	o := options(t, Containers, map[string]target.Service{"api": {Image: "127.0.0.1:1/nowhere:1", Port: 80, Ready: target.Ready{Path: "/"}}})

	failsWith(t, Prepare(t.Context(), o), "image of api", "127.0.0.1:1/nowhere:1 can't be pulled", "refused")
}
