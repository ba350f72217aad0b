// Package processes runs services as processes of this machine: each in a
// group of its own, with a clean environment, a folder for its data, and its
// output in a file. What it starts dies with the process that started it.
package processes

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"crossing/harness/stack/owner"
	"crossing/harness/stack/unit"
	"crossing/harness/target"
)

// patience is how long a service may take to end once asked to; then it is
// killed.
const patience = 5 * time.Second

// Runtime starts processes for one run.
type Runtime struct {
	run owner.Run
	bin string

	mu        sync.Mutex
	instances []*instance
	closed    bool
}

// New makes a Runtime. Programs in the folder bin, where it exists, come
// before those of the PATH.
func New(run owner.Run, bin string) *Runtime { return &Runtime{run: run, bin: bin} }

// Name is "processes".
func (r *Runtime) Name() string { return "processes" }

// Seen implements unit.Runtime: everything is on loopback.
func (r *Runtime) Seen(name string, _ target.Service, port int) unit.Seen {
	return unit.Seen{
		Host: "127.0.0.1", Port: port,
		Address: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)),
		Data:    filepath.Join(r.home(name), "data"),
	}
}

// home is an instance's own folder.
func (r *Runtime) home(name string) string { return filepath.Join(r.run.Dir, "services", name) }

// Start implements unit.Runtime.
func (r *Runtime) Start(ctx context.Context, l unit.Launch) (unit.Instance, error) {
	i, err := r.prepare(l)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", l.What(), err)
	}
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return nil, fmt.Errorf("start %s: the stack is being taken down", l.What())
	}
	r.instances = append(r.instances, i)
	r.mu.Unlock()
	if err := i.start(ctx); err != nil {
		return nil, fmt.Errorf("start %s: %w", l.What(), err)
	}
	return i, nil
}

// Run implements unit.Runtime.
func (r *Runtime) Run(ctx context.Context, l unit.Launch, command string) error {
	l.Command, l.Release = command, nil
	i, err := r.prepare(l)
	if err != nil {
		return fmt.Errorf("run %q of %s: %w", command, l.Service, err)
	}
	i.log = filepath.Join(r.run.Dir, "services", l.Name+".command.log")
	r.mu.Lock()
	r.instances = append(r.instances, i)
	r.mu.Unlock()
	if err := i.start(ctx); err != nil {
		return fmt.Errorf("run %q of %s: %w", command, l.Service, err)
	}
	var why string
	select {
	case <-i.Ended():
		if i.succeeded() {
			return nil
		}
		why = i.Fate()
	case <-ctx.Done():
		why = "it did not end in time: " + context.Cause(ctx).Error()
		stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*patience)
		defer cancel()
		if err := i.Stop(stopping); err != nil {
			why += "; " + err.Error()
		}
	}
	output, _ := i.Logs(ctx) // of what failed; an unreadable file is as good as none
	return fmt.Errorf("run %q of %s: %s; its last lines:%s", command, l.Service, why, unit.Tail(output, 20))
}

// Close implements unit.Runtime: all end side by side.
func (r *Runtime) Close(ctx context.Context) error {
	r.mu.Lock()
	r.closed = true
	all := r.instances
	r.mu.Unlock()
	errs := make([]error, len(all))
	var wg sync.WaitGroup
	for n, i := range all {
		wg.Go(func() { errs[n] = i.Stop(ctx) })
	}
	wg.Wait()
	if err := os.RemoveAll(filepath.Join(r.run.Dir, "services")); err != nil {
		errs = append(errs, fmt.Errorf("remove the services' folders: %w", err))
	}
	return errors.Join(errs...)
}

// prepare makes the folders and works out the account of an instance.
func (r *Runtime) prepare(l unit.Launch) (*instance, error) {
	i := &instance{launch: l, runtime: r, log: r.home(l.Name) + ".log", directory: l.Directory}
	home := r.home(l.Name)
	// Others' folders are passed through, never listed.
	if err := os.MkdirAll(filepath.Dir(home), 0o711); err != nil {
		return nil, err
	}
	if err := os.Chmod(filepath.Dir(home), 0o711); err != nil {
		return nil, err
	}
	for _, dir := range []string{home, filepath.Join(home, "data"), filepath.Join(home, "tmp")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, err
		}
	}
	if l.Spec.Unprivileged && os.Geteuid() == 0 {
		if err := i.lower(home); err != nil {
			return nil, err
		}
	}
	return i, nil
}

// environment is all that a process sees: little of the user's own, so that a
// service runs alike on every machine.
func (r *Runtime) environment(i *instance) []string {
	home := r.home(i.launch.Name)
	base := map[string]string{
		"PATH":   r.path(),
		"HOME":   os.Getenv("HOME"),
		"LANG":   "C.UTF-8",
		"TMPDIR": filepath.Join(home, "tmp"),
	}
	if lang := os.Getenv("LANG"); lang != "" {
		base["LANG"] = lang
	}
	if i.account != nil {
		base["HOME"] = home
	}
	for name, value := range i.launch.Environment {
		base[name] = value
	}
	base[owner.Variable] = r.run.Marker
	all := make([]string, 0, len(base))
	for name, value := range base {
		all = append(all, name+"="+value)
	}
	return all
}

func (r *Runtime) path() string {
	path := os.Getenv("PATH")
	if path == "" {
		path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	}
	if info, err := os.Stat(r.bin); err == nil && info.IsDir() {
		return r.bin + string(os.PathListSeparator) + path
	}
	return path
}
