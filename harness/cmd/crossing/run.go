package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"crossing/harness/browser"
	"crossing/harness/stack"
	"crossing/harness/target"
	"crossing/reports"
)

// runCommand runs the suites.
type runCommand struct {
	choices
	Suite   string   `env:"SUITE" placeholder:"NAME" help:"One suite only."`
	One     string   `env:"ONE" placeholder:"WHAT" help:"Only the specs of a file (persistence_test.go), or those whose text holds WHAT."`
	Set     []string `env:"SET" sep:" " placeholder:"SERVICE.NAME=VALUE" help:"Change a service's, or one instance's, environment for this run, such as auth-2.LOG=debug."`
	Seed    int64    `env:"SEED" placeholder:"N" help:"Seed of the random order; default: a new one."`
	Procs   int      `env:"PROCS" default:"1" placeholder:"N" help:"Processes to run specs in."`
	Headed  bool     `env:"HEADED" help:"Show the browsers."`
	SlowMo  float64  `env:"SLOWMO" name:"slowmo" placeholder:"MS" help:"Wait after each action of a browser."`
	Out     string   `env:"OUT" default:"reports/out" placeholder:"DIR" help:"Where reports are written."`
	Timeout string   `env:"TIMEOUT" default:"20m" placeholder:"DURATION" help:"Limit of the whole run."`
}

// Run is kong's entry.
func (c *runCommand) Run(ctx context.Context) error {
	began := time.Now()
	home, err := findCheckout()
	if err != nil {
		return err
	}
	plan, err := c.plan(ctx, home)
	if err != nil {
		return err
	}
	defer plan.remove()
	show := newProgress(os.Stdout)
	defer show.Close()
	show.Say("Crossing · %s · %s", plan.target.Name, plan.names())
	if err := prepare(ctx, home, c.choices, plan, show, false); err != nil {
		return err
	}
	setup := time.Since(began)
	show.Say("  set-up took %.1f s; %s", setup.Seconds(), plan.why)

	report := reports.Run{
		Version: reports.Version, Runtime: plan.runtime, Why: plan.why, Started: began.UTC(), Seed: plan.seed,
		Target: reports.Target{Name: plan.target.Name, Config: plan.target.Path, Origins: plan.target.Origins},
	}
	if err := plan.ginkgo(ctx, show, &report); err != nil {
		return err
	}
	report.Timings.Setup = setup.Seconds()
	report.Timings.Total = time.Since(began).Seconds()
	if err := plan.publish(&report); err != nil {
		return err
	}
	show.Close()
	fmt.Print(report.Verdict())
	fmt.Printf("Reports: %s\n", c.Out)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if !report.Passed {
		return errFailed
	}
	return nil
}

// plan is a run that was validated and has not begun.
type plan struct {
	home     checkout
	command  *runCommand
	target   *target.Target
	profiles []browser.Profile
	suites   []string
	set      map[string]map[string]string
	runtime  string
	why      string
	seed     int64
	// work is where this run writes; it becomes the reports when it is done,
	// so that a run that could not begin destroys no earlier report.
	work string
	out  string
}

// plan checks everything that can be checked before anything is installed.
func (c *runCommand) plan(ctx context.Context, home checkout) (*plan, error) {
	p := &plan{home: home, command: c, seed: c.Seed}
	if err := c.check(); err != nil {
		return nil, err
	}
	var err error
	if p.target, err = c.load(home); err != nil {
		return nil, err
	}
	if p.profiles, err = c.profiles(); err != nil {
		return nil, err
	}
	if p.set, err = p.target.ParseSet(c.Set); err != nil {
		return nil, err
	}
	if p.suites, err = chooseSuites(home, c.Suite); err != nil {
		return nil, err
	}
	if c.Procs < 1 {
		return nil, fmt.Errorf("PROCS=%d: write how many processes run specs, 1 or more", c.Procs)
	}
	if _, err := time.ParseDuration(c.Timeout); err != nil {
		return nil, fmt.Errorf("TIMEOUT=%s is no duration; write one such as 20m", c.Timeout)
	}
	if p.seed == 0 {
		p.seed = time.Now().Unix()
	}
	if p.out, err = filepath.Abs(c.Out); err != nil {
		return nil, err
	}
	return p, p.writable()
}

