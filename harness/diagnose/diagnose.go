// Package diagnose says of a trace why a session was lost: the causes that the
// evidence proves, in the order of the hops, each with its mend. It is pure:
// it reads a trace.Trace and nothing else, so that a saved trace is explained
// in the same words on any machine. Where no cause is proved it says so and
// names what to look at next; it never guesses.
package diagnose

import (
	"slices"
	"time"

	"crossing/harness/trace"
)

// Verdict sums a trace up.
type Verdict string

// Verdicts.
const (
	// VerdictHealthy: a person signed in, nothing was lost and nothing was refused.
	VerdictHealthy Verdict = "healthy"
	// VerdictLost: a signed-in person's session, or its cookie, was lost, and the
	// findings say why.
	VerdictLost Verdict = "lost"
	// VerdictRefused: the session stood, or was never asked for, but a call
	// failed, or will on another instance; the findings say why.
	VerdictRefused Verdict = "refused"
	// VerdictNever: somebody tried to sign in in vain, and the findings say why.
	VerdictNever Verdict = "never signed in"
	// VerdictUnknown: something went wrong and no cause is proved.
	VerdictUnknown Verdict = "unknown"
	// VerdictUnjudged: nobody tried to sign in; there is no session to judge.
	VerdictUnjudged Verdict = "nothing to judge"
)

// Hop is the part of the way at which a cause first shows.
type Hop string

// The hops in the order of a session's way: the cookie into the browser, the
// request through the edge to an auth instance and its database, the token to
// the api.
const (
	HopBrowser  Hop = "browser"
	HopEdge     Hop = "edge"
	HopAuth     Hop = "auth"
	HopDatabase Hop = "database"
	HopAPI      Hop = "api"
)

var hops = []Hop{HopBrowser, HopEdge, HopAuth, HopDatabase, HopAPI}

// Diagnosis is what a trace proves.
type Diagnosis struct {
	Verdict Verdict `json:"verdict"`
	// Lost says what in the trace shows that the session was lost; "" where
	// nothing does.
	Lost string `json:"lost,omitempty"`
	// Findings are the causes, the earliest hop first. What merely followed
	// from one of them stands in its Consequences.
	Findings []Finding  `json:"findings"`
	RuledOut []RuledOut `json:"ruledOut"`
	// Certain and Next are filled where the verdict is VerdictUnknown: what is known
	// all the same, and what to look at.
	Certain []string `json:"certain,omitempty"`
	Next    []string `json:"next,omitempty"`

	// Unexplained is what went wrong beside the findings and does not follow
	// from them.
	Unexplained []string `json:"unexplained,omitempty"`

	// Unread says that a page asked for the session and got no answer to it.
	Unread bool `json:"unread,omitempty"`
}

// Finding is one cause with its evidence.
type Finding struct {
	// Cause is a stable slug, one of Causes.
	Cause string `json:"cause"`
	// Title names the cause in plain words, with the very names involved. It
	// is a clause: it reads on after "because".
	Title string `json:"title"`
	Hop   Hop    `json:"hop"`
	// Instance is the service instance that it concerns, where one is known.
	Instance string `json:"instance,omitempty"`
	// Evidence are lines out of the trace: exchanges by id, Set-Cookie lines,
	// refusals, log lines, observations.
	Evidence     []string  `json:"evidence"`
	Mend         []string  `json:"mend"`
	Consequences []string  `json:"consequences,omitempty"`
	At           time.Time `json:"at"`

	// opens is how the first sentence begins where it is no loss of a session
	// that is explained: the session stands.
	opens string
}

// RuledOut is a cause that the trace disproves.
type RuledOut struct {
	Cause string `json:"cause"`
	// How says what disproves it.
	How string `json:"how"`
}

// Explain says what the trace proves of the session.
func Explain(t trace.Trace) Diagnosis { return explain(t, rules()) }

