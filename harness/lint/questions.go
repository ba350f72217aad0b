package lint

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"crossing/harness/observe"
	"crossing/harness/trace"
)

// sessions show every instance's cookie to every instance, and nothing right
// after: an answer for nobody that names a person came out of a cache. The
// refresh is switched off, so that asking changes nothing (BetterAuth,
// get-session's disableRefresh).
func (c *collector) sessions(ctx context.Context) error {
	path := c.Target.Contract.Paths.Session
	for i, to := range c.a.Auth {
		for _, of := range c.a.Auth {
			if c.session[of] == "" {
				continue
			}
			if _, err := c.auth(ctx, i, qSession, of, request{path: path + "?disableRefresh=true", header: map[string]string{"Cookie": c.session[of]}}); err != nil {
				return err
			}
		}
		if _, err := c.auth(ctx, i, qNobody, "", request{path: path + "?disableRefresh=true"}); err != nil {
			return err
		}
		if own := c.bearer[to]; own != "" {
			if _, err := c.auth(ctx, i, qBearer, to, request{path: path + "?disableRefresh=true", header: map[string]string{"Authorization": "Bearer " + own}}); err != nil {
				return err
			}
		}
	}
	for _, of := range c.a.Auth {
		if value := valueOf(c.session[of]); value != "" {
			c.signatures(of, value)
		}
	}
	return nil
}

func valueOf(pair string) string {
	_, value, _ := strings.Cut(pair, "=")
	return value
}

// signatures say whose secret signed an instance's cookie.
func (c *collector) signatures(of, value string) {
	for _, i := range c.Observer.Auth {
		secret := i.Environment[c.Target.Contract.SigningSecret]
		if secret == "" {
			continue
		}
		answer := trace.AnswerNo
		if observe.SignatureOf(c.Target.Contract).Signed(value, secret) {
			answer = trace.AnswerYes
		}
		c.observe(trace.Observation{Name: trace.ObserveSignature, Of: of, Instance: i.Name, Answer: answer})
	}
}

// tokensAndKeys ask every instance for a token of its own session, and verify
// each by every instance's keys.
func (c *collector) tokensAndKeys(ctx context.Context) error {
	paths := c.Target.Contract.Paths
	if paths.Token == "" || paths.Keys == "" {
		return nil
	}
	sets := map[string]jose.JSONWebKeySet{}
	for i, to := range c.a.Auth {
		if own := c.session[to]; own != "" {
			h, err := c.auth(ctx, i, qToken, to, request{path: paths.Token, header: map[string]string{"Cookie": own}})
			if err != nil {
				return err
			}
			var answer struct {
				Token string `json:"token"`
			}
			if json.Unmarshal(h.body, &answer) == nil && h.Response.Token != nil {
				c.tokens[to] = answer.Token
			}
		}
		if _, err := c.auth(ctx, i, qNoToken, "", request{path: paths.Token}); err != nil {
			return err
		}
		h, err := c.auth(ctx, i, qKeys, "", request{path: paths.Keys})
		if err != nil {
			return err
		}
		var set jose.JSONWebKeySet
		if json.Unmarshal(h.body, &set) == nil {
			sets[to] = set
		}
	}
	sub := c.a.Subject
	for of, token := range c.tokens {
		for by, set := range sets {
			seen := trace.Observation{Name: trace.ObserveToken, Of: of, Instance: by, Answer: trace.AnswerYes}
			if _, err := observe.Verify(token, set, sub.Issuer, sub.Audience); err != nil {
				seen.Answer, seen.Detail = trace.AnswerNo, err.Error()
			}
			c.observe(seen)
		}
	}
	return c.hosts(ctx)
}

// hosts ask each instance for a token under another Host: an issuer that
// follows it differs from what the api was told. It goes past the edge, which
// lets nobody choose the Host; a platform's edge does not either.
func (c *collector) hosts(ctx context.Context) error {
	stranger := strings.TrimPrefix(c.Target.Origins.Stranger, "https://")
	for _, i := range c.Observer.Auth {
		own := c.session[i.Name]
		if own == "" {
			continue
		}
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, i.URL+c.Target.Contract.Paths.Token, nil)
		if err != nil {
			return err
		}
		req.Host = stranger
		for name, value := range map[string]string{"Cookie": own, "X-Forwarded-Host": stranger, "X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7"} {
			req.Header.Set(name, value)
		}
		res, err := plain.Do(req)
		if err != nil {
			continue // what does not answer was noted before
		}
		var answer struct {
			Token string `json:"token"`
		}
		err = json.NewDecoder(res.Body).Decode(&answer)
		_ = res.Body.Close()
		if err != nil || answer.Token == "" {
			continue
		}
		said := trace.ParseToken(answer.Token, c.Redactor)
		seen := trace.Observation{Name: observeHost, Instance: i.Name, Answer: trace.AnswerYes, Detail: said.Issuer}
		if strings.Contains(said.Issuer, stranger) {
			seen.Answer = trace.AnswerNo
		}
		c.observe(seen)
	}
	return nil
}

