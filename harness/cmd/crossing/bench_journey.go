package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"crossing/harness/browser"
	"crossing/harness/browser/playwright"
	"crossing/harness/browser/playwright/bare"
	"crossing/harness/edge"
	"crossing/harness/journey"
	"crossing/harness/trace"
	"crossing/harness/visit"
)

// perRound is how many journeys each takes before the other's turn, and
// perLane how many a whole lane has, its start and end included.
const (
	perRound = 3
	perLane  = 10
)

// walk is the journey as a spec has it, its session opened and closed.
func (b *bench) walk(ctx context.Context, g *visit.Ground) (err error) {
	v, err := g.Visitor(ctx, browser.Chromium, visit.Guest{Name: "ada", Person: b.person, Spec: "bench"})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, v.Close(context.WithoutCancel(ctx))) }()
	if err := v.Open(ctx); err != nil {
		return err
	}
	for _, step := range []journey.Step{v.Way.SignIn(b.person), v.Way.Reload()} {
		if err := v.Way.Walk(ctx, v.Page, step); err != nil {
			return err
		}
		if err := b.signedIn(ctx, v); err != nil {
			return err
		}
	}
	return v.Way.Walk(ctx, v.Page, v.Way.CallAPI())
}

// signedIn looks as often as a spec does.
func (b *bench) signedIn(ctx context.Context, v *visit.Visitor) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for tick := time.NewTicker(visit.Glance); ; {
		s, err := v.Standing(ctx)
		if err != nil || s.SignedIn {
			tick.Stop()
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			tick.Stop()
			return fmt.Errorf("await the session, last seen %+v: %w", s, ctx.Err())
		}
	}
}

// bareWay is the same way for those who have no harness.
func (b *bench) bareWay() bare.Way {
	o, pages := b.target.Origins, b.target.Contract.Pages
	return bare.Way{
		SignIn: o.Frontend + pages.SignIn.Path, Account: o.Frontend + pages.SignIn.Landing,
		Email: pages.SignIn.Email, Password: pages.SignIn.Password, Submit: pages.SignIn.Submit,
		SignedIn: fmt.Sprintf("%s[%s=%q]", pages.Standing.Selector, pages.Standing.State, pages.Standing.SignedIn),
		Call:     pages.CallAPI.Click, Answer: fmt.Sprintf("%s[%s='200']", pages.CallAPI.Answer, pages.CallAPI.Status),
		Person: b.person.Email, PersonalPassword: b.person.Password,
	}
}

// lined runs something with an edge line of its own.
func (b *bench) lined(g *visit.Ground, do func(proxy string) error) error {
	line, err := g.Edge.Open(trace.NewRecorder(b.redactor, trace.Trace{}))
	if err != nil {
		return err
	}
	return errors.Join(do(line.Proxy()), line.Close())
}

// timed is how many seconds something takes, n times in a row, each.
func timed(n int, do func() error) ([]float64, error) {
	var all []float64
	for range n {
		began := time.Now()
		if err := do(); err != nil {
			return all, err
		}
		all = append(all, time.Since(began).Seconds())
	}
	return all, nil
}

// chromium is a ground with its browser started, and what others need to start
// the same one with the same arguments. The ground is the caller's to close.
func (b *bench) chromium(ctx context.Context) (g *visit.Ground, executable string, arguments []string, err error) {
	if g, err = b.ground(ctx); err != nil {
		return nil, "", nil, err
	}
	started, err := g.Browser(ctx, browser.Chromium)
	if err != nil {
		return nil, "", nil, errors.Join(err, g.Close())
	}
	launch := browser.Launch{Profile: browser.Chromium, SPKI: g.Edge.SPKI()}
	return g, started.Browser.Version().Executable, playwright.Arguments(launch), nil
}

// journeyLane compares the journey by the harness with the same steps in bare
// playwright-go.
func (b *bench) journeyLane(ctx context.Context) (err error) {
	g, executable, arguments, err := b.chromium(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, g.Close()) }()
	other, err := bare.Start(filepath.Join(b.home.state(), "playwright"), executable, arguments)
	if err != nil {
		return err
	}
	way := b.bareWay()
	var harness, plain []float64
	for round := range b.command.Rounds + 1 {
		mine, err := timed(perRound, func() error { return b.walk(ctx, g) })
		if err != nil {
			return errors.Join(fmt.Errorf("by the harness: %w", err), other.Close())
		}
		theirs, err := timed(perRound, func() error {
			return b.lined(g, func(proxy string) error { return other.Walk(proxy, way) })
		})
		if err != nil {
			return errors.Join(fmt.Errorf("in bare playwright-go: %w", err), other.Close())
		}
		if round > 0 { // the first warms up what both need
			harness, plain = append(harness, median(mine)), append(plain, median(theirs))
		}
	}
	if err := other.Close(); err != nil {
		return err
	}
	r := ratios(harness, plain)
	b.add("journey", "the journey by the harness", median(harness), "s", 0, harness, "")
	b.add("journey", "the same steps in bare playwright-go", median(plain), "s", 0, plain, "no recording of page errors and refusals, no control of the cookie policy")
	b.add("journey", "harness : bare playwright-go", median(r), "×", 1.1, r, "")
	return nil
}

