package lint

// mends are remedies of what package diagnose has no cause for: no session is
// lost by it today, or it is seen on the wire only. Vendors' words stand here
// and in diagnose's own table, and nowhere else.
var mends = map[string][]string{
	"api-misconfigured": {
		"api: mend the setting that the code names (JWKS_URL, TOKEN_ISSUER, TOKEN_AUDIENCE, ALLOWED_ORIGINS)",
	},
	"api-open": {
		"api: every route that needs a person must depend on jwt.decode(token, key, algorithms=[…], issuer=…, audience=…), with its signature verified",
	},
	"auth-failed": {
		"read the auth service's log for this request; Vercel: Deployments, Functions, Logs",
	},
	"bearer-not-offered": {
		"BetterAuth: plugins: [bearer()], which answers sign-ins with set-auth-token",
	},
	"bearer-refused": {
		"BetterAuth: plugins: [bearer()] on every instance; look for a proxy that strips Authorization",
	},
	"certificate": {
		"renew the certificate; Vercel: Domains, where it is renewed once the DNS records are right",
	},
	"cookie-readable": {
		"BetterAuth: advanced.defaultCookieAttributes.httpOnly = true, its default",
	},
	"cookie-set-twice": {
		"look for a proxy or middleware that sets the cookie again; one line must be left",
	},
	"cors-open": {
		"api: CORSMiddleware(allow_origins=[…]) without allow_origin_regex=\".*\" (ALLOWED_ORIGINS)",
	},
	"frontend-elsewhere": {
		"frontend: set the addresses that it calls to this target's (AUTH_URL, API_URL), or correct origins in crossing.yaml",
	},
	"issuer-follows-host": {
		"BetterAuth: set a static baseURL (BETTER_AUTH_URL): without one, issuer and audience follow Host and X-Forwarded-Host",
	},
	"keys-private": {
		"withdraw the key at once; BetterAuth: delete the row of the jwks table, and let /api/auth/jwks answer by the plugin alone",
	},
	"session-refused": {
		"compare contract.paths.session with the service's routes, and read its log for this request",
	},
	"token-refused": {
		"BetterAuth: plugins: [jwt()] on every instance; read the service's log for this request",
	},
	"cookie-drift": {
		"give both environments the same cookie settings; BetterAuth: advanced.defaultCookieAttributes in code, not from the environment (COOKIE_PARTITIONED, COOKIE_SAME_SITE, COOKIE_PATH, COOKIE_DOMAIN)",
	},
	"token-accepted-elsewhere": {
		"give every environment issuer, audience and keys of its own, and its api the key set of its own auth service (TOKEN_ISSUER, TOKEN_AUDIENCE, JWKS_URL)",
	},
	"shared-secret": {
		"give every environment a secret of its own (BETTER_AUTH_SECRET); Vercel: Settings, Environment Variables, a value for each environment",
	},
	"shared-store": {
		"give every environment a database of its own (DATABASE_URL); Neon: a branch for each preview",
	},
	"shared-keys": {
		"give every environment a jwks table, and so keys, of its own (DATABASE_URL)",
	},
	"shared-issuer": {
		"give every environment its own base URL (BETTER_AUTH_URL), and the api the issuer and audience of its own environment (TOKEN_ISSUER, TOKEN_AUDIENCE)",
	},
}
