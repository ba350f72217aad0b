// Package visit opens a person's way into an application: one edge listener
// with one recorder, and one browser session whose cookie policy has been
// proved by a control. Whoever needs visitors uses it: the suites' rig, and
// the commands that act without Ginkgo. It judges nothing.
package visit

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"crossing/harness/browser"
	"crossing/harness/edge"
	"crossing/harness/observe"
	"crossing/harness/stack"
	"crossing/harness/target"
	"crossing/harness/trace"
)

// Options of a Ground.
type Options struct {
	Target *target.Target
	// Settings choose the browsers and say where set-up put things.
	Settings target.Settings
	// Stack are the local services behind the target; nil: the target's
	// origins are reached as they are.
	Stack *stack.Stack
	// Access is how deployed origins are reached from this machine.
	Access target.Access
	// Pace is kept by all who sign up and in; nil: nobody waits.
	Pace *Pace
	// Spares are instances that serve a visitor only where their line is pinned
	// to them; nobody else meets them.
	Spares []Spare
	// Redactor digests what is secret in every visitor's trace.
	Redactor *trace.Redactor
	// Run is whose folder takes the browsers' profiles.
	Run stack.Run
	// Started is told of every browser once it was measured; nil: nobody is.
	Started func(browser.Browser, trace.Capability)
}

// Spare is an instance beside those that take turns.
type Spare struct {
	Role trace.Role
	// URL is its address without the edge, "http://127.0.0.1:4711".
	Name, URL string
}

// Ground is where visits happen: a target behind an edge, its observer, and
// browsers that start when the first visitor needs them.
type Ground struct {
	Target   *target.Target
	Edge     *edge.Edge
	Observer *observe.Observer

	options  Options
	browsers *browsers
}

// New opens an edge for the target. Close ends it, and every browser.
func New(ctx context.Context, o Options) (*Ground, error) {
	g := &Ground{Target: o.Target, options: o}
	origins := o.Target.Origins
	o.Redactor.Publish(origins.Frontend, origins.Auth, origins.API, origins.Stranger)
	var err error
	routes := Reached(Routes(o.Target, o.Stack), o.Access)
	for _, spare := range o.Spares {
		for i := range routes {
			if routes[i].Role == spare.Role {
				routes[i].Upstreams = append(routes[i].Upstreams, edge.Upstream{Name: spare.Name, URL: spare.URL, Spare: true})
			}
		}
	}
	if g.Edge, err = edge.New(edge.Options{Routes: routes, Redactor: o.Redactor,
		Address: o.Settings.Elsewhere.Address, Admit: o.Settings.Elsewhere.Admit}); err != nil {
		return nil, err
	}
	if g.Observer, err = Observer(ctx, o.Target, o.Stack); err != nil {
		return nil, errors.Join(err, g.Edge.Close())
	}
	g.browsers = &browsers{ground: g, all: map[string]*Started{}}
	return g, nil
}

// Close ends every browser, then observer and edge.
func (g *Ground) Close() error {
	defer g.Observer.Close()
	return errors.Join(g.browsers.close(), g.Edge.Close())
}

// Routes are a target's origins and who answers for them: the stack's
// instances or, with none, the deployed origins themselves.
func Routes(t *target.Target, s *stack.Stack) []edge.Route {
	o := t.Origins
	routes := []edge.Route{{Origin: o.Stranger, Role: trace.RoleStranger, Handler: edge.Stranger(o)}}
	if other := t.Measured().Stranger; other != o.Stranger {
		routes = append(routes, edge.Route{Origin: other, Role: trace.RoleStranger, Handler: edge.Stranger(o)})
	}
	for _, part := range []struct {
		origin, service string
		role            trace.Role
	}{
		{o.Frontend, t.Serves.Frontend, trace.RoleFrontend},
		{o.Auth, t.Serves.Auth, trace.RoleAuth},
		{o.API, t.Serves.API, trace.RoleAPI},
	} {
		if part.origin == "" {
			continue
		}
		route := edge.Route{Origin: part.origin, Role: part.role}
		if s == nil {
			route.Upstreams = []edge.Upstream{{Name: string(part.role), URL: part.origin}}
		} else {
			for _, i := range s.Instances(part.service) {
				route.Upstreams = append(route.Upstreams, edge.Upstream{Name: i.Name(), URL: "http://" + i.Address()})
			}
		}
		routes = append(routes, route)
	}
	return routes
}

// Reached puts a target.Access on the deployed origins among the routes.
func Reached(routes []edge.Route, by target.Access) []edge.Route {
	for i := range routes {
		for j := range routes[i].Upstreams {
			u := &routes[i].Upstreams[j]
			if host, deployed := strings.CutPrefix(u.URL, "https://"); deployed {
				u.Roots, u.Address = by.Roots, by.Addresses[host]
				if secret := by.Bypass[host]; secret != "" {
					u.Header = http.Header{"X-Vercel-Protection-Bypass": {secret}}
				}
			}
		}
	}
	return routes
}

// Observer asks the instances of a stack, and its database; with no stack it
// asks nobody. The caller closes it.
func Observer(ctx context.Context, t *target.Target, s *stack.Stack) (*observe.Observer, error) {
	o := &observe.Observer{Subject: t.Subject(), Contract: t.Contract}
	if s == nil {
		return o, nil
	}
	instances := func(service string) []observe.Instance {
		var all []observe.Instance
		for _, i := range s.Instances(service) {
			all = append(all, observe.Instance{
				Name: i.Name(), URL: "http://" + i.Address(), Environment: s.Environment(i.Name()),
				Ready: t.Services[service].Ready.Path,
			})
		}
		return all
	}
	o.Auth, o.API, o.Logs = instances(t.Serves.Auth), instances(t.Serves.API), s.Logs
	if db := t.Database; db != nil {
		var err error
		if o.Database, err = observe.OpenDatabase(ctx, s.DatabaseURL(), *db); err != nil {
			return nil, err
		}
	}
	return o, nil
}

// Glance is how long those who wait for a page to show something wait between
// one look and the next. A look takes a few milliseconds; half of this is what each wait lasts
// too long.
const Glance = 25 * time.Millisecond

// Looking is how long a loss may take to be observed.
const Looking = 20 * time.Second

// folder is where a profile's browser may write.
func (g *Ground) folder(p browser.Profile) string { return filepath.Join(g.options.Run.Dir, p.Name) }

// head begins the trace of a visitor.
func (g *Ground) head(spec, name string, b *Started) trace.Trace {
	return trace.Trace{
		Run: g.options.Run.ID, Spec: spec, Visitor: name, Profile: b.Browser.Profile().Name,
		Browser: b.Browser.Version().Browser, Subject: g.Target.Subject(),
	}
}
