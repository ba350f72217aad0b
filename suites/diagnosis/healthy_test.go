package diagnosis_test

import (
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"crossing/harness/browser"
	"crossing/harness/diagnose"
	"crossing/suites/internal/rig"
)

// healthyJourneys of each profile; make soak walks many more.
const healthyJourneys = 20

var _ = DescribeTableSubtree("the healthy system raises nothing", func(profile browser.Profile) {
	for n := range healthyJourneys {
		It(fmt.Sprintf("on journey %d", n+1), SpecTimeout(rig.Limit), func(ctx SpecContext) {
			ada := app.Visit(ctx, profile, "ada")
			ada.Walk(ctx, ada.Way.SignUp(ada.Person), ada.Way.Reload(), ada.Way.Reload(), ada.Way.CallAPI())

			d := diagnosed(ctx, ada)
			Expect(causes(d)).To(BeEmpty(), "%s", d)
			Expect(d.Verdict).To(Equal(diagnose.VerdictHealthy), "%s", d)

			ada.Walk(ctx, ada.Way.SignOut(), ada.Way.SignIn(ada.Person))
			d = diagnosed(ctx, ada)
			Expect(causes(d)).To(BeEmpty(), "after a sign-out and a sign-in:\n%s", d)
			Expect(d.Verdict).To(Equal(diagnose.VerdictHealthy), "after a sign-out and a sign-in:\n%s", d)
		})
	}
}, rig.Profiles())
