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

// closely is how far a row's end may lie from what the moment of the answer
// makes of it: clocks, and the way there.
const closely = 10 * time.Second

var _ = DescribeTableSubtree("refresh", func(profile browser.Profile) {
	signedIn := func(ctx SpecContext) *rig.Visitor {
		GinkgoHelper()
		ada := app.Visit(ctx, profile, "ada")
		ada.Walk(ctx, ada.Way.Enter(ada.Person))
		Eventually(ctx, ada.Standing).Should(BeSignedInAs(ada.Person.Email))
		return ada
	}

	It("lengthens a session past its update age, and the browser keeps one cookie, the longer one", SpecTimeout(rig.Limit), func(ctx SpecContext) {
		due, _ := app.NeedsRefresh()
		rows, agreed := app.Database(), app.Target().Contract.Cookie
		ada := signedIn(ctx)
		Expect(rows.Age(ctx, ada.SessionToken(), due)).To(Succeed())

		began := time.Now()
		ada.Walk(ctx, ada.Way.Reload())
		Eventually(ctx, ada.Standing).Should(BeSignedInAs(ada.Person.Email))

		row := rowOf(ctx, rows, ada.SessionToken())
		Expect(row.Expires).To(BeTemporally("~", time.Now().Add(lifetime()), closely), "the row was not lengthened")
		Expect(resent(ada.Since(began, trace.RoleAuth))).To(And(Not(BeEmpty()), HaveEach(SetCookieAsAgreed(agreed))))
		if ada.ShowsCookie() {
			Expect(ada.Jar(ctx)).To(HaveCookie(agreed.Name).Alone().WithDigest(ada.SessionDigest()).ExpiringAt(row.Expires, closely))
		}
		if ada.ShowsCookie() && ada.ShowsPartitionKeys() {
			Expect(ada.Jar(ctx)).To(HaveCookie(agreed.Name).PartitionedUnder(rig.SiteOf(ada.Way.Origins.Frontend)))
		}
	})

	It("mends a token whose life is over before the api can answer 401, whatever the browser's clock says", SpecTimeout(rig.Limit), func(ctx SpecContext) {
		app.NeedsTokens()
		ada := signedIn(ctx)
		paths := app.Target().Contract.Paths
		ada.Walk(ctx, ada.Way.Account())
		Eventually(ctx, ada.Standing).Should(BeSignedInAs(ada.Person.Email))
		const wrong = -time.Hour
		ada.SetClock(ctx, wrong)

		// A clock that is wrong, and stays so, is no reason to ask again.
		ada.Walk(ctx, ada.Way.CallAPI(), ada.Way.CallAPI())
		Expect(ada.Exchanges(trace.RoleAuth, http.MethodGet, paths.Token)).To(HaveLen(1))
		first := ada.Last(trace.RoleAPI, http.MethodGet, paths.API).Request.Token
		Expect(first).NotTo(BeNil(), "the api was called without a token")

		// Its life passes, as the page's clock tells it, and the api takes it no more.
		token := app.Reveal(first.Digest)
		ada.SetClock(ctx, wrong+first.Expires.Sub(first.IssuedAt))
		asked := func() []trace.Exchange { return ada.Exchanges(trace.RoleAuth, http.MethodGet, paths.Token) }
		// Two tokens of one second are the same text: it is good again once asked for again.
		ada.Line.Break(rig.Expired(token, func() bool { return len(asked()) == 1 }))
		old := ada.Outside().Ask(ctx, rig.Question{URL: ada.Way.Origins.API + paths.API, Origin: ada.Way.Origins.Frontend, Bearer: token})
		Expect(old).To(BeStatus(401), "the first token must be refused, were it used")
		ada.Walk(ctx, ada.Way.CallAPI())

		calls := ada.Exchanges(trace.RoleAPI, http.MethodGet, paths.API)
		Expect(calls).To(HaveEach(BeStatus(200)), "a call went out with a token whose life was over")
		Expect(calls).To(HaveLen(3))
		Expect(asked()).To(HaveLen(2))
	})
}, rig.Profiles())

var _ = Describe("refresh through any endpoint", rig.AnyProfile(), func() {
	It("lengthens the row and sends the cookie again as agreed once a session is due, and does neither before", SpecTimeout(rig.Limit), func(ctx SpecContext) {
		due, early := app.NeedsRefresh()
		rows, contract := app.Database(), app.Target().Contract
		ada := app.Caller("ada")
		value := ada.SignUp(ctx, journey.NewPerson("ada"))
		token := app.TokenOf(value)

		for _, path := range []string{contract.Paths.Session, contract.Paths.Token, contract.Paths.List} {
			for _, instance := range ada.Instances(trace.RoleAuth) {
				if path == "" {
					continue // the contract has no such endpoint
				}
				q := rig.Question{URL: app.Target().Origins.Auth + path, Origin: app.Target().Origins.Frontend, Session: value, Instance: instance}

				Expect(rows.Age(ctx, token, early)).To(Succeed())
				answer := ada.Ask(ctx, q)
				Expect(answer).To(BeStatus(200))
				Expect(resent([]trace.Exchange{answer})).To(BeEmpty(), "a session that is not due is lengthened by %s", instance)
				Expect(rowOf(ctx, rows, token).Expires).To(BeTemporally("~", time.Now().Add(early), closely))

				Expect(rows.Age(ctx, token, due)).To(Succeed())
				answer = ada.Ask(ctx, q)
				Expect(answer).To(BeStatus(200))
				Expect(answer).To(SetCookieAsAgreed(contract.Cookie))
				Expect(answer.Response.SetCookies).To(ContainElement(HaveField("Digest", ada.Recorder.Redactor().Digest(value))),
					"the cookie that is sent again is another session's")
				Expect(rowOf(ctx, rows, token).Expires).To(BeTemporally("~", time.Now().Add(lifetime()), closely))
			}
		}
	})
})

// resent are the exchanges whose answers set the session cookie again.
func resent(all []trace.Exchange) []trace.Exchange {
	var found []trace.Exchange
	for _, e := range all {
		for _, c := range e.Response.SetCookies {
			if c.Name == app.Target().Contract.Cookie.Name && !c.Removes() {
				found = append(found, e)
			}
		}
	}
	return found
}

// rowOf is a session's row, which must be there.
func rowOf(ctx SpecContext, rows *observe.Database, token string) observe.Row {
	GinkgoHelper()
	row, found, err := rows.Session(ctx, token)
	Expect(err).NotTo(HaveOccurred())
	Expect(found).To(BeTrue(), "the session's row is gone")
	return row
}

func lifetime() time.Duration {
	return time.Duration(app.Target().Contract.Cookie.Lifetime) * time.Second
}
