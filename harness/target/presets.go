package target

import (
	"maps"
	"slices"
	"time"

	"crossing/harness/trace"
)

// Presets. BetterAuth's holds where a file names none.
const (
	BetterAuth     = "better-auth"
	ExpressSession = "express-session"
	AuthJS         = "auth-js"
)

// SignatureNone: a session cookie's value is no token with a signature.
const SignatureNone = "none"

// signatures that a session cookie may bear.
var signatures = []string{BetterAuth, ExpressSession, AuthJS, SignatureNone}

// entering are the bodies of sign-up and sign-in where nothing else is said.
var (
	enteringUp = map[string]string{"name": blanks[0], "email": blanks[1], "password": blanks[2]}
	enteringIn = map[string]string{"email": blanks[1], "password": blanks[2]}
)

// A second is about the limit for a person's flow of thought to stay
// uninterrupted (Nielsen, Usability Engineering, 1993, chapter 5).
var second = Budgets{SignIn: Budget(time.Second), Reload: Budget(time.Second)}

// presets are contracts by name; a file's own words stand over them.
var presets = map[string]Contract{
	// better-auth 1.7: defaults of its cookies (docs, "Cookies") with the
	// attributes that a cross-site session needs, and the paths of its
	// e-mail sign-in, of its list of sessions and of the jwt plugin.
	BetterAuth: {
		Preset: BetterAuth,
		Cookie: trace.CookieContract{
			Name: "__Secure-better-auth.session_token", Secure: true, HTTPOnly: true,
			SameSite: "None", Partitioned: true, Path: "/", Lifetime: 7 * 24 * 60 * 60,
		},
		Paths: trace.Paths{
			SignUp: "/api/auth/sign-up/email", SignIn: "/api/auth/sign-in/email",
			SignOut: "/api/auth/sign-out", Session: "/api/auth/get-session",
			List: "/api/auth/list-sessions", Revoke: "/api/auth/revoke-session", RevokeAll: "/api/auth/revoke-sessions",
			Token: "/api/auth/token", Keys: "/api/auth/jwks", API: "/me",
		},
		// session.updateAge (docs, "Session Management").
		UpdateAge: 24 * 60 * 60,
		// What its client sends, and what the plugins bearer and jwt have pages
		// read.
		CORS: CORS{
			Auth: Reach{Allowed: []string{"content-type", "authorization"}, Exposed: []string{"set-auth-token", "set-auth-jwt"}},
			API:  Reach{Allowed: []string{"authorization"}},
		},
		Requests:  Requests{SignUp: Request{Body: enteringUp}, SignIn: Request{Body: enteringIn}},
		SignedIn:  trace.Reading{Person: "user.email"},
		Signature: BetterAuth,
		Budgets:   second,
		// Its defaults in production for paths of sign-in and sign-up (docs,
		// "Rate Limit").
		Limit: Limit{Most: 3, Within: 10 * time.Second},
	},
	// express-session 1.19: its cookie's name and attributes as its README has
	// them, with those that a cross-site session needs; it has no endpoints of
	// its own, so that paths follow a usual layout. cookie.maxAge has no
	// default: one day.
	ExpressSession: {
		Preset: ExpressSession,
		Cookie: trace.CookieContract{
			Name: "connect.sid", Secure: true, HTTPOnly: true, SameSite: "None", Partitioned: true, Path: "/", Lifetime: 24 * 60 * 60,
		},
		Paths:     trace.Paths{SignUp: "/sign-up", SignIn: "/sign-in", SignOut: "/sign-out", Session: "/session"},
		CORS:      CORS{Auth: Reach{Allowed: []string{"content-type"}}},
		Requests:  Requests{SignUp: Request{Body: enteringUp}, SignIn: Request{Body: enteringIn}},
		SignedIn:  trace.Reading{Person: "user.email"},
		Signature: ExpressSession,
		Budgets:   second,
	},
	// @auth/core 0.41 (Auth.js): defaults of its cookies over https
	// (reference, "useSecureCookies", "cookies"), the paths of its REST API
	// under @auth/express's /auth, its Credentials provider, and what its own
	// client sends. The session is a JWT, thirty days long, that each answer on
	// it renews.
	AuthJS: {
		Preset: AuthJS,
		Cookie: trace.CookieContract{
			Name: "__Secure-authjs.session-token", Secure: true, HTTPOnly: true, SameSite: "Lax", Path: "/", Lifetime: 30 * 24 * 60 * 60,
		},
		Paths: trace.Paths{SignIn: "/auth/callback/credentials", SignOut: "/auth/signout", Session: "/auth/session"},
		CORS:  CORS{Auth: Reach{Allowed: []string{"content-type", "x-auth-return-redirect"}}},
		Requests: Requests{
			CSRF:   CSRF{Path: "/auth/csrf", Field: "csrfToken"},
			SignUp: authJS(enteringUp), SignIn: authJS(enteringIn), SignOut: authJS(nil),
		},
		SignedIn:  trace.Reading{Person: "user.email"},
		Signature: AuthJS,
		Budgets:   second,
	},
}

// authJS is a request as Auth.js's own client makes it. X-Auth-Return-Redirect
// has it answer 200 with the address to go to, be it that of an error.
func authJS(fields map[string]string) Request {
	body := map[string]string{"csrfToken": blanks[3]}
	maps.Copy(body, fields)
	return Request{Type: TypeForm, Body: body, Headers: map[string]string{"x-auth-return-redirect": "1"}, Refused: 200}
}

// Preset is a contract by its name, with the defaults of its requests filled in.
func Preset(name string) (Contract, bool) {
	c, known := presets[name]
	c.Requests.fill()
	return c, known
}

func presetNames() []string { return slices.Sorted(maps.Keys(presets)) }
