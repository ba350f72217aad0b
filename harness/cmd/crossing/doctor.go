package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"crossing/harness/browser"
	"crossing/harness/browser/playwright"
	"crossing/harness/browser/webdriver"
	"crossing/harness/setup"
	"crossing/harness/stack"
	"crossing/harness/target"
)

// doctorCommand looks at this machine. It installs nothing and starts nothing
// but programs that are asked for their version.
type doctorCommand struct{ choices }

// finding is one line of what was found. A missing part keeps a run from
// starting, unless it is optional.
type finding struct {
	what, found, mend string
	missing           bool
}

// Limits of the doctor: of one question, and of all.
const (
	askLimit    = 5 * time.Second
	doctorLimit = 20 * time.Second
)

// least is the free disk space in bytes below which nothing can be built.
const least = 2 << 30

// Run is kong's entry.
func (c *doctorCommand) Run(ctx context.Context) error {
	home, err := findCheckout()
	if err != nil {
		return err
	}
	if err := c.check(); err != nil {
		return err
	}
	profiles, err := c.profiles(home)
	if err != nil {
		return err
	}
	t, err := c.load(home)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, doctorLimit)
	defer cancel()
	d := &doctor{home: home, choices: c.choices, target: t, profiles: profiles}
	unfit := false
	for _, f := range d.examine(ctx) {
		mark := "✓"
		switch {
		case f.missing:
			mark, unfit = "✗", true
		case f.mend != "":
			mark = "–"
		}
		fmt.Printf("  %s %-16s %s\n", mark, f.what, f.found)
		if f.mend != "" {
			fmt.Printf("    %-16s → %s\n", "", f.mend)
		}
	}
	if unfit {
		fmt.Println("\nA run could not start: ✗ is missing.")
		return errNothingJudged
	}
	fmt.Println("\nA run can start.")
	return nil
}

// doctor is what the questions share.
type doctor struct {
	home     checkout
	choices  choices
	target   *target.Target
	profiles []browser.Profile
}

// examine asks everything side by side, and tells it in a fixed order.
func (d *doctor) examine(ctx context.Context) []finding {
	own := filepath.Join(d.home.state(), "bin")
	questions := []func(context.Context) []finding{
		tool("Go", "go", "install Go: https://go.dev/dl", true, "version"),
		tool("git", "git", "install git", true, "--version"),
		tool("make", "make", "install make, or type .crossing/bin/crossing", false, "--version"),
		tool("Node", either(filepath.Join(own, "node"), "node"), "make setup", true, "--version"),
		tool("npm", either(filepath.Join(own, "npm"), "npm"), "make setup", false, "--version"),
		d.driver, d.browsers, d.display, d.runtime, d.packages, d.disk, port, d.kept, leftovers,
	}
	answers := make([][]finding, len(questions))
	var group errgroup.Group
	for i, ask := range questions {
		group.Go(func() error {
			answers[i] = ask(ctx)
			return nil
		})
	}
	_ = group.Wait() // what goes wrong is a finding
	return slices.Concat(answers...)
}

// either is the program that set-up has brought, or else the system's.
func either(own, system string) string {
	if _, err := os.Stat(own); err == nil {
		return own
	}
	return system
}

// tool finds a program and asks for its version.
func tool(what, program, mend string, needed bool, args ...string) func(context.Context) []finding {
	return func(ctx context.Context) []finding {
		path, err := exec.LookPath(program)
		if err != nil {
			return []finding{{what, "not on the PATH", mend, needed}}
		}
		return []finding{{what, version(ctx, path, args...) + " (" + path + ")", "", false}}
	}
}

// version is the first line that a program says of itself.
func version(ctx context.Context, path string, args ...string) string {
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.WaitDelay = time.Second // what it started may hold its output open
	out, err := cmd.Output()
	line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	if line == "" {
		return fmt.Sprintf("tells no version (%v)", err)
	}
	return line
}

func (d *doctor) driver(context.Context) []finding {
	there, ok := playwright.DriverInstalled(setup.DriverDir(d.home.state()))
	switch {
	case ok:
		return []finding{{"browser driver", "Playwright " + there, "", false}}
	case there != "":
		return []finding{{"browser driver", "Playwright " + there + ", not the " + playwright.DriverVersion() + " that is used", "make setup", true}}
	}
	return []finding{{"browser driver", "Playwright's is not installed", "make setup", true}}
}

// browsers tells every engine's; one that no chosen profile has may be absent.
func (d *doctor) browsers(ctx context.Context) []finding {
	var found []finding
	for _, p := range []browser.Profile{browser.Chromium, browser.WebKit, browser.Firefox} {
		needed := slices.ContainsFunc(d.profiles, func(chosen browser.Profile) bool { return chosen.Engine == p.Engine })
		path, how := d.find(p.Engine)
		switch {
		case path == "" && needed:
			found = append(found, finding{p.Name, "not found", "make setup ENGINE=" + p.Name, true})
		case path == "":
			found = append(found, finding{p.Name, "not found; only ENGINE=" + p.Name + " needs it", "", false})
		case how == "the system's" && p.Engine == "webkit":
			found = append(found, finding{p.Name, path + " (" + how + ", its version is told by each run)", "", false}) // MiniBrowser needs a display to say it
		default:
			found = append(found, finding{p.Name, version(ctx, path, "--version") + " (" + path + ", " + how + ")", "", false})
		}
	}
	return found
}

