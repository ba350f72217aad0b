package session_test

import (
	"net/http"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"crossing/harness/browser"
	"crossing/harness/journey"
	. "crossing/harness/match"
	"crossing/harness/trace"
	"crossing/suites/internal/rig"
)

var _ = DescribeTableSubtree("isolation", func(profile browser.Profile) {
	signedIn := func(ctx SpecContext, name string) *rig.Visitor {
		GinkgoHelper()
		v := app.Visit(ctx, profile, name)
		v.Walk(ctx, v.Way.Enter(v.Person))
		Eventually(ctx, v.Standing).Should(BeSignedInAs(v.Person.Email))
		return v
	}

	It("keeps the cookie from scripts, and from every other site and its frames", SpecTimeout(rig.Limit), func(ctx SpecContext) {
		app.NeedsPartitions(ctx, profile)
		app.NeedsJar(ctx, profile)
		ada := signedIn(ctx, "ada")
		agreed, origins := ada.Way.Contract.Cookie, ada.Way.Origins
		session, home := origins.Auth+ada.Way.Contract.Paths.Session, origins.Frontend+ada.Way.Contract.Pages.Home
		Expect(ada.Jar(ctx)).To(HaveCookie(agreed.Name))
		Expect(ada.CookiesInScript(ctx)).NotTo(ContainSubstring(agreed.Name))

		// The control: a frame of the auth service in the frontend's page is sent it.
		Expect(askedIn(ctx, ada, ada.Way.FramedBy(origins.Frontend, session)).Request.Cookies).To(ContainElement(HaveField("Name", agreed.Name)))
		ada.Walk(ctx, ada.Way.FramedBy(origins.Frontend, ada.Way.Reserved(origins.Auth, "")))
		Expect(ada.CookiesInFrame(ctx)).NotTo(ContainSubstring(agreed.Name), "script of the auth service's origin reads it")

		// The last one is the frontend itself, framed: its page is as it was, its top-level site is not.
		for _, where := range []journey.Step{ada.Way.Framed(session), ada.Way.FramedAgain(session), ada.Way.Framed(home)} {
			asked := askedIn(ctx, ada, where)
			Expect(asked.Request.Cookies).NotTo(ContainElement(HaveField("Name", agreed.Name)), where.Name)
			_, nobody := app.PersonIn(asked)
			Expect(nobody).To(BeTrue(), "%s: %s", where.Name, asked.Response.Body)
		}
	})

	It("lets a stranger's page neither read nor do anything in a signed-in person's name", SpecTimeout(rig.Limit), func(ctx SpecContext) {
		paths, name := app.Target().Contract.Paths, app.Target().Contract.Cookie.Name
		app.NeedsSignUp()
		mallory := journey.NewPerson("mallory")
		app.Caller("mallory").SignUp(ctx, mallory)
		ada := signedIn(ctx, "ada")
		session := ada.Way.Origins.Auth + paths.Session
		mine, _ := ada.Call(ctx, rig.Call{URL: session, Credentials: "include"})
		Expect(mine.Refused).To(BeEmpty(), "the frontend's own page must be able to ask")

		// Where it does not partition, the browser sends the cookie from
		// everywhere: what protects is that nobody reads the answer, and that the
		// service takes nothing from a stranger's page.
		apart := ada.Capability.Isolated != trace.MeasuredNo
		ada.Walk(ctx, ada.Way.Leave())
		for _, mode := range []string{"cors", "no-cors"} {
			read, seen := ada.Call(ctx, rig.Call{URL: session, Credentials: "include", Mode: mode})
			Expect(read.Body).To(BeEmpty(), "a stranger's page reads the session")
			if mode == "cors" {
				Expect(read.Refused).NotTo(BeEmpty(), "a stranger's page may read the answer")
			} else {
				Expect(read.Refused).To(BeEmpty())
			}
			for _, e := range seen {
				if person, _ := app.PersonIn(e); apart {
					Expect(person).To(BeEmpty(), "the question of a stranger's page is answered with a person")
				}
			}
		}

		ada.Walk(ctx, ada.Way.PostFromStranger(paths.SignIn, "application/x-www-form-urlencoded",
			map[string]string{"email": mallory.Email, "password": ada.Secret(mallory.Password)}))
		Expect(ada.SignInAnswer()).To(BeStatus(403))
		Expect(ada.SignInAnswer().Response.SetCookies).To(BeEmpty(), "a stranger's page signs a visitor in as somebody else")
		if app.Target().Contract.Requests.SignOut.Method == http.MethodPost { // no form sends anything else but GET
			ada.Walk(ctx, ada.Way.PostFromStranger(paths.SignOut, "text/plain", map[string]string{`{"a":"`: `"}`}))
			if sent := ada.Last(trace.RoleAuth, http.MethodPost, paths.SignOut).Request.Cookies; apart {
				Expect(sent).NotTo(ContainElement(HaveField("Name", name)))
			}
		}
		Expect(app.Replay(ctx, ada.SessionValue())).To(rig.BeTakenFor(ada.Person))

		ada.Walk(ctx, ada.Way.Home())
		Eventually(ctx, ada.Standing).Should(BeSignedInAs(ada.Person.Email))
	})

	It("keeps two people apart who ask at the same time", SpecTimeout(rig.Limit), func(ctx SpecContext) {
		app.NeedsSignUp()
		two := []*rig.Visitor{signedIn(ctx, "ada"), signedIn(ctx, "bob")}
		var asking sync.WaitGroup
		for _, v := range two {
			asking.Go(func() {
				defer GinkgoRecover()
				for range app.Instances(trace.RoleAuth) {
					v.Walk(ctx, v.Way.Reload())
					Eventually(ctx, v.Standing).Should(BeSignedInAs(v.Person.Email))
				}
			})
		}
		asking.Wait()

		for i, v := range two {
			other := two[1-i].Person
			for _, e := range v.SessionsSinceSignIn() {
				person, _ := app.PersonIn(e)
				Expect(person).To(Equal(v.Person.Email), "%s answers %s", e.Instance, v.Name)
			}
			for _, e := range v.Recorder.Snapshot().Exchanges {
				Expect(e.Response.Body).NotTo(ContainSubstring(other.Email), "%s %s answers %s with %s", e.Method, e.Path, v.Name, other.Name)
			}
		}
		Expect(two[0].SessionDigest()).NotTo(Equal(two[1].SessionDigest()))
	})
}, rig.Profiles())

