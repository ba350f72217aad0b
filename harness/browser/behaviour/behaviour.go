// Package behaviour declares what browsers are asked to show of cookies that
// cross sites, and asks them: behind the edge, on sites of its own, with no
// service at all. Each declaration is a small probe with its source. It judges
// nothing: what is expected of a profile stands in a ledger.
package behaviour

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"time"

	"crossing/harness/browser"
	"crossing/harness/browser/capability"
	"crossing/harness/edge"
	"crossing/harness/trace"
)

// Behaviour is one thing that browsers do, or do not.
type Behaviour struct {
	// Name is its key in the ledger; Group and Text are for people.
	Name, Group, Text string
	// Source is the specification's section, the test or the bug that says
	// what there is to know: a URL.
	Source string
	// Probe walks and returns the outcome, a few words. What it reports, it
	// has seen by a control in the same walk, where that can be.
	Probe func(v *Visit) string
	// Broken changes the site's answers so that the probe must see something
	// else: the negative twin of every outcome.
	Broken func(*http.Response)
}

// Outcomes that several probes share.
const (
	Kept    = "kept"
	Dropped = "dropped"
	Sent    = "sent"
	NotSent = "not sent"
	// NotOffered: the site never set the cookie that was to be watched.
	NotOffered = "never offered by the site"
	// NotApplicable begins an outcome that an engine cannot have, with why.
	NotApplicable = "n/a: "
)

// Result is what one profile showed.
type Result struct {
	Name    string `json:"name"`
	Outcome string `json:"outcome"`
	// Reasons are the engine's own words for what it refused.
	Reasons []string `json:"reasons,omitempty"`
	Seconds float64  `json:"seconds"`
}

// All are the behaviours, in the order of the table.
func All() []Behaviour {
	return slices.Concat(thirdParty(), partitions(), framed(), crossings(), attributes(), lifetimes(), storage(), requests())
}

// limit is how long one behaviour may take.
const limit = 30 * time.Second

// Bench is one browser and the edge before the sites.
type Bench struct {
	Browser    browser.Browser
	Capability trace.Capability

	edge     *edge.Edge
	redactor *trace.Redactor
	work     string
}

// Start starts a profile's browser on the sites, and measures its cookie
// policy, which must be the profile's. start is given the launch with the
// edge's key; l.WorkDir must be there.
func Start(ctx context.Context, l browser.Launch, start func(context.Context, browser.Launch) (browser.Browser, error)) (_ *Bench, err error) {
	b := &Bench{redactor: trace.NewRedactor(nil), work: l.WorkDir}
	if b.edge, err = edge.New(edge.Options{Redactor: b.redactor, Routes: routes()}); err != nil {
		return nil, err
	}
	l.SPKI = b.edge.SPKI()
	if b.Browser, err = start(ctx, l); err != nil {
		return nil, errors.Join(err, b.edge.Close())
	}
	b.Capability, err = capability.Measure(ctx, b.open, origins, b.work)
	if err == nil {
		err = capability.Believe(l.Profile, b.Browser.Version(), b.Capability)
	}
	if err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

// Close ends the browser and the edge.
func (b *Bench) Close() error { return errors.Join(b.Browser.Close(), b.edge.Close()) }

// open opens sessions for the measurement.
func (b *Bench) open(ctx context.Context, keep string) (browser.Session, error) {
	rec := trace.NewRecorder(b.redactor, trace.Trace{})
	line, err := b.edge.Open(rec)
	if err != nil {
		return nil, err
	}
	s, err := b.Browser.NewSession(ctx, browser.Options{Proxy: line.Proxy(), Keep: keep, Recorder: rec})
	if err != nil {
		return nil, errors.Join(err, line.Close())
	}
	return lined{s, line}, nil
}

// lined is a session that takes its line with it.
type lined struct {
	browser.Session
	line *edge.Line
}

// Close ends both.
func (l lined) Close(ctx context.Context) error {
	return errors.Join(l.Session.Close(ctx), l.line.Close())
}

// Run asks the browser for one behaviour, in a fresh session whose policy is
// proved by a control. broken breaks the site for this visit.
func (b *Bench) Run(ctx context.Context, what Behaviour, broken bool) (r Result, err error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	began := time.Now()
	v := &Visit{ctx: ctx, bench: b, keep: ""}
	defer func() {
		r.Seconds = time.Since(began).Seconds()
		err = errors.Join(err, v.end())
		if err != nil {
			err = fmt.Errorf("%s on %s: %w", what.Name, b.Browser.Profile().Name, err)
		}
	}()
	if err := v.begin(); err != nil {
		return r, err
	}
	if broken {
		v.line.Break(edge.Fault{Name: "the site of " + what.Name + ", broken on purpose",
			When:     func(q *http.Request) bool { return !edge.Reserved(q.URL.Path) },
			Response: func(res *http.Response) error { what.Broken(res); return nil }})
	}
	r.Name, r.Outcome = what.Name, what.Probe(v)
	if unsupported := new(cannot); errors.As(v.err, &unsupported) {
		r.Outcome, v.err = NotApplicable+unsupported.why, nil
	}
	r.Reasons = v.reasons(r.Outcome)
	return r, v.err
}

// cannot is an error of a probe that has no meaning on this engine.
type cannot struct{ why string }

// Error is the reason.
func (c *cannot) Error() string { return c.why }

// begin opens the line and the session, and proves the policy.
func (v *Visit) begin() (err error) {
	v.rec = trace.NewRecorder(v.bench.redactor, trace.Trace{})
	if v.line, err = v.bench.edge.Open(v.rec); err != nil {
		return err
	}
	if err := v.session(); err != nil {
		return err
	}
	seen, err := capability.Control(v.ctx, v.page, origins)
	if err != nil {
		return err
	}
	return seen.Holds(v.bench.Browser.Profile(), v.bench.Browser.Version())
}

func (v *Visit) session() (err error) {
	v.open, err = v.bench.Browser.NewSession(v.ctx, browser.Options{Proxy: v.line.Proxy(), Keep: v.keep, Recorder: v.rec})
	if err != nil {
		return err
	}
	v.page, err = v.open.NewPage(v.ctx)
	return err
}

func (v *Visit) end() error {
	var errs []error
	ctx, cancel := context.WithTimeout(context.WithoutCancel(v.ctx), limit)
	defer cancel()
	if v.open != nil {
		errs = append(errs, v.open.Close(ctx))
	}
	if v.line != nil {
		errs = append(errs, v.line.Close())
	}
	if v.keep != "" {
		errs = append(errs, os.RemoveAll(v.keep))
	}
	return errors.Join(errs...)
}
