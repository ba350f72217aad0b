package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"crossing/harness/edge"
	"crossing/harness/journey"
	"crossing/harness/lint"
	"crossing/harness/target"
	"crossing/harness/trace"
	"crossing/harness/visit"
)

// previewCommand runs the suites preview and session on what is deployed.
type previewCommand struct {
	choices
	aim
	AllowProduction []string      `env:"ALLOW_PRODUCTION" sep:" " placeholder:"HOST" help:"A host that is no preview by its name, and is meant all the same: new people are signed up there."`
	Events          string        `env:"EVENTS" placeholder:"FILE" help:"An event's payload (GitHub's deployment_status, Vercel's repository_dispatch), or a folder of them, in place of addresses: parts are told apart by projects in crossing.yaml, paired by commit, and waited for."`
	Commit          string        `env:"COMMIT" placeholder:"SHA" help:"The commit whose deployments are run on; default: that of the events."`
	Wait            time.Duration `env:"WAIT" default:"10m" placeholder:"DURATION" help:"How long the events of the other parts may take to come."`
	WarmUp          time.Duration `env:"WARM_UP" default:"60s" placeholder:"DURATION" help:"How long the deployments may take to come up, before anything is judged."`
	One             string        `env:"ONE" placeholder:"WHAT" help:"Only the specs of a file (persistence_test.go), or those whose text holds WHAT."`
	Seed            int64         `env:"SEED" placeholder:"N" help:"Seed of the random order; default: a new one."`
	Procs           int           `env:"PROCS" default:"0" placeholder:"N" help:"Processes to run specs in; 0: what the suite is fastest with on two cores."`
	Out             string        `env:"OUT" default:"reports/out" placeholder:"DIR" help:"Where reports are written."`
	Timeout         string        `env:"TIMEOUT" default:"40m" placeholder:"DURATION" help:"Limit of the whole run; sign-ins are paced below the application's limit (contract.limit)."`
}

// Run is kong's entry.
func (c *previewCommand) Run(ctx context.Context) error {
	home, err := findCheckout()
	if err != nil {
		return err
	}
	if err := c.choices.check(); err != nil {
		return err
	}
	if c.Events != "" {
		if err := c.pair(ctx, home); err != nil {
			return err
		}
	}
	at, err := c.aim.check(c.choices, home)
	if err != nil {
		return err
	}
	if !c.deployed() && !at.target.Remote() {
		return errors.New("FRONTEND_URL and AUTH_URL are missing: give the addresses of the previews, and API_URL where there is an api; or name a crossing.yaml without services by CONFIG")
	}
	if err := at.target.GuardProduction(c.AllowProduction); err != nil {
		return err
	}
	if c.WarmUp < 0 {
		return fmt.Errorf("WARM_UP=%s is negative; write a duration such as 60s", c.WarmUp)
	}
	r := runCommand{
		choices: c.choices, suites: previewSuites, One: c.One, Seed: c.Seed, Procs: c.Procs, Out: c.Out, Timeout: c.Timeout, N: 1,
		deployed: &deployed{at: at, aim: c.aim, warmUp: c.WarmUp},
	}
	return r.Run(ctx)
}

// pair finds the addresses by events, and waits until those of every part have
// come.
func (c *previewCommand) pair(ctx context.Context, home checkout) error {
	if c.deployed() {
		return errors.New("EVENTS and addresses are both given: the events name the addresses; leave FRONTEND_URL, AUTH_URL and API_URL out, or EVENTS")
	}
	if c.Wait < 0 {
		return fmt.Errorf("WAIT=%s is negative; write a duration such as 10m", c.Wait)
	}
	described, err := c.load(home)
	if err != nil {
		return err
	}
	if p := described.Projects; p.Frontend == "" || p.Auth == "" {
		return fmt.Errorf("%s: projects is missing: EVENTS tells the parts apart by the platform's names of them; write projects: {frontend: NAME, auth: NAME, api: NAME}", described.Path)
	}
	show := newProgress(os.Stdout)
	defer show.Close()
	within, cancel := context.WithTimeout(ctx, c.Wait)
	defer cancel()
	for {
		events, err := target.ReadEvents(c.Events)
		if err != nil {
			return err
		}
		paired, err := described.Projects.Pair(events, c.Commit)
		if err != nil {
			return err
		}
		if len(paired.Waiting) == 0 {
			c.FrontendURL, c.AuthURL, c.APIURL = paired.Origins.Frontend, paired.Origins.Auth, paired.Origins.API
			show.Say("  commit %s: %s, %s %s", paired.Commit, c.FrontendURL, c.AuthURL, c.APIURL)
			return nil
		}
		show.Begin("wait for " + strings.Join(paired.Waiting, "; "))
		select {
		case <-time.After(time.Second):
		case <-within.Done():
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("the deployments of commit %s have not come within WAIT=%s: %s", paired.Commit, c.Wait, strings.Join(paired.Waiting, "; "))
		}
	}
}

