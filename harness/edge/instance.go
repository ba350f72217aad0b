package edge

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"crossing/harness/trace"
)

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
	for _, host := range slices.Sorted(maps.Keys(e.routes)) {
		for _, u := range e.routes[host].upstreams {
			if e.routes[host].Role == role {
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
