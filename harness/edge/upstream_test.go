package edge

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"crossing/harness/trace"
)

// clumsy listens and does with each connection what a broken service does.
func clumsy(t *testing.T, do func(net.Conn)) Upstream {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go do(c)
		}
	}()
	return Upstream{Name: "auth", URL: "http://" + l.Addr().String()}
}

func request(c net.Conn) { _, _ = http.ReadRequest(bufio.NewReader(c)) }

func TestEachFailureOfAnUpstreamHasItsName(t *testing.T) {
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = gone.Close()
	for name, c := range map[string]struct {
		up         Upstream
		code, says string
	}{
		"nothing listens": {Upstream{Name: "auth", URL: "http://" + gone.Addr().String()}, CodeRefused, "refused the connection"},
		"reset": {clumsy(t, func(c net.Conn) {
			request(c)
			_ = c.(*net.TCPConn).SetLinger(0)
			_ = c.Close()
		}), CodeReset, "reset the connection"},
		"closed": {clumsy(t, func(c net.Conn) { request(c); _ = c.Close() }), CodeReset, "without an answer"},
		"silent": {clumsy(t, func(c net.Conn) { request(c); _, _ = io.Copy(io.Discard, c); _ = c.Close() }), CodeTimeout, "no first byte within 300ms"},
		"no HTTP": {clumsy(t, func(c net.Conn) { request(c); _, _ = io.WriteString(c, "SSH-2.0-OpenSSH\r\n\r\n"); _ = c.Close() }),
			CodeUnknown, "malformed HTTP"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(o *Options) {
				o.Limit = 300 * time.Millisecond
				o.Routes[1].Upstreams = []Upstream{c.up}
			})
			r := ask(t, w.browser(t, nil), "GET", origins.Auth+"/x", "")
			var said struct {
				Edge struct{ Code, Message string }
			}
			if err := json.Unmarshal([]byte(r.text), &said); err != nil {
				t.Fatalf("%q: %v", r.text, err)
			}
			if r.StatusCode != 502 || r.Header.Get(Header) != c.code || said.Edge.Code != c.code || !strings.Contains(said.Edge.Message, c.says) {
				t.Errorf("the browser got %d %v %s", r.StatusCode, r.Header, r.text)
			}
			x := w.last(t)
			if x.Status != 502 || x.Instance != "auth" || !strings.Contains(x.Err, c.says) || !strings.Contains(x.Err, "auth at "+c.up.URL) {
				t.Errorf("recorded %+v", x)
			}
			ask(t, w.browser(t, nil), "GET", origins.API+"/", "").heard(t) // the control
		})
	}
}

func TestAnUpstreamThatEndsHalfway(t *testing.T) {
	w := newWorld(t, func(o *Options) {
		o.Routes[1].Upstreams = []Upstream{clumsy(t, func(c net.Conn) {
			request(c)
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"half\":")
			_ = c.Close()
		})}
	})
	if r, err := try(w.browser(t, nil), "GET", origins.Auth+"/x", ""); err == nil {
		t.Errorf("the browser takes it for whole: %q", r.text)
	}
	x := w.await(t, "the half answer", func(x trace.Exchange) bool { return x.Path == "/x" })
	if x.Status != 200 || !strings.Contains(x.Err, "auth at http://") || !strings.Contains(x.Err, "halfway") || x.Response.Bytes != 8 || x.Response.Body != "" {
		t.Errorf("recorded %+v", x)
	}
}

func TestASlowBodyIsNoTimeout(t *testing.T) {
	w := newWorld(t, func(o *Options) {
		o.Limit = 200 * time.Millisecond
		o.Routes[1].Upstreams = []Upstream{serve(t, "auth", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "first,")
			_ = http.NewResponseController(w).Flush()
			select { // longer than the limit
			case <-time.After(500 * time.Millisecond):
			case <-r.Context().Done():
			}
			_, _ = io.WriteString(w, "last")
		}))}
	})
	if r := ask(t, w.browser(t, nil), "GET", origins.Auth+"/x", ""); r.text != "first,last" || w.last(t).Err != "" {
		t.Errorf("%q, recorded %q", r.text, w.last(t).Err)
	}
}