// writable makes the folder that the run writes into, beside the reports.
func (p *plan) writable() error {
	parent := filepath.Dir(p.out)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return fmt.Errorf("OUT=%s: the folder for reports cannot be made: %w", p.out, err)
	}
	// What killed runs have left here is older than any run may last.
	olds, _ := filepath.Glob(filepath.Join(parent, ".run-*"))
	for _, old := range olds {
		if pid, err := strconv.Atoi(strings.SplitN(strings.TrimPrefix(filepath.Base(old), ".run-"), "-", 2)[0]); err == nil && syscall.Kill(pid, 0) == syscall.ESRCH {
			_ = os.RemoveAll(old)
		}
	}
	work, err := os.MkdirTemp(parent, fmt.Sprintf(".run-%d-", os.Getpid()))
	if err != nil {
		return fmt.Errorf("OUT=%s: reports cannot be written there: %w", p.out, err)
	}
	p.work = work
	return os.Chmod(work, 0o755)
}

func (p *plan) remove() { _ = os.RemoveAll(p.work) }

// publish writes run.json and puts the new reports in place of the old.
func (p *plan) publish(r *reports.Run) error {
	if err := r.Gather(p.work); err != nil {
		return err
	}
	if err := r.Write(filepath.Join(p.work, "run.json")); err != nil {
		return err
	}
	if err := os.RemoveAll(p.out); err != nil {
		return fmt.Errorf("take away the earlier reports: %w", err)
	}
	return os.Rename(p.work, p.out)
}

func (p *plan) names() string {
	var names []string
	for _, profile := range p.profiles {
		names = append(names, profile.Name)
	}
	return strings.Join(names, ", ")
}

// chooseSuites finds the folders below suites that hold a suite.
func chooseSuites(home checkout, name string) ([]string, error) {
	found, err := filepath.Glob(filepath.Join(string(home), "suites", "*", "*_suite_test.go"))
	if err != nil {
		return nil, err
	}
	var all []string
	for _, f := range found {
		all = append(all, filepath.Base(filepath.Dir(f)))
	}
	if name == "" {
		return all, nil
	}
	if !slices.Contains(all, name) {
		return nil, fmt.Errorf("SUITE=%s: there is no such suite; allowed: %s", name, strings.Join(all, ", "))
	}
	return []string{name}, nil
}

// ginkgo compiles and runs the suites, shows what happens, and reads the
// results. Its error means that they could not be judged.
func (p *plan) ginkgo(ctx context.Context, show *progress, r *reports.Run) error {
	show.Begin("compile the suites")
	began := time.Now()
	for _, suite := range p.suites {
		if err := p.compile(ctx, suite); err != nil {
			return err
		}
	}
	r.Timings.Compile = time.Since(began).Seconds()
	private, err := os.MkdirTemp("", "crossing-settings-")
	if err != nil {
		return fmt.Errorf("make a folder for the run's settings: %w", err)
	}
	defer func() { _ = os.RemoveAll(private) }()
	settings := p.settings(private)
	if err := settings.Write(filepath.Join(private, "settings.json")); err != nil {
		return err
	}
	show.Wait("start the stack")
	done := follow(settings.Events, show)
	began = time.Now()
	out, err := p.execute(ctx, private)
	done()
	r.Timings.Specs = time.Since(began).Seconds()
	if read := r.Read(filepath.Join(p.work, "report.json"), settings.Reproduce); read != nil {
		return fmt.Errorf("the suites left no report (%v, %v); what they printed last:\n%s", err, read, tail(out, 40))
	}
	return nil
}

func (p *plan) binary(suite string) string {
	return filepath.Join(p.home.state(), "bin", suite+".test")
}

func (p *plan) compile(ctx context.Context, suite string) error {
	cmd := exec.CommandContext(ctx, "go", "test", "-c", "-o", p.binary(suite), "./suites/"+suite)
	cmd.Dir = string(p.home)
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("compile suite %s: %w\n%s", suite, err, text)
	}
	return nil
}

