package session_test

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"crossing/harness/browser"
	"crossing/harness/journey"
	. "crossing/harness/match"
	"crossing/harness/target"
	"crossing/harness/trace"
	"crossing/suites/internal/rig"
)

// endpoint is what pages of the frontend call across origins.
type endpoint struct {
	role        trace.Role
	method, url string
	reach       target.Reach
	// credentials: the call carries cookies. The api's carries a token alone.
	credentials bool
}

// readable is what such a page needs of an answer.
func (e endpoint) readable(origin string) *CORSMatcher {
	m := BeReadableBy(origin).Exposing(e.reach.Exposed...)
	if !e.credentials {
		return m.WithoutCredentials()
	}
	return m
}

// preflight is what a browser asks beforehand, for all that the call may carry.
func (e endpoint) preflight(origin, instance string) rig.Question {
	return rig.Question{Method: http.MethodOptions, URL: e.url, Origin: origin, Instance: instance, Header: http.Header{
		"Access-Control-Request-Method":  {e.method},
		"Access-Control-Request-Headers": {strings.Join(e.reach.Allowed, ",")},
	}}
}

func endpoints() []endpoint {
	o, c := app.Target().Origins, app.Target().Contract
	all := []endpoint{
		{trace.RoleAuth, http.MethodGet, o.Auth + c.Paths.Session, c.CORS.Auth, true},
		{trace.RoleAuth, c.Requests.SignIn.Method, o.Auth + c.Paths.SignIn, c.CORS.Auth, true},
	}
	if c.Paths.Token != "" {
		all = append(all, endpoint{trace.RoleAuth, http.MethodGet, o.Auth + c.Paths.Token, c.CORS.Auth, true})
	}
	if o.API != "" && c.Paths.API != "" {
		all = append(all, endpoint{trace.RoleAPI, http.MethodGet, o.API + c.Paths.API, c.CORS.API, false})
	}
	return all
}

// outsiders are origins that a service takes for the frontend where it
// compares less than the whole: the stranger's, none (a sandboxed frame's or a
// file's), and those that begin or end like the frontend's.
func outsiders() []string {
	o := app.Target().Origins
	host := strings.TrimPrefix(o.Frontend, "https://")
	return []string{o.Stranger, "null", "http://" + host, "https://evil." + host, o.Frontend + ".evil.com", "https://evil-" + host, o.Frontend + ":8443"}
}

var _ = Describe("CORS", rig.AnyProfile(), func() {
	// everywhere visits each endpoint on each of its instances.
	everywhere := func(what func(caller *rig.Caller, e endpoint, instance string)) {
		caller := app.Caller("page")
		for _, e := range endpoints() {
			for _, instance := range caller.Instances(e.role) {
				what(caller, e, instance)
			}
		}
	}

	It("lets the frontend's pages ask and read: preflight, exact origin, credentials, headers", SpecTimeout(rig.Limit), func(ctx SpecContext) {
		frontend := app.Target().Origins.Frontend
		everywhere(func(caller *rig.Caller, e endpoint, instance string) {
			before := caller.Ask(ctx, e.preflight(frontend, instance))
			allowed := BeReadableBy(frontend)
			if !e.credentials {
				allowed = allowed.WithoutCredentials()
			}
			Expect(before).To(allowed.AllowingTo(e.method, e.reach.Allowed...))
			Expect(before).To(VaryBy("Origin"))

			more := caller.Ask(ctx, withHeader(e.preflight(frontend, instance), "x-crossing-unknown"))
			Expect(more).NotTo(BeReadableBy(frontend).WithoutCredentials().AllowingTo(e.method, "x-crossing-unknown"), "any header is allowed")
		})
	})

	It("says no to every other origin, in preflight and answer, and tells caches to keep them apart", SpecTimeout(rig.Limit), func(ctx SpecContext) {
		everywhere(func(caller *rig.Caller, e endpoint, instance string) {
			for _, origin := range outsiders() {
				before := caller.Ask(ctx, e.preflight(origin, instance))
				Expect(before).NotTo(BeReadableBy(origin).WithoutCredentials())
				Expect(before.Response.Get("Access-Control-Allow-Origin")).NotTo(Equal("*"))
				Expect(before).To(VaryBy("Origin"))
				if e.method != http.MethodGet {
					continue // what follows an allowed preflight would sign in, and the limiter counts
				}
				answer := caller.Ask(ctx, rig.Question{URL: e.url, Origin: origin, Instance: instance})
				Expect(answer).NotTo(BeReadableBy(origin).WithoutCredentials())
				Expect(answer.Response.Get("Access-Control-Allow-Origin")).NotTo(Equal("*"))
				Expect(answer).To(VaryBy("Origin"))
			}
			if e.method == http.MethodGet {
				Expect(caller.Ask(ctx, rig.Question{URL: e.url, Instance: instance})).To(VaryBy("Origin"), "where none was sent, too")
			}
		})
	})

	It("lets the frontend's pages read a refusal as well as a 200", SpecTimeout(rig.Limit), func(ctx SpecContext) {
		frontend := app.Target().Origins.Frontend
		nobody := journey.NewPerson("nobody")
		everywhere(func(caller *rig.Caller, e endpoint, instance string) {
			q := rig.Question{Method: e.method, URL: e.url, Origin: frontend, Instance: instance}
			want := http.StatusUnauthorized
			switch {
			case e.method != http.MethodGet:
				q = caller.ToSignIn(ctx, nobody)
				q.Instance, want = instance, app.Target().Contract.Requests.SignIn.Refused
			case strings.HasSuffix(e.url, app.Target().Contract.Paths.Session):
				want = http.StatusOK // nobody is signed in, which is no error there
			}
			answer := caller.Ask(ctx, q)
			Expect(answer).To(BeStatus(want))
			Expect(answer).To(e.readable(frontend))
			Expect(answer).To(VaryBy("Origin"))
		})
	})

	It("lets the frontend's pages read a 500, too", SpecTimeout(rig.Limit), func(ctx SpecContext) {
		frontend := app.Target().Origins.Frontend
		session := endpoints()[0]
		caller := app.Caller("page")
		// PostgreSQL refuses a text with a zero byte in it (SQLSTATE 22021), so
		// that the look-up itself fails, in a service that works.
		unreadable := app.Signed("\x00")
		for _, instance := range caller.Instances(session.role) {
			answer := caller.Ask(ctx, rig.Question{URL: session.url, Origin: frontend, Session: unreadable, Instance: instance})
			if answer.Status != http.StatusInternalServerError {
				rig.NotApplicable("no 500 could be brought about: a session whose look-up the database refuses is answered %d", answer.Status)
			}
			Expect(answer).To(session.readable(frontend))
			Expect(answer).To(VaryBy("Origin"))
		}
	})
})

