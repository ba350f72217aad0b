package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"crossing/harness/browser"
	"crossing/harness/browser/behaviour"
	"crossing/harness/browser/drivers"
	"crossing/harness/edge"
	"crossing/harness/setup"
	"crossing/harness/stack"
	"crossing/harness/stack/owner"
	"crossing/reports/engines"
)

// enginesCommand measures what browsers do with cookies that cross sites. It
// starts no service and reads no crossing.yaml.
type enginesCommand struct {
	Engine   string `env:"ENGINE" placeholder:"NAMES" help:"Profiles to measure, separated by commas: chromium, chromium-allow, webkit, webkit-default, webkit-allow, firefox; or all that this machine has. Default: all six, installed where they are missing."`
	One      string `env:"ONE" placeholder:"NAME" help:"Only the behaviours whose name holds NAME; the reports are left as they are."`
	Update   bool   `env:"UPDATE" help:"Write what is measured into the ledger, suites/engines/ledger.jsonl."`
	Chromium string `env:"CHROMIUM" placeholder:"FILE" help:"Chromium to use; default: Playwright's own build where installed, else the system's."`
	WebKit   string `env:"WEBKIT" name:"webkit" placeholder:"FILE" help:"MiniBrowser to use; default: Playwright's own WebKit where installed, else the system's WebKitGTK."`
	Firefox  string `env:"FIREFOX" placeholder:"FILE" help:"Firefox to use; default: the system's."`
	Headed   bool   `env:"HEADED" help:"Show the browsers."`
	elsewhere
	Procs int    `env:"PROCS" default:"0" placeholder:"N" help:"Browsers to measure at a time; 0: two more than there are processors."`
	Out   string `env:"OUT" default:"reports/out" placeholder:"DIR" help:"Where engines.json and engines.html are written."`
}

// Run is kong's entry.
func (c *enginesCommand) Run(ctx context.Context) error {
	began := time.Now()
	home, err := findCheckout()
	if err != nil {
		return err
	}
	profiles, all, err := c.plan(home)
	if err != nil {
		return err
	}
	ledger, err := engines.ReadLedger(filepath.Join(string(home), "suites", "engines", "ledger.jsonl"))
	if err != nil {
		return err
	}
	show := newProgress(os.Stdout)
	defer show.Close()
	show.Say("Crossing · engines · %s", namesOf(profiles))
	if err := c.install(ctx, home, profiles, show); err != nil {
		return err
	}
	report := engines.Report{Version: engines.Version, Started: began.UTC()}
	for _, what := range all {
		report.Behaviours = append(report.Behaviours, engines.Behaviour{Name: what.Name, Group: what.Group, Text: what.Text, Source: what.Source})
	}
	show.Begin(fmt.Sprintf("measure %d behaviours of %d profiles", len(all), len(profiles)))
	if report.Profiles, err = c.measure(ctx, home, profiles, all, show); err != nil {
		if ctx.Err() != nil {
			return errInterrupted
		}
		return err
	}
	report.Seconds = time.Since(began).Seconds()
	return c.conclude(&report, &ledger, show)
}

// plan checks what can be checked before anything is installed.
func (c *enginesCommand) plan(home checkout) ([]browser.Profile, []behaviour.Behaviour, error) {
	chosen := c.choices()
	if err := chosen.check(); err != nil {
		return nil, nil, err
	}
	c.Chromium, c.WebKit, c.Firefox, c.elsewhere = chosen.Chromium, chosen.WebKit, chosen.Firefox, chosen.elsewhere
	profiles := browser.Profiles()
	if c.Engine != "" {
		var err error
		if profiles, err = chosen.profiles(home); err != nil {
			return nil, nil, err
		}
	}
	switch {
	case c.EdgePort != 0:
		c.Procs = 1 // one session at a time
	case c.Procs == 0:
		c.Procs = min(runtime.NumCPU()+2, len(profiles)) // a browser waits, too, for what it has asked
	}
	if c.Procs < 1 || c.Procs > 64 {
		return nil, nil, fmt.Errorf("PROCS=%d: write how many browsers to measure at a time, 1 to 64", c.Procs)
	}
	if strings.TrimSpace(c.Out) == "" {
		return nil, nil, errors.New("OUT is empty; name a folder for the reports, such as reports/out")
	}
	all := slices.DeleteFunc(behaviour.All(), func(b behaviour.Behaviour) bool { return !strings.Contains(b.Name, c.One) })
	if len(all) == 0 {
		return nil, nil, fmt.Errorf("ONE=%s is in the name of no behaviour; names are those of suites/engines/ledger.jsonl", quoted(c.One))
	}
	if c.One != "" && c.Update {
		return nil, nil, errors.New("UPDATE=1 writes the ledger of all behaviours; leave ONE out")
	}
	return profiles, all, nil
}

func (c *enginesCommand) choices() choices {
	return choices{Engine: c.Engine, Runtime: stack.Processes, Chromium: c.Chromium, WebKit: c.WebKit, Firefox: c.Firefox, Headed: c.Headed, elsewhere: c.elsewhere}
}

func namesOf(profiles []browser.Profile) string {
	var names []string
	for _, p := range profiles {
		names = append(names, p.Name)
	}
	return strings.Join(names, ", ")
}

// install sweeps what killed runs have left, and brings the browsers.
func (c *enginesCommand) install(ctx context.Context, home checkout, profiles []browser.Profile, show *progress) error {
	removed, err := stack.Sweep(ctx)
	for _, line := range removed {
		show.Say("  swept: %s", line)
	}
	if err != nil {
		return fmt.Errorf("sweep what killed runs have left: %w", err)
	}
	o := setup.Options{StateDir: home.state(), Executables: c.choices().named(), Headed: c.Headed, Progress: show.Begin}
	for _, p := range profiles {
		if !slices.Contains(o.Engines, p.Engine) {
			o.Engines = append(o.Engines, p.Engine)
		}
	}
	return setup.Ensure(ctx, o)
}

