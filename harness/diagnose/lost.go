package diagnose

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"crossing/harness/trace"
)

// Lost says whether the trace shows that a signed-in person lost the session,
// and by what. Signed in is whoever's sign-in succeeded and who has not signed
// out since, here or everywhere. It is lost when
//   - an answer to a request that carried the session was null,
//   - one that carried nothing was null, none named the person later, and no
//     bearer token is in use that would have had to be carried,
//   - a call for a token was answered 401, or
//   - the last standing of a frontend's page is signed out.
//
// Under another top-level site, and on an engine without third-party cookies
// where the bearer token works, a cookie's null is no loss.
func Lost(t trace.Trace) (bool, string) { return read(t).lost() }

// trouble is something that a healthy trace does not hold. It is a symptom:
// rules say what caused it.
type trouble struct {
	at   time.Time
	id   string // of the exchange, where it is one
	text string
	loss bool   // it says that the session was lost
	kind string // what is alike has one cause
}

// kindOf: the same service failing in the same way has one cause.
func kindOf(c call) string { return fmt.Sprint(c.Role, c.Status, c.Err != "") }

// missed is the kind of whatever only misses the session: it follows from any
// cause that comes before.
const missed = "missed"

// in says whether an evidence line quotes the same exchange or observation.
func (w trouble) in(evidence string) bool {
	return evidence == w.text || (w.id != "" && strings.HasPrefix(evidence, w.id+" "))
}

func (s *scene) lost() (bool, string) {
	for _, w := range s.trouble() {
		if w.loss {
			return true, w.text
		}
	}
	return false, ""
}

// trouble lists every symptom, by kind and then by time.
func (s *scene) trouble() []trouble {
	var all []trouble
	for _, c := range s.signedIn(atSession, atToken, atList, atAPI, atOther, atSignOut, atRevokeAll) {
		if w, bad := s.failed(c); bad {
			all = append(all, w)
		}
	}
	for _, st := range s.lastStandings() {
		w := trouble{at: st.Time, kind: missed, loss: !st.Undecided, text: fmt.Sprintf("%s showed the person signed out %s", st.TopLevel, stepOf(st))}
		if st.Undecided {
			w.text = fmt.Sprintf("%s did not say who the person is %s: %s", st.TopLevel, stepOf(st), st.Detail)
		}
		all = append(all, w)
	}
	for _, l := range s.lostLines() {
		if s.keepsAgreed() {
			all = append(all, trouble{at: l.by.ended(), kind: missed, text: fmt.Sprintf("the cookie %s of %s never came back", l.Name, l.by.ID)})
		}
	}
	all = append(all, s.failedEntries()...)
	all = append(all, s.failedReads()...)
	return append(all, s.failedAnswers()...)
}

func stepOf(st trace.Standing) string {
	if st.Step == "" {
		return "at the end"
	}
	return "after " + st.Step
}

// failed judges one call of a page that ought to be signed in.
func (s *scene) failed(c call) (trouble, bool) {
	w := trouble{at: c.Time, id: c.ID, text: c.line(), kind: kindOf(c)}
	refused := c.Status == 401 && !byPlatform(c) // a wall's 401 says nothing of a session
	if c.null() || (refused && (c.Role == trace.RoleAuth || emptyCredentials(c))) {
		w.kind = missed
	}
	switch {
	case c.null():
		bare := !c.bearer() && c.sent(s.t.Subject.Cookie.Name) == ""
		w.loss = !bare || !(s.namedAfter(c) || s.bearerStands())
		return w, w.loss
	case refused && c.at == atToken:
		w.loss = true
		return w, true
	case c.Err != "":
		return w, c.Err != trace.ErrAbandoned
	}
	return w, c.Status >= 400
}

// namedAfter: a later answer of the same span names the person, as when a
// page asks without anything first and falls back to its bearer token.
func (s *scene) namedAfter(c call) bool {
	p, _ := s.during(c.Time)
	for _, later := range s.signedIn(atSession) {
		if p.holds(later.Time) && later.Time.After(c.Time) && later.person() != "" {
			return true
		}
	}
	return false
}

