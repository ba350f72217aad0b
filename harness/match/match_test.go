package match

import (
	"strings"
	"testing"

	"github.com/onsi/gomega/types"
)

// judged is one thing shown to a matcher. The message is that of the failure:
// of Should where it does not match, of ShouldNot where it does.
type judged struct {
	what    string
	matcher types.GomegaMatcher
	actual  any
	matches bool
	message []string
}

func judge(t *testing.T, all []judged) {
	t.Helper()
	for _, j := range all {
		t.Run(j.what, func(t *testing.T) {
			got, err := j.matcher.Match(j.actual)
			if err != nil {
				t.Fatalf("error %v, want %v", err, j.matches)
			}
			message := j.matcher.FailureMessage(j.actual)
			if j.matches {
				message = j.matcher.NegatedFailureMessage(j.actual)
			}
			if got != j.matches {
				t.Errorf("matches: %v, want %v\n%s", got, j.matches, message)
			}
			for _, want := range j.message {
				if !strings.Contains(message, want) {
					t.Errorf("the message lacks %q:\n%s", want, message)
				}
			}
		})
	}
}

// refuses wants an error that holds the words.
func refuses(t *testing.T, m types.GomegaMatcher, actual any, words ...string) {
	t.Helper()
	_, err := m.Match(actual)
	if err == nil {
		t.Fatalf("no error for %T", actual)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("the error lacks %q: %v", w, err)
		}
	}
}
