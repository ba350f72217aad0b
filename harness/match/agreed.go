package match

import (
	"fmt"
	"strings"
	"time"

	"github.com/onsi/gomega/types"

	"crossing/harness/trace"
)

type agreedMatcher struct{ contract trace.CookieContract }

// SetCookieAsAgreed matches a trace.SetCookie, or a trace.Exchange whose answer
// sets the contract's cookie exactly once, if every attribute is as agreed: the
// name, Secure, HttpOnly, SameSite, Partitioned, Path, the lifetime, and no
// Domain.
func SetCookieAsAgreed(contract trace.CookieContract) types.GomegaMatcher {
	return agreedMatcher{contract}
}

// Match implements types.GomegaMatcher.
func (m agreedMatcher) Match(actual any) (bool, error) {
	switch a := actual.(type) {
	case trace.SetCookie:
		return len(m.differences(a, time.Now())) == 0, nil
	case trace.Exchange:
		lines := m.lines(a)
		return len(lines) == 1 && len(m.differences(lines[0], a.Time)) == 0, nil
	}
	return false, wrongType("SetCookieAsAgreed", "a trace.Exchange or a trace.SetCookie", actual)
}

func (m agreedMatcher) lines(e trace.Exchange) []trace.SetCookie {
	var out []trace.SetCookie
	for _, l := range e.Response.SetCookies {
		if l.Name == m.contract.Name {
			out = append(out, l)
		}
	}
	return out
}

// differences names each attribute that is not as agreed, with both sides, of a
// line that was set at a moment.
func (m agreedMatcher) differences(l trace.SetCookie, at time.Time) []string {
	var out []string
	differ := func(what string, got, agreed any) {
		out = append(out, fmt.Sprintf("%s is %v, agreed was %v", what, got, agreed))
	}
	flag := func(what string, got, agreed bool) {
		if got != agreed {
			differ(what, presence(got), presence(agreed))
		}
	}
	c := m.contract
	if l.Name != c.Name {
		differ("the name", l.Name, c.Name)
	}
	flag("Secure", l.Secure, c.Secure)
	flag("HttpOnly", l.HTTPOnly, c.HTTPOnly)
	flag("Partitioned", l.Partitioned, c.Partitioned)
	if !strings.EqualFold(l.SameSite, c.SameSite) {
		differ("SameSite", written(l.SameSite), written(c.SameSite))
	}
	if l.Path != c.Path {
		differ("Path", written(l.Path), written(c.Path))
	}
	if l.Domain != "" {
		differ("Domain", l.Domain, "absent")
	}
	if ends, dated := l.Ends(); dated && l.MaxAge == nil {
		if life := ends.Sub(at); (life - time.Duration(c.Lifetime)*time.Second).Abs() > dating {
			differ("the lifetime by Expires", life.Round(time.Second), lifetimeAgreed(c))
		}
	} else if got := lifetime(l); got != lifetimeAgreed(c) {
		differ("Max-Age", got, lifetimeAgreed(c))
	}
	return out
}

// dating is how far Expires may be from what the moment of the answer makes of
// it: it is written in whole seconds, before the answer is on its way.
const dating = 10 * time.Second

func presence(b bool) string {
	if b {
		return "present"
	}
	return "absent"
}

func written(s string) string {
	if s == "" {
		return "absent"
	}
	return s
}

func lifetime(l trace.SetCookie) string {
	if l.MaxAge == nil {
		return "absent"
	}
	return fmt.Sprint(*l.MaxAge)
}

// lifetimeAgreed: no lifetime agreed is a cookie of the browser session.
func lifetimeAgreed(c trace.CookieContract) string {
	if c.Lifetime == 0 {
		return "absent"
	}
	return fmt.Sprint(c.Lifetime)
}

// FailureMessage implements types.GomegaMatcher.
func (m agreedMatcher) FailureMessage(actual any) string {
	if l, ok := actual.(trace.SetCookie); ok {
		return "Expected the cookie as agreed\n    " + l.Line + "\nIt differs\n" + indented(m.differences(l, time.Now()))
	}
	e, _ := actual.(trace.Exchange)
	lines := m.lines(e)
	text := fmt.Sprintf("Expected the answer to set %s as agreed\n    %s\n", m.contract.Name, shown(e))
	if len(lines) == 1 {
		return text + "It set\n    " + lines[0].Line + "\nwhich differs\n" + indented(m.differences(lines[0], e.Time))
	}
	var all []string
	for _, l := range e.Response.SetCookies {
		all = append(all, l.Line)
	}
	return fmt.Sprintf("%sIt set that name %d times, want once; all that it set:\n%s", text, len(lines), indented(all))
}

// NegatedFailureMessage implements types.GomegaMatcher.
func (m agreedMatcher) NegatedFailureMessage(actual any) string {
	return fmt.Sprintf("Expected the cookie %s to differ from what was agreed, and nothing does", m.contract.Name)
}
