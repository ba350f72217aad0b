package match

import (
	"fmt"
	"slices"
	"strings"

	"github.com/onsi/gomega/types"

	"crossing/harness/diagnose"
)

type explainedMatcher struct{ causes []string }

// BeExplainedBy matches a diagnose.Diagnosis that names exactly these causes,
// in whatever order they are given here; the first hop's stands first in the
// diagnosis itself. A cause too many is a false accusation, and does not match.
func BeExplainedBy(causes ...string) types.GomegaMatcher { return explainedMatcher{causes} }

// Match implements types.GomegaMatcher.
func (m explainedMatcher) Match(actual any) (bool, error) {
	d, ok := actual.(diagnose.Diagnosis)
	if !ok {
		return false, wrongType("BeExplainedBy", "a diagnose.Diagnosis", actual)
	}
	if len(m.causes) == 0 {
		return false, fmt.Errorf("BeExplainedBy needs at least one cause")
	}
	for _, slug := range m.causes {
		if !slices.ContainsFunc(diagnose.Causes(), func(c diagnose.CauseInfo) bool { return c.Slug == slug }) {
			return false, fmt.Errorf("BeExplainedBy knows no cause %q; see diagnose.Causes", slug)
		}
	}
	return slices.Equal(slices.Sorted(slices.Values(m.causes)), slices.Sorted(slices.Values(named(d)))), nil
}

func named(d diagnose.Diagnosis) []string {
	var out []string
	for _, f := range d.Findings {
		out = append(out, f.Cause)
	}
	return out
}

// FailureMessage implements types.GomegaMatcher.
func (m explainedMatcher) FailureMessage(actual any) string {
	d, _ := actual.(diagnose.Diagnosis)
	return fmt.Sprintf("Expected the diagnosis to name\n    %s\nIt names\n%s\nand says\n    %s",
		strings.Join(m.causes, ", "), indented(named(d)), d.Sentence())
}

// NegatedFailureMessage implements types.GomegaMatcher.
func (m explainedMatcher) NegatedFailureMessage(actual any) string {
	d, _ := actual.(diagnose.Diagnosis)
	return fmt.Sprintf("Expected the diagnosis not to name %s alone\n%s", strings.Join(m.causes, ", "), d)
}
