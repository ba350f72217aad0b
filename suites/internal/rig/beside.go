package rig

import (
	"context"
	"maps"
	"path/filepath"
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

// URL is where an instance is reached past the edge, by its name; "" where there
// is none of that name.
func (r *Rig) URL(name string) string {
	i, _ := r.instance(name)
	return i.URL
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
// alternating. They alone are asked when something is to be explained, and rows
// are looked up in the first one's database.
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
		v.seeDatabaseOf(&o, these[0])
	} else {
		o.API = these
	}
	v.Observer = &o
}

// Unseen leaves nothing to be asked outside the browser, as with a deployment
// of which only the URLs are known.
func (v *Visitor) Unseen() {
	v.Observer = &observe.Observer{Subject: v.Observer.Subject, Contract: v.Observer.Contract}
}

// seeDatabaseOf has rows looked up where the first of several instances keeps
// them.
func (v *Visitor) seeDatabaseOf(o *observe.Observer, i observe.Instance) {
	GinkgoHelper()
	own, healthy := i.Environment[databaseSetting], v.rig.ground.Observer.Auth[0].Environment[databaseSetting]
	queries := v.rig.target.Database
	if own == healthy || queries == nil {
		o.Database = v.rig.ground.Observer.Database
		return
	}
	db, err := observe.OpenDatabase(context.Background(), own, *queries)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(db.Close)
	o.Database = db
}

// databaseSetting is the environment variable by which services are told of
// their database, as hosting platforms name it.
const databaseSetting = "DATABASE_URL"

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

// Keep leaves a visitor's trace among the artefacts although nothing failed, to
// be explained again later.
func (r *Rig) Keep(v *Visitor) {
	GinkgoHelper()
	Expect(save(v.Recorder, filepath.Join(r.settings.OutDir, "traces", artefact(v.Name)+".json"))).To(Succeed())
}
