package rig

import (
	. "github.com/onsi/ginkgo/v2"

	"crossing/reports"
)

// Quarantined keeps a spec whose failures are known from failing the run. It
// demands the address of the issue that deals with them, and the last day of
// the quarantine. The spec runs on and is shown apart; it fails the run once
// that day is over, or once it has passed 20 times in a row (HISTORY=): then
// there is nothing left to keep.
func Quarantined(issue, until string) Labels {
	label, err := reports.QuarantineLabel(issue, until)
	if err != nil {
		panic(err) // the tree of specs is being built: there is nothing to fail yet
	}
	return Label(label)
}
