package diagnose

import (
	"strings"
	"testing"

	"crossing/harness/trace"
)

// What a terminal shows, word by word.
func TestText(t *testing.T) {
	for what, c := range map[string]struct {
		w    world
		want string
	}{
		"one cause": {with(chromium(), drops("Max-Age=604800; Path=/; HttpOnly; Secure; SameSite=None", "UserPreferences")), `
The session was lost because auth-1 set __Secure-better-auth.session_token without Partitioned, and Chromium 156.0 keeps no third-party cookie without it.
  cause        cookie-not-partitioned (browser, auth-1)
  evidence     e3 POST https://auth.crossing-back.net/api/auth/sign-in/email → 200 (auth-1)
               Set-Cookie: __Secure-better-auth.session_token=hmac:afaebc40962b; Max-Age=604800; Path=/; HttpOnly; Secure; SameSite=None
               Chromium 156.0 refused to store it: UserPreferences
               e4 GET https://auth.crossing-back.net/api/auth/get-session → 200 null (auth-1), sent without it
               measured of Chromium 156.0: keeps an ordinary third-party cookie: no, a Partitioned one: yes
  mend         BetterAuth: advanced.defaultCookieAttributes = { sameSite: "none", secure: true, partitioned: true }
               auth service: COOKIE_PARTITIONED=true
  followed by  e6 GET https://auth.crossing-back.net/api/auth/get-session → 200 null (auth-2)
               e7 GET https://auth.crossing-back.net/api/auth/token → 401 (auth-1)
               e8 GET https://api.crossing-back.net/me → 401 x (api)
               https://docs.crossing-front.com showed the person signed out after ask
               the cookie __Secure-better-auth.session_token of e3 never came back
  ruled out    26 other causes`},
		"two causes": {with(webkit(), observes(observed(trace.ObserveSignature, "auth-3", trace.AnswerNo)), apiSays(apiRefuses("InvalidAudienceError: Audience doesn't match"))), `
The session stands but cannot be relied on because auth-3 refuses the cookie's signature: it was made with another secret, and for one more reason.
  cause        signature-refused (auth, auth-3)
  evidence     observed of auth-3: signature made with its secret: no
  mend         BetterAuth: one secret for all instances and deployments that share sessions (BETTER_AUTH_SECRET)
               Vercel: Settings, Environment Variables: the same value for this environment, then deploy again

Also because the api refuses the token's audience https://auth.crossing-back.net, which is the agreed one: the api expects another.
  cause        token-audience (api)
  evidence     e9 GET https://api.crossing-back.net/me → 401 x (api)
               InvalidAudienceError: Audience doesn't match
               the token said iss https://auth.crossing-back.net, aud https://auth.crossing-back.net, kid k1, alg EdDSA, iat 2026-11-23T07:00:00Z, exp 2026-11-23T07:15:00Z
  mend         api: jwt.decode(audience=…) must be one of the token's aud (TOKEN_AUDIENCE)
               BetterAuth: jwt({ jwt: { audience } }), by default the baseURL's origin (BETTER_AUTH_URL)`},
		"unknown": {with(chromium(), token(answer{status: 401}), unmeasured), `
Unknown: something went wrong, and no known cause is proved.
  certain      e7 GET https://auth.crossing-back.net/api/auth/token → 401 (auth-1)`},
		"healthy": {webkit(), `
The session held: nothing was lost and nothing was refused.`},
	} {
		t.Run(what, func(t *testing.T) {
			want, got := strings.TrimPrefix(c.want, "\n"), Explain(c.w.walk()).String()
			// The last line of an expectation ends where the test ends.
			if !strings.HasPrefix(got, want) {
				t.Errorf("got\n%s\n\nwant\n%s", got, want)
			}
		})
	}
}

// Each text names what is certain and what to look at, and no cause.
func TestUnknownNeverGuesses(t *testing.T) {
	for what, c := range map[string]struct {
		w             world
		certain, next string
	}{
		"a token refused beside a good session":     {with(chromium(), token(answer{status: 401})), "/api/auth/token → 401", "recompute the cookie's signature"},
		"a faultless cookie that never came back":   {with(webkit(), noFallback, unmeasured), "never came back", "measure what this browser does"},
		"a 500 without a word":                      {with(chromium(), everySession(answer{status: 500})), "get-session → 500", "look for the session's row"},
		"a sign-in that failed without a word":      {with(chromium(), signIn(answer{status: 500})), "sign-in/email → 500", "the sign-in itself"},
		"500 on session and token, nothing else":    {with(chromium(), everySession(refusesWith(500, "FAILED_TO_GET_SESSION")), token(answer{status: 500})), "/api/auth/token → 500", "list-sessions"},
		"cleared by an instance that did not make":  {with(chromium(), noFallback, on("auth-2", gone)), "200 null (auth-2)", "look for the session's row"},
		"an api's reason that no rule knows":        {with(chromium(), apiSays(apiRefuses("InvalidSubjectError: x"))), "/me → 401", "ask get-session of each instance"},
		"an absent Partitioned, nothing measured":   {with(chromium(), drops("Path=/; HttpOnly; Secure; SameSite=None"), unmeasured), "never came back", "measure what this browser does"},
		"a harness that was refused, and it alone":  {with(chromium(), observes(observed(trace.ObserveSession, "auth-2", trace.AnswerAbsent))), "observed of auth-2", "recompute"},
		"the api answered 500, which names nothing": {with(chromium(), apiSays(answer{status: 500})), "/me → 500", "read the services' log lines"},
	} {
		d := Explain(c.w.walk())
		if d.Verdict != VerdictUnknown || len(d.Findings) > 0 {
			t.Errorf("%s: %s %v, want unknown:\n%s", what, d.Verdict, causes(d), d)
		}
		if !strings.Contains(strings.Join(d.Certain, "\n"), c.certain) || !strings.Contains(strings.Join(d.Next, "\n"), c.next) {
			t.Errorf("%s: want %q certain and %q next:\n%s", what, c.certain, c.next, d)
		}
	}
}

func TestNothingIsSaidTwice(t *testing.T) {
	for _, c := range cases {
		tr := c.world.walk()
		tr.Refusals = append(tr.Refusals, tr.Refusals...)
		tr.Observations = append(tr.Observations, tr.Observations...)
		for _, f := range Explain(tr).Findings {
			for _, lines := range [][]string{f.Evidence, f.Consequences} {
				if said := once(lines); len(said) != len(lines) {
					t.Errorf("%s, %s: %q", c.cause, f.Cause, lines)
				}
			}
		}
	}
}