// wholeLane times everything from the start of a browser to its end, by the
// harness and in @playwright/test.
func (b *bench) wholeLane(ctx context.Context) (err error) {
	folder := filepath.Join(b.home.state(), "bench")
	if err := b.playwrightTest(ctx, folder); err != nil {
		b.absent("whole", "harness : @playwright/test, whole lanes", err.Error())
		return nil
	}
	g, executable, arguments, err := b.chromium(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, g.Close()) }()
	way := b.bareWay()
	var mine, theirs []float64
	for range b.command.Rounds {
		took, err := timed(1, func() error { return b.wholeOwn(ctx) })
		if err != nil {
			return err
		}
		mine = append(mine, took...)
		took, err = timed(1, func() error { return b.npxLane(ctx, g, folder, executable, arguments, way) })
		if err != nil {
			return err
		}
		theirs = append(theirs, took...)
	}
	r := ratios(mine, theirs)
	b.add("whole", fmt.Sprintf("a lane of %d journeys by the harness", perLane), median(mine), "s", 0, mine, "")
	b.add("whole", fmt.Sprintf("a lane of %d journeys in @playwright/test", perLane), median(theirs), "s", 0, theirs, "")
	b.add("whole", "harness : @playwright/test, whole lanes", median(r), "×", 0.67, r, "")
	return nil
}

func (b *bench) wholeOwn(ctx context.Context) (err error) {
	g, err := b.ground(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, g.Close()) }()
	_, err = timed(perLane, func() error { return b.walk(ctx, g) })
	return err
}

// playwrightTest installs @playwright/test beside the specs that it runs.
func (b *bench) playwrightTest(ctx context.Context, folder string) error {
	if err := os.CopyFS(folder, os.DirFS(filepath.Join(string(b.home), "harness", "bench", "playwright-test"))); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	if _, err := os.Stat(filepath.Join(folder, "node_modules", "@playwright", "test")); err == nil {
		return nil
	}
	b.show.Begin("install @playwright/test from npm")
	cmd := exec.CommandContext(ctx, "npm", "install", "--silent", "--no-audit", "--no-fund", "--no-package-lock")
	cmd.Dir = folder
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("npm install @playwright/test: %w %s", err, tail(string(text), 3))
	}
	return nil
}

func (b *bench) npxLane(ctx context.Context, g *visit.Ground, folder, executable string, arguments []string, way bare.Way) (err error) {
	given := struct {
		Way        bare.Way `json:"way"`
		Proxies    []string `json:"proxies"`
		Executable string   `json:"executable"`
		Arguments  []string `json:"arguments"`
		Output     string   `json:"output"`
	}{way, nil, executable, arguments, filepath.Join(b.run.Dir, "playwright-test")}
	for range perLane {
		var line *edge.Line
		if line, err = g.Edge.Open(trace.NewRecorder(b.redactor, trace.Trace{})); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, line.Close()) }()
		given.Proxies = append(given.Proxies, line.Proxy())
	}
	text, err := json.Marshal(given)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, filepath.Join(folder, "node_modules", ".bin", "playwright"), "test", "--repeat-each", strconv.Itoa(perLane))
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "CROSSING_BENCH="+string(text))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("@playwright/test: %w\n%s", err, b.redactor.Scrub(tail(string(out), 30)))
	}
	return nil
}

// workersLane compares one worker with two that share a browser and two that
// have one each: what processes of a parallel run would gain by sharing one.
func (b *bench) workersLane(ctx context.Context) (err error) {
	var grounds []*visit.Ground
	defer func() {
		for _, g := range grounds {
			err = errors.Join(err, g.Close())
		}
	}()
	for range 2 {
		g, err := b.ground(ctx)
		if err != nil {
			return err
		}
		grounds = append(grounds, g)
		if _, err := g.Browser(ctx, browser.Chromium); err != nil {
			return err
		}
	}
	one, two := grounds[0], grounds[1]
	ways := []struct {
		what    string
		workers []*visit.Ground
	}{{"one worker", []*visit.Ground{one}}, {"two workers, a browser each", []*visit.Ground{one, two}}, {"two workers, one browser", []*visit.Ground{one, one}}}
	took := make([][]float64, len(ways))
	for range b.command.Rounds {
		for i, w := range ways {
			began := time.Now()
			group, ctx := errgroup.WithContext(ctx)
			for _, g := range w.workers {
				group.Go(func() error {
					_, err := timed(2*perRound/len(w.workers), func() error { return b.walk(ctx, g) })
					return err
				})
			}
			if err := group.Wait(); err != nil {
				return fmt.Errorf("%s: %w", w.what, err)
			}
			took[i] = append(took[i], time.Since(began).Seconds()/(2*perRound))
		}
	}
	for i, w := range ways {
		b.add("workers", "a journey's share of the time: "+w.what, median(took[i]), "s", 0, took[i], "")
		if i > 0 {
			r := ratios(took[i], took[0])
			b.add("workers", w.what+" : one worker", median(r), "×", 0, r, "")
		}
	}
	return nil
}
