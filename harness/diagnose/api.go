package diagnose

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// apiRules are the reasons for which the api refuses a token. The api names
// PyJWT's exception in WWW-Authenticate.
var apiRules = []rule{
	{CauseInfo{
		Slug: "authorization-stripped", Hops: []Hop{HopAPI},
		Means: "The browser sent a token, and the api saw none: something on the way takes the Authorization header off.",
		Shows: "401 without an error code (RFC 6750, section 3.1) to a call that carried a JWT.",
	}, authorizationStripped},
	{CauseInfo{
		Slug: "token-not-sent", Hops: []Hop{HopAPI},
		Means: "The frontend called the api without a token, or with the word undefined, though nothing kept it from having one.",
		Shows: "Authorization: Bearer undefined, or none, after a token call that was answered 200 or never made.",
	}, tokenNotSent},
	{CauseInfo{
		Slug: "token-unreadable", Hops: []Hop{HopAPI},
		Means: "What the frontend sent the api is no JWT: the session's own token, or a broken one.",
		Shows: "401 with DecodeError.",
	}, tokenUnreadable},
	{CauseInfo{
		Slug: "token-issuer", Hops: []Hop{HopAPI},
		Means: "The token's issuer is another than the api expects.",
		Shows: "401 with InvalidIssuerError.",
	}, refusedFor("token-issuer", "InvalidIssuerError")},
	{CauseInfo{
		Slug: "token-audience", Hops: []Hop{HopAPI},
		Means: "The token is not for this api.",
		Shows: "401 with InvalidAudienceError.",
	}, refusedFor("token-audience", "InvalidAudienceError")},
	{CauseInfo{
		Slug: "token-expired", Hops: []Hop{HopAPI},
		Means: "The token's time was over when the api read it, by the api's clock.",
		Shows: "401 with ExpiredSignatureError.",
	}, refusedFor("token-expired", "ExpiredSignatureError")},
	{CauseInfo{
		Slug: "token-not-yet-valid", Hops: []Hop{HopAPI},
		Means: "The token was issued in the future of the api's clock.",
		Shows: "401 with ImmatureSignatureError; five seconds are enough, since PyJWT's leeway is 0.",
	}, refusedFor("token-not-yet-valid", "ImmatureSignatureError")},
	{CauseInfo{
		Slug: "token-keys-unreachable", Hops: []Hop{HopAPI},
		Means: "The api cannot fetch the key set, or finds no key in it that it can read.",
		Shows: "401 or 503 with PyJWKClientError on a cold api; a warm one keeps the keys for 300 s.",
	}, refusedFor("token-keys-unreachable", "PyJWKClientConnectionError", "PyJWKSetError", keysFetch)},
	{CauseInfo{
		Slug: "token-key-unknown", Hops: []Hop{HopAPI},
		Means: "The key that signed the token is not in the key set that the api reads.",
		Shows: "401 with PyJWKClientError, unable to find a signing key.",
	}, refusedFor("token-key-unknown", "PyJWKClientError")},
	{CauseInfo{
		Slug: "token-signature", Hops: []Hop{HopAPI},
		Means: "The token's signature does not fit the key of that name.",
		Shows: "401 with InvalidSignatureError.",
	}, refusedFor("token-signature", "InvalidSignatureError")},
	{CauseInfo{
		Slug: "token-algorithm", Hops: []Hop{HopAPI},
		Means: "The api does not allow the algorithm that the token is signed with.",
		Shows: "401 with InvalidAlgorithmError.",
	}, refusedFor("token-algorithm", "InvalidAlgorithmError")},
}

// refusals of the api: the calls that it answered 401, 403 or 503 to a page of
// a person who ought to be signed in.
func (s *scene) apiRefusals() []call {
	var out []call
	for _, c := range s.signedIn(atAPI) {
		if (c.Status == 401 || c.Status == 403 || c.Status == 503) && !walled(c) {
			out = append(out, c)
		}
	}
	return out
}

