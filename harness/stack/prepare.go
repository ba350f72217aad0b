package stack

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"crossing/harness/stack/containers"
	"crossing/harness/stack/processes"
	"crossing/harness/target"
)

// Prepare makes what a stack needs before it can start: what services build on
// this machine, and images. Where nothing has changed it does nothing.
func Prepare(ctx context.Context, o Options) error {
	_, err := Images(ctx, o)
	return err
}

// Images makes the same, and returns the image of each service; none where
// services run as processes.
func Images(ctx context.Context, o Options) (map[string]string, error) {
	o, err := o.complete(ctx)
	if err != nil {
		return nil, err
	}
	images, err := prepare(ctx, o)
	return images, scrub(o.Redactor, err)
}

// prepare returns the image of each service.
func prepare(ctx context.Context, o Options) (images map[string]string, err error) {
	if len(o.File.Services) == 0 {
		return nil, nil
	}
	unlock, err := lock(ctx, o)
	if err != nil {
		return nil, err
	}
	defer unlock()
	var engine *containers.Engine
	if o.Runtime == Containers {
		if engine, err = containers.Connect(ctx); err != nil {
			return nil, err
		}
		defer engine.Close()
	}
	images = map[string]string{}
	var mu sync.Mutex
	base := sync.OnceValues(func() (string, error) { return ensureBase(ctx, o, engine) })
	turns := turnsOf(o)
	group, ctx := errgroup.WithContext(ctx)
	for _, name := range services(o.File) {
		spec := o.File.Services[name]
		group.Go(func() error {
			if o.Runtime == Processes || spec.Dockerfile != "" {
				if err := turns.build(ctx, o, name, spec); err != nil {
					return err
				}
			}
			if o.Runtime != Containers {
				return nil
			}
			image, err := ensureImage(ctx, o, engine, name, spec, base)
			mu.Lock()
			defer mu.Unlock()
			images[name] = image
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, fmt.Errorf("prepare the services: %w", err)
	}
	return images, nil
}

// lock lets one run at a time build in these folders.
func lock(ctx context.Context, o Options) (unlock func(), err error) {
	if err := os.MkdirAll(o.StateDir, 0o755); err != nil {
		return nil, shut(o.StateDir, err)
	}
	f, err := os.OpenFile(filepath.Join(o.StateDir, "prepare.lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, shut(o.StateDir, err)
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for told := false; ; {
		// The lock goes with the process, however that ends.
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = f.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errors.Join(fmt.Errorf("lock %s: %w", f.Name(), err), f.Close())
		}
		if !told {
			told = true
			o.Progress("waiting for another run that prepares the same services")
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("wait for another run, which holds %s: %w", f.Name(), ctx.Err()), f.Close())
		case <-tick.C:
		}
	}
}

// shut says what to do about a state folder that this account may not write to.
func shut(dir string, err error) error {
	return fmt.Errorf("%s, which takes what is built, cannot be written (%w): give it to this account (chown -R), or run as the one that owns it", dir, err)
}

// turns keeps two services that share a folder from building there at once.
type turns map[string]*sync.Mutex

func turnsOf(o Options) turns {
	t := turns{}
	for _, s := range o.File.Services {
		t[o.directory(s)] = &sync.Mutex{}
	}
	return t
}

// build runs a service's commands where its inputs have changed, or where what
// they made is gone.
func (t turns) build(ctx context.Context, o Options, name string, spec target.Service) error {
	if len(spec.Build) == 0 {
		return nil
	}
	dir := o.directory(spec)
	t[dir].Lock()
	defer t[dir].Unlock()
	s := stamp{path: stampPath(o, name, dir)}
	inputs, err := hashInputs(ctx, dir, spec)
	if err != nil {
		return fmt.Errorf("build %s: %w", name, err)
	}
	if s.fresh(dir, inputs) {
		return nil
	}
	// A build that is cut off leaves no stamp behind.
	if err := s.remove(); err != nil {
		return fmt.Errorf("build %s: %w", name, err)
	}
	for _, command := range spec.Build {
		b := &processes.Build{Directory: dir, Command: command, Bin: filepath.Join(o.StateDir, "bin")}
		done := watch(o.Progress, name+": "+command, b.Last)
		err := b.Run(ctx)
		done(err)
		if err != nil {
			return fmt.Errorf("build %s: %q in %s: %w", name, command, dir, err)
		}
	}
	// Builds may rewrite what git tracks (a lock file): what they leave is
	// what the next run will find.
	if inputs, err = hashInputs(ctx, dir, spec); err != nil {
		return fmt.Errorf("build %s: %w", name, err)
	}
	outputs, err := listOutputs(ctx, dir)
	if err != nil {
		return fmt.Errorf("build %s: %w", name, err)
	}
	return s.write(inputs, outputs)
}

// telling says after how many seconds something that lasts is told: soon at
// first, then ever more rarely.
func telling(seconds int) bool {
	return slices.Contains([]int{2, 10, 20}, seconds) || seconds > 0 && seconds%30 == 0
}

// widest is how much of a line of a build's output is told.
const widest = 80

// watch tells what is being done, and while it lasts, how long it has taken
// and its last line. The func that it returns ends it.
func watch(progress func(string), what string, last func() string) func(error) {
	begun := time.Now()
	stop := make(chan struct{})
	var wg sync.WaitGroup
	progress(what)
	wg.Go(func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for seconds := 1; ; seconds++ {
			select {
			case <-stop:
				return
			case <-tick.C:
			}
			if telling(seconds) {
				text := fmt.Sprintf("%s (%d s)", what, seconds)
				if line := []rune(last()); len(line) > 0 {
					text += ": " + string(line[:min(len(line), widest)])
				}
				progress(text)
			}
		}
	})
	return func(err error) {
		close(stop)
		wg.Wait()
		outcome := "done"
		if err != nil {
			outcome = "failed"
		}
		progress(fmt.Sprintf("%s: %s (%s)", what, outcome, since(begun)))
	}
}
