package match

import (
	"fmt"
	"slices"
	"strings"

	"github.com/onsi/gomega/types"

	"crossing/harness/trace"
)

type uncacheableMatcher struct{}

// NotBeCacheable matches a trace.Exchange whose answer no shared cache may
// store: Cache-Control says no-store or private (RFC 9111, section 5.2.2), no
// targeted field says otherwise (RFC 9213), and it did not come out of a cache.
func NotBeCacheable() types.GomegaMatcher { return uncacheableMatcher{} }

// targeted are the fields by which a CDN is told to disregard Cache-Control.
var targeted = []string{"Vercel-CDN-Cache-Control", "CDN-Cache-Control"}

// Match implements types.GomegaMatcher.
func (uncacheableMatcher) Match(actual any) (bool, error) {
	e, ok := actual.(trace.Exchange)
	if !ok {
		return false, wrongType("NotBeCacheable", "a trace.Exchange", actual)
	}
	return len(cacheable(e)) == 0, nil
}

// cacheable lists what lets a cache keep the answer, or shows that one did.
func cacheable(e trace.Exchange) []string {
	if e.Err != "" {
		return []string{"there is no answer: " + e.Err}
	}
	var out []string
	if !forbids(e, "Cache-Control") {
		out = append(out, line(e, "Cache-Control")+": it says neither no-store nor private")
	}
	for _, name := range targeted {
		if e.Response.Get(name) != "" && !forbids(e, name) {
			out = append(out, line(e, name)+": it goes before Cache-Control")
		}
	}
	if e.Response.Get("Age") != "" {
		out = append(out, line(e, "Age")+": it came out of a cache")
	}
	if hit := e.Response.Get("X-Vercel-Cache"); slices.Contains([]string{"HIT", "STALE"}, hit) {
		out = append(out, line(e, "X-Vercel-Cache")+": it came out of a cache")
	}
	return out
}

// forbids reads the directives of all lines of the field. The form
// private="field" is about that field alone (RFC 9111, section 5.2.2.7).
func forbids(e trace.Exchange, field string) bool {
	for _, f := range e.Response.Header {
		if !strings.EqualFold(f.Name, field) {
			continue
		}
		for directive := range strings.SplitSeq(f.Value, ",") {
			d := strings.ToLower(strings.TrimSpace(directive))
			if d == "no-store" || d == "private" {
				return true
			}
		}
	}
	return false
}

func line(e trace.Exchange, name string) string {
	if v := e.Response.Get(name); v != "" {
		return name + ": " + v
	}
	return "no " + name
}

// FailureMessage implements types.GomegaMatcher.
func (uncacheableMatcher) FailureMessage(actual any) string {
	e, _ := actual.(trace.Exchange)
	return fmt.Sprintf("Expected no shared cache to keep the answer to\n    %s\nOne may, or did:\n%s", shown(e), indented(cacheable(e)))
}

// NegatedFailureMessage implements types.GomegaMatcher.
func (uncacheableMatcher) NegatedFailureMessage(actual any) string {
	e, _ := actual.(trace.Exchange)
	return fmt.Sprintf("Expected a cache to be let to keep the answer to\n    %s\nIt says %s", shown(e), line(e, "Cache-Control"))
}
