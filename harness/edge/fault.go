package edge

import (
	"net/http"
	"slices"
	"strings"

	"crossing/harness/trace"
)

// Fault is one deliberate break of what passes through a line. Reserved paths
// are never broken: they prove what the browser does.
type Fault struct {
	// Name stands in the trace on every exchange that it touches.
	Name string
	// When picks requests, as the browser sent them, with an absolute URL;
	// it must not read the body. Nil: every request, preflights included.
	When func(*http.Request) bool
	// Request changes what is forwarded; what is recorded stays as sent.
	Request func(*http.Request)
	// Answer answers in place of the upstream.
	Answer http.Handler
	// Response changes what the browser gets, and so what is recorded; its
	// body is as the upstream encoded it, which is asked for no encoding. An
	// error aborts the connection, as a reset does.
	Response func(*http.Response) error
}

// Break puts f in force until mend is called, which may be done twice. Several
// faults apply in the order of their making; the first Answer wins. It panics
// on a fault that has no name or breaks nothing: the test would prove nothing.
func (l *Line) Break(f Fault) (mend func()) {
	if f.Name == "" {
		panic("edge: Break: a fault without a name: the trace could not say what it touched")
	}
	if f.Request == nil && f.Answer == nil && f.Response == nil {
		panic("edge: Break: fault " + f.Name + " has neither Request nor Answer nor Response: it breaks nothing")
	}
	own := &f
	l.mu.Lock()
	defer l.mu.Unlock()
	l.faults = append(l.faults, own)
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.faults = slices.DeleteFunc(slices.Clone(l.faults), func(g *Fault) bool { return g == own })
	}
}

// matching returns the faults in force that pick r.
func (l *Line) matching(r *http.Request) []*Fault {
	l.mu.Lock()
	all := slices.Clone(l.faults)
	l.mu.Unlock()
	return slices.DeleteFunc(all, func(f *Fault) bool { return f.When != nil && !f.When(r) })
}

func faultNames(faults []*Fault) string {
	var names []string
	for _, f := range faults {
		names = append(names, f.Name)
	}
	return strings.Join(names, ", ")
}

// Outside says whether r, as a fault's When gets it, was made by Line.Client
// and not by the browser.
func Outside(r *http.Request) bool {
	t, ok := r.Context().Value(tunnelKey{}).(*tunnel)
	return ok && t.outside
}

// IsPreflight says whether r is a CORS preflight (Fetch, section 3.3).
func IsPreflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && r.Header.Get("Origin") != "" &&
		r.Header.Get("Access-Control-Request-Method") != ""
}

// pin holds a role to one upstream.
type pin struct {
	role trace.Role
	name string
}

// Pin sends every request for role to the named upstream until unpin is
// called, which may be done twice; of several pins the last one holds. It
// panics where the role has no such upstream: see Edge.Upstreams.
func (l *Line) Pin(role trace.Role, upstream string) (unpin func()) {
	if names := l.edge.Upstreams(role); !slices.Contains(names, upstream) {
		panic("edge: Pin: " + string(role) + " has no upstream " + upstream + ", only: " + strings.Join(names, ", "))
	}
	own := &pin{role: role, name: upstream}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pins = append(l.pins, own)
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.pins = slices.DeleteFunc(l.pins, func(p *pin) bool { return p == own })
	}
}

// Upstreams returns the names of the upstreams that serve role, in their order.
func (e *Edge) Upstreams(role trace.Role) []string {
	var names []string
	for _, r := range e.routes {
		for _, u := range r.upstreams {
			if r.Role == role {
				names = append(names, u.Name)
			}
		}
	}
	return names
}

// turns alternates between the upstreams of a route.
type turns struct {
	next  map[string]int // by endpoint: whose turn it is
	begun map[string]int // by route: how many endpoints have begun
}

func newTurns() turns { return turns{next: map[string]int{}, begun: map[string]int{}} }

// choose returns the upstream that r goes to. Endpoints alternate each by
// itself, since a page's calls have a parity of their own, and begin on
// different instances; a preflight goes where the request it announces will
// go. What is asked from outside has turns of its own.
func (l *Line) choose(to *route, r *http.Request) *upstream {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, p := range slices.Backward(l.pins) {
		for _, u := range to.upstreams {
			if p.role == to.Role && p.name == u.Name {
				return u
			}
		}
	}
	group, method := to.host, r.Method
	if Outside(r) {
		group += " outside"
	}
	preflight := IsPreflight(r)
	if preflight {
		method = r.Header.Get("Access-Control-Request-Method")
	}
	endpoint := group + " " + method + " " + r.URL.Path
	turn, known := l.turns.next[endpoint]
	if !known {
		turn = l.turns.begun[group]
		l.turns.begun[group]++
	}
	l.turns.next[endpoint] = turn
	if !preflight {
		l.turns.next[endpoint]++
	}
	return to.upstreams[turn%len(to.upstreams)]
}
