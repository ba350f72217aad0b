package lint

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"crossing/harness/edge"
	"crossing/harness/observe"
	"crossing/harness/stack"
	"crossing/harness/target"
	"crossing/harness/trace"
	"crossing/harness/visit"
)

// The reference application runs once, as processes; a service with another
// environment is started beside it, on the same database.

func TestMain(m *testing.M) {
	status := m.Run()
	if err := reference.down(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	os.Exit(status)
}

var reference application

// application is the reference application, and its target.
type application struct {
	once   sync.Once
	err    error
	target *target.Target
	stack  *stack.Stack
}

func (a *application) up(t *testing.T) {
	t.Helper()
	a.once.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
		defer cancel()
		if a.target, a.err = target.Load("../../fixtures/crossing.yaml"); a.err != nil {
			return
		}
		a.stack, a.err = stack.Up(ctx, a.options(a.target.File))
	})
	if a.err != nil {
		t.Fatal(a.err)
	}
}

func (a *application) down() error {
	if a.stack == nil {
		return nil
	}
	return a.stack.Down(context.Background())
}

func (a *application) options(f target.File) stack.Options {
	state := os.Getenv("CROSSING_STATE")
	if state == "" {
		state = filepath.Join("..", "..", ".crossing")
	}
	return stack.Options{Dir: a.target.Dir, File: f, Runtime: stack.Processes, StateDir: state, Redactor: trace.NewRedactor(nil)}
}

// variant is the application with one service in another environment.
type variant struct {
	t      *testing.T
	target *target.Target
	stack  *stack.Stack // nil: nothing differs
}

// own are settings of an instance that templates fill in, each for itself.
var own = []string{"HOST", "PORT", "INSTANCE"}

// vary starts a service beside the application's, changed by "NAME=value" or
// "auth-2.NAME=value" words; one that is refused by the service still answers.
func (a *application) vary(t *testing.T, service string, instances int, migrate bool, words ...string) *variant {
	t.Helper()
	a.up(t)
	v := &variant{t: t, target: a.target}
	if len(words) == 0 {
		return v
	}
	s := a.fixed(service)
	s.Instances = make(target.Instances, instances)
	if !migrate {
		s.Migrate = ""
	}
	f := target.File{Origins: a.target.Origins, Services: map[string]target.Service{service: s}}
	if service == "auth" && strings.HasPrefix(words[0], "TOKEN_") || strings.HasPrefix(words[0], "BETTER_AUTH_URL") {
		// An api remembers a well-signed token that was not for it, and says so
		// in its readiness: others shall not hear of it.
		f.Services["api"] = a.fixed("api")
	}
	o := a.options(f)
	o.Answering, o.Environment = true, map[string]map[string]string{}
	for _, word := range words {
		where := service
		name, value, _ := strings.Cut(word, "=")
		if instance, rest, found := strings.Cut(name, "."); found {
			where, name = instance, rest
		}
		if o.Environment[where] == nil {
			o.Environment[where] = map[string]string{}
		}
		o.Environment[where][name] = value
	}
	var err error
	if v.stack, err = stack.Up(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := v.stack.Down(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return v
}

// fixed is a service with the very settings of the application's first
// instance, templates filled in, so that it can be started alone.
func (a *application) fixed(service string) target.Service {
	s := a.target.Services[service]
	environment := a.stack.Environment(a.stack.Instances(service)[0].Name())
	for _, name := range own {
		if template, set := s.Environment[name]; set {
			environment[name] = template
		}
	}
	s.Needs, s.Instances, s.Environment = nil, nil, environment
	return s
}

// of returns the stack that runs a service of the variant.
func (v *variant) of(service string) *stack.Stack {
	if v.stack != nil && len(v.stack.Instances(service)) > 0 {
		return v.stack
	}
	return reference.stack
}

func (v *variant) instances(service string) []observe.Instance {
	var all []observe.Instance
	s := v.of(service)
	for _, i := range s.Instances(service) {
		environment := s.Environment(i.Name())
		all = append(all, observe.Instance{Name: i.Name(), URL: "http://" + i.Address(), Environment: environment, Ready: v.target.Services[service].Ready.Path})
	}
	return all
}

// options for a look at the variant, behind an edge of its own.
func (v *variant) options() Options {
	v.t.Helper()
	redactor := trace.NewRedactor(nil)
	routes := visit.Routes(v.target, reference.stack)
	for i := range routes {
		if service := map[trace.Role]string{trace.RoleAuth: "auth", trace.RoleAPI: "api", trace.RoleFrontend: "frontend"}[routes[i].Role]; service != "" {
			routes[i].Upstreams = nil
			for _, instance := range v.instances(service) {
				routes[i].Upstreams = append(routes[i].Upstreams, edge.Upstream{Name: instance.Name, URL: instance.URL})
			}
		}
	}
	e, err := edge.New(edge.Options{Routes: routes, Redactor: redactor})
	if err != nil {
		v.t.Fatal(err)
	}
	observer, err := visit.Observer(v.t.Context(), v.target, reference.stack)
	if err != nil {
		v.t.Fatal(err)
	}
	observer.Auth, observer.API = v.instances("auth"), v.instances("api")
	v.t.Cleanup(func() {
		observer.Close()
		if err := e.Close(); err != nil {
			v.t.Error(err)
		}
	})
	return Options{Target: v.target, Edge: e, Observer: observer, Redactor: redactor}
}

// look is a whole lint of the variant.
func (v *variant) look() (Report, *Answers) {
	v.t.Helper()
	o := v.options()
	a, err := Collect(v.t.Context(), o)
	if err != nil {
		v.t.Fatal(err)
	}
	return Judge(a), a
}

// another makes a database beside the application's own, and returns its URL;
// it has no tables.
func (a *application) another(t *testing.T, name string) string {
	t.Helper()
	a.up(t)
	u, err := url.Parse(a.stack.DatabaseURL())
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), u.String())
	if err != nil {
		t.Fatal(err)
	}
	_, err = conn.Exec(t.Context(), "CREATE DATABASE "+pgx.Identifier{name}.Sanitize())
	if err = errors.Join(err, conn.Close(t.Context())); err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

// causes of a report, each once, in order.
func causes(r Report) []string {
	var out []string
	for _, f := range r.Findings() {
		out = append(out, f.Cause)
	}
	return unique(out)
}

func content(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
