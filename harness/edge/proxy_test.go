package edge

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"crossing/harness/trace"
)

// raw sends text to the proxy and returns all that comes until it ends, or
// what came within a fifth of a second.
func (w *world) raw(t *testing.T, text string) string {
	t.Helper()
	conn, err := net.Dial("tcp", w.line.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
	got, _ := io.ReadAll(conn) // ends by the deadline where the tunnel stays open
	return string(got)
}

func TestConnectAnswersABareLine(t *testing.T) {
	w := newWorld(t, nil)
	const want = "HTTP/1.1 200 Connection established\r\n\r\n"
	for _, host := range []string{"auth.crossing-back.net", "Auth.Crossing-Back.NET", "auth.crossing-back.net."} {
		if got := w.raw(t, "CONNECT "+host+":443 HTTP/1.1\r\nHost: "+host+":443\r\n\r\n"); got != want {
			t.Errorf("%s: %q", host, got)
		}
	}
	if all := w.rec.Snapshot().Exchanges; len(all) != 0 {
		t.Errorf("a tunnel that nobody used is recorded: %+v", all)
	}
}

func TestUnknownHostsAreRefusedAndRecorded(t *testing.T) {
	w := newWorld(t, nil)
	for request, origin := range map[string]string{
		"CONNECT evil.example.com:443 HTTP/1.1\r\nHost: evil.example.com:443\r\n\r\n":                        "https://evil.example.com",
		"CONNECT auth.crossing-back.net:22 HTTP/1.1\r\nHost: auth.crossing-back.net:22\r\n\r\n":              "https://auth.crossing-back.net:22",
		"CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]:443\r\n\r\n":                                              "https://[::1]",
		"GET http://evil.example.com/p?q=1 HTTP/1.1\r\nHost: evil.example.com\r\nConnection: close\r\n\r\n":  "http://evil.example.com",
		"GET http://auth.crossing-back.net:81/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n":             "http://auth.crossing-back.net:81",
		"GET /direct HTTP/1.1\r\nHost: " + w.line.listener.Addr().String() + "\r\nConnection: close\r\n\r\n": w.line.Proxy(),
	} {
		got := w.raw(t, request)
		if !strings.HasPrefix(got, "HTTP/1.1 403 ") || !strings.Contains(got, "X-Crossing-Edge: unknown-host\r\n") ||
			!strings.Contains(got, origins.Frontend) {
			t.Errorf("%s is answered %q", origin, got)
		}
		x := w.await(t, origin, func(x trace.Exchange) bool { return x.Origin == origin })
		if x.Role != trace.RoleUnknown || x.Status != 403 || !strings.Contains(x.Err, origin) || x.Outside {
			t.Errorf("recorded %+v", x)
		}
	}
	c := w.browser(t, nil)
	if _, err := try(c, "GET", "https://evil.example.com/", ""); err == nil || !strings.Contains(err.Error(), "Forbidden") {
		t.Errorf("a browser gets %v", err)
	}
	ask(t, c, "GET", origins.API+"/", "") // the control: a known one passes
}

func TestPlainRequestsAreSentToHTTPS(t *testing.T) {
	w := newWorld(t, nil)
	r := ask(t, w.browser(t, nil), "POST", "http://auth.crossing-back.net/a%2Fb?x=1&token=abc", "body")
	if got, want := r.Header.Get("Location"), origins.Auth+"/a%2Fb?x=1&token=abc"; r.StatusCode != 308 || got != want {
		t.Errorf("status %d, location %q, want 308, %q", r.StatusCode, got, want)
	}
	x := w.last(t)
	if x.Status != 308 || x.Role != trace.RoleAuth || x.Origin != "http://auth.crossing-back.net" || x.Instance != "" ||
		x.Query != "x=1&token="+w.rec.Redactor().Digest("abc") || strings.Contains(x.Response.Get("Location"), "abc") {
		t.Errorf("recorded %+v", x)
	}
}

func TestWhatComesWithTheConnectIsNotLost(t *testing.T) {
	w := newWorld(t, nil)
	conn, err := net.Dial("tcp", w.line.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	// A client that does not wait: CONNECT and ClientHello in one packet.
	eager := &eagerConn{Conn: conn, first: "CONNECT api.crossing-back.net:443 HTTP/1.1\r\nHost: api.crossing-back.net:443\r\n\r\n"}
	secure := tls.Client(eager, &tls.Config{RootCAs: w.edge.Pool(), ServerName: "api.crossing-back.net"})
	if _, err := fmt.Fprintf(secure, "GET /eager HTTP/1.1\r\nHost: api.crossing-back.net\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(secure), nil)
	if err != nil || resp.StatusCode != 200 {
		t.Fatalf("%+v, error %v", resp, err)
	}
}

// eagerConn sends first with the first write, and drops the answer to it.
type eagerConn struct {
	net.Conn
	first string
	read  bool
}

func (c *eagerConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(append([]byte(c.first), p...))
	n -= len(c.first)
	c.first = ""
	return n, err
}

func (c *eagerConn) Read(p []byte) (int, error) {
	if !c.read {
		c.read = true
		if _, err := readFull(c.Conn, make([]byte, len(established))); err != nil {
			return 0, err
		}
	}
	return c.Conn.Read(p)
}

func TestARequestForAnotherHostIsMisdirected(t *testing.T) {
	w := newWorld(t, nil)
	for _, change := range []func(*http.Transport){http1, nil} {
		c := w.browser(t, change)
		req, err := http.NewRequestWithContext(t.Context(), "GET", origins.API+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = "auth.crossing-back.net"
		resp, err := c.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		x := w.await(t, "a misdirected request", func(x trace.Exchange) bool { return x.Status == 421 })
		if resp.StatusCode != 421 || resp.Header.Get(Header) != "misdirected" || x.Role != trace.RoleAPI || x.Instance != "" {
			t.Errorf("%s: status %d, recorded %+v", resp.Proto, resp.StatusCode, x)
		}
	}
}
