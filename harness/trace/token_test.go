package trace

import (
	"encoding/base64"
	"encoding/json"
	"reflect"
	"testing"
	"time"
)

func compactOf(header, claims string) string {
	enc := base64.RawURLEncoding.EncodeToString
	return enc([]byte(header)) + "." + enc([]byte(claims)) + ".c2lnbmF0dXJl"
}

func TestTokenIsReadWithoutItsKey(t *testing.T) {
	r := NewRedactor(nil)
	token := compactOf(`{"alg":"EdDSA","kid":"k1"}`,
		`{"iss":"https://auth.x.org","aud":["a","b"],"sub":"user-1","iat":1700000000,"exp":1700000900.9,"email":"ada@x.org"}`)
	want := Token{Digest: r.Digest(token), Algorithm: "EdDSA", KeyID: "k1", Issuer: "https://auth.x.org",
		Audience: []string{"a", "b"}, Subject: "user-1",
		IssuedAt: time.Unix(1700000000, 0).UTC(), Expires: time.Unix(1700000900, 0).UTC()}
	if got := ParseToken(token, r); !reflect.DeepEqual(got, want) {
		t.Errorf("\n got %+v\nwant %+v", got, want)
	}
	if plain, ok := r.Reveal(want.Digest); !ok || plain != token {
		t.Error("the token was not learnt")
	}
}

func TestTokenClaimsInOddForms(t *testing.T) {
	const header = `{"alg":"none"}`
	for claims, want := range map[string]Token{
		`{"aud":"one"}`:                        {Algorithm: "none", Audience: []string{"one"}},
		`{"sub":7,"iss":"i","exp":1700000000}`: {Algorithm: "none", Issuer: "i", Expires: time.Unix(1700000000, 0).UTC()},
		`{"aud":{"no":"list"},"sub":"s"}`:      {Algorithm: "none", Subject: "s"},
		`{"exp":1e300,"iat":-5}`:               {Algorithm: "none"},
		`{}`:                                   {Algorithm: "none"},
	} {
		got := ParseToken(compactOf(header, claims), NewRedactor(nil))
		got.Digest = ""
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s\n got %+v\nwant %+v", claims, got, want)
		}
		if _, err := json.Marshal(got); err != nil {
			t.Errorf("%s cannot be written: %v", claims, err)
		}
	}
}

func TestWhatIsNoTokenIsOpaque(t *testing.T) {
	for _, text := range []string{"undefined", "session-token", "a.b", "a.b.c", "1.2.3", "...", compactOf(`{}`, `{}`),
		compactOf(`1`, `2`), compactOf(`{"alg":"x"`, `{}`), "eyJhbGciOiJ4In0.!.c", "a.b.c.d.e"} {
		r := NewRedactor(nil)
		if got, want := ParseToken(text, r), (Token{Digest: r.Digest(text), Opaque: true}); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %+v", text, got)
		}
	}
}
