package owner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// gone is how long a killed process may take to leave.
const gone = 5 * time.Second

// Sweep ends the processes and removes the folders of runs whose owner is
// dead, and says of each what it was.
func Sweep(ctx context.Context) (removed []string, err error) {
	folders, err := deserted(os.TempDir())
	var errs []error
	if err != nil {
		errs = append(errs, err)
	}
	// Processes first: they may still write into the folders.
	for _, p := range append(noted(folders), orphans()...) {
		ended, err := p.end(ctx)
		if err != nil {
			errs = append(errs, err)
		} else if ended {
			removed = append(removed, p.String())
		}
	}
	for _, dir := range folders {
		if err := os.RemoveAll(dir); err != nil {
			errs = append(errs, fmt.Errorf("remove a dead run's folder: %w", err))
			continue
		}
		removed = append(removed, "folder "+dir)
	}
	return removed, errors.Join(errs...)
}

// Left says what Sweep would remove, and touches nothing.
func Left() ([]string, error) {
	folders, err := deserted(os.TempDir())
	var found []string
	for _, p := range append(noted(folders), orphans()...) {
		found = append(found, p.String())
	}
	for _, dir := range folders {
		found = append(found, "folder "+dir)
	}
	return found, err
}

// deserted lists the folders of dead owners.
func deserted(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("look for dead runs' folders: %w", err)
	}
	var found []string
	for _, e := range entries {
		name, ours := strings.CutPrefix(e.Name(), prefix)
		if !ours || !e.IsDir() {
			continue
		}
		if _, o, ok := marked(strings.ReplaceAll(name, "-", ":")); ok && o.Dead() {
			found = append(found, filepath.Join(dir, e.Name()))
		}
	}
	return found, nil
}

// orphan is a process, or the group it leads, that a dead run has left.
type orphan struct {
	pid   int
	start string
	group bool
	run   string
	what  string
}

func (p orphan) String() string {
	return fmt.Sprintf("process %d (%s) of run %s", p.pid, p.what, p.run)
}

// noted finds the groups that the runs of these folders wrote down.
func noted(folders []string) []orphan {
	var found []orphan
	for _, dir := range folders {
		entries, _ := os.ReadDir(filepath.Join(dir, "groups")) // a run without processes has none
		id, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), prefix), "-")
		for _, e := range entries {
			pid, err := strconv.Atoi(e.Name())
			then, readErr := os.ReadFile(filepath.Join(dir, "groups", e.Name()))
			if err != nil || readErr != nil {
				continue
			}
			if now, alive := started(pid); alive && now == string(then) {
				found = append(found, orphan{pid: pid, start: now, group: true, run: id, what: "group"})
			}
		}
	}
	return found
}

// end kills the process and waits until it has left; false: it had left before.
func (p orphan) end(ctx context.Context) (bool, error) {
	if now, alive := started(p.pid); !alive || now != p.start {
		return false, nil
	}
	id := p.pid
	if p.group {
		id = -id
	}
	if err := syscall.Kill(id, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		return false, fmt.Errorf("end %s: %w", p, err)
	}
	ctx, cancel := context.WithTimeout(ctx, gone)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		if now, alive := started(p.pid); !alive || now != p.start {
			return true, nil
		}
		select {
		case <-ctx.Done():
			return false, fmt.Errorf("end %s: it was killed %s ago and is still there", p, gone)
		case <-tick.C:
		}
	}
}
