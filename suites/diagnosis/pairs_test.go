package diagnosis_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"crossing/fixtures/faults"
	"crossing/harness/browser"
	"crossing/suites/internal/rig"
)

// Pairs of faults of different groups, the earlier hop first. Where the first
// one costs the cookie, the bearer token carries the walk on to the second.
var pairs = [][2]string{
	{"cookie-no-partitioned", "issuer-differs"},
	{"cookie-samesite-lax", "audience-differs"},
	{"cookie-secure-stripped", "keys-of-another-environment"},
	{"cookie-domain-foreign", "algorithm-not-allowed"},
	{"cookie-path", "api-clock-ahead"},
	{"cookie-dropped", "auth-clock-behind"},
	{"cookie-too-large", "authorization-stripped"},
	{"cookie-samesite-strict", "key-unknown"},
	{"cookie-samesite-absent", "keys-unreachable"},
	{"cookie-domain-public-suffix", "token-altered"},
	{"cookie-partitioned-insecure", "auth-clock-ahead"},
	{"cookie-too-large", "session-token-sent"},
	{"cookie-no-partitioned", "cors-no-authorization"},
	{"cookie-samesite-lax", "errors-without-cors"},
	{"cookie-secure-stripped", "cors-wrong-origin"},
	{"cookie-path", "token-cached"},
	{"cookie-dropped", "cors-no-authorization"},
	{"cookie-domain-foreign", "wall-before-api"},
	{"cookie-dropped", "wall-before-api"},
	{"cookie-samesite-absent", "wall-before-api"},
	{"cookie-no-partitioned", "session-row-deleted"},
	{"cookie-samesite-lax", "user-deleted"},
	{"cookie-secure-stripped", "session-row-expired"},
	{"cookie-domain-public-suffix", "session-row-deleted"},
	{"cookie-dropped", "user-deleted"},
	{"cookie-no-partitioned", "secrets-differ"},
	{"cookie-path", "issuer-follows-host"},
	{"cookie-samesite-strict", "secret-rotated"},
	{"calls-without-credentials", "issuer-differs"},
	{"calls-without-credentials", "audience-differs"},
	{"calls-without-credentials", "wall-before-api"},
	{"calls-without-credentials", "cors-no-authorization"},
}

func init() {
	for _, names := range pairs {
		first, one := faults.Named(names[0])
		second, two := faults.Named(names[1])
		shows := func(profile string) bool { return first.ShowsOn(profile) && second.ShowsOn(profile) }
		DescribeTableSubtree("pairs", func(profile browser.Profile) {
			It(names[0]+" and "+names[1], SpecTimeout(rig.Limit), func(ctx SpecContext) {
				Expect(one).NotTo(HaveOccurred())
				Expect(two).NotTo(HaveOccurred())
				Expect(first.Group).NotTo(Equal(second.Group))

				d := suffers(ctx, profile, first, second)

				Expect(causes(d)).To(Equal([]string{first.Cause, second.Cause}), "%s; %s:\n%s", first.Breaks, second.Breaks, d)
			})
		}, rig.ProfilesWhere(shows))
	}
}
