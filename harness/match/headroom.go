package match

import (
	"fmt"

	"github.com/onsi/gomega/types"

	"crossing/harness/headroom"
	"crossing/harness/trace"
)

type headroomMatcher struct{}

// KeepHeadroom matches a trace.Trace whose cookies and headers stay below every
// limit of browsers and of Vercel's edge.
func KeepHeadroom() types.GomegaMatcher { return headroomMatcher{} }

func reached(t trace.Trace) []string {
	var lines []string
	for _, u := range headroom.Measure(t) {
		if u.Reached() {
			lines = append(lines, u.String())
		}
	}
	return lines
}

// Match implements types.GomegaMatcher.
func (headroomMatcher) Match(actual any) (bool, error) {
	t, ok := actual.(trace.Trace)
	if !ok {
		return false, wrongType("KeepHeadroom", "a trace.Trace", actual)
	}
	return len(reached(t)) == 0, nil
}

// FailureMessage implements types.GomegaMatcher.
func (headroomMatcher) FailureMessage(actual any) string {
	t, _ := actual.(trace.Trace)
	return fmt.Sprintf("Expected the cookies and headers of %s (%s) to stay below every limit\nThere is no room left for\n%s", t.Visitor, t.Profile, indented(reached(t)))
}

// NegatedFailureMessage implements types.GomegaMatcher.
func (headroomMatcher) NegatedFailureMessage(actual any) string {
	t, _ := actual.(trace.Trace)
	nearest, _ := headroom.Nearest(headroom.Measure(t))
	return fmt.Sprintf("Expected the cookies or headers of %s (%s) to reach a limit; the nearest is\n    %s", t.Visitor, t.Profile, nearest)
}