func TestAServiceThatRestartsIsReachedAtOnce(t *testing.T) {
	var first *httptest.Server
	w := newWorld(t, func(o *Options) {
		first = httptest.NewServer(echo("auth"))
		o.Routes[1].Upstreams = []Upstream{{Name: "auth", URL: first.URL}}
	})
	c := w.browser(t, nil)
	address := first.Listener.Addr().String()
	for range 5 {
		ask(t, c, "POST", origins.Auth+"/x", "{}").heard(t) // leaves an idle connection behind
		first.CloseClientConnections()
		first.Close()
		if r := ask(t, c, "POST", origins.Auth+"/x", "{}"); r.Header.Get(Header) != CodeRefused {
			t.Fatalf("while it is down: %d %s", r.StatusCode, r.text)
		}
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		first = &httptest.Server{Listener: l, Config: &http.Server{Handler: echo("auth")}}
		first.Start()
		ask(t, c, "POST", origins.Auth+"/x", "{}").heard(t)
	}
	first.Close()
}

func TestNoConnectionToAServiceIsUsedTwice(t *testing.T) {
	w := newWorld(t, behind(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.RemoteAddr)
	})))
	c := w.browser(t, nil)
	if a, b := ask(t, c, "GET", origins.Auth+"/", "").text, ask(t, c, "GET", origins.Auth+"/", "").text; a == b {
		t.Errorf("both came from %s", a)
	}
}

func TestABrowserThatGivesUpIsRecorded(t *testing.T) {
	began := make(chan struct{}, 2)
	w := newWorld(t, behind(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began <- struct{}{}
		<-r.Context().Done()
	})))
	for name, change := range map[string]func(*http.Transport){"one": http1, "two": nil} {
		c := w.browser(t, change)
		req, err := http.NewRequest("GET", origins.Auth+"/"+name, nil)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := contextOf(t)
		go func() { <-began; cancel() }()
		if resp, err := c.Do(req.WithContext(ctx)); err == nil {
			_ = resp.Body.Close()
			t.Error("an answer came")
		}
		x := w.await(t, "the request given up", func(x trace.Exchange) bool { return x.Path == "/"+name })
		if x.Err != trace.ErrAbandoned || x.Status != 0 {
			t.Errorf("HTTP/%s: recorded %+v", name, x)
		}
	}
}

func TestABodyIsRecordedThoughNobodyReadsIt(t *testing.T) {
	w := newWorld(t, func(o *Options) {
		o.Routes[1].Upstreams = []Upstream{clumsy(t, func(c net.Conn) { // answers on seeing the header
			request(c)
			_, _ = io.WriteString(c, "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")
			_ = c.(*net.TCPConn).CloseWrite()
			_, _ = io.Copy(io.Discard, c)
		})}
	})
	w.line.Break(Fault{Name: "body lost", When: func(r *http.Request) bool { return r.URL.Path == "/lost" },
		Request: func(r *http.Request) { r.Body, r.ContentLength = http.NoBody, 0 }})
	c := w.browser(t, nil)
	for range 10 {
		for _, path := range []string{"/read", "/lost"} {
			ask(t, c, "POST", origins.Auth+path, `{"password":"canary-unread-01"}`, "Content-Type", "application/json")
			if x := w.last(t); x.Request.Body != `{"password":"`+w.rec.Redactor().Digest("canary-unread-01")+`"}` || x.Request.Bytes != 31 {
				t.Fatalf("recorded %+v", x)
			}
		}
	}
}

func TestABrowserThatLeavesAStreamIsRecorded(t *testing.T) {
	w := newWorld(t, behind(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			_, _ = io.WriteString(w, "more ")
			_ = http.NewResponseController(w).Flush()
		}
	})))
	for name, change := range map[string]func(*http.Transport){"one": http1, "two": nil} {
		resp, err := w.browser(t, change).Get(origins.Auth + "/" + name)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.ReadFull(resp.Body, make([]byte, 10))
		_ = resp.Body.Close()
		x := w.await(t, "the stream that was left", func(x trace.Exchange) bool { return x.Path == "/"+name })
		if x.Err != trace.ErrAbandoned || x.Status != 200 || x.Response.Bytes < 10 {
			t.Errorf("HTTP/%s: recorded %+v", name, x)
		}
	}
}

func TestARequestThatEndsHalfwayIsRecorded(t *testing.T) {
	w := newWorld(t, nil)
	secure, err := w.handshake(t, "auth.crossing-back.net", &tls.Config{RootCAs: w.edge.Pool(), ServerName: "auth.crossing-back.net"})
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(secure, "POST /half HTTP/1.1\r\nHost: auth.crossing-back.net\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"password\":\"can")
	_ = secure.Close()
	x := w.await(t, "the half request", func(x trace.Exchange) bool { return x.Path == "/half" })
	if x.Err != trace.ErrAbandoned || x.Status != 0 || x.Instance != "" || x.Request.Body != "" {
		t.Errorf("recorded %+v", x)
	}
}
