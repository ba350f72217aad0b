package lint

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"crossing/harness/trace"
)

// briefest is how long a token must live at least: shorter, and one that a
// page has just fetched is over when the api reads it, or the clocks of two
// machines decide.
const briefest = 30 * time.Second

// tokens: the contract has any.
func (a *Answers) tokens() bool { return a.Subject.Paths.Token != "" && a.Subject.Paths.Keys != "" }

const noTokens = "the contract names no tokens (contract.paths.token, keys)"

// keys judges the key sets that tokens are verified with.
func keys(a *Answers) outcome {
	if !a.tokens() {
		return unable(noTokens)
	}
	var o outcome
	kids := map[string]string{} // instance → kids
	for _, x := range a.all(qKeys) {
		if set, fine := o.keySet(x); fine {
			kids[x.To] = list(set)
		}
	}
	var first string
	for _, i := range slices.Sorted(maps.Keys(kids)) {
		if first == "" {
			first = i
		}
		if kids[i] != kids[first] {
			o.find("token-key-unknown", first+", "+i, fmt.Sprintf("%s and %s have different key sets: a token of one is unknown by the other's", first, i),
				fmt.Sprintf("kids of %s: %s", first, orElse(kids[first], "none")), fmt.Sprintf("kids of %s: %s", i, orElse(kids[i], "none")))
		}
	}
	if first == "" && len(o.findings) == 0 {
		return unable("no key set was answered")
	}
	o.said = "kid " + kids[first]
	return o
}

// keySet judges one instance's, and returns its kids in order (RFC 7517).
func (o *outcome) keySet(x Answer) (kids []string, fine bool) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	switch {
	case x.silent() || x.Status == 429 || x.Status == 503:
		o.failed(x)
		return nil, false
	case x.Status != 200:
		o.find("token-keys-unreachable", x.To, fmt.Sprintf("%s does not hand out its key set", x.who()), x.line())
		return nil, false
	case json.Unmarshal([]byte(x.Response.Body), &set) != nil || len(set.Keys) == 0:
		o.find("token-keys-unreachable", x.To, fmt.Sprintf("%s answers on its key set with none", x.who()), x.line()+", "+orElse(kind(x.Exchange), "no content type"))
		return nil, false
	}
	fine = true
	for n, raw := range set.Keys {
		if private(raw) {
			o.find("keys-private", x.To, fmt.Sprintf("%s hands out a private key: whoever reads it signs tokens for anybody", x.who()), x.line())
			continue
		}
		var key jose.JSONWebKey
		if err := json.Unmarshal(raw, &key); err != nil {
			o.find("token-keys-unreachable", x.To, fmt.Sprintf("key %d of %s cannot be parsed", n+1, x.who()), x.line(), err.Error())
			fine = false
			continue
		}
		if key.KeyID == "" || slices.Contains(kids, key.KeyID) {
			o.find("token-key-unknown", x.To, fmt.Sprintf("the keys of %s cannot be told apart: kid %q", x.who(), key.KeyID), x.line())
		}
		kids = append(kids, key.KeyID)
	}
	slices.Sort(kids)
	return kids, fine
}

// private: the private part of a key, or a secret one (RFC 7518, section 6).
func private(raw json.RawMessage) bool {
	var parts map[string]json.RawMessage
	_ = json.Unmarshal(raw, &parts) // what is no object has no such part
	_, d := parts["d"]
	_, k := parts["k"]
	return d || k
}

// token judges what a session gets, and what nobody gets.
func token(a *Answers) outcome {
	if !a.tokens() {
		return unable(noTokens)
	}
	var o outcome
	said := ""
	for _, x := range a.all(qToken) {
		t := x.Response.Token
		switch {
		case x.ok() && t != nil && !t.Opaque:
			o.verified(a, x)
			lives := t.Expires.Sub(t.IssuedAt)
			if lives < briefest {
				o.find("token-expired", x.To, fmt.Sprintf("tokens of %s live %s: one is over before, or soon after, the api reads it", x.who(), lives), x.line(), claims(t))
			}
			said = fmt.Sprintf("%s, %s long", t.Algorithm, lives)
		case !a.ownKnown(x.To):
			// told by the session's check
		case x.silent() || x.Status == 429 || x.Status == 503:
			o.failed(x)
		case x.Status == 500:
			o.find("keys-undecryptable", x.To, x.who()+" cannot sign tokens, though it reads sessions: it cannot read its private key in the jwks table", x.line())
		default:
			o.find("token-refused", x.To, fmt.Sprintf("%s gives a session that it knows no token: %d %s", x.who(), x.Status, x.code()), x.line())
		}
	}
	for _, x := range a.all(qNoToken) {
		if x.ok() && x.Response.Token != nil {
			o.find("token-cached", x.To, "nobody is answered with somebody's token: it came out of a cache", x.line()+", sent without any cookie", cacheLines(x))
		}
	}
	if said == "" && len(o.findings) == 0 {
		return unable("no session got a token: see session")
	}
	o.said = said
	return o
}

func claims(t *trace.Token) string {
	return fmt.Sprintf("the token said iss %s, aud %s, kid %s, alg %s, iat %s, exp %s", t.Issuer, strings.Join(t.Audience, " "), t.KeyID, t.Algorithm,
		t.IssuedAt.UTC().Format(time.RFC3339), t.Expires.UTC().Format(time.RFC3339))
}