func (p *plan) settings(private string) target.Settings {
	s := target.Settings{
		Config: p.target.Path, Runtime: p.runtime, Executables: p.command.executables(), StateDir: p.home.state(),
		OutDir: p.work, BaseImage: p.command.BaseImage, Set: p.set, Headed: p.command.Headed, SlowMo: p.command.SlowMo,
		Owner: os.Getpid(), Events: filepath.Join(private, "events"), Reproduce: p.reproduce(),
	}
	for _, profile := range p.profiles {
		s.Engines = append(s.Engines, profile.Name)
	}
	return s
}

// reproduce is the command that runs as this run did; what chooses a spec is
// added for each failure.
func (p *plan) reproduce() string {
	words := []string{"make e2e", "RUNTIME=" + p.runtime}
	if p.command.Config != "" {
		words = append(words, "CONFIG="+p.target.Path)
	}
	if len(p.command.Set) > 0 {
		words = append(words, "SET='"+strings.Join(p.command.Set, " ")+"'")
	}
	for _, named := range []struct{ setting, path string }{{"CHROMIUM", p.command.Chromium}, {"WEBKIT", p.command.WebKit}, {"BASE_IMAGE", p.command.BaseImage}} {
		if named.path != "" {
			words = append(words, named.setting+"="+named.path)
		}
	}
	return strings.Join(append(words, fmt.Sprintf("SEED=%d", p.seed)), " ")
}

// execute runs Ginkgo's command in a process group of its own. When ctx ends
// the group is interrupted, as Ctrl-C would, and given time to take the stack
// down.
func (p *plan) execute(ctx context.Context, private string) (string, error) {
	labels := make([]string, len(p.profiles))
	for i, profile := range p.profiles {
		labels[i] = profile.Name
	}
	args := []string{"run", "--no-color", "--succinct", "--keep-going", "--randomize-all",
		"--seed", strconv.FormatInt(p.seed, 10), "--timeout", p.command.Timeout, "--procs", strconv.Itoa(p.command.Procs),
		"--output-dir", p.work, "--json-report", "report.json", "--junit-report", "junit.xml",
		"--label-filter", strings.Join(labels, " || ")}
	switch one := p.command.One; {
	case strings.HasSuffix(one, ".go"):
		args = append(args, "--focus-file", regexp.QuoteMeta(one))
	case one != "":
		args = append(args, "--focus", regexp.QuoteMeta(one))
	}
	for _, suite := range p.suites {
		args = append(args, p.binary(suite))
	}
	args = append(args, "--", "-crossing.settings="+filepath.Join(private, "settings.json"))
	cmd := exec.Command(filepath.Join(p.home.state(), "bin", "ginkgo"), args...)
	cmd.Dir = string(p.home)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		return "", fmt.Errorf("start Ginkgo: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		return out.String(), err
	case <-ctx.Done():
	}
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGINT)
	select {
	case err := <-ended:
		return out.String(), err
	case <-time.After(time.Minute):
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		<-ended
		return out.String(), errors.New("the suites did not end within a minute of being interrupted, and were killed")
	}
}

// prepare sweeps, installs, builds; only says what there is to do.
func prepare(ctx context.Context, home checkout, c choices, p *plan, show *progress, docker bool) error {
	removed, err := stack.Sweep(ctx)
	for _, line := range removed {
		show.Say("  swept: %s", line)
	}
	if err != nil {
		return fmt.Errorf("sweep what killed runs have left: %w", err)
	}
	if err := install(ctx, home, c, p, show, docker); err != nil {
		return err
	}
	return ensureGinkgo(ctx, home, show)
}

// ensureGinkgo builds Ginkgo's command from the very version that the suites
// are compiled with, so that the two cannot drift.
func ensureGinkgo(ctx context.Context, home checkout, show *progress) error {
	own := filepath.Join(home.state(), "bin", "ginkgo")
	sums, err := os.Stat(filepath.Join(string(home), "go.sum"))
	if err != nil {
		return err
	}
	if info, err := os.Stat(own); err == nil && info.ModTime().After(sums.ModTime()) {
		return nil
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	show.Begin("build Ginkgo's command")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", own, "github.com/onsi/ginkgo/v2/ginkgo")
	cmd.Dir = string(home)
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build Ginkgo's command: %w\n%s", err, text)
	}
	now := time.Now() // the build cache may hand out an older file
	return os.Chtimes(own, now, now)
}

func tail(text string, lines int) string {
	all := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
