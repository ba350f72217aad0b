package diagnose

import (
	"slices"
	"strings"
	"testing"
	"time"

	"crossing/harness/trace"
)

func observed(name, instance, answer string) trace.Observation {
	return trace.Observation{Name: name, Instance: instance, Answer: answer}
}

func observes(all ...trace.Observation) func(*world) {
	return func(w *world) { w.observe = append(w.observe, all...) }
}

// drops makes the browser drop a cookie with these attributes.
func drops(attributes string, reasons ...string) func(*world) {
	return func(w *world) { w.cookie, w.keeps, w.refused, w.fallback = attributes, false, reasons, false }
}

func keeps(w *world)      { w.keeps = true }
func noFallback(w *world) { w.fallback = false }
func unmeasured(w *world) { w.unmeasured = true }

// on makes one instance answer get-session in its own way.
func on(instance string, a answer) func(*world) {
	return func(w *world) {
		w.session = func(i string) answer {
			if i == instance {
				return a
			}
			return says200(person)
		}
	}
}

func everySession(a answer) func(*world) {
	return func(w *world) { w.session = func(string) answer { return a } }
}
func token(a answer) func(*world) {
	return func(w *world) { w.token = func(string) answer { return a } }
}
func apiSays(a answer) func(*world) { return func(w *world) { w.api = func() answer { return a } } }
func signIn(a answer) func(*world)  { return func(w *world) { w.signIn = func() answer { return a } } }

func named(n string) func(*world) { return func(w *world) { w.cookieName = n } }

func logs(instance, path, text string) func(*world) {
	return func(w *world) {
		w.logs = func(t *trace.Trace) []trace.LogLine {
			return []trace.LogLine{{Instance: instance, Request: requestOf(t, path, instance), Text: text}}
		}
	}
}

func sendsToken(change func(*trace.Token)) func(*world) {
	return func(w *world) {
		w.apiToken = &trace.Token{Digest: "hmac:0bb000000000", Algorithm: "EdDSA", KeyID: "k1", Issuer: auth, Audience: []string{auth},
			IssuedAt: start, Expires: start.Add(15 * time.Minute)}
		change(w.apiToken)
	}
}

var gone = answer{status: 200, body: "null", cookies: []string{name + "=" + cleared, "__Secure-better-auth.session_data=" + cleared, "__Secure-better-auth.dont_remember=" + cleared}}

// A deployment's answers come in the name of its one instance, the platform's
// own too, and those have no CORS lines.
var (
	walledOff         = answer{status: 401, noCORS: true, body: `{"error":{"message":"Protected deployment"},"protection":{"vercel_auth_callback":"https://vercel.com/sso-api"}}`}
	superseded        = answer{status: 404, noCORS: true, header: []trace.Field{{Name: "X-Vercel-Error", Value: "DEPLOYMENT_NOT_FOUND"}}}
	limitedByPlatform = answer{status: 429, noCORS: true, header: []trace.Field{{Name: "X-Vercel-Error", Value: "FUNCTION_THROTTLED"}}}
)

// scenario is a world in which a cause is true; twin is the same world with
// the one thing changed that makes it untrue, and must be healthy.
type scenario struct {
	cause    string
	what     string
	world    world
	hop      Hop
	instance string
	verdict  Verdict
	// sentence is how the first line begins.
	sentence string
	twin     world
}

