package rig

import (
	"context"
	"maps"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"crossing/harness/observe"
	"crossing/harness/stack"
	"crossing/harness/target"
	"crossing/harness/trace"
	"crossing/harness/visit"
)

// Beside describes instances that a suite needs beside the application's own:
// services that are started once with other environments, and the role that
// each plays. No visitor meets one who is not served by it on purpose.
type Beside func(ctx context.Context, t *target.Target, s *stack.Stack) (target.File, map[string]trace.Role, error)

// NewBeside makes the rig of a suite that needs more instances.
func NewBeside(b Beside) *Rig { return &Rig{besides: b} }

// beside is what Beside described, running.
type beside struct {
	stack *stack.Stack
	roles map[string]trace.Role
}

// upBeside starts it. They run as processes of this machine: only there can an
// instance be given what lies beside its own folder.
func (r *Rig) upBeside(ctx context.Context) (*beside, error) {
	if r.besides == nil || r.stack == nil || r.stack.Runtime() != stack.Processes {
		return nil, nil
	}
	file, roles, err := r.besides(ctx, r.target, r.stack)
	if err != nil {
		return nil, err
	}
	o := r.stackOptions(r.run)
	o.Runtime, o.File, o.Environment = r.stack.Runtime(), file, nil
	o.Progress = nil
	r.event("start the instances with faults")
	s, err := stack.Up(ctx, o)
	if err != nil {
		return nil, err
	}
	return &beside{s, roles}, nil
}

func (b *beside) spares() []visit.Spare {
	var all []visit.Spare
	if b == nil {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(b.roles)) {
		for _, i := range b.stack.Instances(name) {
			all = append(all, visit.Spare{Role: b.roles[name], Name: i.Name(), URL: "http://" + i.Address()})
		}
	}
	return all
}

// NeedsInstances makes the spec not applicable where instances beside the
// application's own could not be started.
func (r *Rig) NeedsInstances(names ...string) {
	GinkgoHelper()
	for _, name := range names {
		if _, known := r.instance(name); !known {
			NotApplicable("the instance %s runs as a process, beside services that do: RUNTIME=processes", name)
		}
	}
}

// instance finds one of the application's own, or one beside them.
func (r *Rig) instance(name string) (observe.Instance, bool) {
	for _, i := range slices.Concat(r.ground.Observer.Auth, r.ground.Observer.API) {
		if i.Name == name {
			return i, true
		}
	}
	if r.beside == nil {
		return observe.Instance{}, false
	}
	service, beside := r.beside.roles[name]
	if !beside {
		return observe.Instance{}, false
	}
	of := r.target.Serves.Auth
	if service == trace.RoleAPI {
		of = r.target.Serves.API
	}
	i := r.beside.stack.Instances(name)[0]
	return observe.Instance{Name: i.Name(), URL: "http://" + i.Address(), Environment: r.beside.stack.Environment(name),
		Ready: r.target.Services[of].Ready.Path}, true
}

// logs reads those of an instance wherever it runs.
func (r *Rig) logs(ctx context.Context, name string) ([]byte, error) {
	if r.beside != nil {
		if _, there := r.beside.roles[name]; there {
			return r.beside.stack.Logs(ctx, name)
		}
	}
	return r.stack.Logs(ctx, name)
}

// ServedBy has the named instances of a role serve this visitor from now on,
// alternating. They are asked too when something is to be explained, and so
// are those that served before.
func (v *Visitor) ServedBy(role trace.Role, names ...string) {
	GinkgoHelper()
	var these []observe.Instance
	for _, name := range names {
		i, known := v.rig.instance(name)
		Expect(known).To(BeTrue(), "there is no instance %s", name)
		these = append(these, i)
	}
	v.Line.Pin(role, names...)
	o := *v.Observer
	o.Logs = v.rig.logs
	if role == trace.RoleAuth {
		o.Auth = these
	} else {
		o.API = these
	}
	v.Observer = &o
}

// DatabaseURL is the application's database, as the harness reaches it; "" where
// it cannot be.
func (r *Rig) DatabaseURL() string {
	if r.stack == nil {
		return ""
	}
	return r.stack.DatabaseURL()
}

// KeepsSessionCookie says whether the browser keeps the session cookie now.
func (v *Visitor) KeepsSessionCookie(ctx context.Context) (bool, error) {
	jar, err := v.Jar(ctx)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(jar.Cookies, func(c trace.Cookie) bool { return c.Name == v.Way.Contract.Cookie.Name }), nil
}
