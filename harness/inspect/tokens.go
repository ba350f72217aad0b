package inspect

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"crossing/harness/target"
	"crossing/harness/trace"
)

// tokens finds the endpoint that hands out a JWT, the keys that it is verified
// with, and the api's endpoint that took it.
func (i *inference) tokens() {
	p := &i.found.Contract.Paths
	calls := i.of(trace.RoleAPI, func(e trace.Exchange) bool { return e.Request.Token != nil && e.Status == http.StatusOK })
	giving := i.of(trace.RoleAuth, func(e trace.Exchange) bool {
		return e.Method == http.MethodGet && e.Status == http.StatusOK && e.Response.Token != nil && !e.Response.Token.Opaque
	})
	p.Token, p.Keys, p.API = "", "", ""
	if len(giving) == 0 {
		i.noToken(calls)
		return
	}
	e := giving[0]
	p.Token = e.Path
	i.evidence(fmt.Sprintf("token      GET %s answers with a JWT (%s)", e.Path, e.Response.Token.Algorithm))
	if e.Outside {
		i.doubt("contract.paths.token", e.Path+" hands out a JWT when it is asked from outside; no page was seen to ask", "whether the frontend asks there", "")
	}
	i.claims(*e.Response.Token)
	i.keys(e.Response.Token.KeyID)
	switch {
	case len(calls) > 0:
		p.API = calls[0].Path
		i.evidence(fmt.Sprintf("api        %s %s with that token answers 200", calls[0].Method, p.API))
		if calls[0].Outside {
			i.doubt("contract.paths.api", p.API+" answers 200 to a token when it is asked from outside; no page was seen to ask", "which of the api's endpoints the frontend calls", "")
		}
	case i.found.Origins.API != "":
		i.doubt("contract.paths.api", "no call of the api with a token was seen to be answered 200", "what the frontend calls with its token", "api: /me")
	default:
		i.doubt("origins.api", "a token is handed out, and no API_URL was given"+i.strangers(), "who takes the token", "api: https://api.example.com")
	}
}

// noToken says what is known where no endpoint hands a JWT out: nothing but
// where the api was called with one all the same.
func (i *inference) noToken(calls []trace.Exchange) {
	if len(calls) > 0 {
		where := "its origin was not seen"
		digest := calls[0].Request.Token.Digest
		for _, e := range i.of(trace.RoleAuth, func(e trace.Exchange) bool { return strings.Contains(e.Response.Body, digest) }) {
			where = fmt.Sprintf("it came from %s %s, under another name than token", e.Method, e.Path)
		}
		i.doubt("contract.paths.token", fmt.Sprintf("%s of the api was called with a token, and %s", calls[0].Path, where), "how the frontend gets its token: a GET that answers {\"token\": …} is expected", "token: /token")
		return
	}
	if i.found.Origins.API != "" {
		i.doubt("contract.paths.token", "no endpoint of the auth service was seen to hand out a JWT, and the api was called with none", "how the frontend calls the api", "token: /token")
		return
	}
	i.evidence("token      none is handed out")
}

// claims are the token's own words about who made it, and for whom.
func (i *inference) claims(t trace.Token) {
	c := &i.found.Contract
	if t.Issuer != "" && t.Issuer != i.found.Origins.Auth {
		c.Issuer = t.Issuer
	}
	if len(t.Audience) > 0 && t.Audience[0] != i.found.Origins.Auth {
		c.Audience = t.Audience[0]
	}
}

// keys finds the key set (RFC 7517), that with the token's own key first.
func (i *inference) keys(id string) {
	var other string
	for _, e := range i.of(trace.RoleAuth, func(e trace.Exchange) bool { return e.Method == http.MethodGet && e.Status == http.StatusOK }) {
		var set struct {
			Keys []struct {
				Kind string `json:"kty"`
				ID   string `json:"kid"`
			} `json:"keys"`
		}
		if json.Unmarshal([]byte(e.Response.Body), &set) != nil {
			continue
		}
		for _, key := range set.Keys {
			if key.ID == id && key.Kind != "" {
				i.found.Contract.Paths.Keys = e.Path
				i.evidence(fmt.Sprintf("keys       GET %s has the key that signed it", e.Path))
				return
			}
			if key.Kind != "" {
				other = e.Path
			}
		}
	}
	i.found.Contract.Paths.Keys = other
	why := "no key set was found"
	if other != "" {
		why = other + " has keys, and not the one that the token names"
	}
	i.doubt("contract.paths.keys", why, "where the api has its keys from (JWKS)", "keys: /.well-known/jwks.json")
}

// strangers names the hosts that the page asked and that were refused: one of
// them may be a part that was not given.
func (i *inference) strangers() string {
	var hosts []string
	for _, host := range i.Trace.Hosts {
		if origin := "https://" + host; i.Trace.Subject.Origins.Role(origin) == trace.RoleUnknown && origin != target.Elsewhere {
			hosts = append(hosts, host)
		}
	}
	if len(hosts) == 0 {
		return ""
	}
	return "; the pages asked " + strings.Join(hosts, ", ") + ", which was refused"
}
