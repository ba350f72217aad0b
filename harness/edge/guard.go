package edge

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"crossing/harness/trace"
)

// guard knows the secrets that the edge puts on what it forwards (Upstream.
// Header): nobody but that upstream may ever see them. Whatever else holds one,
// in whatever form, is a leak. A nil guard has nothing to look for.
type guard struct {
	secrets *trace.Redactor
	// overlap is how much of a chunk is looked at again with the next one.
	overlap int
}

// newGuard watches over the secrets of all routes; nil where there are none.
func newGuard(routes map[string]*route) *guard {
	g := &guard{secrets: trace.NewRedactor(nil)}
	for _, r := range routes {
		for _, u := range r.upstreams {
			for _, values := range u.Header {
				for _, value := range values {
					g.secrets.Learn(value)
					g.overlap = max(g.overlap, 6*len(value)) // JSON's longest form of a byte
				}
			}
		}
	}
	if g.overlap == 0 {
		return nil
	}
	return g
}

// Guards says whether what is forwarded for an origin bears a secret of the
// edge's own.
func (e *Edge) Guards(origin string) bool {
	r := e.routes[strings.TrimPrefix(origin, "https://")]
	return r != nil && slices.ContainsFunc(r.upstreams, func(u *upstream) bool { return len(u.Header) > 0 })
}

// in asks for the guarded secrets alone: what else looks like a secret, such as
// a token, is the application's own matter.
func (g *guard) in(text string) bool { return g != nil && len(g.secrets.Leaks([]byte(text))) > 0 }

// scan looks through a body as it passes.
type scan struct {
	*guard
	tail  []byte
	found bool
}

func (s *scan) add(p []byte) {
	if s.guard == nil || s.found {
		return
	}
	text := append(s.tail, p...)
	s.found = s.in(string(text))
	s.tail = slices.Clone(text[max(0, len(text)-s.overlap):])
}

// leak says that a guarded secret stands in what passed between browser and
// edge, and where; empty: it does not. The edge's own addition comes after that.
func (x *passage) leak() string {
	if where := x.leaksIn(); where != "" {
		return trace.LeakIn(where)
	}
	return ""
}

func (x *passage) leaksIn() string {
	g := x.line.edge.guard
	if g == nil {
		return ""
	}
	if g.in(x.in.URL.RequestURI()) {
		return "the request's address"
	}
	if name := g.header(x.in.Header); name != "" {
		return "the request's header " + name
	}
	if x.sent.leaked() {
		return "the request's body"
	}
	if x.got == nil {
		return ""
	}
	if name := g.header(x.got.header); name != "" {
		return "the answer's header " + name
	}
	if x.got.body.leaked() {
		return "the answer's body"
	}
	return ""
}

func (g *guard) header(h http.Header) string {
	for _, name := range slices.Sorted(maps.Keys(h)) {
		if g.in(strings.Join(h[name], "\n")) {
			return name
		}
	}
	return ""
}

func (c *capture) leaked() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.scan.found
}
