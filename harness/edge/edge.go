// Package edge is the harness's front: a certificate authority, a TLS server
// for every origin of a target, and a forward proxy through which a browser
// reaches them all without root, hosts file or port 443. It forwards to local
// services or to a deployed preview, adds what a platform's edge adds,
// alternates between instances, records every exchange, and breaks things on
// purpose. It judges nothing, starts no service and knows no browser.
package edge

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"crossing/harness/trace"
)

// Options of an Edge.
type Options struct {
	Routes []Route
	// Redactor is the run's; every Recorder given to Open must have the same.
	// Nil: each line uses its recorder's.
	Redactor *trace.Redactor
	// Limit is how long an upstream may take to the first byte of its answer,
	// from the moment it is dialled; default 30 s. What comes after may take
	// its time: streams pass.
	Limit time.Duration
	// Address is the one of this machine that lines listen on, for browsers on
	// another machine; empty: loopback, where no other machine gets in.
	Address string
	// Admit are the addresses, beside that one, from which a line may be used.
	// All others are turned away before a byte is read.
	Admit []netip.Prefix
}

// Route is one origin and what answers for it: Upstreams or Handler.
type Route struct {
	// Origin as browsers write it: "https://docs.crossing-front.com".
	Origin string
	Role   trace.Role
	// Upstreams are forwarded to, alternating per visitor and endpoint.
	Upstreams []Upstream
	// Handler answers in the edge itself. Its answer is sent once it returns.
	Handler http.Handler
}

// Upstream is one instance of the service behind an origin.
type Upstream struct {
	// Name is what a trace calls the instance: "auth-2".
	Name string
	// URL is a local service, "http://127.0.0.1:4711", which is sent the
	// public Host; or a deployed origin, "https://app-git-x.vercel.app", which
	// is sent its own, over verified TLS.
	URL string
	// Roots verify an https upstream; nil: the system's.
	Roots *x509.CertPool
	// Address is the host:port to connect to in place of what URL's host
	// resolves to, past every proxy. The certificate must still be for that
	// host.
	Address string
	// Header is put on what is forwarded here and nowhere else, preflights
	// included, such as a preview's bypass secret. Its values are learnt as
	// secrets; the browser never has them.
	Header http.Header
	// Spare takes no turn: only Line.Pin leads to it.
	Spare bool
}

// Edge serves the origins of one target. Its methods may be called from
// several goroutines.
type Edge struct {
	authority *authority
	routes    map[string]*route // by host
	origins   map[string]bool
	redactor  *trace.Redactor
	limit     time.Duration
	tls       *tls.Config
	address   netip.Addr
	admit     []netip.Prefix
	guard     *guard

	mu      sync.Mutex
	lines   map[*Line]bool
	closed  bool
	visitor uint32 // the last visitor's place in visitorNet
}

// silent swallows what net/http would log: errors are recorded in exchanges,
// and a log line could hold a secret.
var silent = log.New(io.Discard, "", 0)

// New makes an Edge, its authority and a certificate for every host. All that
// is wrong with o is said at once.
func New(o Options) (*Edge, error) {
	routes, err := newRoutes(o)
	if err != nil {
		return nil, fmt.Errorf("edge: %w", err)
	}
	e := &Edge{routes: routes, origins: map[string]bool{}, redactor: o.Redactor,
		limit: o.Limit, admit: o.Admit, lines: map[*Line]bool{}, visitor: rand.Uint32()}
	if e.address, err = netip.ParseAddr(cmp.Or(o.Address, "127.0.0.1")); err != nil {
		return nil, fmt.Errorf("edge: the address %q to listen on: %w; write one of this machine's, such as 192.0.2.7", o.Address, err)
	}
	if e.address.IsUnspecified() {
		return nil, fmt.Errorf("edge: the address %s would listen everywhere; write the one of this machine that the browsers reach", e.address)
	}
	if e.limit == 0 {
		e.limit = 30 * time.Second
	}
	hosts := make([]string, 0, len(routes))
	for host, r := range routes {
		hosts = append(hosts, host)
		e.origins[r.Origin] = true
	}
	if e.authority, err = newAuthority(hosts); err != nil {
		return nil, fmt.Errorf("edge: %w", err)
	}
	e.guard = newGuard(routes)
	e.tls = &tls.Config{
		MinVersion:     tls.VersionTLS12,
		NextProtos:     []string{"h2", "http/1.1"},
		GetCertificate: e.certificate,
	}
	return e, nil
}

// SPKI returns the base64 SHA-256 of the subject public key info that all
// leaves share, as Chromium's --ignore-certificate-errors-spki-list wants it.
func (e *Edge) SPKI() string { return e.authority.spki }

// Pool returns a pool that trusts the edge and nothing else.
func (e *Edge) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(e.authority.cert)
	return pool
}

// CAPEM returns the authority's certificate. Name constraints (RFC 5280,
// section 4.2.1.10) keep it to the edge's own hosts, so that whoever installs
// it lays nothing else open.
func (e *Edge) CAPEM() []byte { return e.authority.pem() }

// Open starts a visitor's own listener, on loopback or Options.Address. What passes through it is
// recorded in rec.
func (e *Edge) Open(rec *trace.Recorder) (*Line, error) {
	if rec == nil {
		return nil, errors.New("open an edge line: no recorder given")
	}
	if e.redactor != nil && rec.Redactor() != e.redactor {
		return nil, errors.New("open an edge line: the recorder's redactor is not the edge's: " +
			"digests of one run would disagree; give both the run's one")
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, errors.New("open an edge line: the edge is closed")
	}
	e.visitor++
	l, err := newLine(e, rec, address(e.visitor))
	if err != nil {
		return nil, fmt.Errorf("open an edge line: %w", err)
	}
	e.lines[l] = true
	if e.guard != nil {
		rec.Guard(e.guard.in)
	}
	return l, nil
}

// visitorNet is set aside for tests of network devices (RFC 2544): no real
// client has such an address.
var visitorNet = netip.MustParsePrefix("198.18.0.0/15")

// address is the n-th of visitorNet. Edges begin at random places, so that
// visitors of parallel processes do not share a service's rate limit.
func address(n uint32) netip.Addr {
	base := visitorNet.Addr().As4()
	n %= 1 << 17
	return netip.AddrFrom4([4]byte{base[0], base[1] + byte(n>>16), byte(n >> 8), byte(n)})
}

// Close ends every line, within the bound of Line.Close.
func (e *Edge) Close() error {
	e.mu.Lock()
	e.closed = true
	lines := make([]*Line, 0, len(e.lines))
	for l := range e.lines {
		lines = append(lines, l)
	}
	e.mu.Unlock()
	ended := make(chan error, len(lines))
	for _, l := range lines {
		go func() { ended <- l.Close() }()
	}
	var errs []error
	for range lines {
		errs = append(errs, <-ended)
	}
	for _, r := range e.routes {
		for _, u := range r.upstreams {
			u.transport.CloseIdleConnections()
		}
	}
	return errors.Join(errs...)
}

func (e *Edge) forget(l *Line) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.lines, l)
}

// certificate answers a handshake with the leaf of the host that the tunnel
// was asked for.
func (e *Edge) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	t, ok := hello.Conn.(*tunnel)
	if !ok {
		return nil, errors.New("edge: a handshake outside any tunnel")
	}
	if hello.ServerName != "" && hello.ServerName != t.route.host {
		return nil, fmt.Errorf("edge: a tunnel to %s, a handshake for %s", t.route.host, hello.ServerName)
	}
	return e.authority.leaves[t.route.host], nil
}
