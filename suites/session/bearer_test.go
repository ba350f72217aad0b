package session_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"crossing/harness/browser"
	. "crossing/harness/match"
	"crossing/suites/internal/rig"
)

var _ = DescribeTableSubtree("bearer fallback", func(profile browser.Profile) {
	// signedIn is a person whose browser refuses the cookie, and who is signed
	// in all the same.
	signedIn := func(ctx SpecContext) *rig.Visitor {
		GinkgoHelper()
		app.NeedsNoThirdPartyCookies(ctx, profile)
		app.NeedsFallback()
		ada := app.Visit(ctx, profile, "ada")
		ada.Walk(ctx, ada.Way.Enter(ada.Person))
		Eventually(ctx, ada.Standing).Should(BeSignedInAs(ada.Person.Email).ByBearer())
		return ada
	}

	It("outlives a reload", SpecTimeout(rig.Limit), func(ctx SpecContext) {
		ada := signedIn(ctx)
		ada.Walk(ctx, ada.Way.Reload())
		Eventually(ctx, ada.Standing).Should(BeSignedInAs(ada.Person.Email).ByBearer())
	})

	It("outlives client-side navigation", SpecTimeout(rig.Limit), func(ctx SpecContext) {
		ada := signedIn(ctx)
		ada.Walk(ctx, ada.Way.Home())
		Eventually(ctx, ada.Standing).Should(BeSignedInAs(ada.Person.Email).ByBearer())
		ada.Walk(ctx, ada.Way.FollowLink())
		Consistently(ctx, ada.Standing).Should(BeSignedInAs(ada.Person.Email).ByBearer())
	})

	It("is there in a new tab", SpecTimeout(rig.Limit), func(ctx SpecContext) {
		ada := signedIn(ctx)
		ada.NewTab(ctx)
		ada.Walk(ctx, ada.Way.Home())
		Eventually(ctx, ada.Standing).Should(BeSignedInAs(ada.Person.Email).ByBearer())
	})

	It("outlives a visit to a stranger's site", SpecTimeout(rig.Limit), func(ctx SpecContext) {
		ada := signedIn(ctx)
		ada.Walk(ctx, ada.Way.Leave(), ada.Way.Home())
		Eventually(ctx, ada.Standing).Should(BeSignedInAs(ada.Person.Email).ByBearer())
	})

	It("is not used where the browser keeps the cookie", SpecTimeout(rig.Limit), func(ctx SpecContext) {
		app.NeedsTheCookie(ctx, profile)
		ada := app.Visit(ctx, profile, "ada")
		ada.Walk(ctx, ada.Way.Enter(ada.Person))
		Eventually(ctx, ada.Standing).Should(BeSignedInAs(ada.Person.Email).ByCookie())
		for _, e := range ada.ToAuth() {
			Expect(e.Request.Get("Authorization")).To(BeEmpty(), "%s %s carries credentials beside the cookie", e.Method, e.Path)
		}
	})

	It("when switched off, or where there is none, loses the session, and the diagnosis says exactly why", SpecTimeout(rig.Limit), func(ctx SpecContext) {
		app.NeedsNoThirdPartyCookies(ctx, profile)
		ada := app.Visit(ctx, profile, "ada", rig.Refused())
		if app.HasFallback() {
			ada.SwitchFallback(false)
		}
		ada.Walk(ctx, ada.Way.Enter(ada.Person))
		Expect(ada.EntryAnswer()).To(BeStatus(ada.Way.Entered()))
		ada.AwaitSession(ctx)

		Eventually(ctx, ada.Standing).Should(BeSignedOut())
		Consistently(ctx, ada.Standing).Should(BeSignedOut())
		Expect(ada.Diagnose(ctx)).To(BeExplainedBy("third-party-cookies-refused"))
	})
}, rig.Profiles())
