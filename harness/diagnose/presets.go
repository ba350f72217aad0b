package diagnose

import (
	"slices"
	"strings"
)

// Presets whose words mends can be told in, besides BetterAuth's own.
const (
	presetExpressSession = "express-session"
	presetAuthJS         = "auth-js"
)

// presetMends are mends in the words of other libraries than the reference
// application's: what stands here stands in place of mends.
var presetMends = map[string]map[string][]string{
	presetExpressSession: {
		"third-party-cookies-refused": {
			"serve frontend and auth service under one registrable domain (Vercel: Domains, or a rewrite of the auth service's paths)",
		},
		"cookie-not-partitioned": {
			"express-session: session({ cookie: { partitioned: true, sameSite: \"none\", secure: true } }), since version 1.18",
		},
		"cookie-samesite":                   {"express-session: session({ cookie: { sameSite: \"none\", secure: true } })"},
		"cookie-not-secure":                 {"express-session: session({ cookie: { secure: true }, proxy: true }): without proxy it sets no Secure cookie behind TLS that ends elsewhere"},
		"cookie-partitioned-without-secure": {"express-session: session({ cookie: { secure: true, partitioned: true } })"},
		"cookie-prefix":                     {"express-session: for a __Host- name leave cookie.domain out and cookie.path at /; otherwise choose another name"},
		"cookie-domain":                     {"express-session: leave cookie.domain out, or name a parent of the auth service's own host that is no public suffix"},
		"cookie-path":                       {"express-session: session({ cookie: { path: \"/\" } })"},
		"cookie-not-set": {
			"express-session: with cookie.secure it sets nothing on a request that it takes for plain HTTP: app.set(\"trust proxy\", 1), or session({ proxy: true })",
			"look for a proxy or rewrite between the service and the browser that drops Set-Cookie",
		},
		"calls-without-credentials": {"frontend: fetch(url, { credentials: \"include\" })"},
		"signature-refused":         {"express-session: the same secret on every instance; when it is changed, keep the old one behind the new one: secret: [new, old]"},
		"cookie-name-differs":       {"express-session: the same name on every instance (session({ name }))"},
		"instances-disagree":        {"express-session: the same secret, name and store on every instance, then deploy all of them again"},
		"stores-differ":             {"express-session: a store that all instances share (connect-pg-simple); the default, MemoryStore, is each process's own"},
		"session-row-missing":       {"find what deleted the row: destroy(), a clean-up job (connect-pg-simple: pruneSessionInterval), or a database restored or branched"},
		"session-expired":           {"express-session: session({ cookie: { maxAge }, rolling: true }) lengthens it with each answer; compare the clocks of service and database"},
		"cookie-short-lived":        {"express-session: session({ cookie: { maxAge } }), in milliseconds", "look for a proxy that shortens Max-Age or Expires"},
		"cookie-not-renewed":        {"express-session: session({ rolling: true }) sends the cookie again with each answer"},
		"sign-out-left-cookie":      {"express-session: beside req.session.destroy() answer res.clearCookie(name, options), with the options that it was set with"},
		"origin-not-trusted":        {"auth service: let the frontend's origin, scheme and host without a trailing slash, through its check of Origin"},
	},
	presetAuthJS: {
		"third-party-cookies-refused": {
			"serve frontend and auth service under one registrable domain (Vercel: Domains, or a rewrite of Auth.js's basePath)",
		},
		"cookie-not-partitioned":            {"Auth.js: cookies: { sessionToken: { options: { sameSite: \"none\", secure: true, partitioned: true } } }"},
		"cookie-samesite":                   {"Auth.js: cookies: { sessionToken: { options: { sameSite: \"none\", secure: true } } }; its default is lax"},
		"cookie-not-secure":                 {"Auth.js: useSecureCookies: true, and cookies.sessionToken.options.secure: true"},
		"cookie-partitioned-without-secure": {"Auth.js: cookies.sessionToken.options.secure: true beside partitioned: true"},
		"cookie-prefix":                     {"Auth.js: for a __Host- name no cookies.sessionToken.options.domain, and path: \"/\""},
		"cookie-domain":                     {"Auth.js: leave cookies.sessionToken.options.domain out, or name a parent of the auth service's own host that is no public suffix"},
		"cookie-path":                       {"Auth.js: cookies.sessionToken.options.path: \"/\""},
		"cookie-not-set": {
			"Auth.js: trustHost: true behind a proxy (AUTH_TRUST_HOST), so that it knows its own address",
			"look for a proxy or rewrite between the service and the browser that drops Set-Cookie",
		},
		"calls-without-credentials": {"frontend: fetch(url, { credentials: \"include\" })"},
		"signature-refused":         {"Auth.js: the same secret on every instance (AUTH_SECRET); when it is changed, keep the old one: secret: [new, old]"},
		"cookie-name-differs":       {"Auth.js: the same cookies.sessionToken.name and useSecureCookies on every instance: the name is part of the key"},
		"instances-disagree":        {"Auth.js: the same secret (AUTH_SECRET) and cookies.sessionToken.name on every instance: a session in a JWT is read by whoever has both, then deploy all of them again"},
		"session-expired":           {"Auth.js: session: { maxAge }, in seconds; compare the instances' clocks"},
		"cookie-short-lived":        {"Auth.js: session: { maxAge }, in seconds", "look for a proxy that shortens Max-Age or Expires"},
		"cookie-too-large":          {"Auth.js: put less into the token (callbacks.jwt); a longer one is cut into several cookies"},
		"sign-out-left-cookie":      {"Auth.js: sign out by POST with its csrfToken, and hand its Set-Cookie lines on"},
		"origin-not-trusted":        {"auth service: let the frontend's origin, scheme and host without a trailing slash, through its check of Origin"},
	},
}

// mendsOf are the mends of a cause in a preset's words. Where it has none of
// its own, those of mends that name no other library stand.
func mendsOf(preset, slug string) []string {
	own, other := presetMends[preset]
	if words := own[slug]; len(words) > 0 || !other {
		if !other {
			words = mends[slug]
		}
		return slices.Clone(words)
	}
	words := slices.DeleteFunc(slices.Clone(mends[slug]), func(line string) bool {
		return strings.Contains(line, "BetterAuth") || strings.Contains(line, "BETTER_AUTH") || strings.Contains(line, "/api/auth")
	})
	if len(words) == 0 {
		words = []string{"see what it means and how it looks among the causes (harness/diagnose/causes)"}
	}
	return words
}