// authorizationStripped: a challenge without an error code says that no
// credentials came (RFC 6750, section 3.1).
func authorizationStripped(s *scene) (*Finding, string) {
	for _, c := range s.apiRefusals() {
		challenge := c.Response.Get("WWW-Authenticate")
		if !c.bearer() || challenge == "" || strings.Contains(challenge, "error=") || walled(c) {
			continue
		}
		f := of(c)
		f.Evidence[0] += ", sent with Authorization: Bearer " + c.Request.Token.Digest
		f.Evidence = append(f.Evidence, "WWW-Authenticate: "+challenge)
		f.Title = fmt.Sprintf("the browser sent %s a token, and it never saw one: Authorization was taken off on the way", s.named(c))
		return f, ""
	}
	return nil, s.tokenTaken()
}

// emptyCredentials are those of a script that had no token to send.
func emptyCredentials(c call) bool {
	word := ""
	if c.Request.Token != nil {
		word = c.Request.Token.Digest
	}
	none := []string{"", "undefined", "null", "[object Object]"}
	// A word that is no secret stands in the header as it was sent.
	if _, after, found := strings.Cut(c.Request.Get("Authorization"), " "); found && slices.Contains(none, strings.TrimSpace(after)) {
		return true
	}
	return slices.Contains(none, word)
}

// reason is what the api says of a refusal: WWW-Authenticate's
// error_description (RFC 6750, section 3), else the body.
func reason(c call) string {
	if header := c.Response.Get("WWW-Authenticate"); header != "" {
		if _, after, found := strings.Cut(header, `error_description="`); found {
			text, _, _ := strings.Cut(after, `"`)
			return text
		}
	}
	return c.Response.Body
}

// tokenNotSent does not name what follows from an earlier hop: a token call
// that failed leaves the script with nothing to send.
func tokenNotSent(s *scene) (*Finding, string) {
	for _, c := range s.apiRefusals() {
		if !emptyCredentials(c) || s.tokenFailedBefore(c) {
			continue
		}
		if lost, _ := s.lost(); lost {
			continue
		}
		f := of(c)
		sent := "no Authorization at all"
		if c.Request.Token != nil || c.Request.Get("Authorization") != "" {
			sent = "Authorization: Bearer " + orElse(wordOf(c), "and nothing behind it")
		}
		f.Evidence[0] += ", sent with " + sent
		f.Title = fmt.Sprintf("the frontend called %s with %s", s.named(c), sent)
		return f, ""
	}
	if len(s.signedIn(atAPI)) > 0 && len(s.apiRefusals()) == 0 {
		return nil, "the api took every token"
	}
	return nil, ""
}

func wordOf(c call) string {
	if _, after, _ := strings.Cut(c.Request.Get("Authorization"), " "); after != "" || c.Request.Token == nil {
		return strings.TrimSpace(after)
	}
	return c.Request.Token.Digest
}

// tokenFailedBefore: the last token call before c brought no token.
func (s *scene) tokenFailedBefore(c call) bool {
	failed := false
	for _, t := range s.signedIn(atToken) {
		if t.Time.Before(c.Time) {
			failed = !t.ok()
		}
	}
	return failed
}

func tokenUnreadable(s *scene) (*Finding, string) {
	for _, c := range s.apiRefusals() {
		tok := c.Request.Token
		if tok == nil || emptyCredentials(c) || !(tok.Opaque || strings.Contains(reason(c), "DecodeError")) {
			continue
		}
		f := of(c)
		f.Evidence = append(f.Evidence, reason(c))
		what := "something that is no readable JWT"
		if s.isSession(tok.Digest) {
			what = "the session's own token instead of a JWT"
			f.Evidence = append(f.Evidence, "the same "+tok.Digest+" was set-auth-token or the session cookie")
		}
		f.Title = fmt.Sprintf("the frontend sent %s %s", s.named(c), what)
		return f, ""
	}
	return nil, s.tokenTaken()
}

// isSession: the credentials are those of the session itself.
func (s *scene) isSession(digest string) bool {
	for _, c := range s.calls {
		if strings.Contains(c.Response.Get("set-auth-token"), digest) {
			return true
		}
		for _, l := range s.sessionLines(c) {
			if l.Digest == digest {
				return true
			}
		}
	}
	return false
}

