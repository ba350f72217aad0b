package edge

import (
	"bytes"
	"compress/gzip"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"crossing/harness/trace"
)

func x509Pool(s *httptest.Server) *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return pool
}

// findNothing searches the whole trace for secrets in every form.
func findNothing(t *testing.T, w *world, secrets map[string]string) {
	t.Helper()
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(w.rec.Snapshot()); err != nil {
		t.Fatal(err)
	}
	data := out.Bytes()
	for name, secret := range secrets {
		for kind, form := range map[string]string{
			"plain": secret, "JSON": strings.ReplaceAll(secret, `"`, `\\\"`), "query": url.QueryEscape(secret), "path": url.PathEscape(secret),
			"base64": base64.RawStdEncoding.EncodeToString([]byte(secret)), "base64url": base64.RawURLEncoding.EncodeToString([]byte(secret)),
		} {
			if at := bytes.Index(data, []byte(form)); at >= 0 {
				t.Errorf("%s stands in the trace in %s form: ...%s...", name, kind, data[max(0, at-60):min(len(data), at+60)])
			}
		}
	}
}

const aJWT = "eyJhbGciOiJFZERTQSIsImtpZCI6ImsxIn0." + // {"alg":"EdDSA","kid":"k1"}
	"eyJpc3MiOiJodHRwczovL2F1dGgiLCJzdWIiOiJ1c2VyLTEiLCJhdWQiOiJ4IiwiZXhwIjoxNzAwMDAwOTAwfQ.c2lnbmF0dXJlLWNhbmFyeQ"

// secrets that pass through one sign-in, each of its own kind.
var secrets = map[string]string{
	"password":          "canary+pass/word 1",
	"session token":     "canarySessionToken0000000001",
	"session cookie":    "canarySessionToken0000000001.c2ln/bmF0dXJl+Y2FuYXJ5=",
	"sent cookie":       "canary-sent-cookie-01",
	"bearer":            "canary-bearer-01",
	"JWT":               aJWT,
	"header JWT":        strings.Replace(aJWT, "k1", "k2", 1) + "Mg",
	"query token":       "canary query token",
	"redirect code":     "canary-oauth-code-01",
	"fragment":          "canary-fragment-01",
	"basic password":    "canary-basic-pw",
	"refresh, deep":     "canary\"refresh<&>01",
	"form password":     "canary form&pass=1",
	"answer's api key":  "canary-api-key-01",
	"nested in a list":  "canary-list-01",
	"csrf header":       "canary-csrf-01",
	"bypass the client": "canary-bypass-01",
}

// signIn answers with secrets in all places that they are known to be in, and
// repeats those of the request where nobody expects them.
func signIn(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Add("Set-Cookie", "__Secure-s="+url.QueryEscape(secrets["session cookie"])+"; Path=/; Secure; HttpOnly; SameSite=None; Partitioned")
	h.Add("Set-Cookie", "second=canary-sent-cookie-01; Max-Age=0")
	h.Set("Set-Auth-Token", secrets["session cookie"])
	h.Set("Set-Auth-Jwt", secrets["header JWT"])
	h.Set("Location", origins.Frontend+"/back?code="+secrets["redirect code"]+"&ok=1#access_token="+secrets["fragment"])
	h.Set("A-Echo", "early "+secrets["session token"]) // written before Set-Cookie in the order of names
	h.Set("X-Echo", base64.StdEncoding.EncodeToString([]byte("ada:"+secrets["password"])))
	h.Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(w).Encode(map[string]any{
		"token": aJWT, "user": map[string]any{"email": "ada@example.com", "note": "said " + secrets["password"]},
		"deep": map[string]any{"list": []any{map[string]any{"refreshToken": secrets["refresh, deep"]}}},
		"keys": map[string]any{"API_KEY": secrets["answer's api key"], "tokens": 2},
		"SESSION": map[string]any{"Token": []string{secrets["session token"], secrets["nested in a list"]},
			"echo": secrets["bearer"]},
	})
}

