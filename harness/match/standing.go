package match

import (
	"fmt"

	"crossing/harness/trace"
)

// StandingMatcher judges a trace.Standing; its methods narrow it down.
type StandingMatcher struct {
	in     bool
	person string
	by     string
}

// BeSignedInAs matches a trace.Standing that names this person.
func BeSignedInAs(email string) *StandingMatcher {
	return &StandingMatcher{in: true, person: email}
}

// BeSignedOut matches a trace.Standing that says nobody is signed in. A page
// that is loading or shows an error says neither.
func BeSignedOut() *StandingMatcher { return &StandingMatcher{} }

// ByCookie asks that the cookie keeps the person signed in.
func (m StandingMatcher) ByCookie() *StandingMatcher { m.by = "cookie"; return &m }

// ByBearer asks that the bearer token keeps the person signed in.
func (m StandingMatcher) ByBearer() *StandingMatcher { m.by = "bearer"; return &m }

// Match implements types.GomegaMatcher.
func (m *StandingMatcher) Match(actual any) (bool, error) {
	s, ok := actual.(trace.Standing)
	if !ok {
		return false, wrongType(m.name(), "a trace.Standing", actual)
	}
	if !m.in && m.by != "" {
		return false, fmt.Errorf("BeSignedOut takes no ByCookie or ByBearer: nobody is signed in by anything")
	}
	if m.in && m.person == "" {
		return false, fmt.Errorf("BeSignedInAs needs a person's e-mail address, and got none")
	}
	if s.Undecided {
		return false, nil
	}
	return s.SignedIn == m.in && s.Person == m.person && (m.by == "" || s.By == m.by), nil
}

func (m *StandingMatcher) name() string {
	if m.in {
		return "BeSignedInAs"
	}
	return "BeSignedOut"
}

func (m *StandingMatcher) wanted() string {
	switch {
	case !m.in:
		return "signed out"
	case m.by != "":
		return "signed in as " + m.person + " by " + m.by
	}
	return "signed in as " + m.person
}

// FailureMessage implements types.GomegaMatcher.
func (m *StandingMatcher) FailureMessage(actual any) string { return m.message(actual, "to be") }

// NegatedFailureMessage implements types.GomegaMatcher.
func (m *StandingMatcher) NegatedFailureMessage(actual any) string {
	return m.message(actual, "not to be")
}

func (m *StandingMatcher) message(actual any, expectation string) string {
	s, _ := actual.(trace.Standing)
	is := "signed out"
	switch {
	case s.Undecided:
		is = "undecided"
	case s.SignedIn:
		is = "signed in as " + s.Person
		if s.By != "" {
			is += " by " + s.By
		}
	}
	text := fmt.Sprintf("Expected the visitor %s\n    %s\nunder %s, by the word of the %s, the visitor is\n    %s", expectation, m.wanted(), s.TopLevel, s.Source, is)
	if s.Detail != "" {
		text += "\n    " + s.Detail
	}
	return text
}
