package stack

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"crossing/harness/stack/unit"
	"crossing/harness/target"
)

// migrating is how long a migration may take.
const migrating = 2 * time.Minute

// Up prepares what is missing and starts the services: side by side in the
// order of their needs, migrations once before a service's first instance, and
// returns when all are ready. On an error, and when ctx ends, what was started
// is taken down before it returns.
func Up(ctx context.Context, o Options) (*Stack, error) {
	o, err := o.complete(ctx)
	if err != nil {
		return nil, err
	}
	o.Progress(o.why)
	made, err := prepare(ctx, o)
	if err != nil {
		return nil, scrub(o.Redactor, err)
	}
	s := &Stack{options: o, kind: o.Runtime, secrets: secrets(o),
		instances: map[string][]Instance{}, env: map[string]map[string]string{}}
	if o.Run.Dir == "" {
		if s.options.Run, err = NewRun(); err != nil {
			return nil, err
		}
		s.ownsRun = true
	}
	if s.rt, err = s.options.runtime(ctx); err != nil {
		return nil, errors.Join(err, s.abandon())
	}
	if err := s.up(ctx, made); err != nil {
		err = errors.Join(err, s.Down(ctx))
		return nil, scrub(o.Redactor, err)
	}
	return s, nil
}

// abandon ends a run that never had a runtime.
func (s *Stack) abandon() error {
	if !s.ownsRun {
		return nil
	}
	return s.options.Run.Close()
}

func secrets(o Options) map[string]string {
	all := map[string]string{}
	for _, name := range o.File.Secrets {
		raw := make([]byte, 32)
		_, _ = rand.Read(raw) // never fails (crypto/rand, since Go 1.24)
		all[name] = hex.EncodeToString(raw)
		o.Redactor.Learn(all[name])
	}
	return all
}

// launch is a plan with its templates filled in.
type launch struct {
	unit.Launch
	plan  *plan
	ready ready
}

// up lays everything out before it starts anything, so that a mistake in a
// template costs no time.
func (s *Stack) up(ctx context.Context, images map[string]string) error {
	plans, err := s.lay()
	defer func() {
		for _, p := range plans {
			p.release()
		}
	}()
	if err != nil {
		return err
	}
	origins := s.options.File.Origins
	view := scope{secrets: s.secrets, plans: plans, origins: map[string]string{}}
	for role, value := range map[string]string{"frontend": origins.Frontend, "auth": origins.Auth, "api": origins.API, "stranger": origins.Stranger} {
		if value != "" {
			view.origins[role] = value
		}
	}
	if db := s.options.File.Database; db != nil {
		if s.database, err = view.expand("database.url", db.URL); err != nil {
			return err
		}
	}
	launches := map[string][]launch{}
	migrations := map[string]string{}
	for _, p := range plans {
		l, migrate, err := s.fill(view, p, images[p.service])
		if err != nil {
			return err
		}
		if len(launches[p.service]) == 0 {
			migrations[p.service] = migrate
		}
		launches[p.service] = append(launches[p.service], l)
		s.env[p.name] = l.Environment
	}
	return s.start(ctx, launches, migrations)
}

// lay names the instances and reserves their ports.
func (s *Stack) lay() ([]*plan, error) {
	var plans []*plan
	for _, service := range services(s.options.File) {
		spec := s.options.File.Services[service]
		for n := range max(1, len(spec.Instances)) {
			port, release, err := reserve()
			if err != nil {
				return plans, err
			}
			p := &plan{name: instanceName(service, n, len(spec.Instances)), service: service, spec: spec, port: port, release: release}
			if n < len(spec.Instances) {
				p.changes = spec.Instances[n].Environment
			}
			p.seen = s.rt.Seen(p.name, spec, port)
			plans = append(plans, p)
		}
	}
	return plans, nil
}

// sensitive is a setting whose value is a secret wherever it came from.
var sensitive = regexp.MustCompile(`(?i)(secret|password|private_?key|api_?key)$`)

