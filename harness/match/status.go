package match

import (
	"fmt"

	"github.com/onsi/gomega/types"

	"crossing/harness/trace"
)

type statusMatcher struct{ code int }

// BeStatus matches a trace.Exchange that was answered with this status.
func BeStatus(code int) types.GomegaMatcher { return statusMatcher{code} }

// Match implements types.GomegaMatcher.
func (m statusMatcher) Match(actual any) (bool, error) {
	e, ok := actual.(trace.Exchange)
	if !ok {
		return false, wrongType("BeStatus", "a trace.Exchange", actual)
	}
	return e.Err == "" && e.Status == m.code, nil
}

// FailureMessage implements types.GomegaMatcher.
func (m statusMatcher) FailureMessage(actual any) string {
	e, _ := actual.(trace.Exchange)
	text := fmt.Sprintf("Expected the answer %d to\n    %s", m.code, shown(e))
	if why := e.Response.Get("WWW-Authenticate"); why != "" {
		text += "\n    WWW-Authenticate: " + why
	}
	return text
}

// NegatedFailureMessage implements types.GomegaMatcher.
func (m statusMatcher) NegatedFailureMessage(actual any) string {
	e, _ := actual.(trace.Exchange)
	return fmt.Sprintf("Expected another answer than %d to\n    %s", m.code, shown(e))
}
