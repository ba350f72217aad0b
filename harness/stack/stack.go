// Package stack starts and ends the services behind a target: as containers,
// as processes, or not at all where the target is remote. It knows nothing of
// browsers. Only this package and those below it know containers.
package stack

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"crossing/harness/stack/containers"
	"crossing/harness/stack/owner"
	"crossing/harness/stack/processes"
	"crossing/harness/stack/unit"
	"crossing/harness/target"
	"crossing/harness/trace"
)

// The two runtimes' names.
const (
	Containers = "containers"
	Processes  = "processes"
)

// Run is one run of the harness: an id, a marker for every process that it
// starts, and a temp folder of its own.
type Run = owner.Run

// NewRun begins a run of this process; Close it when all has ended.
func NewRun() (Run, error) { return owner.NewRun() }

// NewPart begins a run of this process that is a part of another's, which may
// be another process's. Close it, too.
func NewPart(of string) (Run, error) { return owner.NewPart(of) }

// Instance is one running instance of a service.
type Instance = unit.Instance

// taking is how long taking a stack down may last, in all.
const taking = 30 * time.Second

// Options describe a stack.
type Options struct {
	// Dir is the folder of crossing.yaml, File what it says.
	Dir  string
	File target.File
	// Runtime is "containers", "processes", or "" to Choose.
	Runtime string
	// StateDir keeps what outlives a run: stamps of builds, a bin folder of
	// programs that set-up installed. Default: .crossing in Dir.
	StateDir string
	// BaseImage is the build argument BASE_IMAGE of Dockerfiles that declare
	// it. Default: the environment variable BASE_IMAGE, then DefaultBase.
	BaseImage string
	// Run that the stack belongs to; its zero value: one of its own.
	Run Run
	// Redactor learns the secrets and scrubs every error. Default: a new one.
	Redactor *trace.Redactor
	// Progress is told what is being done; calls don't overlap.
	Progress func(string)
	// Environment changes that of a service ("auth") or of one instance
	// ("auth-2"), the latter last. Values may hold templates.
	Environment map[string]map[string]string
	// Answering takes a service for started once it answers its readiness with
	// whatever status, after it had a moment to become ready: for whoever asks
	// it why it refuses to work.
	Answering bool

	why string // the runtime was chosen
}

// complete fills in the defaults and checks what the file can't.
func (o Options) complete(ctx context.Context) (Options, error) {
	var err error
	if o.Dir, err = filepath.Abs(o.Dir); err != nil {
		return o, fmt.Errorf("find the folder of services: %w", err)
	}
	if o.StateDir == "" {
		o.StateDir = filepath.Join(o.Dir, ".crossing")
	}
	if o.StateDir, err = filepath.Abs(o.StateDir); err != nil {
		return o, fmt.Errorf("find the state folder: %w", err)
	}
	if o.Redactor == nil {
		o.Redactor = trace.NewRedactor(nil)
	}
	tell := o.Progress
	var turn sync.Mutex
	o.Progress = func(text string) {
		if tell == nil {
			return
		}
		turn.Lock()
		defer turn.Unlock()
		tell(o.Redactor.Scrub(text))
	}
	kind, why, err := Choose(ctx, o.Runtime)
	if err != nil {
		return o, err
	}
	o.Runtime, o.why = kind, why
	return o, o.check()
}

// check finds what this runtime can't start.
func (o Options) check() error {
	var errs []error
	known := map[string]bool{}
	for _, name := range services(o.File) {
		s := o.File.Services[name]
		for n := range max(1, len(s.Instances)) {
			known[instanceName(name, n, len(s.Instances))] = true
		}
		known[name] = true
		if o.Runtime == Processes && s.Command == "" {
			errs = append(errs, fmt.Errorf("services.%s has no command, which it needs to run as a process; give one, or run with the containers runtime", name))
		}
		if o.Runtime == Containers && s.Image == "" && s.Dockerfile == "" {
			errs = append(errs, fmt.Errorf("services.%s has neither image nor dockerfile, one of which it needs to run as a container; give one, or run with the processes runtime", name))
		}
		for _, need := range s.Needs {
			if _, there := o.File.Services[need]; !there {
				errs = append(errs, fmt.Errorf("services.%s.needs: %q is no service; there are: %s", name, need, strings.Join(services(o.File), ", ")))
			}
		}
	}
	for name := range o.Environment {
		if !known[name] {
			errs = append(errs, fmt.Errorf("changed environment of %q: there is no such service or instance; there are: %s", name, strings.Join(slices.Sorted(maps.Keys(known)), ", ")))
		}
	}
	return errors.Join(errs...)
}