// plain is for instances past the edge.
var plain = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

// origins ask in several names. The POST is a sign-out with a cookie of no
// meaning: BetterAuth judges the Origin of whatever carries a cookie.
func (c *collector) origins(ctx context.Context) error {
	t := c.Target
	paths := t.Contract.Paths
	for i, to := range c.a.Auth {
		for _, as := range []struct{ of, origin string }{
			{ofFrontend, t.Origins.Frontend}, {ofSlash, t.Origins.Frontend + "/"}, {ofStranger, t.Origins.Stranger}, {ofNull, "null"}, {ofNone, ""},
		} {
			header := map[string]string{"Origin": as.origin, "Cookie": "crossing-lint=1"}
			if as.origin == "" {
				delete(header, "Origin")
			}
			if _, err := c.ask(ctx, c.voices[i], qOrigin, as.of, to, request{
				method: http.MethodPost, origin: t.Origins.Auth, path: paths.SignOut, header: header, json: map[string]string{}}); err != nil {
				return err
			}
		}
		for _, as := range []struct{ of, origin string }{{ofFrontend, t.Origins.Frontend}, {ofStranger, t.Origins.Stranger}} {
			if _, err := c.auth(ctx, i, qPreflight, as.of, preflight(as.origin, paths.SignIn, http.MethodPost, t.Contract.CORS.Auth.Allowed)); err != nil {
				return err
			}
			if paths.Token == "" {
				continue
			}
			if _, err := c.auth(ctx, i, qAuthorized, as.of, preflight(as.origin, paths.Token, http.MethodGet, []string{"authorization"})); err != nil {
				return err
			}
		}
		if own := c.session[to]; own != "" {
			if _, err := c.auth(ctx, i, qStranger, to, request{path: paths.Session + "?disableRefresh=true", header: map[string]string{"Cookie": own, "Origin": t.Origins.Stranger}}); err != nil {
				return err
			}
		}
	}
	return nil
}

// preflight is what a browser asks before a request that is not simple (Fetch,
// "CORS-preflight fetch"): header names in lower case and sorted.
func preflight(origin, path, method string, headers []string) request {
	return request{method: http.MethodOptions, path: path, header: map[string]string{
		"Origin": origin, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": strings.Join(headers, ","),
	}}
}

// api shows each instance of the api a token of every auth instance, and what
// is none.
func (c *collector) api(ctx context.Context) error {
	t := c.Target
	path := t.Contract.Paths.API
	if t.Origins.API == "" || path == "" {
		return nil
	}
	for _, to := range c.a.API {
		v, err := c.raise("", to)
		if err != nil {
			return err
		}
		c.extra = append(c.extra, v)
		for _, as := range []struct{ of, origin string }{{ofFrontend, t.Origins.Frontend}, {ofStranger, t.Origins.Stranger}} {
			q := preflight(as.origin, path, http.MethodGet, t.Contract.CORS.API.Allowed)
			q.origin = t.Origins.API
			if _, err := c.ask(ctx, v, qAPIAllowed, as.of, to, q); err != nil {
				return err
			}
		}
		for _, shown := range c.credentials() {
			header := from(t.Origins.Frontend)
			if shown.value != "" {
				header["Authorization"] = "Bearer " + shown.value
			}
			if _, err := c.ask(ctx, v, qAPI, shown.of, to, request{method: http.MethodGet, origin: t.Origins.API, path: path, header: header}); err != nil {
				return err
			}
		}
	}
	return nil
}

// credential is what the api is shown.
type credential struct{ of, value string }

func (c *collector) credentials() []credential {
	all := []credential{{ofNobody, ""}}
	for _, of := range c.a.Auth {
		if token := c.tokens[of]; token != "" {
			all = append(all, credential{of, token})
		}
	}
	for _, of := range c.a.Auth {
		if token := c.tokens[of]; token != "" {
			all = append(all, credential{ofTampered, tampered(token)})
			break
		}
	}
	for _, of := range c.a.Auth {
		if value := valueOf(c.session[of]); value != "" {
			return append(all, credential{ofSession, value})
		}
	}
	return all
}

// tampered changes one digit of a token's claims, and not its signature.
func tampered(token string) string {
	parts := strings.Split(token, ".")
	if len(parts) != 3 || len(parts[1]) < 2 {
		return token + "x"
	}
	claims := []byte(parts[1])
	middle := len(claims) / 2
	digit := byte('A')
	if claims[middle] == digit {
		digit = 'B'
	}
	claims[middle] = digit
	return parts[0] + "." + string(claims) + "." + parts[2]
}
