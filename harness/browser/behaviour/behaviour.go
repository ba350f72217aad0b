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
	"strings"
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

// limit is how long one behaviour may take; restartLimit, all of a restart, in
// which a browser starts twice and ends twice.
const (
	limit        = 30 * time.Second
	restartLimit = 90 * time.Second
)

// Bench is one browser and the edge before the sites. It asks for one behaviour
// at a time.
type Bench struct {
	Browser    browser.Browser
	Capability trace.Capability

	edge     *edge.Edge
	redactor *trace.Redactor
	work     string
	// shared is the session of all, with a profile that is kept where the driver
	// can keep one. What each behaviour leaves there has a name of its own, so that
	// none takes for its own what another has left.
	shared *stay
	// restarted are the outcomes after its one restart, once it was.
	restarted map[string]string
}

// Start starts a profile's browser on the sites, and measures its cookie
// policy, which must be the profile's. start is given the launch with the
// edge's key; l.WorkDir must be there. at says where browsers elsewhere reach
// the edge.
func Start(ctx context.Context, l browser.Launch, at edge.Options, start func(context.Context, browser.Launch) (browser.Browser, error)) (_ *Bench, err error) {
	b := &Bench{redactor: trace.NewRedactor(nil), work: l.WorkDir}
	apart := sites{set: alone + len(All())} // since it visits one as first party
	at.Redactor, at.Routes = b.redactor, routes(apart.set+1)
	if b.edge, err = edge.New(at); err != nil {
		return nil, err
	}
	l.SPKI, l.OnDemand, l.Frugal = b.edge.SPKI(), true, !l.Headed
	if b.Browser, err = start(ctx, l); err != nil {
		return nil, errors.Join(err, b.edge.Close())
	}
	b.shared, err = b.begin(ctx, true)
	if unkept := new(cannot); errors.As(err, &unkept) {
		b.shared, err = b.begin(ctx, false)
	}
	if err == nil {
		open := func(context.Context, string) (browser.Session, error) { return staying{b.shared.session}, nil }
		b.Capability, err = capability.Measure(ctx, open, trace.Origins{Frontend: front, Auth: apart.real(back), Stranger: third}, "")
	}
	if err == nil {
		err = capability.Believe(l.Profile, b.Browser.Version(), b.Capability)
	}
	if err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

// staying is a session that its borrower does not end.
type staying struct{ browser.Session }

// Close leaves it open.
func (staying) Close(context.Context) error { return nil }

// Close ends the browser and the edge.
func (b *Bench) Close() error {
	var err error
	if b.shared != nil {
		err = b.shared.end(context.Background())
	}
	return errors.Join(err, b.Browser.Close(), b.edge.Close())
}

// RunAll asks for one behaviour after the other, and returns the results in
// the order of all.
func (b *Bench) RunAll(ctx context.Context, all []Behaviour) ([]Result, error) {
	results := make([]Result, len(all))
	for mine := range 3 {
		for i, what := range all {
			if turn(what.Name) != mine {
				continue
			}
			var err error
			if results[i], err = b.Run(ctx, what, false); err != nil {
				return nil, err
			}
		}
	}
	return results, nil
}

// turn is 1 for a behaviour that leaves windows open or fills a jar, 2 for one
// that ends the browser, and 0 for all that come before those.
func turn(name string) int {
	switch _, ends := restarts[name]; {
	case ends:
		return 2
	case strings.HasPrefix(name, "popup-"), strings.HasPrefix(name, "limit-"):
		return 1
	}
	return 0
}

// Run asks the browser for one behaviour, in a session whose policy was proved
// by a control. broken breaks the site for this visit, which then has a session
// to itself.
func (b *Bench) Run(ctx context.Context, what Behaviour, broken bool) (r Result, err error) {
	_, ends := restarts[what.Name]
	allowed := limit
	if ends {
		allowed = restartLimit
	}
	ctx, cancel := context.WithTimeout(ctx, allowed)
	defer cancel()
	began := time.Now()
	r.Name = what.Name
	defer func() {
		r.Seconds = time.Since(began).Seconds()
		if unsupported := new(cannot); errors.As(err, &unsupported) {
			r.Outcome, err = NotApplicable+unsupported.why, nil
		}
		if err != nil {
			err = fmt.Errorf("%s on %s: %w", what.Name, b.Browser.Profile().Name, err)
		}
	}()
	switch {
	case broken:
		r.Outcome, err = b.broken(ctx, what, ends)
	case ends:
		if b.restarted == nil {
			b.restarted, err = b.restart(ctx)
		}
		r.Outcome = b.restarted[what.Name]
	default:
		v := b.visit(ctx, b.shared, what.Name)
		if r.Outcome = what.Probe(v); v.err == nil {
			r.Reasons = v.reasons(r.Outcome)
		}
		err = v.err
	}
	return r, err
}

// visit is one of a behaviour in a session that all share; where nobody shares
// it, all names are canonical.
func (b *Bench) visit(ctx context.Context, s *stay, name string) *Visit {
	i := slices.IndexFunc(All(), func(other Behaviour) bool { return other.Name == name })
	return &Visit{ctx: ctx, stay: s, began: time.Now(), sites: sitesOf(i, All()[i])}
}

func (b *Bench) broken(ctx context.Context, what Behaviour, kept bool) (outcome string, err error) {
	v := &Visit{ctx: ctx, began: time.Now()}
	if v.stay, err = b.begin(ctx, kept); err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, v.stay.end(ctx)) }()
	v.line.Break(edge.Fault{Name: "the site of " + what.Name + ", broken on purpose",
		When:     func(q *http.Request) bool { return !edge.Reserved(q.URL.Path) },
		Response: func(res *http.Response) error { what.Broken(res); return nil }})
	return what.Probe(v), v.err
}
