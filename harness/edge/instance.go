package edge

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"crossing/harness/trace"
)

// pin holds a role to some of its upstreams.
type pin struct {
	role  trace.Role
	names []string
}

// Pin sends every request for role to the named upstreams, alternating where
// they are several, until unpin is called, which may be done twice; of several
// pins the last one holds. It panics where the role has no such upstream: see
// Edge.Upstreams.
func (l *Line) Pin(role trace.Role, upstreams ...string) (unpin func()) {
	all := l.edge.upstreams(role)
	if len(upstreams) == 0 {
		panic("edge: Pin: no upstream named")
	}
	for _, name := range upstreams {
		if !slices.Contains(all, name) {
			panic("edge: Pin: " + string(role) + " has no upstream " + name + ", only: " + strings.Join(all, ", "))
		}
	}
	own := &pin{role: role, names: slices.Clone(upstreams)}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pins = append(l.pins, own)
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.pins = slices.DeleteFunc(l.pins, func(p *pin) bool { return p == own })
	}
}

// Upstreams returns the names of the upstreams that take turns in serving role,
// in their order; spare ones are left out.
func (e *Edge) Upstreams(role trace.Role) []string {
	var names []string
	for _, r := range e.routesOf(role) {
		for _, u := range r.inTurn() {
			names = append(names, u.Name)
		}
	}
	return names
}

// upstreams are the names of all, spare ones too.
func (e *Edge) upstreams(role trace.Role) []string {
	var names []string
	for _, r := range e.routesOf(role) {
		for _, u := range r.upstreams {
			names = append(names, u.Name)
		}
	}
	return names
}

func (e *Edge) routesOf(role trace.Role) []*route {
	var all []*route
	for _, host := range slices.Sorted(maps.Keys(e.routes)) {
		if e.routes[host].Role == role {
			all = append(all, e.routes[host])
		}
	}
	return all
}

// inTurn are the upstreams that alternate where nothing is pinned.
func (r *route) inTurn() []*upstream {
	return slices.DeleteFunc(slices.Clone(r.upstreams), func(u *upstream) bool { return u.Spare })
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
	candidates, pinned := l.candidates(to)
	group, method := to.host+pinned, r.Method
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
	return candidates[turn%len(candidates)]
}

// candidates are the upstreams that the last pin names, in its order, else
// those that take turns.
// pinned is a mark of that pin, whose turns are its own.
func (l *Line) candidates(to *route) (all []*upstream, pinned string) {
	for _, p := range slices.Backward(l.pins) {
		if p.role != to.Role {
			continue
		}
		var named []*upstream
		for _, name := range p.names {
			if at := slices.IndexFunc(to.upstreams, func(u *upstream) bool { return u.Name == name }); at >= 0 {
				named = append(named, to.upstreams[at])
			}
		}
		if len(named) > 0 {
			return named, " pinned " + strings.Join(p.names, " ")
		}
	}
	return to.inTurn(), ""
}
