package observe

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"crossing/harness/target"
	"crossing/harness/trace"
)

func sign(token, secret string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(token))
	return url.QueryEscape(token + "." + base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}

var own = Signature{kind: target.BetterAuth}

func TestASignatureIsKnownByItsSecretAlone(t *testing.T) {
	value := sign("abc123", "the secret of instance a")
	if !own.Signed(value, "the secret of instance a") {
		t.Error("its own secret is refused")
	}
	if own.Signed(value, "the secret of instance b") {
		t.Error("another secret is accepted")
	}
	if own.Signed(strings.Replace(value, "abc123", "abc124", 1), "the secret of instance a") {
		t.Error("another token is accepted")
	}
	if made := own.Sign("\x00.", "a"); !own.Signed(made, "a") || own.Signed(made, "b") || own.Token(made) != "\x00." || strings.Contains(made, "\x00") {
		t.Errorf("%q is not signed as it should be", made)
	}
	if own.Signed("abc123", "the secret of instance a") || own.Signed("", "") {
		t.Error("a value without a signature is accepted")
	}
	if got := own.Token(value); got != "abc123" {
		t.Errorf("the token is %q", got)
	}
}

func TestACookieAgainstForgedRequestsIsKnownByItsSecretAlone(t *testing.T) {
	auth := Signature{kind: target.AuthJS, cookie: "__Host-shop.session"}
	hash := sha256.Sum256([]byte("token" + "secret"))
	value := "token%7C" + hex.EncodeToString(hash[:])
	if !auth.MadeForgery(value, "secret") {
		t.Error("its own secret is not known")
	}
	for _, c := range []struct{ value, secret string }{{value, "another"}, {"token", "secret"}, {"", "secret"}, {"other" + value, "secret"}} {
		if auth.MadeForgery(c.value, c.secret) {
			t.Errorf("%q is taken for one of %q", c.value, c.secret)
		}
	}
	if !auth.Forgery("__Host-authjs.csrf-token") || auth.Forgery("__Host-shop.session") || (Signature{kind: target.BetterAuth}).Forgery("__Host-authjs.csrf-token") {
		t.Error("which cookie it is, of which library")
	}
}

func TestASignatureOfExpressSessionIsItsOwn(t *testing.T) {
	kind := Signature{kind: target.ExpressSession}
	made := kind.Sign("Zk3-_x", "a")
	if !kind.Signed(made, "a") || kind.Signed(made, "b") || kind.Token(made) != "Zk3-_x" || own.Signed(made, "a") {
		t.Errorf("%q is not signed as it should be", made)
	}
	if plain, _ := url.PathUnescape(made); !strings.HasPrefix(plain, "s:Zk3-_x.") || strings.HasSuffix(plain, "=") {
		t.Errorf("%q is not written as express-session writes it", plain)
	}
	if got := (Signature{kind: target.SignatureNone}).Token("a.b.c"); got != "a.b.c" {
		t.Errorf("without a signature the token is %q", got)
	}
}

// The kid of a token that @auth/core 0.41.3 made (encode of its jwt module) of
// the secret and for the cookie that the test names.
const (
	ofAuthJS  = "__Host-shop.session"
	kindOfKey = "GSslA_DlxxQ7itCfTc4KeQHuDBG5kfCyvz_f2wdB-9hrr4Sp6ajY9Mf2asxedsSz4KK24Dqy0tC1MDINtleElQ"
)

