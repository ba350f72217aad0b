package trace

import (
	"strings"
	"testing"
)

func TestAPublishedOriginIsNoSecret(t *testing.T) {
	r := NewRedactor(nil)
	r.Publish("https://id.example.com")
	const text = "GET https://id.example.com/identity/session of https://www.example.com"
	for _, open := range []string{"https://id.example.com", "https%3A%2F%2Fid.example.com", "https://id.example.com/identity/session"} {
		if ParseSetCookie("callback-url="+open+"; Path=/", r); r.Scrub(text) != text {
			t.Errorf("%s is taken for a secret: %s", open, r.Scrub(text))
		}
		if len(r.Secrets()) > 0 {
			t.Errorf("%s is looked for: %q", open, r.Secrets())
		}
	}
	for _, secret := range []string{"https://www.example.com", "https://id.example.com/?token=abcdefgh", "https://ada:abcdefgh@id.example.com/"} {
		r.Learn(secret)
		if got := r.Scrub("at " + secret + "."); strings.Contains(got, secret) {
			t.Errorf("%s is told: %s", secret, got)
		}
	}
}
