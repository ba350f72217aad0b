package edge

import (
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"crossing/harness/trace"
)

const guarded = "bypass/secret+of the auth project=1"

// guardedWorld puts the secret on what goes to auth, which answers by h.
func guardedWorld(t *testing.T, h http.HandlerFunc) *world {
	t.Helper()
	return newWorld(t, func(o *Options) {
		up := serve(t, "auth", h)
		up.Header = http.Header{"X-Vercel-Protection-Bypass": {guarded}}
		o.Routes[1].Upstreams = []Upstream{up}
	})
}

func TestASecretOfTheEdgeIsSeenWhereverElseItStands(t *testing.T) {
	quiet := func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }
	says := func(head, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			if head != "" {
				w.Header().Set("Location", head)
				w.WriteHeader(http.StatusFound)
			}
			_, _ = io.WriteString(w, body)
		}
	}
	for name, c := range map[string]struct {
		answer        http.HandlerFunc
		address, body string
		header        []string
		want          string
	}{
		"nowhere":                          {quiet, origins.Auth + "/x", "", nil, ""},
		"nowhere, beside a token":          {says("", `{"token":"eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl"}`), origins.Auth + "/x", "", nil, ""},
		"in an address of another":         {quiet, origins.API + "/x?s=" + url.QueryEscape(guarded), "", nil, "the request's address"},
		"in its own address":               {quiet, origins.Auth + "/x?s=" + url.QueryEscape(guarded), "", nil, "the request's address"},
		"in a header":                      {quiet, origins.API + "/x", "", []string{"X-Vercel-Protection-Bypass", guarded}, "the request's header X-Vercel-Protection-Bypass"},
		"in a referer":                     {quiet, origins.Frontend + "/", "", []string{"Referer", "https://x.example/?s=" + url.PathEscape(guarded)}, "the request's header Referer"},
		"in a body":                        {quiet, origins.API + "/x", `{"a":"` + guarded + `"}`, nil, "the request's body"},
		"in base64":                        {quiet, origins.API + "/x", base64.StdEncoding.EncodeToString([]byte(guarded)), nil, "the request's body"},
		"in a redirect to another":         {says("https://elsewhere.example/?s="+url.QueryEscape(guarded), ""), origins.Auth + "/x", "", nil, "the answer's header Location"},
		"in a page":                        {says("", "<script>load('"+guarded+"')</script>"), origins.Auth + "/x", "", nil, "the answer's body"},
		"at the border of two pieces":      {says("", strings.Repeat("x", 32<<10-9)+guarded), origins.Auth + "/x", "", nil, "the answer's body"},
		"to a stranger's third-party page": {quiet, origins.Stranger + "/?s=" + url.QueryEscape(guarded), "", nil, "the request's address"},
	} {
		t.Run(name, func(t *testing.T) {
			w := guardedWorld(t, c.answer)
			method := map[bool]string{true: "GET", false: "POST"}[c.body == ""]
			ask(t, w.browser(t, nil), method, c.address, c.body, c.header...)
			got := w.last(t).Leak
			if c.want == "" && got != "" || !strings.HasSuffix(got, c.want) {
				t.Errorf("recorded %q, want %q", got, c.want)
			}
			findNothing(t, w, map[string]string{"the secret": guarded})
		})
	}
}

func TestTheSecretIsDroppedOnARedirect(t *testing.T) {
	w := guardedWorld(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Vercel-Protection-Bypass") != guarded {
			t.Error("auth was asked without the secret")
		}
		http.Redirect(w, r, origins.API+"/after", http.StatusTemporaryRedirect)
	})
	c := w.browser(t, nil)
	c.CheckRedirect = nil
	h := ask(t, c, "GET", origins.Auth+"/x", "").heard(t)
	if h.Service != "api" || h.URI != "/after" || h.Header.Get("X-Vercel-Protection-Bypass") != "" {
		t.Errorf("after the redirect: %+v", h)
	}
	if leak := w.last(t).Leak; leak != "" {
		t.Error(leak)
	}
}

func TestALogLineWithTheSecretIsALeak(t *testing.T) {
	w := guardedWorld(t, func(http.ResponseWriter, *http.Request) {})
	for text, leaks := range map[string]bool{"it is " + url.QueryEscape(guarded): true, "it is not told": false} {
		w.rec.PageError(trace.PageError{Text: text})
		w.rec.Log(trace.LogLine{Text: text})
		seen := w.rec.Snapshot()
		page, line := seen.PageErrors[len(seen.PageErrors)-1], seen.Logs[len(seen.Logs)-1]
		if (page.Leak != "") != leaks || (line.Leak != "") != leaks {
			t.Errorf("%q: %q, %q", text, page.Leak, line.Leak)
		}
	}
	findNothing(t, w, map[string]string{"the secret": guarded})
}
