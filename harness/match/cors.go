package match

import (
	"fmt"
	"slices"
	"strings"

	"github.com/onsi/gomega/types"

	"crossing/harness/trace"
)

// CORSMatcher judges what an answer lets pages of an origin do, as browsers
// judge it; its methods ask for more.
type CORSMatcher struct {
	origin      string
	credentials bool
	exposed     []string
	preflight   string   // the method that is asked for; empty: no preflight
	headers     []string // that the request would carry
}

// BeReadableBy matches a trace.Exchange whose answer a page of this origin may
// read, sent with credentials (Fetch, "CORS check"): the origin is named
// exactly, a wildcard will not do.
func BeReadableBy(origin string) *CORSMatcher { return &CORSMatcher{origin: origin, credentials: true} }

// WithoutCredentials asks for no more than what a call that omits cookies
// needs. It still wants the origin named: an answer for everybody is refused.
func (m CORSMatcher) WithoutCredentials() *CORSMatcher { m.credentials = false; return &m }

// Exposing asks that script may read these headers of the answer, too
// (Access-Control-Expose-Headers).
func (m CORSMatcher) Exposing(names ...string) *CORSMatcher { m.exposed = names; return &m }

// AllowingTo asks that the answer to a preflight lets a request of this method
// and with these headers follow (Fetch, "CORS-preflight fetch").
func (m CORSMatcher) AllowingTo(method string, headers ...string) *CORSMatcher {
	m.preflight, m.headers = method, headers
	return &m
}

// Match implements types.GomegaMatcher.
func (m *CORSMatcher) Match(actual any) (bool, error) {
	e, ok := actual.(trace.Exchange)
	if !ok {
		return false, wrongType("BeReadableBy", "a trace.Exchange", actual)
	}
	return len(m.missing(e)) == 0, nil
}

// missing lists what keeps a browser from handing the answer to the page.
func (m *CORSMatcher) missing(e trace.Exchange) []string {
	if e.Err != "" {
		return []string{"there is no answer: " + e.Err}
	}
	var out []string
	want := func(ok bool, name, why string) {
		if !ok {
			out = append(out, line(e, name)+": "+why)
		}
	}
	const allow = "Access-Control-Allow-"
	want(e.Response.Get(allow+"Origin") == m.origin, allow+"Origin", "it must be "+m.origin+" exactly")
	if m.credentials {
		want(e.Response.Get(allow+"Credentials") == "true", allow+"Credentials", "it must be true")
	}
	for _, name := range m.exposed {
		want(m.named(e, "Access-Control-Expose-Headers", name), "Access-Control-Expose-Headers", "it must name "+name)
	}
	if m.preflight == "" {
		return out
	}
	if e.Status < 200 || e.Status > 299 {
		out = append(out, fmt.Sprintf("status %d: a preflight wants 200 to 299", e.Status))
	}
	safe := slices.Contains([]string{"GET", "HEAD", "POST"}, m.preflight) // CORS-safelisted
	want(safe || m.named(e, allow+"Methods", m.preflight), allow+"Methods", "it must name "+m.preflight)
	for _, name := range m.headers {
		want(m.named(e, allow+"Headers", name), allow+"Headers", "it must name "+name)
	}
	return out
}

// named says whether a list names name. With credentials a wildcard is but a
// name, and Authorization is never covered by one.
func (m *CORSMatcher) named(e trace.Exchange, list, name string) bool {
	for _, given := range listed(e, list) {
		if strings.EqualFold(given, name) || given == "*" && !m.credentials && !strings.EqualFold(name, "authorization") {
			return true
		}
	}
	return false
}

// listed are the entries of all lines of a header.
func listed(e trace.Exchange, name string) []string {
	var out []string
	for _, f := range e.Response.Header {
		if !strings.EqualFold(f.Name, name) {
			continue
		}
		for entry := range strings.SplitSeq(f.Value, ",") {
			out = append(out, strings.TrimSpace(entry))
		}
	}
	return out
}

// FailureMessage implements types.GomegaMatcher.
func (m *CORSMatcher) FailureMessage(actual any) string {
	e, _ := actual.(trace.Exchange)
	return fmt.Sprintf("Expected a browser to let pages of %s read the answer to\n    %s\nIt would not:\n%s", m.origin, shown(e), indented(m.missing(e)))
}

// NegatedFailureMessage implements types.GomegaMatcher.
func (m *CORSMatcher) NegatedFailureMessage(actual any) string {
	e, _ := actual.(trace.Exchange)
	return fmt.Sprintf("Expected a browser not to let pages of %s read the answer to\n    %s\nIt would, by\n    %s", m.origin, shown(e), line(e, "Access-Control-Allow-Origin"))
}

type varyMatcher struct{ header string }

// VaryBy matches a trace.Exchange whose answer caches keep apart by this
// request header (RFC 9110, section 12.5.5). Without it, an answer that was
// kept for one origin, or for none, is served to another.
func VaryBy(header string) types.GomegaMatcher { return varyMatcher{header} }

// Match implements types.GomegaMatcher.
func (m varyMatcher) Match(actual any) (bool, error) {
	e, ok := actual.(trace.Exchange)
	if !ok {
		return false, wrongType("VaryBy", "a trace.Exchange", actual)
	}
	return slices.ContainsFunc(listed(e, "Vary"), func(name string) bool {
		return name == "*" || strings.EqualFold(name, m.header)
	}), nil
}

// FailureMessage implements types.GomegaMatcher.
func (m varyMatcher) FailureMessage(actual any) string {
	e, _ := actual.(trace.Exchange)
	return fmt.Sprintf("Expected caches to be told to keep answers apart by %s\n    %s\nIt says %s", m.header, shown(e), line(e, "Vary"))
}

// NegatedFailureMessage implements types.GomegaMatcher.
func (m varyMatcher) NegatedFailureMessage(actual any) string {
	e, _ := actual.(trace.Exchange)
	return fmt.Sprintf("Expected caches not to be told to keep answers apart by %s\n    %s", m.header, shown(e))
}
