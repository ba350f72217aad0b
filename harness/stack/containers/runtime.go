package containers

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"

	"crossing/harness/stack/owner"
	"crossing/harness/stack/unit"
	"crossing/harness/target"
)

// Labels of all that is made for a run.
const (
	labelRun   = "crossing.run"
	labelOwner = "crossing.owner"
)

// DataFolder is what ${data} stands for in a container. It is a plain folder
// of the container: it outlives a restart and goes with the container. An
// image may bring it; where none does, it is made, writable by all.
const DataFolder = "/data"

// engineLimit is how long the engine may take over one request. Requests that
// make something run to their end even when the run is cancelled: one cut off
// may still have its effect, unseen, after all else was removed.
const engineLimit = 60 * time.Second

// Runtime starts containers for one run, on a network of their own.
type Runtime struct {
	run      owner.Run
	engine   *Engine
	provider *testcontainers.DockerProvider
	network  string
}

// New makes the run's network.
func New(ctx context.Context, run owner.Run) (*Runtime, error) {
	e, err := Connect(ctx)
	if err != nil {
		return nil, err
	}
	p, err := e.provider()
	if err != nil {
		e.Close()
		return nil, err
	}
	r := &Runtime{run: run, engine: e, provider: p, network: "crossing-" + run.ID}
	ctx, cancel := uncut(ctx)
	defer cancel()
	if _, err := e.client.NetworkCreate(ctx, r.network, client.NetworkCreateOptions{Driver: "bridge", Labels: r.labels()}); err != nil {
		return nil, errors.Join(fmt.Errorf("make the run's network: %w", err), p.Close())
	}
	return r, nil
}

func uncut(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(context.WithoutCancel(ctx), engineLimit, fmt.Errorf("the engine did not answer within %s", engineLimit))
}

func (r *Runtime) labels() map[string]string {
	return map[string]string{labelRun: r.run.ID, labelOwner: r.run.Owner.String()}
}

// Name is "containers".
func (r *Runtime) Name() string { return "containers" }

// Seen implements unit.Runtime: instances find each other by name on the run's
// network.
func (r *Runtime) Seen(name string, spec target.Service, _ int) unit.Seen {
	return unit.Seen{Host: "0.0.0.0", Port: spec.Port, Address: net.JoinHostPort(name, strconv.Itoa(spec.Port)), Data: DataFolder}
}

// Start implements unit.Runtime.
func (r *Runtime) Start(ctx context.Context, l unit.Launch) (unit.Instance, error) {
	if l.Release != nil {
		l.Release()
	}
	i, err := r.create(ctx, l, r.request(l))
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", l.What(), err)
	}
	if err := i.start(ctx); err != nil {
		return nil, fmt.Errorf("start %s: %w", l.What(), err)
	}
	return i, nil
}

// Run implements unit.Runtime: in a container of the service's image that is
// removed when the command has ended.
func (r *Runtime) Run(ctx context.Context, l unit.Launch, command string) (err error) {
	whole := fmt.Sprintf("run %q of %s (image %s)", command, l.Service, l.Image)
	l.Name, l.Port = l.Name+"-command", 0
	request := r.request(l)
	request.Entrypoint, request.Cmd = words(command), nil
	i, err := r.create(ctx, l, request)
	if err != nil {
		return fmt.Errorf("%s: %w", whole, err)
	}
	defer func() { err = errors.Join(err, i.remove(ctx)) }()
	if err := i.start(ctx); err != nil {
		return fmt.Errorf("%s: %w", whole, err)
	}
	var why string
	select {
	case <-i.Ended():
		status, text := i.state()
		if status == 0 {
			return nil
		}
		why = text
	case <-ctx.Done():
		why = "it did not end in time: " + context.Cause(ctx).Error()
	}
	limited, cancel := uncut(ctx)
	defer cancel()
	output, _ := i.Logs(limited) // of what failed; unreadable logs are as good as none
	return fmt.Errorf("%s: %s; its last lines:%s", whole, why, unit.Tail(output, 20))
}

// plain is a command that needs no shell, which minimal images don't have.
var plain = regexp.MustCompile(`^[\w./:=,@+ -]+$`)

func words(command string) []string {
	if first, _, _ := strings.Cut(strings.TrimSpace(command), " "); plain.MatchString(command) && !strings.Contains(first, "=") {
		return strings.Fields(command)
	}
	return []string{"/bin/sh", "-c", command}
}

// request describes the container. The port is published on loopback only,
// and on a fixed one, so that a restart keeps it.
func (r *Runtime) request(l unit.Launch) testcontainers.ContainerRequest {
	port := network.MustParsePort(strconv.Itoa(l.Spec.Port) + "/tcp")
	return testcontainers.ContainerRequest{
		Name:           r.network + "-" + l.Name,
		Image:          l.Image,
		Env:            maps.Clone(l.Environment),
		Labels:         r.labels(),
		Networks:       []string{r.network},
		NetworkAliases: map[string][]string{r.network: {l.Name}},
		// Without a port here, all that the image exposes would be published
		// on every address of the machine.
		ExposedPorts: []string{port.String()},
		HostConfigModifier: func(h *container.HostConfig) {
			h.PortBindings = network.PortMap{port: []network.PortBinding{{
				HostIP: netip.MustParseAddr("127.0.0.1"), HostPort: strconv.Itoa(l.Port),
			}}}
		},
	}
}

