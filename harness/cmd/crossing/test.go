package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"crossing/harness/setup"
	"crossing/harness/stack"
)

// testCommand runs the project's own tests. It is for those who change
// Crossing; users of it have no need of it.
type testCommand struct {
	choices
	Part string `env:"PART" placeholder:"NAME" help:"One part only: go, auth-service, frontend, api or postgres."`
}

// part is one runner of tests.
type part struct {
	name  string
	dir   string
	words []string
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
	if p.profiles, err = c.profiles(); err != nil {
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
	err = setup.Packages(ctx, setup.Options{StateDir: home.state(), Progress: show.Begin}, []string{"python3-pytest", "python3-httpx"})
	show.Close()
	if err != nil {
		return err
	}
	var failed []string
	for _, t := range chosen {
		fmt.Printf("\n== %s: %s\n", t.name, strings.Join(t.words, " "))
		if err := t.run(ctx, home); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			fmt.Printf("== %s: %v\n", t.name, err)
			failed = append(failed, t.name)
		}
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
	all := []part{
		{"auth-service", filepath.Join(services, "auth-service"), []string{"npm", "test"}},
		{"frontend", filepath.Join(services, "frontend"), []string{"npm", "test"}},
		{"api", filepath.Join(services, "api"), []string{"/usr/bin/python3", "-m", "pytest", "-q"}},
		{"postgres", filepath.Join(services, "postgres"), []string{"/usr/bin/python3", "-m", "pytest", "-q"}},
		{"go", string(home), append([]string{"go", "test"}, goPackages...)},
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

// goPackages are all but the suites, which make e2e runs.
var goPackages = []string{"./harness/...", "./reports/...", "./suites/internal/..."}

func (t part) run(ctx context.Context, home checkout) error {
	cmd := exec.CommandContext(ctx, t.words[0], t.words[1:]...)
	cmd.Dir = t.dir
	cmd.Env = append(os.Environ(),
		"PATH="+filepath.Join(home.state(), "bin")+string(os.PathListSeparator)+os.Getenv("PATH"),
		"CROSSING_STATE="+home.state())
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		if exit := new(exec.ExitError); errors.As(err, &exit) {
			return fmt.Errorf("ended with status %d", exit.ExitCode())
		}
		return err
	}
	return nil
}
