package edge

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"crossing/harness/trace"
)

// tunnel is one connection that a browser asked for by CONNECT.
type tunnel struct {
	net.Conn
	in      io.Reader
	line    *Line
	route   *route
	outside bool
}

type tunnelKey struct{}

// Read returns first what came in one packet with the CONNECT request.
func (t *tunnel) Read(p []byte) (int, error) { return t.in.Read(p) }

// Close ends the connection.
func (t *tunnel) Close() error {
	t.line.mu.Lock()
	delete(t.line.tunnels, t)
	t.line.mu.Unlock()
	return t.Conn.Close()
}

// established is the whole answer to CONNECT. Engines take a header in it
// amiss, which is why net/http does not write it.
const established = "HTTP/1.1 200 Connection established\r\n\r\n"

// proxied answers what a browser asks of its proxy.
func (l *Line) proxied(w http.ResponseWriter, r *http.Request) {
	_, pass, _ := parseProxyAuth(r)
	outside := pass == l.pass
	// Between client and proxy alone (RFC 9110, section 11.7.2).
	r.Header.Del("Proxy-Authorization")
	r.Header.Del("Proxy-Connection")

	scheme := "http"
	if r.Method == http.MethodConnect {
		scheme = "https"
	}
	host, port := splitHost(r.Host, scheme)
	known := l.edge.routes[host]
	switch {
	case known == nil || (scheme == "http" && port != "80") || (scheme == "https" && port != "443"):
		l.refuse(w, r, scheme+"://"+withPort(host, port, scheme), outside)
	case scheme == "https":
		l.connect(w, known, outside)
	default:
		l.upgrade(w, r, known, outside)
	}
}

// refuse answers for a host that no route names.
func (l *Line) refuse(w http.ResponseWriter, r *http.Request, origin string, outside bool) {
	x := l.begin(r, origin, trace.RoleUnknown, outside)
	defer x.end()
	w = x.watch(w)
	var known []string
	for o := range l.edge.origins {
		known = append(known, o)
	}
	slices.Sort(known)
	x.fail("no such host at this edge: " + origin)
	speak(w, http.StatusForbidden, "unknown-host",
		"This edge serves "+strings.Join(known, ", ")+" and nothing else: "+origin+" is refused.")
}

// upgrade sends a plain request to https, as a platform does (RFC 9110,
// section 15.4.9: the method stays).
func (l *Line) upgrade(w http.ResponseWriter, r *http.Request, known *route, outside bool) {
	x := l.begin(r, "http://"+known.host, known.Role, outside)
	defer x.end()
	w = x.watch(w)
	w.Header().Set("Location", "https://"+known.host+r.URL.RequestURI())
	w.WriteHeader(http.StatusPermanentRedirect)
}

// shaking is how long a browser may take for a TLS handshake.
const shaking = 10 * time.Second

// connect opens a tunnel, does the handshake in it, and hands it to the
// server of this line.
func (l *Line) connect(w http.ResponseWriter, known *route, outside bool) {
	conn, buf, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // the browser has gone
	}
	t := &tunnel{Conn: conn, in: conn, line: l, route: known, outside: outside}
	if !l.enter(func() { l.tunnels[t] = true }) {
		_ = conn.Close()
		return
	}
	defer l.work.Done()
	if n := buf.Reader.Buffered(); n > 0 {
		t.in = io.MultiReader(io.LimitReader(buf.Reader, int64(n)), conn)
	}
	if _, err := io.WriteString(conn, established); err != nil {
		_ = t.Close()
		return
	}
	secure := tls.Server(t, l.edge.tls)
	ctx, cancel := context.WithTimeout(context.Background(), shaking)
	defer cancel()
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = t.Close()
		l.unshaken(t, err)
		return
	}
	l.shaken.put(secure)
}

// unshaken records a handshake that failed for a reason: a browser that does
// not trust the edge shows nowhere else. Browsers also open tunnels ahead of
// need and drop them unused, which says nothing.
func (l *Line) unshaken(t *tunnel, err error) {
	if errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) || isReset(err) {
		return
	}
	l.rec.Exchange(trace.Exchange{ID: newID(), Time: time.Now(), Role: t.route.Role, Method: http.MethodConnect,
		Origin: t.route.Origin, Outside: t.outside, Err: "TLS handshake with the browser: " + err.Error()})
}

func parseProxyAuth(r *http.Request) (user, pass string, ok bool) {
	return (&http.Request{Header: http.Header{"Authorization": r.Header["Proxy-Authorization"]}}).BasicAuth()
}

// splitHost takes host:port apart, with the scheme's own port where none is
// given.
func splitHost(hostport, scheme string) (host, port string) {
	host, port, err := net.SplitHostPort(hostport)
	if err != nil {
		host, port = hostport, defaultPort(scheme)
	}
	return strings.ToLower(strings.TrimSuffix(host, ".")), port
}

func withPort(host, port, scheme string) string {
	full := net.JoinHostPort(host, port) // brackets an IPv6 address
	return strings.TrimSuffix(full, ":"+defaultPort(scheme))
}

func defaultPort(scheme string) string {
	if scheme == "https" {
		return "443"
	}
	return "80"
}

// Header is set, to a short code, on every answer that is the edge's own word
// about a failure and no service's.
const Header = "X-Crossing-Edge"

// speak answers in the edge's own name, so that nobody takes it for the
// application.
func speak(w http.ResponseWriter, status int, code, message string) {
	body, _ := json.Marshal(map[string]any{"edge": map[string]string{"code": code, "message": message}}) // strings marshal
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set(Header, code)
	w.WriteHeader(status)
	_, _ = w.Write(body) // the browser may have gone
}