func TestNoSecretReachesTheTrace(t *testing.T) {
	for name, change := range map[string]func(*http.Transport){"HTTP/1.1": http1, "HTTP/2": nil} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, behind(t, http.HandlerFunc(signIn)))
			c := w.browser(t, change)
			password, err := json.Marshal(secrets["password"])
			if err != nil {
				t.Fatal(err)
			}
			ask(t, c, "POST", origins.Auth+"/sign-in/"+url.PathEscape(secrets["session token"])+"?token="+url.QueryEscape(secrets["query token"])+"&plain=1",
				`{"email":"ada@example.com","password":`+string(password)+`,"was":"`+secrets["nested in a list"]+`"}`,
				"Content-Type", "application/json", "Cookie", "a="+secrets["sent cookie"]+"; theme=dark",
				"Authorization", "Bearer "+secrets["bearer"], "X-Csrf-Token", secrets["csrf header"],
				"X-Vercel-Protection-Bypass", secrets["bypass the client"],
				"Referer", origins.Frontend+"/?token="+url.QueryEscape(secrets["query token"]))
			ask(t, c, "POST", origins.Auth+"/form", "user=ada&password="+url.QueryEscape(secrets["form password"]),
				"Content-Type", "application/x-www-form-urlencoded", "Authorization",
				"Basic "+base64.StdEncoding.EncodeToString([]byte("ada:"+secrets["basic password"])),
				"X-Later", secrets["form password"]+secrets["basic password"])
			findNothing(t, w, secrets)

			all := w.rec.Snapshot().Exchanges
			if len(all) != 2 {
				t.Fatalf("%d exchanges", len(all))
			}
			checkSignIn(t, all[0], w.rec.Redactor())
			if all[1].Request.Body != "" || all[1].Request.Bytes == 0 {
				t.Errorf("the form's body was kept, or not counted: %+v", all[1].Request)
			}
			r := w.rec.Redactor()
			for _, name := range []string{"password", "bearer", "JWT", "session token"} { // observations ask for these
				if plain, ok := r.Reveal(r.Digest(secrets[name])); !ok || plain != secrets[name] {
					t.Errorf("%s cannot be revealed", name)
				}
			}
		})
	}
}

// checkSignIn says that what is no secret was kept.
func checkSignIn(t *testing.T, x trace.Exchange, r *trace.Redactor) {
	t.Helper()
	d := r.Digest
	if x.Query != "token="+d(secrets["query token"])+"&plain=1" || x.Path != "/sign-in/"+d(secrets["session token"]) {
		t.Errorf("path %q, query %q", x.Path, x.Query)
	}
	if want := `{"email":"ada@example.com","password":"` + d(secrets["password"]) + `","was":"` + d(secrets["nested in a list"]) + `"}`; x.Request.Body != want {
		t.Errorf("request body %s, want %s", x.Request.Body, want)
	}
	for _, want := range []string{`"ada@example.com"`, `"tokens":2`, `"said ` + d(secrets["password"]) + `"`, `"echo":"` + d(secrets["bearer"]) + `"`} {
		if !strings.Contains(x.Response.Body, want) {
			t.Errorf("response body lacks %s: %s", want, x.Response.Body)
		}
	}
	if got := fmt.Sprint(x.Request.Cookies); got != fmt.Sprintf("[{a %s 22} {theme %s 9}]", d(secrets["sent cookie"]), d("dark")) {
		t.Errorf("cookies %s", got)
	}
	if len(x.Response.SetCookies) != 2 || !x.Response.SetCookies[0].Partitioned || !x.Response.SetCookies[1].Removes() {
		t.Errorf("set-cookies %+v", x.Response.SetCookies)
	}
	// As they were sent, not as they are told.
	if got, want := x.Request.Largest, (trace.HeaderSize{Name: "Referer", Bytes: len("Referer") + len(origins.Frontend+"/?token="+url.QueryEscape(secrets["query token"]))}); got != want {
		t.Errorf("the longest header line is %+v, want %+v", got, want)
	}
	if got := x.Response.Largest.Name; got != "Set-Auth-Jwt" || x.Request.HeaderBytes <= x.Request.Largest.Bytes {
		t.Errorf("the answer's longest header line is %s; the request has %d bytes of header", got, x.Request.HeaderBytes)
	}
	if x.Request.Get("Cookie") != "" || x.Response.Get("Set-Cookie") != "" {
		t.Error("cookies stand among the header lines too")
	}
	if got := x.Request.Get("Authorization"); got != "Bearer "+d(secrets["bearer"]) {
		t.Errorf("authorization %q", got)
	}
	if tok := x.Request.Token; tok == nil || !tok.Opaque || tok.Digest != d(secrets["bearer"]) {
		t.Errorf("the request's token: %+v", tok)
	}
	if tok := x.Response.Token; tok == nil || tok.KeyID != "k1" || tok.Subject != "user-1" || tok.Digest != d(aJWT) {
		t.Errorf("the response's token: %+v", tok)
	}
	if got := x.Response.Get("Location"); got != origins.Frontend+"/back?code="+d(secrets["redirect code"])+"&ok=1#access_token="+d(secrets["fragment"]) {
		t.Errorf("location %q", got)
	}
	if got := x.Response.Get("Set-Auth-Token"); got != d(secrets["session cookie"]) {
		t.Errorf("set-auth-token %q", got)
	}
	for i := 1; i < len(x.Response.Header); i++ {
		if x.Response.Header[i-1].Name > x.Response.Header[i].Name {
			t.Errorf("header lines are out of order: %+v", x.Response.Header)
		}
	}
}

