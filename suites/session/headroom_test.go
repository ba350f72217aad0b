package session_test

import (
	"fmt"
	"net/http"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"crossing/harness/browser"
	"crossing/harness/edge"
	"crossing/harness/headroom"
	. "crossing/harness/match"
	"crossing/suites/internal/rig"
)

// Every visitor of every spec is measured; here one walks the whole way.
var _ = DescribeTableSubtree("headroom", func(profile browser.Profile) {
	// given is a person who signs up, and is given cookies of these sizes, in
	// bytes, besides the session's.
	given := func(ctx SpecContext, sizes ...int) *rig.Visitor {
		GinkgoHelper()
		app.NeedsPartitions(ctx, profile)
		ada := app.Visit(ctx, profile, "ada", rig.Oversize())
		ada.Line.Break(edge.Fault{
			Name: fmt.Sprintf("cookies of %v bytes", sizes),
			When: func(r *http.Request) bool {
				paths := ada.Way.Contract.Paths
				return (r.URL.Path == paths.SignUp || r.URL.Path == paths.SignIn) && !edge.IsPreflight(r)
			},
			Response: func(res *http.Response) error {
				for i, bytes := range sizes {
					name := fmt.Sprintf("fat-%d", i)
					res.Header.Add("Set-Cookie", name+"="+strings.Repeat("x", bytes-len(name))+"; Path=/; Secure; SameSite=None; Partitioned")
				}
				return nil
			},
		})
		ada.Walk(ctx, ada.Way.Enter(ada.Person))
		return ada
	}

	It("is left by the cookies and headers of a person's whole way", SpecTimeout(rig.Limit), func(ctx SpecContext) {
		app.NeedsTokens()
		ada := app.Visit(ctx, profile, "ada")
		ada.Walk(ctx, ada.Way.Enter(ada.Person), ada.Way.Account(), ada.Way.CallAPI())
		_, err := ada.Jar(ctx)
		Expect(err).NotTo(HaveOccurred())

		seen := ada.Recorder.Snapshot()
		Expect(seen).To(KeepHeadroom())
		for _, use := range headroom.Measure(seen) {
			if use.Limit == headroom.Cookie || use.Limit == headroom.Header || use.Limit == headroom.Headers {
				Expect(use.Used).To(BeNumerically(">", 0), "nothing was measured of %s", use.Title)
			}
		}
	})

	It("is gone with a cookie of 4097 bytes, which the browser drops without a word", SpecTimeout(rig.Limit), func(ctx SpecContext) {
		ada := given(ctx, 4097, 4095)
		Expect(ada.Recorder.Snapshot()).NotTo(KeepHeadroom())
		Eventually(ctx, ada.Jar).Should(HaveCookie("fat-1"))
		Expect(ada.Jar(ctx)).NotTo(HaveCookie("fat-0"))
	})

	It("is gone with 24 KiB of cookies in one partition, of which no browser keeps all", SpecTimeout(rig.Limit), func(ctx SpecContext) {
		ada := given(ctx, 4000, 4000, 4000, 4000, 4000, 4000)
		Expect(ada.Recorder.Snapshot()).NotTo(KeepHeadroom())
		Eventually(ctx, ada.Jar).Should(HaveCookie("fat-5"))
		Expect(ada.Jar(ctx)).NotTo(SatisfyAll(HaveCookie("fat-0"), HaveCookie("fat-1"), HaveCookie("fat-2"), HaveCookie("fat-3"), HaveCookie("fat-4")))
	})
}, rig.Profiles())
