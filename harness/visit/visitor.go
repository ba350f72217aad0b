package visit

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"crossing/harness/browser"
	"crossing/harness/browser/capability"
	"crossing/harness/diagnose"
	"crossing/harness/edge"
	"crossing/harness/journey"
	"crossing/harness/observe"
	"crossing/harness/trace"
)

// Visitor is one person in one browser session, with an edge listener of
// their own and a trace of all that is seen.
type Visitor struct {
	// Name is the visitor's; one person may come as several.
	Name    string
	Person  journey.Person
	Profile browser.Profile
	// Capability is what the profile was measured to do.
	Capability trace.Capability
	// Way are the steps that this person can take.
	Way journey.Way
	// Page is the tab in use.
	Page browser.Page
	// Session is the browser session; nil until Open, and after a failed one.
	Session browser.Session
	// Line is the person's way through the edge: break it here.
	Line *edge.Line
	// Recorder is the trace so far.
	Recorder *trace.Recorder
	// Observer is whom Explain asks: the ground's, unless the line is pinned to
	// instances that it does not know.
	Observer *observe.Observer

	ground  *Ground
	browser browser.Browser
	keep    string
}

// Guest is who comes.
type Guest struct {
	Name   string
	Person journey.Person
	// Known: the person has an account already, and comes in by signing in.
	Known bool
	// Spec is what the trace says it was recorded for.
	Spec string
	// Keep keeps the browser's profile, so that Restart can be acted out.
	Keep bool
}

// Visitor makes a visitor with a line of their own; Open starts the browser
// session. Whoever calls it calls Close, even when Open failed.
func (g *Ground) Visitor(ctx context.Context, p browser.Profile, guest Guest) (*Visitor, error) {
	started, err := g.Browser(ctx, p)
	if err != nil {
		return nil, err
	}
	v := &Visitor{
		Name: guest.Name, Person: guest.Person, Profile: p, Capability: started.Capability,
		Recorder: trace.NewRecorder(g.options.Redactor, g.head(guest.Spec, guest.Name, started)),
		Observer: g.Observer,
		ground:   g, browser: started.Browser,
	}
	if guest.Keep {
		v.keep = filepath.Join(g.options.Run.Dir, "keep-"+guest.Person.Email)
	}
	v.Recorder.Capability(started.Capability)
	v.Way = journey.Way{Origins: g.Target.Origins, Contract: g.Target.Contract, Recorder: v.Recorder, Known: guest.Known, Pace: g.options.Pace.Await}
	v.Line, err = g.Edge.Open(v.Recorder)
	return v, err
}

// Open starts the browser session, and proves its cookie policy by a control
// before anything that it says is believed.
func (v *Visitor) Open(ctx context.Context) error {
	var err error
	v.Session, err = v.browser.NewSession(ctx, browser.Options{Proxy: v.Line.Proxy(), Keep: v.keep, Recorder: v.Recorder})
	if err != nil {
		return err
	}
	if v.Page, err = v.Session.NewPage(ctx); err != nil {
		return err
	}
	seen, err := capability.Control(ctx, v.Page, v.ground.Target.Measured())
	if err != nil {
		return err
	}
	return seen.Holds(v.Profile, v.browser.Version())
}

// Fresh opens another session of the same browser and closes it again: whether
// the browser itself still works, whatever the page has come to.
func (v *Visitor) Fresh(ctx context.Context) error {
	s, err := v.browser.NewSession(ctx, browser.Options{Proxy: v.Line.Proxy(), Recorder: trace.NewRecorder(v.ground.options.Redactor, trace.Trace{})})
	if err != nil {
		return err
	}
	return s.Close(ctx)
}

// Restart ends the browser and opens it again with the profile that it kept.
func (v *Visitor) Restart(ctx context.Context) error {
	if v.keep == "" {
		return errors.New("a visitor who restarts must come with a profile that is kept")
	}
	if err := v.Session.Close(ctx); err != nil {
		return err
	}
	return v.Open(ctx)
}

// NewTab opens a second tab and goes on there.
func (v *Visitor) NewTab(ctx context.Context) error {
	p, err := v.Session.NewPage(ctx)
	if err == nil {
		v.Page = p
	}
	return err
}

// Standing is who the open page takes this person for, at this moment.
func (v *Visitor) Standing(ctx context.Context) (trace.Standing, error) {
	return v.Way.Standing(ctx, v.Page)
}

// Jar is what the browser keeps now.
func (v *Visitor) Jar(ctx context.Context) (trace.Jar, error) {
	jar, err := v.Session.Cookies(ctx)
	if err == nil {
		v.Recorder.Jar(jar)
	}
	return jar, err
}

// KeepsCookie says whether the profile keeps the session cookie, so that a
// person there is signed in by it.
func (v *Visitor) KeepsCookie() bool { return v.ground.Keeps(v.Capability) }

// Keeps says whether a profile keeps the session cookie: it was measured to
// keep one as the contract has it or, where frontend and auth service are of
// one site, the cookie is a first party's, which every control proves is kept.
func (g *Ground) Keeps(c trace.Capability) bool {
	switch {
	case g.Target.OneSite():
		return true
	case g.Target.Contract.Cookie.Partitioned:
		return c.Partitioned == trace.MeasuredYes
	}
	return c.ThirdParty == trace.MeasuredYes
}

// SessionDigest is the digest of the session cookie that was set last.
func (v *Visitor) SessionDigest() string { return observe.LastSession(v.Recorder.Snapshot()) }

// Explain looks at jar, page, instances and rows, outside the visitor's jar,
// and explains the trace. What could not be looked at is in the notes; it does
// not keep the rest from being explained.
func (v *Visitor) Explain(ctx context.Context) (d diagnose.Diagnosis, notes []error) {
	note := func(what string, err error) {
		if err != nil {
			notes = append(notes, fmt.Errorf("%s: %w", what, err))
		}
	}
	if v.Session != nil && v.Page != nil {
		_, err := v.Jar(ctx)
		note("the jar could not be read", err)
		// A page of another site shows none, and would be waited for.
		at, err := v.Page.URL(ctx)
		note("the page's address could not be read", err)
		if v.Way.Contract.Pages.Standing.Selector != "" && strings.HasPrefix(at, v.Way.Origins.Frontend+"/") {
			_, err = v.Standing(ctx)
			note("the page shows no standing", err)
		}
		note("the page's own world could not be looked at", v.lookAtPage(ctx))
	}
	note("the observations are incomplete", v.Observer.Look(ctx, v.Recorder))
	return diagnose.Explain(v.Recorder.Snapshot()), notes
}

// Close ends the session and the line, and removes a kept profile.
func (v *Visitor) Close(ctx context.Context) error {
	var errs []error
	if v.Session != nil {
		errs = append(errs, v.Session.Close(ctx))
	}
	if v.Line != nil {
		errs = append(errs, v.Line.Close())
	}
	if v.keep != "" {
		errs = append(errs, os.RemoveAll(v.keep))
	}
	return errors.Join(errs...)
}
