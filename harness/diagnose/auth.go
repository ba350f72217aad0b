package diagnose

import (
	"fmt"
	"strings"

	"crossing/harness/trace"
)

// authRules are the faults of the auth service's instances.
var authRules = []rule{
	{CauseInfo{
		Slug: "auth-misconfigured", Hops: []Hop{HopAuth},
		Means: "An instance of the auth service refuses to work with the configuration that it has.",
		Shows: "503 with a code on every route.",
	}, authMisconfigured},
	{CauseInfo{
		Slug: "origin-not-trusted", Hops: []Hop{HopAuth},
		Means: "The auth service does not trust the frontend's origin.",
		Shows: "403 INVALID_ORIGIN on sign-in and sign-out; a trailing slash in the setting is enough.",
	}, originNotTrusted},
	{CauseInfo{
		Slug: "origin-missing", Hops: []Hop{HopAuth},
		Means: "The request reached the auth service without an Origin.",
		Shows: "403 MISSING_OR_NULL_ORIGIN.",
	}, originMissing},
	{CauseInfo{
		Slug: "sign-in-refused", Hops: []Hop{HopAuth},
		Means: "The auth service refused the credentials, or the account could not be made: no session was ever there to lose.",
		Shows: "Sign-in 401 or 400, sign-up 422 or 400, and no sign-in that succeeded.",
	}, signInRefused},
	{CauseInfo{
		Slug: "cookie-name-differs", Hops: []Hop{HopAuth},
		Means: "Instances of the auth service name the session cookie differently, by prefix.",
		Shows: "get-session right on some calls and null on others, no cookie cleared, though the signature is right everywhere.",
	}, nameDiffers},
	{CauseInfo{
		Slug: "signature-refused", Hops: []Hop{HopAuth},
		Means: "An instance of the auth service refuses the cookie's signature: its secret is another one.",
		Shows: "get-session right on some calls and null on others; the null leaves the cookie alone.",
	}, signatureRefused},
	{CauseInfo{
		Slug: "instances-disagree", Hops: []Hop{HopAuth},
		Means: "The same cookie is a person to one call and nobody to another; secret or cookie prefix differ, and nothing in the trace tells which.",
		Shows: "get-session right on some calls and null on others, no cookie cleared.",
	}, instancesDisagree},
	{CauseInfo{
		Slug: "stores-differ", Hops: []Hop{HopAuth},
		Means: "Instances keep sessions in different places: another database, or an instance's own memory.",
		Shows: "get-session right on one instance, null on another, which clears the cookie and so destroys a good session.",
	}, storesDiffer},
	{CauseInfo{
		Slug: "cookie-cache-stale", Hops: []Hop{HopAuth},
		Means: "The auth service answers out of its cookie cache for a session that has been revoked.",
		Shows: "get-session names the person, looked up in the cache, while the row is absent, or after a sign-out with the same cookie; disableCookieCache=true shows the truth.",
	}, cacheStale},
	{CauseInfo{
		Slug: "session-not-lengthened", Hops: []Hop{HopAuth},
		Means: "The auth service never lengthens a session, so that it ends in the middle of its use.",
		Shows: "get-session names the same end from the first call to the last, and knows nobody once it is over.",
	}, notLengthened},
	{CauseInfo{
		Slug: "stranger-trusted", Hops: []Hop{HopAuth},
		Means: "The auth service trusts an origin that is nobody's: any site can read, or act, for whoever visits it.",
		Shows: "Access-Control-Allow-Origin with a stranger's origin, or null, beside Access-Control-Allow-Credentials: true; a POST of such a page with a cookie is answered 200.",
	}, strangerTrusted},
	{CauseInfo{
		Slug: "keys-undecryptable", Hops: []Hop{HopAuth},
		Means: "The auth service cannot read the private key that signs tokens: the secret changed since, or the jwks table is missing.",
		Shows: "get-session and token 500 while sign-in and list-sessions are 200.",
	}, keysUndecryptable},
}

// first returns the first of the frontend's calls to auth that fits.
func (s *scene) first(fits func(call) bool) (call, bool) {
	for _, c := range s.calls {
		if c.Role == trace.RoleAuth && s.fromFrontend(c) && fits(c) {
			return c, true
		}
	}
	return call{}, false
}

func of(c call) *Finding {
	return &Finding{Instance: c.Instance, At: c.Time, Evidence: []string{c.line()}}
}

func authMisconfigured(s *scene) (*Finding, string) {
	c, found := s.first(func(c call) bool {
		return c.Status == 503 && c.code() != "" && !databaseWord(c.code()) && !structureWord(c.code())
	})
	if !found {
		return nil, s.ifCalls("no call was answered 503 with a code of the service's own")
	}
	f := of(c)
	f.Title = fmt.Sprintf("%s refuses to work: %s", s.named(c), c.code())
	if refused, also := s.distrusted(); also && s.refusesOrigins() {
		f.Evidence = append(f.Evidence, refused.line())
	}
	f.Evidence = append(f.Evidence, s.health(c.Instance)...)
	return f, ""
}