var cases = []scenario{
	{"third-party-cookies-refused", "measured, fallback off", with(webkit(), noFallback), HopBrowser, "auth-1", VerdictLost,
		"The session was lost because WebKitGTK 2.50.6 keeps no third-party cookies, not even Partitioned ones, so " + name + " from auth-1 was dropped", webkit()},
	{"third-party-cookies-refused", "the browser's own word about a faultless cookie", with(chromium(), drops(agreedTo, "UserPreferences"), unmeasured), HopBrowser, "auth-1", VerdictLost,
		"The session was lost because Chromium 156.0 keeps no third-party cookies", chromium()},
	{"cookie-not-partitioned", "measured", with(chromium(), drops("Max-Age=604800; Path=/; HttpOnly; Secure; SameSite=None", "UserPreferences")), HopBrowser, "auth-1", VerdictLost,
		"The session was lost because auth-1 set " + name + " without Partitioned, and Chromium 156.0 keeps no third-party cookie without it.",
		with(chromium(), drops("Max-Age=604800; Path=/; HttpOnly; Secure; SameSite=None"), keeps)},
	{"cookie-not-partitioned", "not measured, by the word of another mode", with(chromium(), drops("Max-Age=604800; Path=/; HttpOnly; Secure; SameSite=None", "ThirdPartyPhaseout"), unmeasured), HopBrowser, "auth-1", VerdictLost,
		"The session was lost because auth-1 set " + name + " without Partitioned", chromium()},
	{"cookie-not-partitioned", "the bearer token hides it", with(chromium(), drops("Max-Age=604800; Path=/; HttpOnly; Secure; SameSite=None", "UserPreferences"), func(w *world) { w.fallback = true }), HopBrowser, "auth-1", VerdictLost,
		"The session cookie was lost because auth-1 set " + name + " without Partitioned", chromium()},
	{"cookie-samesite", "Lax", with(chromium(), drops("Path=/; HttpOnly; Secure; SameSite=Lax; Partitioned", "SchemefulSameSiteLax")), HopBrowser, "auth-1", VerdictLost,
		"The session was lost because auth-1 set " + name + " with SameSite=Lax", with(chromium(), drops("Path=/; HttpOnly; Secure; SameSite=Lax; Partitioned"), keeps)},
	{"cookie-samesite", "Strict, masked", with(chromium(), drops("Path=/; HttpOnly; Secure; SameSite=Strict; Partitioned", "UserPreferences")), HopBrowser, "auth-1", VerdictLost,
		"The session was lost because auth-1 set " + name + " with SameSite=Strict", chromium()},
	{"cookie-samesite", "absent", with(chromium(), drops("Path=/; HttpOnly; Secure; Partitioned", "SameSiteUnspecifiedTreatedAsLax")), HopBrowser, "auth-1", VerdictLost,
		"The session was lost because auth-1 set " + name + " without SameSite", chromium()},
	{"cookie-not-secure", "stripped", with(chromium(), drops("Path=/; HttpOnly; SameSite=None; Partitioned", "InvalidPrefix")), HopBrowser, "auth-1", VerdictLost,
		"The session was lost because auth-1 set " + name + " without Secure, which the name's prefix __Secure- demands.", chromium()},
	{"cookie-partitioned-without-secure", "no prefix", with(chromium(), drops("Path=/; HttpOnly; SameSite=None; Partitioned"), named("better-auth.session_token"), agreedName("better-auth.session_token")), HopBrowser, "auth-1", VerdictLost,
		"The session was lost because auth-1 set better-auth.session_token with Partitioned but without Secure", chromium()},
	{"cookie-prefix", "__Host- with Domain", with(chromium(), drops(agreedTo+"; Domain=crossing-back.net", "InvalidPrefix"), named("__Host-better-auth.session_token"), agreedName("__Host-better-auth.session_token")), HopBrowser, "auth-1", VerdictLost,
		"The session was lost because auth-1 set __Host-better-auth.session_token with Domain=crossing-back.net", chromium()},
	{"cookie-domain", "another host", with(chromium(), drops(agreedTo+"; Domain=elsewhere.net", "InvalidDomain")), HopBrowser, "auth-1", VerdictLost,
		"The session was lost because auth-1 set " + name + " with Domain=elsewhere.net, which is not a parent of auth.crossing-back.net.",
		with(chromium(), drops(agreedTo+"; Domain=crossing-back.net"), keeps)},
	{"cookie-domain", "public suffix", with(chromium(), drops(agreedTo+"; Domain=net", "InvalidDomain")), HopBrowser, "auth-1", VerdictLost,
		"The session was lost because auth-1 set " + name + " with Domain=net, which is a public suffix", chromium()},
	{"cookie-path", "below another folder", with(chromium(), drops("Path=/auth; HttpOnly; Secure; SameSite=None; Partitioned"), func(w *world) { w.jarOnly = true }), HopBrowser, "auth-1", VerdictLost,
		"The session was lost because auth-1 set " + name + " with Path=/auth, which does not cover /api/auth/get-session.",
		with(chromium(), drops("Path=/api/auth; HttpOnly; Secure; SameSite=None; Partitioned"), keeps)},
	{"calls-without-credentials", "Chromium's mark is missing", with(chromium(), noFallback, func(w *world) { w.keeps, w.omits = false, true }), HopBrowser, "auth-1", VerdictLost,
		"The session was lost because the frontend calls " + auth + " without credentials", chromium()},
	{"cookie-not-set", "dropped on the way", with(chromium(), noFallback, func(w *world) { w.keeps, w.noCookie = false, true }), HopEdge, "auth-1", VerdictLost,
		"The session was lost because the answer to the sign-in e3 reached the browser without the cookie " + name, with(webkit(), func(w *world) { w.noCookie = true })},
	{"deployment-protected", "answered in an instance's name", with(chromium(), everySession(walledOff), token(walledOff)), HopEdge, "auth-1", VerdictRefused,
		"The session could not be retrieved because the platform's deployment protection answered", chromium()},
	{"platform-failed", "a superseded build", with(chromium(), everySession(superseded), token(superseded)), HopEdge, "auth-1", VerdictRefused,
		"The session could not be retrieved because the platform answered", chromium()},
	{"platform-failed", "its own limit", with(chromium(), everySession(limitedByPlatform), token(limitedByPlatform)), HopEdge, "auth-1", VerdictRefused,
		"The session could not be retrieved because the platform answered", chromium()},
	{"upstream-gone", "the edge's own 502", with(chromium(), everySession(answer{status: 502, edge: true, err: "auth-1 refused the connection"}), token(answer{status: 502, edge: true, err: "auth-1 refused the connection"})), HopEdge, "", VerdictRefused,
		"The session could not be retrieved because the auth service at " + auth + " did not answer GET /api/auth/get-session", chromium()},
	{"rate-limited", "sign-in", with(chromium(), signIn(answer{status: 429, body: `{"message":"Too many requests"}`, header: []trace.Field{{Name: "X-Retry-After", Value: "7"}}})), HopAuth, "auth-1", VerdictNever,
		"Nobody was signed in because the auth service (auth-1) limited the visitor's calls", chromium()},
	{"cors-refused", "preflight without allow-origin", with(chromium(), func(w *world) { w.preflight = func(string) answer { return answer{status: 204, noCORS: true} } }), HopAuth, "auth-1", VerdictNever,
		"Nobody was signed in because the auth service (auth-1) does not let " + front + " send POST /api/auth/sign-in/email: no Access-Control-Allow-Origin.", chromium()},
	{"cors-refused", "the api's answer", with(chromium(), apiSays(answer{status: 200, noCORS: true, body: "{}"})), HopAPI, "api", VerdictRefused,
		"The call to the api failed because the api does not let " + front + " read its answer to GET /me", chromium()},
	{"auth-misconfigured", "503 with a code", with(chromium(), signIn(refusesWith(503, "SECRET_SHORT"))), HopAuth, "auth-1", VerdictNever,
		"Nobody was signed in because the auth service (auth-1) refuses to work: SECRET_SHORT.", chromium()},
	{"origin-not-trusted", "BetterAuth's word", with(chromium(), signIn(refusesWith(403, "INVALID_ORIGIN"))), HopAuth, "auth-1", VerdictNever,
		"Nobody was signed in because the auth service (auth-1) does not trust the origin " + front, chromium()},
	{"origin-not-trusted", "refused at the preflight", with(chromium(), func(w *world) {
		w.preflight = func(string) answer {
			return answer{status: 403, noCORS: true, body: `{"code":"ORIGIN_NOT_TRUSTED","message":"…"}`}
		}
	}), HopAuth, "auth-1", VerdictNever, "Nobody was signed in because the auth service (auth-1) does not trust the origin " + front, chromium()},
	{"origin-missing", "taken away", with(chromium(), signIn(refusesWith(403, "MISSING_OR_NULL_ORIGIN"))), HopAuth, "auth-1", VerdictNever,
		"Nobody was signed in because the auth service (auth-1) was asked without an Origin", chromium()},
	{"sign-in-refused", "wrong password", with(chromium(), signIn(refusesWith(401, "INVALID_EMAIL_OR_PASSWORD"))), HopAuth, "auth-1", VerdictNever,
		"Nobody was signed in because the auth service (auth-1) refused the sign-in: 401 INVALID_EMAIL_OR_PASSWORD.", chromium()},
	{"signature-refused", "observed", with(chromium(), noFallback, on("auth-2", says200("null")),
		observes(observed(trace.ObserveRow, "", trace.AnswerPresent), observed(trace.ObserveSignature, "auth-1", trace.AnswerYes), observed(trace.ObserveSignature, "auth-2", trace.AnswerNo))),
		HopAuth, "auth-2", VerdictLost, "The session was lost because auth-2 refuses the cookie that auth-1 signed: their secrets differ.",
		with(chromium(), observes(observed(trace.ObserveSignature, "auth-1", trace.AnswerYes), observed(trace.ObserveSignature, "auth-2", trace.AnswerYes)))},
	{"signature-refused", "by the log", with(chromium(), noFallback, on("auth-2", says200("null")), logs("auth-2", "get-session", `{"event":"session.lookup","result":"signature-refused"}`)),
		HopAuth, "auth-2", VerdictLost, "The session was lost because auth-2 refuses the cookie's signature: it was made with another secret.", chromium()},
	{"signature-refused", "the bearer token's too", with(webkit(), on("auth-2", says200("null")),
		observes(observed(trace.ObserveSignature, "auth-1", trace.AnswerYes), observed(trace.ObserveSignature, "auth-2", trace.AnswerNo))),
		HopAuth, "auth-2", VerdictLost, "The session was lost because auth-2 refuses the cookie that auth-1 signed", webkit()},
	{"cookie-name-differs", "another prefix than agreed", with(chromium(), noFallback, named("__Secure-shop.session_token"), on("auth-2", says200("null"))), HopAuth, "auth-1", VerdictLost,
		"The session was lost because auth-1 names the session cookie __Secure-shop.session_token where " + name + " was agreed",
		with(chromium(), named("__Secure-shop.session_token"))},
	{"cookie-name-differs", "signed, and yet not read", with(chromium(), noFallback, on("auth-2", says200("null")),
		observes(observed(trace.ObserveSignature, "auth-1", trace.AnswerYes), observed(trace.ObserveSignature, "auth-2", trace.AnswerYes), observed(trace.ObserveRow, "", trace.AnswerPresent))),
		HopAuth, "auth-2", VerdictLost, "The session was lost because auth-2 does not read the cookie " + name, chromium()},
	{"instances-disagree", "nothing was observed", with(chromium(), noFallback, on("auth-2", says200("null"))), HopAuth, "auth-2", VerdictLost,
		"The session was lost because auth-2 takes for nobody's the cookie that named the person to auth-1", chromium()},
	{"stores-differ", "cleared while the row is there", with(chromium(), noFallback, on("auth-2", gone), observes(observed(trace.ObserveRow, "", trace.AnswerPresent))), HopAuth, "auth-2", VerdictLost,
		"The session was lost because auth-2 looks for sessions in another place", with(chromium(), observes(observed(trace.ObserveRow, "", trace.AnswerPresent)))},
	{"keys-undecryptable", "list-sessions is 200", with(chromium(), noFallback, everySession(refusesWith(500, "FAILED_TO_GET_SESSION")), token(answer{status: 500}), func(w *world) { w.askListings = true }),
		HopAuth, "auth-1", VerdictRefused, "The session could not be retrieved because the auth service (auth-1) cannot sign tokens", chromium()},
	{"keys-undecryptable", "by the log", with(chromium(), noFallback, everySession(answer{status: 500}), token(answer{status: 500}), logs("auth-1", "get-session", `{"event":"auth.message","error":"BetterAuthError: Failed to decrypt private key."}`)),
		HopAuth, "auth-1", VerdictRefused, "The session could not be retrieved because the auth service (auth-1) cannot decrypt the private key in the jwks table: it was encrypted with another secret.", chromium()},
	{"database-fault", "warm", with(chromium(), noFallback, everySession(refusesWith(500, "FAILED_TO_GET_SESSION")), token(answer{status: 401})), HopDatabase, "auth-1", VerdictLost,
		"The session was lost because the auth service (auth-1) cannot use its database (a warm instance", chromium()},
	{"database-fault", "cold, with the service's code", with(chromium(), signIn(refusesWith(503, "DATABASE_REFUSED"))), HopDatabase, "auth-1", VerdictNever,
		"Nobody was signed in because the auth service (auth-1) cannot use its database (DATABASE_REFUSED).", chromium()},
	{"database-fault", "cold, observed", with(chromium(), signIn(answer{status: 500}), func(w *world) {
		w.observe = []trace.Observation{{Name: trace.ObserveDatabase, Answer: trace.AnswerFailed, Detail: "connection refused"}}
	}), HopDatabase, "auth-1", VerdictNever, "Nobody was signed in because the auth service (auth-1) cannot use its database (a cold instance: every route fails).",
		with(chromium(), observes(observed(trace.ObserveDatabase, "", trace.AnswerYes)))},
	{"session-expired", "observed", with(chromium(), noFallback, everySession(gone), observes(observed(trace.ObserveRow, "", trace.AnswerExpired))), HopDatabase, "auth-1", VerdictLost,
		"The session was lost because the session had expired.", chromium()},
	{"session-row-missing", "observed", with(chromium(), noFallback, everySession(gone), observes(observed(trace.ObserveRow, "", trace.AnswerAbsent), observed(trace.ObserveSignature, "auth-1", trace.AnswerYes))),
		HopDatabase, "auth-1", VerdictLost, "The session was lost because the session's row is gone from the database, so auth-1 no longer knows the cookie.",
		with(chromium(), observes(observed(trace.ObserveRow, "", trace.AnswerPresent)))},
	{"session-row-missing", "on the wire alone", with(chromium(), noFallback, everySession(gone)), HopDatabase, "auth-1", VerdictLost,
		"The session was lost because the session's row is gone", chromium()},
	{"token-not-sent", "the word undefined", with(chromium(), func(w *world) { w.apiWord = "undefined" }), HopAPI, "api", VerdictRefused,
		"The call to the api failed because the frontend called the api with Authorization: Bearer undefined.", chromium()},
	{"token-unreadable", "no JWT", with(chromium(), func(w *world) { w.apiWord = "hmac:0cc000000000" }), HopAPI, "api", VerdictRefused,
		"The call to the api failed because the frontend sent the api something that is no readable JWT.", chromium()},
	{"token-issuer", "the token's is not the agreed one", with(chromium(), apiSays(apiRefuses("InvalidIssuerError: Invalid issuer")), sendsToken(func(t *trace.Token) { t.Issuer = "https://preview.example.com" })), HopAPI, "api", VerdictRefused,
		"The call to the api failed because the api refuses the token's issuer https://preview.example.com, where " + auth + " was agreed.", chromium()},
	{"token-issuer", "the api expects another", with(webkit(), apiSays(apiRefuses("InvalidIssuerError: Invalid issuer"))), HopAPI, "api", VerdictRefused,
		"The call to the api failed because the api refuses the token's issuer " + auth + ", which is the agreed one: the api expects another.", webkit()},
	{"token-audience", "", with(chromium(), apiSays(apiRefuses("InvalidAudienceError: Audience doesn't match"))), HopAPI, "api", VerdictRefused,
		"The call to the api failed because the api refuses the token's audience " + auth, chromium()},
	{"token-expired", "really", with(chromium(), apiSays(apiRefuses("ExpiredSignatureError: Signature has expired")), sendsToken(func(t *trace.Token) { t.Expires = start })), HopAPI, "api", VerdictRefused,
		"The call to the api failed because the frontend sent the api a token that had expired at 2026-11-23T07:00:00Z.", chromium()},
	{"token-expired", "by the api's clock", with(chromium(), apiSays(apiRefuses("ExpiredSignatureError: Signature has expired"))), HopAPI, "api", VerdictRefused,
		"The call to the api failed because the api took the token for expired while it was good", chromium()},
	{"token-not-yet-valid", "", with(chromium(), apiSays(apiRefuses("ImmatureSignatureError: The token is not yet valid (iat)")), sendsToken(func(t *trace.Token) { t.IssuedAt = start.Add(time.Minute) })), HopAPI, "api", VerdictRefused,
		"The call to the api failed because the auth service's clock runs ahead", chromium()},
	{"token-keys-unreachable", "older PyJWT", with(chromium(), apiSays(apiRefuses("PyJWKClientError: Fail to fetch data from the url"))), HopAPI, "api", VerdictRefused,
		"The call to the api failed because the api cannot get the keys", chromium()},
	{"token-keys-unreachable", "503 in the body", with(chromium(), apiSays(refusesWith(503, "PyJWKClientConnectionError"))), HopAPI, "api", VerdictRefused,
		"The call to the api failed because the api cannot get the keys", chromium()},
	{"token-key-unknown", "", with(chromium(), apiSays(apiRefuses("PyJWKClientError: the key set has no key 'k1'"))), HopAPI, "api", VerdictRefused,
		"The call to the api failed because the api finds no key k1", chromium()},
	{"token-signature", "", with(chromium(), apiSays(apiRefuses("InvalidSignatureError: Signature verification failed"))), HopAPI, "api", VerdictRefused,
		"The call to the api failed because the api finds that the key k1 did not sign the token.", chromium()},
	{"token-algorithm", "", with(chromium(), apiSays(apiRefuses("InvalidAlgorithmError: The specified alg value is not allowed"))), HopAPI, "api", VerdictRefused,
		"The call to the api failed because the api does not allow the token's algorithm EdDSA.", chromium()},
}

