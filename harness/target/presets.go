package target

import (
	"maps"
	"slices"
	"time"

	"crossing/harness/trace"
)

// BetterAuth is the preset that holds where a file names none.
const BetterAuth = "better-auth"

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
		// A second is about the limit for a person's flow of thought to stay
		// uninterrupted (Nielsen, Usability Engineering, 1993, chapter 5).
		Budgets: Budgets{SignIn: Budget(time.Second), Reload: Budget(time.Second)},
	},
}

func presetNames() []string { return slices.Sorted(maps.Keys(presets)) }