// Codes of an origin that was refused. ORIGIN_NOT_TRUSTED is the answer to a
// preflight, which does not reach BetterAuth.
const (
	originInvalid    = "INVALID_ORIGIN"
	originUntrusted  = "ORIGIN_NOT_TRUSTED"
	originMissingOne = "MISSING_OR_NULL_ORIGIN"
)

// originWord is the code for which an origin was refused, "" for none.
func originWord(c call) string {
	if w := c.code(); c.Status == 403 && (w == originInvalid || w == originUntrusted || w == originMissingOne) {
		return w
	}
	return ""
}

// distrusted returns the first exchange in which the auth service refused the
// frontend's own origin, preflights and the harness's calls in the frontend's
// name among them: a stranger is rightly refused.
func (s *scene) distrusted() (call, bool) {
	var logged call
	for _, c := range s.inOrder(s.calls, s.preflights, s.asides) {
		if c.Role != trace.RoleAuth || c.PageOrigin != s.t.Subject.Origins.Frontend {
			continue
		}
		if word := originWord(c); word == originInvalid || word == originUntrusted {
			return c, true
		}
		if logged.ID == "" && c.Status != 503 && originWord(c) == "" && len(s.logOf(c, "origin.refused")) > 0 {
			logged = c
		}
	}
	return logged, logged.ID != ""
}

// refusesOrigins: the service found its list of trusted origins malformed, and
// so trusts nobody.
func (s *scene) refusesOrigins() bool {
	_, found := s.first(func(c call) bool {
		return c.Status == 503 && (strings.HasPrefix(c.code(), "ORIGIN_") || strings.HasPrefix(c.code(), "ORIGINS_"))
	})
	return found
}

func originNotTrusted(s *scene) (*Finding, string) {
	c, found := s.distrusted()
	if found && s.refusesOrigins() {
		return nil, "the service refuses its own setting of trusted origins"
	}
	if !found {
		return nil, s.ifCalls("no call of the frontend was refused for its origin")
	}
	f := of(c)
	f.Title = fmt.Sprintf("%s does not trust the origin %s", s.named(c), c.PageOrigin)
	f.Evidence[0] += ", Origin: " + c.PageOrigin
	for _, l := range firstOf(s.logOf(c, "origin.refused")) {
		f.Evidence = append(f.Evidence, logLine(l))
	}
	return f, ""
}

func originMissing(s *scene) (*Finding, string) {
	for _, c := range s.calls {
		if originWord(c) != originMissingOne {
			continue
		}
		f := of(c)
		f.Title = fmt.Sprintf("%s was asked without an Origin, and refuses that", s.named(c))
		return f, ""
	}
	return nil, s.ifCalls("no call was answered " + originMissingOne)
}

func signInRefused(s *scene) (*Finding, string) {
	if s.established() {
		return nil, s.spans[0].by.ID + " signed the person in"
	}
	for _, c := range s.entries() {
		refused := c.Status == 400 || c.Status == 401 || c.Status == 422 || (c.Status == 403 && originWord(c) == "")
		if !refused {
			continue
		}
		f := of(c)
		f.Title = fmt.Sprintf("%s refused the %s: %s", s.named(c), c.at, c.outcome())
		return f, ""
	}
	return nil, ""
}

// keysUndecryptable: the two endpoints that sign a token fail while one that
// only reads the session, or the sign-in itself, succeeds.
func keysUndecryptable(s *scene) (*Finding, string) {
	if calls, lines := s.keyUnread(); len(calls) > 0 {
		if yes, no := s.signatures(); len(yes)*len(no) > 0 {
			return nil, "" // signature-refused tells of the secrets that differ
		}
		f := of(calls[0])
		f.Evidence = append(f.Evidence, logLine(lines[0]))
		f.Title = fmt.Sprintf("%s cannot decrypt the private key in the jwks table: it was encrypted with another secret", s.named(calls[0]))
		return f, ""
	}
	token, failed := s.answered(atToken, 500)
	if !failed {
		if t, ok := s.answered(atToken, 200); ok {
			return nil, t.ID + " was answered with a token"
		}
		return nil, ""
	}
	session, both := s.answered(atSession, 500)
	list, reads := s.answered(atList, 200)
	logs := s.logged("jwt.failed")
	if !both || s.databaseDown() || !(reads || len(logs) > 0 || s.databaseUp()) {
		return nil, ""
	}
	f := of(token)
	f.Evidence = append(f.Evidence, session.line())
	if reads {
		f.Evidence = append(f.Evidence, list.line())
	}
	if s.databaseUp() {
		f.Evidence = append(f.Evidence, quote(s.observed(trace.ObserveDatabase)[0]))
	}
	for _, l := range firstOf(logs) {
		f.Evidence = append(f.Evidence, logLine(l))
	}
	f.Title = fmt.Sprintf("%s cannot sign tokens: it cannot read its private key in the jwks table, though it reads sessions", s.named(token))
	return f, ""
}

// answered returns the last call on an endpoint, of page or harness, with that
// status while the person ought to be signed in.
func (s *scene) answered(at endpoint, status int) (call, bool) {
	var last call
	found := false
	for _, c := range append(s.calls[:len(s.calls):len(s.calls)], s.asides...) {
		if _, in := s.during(c.Time); in && c.at == at && c.Status == status {
			last, found = c, true
		}
	}
	return last, found
}
