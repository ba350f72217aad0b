package rig

import (
	"fmt"

	. "github.com/onsi/ginkgo/v2"

	"crossing/harness/trace"
)

// plainError makes Gomega show an error as its text says it, without the Go
// values behind it.
func plainError(value any) (string, bool) {
	err, is := value.(error)
	if !is {
		return "", false
	}
	return err.Error(), true
}

// plainExchange makes Gomega show an exchange as one line, in lists of them,
// too: a whole one takes a hundred.
func plainExchange(value any) (string, bool) {
	e, is := value.(trace.Exchange)
	if !is {
		return "", false
	}
	text := fmt.Sprintf("%s %s%s → %d", e.Method, e.Origin, e.Path, e.Status)
	if e.Err != "" {
		text = fmt.Sprintf("%s %s%s → no answer: %s", e.Method, e.Origin, e.Path, e.Err)
	}
	if e.Instance != "" {
		text += " by " + e.Instance
	}
	if e.Fault != "" {
		text += ", broken on purpose: " + e.Fault
	}
	return text + " (" + e.ID + ")", true
}

// must fails with an error's own words: what a person reads where a run could
// not begin.
func (r *Rig) must(err error) {
	GinkgoHelper()
	if err != nil {
		r.fail(err.Error(), 1)
	}
}
