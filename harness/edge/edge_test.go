package edge

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"crossing/harness/trace"
)

var origins = trace.Origins{
	Frontend: "https://docs.crossing-front.com",
	Auth:     "https://auth.crossing-back.net",
	API:      "https://api.crossing-back.net",
	Stranger: "https://www.crossing-stranger.org",
}

// heard is what a service says it got.
type heard struct {
	Service string      `json:"service"`
	Method  string      `json:"method"`
	Host    string      `json:"host"`
	URI     string      `json:"uri"`
	Header  http.Header `json:"header"`
	Body    string      `json:"body"`
}

func echo(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(heard{name, r.Method, r.Host, r.RequestURI, r.Header, string(body)})
	}
}

func serve(t testing.TB, name string, h http.Handler) Upstream {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return Upstream{Name: name, URL: s.URL}
}

// world is an edge with one line open, before two auth instances, one api and
// a frontend.
type world struct {
	edge *Edge
	line *Line
	rec  *trace.Recorder
}

func newWorld(t testing.TB, change func(*Options)) *world {
	t.Helper()
	redactor := trace.NewRedactor(nil)
	o := Options{Redactor: redactor, Routes: []Route{
		{Origin: origins.Frontend, Role: trace.RoleFrontend, Upstreams: []Upstream{serve(t, "frontend", echo("frontend"))}},
		{Origin: origins.Auth, Role: trace.RoleAuth, Upstreams: []Upstream{
			serve(t, "auth-1", echo("auth-1")), serve(t, "auth-2", echo("auth-2"))}},
		{Origin: origins.API, Role: trace.RoleAPI, Upstreams: []Upstream{serve(t, "api", echo("api"))}},
		{Origin: origins.Stranger, Role: trace.RoleStranger, Handler: Stranger(origins)},
	}}
	if change != nil {
		change(&o)
	}
	e, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{edge: e, rec: trace.NewRecorder(redactor, trace.Trace{Visitor: "ada"})}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	if w.line, err = e.Open(w.rec); err != nil {
		t.Fatal(err)
	}
	return w
}

// behind replaces the auth service by h, as one instance "auth".
func behind(t testing.TB, h http.Handler) func(*Options) {
	return func(o *Options) { o.Routes[1].Upstreams = []Upstream{serve(t, "auth", h)} }
}

// browser is a client that knows no more than a browser does: the proxy's
// address and whom to trust.
func (w *world) browser(t testing.TB, change func(*http.Transport)) *http.Client {
	t.Helper()
	proxy, err := url.Parse(w.line.Proxy())
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{Proxy: http.ProxyURL(proxy), ForceAttemptHTTP2: true,
		TLSClientConfig: &tls.Config{RootCAs: w.edge.Pool()}}
	if change != nil {
		change(transport)
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 10 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func http1(t *http.Transport) {
	t.ForceAttemptHTTP2 = false
	t.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
}

// reply is a response with its body read.
type reply struct {
	*http.Response
	text string
}

func (r reply) heard(t testing.TB) heard {
	t.Helper()
	var h heard
	if err := json.Unmarshal([]byte(r.text), &h); err != nil {
		t.Fatalf("status %d, not an echo: %q: %v", r.StatusCode, r.text, err)
	}
	return h
}

func try(c *http.Client, method, address, body string, header ...string) (reply, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	resp, err := c.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	return reply{resp, string(data)}, err
}

func ask(t testing.TB, c *http.Client, method, address, body string, header ...string) reply {
	t.Helper()
	r, err := try(c, method, address, body, header...)
	if err != nil {
		t.Fatalf("%s %s: %v", method, address, err)
	}
	return r
}

// last returns the exchange that began last. What a client has read to its end
// is recorded.
func (w *world) last(t testing.TB) trace.Exchange {
	t.Helper()
	all := w.rec.Snapshot().Exchanges
	if len(all) == 0 {
		t.Fatal("no exchange was recorded")
	}
	return all[len(all)-1]
}

// await returns the first exchange that fits, within five seconds.
func (w *world) await(t testing.TB, wanted string, fits func(trace.Exchange) bool) trace.Exchange {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	x, err := w.rec.Await(ctx, time.Time{}, wanted, fits)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// until polls f until it is nil, and fails with its last word.
func until(t testing.TB, f func() error) {
	t.Helper()
	err := fmt.Errorf("never asked")
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if err = f(); err == nil {
			return
		}
	}
	t.Fatalf("after 5 s: %v", err)
}

func TestBothProtocolsReachTheService(t *testing.T) {
	w := newWorld(t, nil)
	for proto, change := range map[string]func(*http.Transport){"HTTP/1.1": http1, "HTTP/2.0": nil} {
		r := ask(t, w.browser(t, change), "POST", origins.API+"/a%2Fb?x=1;y=%zz", `{"n":1}`, "Content-Type", "application/json")
		if r.Proto != proto {
			t.Errorf("spoke %s, want %s", r.Proto, proto)
		}
		h := r.heard(t)
		if h.Service != "api" || h.Method != "POST" || h.URI != "/a%2Fb?x=1;y=%zz" || h.Body != `{"n":1}` || h.Host != "api.crossing-back.net" {
			t.Errorf("%s: the service got %+v", proto, h)
		}
		x := w.last(t)
		if x.Role != trace.RoleAPI || x.Instance != "api" || x.Method != "POST" || x.Origin != origins.API ||
			x.Path != "/a%2Fb" || x.Query != "x=1;y=%zz" || x.Status != 200 || x.Request.Body != `{"n":1}` ||
			x.Request.Bytes != 7 || x.Response.Bytes != int64(len(r.text)) || x.Err != "" || x.Outside || x.Millis <= 0 {
			t.Errorf("%s: recorded %+v", proto, x)
		}
		if got := h.Header.Get("X-Request-Id"); got != x.ID {
			t.Errorf("%s: the service was told id %q, the trace says %q", proto, got, x.ID)
		}
	}
}

func readAllOf(r *http.Request) (string, error) {
	data, err := io.ReadAll(r.Body)
	return string(data), err
}

func contextOf(t testing.TB) (context.Context, context.CancelFunc) {
	return context.WithTimeout(t.Context(), 10*time.Second)
}
