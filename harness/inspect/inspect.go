// Package inspect looks at a running application that nobody has described
// yet, and says what its contract is: it drives a visitor through the
// frontend's pages as a person who knows nothing of them would, and reads the
// contract off what passed on the wire and what the pages showed. What it could
// not tell it says. It judges no session: package diagnose does.
//
// Look drives; Infer is pure: it reads what Look has seen and nothing else.
package inspect

import (
	"slices"
	"time"

	"crossing/harness/journey"
	"crossing/harness/target"
	"crossing/harness/trace"
)

// Seen is all that was seen of an application.
type Seen struct {
	// Target has the origins; its contract says nothing.
	Target *target.Target
	Trace  trace.Trace
	Person journey.Person
	// Password is the digest under which the person's stands in the trace.
	Password string
	// Values say how the values of cookies are signed, by their digests: one of
	// target's signatures.
	Values map[string]string
	// Nobody, Signed and Left are the home page before anybody has signed in,
	// while the person was, and after they had left.
	Nobody, Signed, Left Page
	SignUp, SignIn       Entry
	// Refused is the sign-in page once it was given a wrong password.
	Refused Page
	// Link leads from the home page to where a sign-in ends, without a load.
	Link string
	Call Pressed
	// SignOut is the control that ended the session; nil: none was found, or it
	// ended none.
	SignOut *Element
	// Notes are what could not be done, a sentence each.
	Notes []string
}

// Entry is a page with a form, and the page to which it led.
type Entry struct {
	Form    *Form
	Page    Page
	Landing Page
}

// Pressed is a button that made the page call the api.
type Pressed struct {
	Click         string
	Before, After Page
}

// The steps of a look, by which the marks of its trace are told apart.
const (
	stepSignUp  = "sign up"
	stepSignIn  = "sign in"
	stepRefused = "sign in with a wrong password"
	stepSignOut = "sign out"
)

// Doubt is what could not be told for certain.
type Doubt struct {
	// Field is its path in crossing.yaml.
	Field string
	Why   string
	// Look says what a person should look at.
	Look string
	// Sketch is the line that is missing, as it could be written.
	Sketch string
}

// String is the doubt in one line.
func (d Doubt) String() string { return d.Why + "; look at " + d.Look }

// Found is what an application was found to be.
type Found struct {
	Origins  trace.Origins
	Contract target.Contract
	// Evidence are what the contract rests on, a line each, and Doubts what it
	// does not rest on anything.
	Evidence []string
	Doubts   []Doubt
}

// Infer reads the contract off what was seen.
func Infer(s Seen) Found {
	i := &inference{Seen: s, found: Found{Origins: s.Target.Origins}}
	i.session()
	i.cookie()
	i.preset()
	i.requests()
	i.tokens()
	i.reach()
	i.pages()
	for _, note := range s.Notes {
		i.doubt("contract.pages", note, "the frontend in a browser", "")
	}
	return i.found
}

// inference is an inference on its way.
type inference struct {
	Seen
	found Found
	// told are the answers that named the person, sent the one of them that is
	// the session's.
	told trace.Exchange
	set  trace.SetCookie
	base string // what the library's endpoints begin with
}

func (i *inference) doubt(field, why, look, sketch string) {
	i.found.Doubts = append(i.found.Doubts, Doubt{Field: field, Why: why, Look: look, Sketch: sketch})
}

func (i *inference) evidence(line string) { i.found.Evidence = append(i.found.Evidence, line) }

// of are the exchanges of a role that fit, the browser's own before the
// harness's, and each in the order of time.
func (s Seen) of(role trace.Role, fits func(trace.Exchange) bool) []trace.Exchange {
	var own, outside []trace.Exchange
	for _, e := range s.Trace.Exchanges {
		switch {
		case e.Role != role || e.Preflight || e.Status == 0 || reserved(e.Path) || !fits(e):
		case e.Outside:
			outside = append(outside, e)
		default:
			own = append(own, e)
		}
	}
	return slices.Concat(own, outside)
}

func reserved(path string) bool {
	return len(path) >= len(trace.ReservedPath) && path[:len(trace.ReservedPath)] == trace.ReservedPath
}

// during are the browser's exchanges of a role within the last step of a name.
func (s Seen) during(step string, role trace.Role) []trace.Exchange {
	var begin, end time.Time
	for _, m := range s.Trace.Marks {
		if m.Step == step {
			begin, end = m.Begin, m.End
		}
	}
	return s.of(role, func(e trace.Exchange) bool {
		return !e.Outside && !e.Time.Before(begin) && e.Time.Before(end)
	})
}
