package observe

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"strings"
)

// A BetterAuth session cookie is TOKEN.SIGNATURE, URL-encoded, where the
// signature is base64(HMAC-SHA256(secret, TOKEN)) (better-call, signed
// cookies) and TOKEN is the value in the session table.

// SessionToken returns the TOKEN part of a session cookie's value.
func SessionToken(value string) string {
	token, _ := split(value)
	return token
}

// Signed says whether a session cookie was signed with secret.
func Signed(value, secret string) bool {
	token, signature := split(value)
	got, err := base64.StdEncoding.DecodeString(signature)
	if err != nil {
		return false
	}
	return hmac.Equal(got, sum(token, secret))
}

// Sign returns a session cookie's value for a token, as a service with this
// secret would write it: for sessions that no service would make.
func Sign(token, secret string) string {
	return url.PathEscape(token + "." + base64.StdEncoding.EncodeToString(sum(token, secret)))
}

func sum(token, secret string) []byte {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(token))
	return mac.Sum(nil)
}

func split(value string) (token, signature string) {
	if plain, err := url.PathUnescape(value); err == nil {
		value = plain
	}
	// The token has no dot, base64 has none either: the last one parts them.
	i := strings.LastIndexByte(value, '.')
	if i < 0 {
		return value, ""
	}
	return value[:i], value[i+1:]
}