// lastStandings returns the last standing of each span that is not signed in.
// Earlier ones may have been read while the page was still turning round.
func (s *scene) lastStandings() []trace.Standing {
	var out []trace.Standing
	for _, p := range s.spans {
		var last *trace.Standing
		for i, st := range s.t.Standings {
			if p.holds(st.Time) && st.TopLevel == s.t.Subject.Origins.Frontend {
				last = &s.t.Standings[i]
			}
		}
		if last != nil && !last.SignedIn {
			out = append(out, *last)
		}
	}
	return out
}

// failedEntries are the failed sign-ins of someone who never got in.
func (s *scene) failedEntries() []trouble {
	if s.established() {
		return nil
	}
	var all []trouble
	for _, c := range s.inOrder(s.entries(), s.preflights) {
		if c.Status >= 300 || c.Err != "" {
			all = append(all, trouble{at: c.Time, id: c.ID, text: c.line(), kind: kindOf(c)})
		}
	}
	return all
}

// entries are the attempts to sign in or up.
func (s *scene) entries() []call {
	var out []call
	for _, c := range s.calls {
		if (c.at == atSignIn || c.at == atSignUp) && s.fromFrontend(c) {
			out = append(out, c)
		}
	}
	return out
}

// tried says whether anybody tried to sign in or up, be it in vain at the
// preflight.
func (s *scene) tried() bool {
	entered := slices.ContainsFunc(s.t.Marks, func(m trace.Mark) bool { return m.Step == "sign up" || m.Step == "sign in" })
	return entered || len(s.entries()) > 0 || slices.ContainsFunc(s.preflights, func(c call) bool {
		return c.at == atSignIn || c.at == atSignUp
	})
}

// failedReads are answers that the browser did not let the page read, by its
// own word or by the lines that it goes by.
func (s *scene) failedReads() []trouble {
	var all []trouble
	for _, c := range s.inOrder(s.preflights, s.calls) {
		if why := s.corsFault(c); why != "" {
			all = append(all, trouble{at: c.Time, id: c.ID, kind: missed, text: c.line() + ", " + why})
		}
	}
	for _, e := range s.t.PageErrors {
		if e.Kind == trace.ErrorCORS && strings.HasPrefix(e.Page, s.t.Subject.Origins.Frontend) {
			all = append(all, trouble{at: e.Time, kind: missed, text: "the browser kept an answer from " + e.Page + ": " + e.Text})
		}
	}
	return all
}

// failedAnswers are what instances answered to the harness itself.
func (s *scene) failedAnswers() []trouble {
	var all []trouble
	for _, o := range s.observed(trace.ObserveSession) {
		// A limiter's refusal of the harness is nothing that a person met.
		limited := strings.HasPrefix(o.Detail, "429")
		if !limited && (o.Answer == trace.AnswerAbsent || o.Answer == trace.AnswerFailed) {
			all = append(all, trouble{at: o.Time, kind: missed, text: quote(o)})
		}
	}
	return all
}

// observed returns the observations of a name that were made while the person
// ought to be signed in.
func (s *scene) observed(name string) []trace.Observation {
	var out []trace.Observation
	for _, o := range s.t.Observations {
		if _, in := s.during(o.Time); in && o.Name == name {
			out = append(out, o)
		}
	}
	return out
}

// questions is how observations are quoted.
var questions = map[string]string{
	trace.ObserveSignature: "signature made with its secret",
	trace.ObserveRow:       "session row",
	trace.ObserveSession:   "get-session asked outside the browser",
	trace.ObserveHealth:    "readiness",
	trace.ObserveDatabase:  "database answers",
	trace.ObserveToken:     "token verifies",
	trace.ObserveUser:      "person's row",
	trace.ObserveClock:     "clock is right",
	trace.ObserveWorker:    "service worker",
}

func quote(o trace.Observation) string {
	text := "observed"
	if o.Instance != "" {
		text += " of " + o.Instance
	}
	question := questions[o.Name]
	if question == "" {
		question = o.Name
	}
	text += ": " + question + ": " + o.Answer
	if o.Detail != "" {
		text += " (" + o.Detail + ")"
	}
	return text
}
