package session_test

import (
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"crossing/harness/browser"
	"crossing/harness/edge"
	"crossing/harness/journey"
	. "crossing/harness/match"
	"crossing/suites/internal/rig"
)

// Timed by the page itself. Serial: what runs beside it would be timed, too.
var _ = DescribeTableSubtree("waiting", func(profile browser.Profile) {
	// timed is a signed-in person whose pages have a stopwatch.
	timed := func(ctx SpecContext) *rig.Visitor {
		GinkgoHelper()
		ada := app.Visit(ctx, profile, "ada")
		ada.TimeWaits()
		ada.Walk(ctx, ada.Way.Enter(ada.Person))
		Eventually(ctx, ada.Standing).Should(BeSignedInAs(ada.Person.Email))
		return ada
	}
	signInAgain := func(ctx SpecContext, ada *rig.Visitor) func() {
		return func() { ada.Walk(ctx, ada.Way.SignOut(), ada.Way.SignIn(ada.Person)) }
	}
	reload := func(ctx SpecContext, ada *rig.Visitor) func() {
		return func() { ada.Walk(ctx, ada.Way.Reload()) }
	}

	It("is short, from the click that signs in and from a reload until the page shows who is signed in", Serial, SpecTimeout(rig.Limit), func(ctx SpecContext) {
		ada := timed(ctx)
		app.KeepBudgets(
			// BetterAuth lets one address sign in three times in ten seconds.
			ada.WaitsFor(ctx, journey.WaitSignIn, 3, signInAgain(ctx, ada)),
			ada.WaitsFor(ctx, journey.WaitReload, 5, reload(ctx, ada)),
		)
	})

	It("is timed whole: an answer that is held up makes it longer by that much", SpecTimeout(rig.Limit), func(ctx SpecContext) {
		ada := timed(ctx)
		const held = 400 * time.Millisecond
		ada.Line.Break(edge.Fault{
			Name: "answers on the session held up",
			When: func(r *http.Request) bool {
				return r.URL.Path == ada.Way.Contract.Paths.Session && !edge.IsPreflight(r)
			},
			Response: func(res *http.Response) error {
				select {
				case <-time.After(held):
				case <-res.Request.Context().Done():
				}
				return nil
			},
		})
		const setting = "a budget as long as the hold-up"
		reloaded := ada.WaitsFor(ctx, journey.WaitReload, 1, reload(ctx, ada))
		Expect(reloaded).NotTo(KeepWithin(held, setting))
		Expect(reloaded.Slowest).To(ContainSubstring(ada.Way.Contract.Paths.Session))
		Expect(ada.WaitsFor(ctx, journey.WaitSignIn, 1, signInAgain(ctx, ada))).NotTo(KeepWithin(held, setting))
	})
}, rig.Profiles())