func TestBearerUndefinedStaysReadable(t *testing.T) {
	w := newWorld(t, nil)
	ask(t, w.browser(t, nil), "GET", origins.API+"/me", "", "Authorization", "Bearer undefined")
	if got := w.last(t); got.Request.Get("Authorization") != "Bearer undefined" || !got.Request.Token.Opaque {
		t.Errorf("recorded %+v", got.Request)
	}
}

func TestWhichBodiesAreKept(t *testing.T) {
	long := `{"n":"` + strings.Repeat("x", bodyLimit) + `"}`
	just := `{"n":"` + strings.Repeat("x", bodyLimit-8) + `"}`
	for name, c := range map[string]struct{ kind, body, want string }{
		"JSON":          {"application/json", `{ "n": 1 }`, `{"n":1}`},
		"problem JSON":  {"application/problem+json; charset=utf-8", `{"n":1}`, `{"n":1}`},
		"just 16 KiB":   {"application/json", just, just},
		"over 16 KiB":   {"application/json", long, ""},
		"HTML":          {"text/html", `{"n":1}`, ""},
		"no type":       {"", `{"n":1}`, ""},
		"broken JSON":   {"application/json", `{"password":"hunter2`, ""},
		"nothing":       {"application/json", "", ""},
		"no JSON in it": {"application/json", "canary-text", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, behind(t, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				rw.Header()["Content-Type"] = []string{c.kind}
				_, _ = rw.Write([]byte(c.body))
				_ = http.NewResponseController(rw).Flush() // no Content-Length
				_, _ = readAllOf(r)
			})))
			ask(t, w.browser(t, nil), "POST", origins.Auth+"/", c.body, "Content-Type", c.kind)
			x := w.last(t)
			for side, m := range map[string]trace.Message{"request": x.Request, "response": x.Response} {
				if m.Body != c.want || m.Bytes != int64(len(c.body)) {
					t.Errorf("%s: %d bytes %.80q, want %d %.80q", side, m.Bytes, m.Body, len(c.body), c.want)
				}
			}
		})
	}
}