func (r *Runtime) create(ctx context.Context, l unit.Launch, request testcontainers.ContainerRequest) (*instance, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	limited, cancel := uncut(ctx)
	defer cancel()
	made, err := r.provider.CreateContainer(limited, request)
	if err != nil {
		return nil, fmt.Errorf("create its container: %w", err)
	}
	i := &instance{launch: l, runtime: r, container: made}
	for _, value := range l.Environment {
		if strings.Contains(value, DataFolder) {
			return i, r.ensureData(limited, made.GetContainerID())
		}
	}
	return i, nil
}

// ensureData makes the data folder in a container whose image has none.
func (r *Runtime) ensureData(ctx context.Context, id string) error {
	_, err := r.engine.client.ContainerStatPath(ctx, id, client.ContainerStatPathOptions{Path: DataFolder})
	if err == nil {
		return nil
	}
	if !errdefs.IsNotFound(err) {
		return fmt.Errorf("look for %s in its image: %w", DataFolder, err)
	}
	var folder bytes.Buffer
	w := tar.NewWriter(&folder)
	if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: strings.TrimPrefix(DataFolder, "/") + "/", Mode: 0o777}); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	if _, err := r.engine.client.CopyToContainer(ctx, id, client.CopyToContainerOptions{DestinationPath: "/", Content: &folder}); err != nil {
		return fmt.Errorf("make %s: %w", DataFolder, err)
	}
	return nil
}

// Close implements unit.Runtime: what carries the run's label goes, whether or
// not its start ever returned.
func (r *Runtime) Close(ctx context.Context) error {
	defer r.engine.Close()
	_, err := r.engine.remove(ctx, labelRun+"="+r.run.ID, func(map[string]string) bool { return true })
	return errors.Join(err, r.provider.Close())
}

// Sweep removes containers and networks whose owner is dead. Where no engine
// answers there is nothing to sweep.
func Sweep(ctx context.Context) ([]string, error) {
	e, err := Connect(ctx)
	if err != nil {
		return nil, nil
	}
	defer e.Close()
	return e.remove(ctx, labelOwner, func(labels map[string]string) bool {
		o, ok := owner.Parse(labels[labelOwner])
		return ok && o.Dead()
	})
}

// Left names the containers that Sweep would remove.
func Left(ctx context.Context) ([]string, error) {
	e, err := Connect(ctx)
	if err != nil {
		return nil, nil
	}
	defer e.Close()
	listed, err := e.client.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: client.Filters{}.Add("label", labelOwner)})
	if err != nil {
		return nil, fmt.Errorf("list containers: %w", err)
	}
	var found []string
	for _, c := range listed.Items {
		if o, ok := owner.Parse(c.Labels[labelOwner]); ok && o.Dead() {
			found = append(found, "container "+strings.TrimPrefix(strings.Join(c.Names, " "), "/"))
		}
	}
	return found, nil
}

// remove removes the containers and then the networks that carry a label and
// that ours accepts, side by side.
func (e *Engine) remove(ctx context.Context, label string, ours func(map[string]string) bool) ([]string, error) {
	filter := client.Filters{}.Add("label", label)
	listed, err := e.client.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: filter})
	if err != nil {
		return nil, fmt.Errorf("list containers: %w", err)
	}
	var group removal
	for _, c := range listed.Items {
		if ours(c.Labels) {
			group.do("container "+strings.TrimPrefix(strings.Join(c.Names, " "), "/"), func() error { return e.removeContainer(ctx, c.ID) })
		}
	}
	group.wait()
	networks, err := e.client.NetworkList(ctx, client.NetworkListOptions{Filters: filter})
	if err != nil {
		return group.removed, errors.Join(append(group.errs, fmt.Errorf("list networks: %w", err))...)
	}
	for _, n := range networks.Items {
		if ours(n.Labels) {
			group.do("network "+n.Name, func() error {
				_, err := e.client.NetworkRemove(ctx, n.ID, client.NetworkRemoveOptions{})
				return err
			})
		}
	}
	group.wait()
	return group.removed, errors.Join(group.errs...)
}

// removeContainer waits where another's removal of it is under way.
func (e *Engine) removeContainer(ctx context.Context, id string) error {
	_, err := e.client.ContainerRemove(ctx, id, client.ContainerRemoveOptions{RemoveVolumes: true, Force: true})
	if errdefs.IsConflict(err) {
		gone := e.client.ContainerWait(ctx, id, client.ContainerWaitOptions{Condition: container.WaitConditionRemoved})
		select {
		case <-gone.Result:
			return nil
		case err = <-gone.Error:
		}
	}
	return err
}

// removal removes side by side.
type removal struct {
	wg      sync.WaitGroup
	mu      sync.Mutex
	removed []string
	errs    []error
}

func (r *removal) do(what string, act func() error) {
	r.wg.Go(func() {
		err := act()
		r.mu.Lock()
		defer r.mu.Unlock()
		switch {
		case err == nil:
			r.removed = append(r.removed, what)
		case !errdefs.IsNotFound(err):
			r.errs = append(r.errs, fmt.Errorf("remove %s: %w", what, err))
		}
	})
}

func (r *removal) wait() { r.wg.Wait() }
