package trace

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"time"
)

// ParseToken reads header and claims of a JWT without verifying it (RFC 7519),
// and teaches r the token. What is no JWT comes back as Opaque.
func ParseToken(token string, r *Redactor) Token {
	t := Token{Digest: r.Learn(token)}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Opaque = true
		return t
	}
	var header struct {
		Algorithm string `json:"alg"`
		KeyID     string `json:"kid"`
	}
	var claims struct {
		Issuer   string   `json:"iss"`
		Audience audience `json:"aud"`
		Subject  string   `json:"sub"`
		IssuedAt float64  `json:"iat"`
		Expires  float64  `json:"exp"`
	}
	if decode(parts[0], &header) != nil || decode(parts[1], &claims) != nil || header.Algorithm == "" {
		t.Opaque = true
		return t
	}
	t.Algorithm, t.KeyID = header.Algorithm, header.KeyID
	t.Issuer, t.Audience, t.Subject = claims.Issuer, claims.Audience, claims.Subject
	t.IssuedAt, t.Expires = seconds(claims.IssuedAt), seconds(claims.Expires)
	return t
}

func decode(part string, into any) error {
	data, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(part, "="))
	if err != nil {
		return err
	}
	err = json.Unmarshal(data, into)
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) { // one claim of the wrong kind; the others stand
		return nil
	}
	return err
}

// lastSecond is the end of the year 9999: no later date can be written (RFC
// 3339).
const lastSecond = 253402300799

func seconds(n float64) time.Time {
	if n <= 0 || n > lastSecond {
		return time.Time{}
	}
	return time.Unix(int64(n), 0).UTC()
}

// audience is one string or a list of them (RFC 7519, section 4.1.3).
type audience []string

// UnmarshalJSON reads either form, and leaves out any other: the claims beside
// it stand.
func (a *audience) UnmarshalJSON(data []byte) error {
	var one string
	var all []string
	switch {
	case json.Unmarshal(data, &one) == nil:
		*a = audience{one}
	case json.Unmarshal(data, &all) == nil:
		*a = all
	}
	return nil
}