func TestAKeyOfAuthJSIsKnownByItsThumbprint(t *testing.T) {
	kind := Signature{kind: target.AuthJS, cookie: ofAuthJS}
	head := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"dir","enc":"A256CBC-HS512","kid":"` + kindOfKey + `"}`))
	value := head + "..iv.text.tag"
	if !kind.Signed(value, "a secret of a test") || kind.Signed(value, "another") || kind.Token(value) != value {
		t.Error("the secret's own key is not told from another's")
	}
	kind.cookie = "another-name"
	if kind.Signed(value, "a secret of a test") || kind.Signed("no token", "a secret of a test") || kind.Signed("e30.a", "x") {
		t.Error("the cookie's name is part of the key")
	}
}

// token makes a signed token with the claims of a healthy one, changed.
func token(t *testing.T, key ed25519.PrivateKey, kid string, change func(*jwt.Claims)) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.EdDSA, Key: jose.JSONWebKey{Key: key, KeyID: kid}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	claims := jwt.Claims{
		Issuer: "https://auth.example.net", Audience: jwt.Audience{"https://auth.example.net"}, Subject: "ada",
		IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(15 * time.Minute)),
	}
	change(&claims)
	text, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestATokenIsVerifiedByKeyIssuerAudienceAndTimes(t *testing.T) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, foreign, _ := ed25519.GenerateKey(rand.Reader)
	keys := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: public, KeyID: "one", Algorithm: "EdDSA", Use: "sig"}}}
	nothing := func(*jwt.Claims) {}
	for name, c := range map[string]struct {
		token string
		want  string // part of the error; empty: it verifies
	}{
		"healthy":        {token(t, private, "one", nothing), ""},
		"unknown key":    {token(t, private, "two", nothing), `kid "two"`},
		"another's key":  {token(t, foreign, "one", nothing), "signature"},
		"issuer":         {token(t, private, "one", func(c *jwt.Claims) { c.Issuer = "https://else.example" }), "issuer"},
		"audience":       {token(t, private, "one", func(c *jwt.Claims) { c.Audience = jwt.Audience{"else"} }), "audience"},
		"expired":        {token(t, private, "one", func(c *jwt.Claims) { c.Expiry = jwt.NewNumericDate(time.Now().Add(-time.Second)) }), "expired"},
		"without expiry": {token(t, private, "one", func(c *jwt.Claims) { c.Expiry = nil }), "no exp"},
		"no token":       {"abc.def", "read the token"},
	} {
		t.Run(name, func(t *testing.T) {
			claims, err := Verify(c.token, keys, "https://auth.example.net", "https://auth.example.net")
			switch {
			case c.want == "" && err != nil:
				t.Fatal(err)
			case c.want == "" && (claims.Subject != "ada" || claims.KeyID != "one"):
				t.Fatalf("claims are %+v", claims)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Fatalf("want an error with %q, got %v", c.want, err)
			}
		})
	}
}

func TestLastSessionTakesTheLastThatWasSetAndNotItsRemoval(t *testing.T) {
	gone, week := 0, 604800
	set := func(digest string, age *int) trace.Exchange {
		return trace.Exchange{Response: trace.Message{SetCookies: []trace.SetCookie{{Name: "s", Digest: digest, MaxAge: age}}}}
	}
	tr := trace.Trace{Subject: trace.Subject{Cookie: trace.CookieContract{Name: "s"}}}
	if got := LastSession(tr); got != "" {
		t.Errorf("an empty trace has %q", got)
	}
	tr.Exchanges = []trace.Exchange{set("one", &week), set("two", &week), set("", &gone)}
	if got := LastSession(tr); got != "two" {
		t.Errorf("got %q", got)
	}
}

// BetterAuth's limiter lets an address ask a path 100 times, until it has not
// asked for 10 s: a long run's observer must not run into it, nor use up what
// is left to an api, whose address nobody knows.
func TestAskingUsesUpNobodysShareOfALimiter(t *testing.T) {
	var mu sync.Mutex
	asked := map[string]int{}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		asked[r.Header.Get("X-Forwarded-For")]++
	}))
	defer server.Close()
	o := &Observer{Subject: trace.Subject{Paths: trace.Paths{Session: "/session"}}, Auth: []Instance{{Name: "auth-1", URL: server.URL, Ready: "/ready"}}}
	for range 300 {
		o.Sessions(t.Context(), "digest", "value")
		o.health(t.Context(), o.Auth[0])
	}
	all := 0
	for address, n := range asked {
		all += n
		if ip := net.ParseIP(address); ip == nil || n > 50 {
			t.Errorf("%d of 600 questions come from %q", n, address)
		}
	}
	if all != 600 {
		t.Errorf("%d of 600 questions came", all)
	}
}
