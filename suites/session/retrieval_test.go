package session_test

import (
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"crossing/harness/browser"
	. "crossing/harness/match"
	"crossing/harness/trace"
	"crossing/suites/internal/rig"
)

var _ = DescribeTableSubtree("retrieval", func(profile browser.Profile) {
	signedIn := func(ctx SpecContext) *rig.Visitor {
		GinkgoHelper()
		ada := app.Visit(ctx, profile, "ada")
		ada.Walk(ctx, ada.Way.Enter(ada.Person))
		Eventually(ctx, ada.Standing).Should(BeSignedInAs(ada.Person.Email))
		return ada
	}

	It("names this person on every instance, from the first call after sign-in on", SpecTimeout(rig.Limit), func(ctx SpecContext) {
		ada := signedIn(ctx)
		for range app.Instances(trace.RoleAuth) {
			ada.Walk(ctx, ada.Way.Reload())
			Eventually(ctx, ada.Standing).Should(BeSignedInAs(ada.Person.Email))
		}

		answers := ada.SessionsSinceSignIn()
		for i, e := range answers {
			person, _ := app.PersonIn(e)
			Expect(person).To(Equal(ada.Person.Email), "call %d after sign-in, answered by %s", i+1, e.Instance)
		}
		Expect(rig.InstancesOf(answers)).To(ConsistOf(app.Instances(trace.RoleAuth)))
	})

	It("finds nobody for a person who is not signed in", SpecTimeout(rig.Limit), func(ctx SpecContext) {
		bob := app.Visit(ctx, profile, "bob")
		bob.Walk(ctx, bob.Way.Home())
		for _, e := range bob.AskForSession(ctx, len(app.Instances(trace.RoleAuth))) {
			Expect(e).To(BeStatus(200))
			_, nobody := app.PersonIn(e)
			Expect(nobody).To(BeTrue(), "%s", e.Response.Body)
		}
	})

	It("rests on a row that belongs to the cookie", SpecTimeout(rig.Limit), func(ctx SpecContext) {
		rows := app.Database()
		ada := signedIn(ctx)

		row, found, err := rows.Session(ctx, ada.SessionToken())
		Expect(err).NotTo(HaveOccurred())
		Expect(found).To(BeTrue(), "there is no session row for the cookie that sign-up set")
		Expect(row.Person).To(Equal(ada.Person.Email))
		lifetime := time.Duration(app.Target().Contract.Cookie.Lifetime) * time.Second
		Expect(row.Expires).To(BeTemporally("~", ada.EntryAnswer().Time.Add(lifetime), 10*time.Second))

		if ada.ShowsCookie() {
			Expect(ada.Jar(ctx)).To(HaveCookie(app.Target().Contract.Cookie.Name).WithDigest(ada.SessionDigest()))
		}
		_, found, err = rows.Session(ctx, ada.SessionToken()+"x")
		Expect(err).NotTo(HaveOccurred())
		Expect(found).To(BeFalse(), "a token that nobody was given has a row")
	})

	It("is never cacheable", SpecTimeout(rig.Limit), func(ctx SpecContext) {
		ada := signedIn(ctx)
		for _, e := range ada.Exchanges(trace.RoleAuth, http.MethodGet, ada.Way.Contract.Paths.Session) {
			Expect(e).To(NotBeCacheable())
		}
	})

	It("is null once the row has gone", SpecTimeout(rig.Limit), func(ctx SpecContext) {
		rows := app.Database()
		ada := signedIn(ctx)
		Expect(ada.FoundBy(ctx)).To(HaveEach(trace.AnswerPresent))

		Expect(rows.Revoke(ctx, ada.SessionToken())).To(Succeed())

		Expect(ada.FoundBy(ctx)).To(HaveEach(trace.AnswerAbsent))
		ada.Walk(ctx, ada.Way.Reload())
		Eventually(ctx, ada.Standing).Should(BeSignedOut())
		Expect(ada.Diagnose(ctx)).To(BeExplainedBy("session-row-missing"))
	})

	It("is null once the row has expired", SpecTimeout(rig.Limit), func(ctx SpecContext) {
		rows := app.Database()
		ada := signedIn(ctx)
		Expect(ada.FoundBy(ctx)).To(HaveEach(trace.AnswerPresent))

		Expect(rows.Age(ctx, ada.SessionToken(), -time.Minute)).To(Succeed())

		Expect(ada.FoundBy(ctx)).To(HaveEach(trace.AnswerAbsent))
		ada.Walk(ctx, ada.Way.Reload())
		Eventually(ctx, ada.Standing).Should(BeSignedOut())
	})
}, rig.Profiles())
