package edge

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"crossing/harness/trace"
)

func TestThePlatformsHeadersAreAddedOverTheClients(t *testing.T) {
	w := newWorld(t, nil)
	forged := []string{"X-Forwarded-For", "1.2.3.4", "X-Forwarded-Host", "evil.example.com", "X-Forwarded-Proto", "http",
		"X-Real-Ip", "1.2.3.4", "X-Vercel-Id", "forged", "X-Vercel-Deployment-Url", "forged", "X-Request-Id", "forged",
		"Forwarded", "for=1.2.3.4", "X-Own", "kept", "Origin", origins.Frontend, "Accept-Encoding", "gzip, br"}
	for _, change := range []func(*http.Transport){http1, nil} {
		r := ask(t, w.browser(t, change), "GET", origins.Auth+"/x", "", forged...)
		got, x := r.heard(t).Header, w.last(t)
		for name, want := range map[string]string{
			"X-Forwarded-For": w.line.Address(), "X-Real-Ip": w.line.Address(), "X-Forwarded-Host": "auth.crossing-back.net",
			"X-Forwarded-Proto": "https", "X-Vercel-Deployment-Url": "auth.crossing-back.net", "X-Request-Id": x.ID,
			"X-Own": "kept", "Origin": origins.Frontend, "Accept-Encoding": "identity",
		} {
			if all := got.Values(name); len(all) != 1 || all[0] != want {
				t.Errorf("%s: the service got %s %q, want %q alone", r.Proto, name, all, want)
			}
		}
		if id := got.Get("X-Vercel-Id"); !strings.HasPrefix(id, "cdg1::cdg1::") || len(got.Values("Forwarded")) != 0 {
			t.Errorf("%s: x-vercel-id %q, forwarded %q", r.Proto, id, got.Values("Forwarded"))
		}
		// The trace shows what the browser sent.
		if x.Request.Get("X-Forwarded-For") != "1.2.3.4" || x.Request.Get("Accept-Encoding") != "gzip, br" || x.PageOrigin != origins.Frontend {
			t.Errorf("%s: recorded %+v", r.Proto, x.Request)
		}
	}
}

func TestHopByHopHeadersStayOnTheirHop(t *testing.T) {
	heard := make(chan http.Header, 1)
	w := newWorld(t, func(o *Options) {
		o.Routes[1].Upstreams = []Upstream{clumsy(t, func(c net.Conn) { // net/http would not write such an answer
			if r, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
				heard <- r.Header
			}
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5\r\nX-Mine: 1\r\nX-Theirs: 2\r\nConnection: X-Mine\r\nContent-Length: 0\r\n\r\n")
			_ = c.Close()
		})}
	})
	r := ask(t, w.browser(t, http1), "GET", origins.Auth+"/", "", "Connection", "X-Only-Here", "X-Only-Here", "1",
		"Te", "trailers", "Keep-Alive", "300", "X-Further", "2")
	got := <-heard
	if got.Get("X-Only-Here") != "" || got.Get("Keep-Alive") != "" || got.Get("X-Further") != "2" {
		t.Errorf("the service got %v", got)
	}
	if r.Header.Get("Keep-Alive") != "" || r.Header.Get("X-Mine") != "" || r.Header.Get("X-Theirs") != "2" {
		t.Errorf("the browser got %v", r.Header)
	}
}

func TestARemoteOriginIsReachedAsItself(t *testing.T) {
	const bypass = "bypass-secret-0123456789"
	deployed := httptest.NewTLSServer(echo("preview"))
	t.Cleanup(deployed.Close)
	pool := x509Pool(deployed)
	w := newWorld(t, func(o *Options) {
		o.Routes[1].Upstreams = []Upstream{{Name: "preview", URL: deployed.URL, Roots: pool,
			Header: http.Header{"x-vercel-protection-bypass": {bypass}}}}
	})
	c := w.browser(t, nil)
	r := ask(t, c, "GET", origins.Auth+"/x", "", "X-Forwarded-For", "1.2.3.4")
	h := r.heard(t)
	if h.Host != strings.TrimPrefix(deployed.URL, "https://") || h.Header.Get("X-Vercel-Protection-Bypass") != bypass {
		t.Errorf("the deployment got %+v", h)
	}
	for _, name := range []string{"X-Forwarded-For", "X-Forwarded-Host", "X-Vercel-Id"} {
		if v := h.Header.Get(name); v != "" {
			t.Errorf("the deployment's own edge adds %s, and was sent %q", name, v)
		}
	}
	x := w.last(t)
	if h.Header.Get("X-Request-Id") != x.ID || x.Instance != "preview" {
		t.Errorf("recorded %+v", x)
	}
	// The secret went there and nowhere else, and preflights had it too.
	pre := ask(t, c, "OPTIONS", origins.Auth+"/x", "", "Origin", origins.Frontend, "Access-Control-Request-Method", "POST")
	if pre.heard(t).Header.Get("X-Vercel-Protection-Bypass") != bypass {
		t.Error("the preflight went without the bypass")
	}
	if v := ask(t, c, "GET", origins.API+"/", "").heard(t).Header.Get("X-Vercel-Protection-Bypass"); v != "" {
		t.Error("the bypass went to another origin")
	}
	findNothing(t, w, map[string]string{"bypass": bypass})
}

