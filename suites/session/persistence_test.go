package session_test

import (
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"crossing/harness/browser"
	"crossing/harness/edge"
	. "crossing/harness/match"
	"crossing/suites/internal/rig"
)

var _ = DescribeTableSubtree("persistence", func(profile browser.Profile) {
	// signedIn is a person who is signed in by the cookie alone.
	signedIn := func(ctx SpecContext, options ...rig.Option) *rig.Visitor {
		GinkgoHelper()
		app.NeedsTheCookie(ctx, profile)
		ada := app.Visit(ctx, profile, "ada", options...)
		ada.Walk(ctx, ada.Way.Enter(ada.Person))
		Eventually(ctx, ada.Standing).Should(BeSignedInAs(ada.Person.Email).ByCookie())
		return ada
	}

	It("outlives a reload", SpecTimeout(rig.Limit), func(ctx SpecContext) {
		ada := signedIn(ctx)
		ada.Walk(ctx, ada.Way.Reload())
		Eventually(ctx, ada.Standing).Should(BeSignedInAs(ada.Person.Email).ByCookie())
	})

	It("outlives client-side navigation", SpecTimeout(rig.Limit), func(ctx SpecContext) {
		app.NeedsLink()
		ada := signedIn(ctx)
		ada.Walk(ctx, ada.Way.Home())
		Eventually(ctx, ada.Standing).Should(BeSignedInAs(ada.Person.Email).ByCookie())
		ada.Walk(ctx, ada.Way.FollowLink())
		Consistently(ctx, ada.Standing).Should(BeSignedInAs(ada.Person.Email).ByCookie())
	})

	It("is there in a new tab", SpecTimeout(rig.Limit), func(ctx SpecContext) {
		ada := signedIn(ctx)
		ada.NewTab(ctx)
		ada.Walk(ctx, ada.Way.Home())
		Eventually(ctx, ada.Standing).Should(BeSignedInAs(ada.Person.Email).ByCookie())
	})

	It("outlives a visit to a stranger's site", SpecTimeout(rig.Limit), func(ctx SpecContext) {
		ada := signedIn(ctx)
		ada.Walk(ctx, ada.Way.Leave(), ada.Way.Home())
		Eventually(ctx, ada.Standing).Should(BeSignedInAs(ada.Person.Email).ByCookie())
	})

	It("outlives a restart of the browser", SpecTimeout(rig.Limit), func(ctx SpecContext) {
		app.NeedsRestart(ctx, profile)
		ada := signedIn(ctx, rig.Keeping())
		ada.Restart(ctx)
		ada.Walk(ctx, ada.Way.Home())
		Eventually(ctx, ada.Standing).Should(BeSignedInAs(ada.Person.Email).ByCookie())
	})

	It("does not reach another person's browser", SpecTimeout(rig.Limit), func(ctx SpecContext) {
		signedIn(ctx)
		bob := app.Visit(ctx, profile, "bob")
		bob.Walk(ctx, bob.Way.Home())
		Eventually(ctx, bob.Standing).Should(BeSignedOut())
		Consistently(ctx, bob.Standing).Should(BeSignedOut())
	})

	It("ends with the cookie's lifetime", SpecTimeout(rig.Limit), func(ctx SpecContext) {
		app.NeedsJar(ctx, profile)
		ada := app.Visit(ctx, profile, "ada")
		agreed := app.Target().Contract.Cookie
		const lifetime = 2 * time.Second
		ada.Line.Break(edge.Fault{Name: "a lifetime of two seconds", Response: func(res *http.Response) error {
			return rig.ChangeCookie(res, agreed.Name, "Max-Age", "2")
		}})
		ada.Walk(ctx, ada.Way.Enter(ada.Person))
		Eventually(ctx, ada.Jar).Should(HaveCookie(agreed.Name))

		Eventually(ctx, ada.Jar).WithTimeout(lifetime + 5*time.Second).ShouldNot(HaveCookie(agreed.Name))
		ada.Walk(ctx, ada.Way.Home())
		Eventually(ctx, ada.Standing).Should(BeSignedOut())
	})
}, rig.Profiles())
