package observe

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"crossing/harness/trace"
)

// algorithms that a token may be signed with: the asymmetric ones that
// BetterAuth's jwt plugin offers.
var algorithms = []jose.SignatureAlgorithm{jose.EdDSA, jose.ES256, jose.ES512, jose.RS256, jose.PS256}

// Claims are what a verified token says.
type Claims struct {
	KeyID     string
	Algorithm string
	Subject   string
	Email     string
	IssuedAt  time.Time
	Expires   time.Time
}

// Keys fetches an instance's key set, past edge and browser.
func Keys(ctx context.Context, i Instance, path string) (jose.JSONWebKeySet, error) {
	var set jose.JSONWebKeySet
	status, body, err := get(ctx, i.URL+path, nil)
	if err != nil {
		return set, err
	}
	if status != http.StatusOK {
		return set, fmt.Errorf("%s answers %d on %s: %s", i.Name, status, path, excerpt(body))
	}
	if err := json.Unmarshal(body, &set); err != nil {
		return set, fmt.Errorf("the key set of %s is no JWKS (RFC 7517): %w", i.Name, err)
	}
	return set, nil
}

// Verify checks a token's signature by the key that its kid names, its issuer,
// its audience and its times (RFC 7519, section 4.1), without any leeway.
func Verify(token string, keys jose.JSONWebKeySet, issuer, audience string) (Claims, error) {
	parsed, err := jwt.ParseSigned(token, algorithms)
	if err != nil {
		return Claims{}, fmt.Errorf("read the token: %w", err)
	}
	head := parsed.Headers[0]
	known := keys.Key(head.KeyID)
	if len(known) != 1 {
		return Claims{}, fmt.Errorf("the key set of %d keys has %d with the token's kid %q", len(keys.Keys), len(known), head.KeyID)
	}
	var claims jwt.Claims
	var person struct {
		Email string `json:"email"`
	}
	if err := parsed.Claims(known[0].Public(), &claims, &person); err != nil {
		return Claims{}, fmt.Errorf("verify the signature by key %q: %w", head.KeyID, err)
	}
	expected := jwt.Expected{Issuer: issuer, AnyAudience: jwt.Audience{audience}, Time: time.Now()}
	if err := claims.ValidateWithLeeway(expected, 0); err != nil {
		return Claims{}, fmt.Errorf("issuer %q, audience %v, expiry %s: %w", claims.Issuer, claims.Audience, claims.Expiry.Time().UTC(), err)
	}
	if claims.Expiry == nil || claims.IssuedAt == nil {
		return Claims{}, fmt.Errorf("the token has no exp or no iat")
	}
	return Claims{
		KeyID: head.KeyID, Algorithm: head.Algorithm, Subject: claims.Subject, Email: person.Email,
		IssuedAt: claims.IssuedAt.Time(), Expires: claims.Expiry.Time(),
	}, nil
}

// token observes whether a token verifies by the first instance's key set.
func (o *Observer) token(ctx context.Context, digest, plain string) trace.Observation {
	seen := trace.Observation{Name: trace.ObserveToken, Of: digest, Answer: trace.AnswerYes}
	if len(o.Auth) == 0 {
		seen.Answer, seen.Detail = trace.AnswerFailed, "no instance can be asked for its key set"
		return seen
	}
	seen.Instance = o.Auth[0].Name
	keys, err := Keys(ctx, o.Auth[0], o.Subject.Paths.Keys)
	if err != nil {
		seen.Answer, seen.Detail = trace.AnswerFailed, err.Error()
		return seen
	}
	if _, err := Verify(plain, keys, o.Subject.Issuer, o.Subject.Audience); err != nil {
		seen.Answer, seen.Detail = trace.AnswerNo, err.Error()
	}
	return seen
}
