package diagnose

import "slices"

// mends are the remedies in the words of the reference application's parts:
// BetterAuth's options, the environment variables of the services, FastAPI's
// and PyJWT's arguments, Vercel's settings. They stand here alone, so that
// another auth library's are one more table.
var mends = map[string][]string{
	"third-party-cookies-refused": {
		"BetterAuth: add the bearer() plugin; frontend: keep the answer's set-auth-token and send it as Authorization: Bearer (config.json: bearerFallback = true, environment BEARER_FALLBACK=true)",
		"or serve frontend and auth service under one registrable domain (Vercel: Domains, or a rewrite of /api/auth)",
	},
	"cookie-not-partitioned": {
		"BetterAuth: advanced.defaultCookieAttributes = { sameSite: \"none\", secure: true, partitioned: true }",
		"auth service: COOKIE_PARTITIONED=true",
	},
	"cookie-samesite": {
		"BetterAuth: advanced.defaultCookieAttributes.sameSite = \"none\", with secure: true",
		"auth service: COOKIE_SAME_SITE=none",
	},
	"cookie-not-secure": {
		"BetterAuth: advanced.useSecureCookies = true and an https baseURL (BETTER_AUTH_URL)",
		"look for a proxy that rewrites Set-Cookie between the service and the browser",
	},
	"cookie-partitioned-without-secure": {
		"BetterAuth: advanced.defaultCookieAttributes.secure = true beside partitioned: true",
	},
	"cookie-prefix": {
		"BetterAuth: for a __Host- name leave advanced.crossSubDomainCookies off and the path at /; otherwise choose another advanced.cookiePrefix",
	},
	"cookie-domain": {
		"BetterAuth: turn advanced.crossSubDomainCookies off, or set its domain to a parent of the auth service's own host that is no public suffix",
	},
	"cookie-path": {
		"BetterAuth: advanced.defaultCookieAttributes.path = \"/\"; a proxy that serves the service below a folder must rewrite the path too",
	},
	"cookie-not-set": {
		"look for a proxy or rewrite between the service and the browser that drops Set-Cookie (Vercel: vercel.json headers, rewrites, middleware)",
		"BetterAuth: in a framework that answers by itself hand the handler's response headers on",
	},
	"calls-without-credentials": {
		"frontend: fetch(url, { credentials: \"include\" }); BetterAuth's client: fetchOptions.credentials = \"include\" (its default)",
	},
	"upstream-gone": {
		"start the service, or read its last log lines; Vercel: Deployments, Functions, Logs of that project",
	},
	"rate-limited": {
		"BetterAuth: rateLimit.window and rateLimit.max, rateLimit.customRules for one path; advanced.ipAddress.ipAddressHeaders so that visitors do not share one address",
	},
	"cors-refused": {
		"auth service: cors({ origin: [frontend's origin], credentials: true }) before the handler (TRUSTED_ORIGINS)",
		"api: CORSMiddleware(allow_origins=[frontend's origin], allow_headers=[\"authorization\", \"content-type\"]) (ALLOWED_ORIGINS)",
		"frontend: a token in Authorization needs no credentials mode: call the api without credentials: \"include\", or allow_credentials=True there",
	},
	"origin-not-trusted": {
		"BetterAuth: trustedOrigins must hold the frontend's origin, scheme and host, without a trailing slash (TRUSTED_ORIGINS)",
		"Vercel: previews have names of their own: trust them by a pattern or a function",
	},
	"origin-missing": {
		"let the browser's Origin header through: look for a proxy, a rewrite or a Referrer-Policy: no-referrer that takes it away",
	},
	"sign-in-refused": {
		"use an account that exists, with its password; for a sign-up an address that is not taken",
	},
	"auth-misconfigured": {
		"auth service: mend the setting that the code names (BETTER_AUTH_SECRET, BETTER_AUTH_URL, TRUSTED_ORIGINS, DATABASE_URL), or run its migrations; Vercel: Settings, Environment Variables, then deploy again",
	},
	"signature-refused": {
		"BetterAuth: one secret for all instances and deployments that share sessions (BETTER_AUTH_SECRET)",
		"Vercel: Settings, Environment Variables: the same value for this environment, then deploy again",
	},
	"cookie-name-differs": {
		"BetterAuth: the same advanced.cookiePrefix, advanced.cookies and advanced.useSecureCookies on every instance; the prefix __Secure- follows the baseURL (BETTER_AUTH_URL) at process start",
	},
	"instances-disagree": {
		"give every instance the same BETTER_AUTH_SECRET, BETTER_AUTH_URL and advanced.cookiePrefix, then deploy all of them again",
	},
	"stores-differ": {
		"give every instance the same database (DATABASE_URL); BetterAuth: no memoryAdapter and no secondaryStorage in process memory",
	},
	"keys-undecryptable": {
		"BetterAuth: bring back the secret that the jwks rows were encrypted with (BETTER_AUTH_SECRET), or delete the rows of the jwks table so that a key is made anew",
		"if the jwks table is missing, run the auth service's migrations",
	},
	"session-row-missing": {
		"find what deleted the row: revokeSession, revokeOtherSessions, deleteUser, a clean-up job, or a database restored or branched (Neon: Branches)",
	},
	"session-expired": {
		"BetterAuth: session.expiresIn and session.updateAge; compare the clocks of service and database",
	},
	"database-fault": {
		"auth service: DATABASE_URL (host, port, role, password, sslmode); Neon: is the compute suspended, the branch deleted, the pooler's limit reached?",
		"pg: new Pool({ connectionString, max, connectionTimeoutMillis }) with pool.on(\"error\", …): an ended connection without a listener ends the process",
	},
	"token-issuer": {
		"api: jwt.decode(issuer=…) must equal the token's iss (TOKEN_ISSUER)",
		"BetterAuth: jwt({ jwt: { issuer } }), by default the baseURL's origin (BETTER_AUTH_URL)",
	},
	"token-audience": {
		"api: jwt.decode(audience=…) must be one of the token's aud (TOKEN_AUDIENCE)",
		"BetterAuth: jwt({ jwt: { audience } }), by default the baseURL's origin (BETTER_AUTH_URL)",
	},
	"token-expired": {
		"frontend: ask for a token shortly before each call, or when exp is near; BetterAuth: jwt({ jwt: { expirationTime } }), by default 15 minutes",
		"if the token was still good by this machine's clock, set the api's clock (NTP) or give jwt.decode(leeway=…)",
	},
	"token-not-yet-valid": {
		"set the clocks of auth service and api (NTP), and give the api's jwt.decode(leeway=30): its default is 0",
	},
	"token-keys-unreachable": {
		"api: PyJWKClient's url must be the auth service's key set, /api/auth/jwks (JWKS_URL); Vercel: a protected deployment answers it with a wall (Deployment Protection)",
	},
	"token-key-unknown": {
		"api: point the key set's address at the environment that issues the tokens (JWKS_URL)",
		"BetterAuth: instances that share tokens must share the jwks table (DATABASE_URL)",
	},
	"token-signature": {
		"api: point the key set's address at the environment that issues the tokens (JWKS_URL); look for a cache in front of it",
	},
	"token-algorithm": {
		"api: jwt.decode(algorithms=[…]) must name the key set's alg; BetterAuth: jwt({ jwks: { keyPairConfig: { alg } } }), by default EdDSA",
	},
	"token-unreadable": {
		"frontend: send the api the token of GET /api/auth/token, not the session's (set-auth-token)",
	},
	"token-not-sent": {
		"frontend: read the field token of GET /api/auth/token's answer, and call the api only once it is there",
	},
}

// Mends are the remedies for a cause; nil where the slug names none.
func Mends(slug string) []string { return mendsOf(slug) }

func mendsOf(slug string) []string { return slices.Clone(mends[slug]) }