// measure asks the profiles, several at a time. What a killed command leaves is
// found by the marker that its processes inherit.
func (c *enginesCommand) measure(ctx context.Context, home checkout, profiles []browser.Profile, all []behaviour.Behaviour, show *progress) ([]engines.Profile, error) {
	run, err := stack.NewRun()
	if err != nil {
		return nil, err
	}
	defer func() { _ = run.Close() }()
	name, value, _ := strings.Cut(run.Environment(), "=")
	if err := os.Setenv(name, value); err != nil {
		return nil, err
	}
	asked := ctx // by the person: an end of it is no end of one profile's alone
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	columns, errs := make([]engines.Profile, len(profiles)), make([]error, len(profiles))
	places := make(chan struct{}, c.Procs)
	var work sync.WaitGroup
	for _, i := range slowFirst(profiles) {
		p := profiles[i]
		places <- struct{}{}
		work.Go(func() {
			defer func() { <-places }()
			l := browser.Launch{Profile: p, Executable: c.choices().executables()[p.Engine], DriverDir: setup.DriverDir(home.state()),
				Headed: c.Headed, WorkDir: filepath.Join(run.Dir, p.Name), Endpoint: c.endpoint()}
			if columns[i], errs[i] = column(ctx, l, c.reach(), all); errs[i] != nil {
				cancel()
				return
			}
			show.Say("  %s: %s, %.1f s", p.Name, columns[i].Version.Browser, columns[i].Seconds)
		})
	}
	work.Wait()
	if err := asked.Err(); err != nil {
		return nil, err
	}
	return columns, errors.Join(slices.DeleteFunc(errs, func(err error) bool { return errors.Is(err, context.Canceled) })...)
}

// slowFirst are the places of the profiles in the order in which to begin: what
// takes longest must not come last. A Firefox takes its time to end and start.
func slowFirst(profiles []browser.Profile) []int {
	var order []int
	for _, first := range []bool{true, false} {
		for i, p := range profiles {
			if (p.Engine == browser.Firefox.Engine) == first {
				order = append(order, i)
			}
		}
	}
	return order
}

// column measures one profile.
func column(ctx context.Context, l browser.Launch, at edge.Options, all []behaviour.Behaviour) (p engines.Profile, err error) {
	began := time.Now()
	if err := ctx.Err(); err != nil {
		return p, err
	}
	if err := os.MkdirAll(l.WorkDir, 0o700); err != nil {
		return p, err
	}
	b, err := behaviour.Start(ctx, l, at, drivers.Start)
	if err != nil {
		return p, err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	p = engines.Profile{Profile: l.Profile, Version: b.Browser.Version(), Capability: b.Capability}
	results, err := b.RunAll(ctx, all)
	if err != nil {
		return p, err
	}
	for _, r := range results {
		p.Results = append(p.Results, engines.Result(r))
	}
	p.Seconds = time.Since(began).Seconds()
	return p, nil
}

// conclude holds the report against the ledger, or rewrites that, and leaves
// the files.
func (c *enginesCommand) conclude(r *engines.Report, ledger *engines.Ledger, show *progress) error {
	r.Deviations = ledger.Compare(r)
	show.Close()
	fmt.Print("\n", r.Table())
	changed := len(r.Deviations)
	if c.Update {
		if err := ledger.Update(r); err != nil {
			return err
		}
		r.Deviations = nil // the table showed them; the files are as the ledger is now
	}
	if c.One == "" {
		if err := c.publish(r); err != nil {
			return err
		}
	}
	cells, rest := -engines.Unasked(r), ""
	for _, p := range r.Profiles {
		cells += len(p.Results)
	}
	if n := engines.Unasked(r); n > 0 {
		rest = fmt.Sprintf(", %d could not be asked of a browser elsewhere", n)
	}
	switch {
	case c.Update:
		fmt.Printf("\nUPDATED: %d of %d outcomes are new in %s: review the change like code\n", changed, cells, ledger.Path)
		return nil
	case len(r.Deviations) == 0:
		fmt.Printf("\nPASSED: %d outcomes are as the ledger expects%s · %.0f s\n", cells, rest, r.Seconds)
		return nil
	}
	for _, d := range r.Deviations {
		fmt.Printf("✗ %s\n", d.Text)
	}
	fmt.Printf("\nFAILED: %d of %d outcomes are not the ledger's; where the change is right, make engines UPDATE=1 writes it%s · %.0f s\n", len(r.Deviations), cells, rest, r.Seconds)
	return errFailed
}

// publish puts the files in place, whole or not at all.
func (c *enginesCommand) publish(r *engines.Report) error {
	if err := os.MkdirAll(c.Out, 0o755); err != nil {
		return fmt.Errorf("OUT=%s: the folder for reports cannot be made (%w); name one that can be written", c.Out, plain(err))
	}
	for name, write := range map[string]func(string) error{engines.JSONFile: r.Write, engines.PageFile: r.Page} {
		part := filepath.Join(c.Out, working+strings.ReplaceAll(owner.Self().String(), ":", "-")+"-"+name)
		if err := write(part); err != nil {
			_ = os.Remove(part)
			return fmt.Errorf("OUT=%s: %w", c.Out, err)
		}
		if err := os.Rename(part, filepath.Join(c.Out, name)); err != nil {
			return fmt.Errorf("put the new reports in place: %w", err)
		}
	}
	fmt.Printf("\nReports: %s, %s\n", filepath.Join(c.Out, engines.JSONFile), filepath.Join(c.Out, engines.PageFile))
	return nil
}
