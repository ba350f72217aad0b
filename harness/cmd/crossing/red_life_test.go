package main

import (
	"regexp"
	"strings"
	"testing"

	"crossing/reports"
)

// Each check group of a session's later life turns red when its subject is
// broken by a setting that people do set; the green twins are the suite's own
// runs. The specs are the cheapest that prove it: only one needs a browser.
func TestACheckGroupFailsWhenItsSubjectIsBroken(t *testing.T) {
	const trusting = "https://docs.crossing-front.com,https://www.crossing-stranger.org"
	for _, c := range []struct {
		group, one, set string
		says            string // regular expression, of the failure's message
	}{
		{
			// Sessions are as long as the age at which they would be lengthened.
			"refresh", "sends the cookie again as agreed once a session is due", "auth.SESSION_UPDATE_AGE=604800",
			`Expected the answer to set __Secure-better-auth\.session_token as agreed\n.*\n.*\n.*set that name 0 times`,
		},
		{
			// What was revoked is answered out of a cookie for five minutes more.
			"sign-out", "sign-out chromium comes to whoever was revoked elsewhere", "auth.SESSION_CACHE=300",
			`signed out\n.*\n\s+signed in as ada\.\w+@crossing\.example by cookie`,
		},
		{
			"isolation", "refuses a session cookie that comes with another origin", "auth.TRUSTED_ORIGINS=" + trusting,
			`Expected the answer 403 to\n\s+POST https://auth\.crossing-back\.net/api/auth/sign-out → 200`,
		},
		{
			"CORS", "says no to every other origin", "api.ALLOWED_ORIGINS=" + trusting,
			`Access-Control-Allow-Origin: https://www\.crossing-stranger\.org`,
		},
	} {
		t.Run(c.group, func(t *testing.T) {
			t.Parallel()
			f := runOne(t, c.one, c.set)
			if f.status != exitFailed || f.run.Counts.Failed != 1 || len(f.run.Specs) != 1 {
				t.Fatalf("want status %d and one failed spec: %s", exitFailed, f)
			}
			spec := f.run.Specs[0]
			if !strings.HasPrefix(spec.Behaviour, c.group) || spec.State != reports.Failed {
				t.Errorf("the spec that failed is %s, of %s", spec.Text, spec.Behaviour)
			}
			if !regexp.MustCompile(c.says).MatchString(spec.Message) {
				t.Errorf("its message does not say %s:\n%s", c.says, spec.Message)
			}
			holdsNoSecret(t, f, "")
		})
	}
}