// keysFetch is what PyJWT before 2.8 says under PyJWKClientError where the
// newer ones have an exception of its own.
const keysFetch = "Fail to fetch"

// refusedFor makes the rule for PyJWT's exceptions, or words, of one cause.
func refusedFor(slug string, words ...string) func(*scene) (*Finding, string) {
	return func(s *scene) (*Finding, string) {
		for _, c := range s.apiRefusals() {
			tok := c.Request.Token
			if tok == nil || tok.Opaque || !names(reason(c), words) {
				continue
			}
			f := of(c)
			f.Evidence = append(f.Evidence, reason(c), fmt.Sprintf("the token said iss %s, aud %s, kid %s, alg %s, iat %s, exp %s",
				tok.Issuer, strings.Join(tok.Audience, " "), tok.KeyID, tok.Algorithm, clock(tok.IssuedAt), clock(tok.Expires)))
			f.Title = s.tokenTitle(slug, c)
			return f, ""
		}
		return nil, s.tokenTaken()
	}
}

// names says whether the reason holds one of the words as a whole word, so
// that PyJWKClientError is not found in a longer name.
func names(reason string, words []string) bool {
	return slices.ContainsFunc(words, func(w string) bool {
		if w == "PyJWKClientError" && strings.Contains(reason, keysFetch) {
			return false
		}
		return strings.Contains(reason, w)
	})
}

// tokenTitle says what the api refused, naming both sides where the trace has
// them.
func (s *scene) tokenTitle(slug string, c call) string {
	tok, api, sub := c.Request.Token, s.named(c), s.t.Subject
	switch slug {
	case "token-issuer":
		return fmt.Sprintf("%s refuses the token's issuer %s%s", api, tok.Issuer, agreed(tok.Issuer == sub.Issuer, sub.Issuer))
	case "token-audience":
		return fmt.Sprintf("%s refuses the token's audience %s%s", api, strings.Join(tok.Audience, " "),
			agreed(slices.Contains(tok.Audience, sub.Audience), sub.Audience))
	case "token-expired":
		if c.Time.Before(tok.Expires) {
			return fmt.Sprintf("%s took the token for expired while it was good until %s: the api's clock runs ahead", api, clock(tok.Expires))
		}
		return fmt.Sprintf("the frontend sent %s a token that had expired at %s", api, clock(tok.Expires))
	case "token-not-yet-valid":
		if tok.IssuedAt.After(c.Time) {
			return fmt.Sprintf("the auth service's clock runs ahead, so %s finds that the token begins only at %s", api, clock(tok.IssuedAt))
		}
		return fmt.Sprintf("%s finds that the token of %s has not begun yet: the api's clock runs behind", api, clock(tok.IssuedAt))
	case "token-keys-unreachable":
		return api + " cannot get the keys that tokens are verified with"
	case "token-key-unknown":
		return fmt.Sprintf("%s finds no key %s, with which the token was signed, in the key set that it reads", api, tok.KeyID)
	case "token-signature":
		return fmt.Sprintf("%s finds that the key %s did not sign the token", api, tok.KeyID)
	}
	return fmt.Sprintf("%s does not allow the token's algorithm %s", api, tok.Algorithm)
}

// agreed says on which side the deviation from the contract lies.
func agreed(keeps bool, want string) string {
	switch {
	case want == "":
		return ""
	case keeps:
		return ", which is the agreed one: the api expects another"
	}
	return ", where " + want + " was agreed"
}

func clock(t time.Time) string {
	if t.IsZero() {
		return "none"
	}
	return t.UTC().Format(time.RFC3339)
}

// tokenTaken is how the api's reasons are ruled out.
func (s *scene) tokenTaken() string {
	for _, c := range s.signedIn(atAPI) {
		if c.ok() && c.Request.Token != nil {
			return "the api took the token of " + c.ID
		}
	}
	return ""
}
