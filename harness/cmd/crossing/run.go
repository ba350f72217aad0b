package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"crossing/harness/browser"
	"crossing/harness/stack"
	"crossing/harness/target"
	"crossing/harness/trace"
	"crossing/reports"
)

// runCommand runs the suites.
type runCommand struct {
	choices
	Suite  string   `env:"SUITE" placeholder:"NAME" help:"One suite only."`
	One    string   `env:"ONE" placeholder:"WHAT" help:"Only the specs of a file (persistence_test.go), or those whose text holds WHAT."`
	Shard  string   `env:"SHARD" placeholder:"N/OF" help:"Run a share of the specs, such as 2/4, balanced by the times in TIMES."`
	Times  string   `env:"TIMES" placeholder:"FILE" help:"run.json of an earlier run, the same for every shard; default: none, and every spec counts the same."`
	Set    []string `env:"SET" sep:" " placeholder:"SERVICE.NAME=VALUE" help:"Change a service's, or one instance's, environment for this run, such as auth-2.LOG=debug."`
	Seed   int64    `env:"SEED" placeholder:"N" help:"Seed of the random order; default: a new one."`
	Procs  int      `env:"PROCS" default:"0" placeholder:"N" help:"Processes to run specs in; 0: what the suite is fastest with on two cores, 2, and 3 for diagnosis."`
	SlowMo float64  `env:"SLOWMO" name:"slowmo" placeholder:"MS" help:"Wait after each action of a browser."`
	Out    string   `env:"OUT" default:"reports/out" placeholder:"DIR" help:"Where reports are written."`
	// History is where runs are remembered.
	History string `env:"HISTORY" placeholder:"FILE" help:"Where runs are remembered, a line for each spec and run; default: .crossing/history.jsonl. What SET= changes is not remembered."`
	N       int    `env:"N" default:"500" placeholder:"N" help:"Journeys that SUITE=soak walks on each profile."`
	// Quick links the suites without what a debugger reads, which is most of
	// the time that it takes to compile one saved file.
	Quick bool `kong:"-"`
	// suites are those of a command that knows which; nil: Suite says.
	suites []string
	// deployed is what is run on in place of services; nil: none.
	deployed *deployed
	Timeout  string `env:"TIMEOUT" default:"20m" placeholder:"DURATION" help:"Limit of the whole run."`
}

// Limits of what can be meant: a browser for each of 64 processes fills any
// machine, and after ten seconds of waiting a step has reached its own limit.
const (
	mostProcs = 64
	mostSlow  = 10_000
)

// Run is kong's entry.
func (c *runCommand) Run(ctx context.Context) error {
	if c.Suite == "preview" && c.deployed == nil {
		return c.onEmulation(ctx)
	}
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
	if c.deployed != nil {
		err = c.deployed.await(ctx, home, show)
	} else {
		err = plan.adopt(ctx, c.choices, show)
	}
	if err != nil {
		return err
	}
	if err := prepare(ctx, home, c.choices, plan, show, false); err != nil {
		return err
	}
	setup := time.Since(began)
	show.Say("  set-up took %.1f s; %s", setup.Seconds(), plan.why)

	for _, change := range plan.changes() {
		show.Say("  set for this run: %s", change)
	}

	report := reports.Run{
		Version: reports.Version, Runtime: plan.runtime, Why: plan.why, Started: began.UTC(), Seed: plan.seed,
		Commit: commit(ctx, home), Versions: tools(), Root: string(home),
		Target: reports.Target{Name: plan.target.Name, Config: plan.target.Path, Origins: plan.target.Origins},
	}
	if err := plan.ginkgo(ctx, show, &report); err != nil {
		return err
	}
	if len(report.Specs) == 0 {
		return plan.nothingChosen()
	}
	report.Timings.Setup = setup.Seconds()
	report.Timings.Total = time.Since(began).Seconds()
	if err := report.Recall(plan.history()); err != nil {
		return err
	}
	if err := plan.publish(&report); err != nil {
		return err
	}
	if err := plan.remember(ctx, &report); err != nil {
		return err
	}
	show.Close()
	fmt.Print(plan.secrets.Scrub(report.Verdict(c.Out)))
	fmt.Printf("Reports: %s (make report opens %s)\n", c.Out, filepath.Join(c.Out, reports.PageFile))
	if err := announce(&report, plan.secrets.Scrub); err != nil {
		return err
	}
	switch {
	case report.Passed:
		return nil
	case report.Judged():
		return errFailed
	}
	return errNothingJudged
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
	// kept is the stack that is used; nil: the run starts one of its own.
	kept *stack.Kept
	// shard is nil for a run of all; own are its specs, as Ginkgo's focus.
	shard   *reports.Shard
	earlier *reports.Run
	own     []string
	// secrets are those that a person set for this run.
	secrets *trace.Redactor
}

