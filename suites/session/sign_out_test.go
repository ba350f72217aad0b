package session_test

import (
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"crossing/harness/browser"
	"crossing/harness/edge"
	"crossing/harness/journey"
	. "crossing/harness/match"
	"crossing/harness/observe"
	"crossing/harness/trace"
	"crossing/suites/internal/rig"
)

var _ = DescribeTableSubtree("sign-out", func(profile browser.Profile) {
	// signedIn is a person whose session every instance was seen to take, by
	// its plain value.
	signedIn := func(ctx SpecContext) (ada *rig.Visitor, value string) {
		GinkgoHelper()
		ada = app.Visit(ctx, profile, "ada")
		ada.Walk(ctx, ada.Way.Enter(ada.Person))
		Eventually(ctx, ada.Standing).Should(BeSignedInAs(ada.Person.Email))
		value = ada.SessionValue()
		Expect(app.Replay(ctx, value)).To(rig.BeTakenFor(ada.Person))
		return ada, value
	}

	It("ends the session: here, in the other tab, in the database and on every instance, and no other", SpecTimeout(rig.Limit), func(ctx SpecContext) {
		rows := app.Database()
		ada, old := signedIn(ctx)
		elsewhere := app.Caller("ada-elsewhere").SignIn(ctx, ada.Person)
		first := ada.Page
		ada.NewTab(ctx)
		ada.Walk(ctx, ada.Way.Home())
		Eventually(ctx, ada.Standing).Should(BeSignedInAs(ada.Person.Email))
		onlySignOutClears(ada)

		ada.Walk(ctx, ada.Way.SignOut())

		answer := ada.Last(trace.RoleAuth, ada.Way.Contract.Requests.SignOut.Method, ada.Way.Contract.Paths.SignOut)
		Expect(answer).To(BeStatus(ada.Way.Contract.Requests.SignOut.Answered))
		endsHere(ctx, ada, answer)
		ada.Page = first
		Eventually(ctx, ada.Standing).Should(BeSignedOut(), "in the tab that was open before")
		Expect(rowsOf(ctx, rows, old, elsewhere)).To(Equal([]bool{false, true}), "which rows there are, of the session that was ended and of the other one")
		Expect(app.Replay(ctx, old)).To(rig.BeRefused())
		Expect(app.Replay(ctx, elsewhere)).To(rig.BeTakenFor(ada.Person))
	})

	It("comes to whoever was revoked elsewhere, and to nobody else", SpecTimeout(rig.Limit), func(ctx SpecContext) {
		contract := app.Target().Contract
		if contract.Paths.Revoke == "" {
			rig.NotApplicable("the contract names no endpoint that revokes one session (contract.paths.revoke)")
		}
		ada, old := signedIn(ctx)
		other := app.Caller("ada-elsewhere")
		elsewhere := other.SignIn(ctx, ada.Person)

		Expect(other.Ask(ctx, rig.Question{
			Method: http.MethodPost, URL: ada.Way.Origins.Auth + contract.Paths.Revoke, Origin: ada.Way.Origins.Frontend,
			Session: elsewhere, Body: map[string]string{"token": app.TokenOf(old)},
		})).To(BeStatus(200))

		ada.Walk(ctx, ada.Way.Reload())
		Eventually(ctx, ada.Standing).Should(BeSignedOut())
		if ada.ShowsCookie() {
			Expect(ada.Jar(ctx)).NotTo(HaveCookie(contract.Cookie.Name))
		}
		Expect(app.Replay(ctx, old)).To(rig.BeRefused())
		Expect(app.Replay(ctx, elsewhere)).To(rig.BeTakenFor(ada.Person))
	})

	It("everywhere ends every session of this person, and nobody else's", SpecTimeout(rig.Limit), func(ctx SpecContext) {
		contract := app.Target().Contract
		if contract.Paths.RevokeAll == "" || contract.Pages.SignOutEverywhere == "" {
			rig.NotApplicable("the contract names no way to sign out everywhere (contract.paths.revokeAll, contract.pages.signOutEverywhere)")
		}
		app.NeedsSignUp()
		rows := app.Database()
		ada, old := signedIn(ctx)
		elsewhere := app.Caller("ada-elsewhere").SignIn(ctx, ada.Person)
		bob := journey.NewPerson("bob")
		his := app.Caller("bob").SignUp(ctx, bob)
		Expect(app.Replay(ctx, elsewhere)).To(rig.BeTakenFor(ada.Person))

		ada.Walk(ctx, ada.Way.SignOutEverywhere())

		answer := ada.Last(trace.RoleAuth, http.MethodPost, contract.Paths.RevokeAll)
		Expect(answer).To(BeStatus(200))
		endsHere(ctx, ada, answer)
		Expect(rowsOf(ctx, rows, old, elsewhere, his)).To(Equal([]bool{false, false, true}), "which rows there are, of her two sessions and of his")
		Expect(app.Replay(ctx, old)).To(rig.BeRefused())
		Expect(app.Replay(ctx, elsewhere)).To(rig.BeRefused())
		Expect(app.Replay(ctx, his)).To(rig.BeTakenFor(bob))
	})
}, rig.Profiles())

// onlySignOutClears keeps every answer but that of sign-out from changing the
// jar: a look-up of a session whose row is gone clears the cookie, too, and
// would hide a sign-out that does not.
func onlySignOutClears(v *rig.Visitor) {
	v.Line.Break(edge.Fault{
		Name: "nothing but sign-out changes the jar",
		When: func(r *http.Request) bool {
			return r.URL.Path != v.Way.Contract.Paths.SignOut || r.Method != v.Way.Contract.Requests.SignOut.Method
		},
		Response: func(res *http.Response) error { res.Header.Del("Set-Cookie"); return nil },
	})
}

// endsHere says what an answer that ends a session must do to the browser that
// asked: whatever way the browser keeps the session, the page is signed out,
// and the answer clears the cookie as it was set, or it would clear another.
func endsHere(ctx SpecContext, v *rig.Visitor, answer trace.Exchange) {
	GinkgoHelper()
	agreed := v.Way.Contract.Cookie
	Expect(answer.Response.SetCookies).To(ContainElement(And(
		HaveField("Name", agreed.Name), HaveField("Removes()", true), HaveField("Path", agreed.Path),
		HaveField("Secure", agreed.Secure), HaveField("Partitioned", agreed.Partitioned), HaveField("Domain", ""),
	)), "the answer must clear the session cookie")
	if v.KeepsCookie() {
		Eventually(ctx, v.Jar).ShouldNot(HaveCookie(agreed.Name))
	}
	Eventually(ctx, v.Standing).Should(BeSignedOut())
	v.Walk(ctx, v.Way.Reload())
	Eventually(ctx, v.Standing).Should(BeSignedOut())
}

// rowsOf says of each session, by its cookie's plain value, whether it has a
// row.
func rowsOf(ctx SpecContext, rows *observe.Database, values ...string) []bool {
	GinkgoHelper()
	there := make([]bool, len(values))
	for i, value := range values {
		var err error
		_, there[i], err = rows.Session(ctx, app.TokenOf(value))
		Expect(err).NotTo(HaveOccurred())
	}
	return there
}