var _ = DescribeTableSubtree("CORS in a browser", func(profile browser.Profile) {
	It("lets the frontend's page make credentialed calls with a preflight and read them, a 401 too, and no other page", SpecTimeout(rig.Limit), func(ctx SpecContext) {
		contract := app.Target().Contract
		app.NeedsSignUp()
		known := journey.NewPerson("ada")
		app.Caller("ada").SignUp(ctx, known)
		ada := app.Visit(ctx, profile, "ada", rig.As(known), rig.Expecting("unexpected-401"))
		ada.Walk(ctx, ada.Way.Home())
		Eventually(ctx, ada.Standing).Should(BeSignedOut())
		guess := known
		guess.Password = journey.NewPerson("guess").Password
		right, wrong := ada.ToSignIn(ctx, known), ada.ToSignIn(ctx, guess)

		read, seen := ada.Call(ctx, right)
		Expect(read).To(And(HaveField("Refused", ""), HaveField("Status", contract.Requests.SignIn.Answered), HaveField("Body", Not(BeEmpty()))))
		for _, name := range contract.CORS.Auth.Exposed {
			sent := seen[len(seen)-1].Response.Get(name) != ""
			Expect(slices.Contains(read.Headers, name)).To(Equal(sent), "script reads %s, which the answer has: %v", name, sent)
		}
		Expect(seen).To(HaveExactElements(HaveField("Preflight", true), HaveField("Status", contract.Requests.SignIn.Answered)))

		read, _ = ada.Call(ctx, wrong)
		Expect(read).To(And(HaveField("Refused", ""), HaveField("Status", contract.Requests.SignIn.Refused)))

		strange := right
		strange.Headers = maps.Clone(right.Headers)
		strange.Headers["x-crossing-unknown"] = "1"
		stays(ctx, ada, strange, "a header that is not allowed")
		sandboxed := right
		sandboxed.Sandboxed = true
		stays(ctx, ada, sandboxed, "a sandboxed frame, whose origin is null")
		ada.Walk(ctx, ada.Way.Leave())
		stays(ctx, ada, right, "a stranger's page")
	})
}, rig.Profiles())

// stays says that a call stays where it is: the preflight is asked, the
// request never follows, and the page reads nothing.
func stays(ctx SpecContext, v *rig.Visitor, c rig.Call, of string) {
	GinkgoHelper()
	read, seen := v.Call(ctx, c)
	Expect(read.Refused).NotTo(BeEmpty(), of)
	Expect(read.Body).To(BeEmpty(), of)
	Expect(seen).To(HaveEach(HaveField("Preflight", true)), of)
}

// withHeader asks leave for one header more.
func withHeader(q rig.Question, name string) rig.Question {
	q.Header = q.Header.Clone()
	q.Header.Set("Access-Control-Request-Headers", q.Header.Get("Access-Control-Request-Headers")+","+name)
	return q
}
