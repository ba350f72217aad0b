package session_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"crossing/harness/browser"
	"crossing/harness/journey"
	. "crossing/harness/match"
	"crossing/suites/internal/rig"
)

var _ = DescribeTableSubtree("sign-in", func(profile browser.Profile) {
	It("signs a new person up through the page, across the domains", SpecTimeout(rig.Limit), func(ctx SpecContext) {
		app.NeedsSignUp()
		ada := app.Visit(ctx, profile, "ada")
		ada.Walk(ctx, ada.Way.Home())
		Eventually(ctx, ada.Standing).Should(BeSignedOut())

		ada.Walk(ctx, ada.Way.SignUp(ada.Person))

		Expect(ada.SignUpAnswer()).To(BeStatus(app.Target().Contract.Requests.SignUp.Answered))
		Eventually(ctx, ada.Standing).Should(BeSignedInAs(ada.Person.Email))
	})

	It("signs a known person in, in another browser", SpecTimeout(rig.Limit), func(ctx SpecContext) {
		before := app.Visit(ctx, profile, "ada")
		before.Walk(ctx, before.Way.Enter(before.Person))
		Eventually(ctx, before.Standing).Should(BeSignedInAs(before.Person.Email))

		ada := app.Visit(ctx, profile, "ada-again", rig.As(before.Person))
		ada.Walk(ctx, ada.Way.SignIn(ada.Person))

		Expect(ada.SignInAnswer()).To(BeStatus(app.Target().Contract.Requests.SignIn.Answered))
		Eventually(ctx, ada.Standing).Should(BeSignedInAs(ada.Person.Email))
	})

	It("refuses a wrong password, and says so as agreed", SpecTimeout(rig.Limit), func(ctx SpecContext) {
		before := app.Visit(ctx, profile, "ada")
		before.Walk(ctx, before.Way.Enter(before.Person))

		mallory := app.Visit(ctx, profile, "mallory", rig.Expecting("unexpected-401"))
		guess := before.Person
		guess.Password = journey.NewPerson("mallory").Password
		mallory.Walk(ctx, mallory.Way.SignIn(guess))

		contract := app.Target().Contract
		Expect(mallory.SignInAnswer()).To(BeStatus(contract.Requests.SignIn.Refused))
		Expect(mallory.SignInAnswer().Response.SetCookies).NotTo(ContainElement(HaveField("Name", contract.Cookie.Name)))
		Consistently(ctx, mallory.Standing).Should(BeSignedOut())
	})

	It("sets the session cookie as agreed", SpecTimeout(rig.Limit), func(ctx SpecContext) {
		ada := app.Visit(ctx, profile, "ada")
		ada.Walk(ctx, ada.Way.Enter(ada.Person))
		Expect(ada.EntryAnswer()).To(SetCookieAsAgreed(app.Target().Contract.Cookie))

		again := app.Visit(ctx, profile, "ada-again", rig.As(ada.Person))
		again.Walk(ctx, again.Way.SignIn(again.Person))
		Expect(again.SignInAnswer()).To(SetCookieAsAgreed(app.Target().Contract.Cookie))
	})

	It("keeps the cookie under the frontend's site, out of reach of scripts", SpecTimeout(rig.Limit), func(ctx SpecContext) {
		app.NeedsPartitionKeys(ctx, profile)
		ada := app.Visit(ctx, profile, "ada")
		agreed := app.Target().Contract.Cookie
		ada.Walk(ctx, ada.Way.Enter(ada.Person))

		Eventually(ctx, ada.Jar).Should(HaveCookie(agreed.Name).PartitionedUnder(rig.SiteOf(ada.Way.Origins.Frontend)).
			WithPath(agreed.Path).WithSameSite(agreed.SameSite).WithSecure().WithHTTPOnly().HostOnly())
	})
}, rig.Profiles())
