package diagnosis_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"crossing/fixtures/faults"
	"crossing/harness/browser"
	"crossing/suites/internal/rig"
)

// One container a fault: reports show a row for each, with its cause.
func init() {
	for _, f := range faults.All() {
		DescribeTableSubtree(f.Name+" → "+f.Cause, func(profile browser.Profile) {
			It("is named", SpecTimeout(rig.Limit), func(ctx SpecContext) {
				d := suffers(ctx, profile, f)

				Expect(causes(d)).To(Equal([]string{f.Cause}), "%s:\n%s", f.Breaks, d)
				Expect(d.Unexplained).To(BeEmpty(), "%s:\n%s", f.Breaks, d)
			})
		}, rig.ProfilesWhere(f.ShowsOn))
	}
}
