package edge

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"crossing/harness/trace"
)

// Line is one visitor's way through the edge: a proxy listener of their own,
// whose traffic is recorded in their trace and can be broken without touching
// anyone else's.
type Line struct {
	edge    *Edge
	rec     *trace.Recorder
	visitor netip.Addr

	listener net.Listener
	proxy    *http.Server // speaks to the browser's proxy connection
	front    *http.Server // speaks inside the tunnels
	shaken   *queue       // tunnels whose TLS handshake is done

	client *http.Transport
	pass   string // what the outside client shows, so that it is told from a browser

	closing sync.Once
	ended   error
	work    sync.WaitGroup // servers, tunnels and passages

	mu       sync.Mutex
	closed   bool
	tunnels  map[*tunnel]bool
	passages map[*passage]bool
	faults   []*Fault
	pins     []*pin
	turns    turns
}

func newLine(e *Edge, rec *trace.Recorder, visitor netip.Addr) (*Line, error) {
	listener, err := net.Listen("tcp", netip.AddrPortFrom(e.address, 0).String())
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", e.address, err)
	}
	listener = &door{listener, append([]netip.Prefix{netip.PrefixFrom(e.address, e.address.BitLen())}, e.admit...)}
	l := &Line{edge: e, rec: rec, visitor: visitor, listener: listener,
		shaken: newQueue(listener.Addr()), pass: rand.Text(),
		tunnels: map[*tunnel]bool{}, passages: map[*passage]bool{}, turns: newTurns()}
	l.proxy = &http.Server{Handler: http.HandlerFunc(l.proxied), ErrorLog: silent}
	l.front = &http.Server{Handler: http.HandlerFunc(l.serve), ErrorLog: silent,
		// No TLSConfig: the handshake is done by then, Serve sets HTTP/2 up all
		// the same, and would write into a config that lines share.
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, tunnelKey{}, c.(*tls.Conn).NetConn())
		}}
	l.client = l.newTransport()
	l.work.Go(func() { _ = l.proxy.Serve(listener) }) // ErrServerClosed, by Close
	l.work.Go(func() { _ = l.front.Serve(l.shaken) })
	return l, nil
}

// Proxy returns the address to give to a browser: "http://127.0.0.1:port".
func (l *Line) Proxy() string { return "http://" + l.listener.Addr().String() }

// Address returns the client address that services see of this visitor.
func (l *Line) Address() string { return l.visitor.String() }

// Client returns a client outside the browser: it goes through this line and
// trusts the edge, keeps no cookies and follows no redirects. Its exchanges
// are recorded with Outside set, and do not advance the alternation that the
// browser sees. Faults touch it like any request; Outside tells it apart.
func (l *Line) Client() *http.Client {
	return &http.Client{
		Transport:     l.client,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func (l *Line) newTransport() *http.Transport {
	// Go sends these credentials on CONNECT and on plain requests alike; a
	// page cannot set them.
	proxy := &url.URL{Scheme: "http", Host: l.listener.Addr().String(), User: url.UserPassword("outside", l.pass)}
	return &http.Transport{
		Proxy:              http.ProxyURL(proxy),
		TLSClientConfig:    &tls.Config{RootCAs: l.edge.Pool(), MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2:  true,
		DisableCompression: true,
		// The edge itself gives up on an upstream before that.
		ResponseHeaderTimeout: l.edge.limit + 10*time.Second,
	}
}

// patience is how long Close waits for what it has cut off to wind up.
const patience = 5 * time.Second

// Close ends the listener and every open connection, and returns once all that
// passed has been recorded. What a fault's own handler holds up for more than
// five seconds is named in the error.
func (l *Line) Close() error {
	l.closing.Do(func() { l.ended = l.close() })
	return l.ended
}

func (l *Line) close() error {
	l.mu.Lock()
	l.closed = true
	tunnels := make([]*tunnel, 0, len(l.tunnels))
	for t := range l.tunnels {
		tunnels = append(tunnels, t)
	}
	l.mu.Unlock()

	l.client.CloseIdleConnections()
	err := errors.Join(l.proxy.Close(), l.front.Close())
	for _, t := range tunnels { // hijacked by WebSockets, or in their handshake
		_ = t.Close()
	}
	l.edge.forget(l)

	done := make(chan struct{})
	go func() {
		l.work.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(patience):
		err = errors.Join(err, fmt.Errorf("close an edge line: after %v still open: %s", patience, l.stuck()))
	}
	return err
}

func (l *Line) stuck() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []string
	for x := range l.passages {
		all = append(all, fmt.Sprintf("%s %s%s since %v", x.in.Method, x.e.Origin,
			l.rec.Redactor().Scrub(x.in.URL.Path), time.Since(x.e.Time).Round(time.Millisecond)))
	}
	if len(all) == 0 {
		return fmt.Sprintf("%d tunnels", len(l.tunnels))
	}
	return strings.Join(all, ", ")
}

// enter counts one piece of work in, unless the line is closed: after that,
// Close may be waiting already.
func (l *Line) enter(note func()) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.work.Add(1)
	note()
	return true
}

// door is a listener that turns away whom it does not know.
type door struct {
	net.Listener
	admit []netip.Prefix
}

// Accept waits for the next connection of somebody who is admitted.
func (d *door) Accept() (net.Conn, error) {
	for {
		c, err := d.Listener.Accept()
		if err != nil {
			return nil, err
		}
		from, _ := netip.ParseAddrPort(c.RemoteAddr().String())
		if slices.ContainsFunc(d.admit, func(p netip.Prefix) bool { return p.Contains(from.Addr().Unmap()) }) {
			return c, nil
		}
		_ = c.Close()
	}
}

// queue is a net.Listener of connections that were accepted elsewhere.
type queue struct {
	addr  net.Addr
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newQueue(addr net.Addr) *queue {
	return &queue{addr: addr, conns: make(chan net.Conn), done: make(chan struct{})}
}

func (q *queue) put(c net.Conn) {
	select {
	case q.conns <- c:
	case <-q.done:
		_ = c.Close()
	}
}

// Accept waits for the next connection.
func (q *queue) Accept() (net.Conn, error) {
	select {
	case c := <-q.conns:
		return c, nil
	case <-q.done:
		return nil, net.ErrClosed
	}
}

// Close ends Accept.
func (q *queue) Close() error {
	q.once.Do(func() { close(q.done) })
	return nil
}

// Addr is the address of the listener that the connections came by.
func (q *queue) Addr() net.Addr { return q.addr }

// Pending is how many requests are on their way: they have begun, and their
// answers have not ended.
func (l *Line) Pending() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.passages)
}