func TestAnAddressStandsInForTheNameAndForNothingElse(t *testing.T) {
	deployed := httptest.NewUnstartedServer(echo("preview"))
	deployed.Config.ErrorLog = silent
	deployed.StartTLS() // its certificate is for example.com
	t.Cleanup(deployed.Close)
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1") // would not know the name
	at := func(origin string) reply {
		w := newWorld(t, func(o *Options) {
			o.Routes[1].Upstreams = []Upstream{{Name: "preview", URL: origin, Roots: x509Pool(deployed), Address: deployed.Listener.Addr().String()}}
		})
		return ask(t, w.browser(t, nil), "GET", origins.Auth+"/x", "")
	}
	if h := at("https://example.com").heard(t); h.Host != "example.com" {
		t.Errorf("the deployment got %+v", h)
	}
	if r := at("https://example.org"); r.StatusCode != 502 || r.Header.Get(Header) != CodeUntrusted {
		t.Errorf("a name that the certificate is not for: %d %s", r.StatusCode, r.text)
	}
}

func TestACertificateThatDoesNotVerifyIsRefused(t *testing.T) {
	deployed := httptest.NewUnstartedServer(echo("preview"))
	deployed.Config.ErrorLog = silent
	deployed.StartTLS()
	t.Cleanup(deployed.Close)
	w := newWorld(t, func(o *Options) { // the system's roots
		o.Routes[1].Upstreams = []Upstream{{Name: "preview", URL: deployed.URL}}
	})
	r := ask(t, w.browser(t, nil), "GET", origins.Auth+"/x", "")
	if r.StatusCode != 502 || r.Header.Get(Header) != CodeUntrusted || !strings.Contains(r.text, "certificate that does not verify") {
		t.Errorf("the browser got %d %s %s", r.StatusCode, r.Header.Get(Header), r.text)
	}
	x := w.last(t)
	if x.Status != 502 || x.Instance != "preview" || !strings.Contains(x.Err, "certificate") {
		t.Errorf("recorded %+v", x)
	}
}

func TestAHandlerOfTheRouteAnswersInTheEdge(t *testing.T) {
	w := newWorld(t, func(o *Options) {
		o.Routes[3].Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Host != "www.crossing-stranger.org" {
				t.Errorf("the handler sees host %q", r.Host)
			}
			w.WriteHeader(http.StatusTeapot)
			_, _ = w.Write([]byte("short"))
		})
	})
	r := ask(t, w.browser(t, nil), "POST", origins.Stranger+"/x", `{"unread":1}`, "Content-Type", "application/json")
	x := w.last(t)
	if r.StatusCode != 418 || r.text != "short" || x.Role != trace.RoleStranger || x.Instance != "" || x.Request.Body != `{"unread":1}` {
		t.Errorf("%d %q, recorded %+v", r.StatusCode, r.text, x)
	}
}

func TestTheClientOutsideTheBrowser(t *testing.T) {
	w := newWorld(t, behind(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/there" {
			t.Error("the client followed a redirect")
		}
		http.SetCookie(w, &http.Cookie{Name: "c", Value: "v"})
		w.Header().Set("Location", "/there")
		w.WriteHeader(http.StatusFound)
		if r.Header.Get("Cookie") != "" || r.Header.Get("Proxy-Authorization") != "" {
			t.Errorf("the service got %v", r.Header)
		}
	})))
	for range 2 { // the second would bring a cookie, were there a jar
		if r := ask(t, w.line.Client(), "GET", origins.Auth+"/x", ""); r.StatusCode != 302 || r.Proto != "HTTP/2.0" {
			t.Errorf("%s %d", r.Proto, r.StatusCode)
		}
		if x := w.last(t); !x.Outside {
			t.Errorf("not recorded as outside: %+v", x)
		}
	}
	ask(t, w.line.Client(), "GET", "http://auth.crossing-back.net/", "")
	if x := w.last(t); !x.Outside || x.Status != 308 || x.Request.Get("Proxy-Authorization") != "" {
		t.Errorf("in plain HTTP: %+v", x)
	}
	ask(t, w.browser(t, nil), "GET", origins.Auth+"/x", "") // the negative twin
	if w.last(t).Outside {
		t.Error("a browser's request is recorded as outside")
	}
}