func explain(t trace.Trace, all []rule) Diagnosis {
	s := read(t)
	d := Diagnosis{Findings: []Finding{}, RuledOut: []RuledOut{}}
	for _, r := range all {
		if t.Profile == trace.NoBrowser && !slices.Contains(saidToAnybody, r.Slug) {
			continue
		}
		f, how := r.judge(s)
		switch {
		case f != nil:
			f.Cause, f.Mend, f.Evidence = r.Slug, mendsOf(t.Subject.Preset, r.Slug), once(f.Evidence)
			if f.Hop == "" {
				f.Hop = r.Hops[0]
			}
			d.Findings = append(d.Findings, *f)
		case how != "":
			d.RuledOut = append(d.RuledOut, RuledOut{Cause: r.Slug, How: how})
		}
	}
	// Rules stand in the order of the hops, but a few may show at either of
	// two; the order of rules decides within a hop.
	slices.SortStableFunc(d.Findings, func(a, b Finding) int {
		return slices.Index(hops, a.Hop) - slices.Index(hops, b.Hop)
	})
	if t.Profile == trace.NoBrowser {
		d.asked()
		return d
	}
	d.sumUp(s)
	return d
}

// saidToAnybody are the causes that a service, or what stands before it, tells
// whoever asks. Of what is asked without a browser no others are judged: a spec
// asks much there that must be refused.
var saidToAnybody = []string{
	"deployment-protected", "platform-failed", "upstream-timeout", "upstream-gone", "rate-limited", "cors-refused", "errors-without-cors",
	"auth-misconfigured", "origin-not-trusted", "database-structure", "database-exhausted", "database-connection-ended", "database-fault",
}

// asked sums up what was asked without a browser, in which no session stands.
func (d *Diagnosis) asked() {
	d.Verdict = VerdictUnjudged
	for i := range d.Findings {
		d.Verdict, d.Findings[i].opens = VerdictRefused, "What was asked was refused"
	}
}

// sumUp sets the verdict, and hands what followed to the first finding.
func (d *Diagnosis) sumUp(s *scene) {
	_, d.Lost = s.lost()
	trouble := s.trouble()
	d.Unread = !s.established()
	for _, c := range s.signedIn(atSession) {
		d.Unread = d.Unread || c.Err != "" || c.Status >= 400
	}
	switch {
	case len(d.Findings) > 0 && !s.established() && s.tried():
		d.Verdict = VerdictNever
	case len(d.Findings) > 0 && (d.Lost != "" || d.Findings[0].Hop == HopBrowser && d.Findings[0].opens == ""):
		d.Verdict = VerdictLost
	case len(d.Findings) > 0:
		d.Verdict = VerdictRefused
	case len(trouble) > 0:
		d.Verdict = VerdictUnknown
		d.Certain, d.Next = s.certain(), s.next()
	case !s.established():
		d.Verdict = VerdictUnjudged
	default:
		d.Verdict = VerdictHealthy
	}
	if len(d.Findings) > 0 {
		d.handOut(trouble, s)
	}
}

// handOut parts what followed from the findings from what they leave open. A
// session that is lost is missed at every later hop, and a call that failed as
// a quoted one did failed for its reason; nothing else follows.
func (d *Diagnosis) handOut(all []trouble, s *scene) {
	quoted := map[string]bool{missed: true}
	for _, c := range s.inOrder(s.preflights, s.calls) {
		if d.shown(trouble{id: c.ID}) {
			quoted[kindOf(c)] = true
		}
	}
	for _, w := range all {
		if d.shown(w) {
			quoted[w.kind] = true
		}
	}
	defer func() {
		d.Findings[0].Consequences, d.Unexplained = once(d.Findings[0].Consequences), once(d.Unexplained)
	}()
	for _, w := range all {
		switch {
		case d.shown(w):
		case quoted[w.kind]:
			d.Findings[0].Consequences = append(d.Findings[0].Consequences, w.text)
		default:
			d.Unexplained = append(d.Unexplained, w.text)
		}
	}
}

// once leaves out what was said before: a browser that refused a cookie twice
// refused it for one reason.
func once(lines []string) []string {
	var out []string
	for _, l := range lines {
		if !slices.Contains(out, l) {
			out = append(out, l)
		}
	}
	return out
}

// shown says whether a piece of trouble is evidence of a finding already.
func (d *Diagnosis) shown(w trouble) bool {
	return slices.ContainsFunc(d.Findings, func(f Finding) bool {
		return slices.ContainsFunc(f.Evidence, w.in)
	})
}
