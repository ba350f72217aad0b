package trace

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
)

// awkward has what every encoding writes differently.
const awkward = `p+a/s"s\w<ö>r d=%41`

func TestDigestsAreEqualWithinARunAndNowhereElse(t *testing.T) {
	a, b, other := NewRedactor([]byte("key of the run")), NewRedactor([]byte("key of the run")), NewRedactor(nil)
	if a.Digest("secret") != b.Digest("secret") {
		t.Error("two processes of one run disagree")
	}
	if a.Digest("secret") == a.Digest("secreu") || a.Digest("secret") == other.Digest("secret") {
		t.Error("another secret, or another run, has the same digest")
	}
	if d := a.Digest("secret"); len(d) != 17 || !strings.HasPrefix(d, "hmac:") {
		t.Errorf("a digest is %q", d)
	}
	if a.Digest("") != "" || a.Learn("") != "" {
		t.Error("the empty string has a digest")
	}
	if x, y := NewRedactor(nil), NewRedactor(nil); x.Digest("secret") == y.Digest("secret") {
		t.Error("two random keys are the same")
	}
}

func TestScrubFindsEveryForm(t *testing.T) {
	quoted, err := json.Marshal(awkward)
	if err != nil {
		t.Fatal(err)
	}
	forms := map[string]string{
		"plain":             awkward,
		"query":             url.QueryEscape(awkward),
		"path":              url.PathEscape(awkward),
		"lower escapes":     strings.ReplaceAll(url.QueryEscape(awkward), "%2B", "%2b"),
		"JSON":              string(quoted),
		"base64":            base64.StdEncoding.EncodeToString([]byte(awkward)),
		"base64url":         base64.RawURLEncoding.EncodeToString([]byte(awkward)),
		"Basic, one before": base64.StdEncoding.EncodeToString([]byte("1" + awkward)),
		"Basic, two before": base64.StdEncoding.EncodeToString([]byte("1:" + awkward)),
		"within a longer":   base64.URLEncoding.EncodeToString([]byte("ada:" + awkward + " and more")),
	}
	forms["lower escapes"] = lowerEscapes(url.QueryEscape(awkward))
	for name, form := range forms {
		r := NewRedactor(nil)
		text := "before " + form + " after"
		if r.Scrub(text) != text || len(r.Leaks([]byte(text))) != 0 {
			t.Fatalf("%s: found before it was learnt", name)
		}
		d := r.Learn(awkward)
		if got := r.Scrub(text); !strings.Contains(got, d) || !strings.HasPrefix(got, "before ") || !strings.HasSuffix(got, " after") {
			t.Errorf("%s: %q became %q", name, text, got)
		}
		if got := r.Leaks([]byte(text)); !slices.Equal(got, []string{d}) {
			t.Errorf("%s: leaks %q", name, got)
		}
	}
}

func TestACookieIsFoundUnescapedToo(t *testing.T) {
	r := NewRedactor(nil)
	d := r.Learn("token1234.sig%2Bna%3D")
	if got := r.Scrub("[token1234.sig+na=]"); got != "["+d+"]" {
		t.Errorf("unescaped: %q", got)
	}
	own := r.Learn("token1234.sig+na=") // now a secret in its own right
	if got := r.Scrub("[token1234.sig+na=]"); got != "["+own+"]" {
		t.Errorf("a secret does not stand for itself: %q, want %q", got, own)
	}
}

func TestOverlappingSecretsLeaveNothingBehind(t *testing.T) {
	r := NewRedactor(nil)
	short := r.Learn("ABCDEFGH")
	long := r.Learn("ABCDEFGH.signature")
	if got := r.Scrub("x ABCDEFGH.signature y ABCDEFGH z"); got != "x "+long+" y "+short+" z" {
		t.Errorf("nested: %q", got)
	}
	r.Learn("12345678")
	tail := r.Learn("5678-and-a-long-tail")
	if got := r.Scrub("<12345678-and-a-long-tail>"); got != "<"+tail+">" {
		t.Errorf("overlapping: %q", got)
	}
	if got := r.Scrub("ABCDEFGHABCDEFGH"); got != short+short {
		t.Errorf("side by side: %q", got)
	}
}

func TestShortWordsAndPlaceholdersStayReadable(t *testing.T) {
	r := NewRedactor(nil)
	for _, word := range []string{"short", "undefined", "[object Object]"} {
		d := r.Learn(word)
		if text := "read " + word + " of it"; r.Scrub(text) != text {
			t.Errorf("%q was scrubbed from a text", word)
		}
		if plain, ok := r.Reveal(d); !ok || plain != word {
			t.Errorf("%q cannot be revealed", word)
		}
	}
	if got := r.Conceal("undefined"); got != "undefined" {
		t.Errorf("a placeholder is concealed: %q", got)
	}
	if got := r.Conceal("hunter22"); got != r.Digest("hunter22") {
		t.Errorf("a secret is not concealed: %q", got)
	}
	if _, ok := r.Reveal(r.Digest("never learnt")); ok {
		t.Error("what was never learnt is revealed")
	}
}

func TestTokensAreScrubbedUnlearnt(t *testing.T) {
	r := NewRedactor(nil)
	jws := "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl-_xyz"
	jwe := "eyJhbGciOiJkaXIifQ..aXZpdml2aXZpdg.Y2lwaGVydGV4dA.dGFndGFndGFn"
	for _, token := range []string{jws, jwe} {
		if got := r.Scrub("Bearer " + token + ". Next"); got != "Bearer "+r.Digest(token)+". Next" {
			t.Errorf("%q", got)
		}
	}
	if text := "eyJhbGciOiJFZERTQSJ9 alone, and a.b.c"; r.Scrub(text) != text {
		t.Errorf("what is no token was scrubbed: %q", r.Scrub(text))
	}
}

func TestTheEndsOfATextAreSearched(t *testing.T) {
	r := NewRedactor(nil)
	d := r.Learn("12345678")
	for text, want := range map[string]string{"12345678": d, "x12345678": "x" + d, "12345678x": d + "x", "1234567": "1234567", "": ""} {
		if got := r.Scrub(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

func TestRedactorServesManyAtOnce(t *testing.T) {
	r := NewRedactor(nil)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := range 50 {
				secret := fmt.Sprintf("secret-%d-%d", i, j)
				if d := r.Learn(secret); r.Scrub(secret) != d {
					t.Errorf("%s is not scrubbed", secret)
				}
			}
		})
	}
	all.Wait()
}

func BenchmarkScrub(b *testing.B) {
	r := NewRedactor(nil)
	for i := range 1000 {
		r.Learn(fmt.Sprintf("%08d.a-session-token-of-the-usual-length", i*7919))
	}
	text := strings.Repeat("accept-language: en-GB,en;q=0.9 user-agent: Mozilla/5.0 (X11; Linux x86_64) ", 40)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		r.Scrub(text)
	}
}
