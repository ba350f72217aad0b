package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"crossing/harness/browser"
	"crossing/harness/diagnose"
	"crossing/harness/journey"
	"crossing/harness/lint"
	"crossing/harness/stack"
	"crossing/harness/target"
	"crossing/harness/trace"
	"crossing/harness/visit"
)

// diagnoseCommand walks the journeys once and says what became of the session.
type diagnoseCommand struct {
	choices
	aim
	Out string `env:"OUT" default:"reports/out" placeholder:"DIR" help:"Where the traces are written, below it: diagnose/PROFILE.json."`
}

// tourLimit is how long one profile's tour may take; explaining it may take
// visit.Looking more.
const tourLimit = 60 * time.Second

// Run is kong's entry.
func (c *diagnoseCommand) Run(ctx context.Context) (err error) {
	home, err := findCheckout()
	if err != nil {
		return err
	}
	if err := c.choices.check(); err != nil {
		return err
	}
	profiles, err := c.profiles(home)
	if err != nil {
		return err
	}
	at, err := c.aim.check(c.choices, home)
	if err != nil {
		return err
	}
	if strings.TrimSpace(c.Out) == "" {
		return errors.New("OUT is empty; name a folder for the traces, such as reports/out")
	}
	show := newProgress(os.Stdout)
	defer show.Close()
	show.Say("Crossing · diagnose %s", at.target.Name)
	runtime, err := ready(ctx, home, c.choices, at.target, profiles, show)
	if err != nil {
		return err
	}
	g, err := at.open(ctx, home, c.choices, show, runtime, trace.NewRedactor(nil), nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, g.close()) }()
	if at.target.Remote() {
		show.Begin("ask whether this is the application that the contract describes")
		if err := lint.Fit(ctx, g.Edge, at.target, g.redactor); err != nil {
			return err
		}
	}
	if !described(at) {
		show.Say("  no pages are described (contract.pages): a script in the frontend's page makes its calls")
	}
	verdicts := map[int][]string{}
	for _, p := range profiles {
		status, err := c.tour(ctx, g, p, show)
		if err != nil {
			return fmt.Errorf("%s: %w", p.Name, err)
		}
		verdicts[status] = append(verdicts[status], p.Name)
	}
	show.Close()
	return sumUp(verdicts)
}

func described(a aimed) bool { return journey.Way{Contract: a.target.Contract}.Described() }

// sumUp prints one sentence: a lost session on any profile is the verdict,
// then one that could not be judged.
func sumUp(verdicts map[int][]string) error {
	lost, open, held := verdicts[exitFailed], verdicts[exitUnready], verdicts[0]
	var words []string
	for _, v := range []struct {
		names []string
		says  string
	}{{lost, "lost or refused on"}, {open, "not to be judged on"}, {held, "held on"}} {
		if len(v.names) > 0 {
			words = append(words, v.says+" "+strings.Join(v.names, ", "))
		}
	}
	fmt.Printf("\nThe session: %s.\n", strings.Join(words, "; "))
	switch {
	case len(lost) > 0:
		return errFailed
	case len(open) > 0:
		return errNothingJudged
	}
	return nil
}

// tour walks with one profile, explains, saves the trace, and returns the exit
// status that fits.
func (c *diagnoseCommand) tour(ctx context.Context, g *grounds, p browser.Profile, show *progress) (status int, err error) {
	show.Begin(p.Name + ": start the browser and measure what it does with cookies")
	guest := visit.Guest{Name: "ada", Person: journey.NewPerson("ada"), Spec: "diagnose"}
	if c.Email != "" {
		guest.Person = journey.Person{Name: "ada", Email: c.Email, Password: c.Password}
		g.redactor.Learn(c.Password)
	}
	v, err := g.Visitor(ctx, p, guest)
	if err != nil {
		return exitUnready, err
	}
	defer func() { err = errors.Join(err, v.Close(context.WithoutCancel(ctx))) }()
	if err := v.Open(ctx); err != nil {
		return exitUnready, err
	}
	limited, cancel := context.WithTimeoutCause(ctx, tourLimit, fmt.Errorf("a tour may take %s", tourLimit))
	defer cancel()
	walked := v.Tour(limited, c.Email != "", func(step string) { show.Begin(p.Name + ": " + step) })
	if ctx.Err() != nil {
		return exitUnready, ctx.Err()
	}
	show.Begin(p.Name + ": look at jar, page, instances and rows")
	looking, done := context.WithTimeout(ctx, visit.Looking)
	defer done()
	d, notes := v.Explain(looking)
	path := filepath.Join(c.Out, "diagnose", p.Name+".json")
	if err := save(v, path); err != nil {
		return exitUnready, err
	}
	show.Say("\n%s on %s (%s): %s", v.Name, p.Name, v.Recorder.Snapshot().Browser, d)
	for _, err := range notes {
		show.Say("  (%s)", g.redactor.Scrub(err.Error()))
	}
	for _, host := range refused(v) {
		show.Say("  (the page asked %s for something: a host that is no part of the target, and was refused)", host)
	}
	show.Say("  trace        %s", path)
	return statusOf(d, walked, func(why string) {
		show.Say("  not judged   %s", g.redactor.Scrub(why))
	}), nil
}

// statusOf is the exit status that a diagnosis, and a tour that may have been
// cut short, come to. Only a whole tour is healthy.
func statusOf(d diagnose.Diagnosis, walked error, open func(why string)) int {
	switch {
	case len(d.Findings) > 0 || d.Lost != "":
		return exitFailed
	case walked != nil:
		open("the tour ended early: " + walked.Error())
		return exitUnready
	case d.Verdict == diagnose.VerdictHealthy:
		return 0
	}
	open("no cause is proved, and no session was seen to be lost")
	return exitUnready
}

// refused are the hosts outside the target that pages asked.
func refused(v *visit.Visitor) []string {
	known := map[string]bool{}
	o := v.Way.Origins
	for _, origin := range []string{o.Frontend, o.Auth, o.API, o.Stranger, target.Elsewhere} {
		known[strings.TrimPrefix(origin, "https://")] = true
	}
	var out []string
	for _, host := range v.Recorder.Snapshot().Hosts {
		if !known[host] {
			out = append(out, host)
		}
	}
	return out
}

func save(v *visit.Visitor, path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("OUT: the folder for traces cannot be made (%w); name one that can be written", plain(err))
	}
	return v.Recorder.Save(path)
}

// ready sweeps and installs what services and profiles need, and chooses the
// runtime; no profiles: no browser is needed.
func ready(ctx context.Context, home checkout, c choices, at *target.Target, profiles []browser.Profile, show *progress) (runtime string, err error) {
	removed, err := stack.Sweep(ctx)
	for _, line := range removed {
		show.Say("  swept: %s", line)
	}
	if err != nil {
		return "", fmt.Errorf("sweep what killed runs have left: %w", err)
	}
	p := &plan{home: home, target: at, profiles: profiles}
	if err := install(ctx, home, c, p, show, false); err != nil {
		return "", err
	}
	show.Say("  %s", p.why)
	return p.runtime, nil
}