func agreedName(n string) func(*world) { return func(w *world) { w.agreed = n } }

func TestEveryCauseIsNamed(t *testing.T) {
	for _, c := range cases {
		t.Run(c.cause+"/"+c.what, func(t *testing.T) {
			d := Explain(c.world.walk())
			if got := causes(d); !slices.Equal(got, []string{c.cause}) {
				t.Fatalf("causes %v, want %s alone:\n%s", got, c.cause, d)
			}
			f := d.Findings[0]
			if f.Hop != c.hop || f.Instance != c.instance || d.Verdict != c.verdict {
				t.Errorf("hop %s, instance %q, verdict %s; want %s, %q, %s", f.Hop, f.Instance, d.Verdict, c.hop, c.instance, c.verdict)
			}
			if first, _, _ := strings.Cut(d.String(), "\n"); !strings.HasPrefix(first, c.sentence) || !strings.HasSuffix(first, ".") {
				t.Errorf("first line\n%s\nwant\n%s…", first, c.sentence)
			}
			if len(f.Evidence) == 0 || len(f.Mend) == 0 || f.At.IsZero() && d.Verdict != VerdictNever {
				t.Errorf("a finding without evidence, mend or time: %+v", f)
			}
			if len(d.Unexplained) > 0 {
				t.Errorf("left unexplained: %q", d.Unexplained)
			}
			healthy(t, "twin", Explain(c.twin.walk()))
		})
	}
}

