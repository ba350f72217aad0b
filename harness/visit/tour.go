package visit

import (
	"context"
	"fmt"
	"time"

	"crossing/harness/journey"
	"crossing/harness/trace"
)

// Tour walks every journey once: sign up (or in, with an account that exists),
// reload, follow a link, call the api, leave for a stranger's site and come
// back, open a second tab, sign out and in again. tell is told of each step.
//
// It ends early where the person is found signed out who ought to be signed
// in, before anything can change what is to be explained: then it returns no
// error, and a trace that shows it. An error is a step that could not be taken.
func (v *Visitor) Tour(ctx context.Context, account bool, tell func(string)) error {
	t := tour{v: v, tell: tell, script: journey.Script{Way: v.Way}}
	legs := t.legs(account)
	if !v.Way.Described() {
		legs = t.scripted(account)
	}
	for _, l := range legs {
		for _, step := range l.steps {
			tell(step.Name)
			if err := v.Way.Walk(ctx, v.Page, step); err != nil {
				return err
			}
		}
		if l.tab {
			tell("open a second tab")
			if err := v.NewTab(ctx); err != nil {
				return err
			}
			continue
		}
		as, err := t.settled(ctx, l.out)
		if err != nil || as.SignedIn == l.out {
			return err
		}
	}
	return nil
}

type tour struct {
	v      *Visitor
	tell   func(string)
	script journey.Script
}

// leg is a few steps after which the page must show the person signed in, or
// out. A leg with tab is a new tab instead.
type leg struct {
	steps []journey.Step
	out   bool
	tab   bool
}

// legs are driven by the pages as the contract describes them; what it does
// not describe is left out.
func (t tour) legs(account bool) []leg {
	w, who := t.v.Way, t.v.Person
	pages := w.Contract.Pages
	first := w.SignUp(who)
	if account || pages.SignUp.Path == "" {
		first = w.SignIn(who)
	}
	legs := []leg{{steps: []journey.Step{first}}, {steps: []journey.Step{w.Reload()}}}
	if pages.OtherLink != "" {
		legs = append(legs, leg{steps: []journey.Step{w.Home()}}, leg{steps: []journey.Step{w.FollowLink()}})
	}
	if pages.CallAPI.Click != "" && w.Origins.API != "" {
		legs = append(legs, leg{steps: []journey.Step{w.Account()}}, leg{steps: []journey.Step{w.CallAPI()}})
	}
	legs = append(legs, leg{steps: []journey.Step{w.Leave(), w.Home()}}, leg{tab: true}, leg{steps: []journey.Step{w.Home()}})
	if pages.SignOut != "" {
		legs = append(legs, leg{steps: []journey.Step{w.SignOut()}, out: true}, leg{steps: []journey.Step{w.SignIn(who)}}, leg{steps: []journey.Step{w.Reload()}})
	}
	return legs
}

func (t tour) scripted(account bool) []leg {
	w, s, who := t.v.Way, t.script, t.v.Person
	first := s.SignUp(who)
	if account {
		first = s.SignIn(who)
	}
	legs := []leg{{steps: []journey.Step{s.Start(), first}}, {steps: []journey.Step{w.Reload()}}}
	if w.Origins.API != "" && w.Contract.Paths.API != "" {
		legs = append(legs, leg{steps: []journey.Step{s.CallAPI()}})
	}
	return append(legs, leg{steps: []journey.Step{w.Leave(), s.Start()}}, leg{tab: true}, leg{steps: []journey.Step{s.Start()}},
		leg{steps: []journey.Step{s.SignOut()}, out: true}, leg{steps: []journey.Step{s.SignIn(who)}})
}

// settling is how long a page may take to show who it takes the person for.
const settling = 10 * time.Second

// settled polls until the page has decided, and has decided as expected or has
// had its time to: a page may turn round while it asks.
func (t tour) settled(ctx context.Context, out bool) (trace.Standing, error) {
	if !t.v.Way.Described() {
		return t.script.Standing(ctx, t.v.Page)
	}
	within, cancel := context.WithTimeout(ctx, settling)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		as, err := t.v.Standing(within)
		switch {
		case err != nil && ctx.Err() == nil:
			return as, fmt.Errorf("the page shows nobody's standing: %w", err)
		case err != nil:
			return as, err
		case !as.Undecided && as.SignedIn != out:
			return as, nil
		}
		select {
		case <-tick.C:
		case <-within.Done():
			return as, ctx.Err()
		}
	}
}