// deployed is what a run aims at where it starts nothing.
type deployed struct {
	at     aimed
	aim    aim
	warmUp time.Duration
	// emulated is the plan of the services behind an emulated platform; nil:
	// the platform is a real one.
	emulated *plan
}

// put hands it on to the suites' processes.
func (d *deployed) put(s *target.Settings, pace string) {
	s.Deployed = d.at.target.Origins
	s.Deployed.Stranger = ""
	s.Resolve, s.CA, s.Pace = d.aim.Resolve, d.aim.CA, pace
	s.Bypasses = d.aim.bypasses()
	s.Account = target.Account{Email: d.aim.Email, Password: d.aim.Password}
}

// words are the settings that aim there again; secrets have to be put back by
// hand.
func (d *deployed) words() []string {
	var words []string
	o := d.at.target.Origins
	for _, named := range []struct{ setting, value string }{
		{"FRONTEND_URL", o.Frontend}, {"AUTH_URL", o.Auth}, {"API_URL", o.API}, {"EMAIL", d.aim.Email}, {"CA", d.aim.CA}, {"RESOLVE", strings.Join(d.aim.Resolve, " ")},
	} {
		if named.value != "" {
			words = append(words, named.setting+"="+quoted(named.value))
		}
	}
	return words
}

// await waits until every part answers, within the budget, and says in one
// sentence why the deployment cannot be judged: before any spec runs.
func (d *deployed) await(ctx context.Context, home checkout, show *progress) error {
	redactor := trace.NewRedactor(nil)
	g, err := edge.New(edge.Options{Routes: visit.Reached(visit.Routes(d.at.target, nil), d.at.access), Redactor: redactor})
	if err != nil {
		return err
	}
	defer func() { _ = g.Close() }()
	began := time.Now()
	within, cancel := context.WithTimeout(ctx, d.warmUp)
	defer cancel()
	for {
		show.Begin("wait for the deployments to come up")
		err := lint.Fit(ctx, g, d.at.target, redactor)
		var cold *lint.ColdError
		switch {
		case err == nil:
			return d.enter(ctx, home, show, redactor)
		case !errors.As(err, &cold):
			return err
		}
		select {
		case <-time.After(time.Second):
		case <-within.Done():
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("%w (for %s now: WARM_UP=%s is over)", err, time.Since(began).Round(time.Second), d.warmUp)
		}
	}
}

// enter signs in once with the account that was given, so that one that nobody
// has is one sentence.
func (d *deployed) enter(ctx context.Context, home checkout, show *progress, redactor *trace.Redactor) error {
	if d.aim.Email == "" {
		return nil
	}
	show.Begin("sign in once with EMAIL and PASSWORD")
	redactor.Learn(d.aim.Password)
	g, err := visit.New(ctx, visit.Options{Target: d.at.target, Access: d.at.access, Pace: home.pace(d.at.target), Redactor: redactor})
	if err != nil {
		return err
	}
	defer func() { _ = g.Close() }()
	caller, err := g.Caller("", "crossing")
	if err != nil {
		return err
	}
	defer func() { _ = caller.Close() }()
	_, err = caller.SignIn(ctx, journey.Person{Email: d.aim.Email, Password: d.aim.Password})
	if refused := (*visit.RefusedError)(nil); errors.As(err, &refused) && refused.Status == http.StatusTooManyRequests {
		return fmt.Errorf("EMAIL=%s cannot sign in now, because of others who came from this address: %s; wait a moment, and write contract.limit as the application has it", d.aim.Email, redactor.Scrub(err.Error()))
	}
	if err != nil {
		return fmt.Errorf("EMAIL=%s cannot sign in with this PASSWORD: %s; give an account that is there, or neither to have people sign up", d.aim.Email, redactor.Scrub(err.Error()))
	}
	return nil
}
