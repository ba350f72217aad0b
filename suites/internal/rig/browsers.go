package rig

import (
	"fmt"

	. "github.com/onsi/ginkgo/v2"

	"crossing/harness/browser"
)

// Profiles are the entries for a DescribeTableSubtree: every profile, with its
// name as its label, by which the command line chooses.
func Profiles() []TableEntry {
	var entries []TableEntry
	for _, p := range browser.Profiles() {
		entries = append(entries, Entry(p.Name, Label(p.Name), p))
	}
	return entries
}

// AnyProfile labels a spec that concerns no browser, so that it runs whichever
// profile was chosen.
func AnyProfile() Labels {
	var all Labels
	for _, p := range browser.Profiles() {
		all = append(all, p.Name)
	}
	return all
}

// inapplicable begins the message of a skip that measuring decided; reports
// count these apart.
const inapplicable = "not applicable: "

// NotApplicable ends the spec: it has no meaning here, and why.
func NotApplicable(format string, args ...any) {
	Skip(inapplicable+fmt.Sprintf(format, args...), 1)
}

// ProfilesWhere are those of Profiles whose name fits.
func ProfilesWhere(fits func(name string) bool) []TableEntry {
	var entries []TableEntry
	for _, p := range browser.Profiles() {
		if fits(p.Name) {
			entries = append(entries, Entry(p.Name, Label(p.Name), p))
		}
	}
	return entries
}
