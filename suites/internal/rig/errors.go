package rig

import (
	. "github.com/onsi/ginkgo/v2"
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

// must fails with an error's own words: what a person reads where a run could
// not begin.
func (r *Rig) must(err error) {
	GinkgoHelper()
	if err != nil {
		r.fail(err.Error(), 1)
	}
}
