package diagnose

import (
	"slices"
	"testing"

	"crossing/harness/trace"
)

// named changes, so that any of the first group can meet any of the second.
type fault struct {
	cause string
	make  func(*world)
}

// The frontend's bearer token keeps the journey going after the cookie is
// lost, so that both faults of a pair show.
func TestPairsAreBothNamed(t *testing.T) {
	cookie := func(attributes, reason string) func(*world) {
		return func(w *world) { drops(attributes, reason)(w); w.fallback = true }
	}
	first := []fault{
		{"cookie-not-partitioned", cookie("Path=/; HttpOnly; Secure; SameSite=None", "UserPreferences")},
		{"cookie-samesite", cookie("Path=/; HttpOnly; Secure; SameSite=Lax; Partitioned", "SchemefulSameSiteLax")},
		{"cookie-not-secure", cookie("Path=/; HttpOnly; SameSite=None; Partitioned", "InvalidPrefix")},
		{"cookie-domain", cookie(agreedTo+"; Domain=elsewhere.net", "InvalidDomain")},
		{"cookie-path", func(w *world) { drops("Path=/x; HttpOnly; Secure; SameSite=None; Partitioned")(w); w.fallback = true }},
	}
	second := []fault{
		{"rate-limited", token(answer{status: 429})},
		{"signature-refused", observes(observed(trace.ObserveSignature, "auth-1", trace.AnswerYes), observed(trace.ObserveSignature, "auth-2", trace.AnswerNo))},
		{"database-fault", everySession(refusesWith(500, "FAILED_TO_GET_SESSION"))},
		{"session-row-missing", func(w *world) {
			everySession(gone)(w)
			observes(observed(trace.ObserveRow, "", trace.AnswerAbsent))(w)
		}},
		{"cors-refused", apiSays(answer{status: 200, noCORS: true})},
		{"token-issuer", apiSays(apiRefuses("InvalidIssuerError: x"))},
		{"token-audience", apiSays(apiRefuses("InvalidAudienceError: x"))},
		{"token-key-unknown", apiSays(apiRefuses("PyJWKClientError: no key"))},
	}
	for _, a := range first {
		for _, b := range second {
			d := Explain(with(chromium(), a.make, b.make).walk())
			if got, want := causes(d), []string{a.cause, b.cause}; !slices.Equal(got, want) {
				t.Errorf("causes %v, want %v:\n%s", got, want, d)
			}
		}
	}
}

func TestMorePairs(t *testing.T) {
	for _, c := range []struct {
		want []string
		w    world
	}{
		{[]string{"cookie-not-partitioned", "cookie-samesite"}, with(chromium(), drops("Path=/; HttpOnly; Secure; SameSite=Lax", "UserPreferences"))},
		{[]string{"cookie-samesite", "cookie-path"}, with(chromium(), drops("Path=/x; HttpOnly; Secure; SameSite=Strict; Partitioned"))},
		{[]string{"third-party-cookies-refused", "cookie-samesite"}, with(webkit(), noFallback, drops("Path=/; HttpOnly; Secure; SameSite=Lax; Partitioned"))},
		// What this engine makes of an absent Partitioned does not matter: it
		// drops the cookie either way.
		{[]string{"third-party-cookies-refused"}, with(webkit(), noFallback, drops("Path=/; HttpOnly; Secure; SameSite=None"))},
		{[]string{"third-party-cookies-refused"}, with(webkit(), noFallback, drops("Path=/; HttpOnly; Secure; Partitioned"))},
		{[]string{"database-fault", "token-issuer"}, with(chromium(), on("auth-1", refusesWith(500, "FAILED_TO_GET_SESSION")), apiSays(apiRefuses("InvalidIssuerError: x")))},
		{[]string{"signature-refused", "token-expired"}, with(webkit(), observes(observed(trace.ObserveSignature, "auth-3", trace.AnswerNo)), apiSays(apiRefuses("ExpiredSignatureError: x")))},
	} {
		if d := Explain(c.w.walk()); !slices.Equal(causes(d), c.want) {
			t.Errorf("causes %v, want %v:\n%s", causes(d), c.want, d)
		}
	}
}

// A failed token call leaves the api with "Bearer undefined": that second
// failure must stand among the consequences, never among the causes.
func TestConsequencesAreNotCauses(t *testing.T) {
	d := Explain(with(chromium(), noFallback, everySession(refusesWith(500, "FAILED_TO_GET_SESSION")), token(answer{status: 401})).walk())
	if got := causes(d); !slices.Equal(got, []string{"database-fault"}) {
		t.Fatalf("causes %v, want database-fault alone", got)
	}
	if after := d.Findings[0].Consequences; !slices.Contains(after, "e8 GET "+api+"/me → 401 x (api)") {
		t.Errorf("the api's 401 is no consequence: %q", after)
	}
}

// What does not follow from the cause found is left open, not put down to it.
func TestTheUnexplainedIsLeftOpen(t *testing.T) {
	d := Explain(with(chromium(), drops("Path=/; HttpOnly; Secure; SameSite=None", "UserPreferences"), func(w *world) { w.fallback = true }, apiSays(apiRefuses("InvalidSubjectError: x"))).walk())
	if !slices.Equal(causes(d), []string{"cookie-not-partitioned"}) || len(d.Unexplained) != 1 {
		t.Errorf("causes %v, unexplained %q:\n%s", causes(d), d.Unexplained, d)
	}
}
