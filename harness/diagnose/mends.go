package diagnose

// mends are the remedies in the words of the reference application's parts:
// BetterAuth's options, the environment variables of the services, FastAPI's
// and PyJWT's arguments, Vercel's settings. Other auth libraries' stand beside
// them, in presetMends, and nowhere else.
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
		"BetterAuth: where the key set is answered 429, rateLimit.customRules = { \"/jwks\": false }: an api asks from one address, and the limiter counts on until 10 s pass without a question",
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
	"cookie-too-large": {
		"BetterAuth: keep the session cookie to its token: turn session.cookieCache off, or take fields out of it; browsers keep 4096 bytes of name and value",
	},
	"cookie-sent-twice": {
		"let the old cookie expire on purpose: answer once with its own Domain and Path and Max-Age=0, or choose another advanced.cookiePrefix",
		"BetterAuth: change advanced.crossSubDomainCookies and defaultCookieAttributes only together with the cookie's name",
	},
	"cookie-other-partition": {
		"frontend: sign in from the frontend's own page, or hand the popup's session over (a one-time code that the frontend's page redeems), rather than in a window of the auth service's site",
		"frontend: in the popup, keep set-auth-token and send it as Authorization: Bearer",
	},
	"cookie-short-lived": {
		"BetterAuth: advanced.defaultCookieAttributes must not set maxAge; the cookie's life is session.expiresIn (SESSION_LIFETIME)",
		"look for a proxy that shortens Max-Age; if it is meant, write contract.cookie.lifetime",
	},
	"cookie-not-renewed": {
		"hand Set-Cookie of GET /api/auth/get-session on: look for a proxy, a rewrite or a framework's handler that drops it there",
		"BetterAuth: the session is prolonged after session.updateAge (SESSION_UPDATE_AGE), in whatever answers then",
	},
	"cookie-renewed-differently": {
		"BetterAuth: set attributes in advanced.defaultCookieAttributes alone, so that sign-in and renewal share them; look for a proxy that changes some answers only",
	},
	"sign-out-left-cookie": {
		"BetterAuth: the sign-out clears with the attributes that it is configured with now: clear once with those that the cookie was set with",
		"look for a proxy that takes Partitioned, Path or Domain out of the line with Max-Age=0",
	},
	"mixed-content": {
		"frontend: write the service's address with https (AUTH_URL, API_URL)",
	},
	"service-worker-cache": {
		"frontend: have the service worker leave other origins' requests, and /api/auth/, alone: return without respondWith; then unregister the old one",
	},
	"browser-clock": {
		"frontend: count a token's life (exp - iat) from its arrival, or send it and ask anew on a 401, instead of comparing exp with Date.now()",
	},
	"deployment-protected": {
		"Vercel: Settings, Deployment Protection: switch it off for this project, or send x-vercel-protection-bypass from the edge; add the paths to the OPTIONS Allowlist for preflights",
	},
	"platform-failed": {
		"Vercel: DEPLOYMENT_NOT_FOUND: the build was superseded or removed: run on the newest of that branch; FUNCTION_INVOCATION_FAILED: read that function's log in the project; a limit of the platform's: wait, or raise it",
	},
	"upstream-timeout": {
		"Vercel: Functions, Max Duration of that project; look in its logs for what the function waited for, such as a suspended database",
	},
	"preflight-redirected": {
		"call the address that the redirect leads to: https at once, the very host, the slash at the end as the server wants it (Vercel: vercel.json redirects, trailingSlash; Domains, redirect to)",
	},
	"redirect-lost-method": {
		"call the address that the redirect leads to, or redirect by 307 or 308, which keep method and body (Vercel: permanent: true is 308)",
	},
	"session-cached": {
		"answer /api/auth/ with Cache-Control: no-store, and exclude it from every cache (Vercel: no s-maxage or CDN-Cache-Control in headers of vercel.json for that path)",
	},
	"token-cached": {
		"answer /api/auth/token with Cache-Control: no-store, which BetterAuth does not set by itself, and exclude it from every cache",
	},
	"errors-without-cors": {
		"auth service: put cors() before everything that can answer an error, the error handler included",
		"api: CORSMiddleware must be the outermost (add_middleware last), and errors be raised inside of it",
	},
	"cookie-cache-stale": {
		"BetterAuth: session.cookieCache.maxAge short, or off (SESSION_CACHE=0); where it counts, ask with disableCookieCache=true",
	},
	"session-not-lengthened": {
		"BetterAuth: session.updateAge must be shorter than session.expiresIn, and session.disableSessionRefresh off (SESSION_UPDATE_AGE, SESSION_LIFETIME)",
	},
	"stranger-trusted": {
		"BetterAuth: trustedOrigins without wildcards that fit everybody, advanced.disableCSRFCheck and disableOriginCheck off (TRUSTED_ORIGINS)",
		"auth service: cors({ origin: [frontend's origin] }) instead of one that echoes what was sent (TRUSTED_ORIGINS)",
	},
	"database-structure": {
		"run the auth service's migrations against this very database (npx @better-auth/cli migrate; node dist/migrate.mjs)",
	},
	"database-permission": {
		"PostgreSQL: GRANT SELECT, INSERT, UPDATE, DELETE on the tables to the role of DATABASE_URL",
	},
	"database-exhausted": {
		"Neon: use the pooled host (-pooler) in DATABASE_URL; pg: a small Pool max on each instance, since there are many",
	},
	"database-connection-ended": {
		"Neon: the compute was suspended or restarted: retry once on a new connection; pg: new Pool({ idleTimeoutMillis }) below the server's own limit, with pool.on(\"error\", …)",
	},
	"database-slow": {
		"look for what the statement waits for (pg_stat_activity, a missing index, a lock); Neon: a compute that starts takes seconds: DATABASE_TIMEOUT above that",
	},
	"user-missing": {
		"find what deleted the person: deleteUser, an admin's removal, a clean-up job, or a database restored or branched (Neon: Branches)",
	},
	"authorization-stripped": {
		"look for a proxy, rewrite or middleware before the api that drops Authorization (Vercel: vercel.json, middleware; nginx: proxy_set_header Authorization $http_authorization)",
	},
}

// Mends are the remedies for a cause; nil where the slug names none.
func Mends(slug string) []string { return mendsOf("", slug) }

// wall is how the platform's own answers are known (Vercel, Deployment
// Protection; Errors).
var wall = struct{ body, location, cookie, errorHeader string }{
	"vercel_auth_callback", "vercel.com/sso-api", "_vercel_sso_nonce", "X-Vercel-Error",
}

// cacheHeaders are the lines in which caches say that they answered.
var cacheHeaders = []string{"X-Vercel-Cache", "CF-Cache-Status", "X-Cache", "X-Cache-Status"}