// A rule that is taken away must change no other rule's finding.
func TestRulesDoNotLeanOnEachOther(t *testing.T) {
	for _, c := range cases {
		tr := c.world.walk()
		for _, r := range rules() {
			if r.Slug == c.cause {
				continue
			}
			rest := slices.DeleteFunc(rules(), func(o rule) bool { return o.Slug == r.Slug })
			if got := causes(explain(tr, rest)); !slices.Equal(got, []string{c.cause}) {
				t.Errorf("%s (%s) without the rule %s: %v", c.cause, c.what, r.Slug, got)
			}
		}
		without := slices.DeleteFunc(rules(), func(o rule) bool { return o.Slug == c.cause })
		if d := explain(tr, without); len(d.Findings) > 0 || d.Verdict != VerdictUnknown {
			t.Errorf("%s (%s) without its own rule: %s %v, want unknown and no cause", c.cause, c.what, d.Verdict, causes(d))
		}
	}
}

func TestEveryRuleIsCompleteAndHasACase(t *testing.T) {
	seen := map[string]bool{}
	for _, info := range Causes() {
		if seen[info.Slug] {
			t.Errorf("two rules are called %s", info.Slug)
		}
		seen[info.Slug] = true
		if info.Means == "" || info.Shows == "" || len(info.Mend) == 0 || len(info.Hops) == 0 {
			t.Errorf("%s lacks a meaning, a look, a mend or a hop: %+v", info.Slug, info)
		}
		if !slices.ContainsFunc(cases, func(c scenario) bool { return c.cause == info.Slug }) && !recorded(info.Slug) {
			t.Errorf("no test case for %s, and no recorded trace of it", info.Slug)
		}
	}
	for slug := range mends {
		if !seen[slug] {
			t.Errorf("a mend for %s, which no rule names", slug)
		}
	}
	last := -1
	for _, r := range rules() {
		at := slices.Index(hops, r.Hops[0])
		if at < 0 || (at < last && len(r.Hops) == 1) {
			t.Errorf("%s stands out of the order of the hops", r.Slug)
		}
		last = max(last, at)
	}
}