func (d *doctor) find(engine string) (path, how string) {
	if named := d.choices.executables()[engine]; named != "" {
		return named, "named by " + strings.ToUpper(engine)
	}
	drivers := setup.DriverDir(d.home.state())
	if path, ok := playwright.Installed(drivers, engine); ok {
		return path, "Playwright's own build"
	}
	if engine == "webkit" {
		path, _, err := webdriver.FindWebKit()
		if err != nil {
			return "", ""
		}
		return path, "the system's"
	}
	path, _ = playwright.Find(drivers, engine, d.choices.Headed)
	return path, "the system's"
}

func (d *doctor) display(context.Context) []finding {
	for _, name := range []string{"DISPLAY", "WAYLAND_DISPLAY"} {
		if value := os.Getenv(name); value != "" {
			return []finding{{"display", name + "=" + value, "", false}}
		}
	}
	path, err := exec.LookPath("Xvfb")
	if err != nil {
		return []finding{{"display", "none, and no Xvfb", "", false}} // that WebKit needs one is told among what is missing
	}
	return []finding{{"display", "none; WebKit gets one by " + path + "; a window (make open, HEADED=1) needs a real one", "", false}}
}

func (d *doctor) runtime(ctx context.Context) []finding {
	if d.target.Remote() {
		return nil
	}
	_, why, err := stack.Choose(ctx, d.choices.Runtime)
	if err != nil {
		return []finding{{"services", err.Error(), "RUNTIME=processes, or make setup DOCKER=1", true}}
	}
	return []finding{{"services", why, "", false}}
}

// packages tells what set-up would still have to bring.
func (d *doctor) packages(ctx context.Context) []finding {
	kind, _, err := stack.Choose(ctx, d.choices.Runtime)
	o := setup.Options{StateDir: d.home.state(), Executables: d.choices.executables(), Headed: d.choices.Headed,
		Processes: err == nil && kind == stack.Processes}
	for _, p := range d.profiles {
		o.Engines = append(o.Engines, p.Engine)
	}
	for _, s := range d.target.Services {
		o.Packages = append(o.Packages, s.Packages...)
		o.Builds = o.Builds || len(s.Build) > 0
	}
	slices.Sort(o.Packages)
	var found []finding
	for _, lack := range setup.Survey(o) {
		found = append(found, finding{"missing", lack.What, lack.Mend, true})
	}
	if len(found) == 0 {
		found = append(found, finding{"packages", "all that browsers and services need", "", false})
	}
	return found
}

func (d *doctor) disk(context.Context) []finding {
	var found []finding
	for _, dir := range []string{string(d.home), os.TempDir()} {
		var s syscall.Statfs_t
		if err := syscall.Statfs(dir, &s); err != nil {
			found = append(found, finding{"disk", fmt.Sprintf("%s cannot be asked: %v", dir, err), "", false})
			continue
		}
		free := s.Bavail * uint64(s.Bsize)
		f := finding{"disk", fmt.Sprintf("%.1f GB free at %s", float64(free)/(1<<30), dir), "", false}
		if free < least {
			f.mend, f.missing = fmt.Sprintf("free some: builds and browsers want %d GB", least>>30), true
		}
		found = append(found, f)
	}
	return found
}

// port: services and edges listen on loopback, on ports that are free then.
func port(context.Context) []finding {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return []finding{{"ports", fmt.Sprintf("none can be had on 127.0.0.1: %v", err), "let programs listen on loopback", true}}
	}
	_ = l.Close()
	return []finding{{"ports", "free ones can be had on 127.0.0.1", "", false}}
}

func (d *doctor) kept(ctx context.Context) []finding {
	kept, err := stack.ReadKept(d.home.keptFile())
	switch {
	case err != nil:
		return []finding{{"kept stack", err.Error(), "make down", true}}
	case kept == nil:
		return []finding{{"kept stack", "none", "", false}}
	case kept.Keeper.Dead():
		return []finding{{"kept stack", "its keeper was killed", "make down, or any run, removes the rest", false}}
	}
	p := &plan{home: d.home, target: d.target}
	now, err := p.digest(ctx, d.choices, kept.Handover.Runtime)
	if err == nil && kept.Config == d.target.Path && now != kept.Digest {
		err = errors.New("it was made from other sources than stand here now")
	}
	if err == nil {
		err = kept.Answers(ctx)
	}
	if err != nil {
		return []finding{{"kept stack", told(kept) + ": " + err.Error(), "make down && make up", true}}
	}
	return []finding{{"kept stack", told(kept), "", false}}
}

func leftovers(ctx context.Context) []finding {
	left, err := stack.Left(ctx)
	switch {
	case err != nil:
		return []finding{{"leftovers", "cannot be looked for: " + err.Error(), "", false}}
	case len(left) == 0:
		return []finding{{"leftovers", "none of killed runs", "", false}}
	}
	return []finding{{"leftovers", fmt.Sprintf("%d of killed runs: %s", len(left), strings.Join(left, ", ")), "make sweep; the next run does so, too", false}}
}