// fill makes a launch of a plan, and its service's migration.
func (s *Stack) fill(view scope, p *plan, image string) (l launch, migrate string, err error) {
	view.self, view.inside = p, true
	where := "services." + p.service
	l = launch{plan: p, Launch: unit.Launch{
		Name: p.name, Service: p.service, Spec: p.spec, Directory: s.options.directory(p.spec),
		Image: image, Port: p.port, Release: p.release,
	}}
	if l.Environment, err = view.environment(s.options.Environment); err != nil {
		return l, "", err
	}
	for name, value := range l.Environment {
		if sensitive.MatchString(name) {
			s.options.Redactor.Learn(value)
		}
		if u, err := url.Parse(value); err == nil && u.User != nil {
			password, _ := u.User.Password()
			s.options.Redactor.Learn(password)
		}
	}
	if migrate, err = view.expand(where+".migrate", p.spec.Migrate); err != nil {
		return l, "", err
	}
	if s.kind == Processes {
		if l.Command, err = view.expand(where+".command", p.spec.Command); err != nil {
			return l, "", err
		}
	}
	view.inside = false
	sql, err := view.expand(where+".ready.sql", p.spec.Ready.SQL)
	l.ready = ready{address: p.loopback(), path: p.spec.Ready.Path, sql: sql, within: p.spec.Ready.Within, answering: s.options.Answering}
	return l, migrate, err
}

// start follows the needs: each service waits for those that it names.
func (s *Stack) start(ctx context.Context, launches map[string][]launch, migrations map[string]string) error {
	names := services(s.options.File)
	if circle := circle(s.options.File); circle != "" {
		return fmt.Errorf("services need each other in a circle (%s), so that none can be first", circle)
	}
	done := map[string]chan struct{}{}
	for _, name := range names {
		done[name] = make(chan struct{})
		s.instances[name] = make([]Instance, len(launches[name]))
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, name := range names {
		group.Go(func() error {
			for _, need := range s.options.File.Services[name].Needs {
				select {
				case <-done[need]:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			if err := s.service(ctx, launches[name], migrations[name]); err != nil {
				return err
			}
			close(done[name])
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("start the services: %w", err)
	}
	return nil
}

// service migrates once, then starts all instances side by side.
func (s *Stack) service(ctx context.Context, launches []launch, migrate string) error {
	if migrate != "" {
		limited, cancel := context.WithTimeoutCause(ctx, migrating, fmt.Errorf("the limit for migrations is %s", migrating))
		defer cancel()
		begun := time.Now()
		if err := s.rt.Run(limited, launches[0].Launch, migrate); err != nil {
			return err
		}
		s.options.Progress(fmt.Sprintf("%s: migrated (%s)", launches[0].Service, since(begun)))
	}
	group, ctx := errgroup.WithContext(ctx)
	for n, l := range launches {
		group.Go(func() error {
			begun := time.Now()
			i, err := s.rt.Start(ctx, l.Launch)
			if err != nil {
				return err
			}
			full := &instance{Instance: i, ready: l.ready, what: l.What(), progress: s.options.Progress}
			s.instances[l.Service][n] = full
			if err := full.await(ctx); err != nil {
				return err
			}
			s.options.Progress(fmt.Sprintf("%s: ready at %s (%s)", l.Name, i.Address(), since(begun)))
			return nil
		})
	}
	return group.Wait()
}

// circle names services that need each other, "a → b → a", or nothing.
func circle(f target.File) string {
	settled := map[string]bool{}
	for range f.Services {
		for name, s := range f.Services {
			settled[name] = settled[name] || !slices.ContainsFunc(s.Needs, func(n string) bool { return !settled[n] })
		}
	}
	for _, first := range services(f) {
		if settled[first] {
			continue
		}
		path := []string{first}
		for {
			last := f.Services[path[len(path)-1]]
			next := last.Needs[slices.IndexFunc(last.Needs, func(n string) bool { return !settled[n] })]
			if at := slices.Index(path, next); at >= 0 {
				return strings.Join(append(path[at:], next), " → ")
			}
			path = append(path, next)
		}
	}
	return ""
}

func since(begun time.Time) time.Duration { return time.Since(begun).Round(10 * time.Millisecond) }
