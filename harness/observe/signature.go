package observe

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"strings"

	"crossing/harness/target"
)

// Signature is how a session cookie's value is signed, as a contract says.
//
// BetterAuth's and express-session's are TOKEN.SIGNATURE, URL-encoded, where
// TOKEN is what the session is stored under and SIGNATURE base64(HMAC-SHA256(
// secret, TOKEN)): BetterAuth's whole (better-call, signed cookies),
// express-session's without the = at its end and with s: before it all
// (cookie-signature, and express-session's setcookie). Auth.js's is a JWE whose
// kid is the thumbprint of a key that comes of the secret and the cookie's name
// (@auth/core, jwt); it is stored nowhere.
type Signature struct {
	kind   string // of target's
	cookie string // the cookie's name
}

// SignatureOf is a contract's.
func SignatureOf(c target.Contract) Signature {
	return Signature{kind: c.Signature, cookie: c.Cookie.Name}
}

// prefix stands before the token.
func (s Signature) prefix() string {
	if s.kind == target.ExpressSession {
		return "s:"
	}
	return ""
}

func (s Signature) encoding() *base64.Encoding {
	if s.kind == target.ExpressSession {
		return base64.RawStdEncoding
	}
	return base64.StdEncoding
}

// Token returns the TOKEN part of a session cookie's value.
func (s Signature) Token(value string) string {
	token, _ := s.split(value)
	return token
}

// Signed says whether a session cookie was signed with secret.
func (s Signature) Signed(value, secret string) bool {
	if s.kind == target.AuthJS {
		return s.keyed(value, secret)
	}
	token, signature := s.split(value)
	got, err := s.encoding().DecodeString(signature)
	if err != nil {
		return false
	}
	return hmac.Equal(got, sum(token, secret))
}

// Sign returns a session cookie's value for a token, as a service with this
// secret would write it: for sessions that no service would make.
func (s Signature) Sign(token, secret string) string {
	return url.PathEscape(s.prefix() + token + "." + s.encoding().EncodeToString(sum(token, secret)))
}

// Signs says whether values can be signed in a service's place.
func (s Signature) Signs() bool {
	return s.kind == target.BetterAuth || s.kind == target.ExpressSession
}

// keyed says whether the kid of a JWE's header is the SHA-512 thumbprint (RFC
// 7638) of the key that Auth.js derives of secret for this cookie.
func (s Signature) keyed(value, secret string) bool {
	head, _, _ := strings.Cut(value, ".")
	text, err := base64.RawURLEncoding.DecodeString(head)
	var header struct {
		Kid string `json:"kid"`
	}
	if err != nil || json.Unmarshal(text, &header) != nil || header.Kid == "" {
		return false
	}
	key, err := hkdf.Key(sha256.New, []byte(secret), []byte(s.cookie), "Auth.js Generated Encryption Key ("+s.cookie+")", sha512.Size)
	if err != nil {
		return false
	}
	thumbprint := sha512.Sum512([]byte(`{"k":"` + base64.RawURLEncoding.EncodeToString(key) + `","kty":"oct"}`))
	return header.Kid == base64.RawURLEncoding.EncodeToString(thumbprint[:])
}

// Forgery says whether a name is that of a cookie against forged requests that
// is made with the secret: Auth.js's, whatever the prefix.
func (s Signature) Forgery(name string) bool {
	return s.kind == target.AuthJS && strings.HasSuffix(name, "authjs.csrf-token")
}

// MadeForgery says whether that cookie's value was made with secret. Auth.js's
// is TOKEN|HASH, URL-encoded, where HASH is SHA-256 of the token and the secret
// in hexadecimal (@auth/core, createCSRFToken).
func (s Signature) MadeForgery(value, secret string) bool {
	if plain, err := url.PathUnescape(value); err == nil {
		value = plain
	}
	token, hash, found := strings.Cut(value, "|")
	want := sha256.Sum256([]byte(token + secret))
	return found && hmac.Equal([]byte(hash), []byte(hex.EncodeToString(want[:])))
}

func sum(token, secret string) []byte {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(token))
	return mac.Sum(nil)
}

func (s Signature) split(value string) (token, signature string) {
	if plain, err := url.PathUnescape(value); err == nil {
		value = plain
	}
	if s.kind == target.SignatureNone || s.kind == target.AuthJS {
		return value, ""
	}
	value = strings.TrimPrefix(value, s.prefix())
	// The token has no dot, base64 has none either: the last one parts them.
	i := strings.LastIndexByte(value, '.')
	if i < 0 {
		return value, ""
	}
	return value[:i], value[i+1:]
}