// verified holds a token against every instance's keys. Issuer, audience and
// times have checks of their own.
func (o *outcome) verified(a *Answers, x Answer) {
	for _, seen := range a.Observed {
		if seen.Name != trace.ObserveToken || seen.Of != x.To || seen.Answer == trace.AnswerYes {
			continue
		}
		says := fmt.Sprintf("by the keys of %s: %s", seen.Instance, seen.Detail)
		switch {
		case strings.Contains(seen.Detail, "kid"):
			o.find("token-key-unknown", x.To, fmt.Sprintf("the key set of %s lacks the key %s, with which %s signs", seen.Instance, x.Response.Token.KeyID, x.who()), x.line(), says)
		case strings.Contains(seen.Detail, "verify the signature"):
			o.find("token-signature", x.To, fmt.Sprintf("the key %s of %s did not sign the token of %s", x.Response.Token.KeyID, seen.Instance, x.who()), x.line(), says)
		case strings.Contains(seen.Detail, "read the token"):
			o.find("token-algorithm", x.To, fmt.Sprintf("the token of %s is signed with %s, which no public key verifies", x.who(), x.Response.Token.Algorithm), x.line(), says)
		}
	}
}

// issuer judges iss, also under another Host.
func issuer(a *Answers) outcome {
	o, said := judgeTokens(a, func(o *outcome, x Answer, t *trace.Token) string {
		if t.Issuer != a.Subject.Issuer {
			o.find("token-issuer", x.To, fmt.Sprintf("the tokens of %s are from %s, where %s was agreed", x.who(), t.Issuer, a.Subject.Issuer), x.line(), claims(t))
		}
		return t.Issuer
	})
	for _, seen := range a.Observed {
		if seen.Name == observeHost && seen.Answer == trace.AnswerNo {
			o.find("issuer-follows-host", seen.Instance, fmt.Sprintf("the issuer of %s follows the request's Host: its base URL is not set", seen.Instance),
				fmt.Sprintf("GET %s past the edge, as Host %s: iss %s", a.Subject.Paths.Token, strings.TrimPrefix(a.Subject.Origins.Stranger, "https://"), seen.Detail))
		}
	}
	if !a.Remote && said != "" {
		said += ", also under another Host"
	}
	return o.or(said)
}

// audience judges aud.
func audience(a *Answers) outcome {
	o, said := judgeTokens(a, func(o *outcome, x Answer, t *trace.Token) string {
		if !slices.Contains(t.Audience, a.Subject.Audience) {
			o.find("token-audience", x.To, fmt.Sprintf("the tokens of %s are for %s, where %s was agreed", x.who(), strings.Join(t.Audience, " "), a.Subject.Audience), x.line(), claims(t))
		}
		return strings.Join(t.Audience, " ")
	})
	return o.or(said)
}

func judgeTokens(a *Answers, judge func(*outcome, Answer, *trace.Token) string) (outcome, string) {
	var o outcome
	said := ""
	for _, x := range a.all(qToken) {
		if t := x.Response.Token; t != nil && !t.Opaque {
			said = judge(&o, x, t)
		}
	}
	return o, said
}

// or fills in what was said, or that there was no token.
func (o outcome) or(said string) outcome {
	if said == "" && len(o.findings) == 0 {
		return unable("there was no token to look at")
	}
	o.said = said
	return o
}

// api judges what the api takes, and what it must not.
func api(a *Answers) outcome {
	asked := a.all(qAPI)
	if len(asked) == 0 {
		return unable("the contract names no api that is called with a token (origins.api, contract.paths.api)")
	}
	var o outcome
	took := false
	for _, x := range asked {
		switch {
		case x.silent():
			o.find("upstream-gone", x.To, x.who()+" did not answer", x.line())
		case slices.Contains([]string{ofNobody, ofSession, ofTampered}, x.Of):
			o.takes(x)
		case x.ok():
			took = true
		default:
			reason := orElse(x.Response.Get("WWW-Authenticate"), x.Response.Body)
			cause := orElse(refusalCause(reason), "token-refused")
			o.find(cause, x.To, fmt.Sprintf("%s refuses the token of %s: %d %s", x.who(), x.Of, x.Status, x.code()), x.line(), reason, a.claimsOf(x.Of))
		}
	}
	if !took && len(o.findings) == 0 {
		return unable("there was no token to show it")
	}
	o.said = "it takes the token; nothing, the session's own token and a changed one it refuses"
	return o
}

func (a *Answers) claimsOf(instance string) string {
	if x, ok := a.one(qToken, instance, instance); ok && x.Response.Token != nil {
		return claims(x.Response.Token)
	}
	return ""
}

// takes notes an api that lets in what is no token.
func (o *outcome) takes(x Answer) {
	if x.ok() {
		o.find("api-open", x.To, fmt.Sprintf("%s answers %d to a call with %s in a token's place: it does not verify tokens", x.who(), x.Status,
			map[string]string{ofNobody: "nothing", ofSession: "the session's own token", ofTampered: "a changed token"}[x.Of]), x.line())
	}
}
