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
	Part string `env:"PART" placeholder:"NAME" help:"One part only: lint, workflows, go, stack, command, auth-service, frontend, api, postgres, express-session or auth-js."`
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
	err = setup.Packages(ctx, o, []string{"python3-pytest", "python3-httpx", "python3-junitparser", "chromium", "firefox-esr", "xdotool", "xvfb", "shellcheck"})
	for _, tool := range []setup.Tool{setup.GolangCI, setup.ActionLint} {
		if err == nil {
			err = tool.Ensure(ctx, o)
		}
	}
	show.Close()
	if err != nil {
		return err
	}
	var failed []string
	for _, t := range chosen {
		fmt.Printf("\n== %s\n", t.name)
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
	// What the other applications are built of is installed by a run of theirs.
	installed := []string{"sh", "-c", "npm ci && npm test"}
	examples := filepath.Join(string(home), "fixtures", "examples")
	all := []part{
		{"lint", string(home), []string{setup.GolangCI.Path(home.state()), "run"}},
		{"workflows", string(home), []string{setup.ActionLint.Path(home.state())}},
		{"express-session", filepath.Join(examples, "express-session"), installed},
		{"auth-js", filepath.Join(examples, "auth-js"), installed},
		{"auth-service", filepath.Join(services, "auth-service"), []string{"npm", "test"}},
		{"frontend", filepath.Join(services, "frontend"), []string{"npm", "test"}},
		{"api", filepath.Join(services, "api"), []string{"/usr/bin/python3", "-m", "pytest", "-q"}},
		{"postgres", filepath.Join(services, "postgres"), []string{"/usr/bin/python3", "-m", "pytest", "-q"}},
	}
	// One after the other: containers that start and end change the machine's
	// network, at which Chromium gives up the requests that are under way.
	rest, err := otherPackages(home)
	if err != nil {
		return nil, err
	}
	all = append(all,
		part{"go", string(home), append([]string{"go", "test", packageLimit}, rest...)},
		part{"stack", string(home), []string{"go", "test", packageLimit, stackPackages + "/..."}},
		part{"command", string(home), []string{"go", "test", packageLimit, commandPackage}})
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

// packageLimit is for one package: real browsers and whole runs stand in some, and
// Go's own ten minutes are near on a slow machine.
const packageLimit = "-timeout=20m"

const (
	stackPackages  = "crossing/harness/stack"
	commandPackage = "crossing/harness/cmd/crossing"
)

// otherPackages are all but those that start containers, and the suites, which
// make e2e runs.
func otherPackages(home checkout) ([]string, error) {
	cmd := exec.Command("go", "list", "./fixtures/faults/...", "./fixtures/vercel/...", "./harness/...", "./reports/...", "./suites/internal/...")
	cmd.Dir = string(home)
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("list the packages: %w", err)
	}
	return slices.DeleteFunc(strings.Fields(string(out)), func(name string) bool {
		return name == commandPackage || name == stackPackages || strings.HasPrefix(name, stackPackages+"/")
	}), nil
}

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
