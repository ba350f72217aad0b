package diagnose

import (
	"slices"
	"strings"
	"testing"

	"crossing/harness/trace"
)

// What is asked without a browser is judged by what any service says of itself;
// what a spec asks there to be refused is no fault.
func TestWhatIsAskedWithoutABrowser(t *testing.T) {
	outside := func(x exchange) Diagnosis {
		k := living(chromium())
		k.t.Profile, k.t.Exchanges = trace.NoBrowser, nil
		x.outside = true
		k.ask(x)
		return Explain(k.t)
	}
	session, signIn := "/api/auth/get-session", "/api/auth/sign-in/email"
	for what, c := range map[string]struct {
		asked exchange
		want  []string
	}{
		"a setting that is refused": {exchange{path: session, instance: "auth-1", answer: refusesWith(503, "SECRET_SHORT")}, []string{"auth-misconfigured"}},
		"an origin not trusted":     {exchange{path: signIn, method: "POST", instance: "auth-1", answer: refusesWith(403, "INVALID_ORIGIN")}, []string{"origin-not-trusted"}},
		"no CORS lines":             {exchange{path: session, instance: "auth-1", answer: answer{status: 200, body: "null", noCORS: true}}, []string{"cors-refused"}},
		"a limiter":                 {exchange{path: signIn, method: "POST", instance: "auth-1", answer: answer{status: 429}}, []string{"rate-limited"}},
		"nobody answers":            {exchange{path: session, answer: answer{status: 502, edge: true, err: "auth-1 refused the connection"}}, []string{"upstream-gone"}},
		"a database that is gone":   {exchange{path: session, instance: "auth-1", answer: refusesWith(503, "DATABASE_REFUSED")}, []string{"database-fault"}},
		"nobody's session":          {exchange{path: session, instance: "auth-1", answer: says200("null")}, nil},
		"a wrong password":          {exchange{path: signIn, method: "POST", instance: "auth-1", answer: refusesWith(401, "INVALID_EMAIL_OR_PASSWORD")}, nil},
		"a header too many":         {exchange{path: session, method: "OPTIONS", instance: "auth-1", announces: "GET", headers: "x-unknown", answer: answer{status: 204}}, nil},
		"an error on purpose":       {exchange{path: session, instance: "auth-1", answer: refusesWith(500, "FAILED_TO_GET_SESSION")}, nil},
		"a broken token":            {exchange{path: "/me", origin: api, instance: "api", answer: apiRefuses("InvalidSignatureError: x"), token: &trace.Token{}}, nil},
	} {
		d := outside(c.asked)
		switch {
		case !slices.Equal(causes(d), append([]string{}, c.want...)):
			t.Errorf("%s: causes %v, want %v:\n%s", what, causes(d), c.want, d)
		case c.want == nil && d.Verdict != VerdictUnjudged:
			t.Errorf("%s: verdict %s", what, d.Verdict)
		case c.want != nil && !strings.HasPrefix(d.Sentence(), "What was asked was refused because "):
			t.Errorf("%s: %s", what, d.Sentence())
		}
	}
}
