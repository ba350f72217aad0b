package session_test

import (
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"crossing/harness/browser"
	"crossing/harness/journey"
	. "crossing/harness/match"
	"crossing/harness/observe"
	"crossing/harness/trace"
	"crossing/suites/internal/rig"
)

var _ = DescribeTableSubtree("token", func(profile browser.Profile) {
	// called is a person who has called the api with a token.
	called := func(ctx SpecContext) *rig.Visitor {
		GinkgoHelper()
		app.NeedsTokens()
		ada := app.Visit(ctx, profile, "ada")
		ada.Walk(ctx, ada.Way.Enter(ada.Person))
		Eventually(ctx, ada.Standing).Should(BeSignedInAs(ada.Person.Email))
		ada.Walk(ctx, ada.Way.Account())
		Eventually(ctx, ada.Standing).Should(BeSignedInAs(ada.Person.Email))
		ada.Walk(ctx, ada.Way.CallAPI())
		return ada
	}

	It("is given to a signed-in person, and the api answers 200", SpecTimeout(rig.Limit), func(ctx SpecContext) {
		ada := called(ctx)
		paths := app.Target().Contract.Paths
		Expect(ada.Last(trace.RoleAuth, http.MethodGet, paths.Token)).To(BeStatus(200))
		me := ada.Last(trace.RoleAPI, http.MethodGet, paths.API)
		Expect(me).To(BeStatus(200))
		Expect(me.Response.Body).To(ContainSubstring(ada.Person.Email))
	})

	It("is refused to a person who is not signed in", SpecTimeout(rig.Limit), func(ctx SpecContext) {
		app.NeedsTokens()
		bob := app.Visit(ctx, profile, "bob", rig.Expecting("unexpected-401"))
		bob.Walk(ctx, bob.Way.Account())
		Eventually(ctx, bob.Standing).Should(BeSignedOut())
		Expect(bob.Fetch(ctx, bob.Way.Origins.Auth+bob.Way.Contract.Paths.Token, "include")).To(BeStatus(401))
		Expect(bob.Fetch(ctx, bob.Way.Origins.API+bob.Way.Contract.Paths.API, "omit")).To(BeStatus(401))
	})

	It("verifies outside the browser: signature, kid, issuer, audience, expiry", SpecTimeout(rig.Limit), func(ctx SpecContext) {
		if len(app.Auth()) == 0 {
			rig.NotApplicable("the instances of a deployment cannot be asked for their key sets one by one")
		}
		ada := called(ctx)
		contract := app.Target().Contract
		sent := ada.Last(trace.RoleAPI, http.MethodGet, contract.Paths.API).Request.Token
		Expect(sent).NotTo(BeNil(), "the api was called without a token")
		token := app.Reveal(sent.Digest)

		for _, instance := range app.Auth() {
			keys, err := observe.Keys(ctx, instance, contract.Paths.Keys)
			Expect(err).NotTo(HaveOccurred())
			claims, err := observe.Verify(token, keys, contract.Issuer, contract.Audience)
			Expect(err).NotTo(HaveOccurred(), "by the key set of %s", instance.Name)
			Expect(claims.Email).To(Equal(ada.Person.Email))
			Expect(claims.Expires).To(BeTemporally(">", time.Now()))

			_, err = observe.Verify(token, keys, contract.Issuer+".example", contract.Audience)
			Expect(err).To(HaveOccurred(), "a token of another issuer must be refused")
			_, err = observe.Verify(rig.Tampered(token), keys, contract.Issuer, contract.Audience)
			Expect(err).To(HaveOccurred(), "a token that was changed must be refused")
		}
	})
}, rig.Profiles())

// Serial: containers that start and end change the machine's network, at which
// Chromium gives up the requests that are under way (net::ERR_NETWORK_CHANGED).
var _ = Describe("token on cold instances", rig.AnyProfile(), Serial, func() {
	It("verifies on every instance, though several are first asked for at once", SpecTimeout(rig.Starting), func(ctx SpecContext) {
		app.NeedsTokens()
		contract := app.Target().Contract
		cold := app.Cold(ctx)
		outside := journey.Outside{Target: app.Target()}
		cookie, err := outside.SignUp(ctx, cold[0].URL, journey.NewPerson("ada"))
		Expect(err).NotTo(HaveOccurred())

		tokens, err := outside.TokensAtOnce(ctx, rig.URLs(cold), cookie, 4)
		Expect(err).NotTo(HaveOccurred())

		for _, instance := range cold {
			keys, err := observe.Keys(ctx, instance, contract.Paths.Keys)
			Expect(err).NotTo(HaveOccurred())
			for _, token := range tokens {
				_, err := observe.Verify(token, keys, contract.Issuer, contract.Audience)
				Expect(err).NotTo(HaveOccurred(), "by the key set of %s, which holds %d keys", instance.Name, len(keys.Keys))
			}
		}
	})
})