// services are the names in a fixed order.
func services(f target.File) []string { return slices.Sorted(maps.Keys(f.Services)) }

// instanceName is "api" where there is one instance, "auth-2" where several.
func instanceName(service string, n, of int) string {
	if of <= 1 {
		return service
	}
	return fmt.Sprintf("%s-%d", service, n+1)
}

func (o Options) directory(s target.Service) string { return filepath.Join(o.Dir, s.Directory) }

// runtime makes the one that was chosen.
func (o Options) runtime(ctx context.Context) (unit.Runtime, error) {
	if o.Runtime == Containers {
		return containers.New(ctx, o.Run)
	}
	return processes.New(o.Run, filepath.Join(o.StateDir, "bin")), nil
}

// Stack is the running services.
type Stack struct {
	options   Options
	ownsRun   bool
	rt        unit.Runtime // nil where the stack was adopted
	kind      string
	secrets   map[string]string
	database  string
	instances map[string][]Instance // by service
	env       map[string]map[string]string

	down sync.Once
	gone error
}

// Runtime is "containers" or "processes".
func (s *Stack) Runtime() string { return s.kind }

// Services are the names of all services, sorted.
func (s *Stack) Services() []string { return slices.Sorted(maps.Keys(s.instances)) }

// Instances of a service, in the order of crossing.yaml.
func (s *Stack) Instances(service string) []Instance { return slices.Clone(s.instances[service]) }

// Instance finds one by its name ("auth-2"); a service's name stands for its
// first.
func (s *Stack) Instance(name string) (Instance, error) {
	if of := s.instances[name]; len(of) > 0 {
		return of[0], nil
	}
	var known []string
	for _, service := range s.Services() {
		for _, i := range s.instances[service] {
			if i.Name() == name {
				return i, nil
			}
			known = append(known, i.Name())
		}
	}
	return nil, fmt.Errorf("there is no service or instance %q; there are: %s", name, strings.Join(known, ", "))
}

// Address is host:port on loopback of an instance, or of a service's first.
func (s *Stack) Address(name string) (string, error) {
	i, err := s.Instance(name)
	if err != nil {
		return "", err
	}
	return i.Address(), nil
}

// Secret is the run's value of a secret, empty if crossing.yaml has no such.
func (s *Stack) Secret(name string) string { return s.secrets[name] }

// Secrets are all of them by name. They must not be written.
func (s *Stack) Secrets() map[string]string { return maps.Clone(s.secrets) }

// Environment is what an instance was started with, secrets included.
func (s *Stack) Environment(instance string) map[string]string { return maps.Clone(s.env[instance]) }

// DatabaseURL is where the harness reaches the database; empty if
// crossing.yaml names none.
func (s *Stack) DatabaseURL() string { return s.database }

// Logs is what an instance, or a service's first, has written so far, scrubbed
// of the run's secrets.
func (s *Stack) Logs(ctx context.Context, name string) ([]byte, error) {
	i, err := s.Instance(name)
	if err != nil {
		return nil, err
	}
	output, err := i.Logs(ctx)
	if err != nil {
		return nil, fmt.Errorf("logs of %s: %w", name, err)
	}
	return []byte(s.options.Redactor.Scrub(string(output))), nil
}

// Down ends everything, side by side, within 30 s; a cancelled ctx does not
// keep it from that. An adopted stack is left to its owner.
func (s *Stack) Down(ctx context.Context) error {
	if s.rt == nil {
		return nil
	}
	s.down.Do(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), taking)
		defer cancel()
		s.gone = s.rt.Close(ctx)
		if s.ownsRun {
			s.gone = errors.Join(s.gone, s.options.Run.Close())
		}
		if s.gone != nil {
			s.gone = fmt.Errorf("take the stack down: %w", s.gone)
		}
	})
	return s.gone
}

// scrubbed is an error whose text holds no secret.
type scrubbed struct {
	text string
	err  error
}

func (e scrubbed) Error() string { return e.text }
func (e scrubbed) Unwrap() error { return e.err }

func scrub(r *trace.Redactor, err error) error {
	if err == nil {
		return nil
	}
	return scrubbed{r.Scrub(err.Error()), err}
}
