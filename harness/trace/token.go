package trace

import (
	"encoding/base64"
	"encoding/json"
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
	if decode(parts[0], &header) != nil || decode(parts[1], &claims) != nil {
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
	return json.Unmarshal(data, into)
}

func seconds(n float64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(int64(n), 0).UTC()
}

// audience is one string or a list of them (RFC 7519, section 4.1.3).
type audience []string

// UnmarshalJSON reads either form.
func (a *audience) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*a = audience{one}
		return nil
	}
	var all []string
	if err := json.Unmarshal(data, &all); err != nil {
		return err
	}
	*a = all
	return nil
}
