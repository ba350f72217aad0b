package match

import (
	"fmt"
	"strings"
	"time"

	"github.com/onsi/gomega/types"

	"crossing/harness/journey"
)

type waitMatcher struct {
	budget  time.Duration
	setting string
}

// KeepWithin matches journey.Waits whose median is no longer than the budget,
// which the setting gives.
func KeepWithin(budget time.Duration, setting string) types.GomegaMatcher {
	return waitMatcher{budget, setting}
}

// Match implements types.GomegaMatcher. Without a sample, or a budget, there is
// nothing to judge.
func (m waitMatcher) Match(actual any) (bool, error) {
	w, ok := actual.(journey.Waits)
	switch {
	case !ok:
		return false, wrongType("KeepWithin", "journey.Waits", actual)
	case len(w.Samples) == 0:
		return false, fmt.Errorf("KeepWithin got no sample of %s on %s", w.Kind, w.Profile)
	case m.budget <= 0:
		return false, fmt.Errorf("KeepWithin got no budget (%s is %s)", m.setting, m.budget)
	}
	return w.Median() <= m.budget, nil
}

// since says what a kind of wait begins with.
func since(kind string) string {
	if kind == journey.WaitSignIn {
		return "from the click that signs in"
	}
	return "from the " + kind
}

func (m waitMatcher) told(actual any, expectation string) string {
	w, _ := actual.(journey.Waits)
	samples := make([]string, len(w.Samples))
	for i, s := range w.Samples {
		samples[i] = brief(s)
	}
	text := fmt.Sprintf("Expected a person on %s %s %s, %s until the page shows who is signed in (%s)\nThe median of %d was %s: %s",
		w.Profile, expectation, m.budget, since(w.Kind), m.setting, len(w.Samples), brief(w.Median()), strings.Join(samples, ", "))
	if w.Slowest != "" {
		text += "\nThe slowest request meanwhile was\n    " + w.Slowest
	}
	return text
}

func brief(d time.Duration) string { return d.Round(time.Millisecond).String() }

// FailureMessage implements types.GomegaMatcher.
func (m waitMatcher) FailureMessage(actual any) string {
	return m.told(actual, "to wait no longer than")
}

// NegatedFailureMessage implements types.GomegaMatcher.
func (m waitMatcher) NegatedFailureMessage(actual any) string {
	return m.told(actual, "to wait longer than")
}
