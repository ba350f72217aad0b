package diagnose

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"crossing/harness/trace"
)

// Slugs of the invariants that every journey keeps. A spec that expects one to
// be broken declares it.
const (
	Unexpected401   = "unexpected-401"
	CookieTwice     = "cookie-sent-twice"
	PartitionTwin   = "partition-twin"
	UncaughtError   = "uncaught-error"
	UnknownHost     = "unknown-host"
	TooManyRequests = "rate-limited"
	SecretLeaked    = "secret-leaked"
)

// Violation is one broken invariant.
type Violation struct {
	Invariant string    `json:"invariant"`
	Text      string    `json:"text"`
	Exchange  string    `json:"exchange,omitempty"`
	At        time.Time `json:"at"`
}

// String is one line.
func (v Violation) String() string { return v.Invariant + ": " + v.Text }

// InvariantSlugs lists what Invariants may be told to expect.
func InvariantSlugs() []string {
	return []string{Unexpected401, CookieTwice, PartitionTwin, UncaughtError, UnknownHost, TooManyRequests, SecretLeaked}
}

// Invariants returns what in the trace no journey may show, those expected
// left out, in the order of time. What the harness asked itself does not
// count. What an engine does not report cannot be seen here: Trace.Gaps says.
func Invariants(t trace.Trace, expected ...string) []Violation {
	var all []Violation
	for _, e := range t.Exchanges {
		switch {
		case !e.Outside && !ownCall(t, e):
			all = append(all, ofExchange(e)...)
		case e.Leak != "": // whoever asked, it is out
			all = append(all, Violation{Invariant: SecretLeaked, Text: call{Exchange: e}.line() + ": " + e.Leak, Exchange: e.ID, At: e.Time})
		}
	}
	for _, j := range t.Jars {
		all = append(all, twins(j)...)
	}
	for _, e := range t.PageErrors {
		if e.Kind == trace.ErrorUncaught {
			all = append(all, Violation{Invariant: UncaughtError, Text: e.Page + ": " + e.Text, At: e.Time})
		}
		if e.Leak != "" {
			all = append(all, Violation{Invariant: SecretLeaked, Text: e.Page + ": " + e.Leak, At: e.Time})
		}
	}
	for _, l := range t.Logs {
		if l.Leak != "" {
			all = append(all, Violation{Invariant: SecretLeaked, Text: l.Instance + ": " + l.Leak})
		}
	}
	all = slices.DeleteFunc(all, func(v Violation) bool { return slices.Contains(expected, v.Invariant) })
	slices.SortStableFunc(all, func(a, b Violation) int { return a.At.Compare(b.At) })
	return all
}

// ownCall says that a request to an unknown host was the browser's own: the
// engine told every host that pages asked, and this is none of them.
func ownCall(t trace.Trace, e trace.Exchange) bool {
	if e.Role != trace.RoleUnknown || t.Hosts == nil {
		return false
	}
	_, host, _ := strings.Cut(e.Origin, "://")
	return !slices.Contains(t.Hosts, host)
}

func ofExchange(e trace.Exchange) []Violation {
	c := call{Exchange: e}
	var all []Violation
	add := func(slug, text string) {
		all = append(all, Violation{Invariant: slug, Text: text, Exchange: e.ID, At: e.Time})
	}
	switch e.Status {
	case 401:
		add(Unexpected401, c.line())
	case 429:
		add(TooManyRequests, c.line())
	}
	if e.Leak != "" {
		add(SecretLeaked, c.line()+": "+e.Leak)
	}
	if e.Role == trace.RoleUnknown {
		add(UnknownHost, c.line())
	}
	var names []string
	for _, p := range e.Request.Cookies {
		if slices.Contains(names, p.Name) {
			add(CookieTwice, fmt.Sprintf("%s, sent with two cookies %s", c.line(), p.Name))
		}
		names = append(names, p.Name)
	}
	return all
}

// twins finds partitioned cookies that have an unpartitioned one of the same
// name and host beside them: the one that is sent first wins, and after a
// sign-out the other survives as a ghost.
func twins(j trace.Jar) []Violation {
	var all []Violation
	for _, a := range j.Cookies {
		twin := slices.ContainsFunc(j.Cookies, func(b trace.Cookie) bool {
			return b.PartitionKey == "" && b.Name == a.Name && hostOfCookie(b) == hostOfCookie(a)
		})
		if a.PartitionKey != "" && twin {
			all = append(all, Violation{Invariant: PartitionTwin, At: j.Time,
				Text: fmt.Sprintf("the jar %q holds %s of %s twice: under %s, and without a partition", j.Label, a.Name, a.Domain, a.PartitionKey)})
		}
	}
	return all
}

func hostOfCookie(c trace.Cookie) string {
	if len(c.Domain) > 0 && c.Domain[0] == '.' {
		return c.Domain[1:]
	}
	return c.Domain
}