// plan checks everything that can be checked before anything is installed.
func (c *runCommand) plan(ctx context.Context, home checkout) (*plan, error) {
	p := &plan{home: home, command: c, seed: c.Seed, secrets: trace.NewRedactor(nil)}
	if err := c.check(); err != nil {
		return nil, err
	}
	var err error
	if c.deployed != nil {
		p.target = c.deployed.at.target
		for _, secret := range c.deployed.at.access.Bypass {
			p.secrets.Learn(secret)
		}
		p.secrets.Learn(c.deployed.aim.Password)
	} else if p.target, err = c.load(home); err != nil {
		return nil, err
	}
	if err := walkable(p.target, c.deployed != nil && c.deployed.aim.Email != ""); err != nil {
		return nil, err
	}
	if p.profiles, err = c.profiles(home); err != nil {
		return nil, err
	}
	if p.set, err = p.target.ParseSet(c.Set); err != nil {
		return nil, err
	}
	p.learnSecrets()
	if p.suites = c.suites; p.suites == nil {
		p.suites, err = chooseSuites(home, c.Suite)
	}
	if err != nil {
		return nil, err
	}
	switch {
	case c.EdgePort != 0 && c.Procs > 1:
		return nil, fmt.Errorf("PROCS=%d: browsers that EDGE_PORT serves hold one session at a time; leave PROCS out", c.Procs)
	case c.EdgePort != 0 && c.Procs == 0:
		c.Procs = 1
	case c.Procs == 0:
		c.Procs = usualProcs(c.Suite)
	}
	if c.Procs < 1 || c.Procs > mostProcs {
		return nil, fmt.Errorf("PROCS=%d: write how many processes run specs, 1 to %d", c.Procs, mostProcs)
	}
	if !(c.SlowMo >= 0 && c.SlowMo <= mostSlow) { // what is no number at all is neither
		return nil, fmt.Errorf("SLOWMO=%v: write how many milliseconds to wait after each action, 0 to %d", c.SlowMo, mostSlow)
	}
	if limit, err := time.ParseDuration(c.Timeout); err != nil || limit <= 0 {
		return nil, fmt.Errorf("TIMEOUT=%s is no duration; write a number with its unit, such as 20m", c.Timeout)
	}
	if p.shard, p.earlier, err = c.share(); err != nil {
		return nil, err
	}
	if c.N < 1 {
		return nil, fmt.Errorf("N=%d: write how many journeys a soak walks, 1 or more", c.N)
	}
	if p.seed == 0 {
		p.seed = time.Now().Unix()
	}
	if p.out, err = filepath.Abs(c.Out); err != nil {
		return nil, err
	}
	if err := p.writable(); err != nil {
		return nil, err
	}
	if err := (&reports.Run{}).Recall(p.history()); err != nil {
		p.remove()
		return nil, err
	}
	return p, nil
}

// walkable says what the suites cannot do without: each spec's people sign up
// and in through pages, in alone where they have an account, and the pages tell
// who is signed in.
func walkable(t *target.Target, known bool) error {
	c := t.Contract
	for _, needed := range []struct{ field, value, is string }{
		{"contract.paths.signUp", c.Paths.SignUp, "the endpoint that makes an account"},
		{"contract.paths.signIn", c.Paths.SignIn, "the endpoint that opens a session"},
		{"contract.pages.home", c.Pages.Home, "a page's path"},
		{"contract.pages.signUp.path", c.Pages.SignUp.Path, "the page with the sign-up form"},
		{"contract.pages.signIn.path", c.Pages.SignIn.Path, "the page with the sign-in form"},
		{"contract.pages.standing.selector", c.Pages.Standing.Selector, "the element that shows who is signed in"},
		{"contract.pages.signOut", c.Pages.SignOut, "the element that signs out"},
	} {
		if needed.value == "" && !(known && strings.Contains(needed.field, "signUp")) {
			if t.Dir == "" {
				return fmt.Errorf("%s is not known: name the crossing.yaml that describes the application by CONFIG, since the suites need %s; crossing diagnose does without", needed.field, needed.is)
			}
			return fmt.Errorf("%s: %s is missing, and the suites need %s; crossing diagnose does without", t.Path, needed.field, needed.is)
		}
	}
	return nil
}

// nothingChosen says why no spec ran; earlier reports stay.
func (p *plan) nothingChosen() error {
	if p.command.One == "" {
		return fmt.Errorf("no spec ran: ENGINE=%s and SUITE=%s choose none", p.names(), p.command.Suite)
	}
	return fmt.Errorf("no spec ran: ONE=%s is the name of no spec file, and no spec's text on %s holds it; give a file such as persistence_test.go, or words of a spec as the output prints them", quoted(p.command.One), p.names())
}

func (p *plan) names() string {
	var names []string
	for _, profile := range p.profiles {
		names = append(names, profile.Name)
	}
	return strings.Join(names, ", ")
}

// aside are the suites that run only where they are named: what they show is
// how Crossing judges, not how an application does, and it takes its time; or
// it is about deployments alone.
var aside = []string{"diagnosis", "soak", "preview"}

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
		return slices.DeleteFunc(all, func(suite string) bool { return slices.Contains(aside, suite) }), nil
	}
	if !slices.Contains(all, name) {
		return nil, fmt.Errorf("SUITE=%s: there is no such suite; allowed: %s", name, strings.Join(all, ", "))
	}
	return []string{name}, nil
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
	unlock, err := home.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
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
	if err := home.goTool(ctx, "build", "-o", own, "github.com/onsi/ginkgo/v2/ginkgo"); err != nil {
		return fmt.Errorf("build Ginkgo's command: %w", err)
	}
	now := time.Now() // the build cache may hand out an older file
	return os.Chtimes(own, now, now)
}
