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

// need is what a behaviour needs of its session.
type need int

const (
	// shared: one session for all that need no more. Each has registrable
	// domains of its own there, so that none sees what another has left.
	shared need = iota
	// fresh: nothing was there before, and nobody comes after.
	fresh
	// keeping: fresh, with a profile that outlives a restart.
	keeping
)

// needs are those of the behaviours that need more than the shared session.
var needs = map[string]need{
	"restart-session": keeping, "restart-max-age": keeping, "restart-partitioned": keeping,
	"limit-count": fresh, "limit-bytes": fresh, "limit-size": fresh,
	"popup-plain": fresh, "popup-partitioned": fresh, // the window stays open
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
	// shared is opened by the first behaviour that can do with it.
	shared *stay
}

// Start starts a profile's browser on the sites, and measures its cookie
// policy, which must be the profile's. start is given the launch with the
// edge's key; l.WorkDir must be there.
func Start(ctx context.Context, l browser.Launch, start func(context.Context, browser.Launch) (browser.Browser, error)) (_ *Bench, err error) {
	b := &Bench{redactor: trace.NewRedactor(nil), work: l.WorkDir}
	if b.edge, err = edge.New(edge.Options{Redactor: b.redactor, Routes: routes(len(All()))}); err != nil {
		return nil, err
	}
	l.SPKI = b.edge.SPKI()
	if b.Browser, err = start(ctx, l); err != nil {
		return nil, errors.Join(err, b.edge.Close())
	}
	b.Capability, err = capability.Measure(ctx, b.measured, origins, b.work)
	if err == nil {
		err = capability.Believe(l.Profile, b.Browser.Version(), b.Capability)
	}
	if err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

// Close ends the browser and the edge.
func (b *Bench) Close() error {
	var err error
	if b.shared != nil {
		err = b.shared.end(context.Background())
	}
	return errors.Join(err, b.Browser.Close(), b.edge.Close())
}

// measured opens sessions for the measurement.
func (b *Bench) measured(ctx context.Context, keep string) (browser.Session, error) {
	s, err := b.line()
	if err != nil {
		return nil, err
	}
	if err := s.start(ctx, keep); err != nil {
		return nil, errors.Join(err, s.line.Close())
	}
	return lined{s.session, s.line}, nil
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

// Run asks the browser for one behaviour, in a session whose policy was proved
// by a control. broken breaks the site for this visit, which then has a session
// to itself.
func (b *Bench) Run(ctx context.Context, what Behaviour, broken bool) (r Result, err error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	began := time.Now()
	r.Name = what.Name
	defer func() {
		r.Seconds = time.Since(began).Seconds()
		if err != nil {
			err = fmt.Errorf("%s on %s: %w", what.Name, b.Browser.Profile().Name, err)
		}
	}()
	v := &Visit{ctx: ctx, began: began}
	if needs[what.Name] == shared && !broken {
		// The canonical sites, 0, are those of fresh sessions.
		v.sites = 1 + slices.IndexFunc(All(), func(other Behaviour) bool { return other.Name == what.Name })
		v.stay, err = b.sharing(ctx)
	} else {
		v.stay, err = b.begin(ctx, needs[what.Name] == keeping)
		if err == nil {
			defer func() { err = errors.Join(err, v.stay.end(ctx)) }()
		}
	}
	if unsupported := new(cannot); errors.As(err, &unsupported) {
		r.Outcome = NotApplicable + unsupported.why
		return r, nil
	}
	if err != nil {
		return r, err
	}
	if broken {
		v.line.Break(edge.Fault{Name: "the site of " + what.Name + ", broken on purpose",
			When:     func(q *http.Request) bool { return !edge.Reserved(q.URL.Path) },
			Response: func(res *http.Response) error { what.Broken(res); return nil }})
	}
	if r.Outcome = what.Probe(v); v.err == nil {
		r.Reasons = v.reasons(r.Outcome)
	}
	return r, v.err
}
