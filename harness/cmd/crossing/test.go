package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"crossing/harness/setup"
	"crossing/harness/stack"
)

// testCommand runs the project's own tests. It is for those who change
// Crossing; users of it have no need of it.
type testCommand struct {
	choices
	Part string `env:"PART" placeholder:"NAME" help:"One part only: lint, workflows, go, stack, command, auth-service, frontend, api, postgres, express-session or auth-js."`
}

// part is one runner of tests.
type part struct {
	name  string
	dir   string
	words []string
	// alone is a part that leaves no processor idle, or drives browsers.
	alone bool
}

// Run is kong's entry.
func (c *testCommand) Run(ctx context.Context) error {
	home, err := findCheckout()
	if err != nil {
		return err
	}
	if err := c.check(); err != nil {
		return err
	}
	chosen, err := c.parts(home)
	if err != nil {
		return err
	}
	p := &plan{home: home}
	if p.target, err = c.load(home); err != nil {
		return err
	}
	if p.profiles, err = c.profiles(home); err != nil {
		return err
	}
	show := newProgress(os.Stdout)
	// The services' own tests run on this machine whatever the runtime, and
	// need what their process form needs.
	processes := c.choices
	processes.Runtime = stack.Processes
	if err := prepare(ctx, home, processes, p, show, false); err != nil {
		show.Close()
		return err
	}
	o := setup.Options{StateDir: home.state(), Progress: show.Begin}
	err = setup.Packages(ctx, o, []string{"python3-pytest", "python3-httpx", "python3-junitparser", "chromium", "chromium-driver", "firefox-esr", "xdotool", "xvfb", "shellcheck"})
	for _, tool := range []setup.Tool{setup.GolangCI, setup.ActionLint} {
		if err == nil {
			err = tool.Ensure(ctx, o)
		}
	}
	show.Close()
	if err != nil {
		return err
	}
	failed, err := runParts(ctx, home, chosen)
	if err != nil {
		return err
	}
	if len(failed) > 0 {
		fmt.Printf("\nFAILED: %s\n", strings.Join(failed, ", "))
		return errFailed
	}
	fmt.Printf("\nPASSED: the tests of %d parts\n", len(chosen))
	return nil
}

func (c *testCommand) parts(home checkout) ([]part, error) {
	services := filepath.Join(string(home), "fixtures", "services")
	// What the other applications are built of is installed by a run of theirs.
	installed := []string{"sh", "-c", "npm ci && npm test"}
	examples := filepath.Join(string(home), "fixtures", "examples")
	// The longest first, so that none is left over.
	all := []part{
		{name: "lint", dir: string(home), words: []string{setup.GolangCI.Path(home.state()), "run"}},
		{name: "postgres", dir: filepath.Join(services, "postgres"), words: []string{"/usr/bin/python3", "-m", "pytest", "-q"}},
		{name: "auth-service", dir: filepath.Join(services, "auth-service"), words: []string{"npm", "test"}},
		{name: "frontend", dir: filepath.Join(services, "frontend"), words: []string{"npm", "test"}},
		{name: "api", dir: filepath.Join(services, "api"), words: []string{"/usr/bin/python3", "-m", "pytest", "-q"}},
		{name: "auth-js", dir: filepath.Join(examples, "auth-js"), words: installed},
		{name: "express-session", dir: filepath.Join(examples, "express-session"), words: installed},
		{name: "workflows", dir: string(home), words: []string{setup.ActionLint.Path(home.state())}},
	}
	// One after the other: containers that start and end change the machine's
	// network, at which Chromium gives up the requests that are under way.
	rest, err := otherPackages(home)
	if err != nil {
		return nil, err
	}
	for _, packages := range []struct {
		name  string
		paths []string
	}{
		{"go", append([]string{beside("-p")}, rest...)},
		{"stack", []string{stackPackages + "/..."}},
		{"command", []string{beside("-parallel"), commandPackage}},
	} {
		all = append(all, part{name: packages.name, dir: string(home), words: append(goTest(), packages.paths...), alone: true})
	}
	if c.Part == "" {
		return all, nil
	}
	i := slices.IndexFunc(all, func(p part) bool { return p.name == c.Part })
	if i < 0 {
		var names []string
		for _, p := range all {
			names = append(names, p.name)
		}
		return nil, fmt.Errorf("PART=%s: there is no such part; allowed: %s", c.Part, strings.Join(names, ", "))
	}
	return all[i : i+1], nil
}

// goTest has twenty minutes for a package: real browsers and whole runs stand in
// some, and Go's own ten are near on a slow machine. What it links is for no
// debugger, and vet is one of the linters.
func goTest() []string {
	return []string{"go", "test", "-timeout=20m", "-vet=off", "-ldflags=-s -w"}
}

// beside is the flag for how much go test does side by side: one more than there
// are processors, since browsers and services are waited for in between.
func beside(flag string) string { return fmt.Sprintf("%s=%d", flag, runtime.NumCPU()+1) }

const (
	stackPackages  = "crossing/harness/stack"
	commandPackage = "crossing/harness/cmd/crossing"
)

// otherPackages are all but those that start containers, and the suites, which
// make e2e runs. The page's come first: theirs take long, and would come last.
func otherPackages(home checkout) ([]string, error) {
	cmd := exec.Command("go", "list", "./reports/...", "./fixtures/faults/...", "./fixtures/vercel/...", "./harness/...", "./suites/internal/...")
	cmd.Dir = string(home)
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("list the packages: %w", err)
	}
	return slices.DeleteFunc(strings.Fields(string(out)), func(name string) bool {
		return name == commandPackage || name == stackPackages || strings.HasPrefix(name, stackPackages+"/")
	}), nil
}

// runParts runs what may have company two at a time, and then the rest one after
// the other, and returns the names of those that failed. What a part with
// company prints is shown when it has ended.
func runParts(ctx context.Context, home checkout, chosen []part) (failed []string, err error) {
	var turn sync.Mutex
	end := func(t part, printed string, err error) {
		turn.Lock()
		defer turn.Unlock()
		fmt.Print(printed)
		if err != nil {
			fmt.Printf("== %s: %v\n", t.name, err)
			failed = append(failed, t.name)
		}
	}
	places := make(chan struct{}, 2)
	var work sync.WaitGroup
	for _, t := range chosen {
		if t.alone {
			continue
		}
		places <- struct{}{}
		work.Go(func() {
			defer func() { <-places }()
			if ctx.Err() != nil {
				return
			}
			var printed bytes.Buffer
			err := t.run(ctx, home, &printed)
			end(t, fmt.Sprintf("\n== %s\n%s", t.name, &printed), err)
		})
	}
	work.Wait()
	for _, t := range chosen {
		if t.alone && ctx.Err() == nil {
			fmt.Printf("\n== %s\n", t.name)
			end(t, "", t.run(ctx, home, os.Stdout))
		}
	}
	return failed, ctx.Err()
}

func (t part) run(ctx context.Context, home checkout, out io.Writer) error {
	cmd := exec.CommandContext(ctx, t.words[0], t.words[1:]...)
	cmd.Dir = t.dir
	cmd.Env = append(os.Environ(),
		"PATH="+filepath.Join(home.state(), "bin")+string(os.PathListSeparator)+os.Getenv("PATH"),
		"CROSSING_STATE="+home.state())
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); err != nil {
		if exit := new(exec.ExitError); errors.As(err, &exit) {
			return fmt.Errorf("ended with status %d", exit.ExitCode())
		}
		return err
	}
	return nil
}
