package match

import (
	"fmt"
	"slices"
	"strings"

	"github.com/onsi/gomega/types"

	"crossing/harness/diagnose"
	"crossing/harness/trace"
)

type invariantsMatcher struct{ expected []string }

// KeepInvariants matches a trace.Trace that breaks no invariant but those
// expected, which are named by their slugs (diagnose.InvariantSlugs).
func KeepInvariants(expected ...string) types.GomegaMatcher { return invariantsMatcher{expected} }

// Match implements types.GomegaMatcher.
func (m invariantsMatcher) Match(actual any) (bool, error) {
	t, ok := actual.(trace.Trace)
	if !ok {
		return false, wrongType("KeepInvariants", "a trace.Trace", actual)
	}
	known := diagnose.InvariantSlugs()
	for _, slug := range m.expected {
		if !slices.Contains(known, slug) {
			return false, fmt.Errorf("KeepInvariants knows no invariant %q; there are %s", slug, strings.Join(known, ", "))
		}
	}
	return len(diagnose.Invariants(t, m.expected...)) == 0, nil
}

// FailureMessage implements types.GomegaMatcher.
func (m invariantsMatcher) FailureMessage(actual any) string {
	t, _ := actual.(trace.Trace)
	var lines []string
	for _, v := range diagnose.Invariants(t, m.expected...) {
		lines = append(lines, v.String())
	}
	return fmt.Sprintf("Expected the trace of %s (%s) to keep the invariants%s\nIt broke\n%s", t.Visitor, t.Profile, m.but(), indented(lines))
}

// NegatedFailureMessage implements types.GomegaMatcher.
func (m invariantsMatcher) NegatedFailureMessage(actual any) string {
	t, _ := actual.(trace.Trace)
	return fmt.Sprintf("Expected the trace of %s (%s) to break an invariant%s, and it keeps them all", t.Visitor, t.Profile, m.but())
}

func (m invariantsMatcher) but() string {
	if len(m.expected) == 0 {
		return ""
	}
	return " other than " + strings.Join(m.expected, ", ")
}
