package preview_test

import (
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"crossing/harness/browser"
	"crossing/harness/journey"
	"crossing/harness/lint"
	. "crossing/harness/match"
	"crossing/harness/trace"
	"crossing/suites/internal/rig"
)

var _ = Describe("the wall", rig.AnyProfile(), func() {
	It("stands before whoever has no secret, in each form, and is never the application's own answer", SpecTimeout(rig.Limit), func(ctx SpecContext) {
		origins, paths := app.Target().Origins, app.Target().Contract.Paths
		stranger := app.WithoutBypass("stranger")
		for _, origin := range app.Protected() {
			document := stranger.Ask(ctx, rig.Question{URL: origin + "/", Header: http.Header{"Sec-Fetch-Dest": {"document"}, "Accept": {"text/html"}}})
			Expect(lint.Wall(document)).NotTo(BeEmpty(), "a document of %s: %d", origin, document.Status)
			script := stranger.Ask(ctx, rig.Question{URL: origin + "/", Origin: origins.Frontend, Header: http.Header{"Sec-Fetch-Dest": {"empty"}, "Accept": {"application/json"}}})
			Expect(lint.Wall(script)).NotTo(BeEmpty(), "a script's request to %s: %d", origin, script.Status)
		}

		known := app.Caller("page")
		own := known.Ask(ctx, rig.Question{URL: origins.Auth + paths.Session, Origin: origins.Frontend})
		Expect(lint.Wall(own)).To(BeEmpty(), "with the secret, %s answers %d", own.Origin, own.Status)
		if origins.API != "" && paths.API != "" {
			own = known.Ask(ctx, rig.Question{URL: origins.API + paths.API, Origin: origins.Frontend})
			Expect(own).To(BeStatus(401), "the api's own refusal of a call without a token")
			Expect(lint.Wall(own)).To(BeEmpty())
		}
	})
})

var _ = DescribeTableSubtree("the bypass", func(profile browser.Profile) {
	It("lets documents, scripts and their preflights through, and the browser sees nothing of it", SpecTimeout(rig.Limit), func(ctx SpecContext) {
		app.Protected()
		ada := app.Visit(ctx, profile, "ada", rig.Refused(), rig.Expecting("unexpected-401"))
		ada.Walk(ctx, ada.Way.Home())
		Eventually(ctx, ada.Standing).Should(BeSignedOut())

		refused := app.Target().Contract.Requests.SignIn.Refused
		read, seen := ada.Call(ctx, ada.ToSignIn(ctx, journey.NewPerson("nobody")))
		Expect(read).To(And(HaveField("Refused", ""), HaveField("Status", refused)), "the application's own refusal must reach the page")
		Expect(seen).To(HaveExactElements(HaveField("Preflight", true), HaveField("Status", refused)))

		for _, e := range ada.Recorder.Snapshot().Exchanges {
			Expect(lint.Wall(e)).To(BeEmpty(), "%s %s%s", e.Method, e.Origin, e.Path)
			Expect(e.Leak).To(BeEmpty(), "%s %s%s", e.Method, e.Origin, e.Path)
			Expect(e.Request.Get("X-Vercel-Protection-Bypass")).To(BeEmpty(), "the browser sends it")
		}
		jar, err := ada.Jar(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(jar.Cookies).NotTo(ContainElement(HaveField("Name", "_vercel_jwt")))
	})

	It("is told when it shows: an address that holds it is a leak", SpecTimeout(rig.Limit), func(ctx SpecContext) {
		app.Protected()
		ada := app.Visit(ctx, profile, "ada", rig.Refused(), rig.Expecting("secret-leaked", "unexpected-401"))
		ada.Walk(ctx, ada.Way.Home())
		e := ada.Fetch(ctx, ada.Way.Origins.Auth+ada.Way.Contract.Paths.Session, "omit")
		Expect(e.Leak).To(BeEmpty())

		ada.CallWithBypass(ctx, ada.Way.Origins.Auth+ada.Way.Contract.Paths.Session)
		Expect(ada.Last(trace.RoleAuth, http.MethodGet, ada.Way.Contract.Paths.Session).Leak).To(ContainSubstring("the request's address"))
	})
}, rig.Profiles())
