package diagnosis_test

import (
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"crossing/harness/browser"
	"crossing/harness/diagnose"
	"crossing/harness/journey"
	. "crossing/harness/match"
	"crossing/suites/internal/rig"
)

// Healthy journeys of each profile: as many visits, on which as many people come
// one after the other in one browser. make soak walks many more, each in a
// browser of its own.
const visits, people = 5, 4

var _ = DescribeTableSubtree("the healthy system raises nothing", func(profile browser.Profile) {
	for n := range visits {
		It(fmt.Sprintf("on journeys %d to %d", n*people+1, (n+1)*people), SpecTimeout(people*rig.Limit), func(ctx SpecContext) {
			visitor := app.Visit(ctx, profile, "ada")
			for range people {
				one := journey.NewPerson("ada")
				Expect(visitor.Way.Walk(ctx, visitor.Page, visitor.Way.SignUp(one), visitor.Way.Reload(), visitor.Way.CallAPI())).To(Succeed())
				Eventually(ctx, visitor.Standing).Should(BeSignedInAs(one.Email))

				d := diagnosed(ctx, visitor)
				Expect(causes(d)).To(BeEmpty(), "%s", d)
				Expect(d.Verdict).To(Equal(diagnose.VerdictHealthy), "%s", d)

				Expect(visitor.Way.Walk(ctx, visitor.Page, visitor.Way.SignOut())).To(Succeed())
				Eventually(ctx, visitor.Standing).Should(BeSignedOut())
			}
			d := diagnosed(ctx, visitor)
			Expect(causes(d)).To(BeEmpty(), "after the last sign-out:\n%s", d)
			Expect(d.Verdict).To(Equal(diagnose.VerdictHealthy), "after the last sign-out:\n%s", d)
		})
	}
}, rig.Profiles())