// askedIn takes a step to a page whose frame asks for the session, and returns
// that question.
func askedIn(ctx SpecContext, v *rig.Visitor, step journey.Step) trace.Exchange {
	GinkgoHelper()
	began := time.Now()
	v.Walk(ctx, step)
	asked, err := v.Recorder.Await(ctx, began, "the session, asked for in a frame", func(e trace.Exchange) bool {
		return e.Role == trace.RoleAuth && e.Method == http.MethodGet && e.Path == v.Way.Contract.Paths.Session && !e.Outside
	})
	Expect(err).NotTo(HaveOccurred())
	return asked
}

var _ = Describe("isolation of what is posted", rig.AnyProfile(), func() {
	It("refuses a session cookie that comes with another origin than the frontend's, on every instance", SpecTimeout(rig.Limit), func(ctx SpecContext) {
		rows, origins := app.Database(), app.Target().Origins
		ada := app.Caller("ada")
		person := journey.NewPerson("ada")
		ada.SignUp(ctx, person)
		for _, instance := range ada.Instances(trace.RoleAuth) {
			value := ada.SignIn(ctx, person)
			out := ada.ToSignOut(ctx)
			out.Session, out.Instance = value, instance
			for _, origin := range []string{origins.Stranger, "null", ""} {
				out.Origin = origin
				Expect(ada.Ask(ctx, out)).To(BeStatus(403), "origin %q", origin)
				Expect(rowsOf(ctx, rows, value)).To(Equal([]bool{true}), "a sign-out with origin %q ended the session", origin)
			}

			out.Origin = origins.Frontend
			Expect(ada.Ask(ctx, out)).To(BeStatus(app.Target().Contract.Requests.SignOut.Answered))
			Expect(rowsOf(ctx, rows, value)).To(Equal([]bool{false}), "the frontend's own sign-out must end it")
		}
	})
})