func TestZippedJSONIsRead(t *testing.T) {
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, _ = z.Write([]byte(`{"token":"canary-zipped-01","n":1}`))
	_ = z.Close()
	w := newWorld(t, behind(t, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Type", "application/json") // whatever was asked for
		rw.Header().Set("Content-Encoding", "gzip")
		_, _ = rw.Write(zipped.Bytes())
	})))
	r := ask(t, w.browser(t, func(tr *http.Transport) { tr.DisableCompression = true }), "GET", origins.Auth+"/", "")
	x := w.last(t)
	if r.text != zipped.String() {
		t.Error("the browser did not get what was sent")
	}
	if want := `{"token":"` + w.rec.Redactor().Digest("canary-zipped-01") + `","n":1}`; x.Response.Body != want || x.Response.Bytes != int64(zipped.Len()) {
		t.Errorf("recorded %d bytes %s, want %s", x.Response.Bytes, x.Response.Body, want)
	}
}

// A browser that has read an answer finds it in the trace: no test need wait.
func TestWhatWasReadIsRecorded(t *testing.T) {
	w := newWorld(t, behind(t, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/sized" {
			rw.Header().Set("Content-Length", "131072")
		}
		_, _ = rw.Write(make([]byte, 128<<10)) // whole buffers: none holds the end back
	})))
	for _, change := range []func(*http.Transport){http1, nil} {
		c := w.browser(t, change)
		for i := range 50 {
			before := len(w.rec.Snapshot().Exchanges)
			if ask(t, c, "GET", origins.Auth+[]string{"/sized", "/chunked"}[i%2], ""); len(w.rec.Snapshot().Exchanges) != before+1 {
				t.Fatal("an answer was read before it was recorded")
			}
		}
	}
}

// probe is a connection that looks into the trace when it is written to.
type probe struct {
	http.ResponseWriter
	rec  *trace.Recorder
	seen []int
}

func (p *probe) Write(data []byte) (int, error) {
	p.seen = append(p.seen, len(p.rec.Snapshot().Exchanges))
	return len(data), nil
}

func TestTheEndOfAnAnswerIsRecordedBeforeItIsSent(t *testing.T) {
	w := newWorld(t, nil)
	x := w.line.begin(httptest.NewRequest("GET", origins.Auth+"/", nil), origins.Auth, trace.RoleAuth, false)
	defer x.end()
	p := &probe{ResponseWriter: httptest.NewRecorder(), rec: w.rec}
	out := x.watch(p)
	out.Header().Set("Content-Length", "8")
	for _, part := range []string{"half", "half"} {
		if _, err := out.Write([]byte(part)); err != nil {
			t.Fatal(err)
		}
	}
	if fmt.Sprint(p.seen) != "[0 1]" {
		t.Errorf("the two halves found %v exchanges in the trace", p.seen)
	}
}

func TestHintsAreNoAnswer(t *testing.T) {
	w := newWorld(t, behind(t, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Link", "</style.css>; rel=preload")
		rw.WriteHeader(http.StatusEarlyHints)
		rw.WriteHeader(http.StatusTeapot)
	})))
	for _, change := range []func(*http.Transport){http1, nil} {
		if r := ask(t, w.browser(t, change), "GET", origins.Auth+"/", ""); r.StatusCode != 418 || w.last(t).Status != 418 {
			t.Errorf("%s: the browser got %d, recorded %d", r.Proto, r.StatusCode, w.last(t).Status)
		}
	}
}

func TestWhatIsOnItsWayIsCounted(t *testing.T) {
	arrived, goOn := make(chan bool), make(chan bool)
	w := newWorld(t, behind(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		arrived <- true
		<-goOn
	})))
	if n := w.line.Pending(); n != 0 {
		t.Errorf("%d before anything was asked", n)
	}
	client, ended := w.browser(t, nil), make(chan error)
	go func() {
		res, err := client.Get(origins.Auth + "/")
		if err == nil {
			err = res.Body.Close()
		}
		ended <- err
	}()
	<-arrived
	if n := w.line.Pending(); n != 1 {
		t.Errorf("%d while one is answered", n)
	}
	close(goOn)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(5 * time.Second); w.line.Pending() != 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d after the answer", w.line.Pending())
		}
	}
}
