package visit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"crossing/harness/target"
)

// Pace keeps all processes of a run together below a limit that counts what
// comes from one address, path by path. They share a file. A nil Pace lets
// everything pass.
type Pace struct {
	// File is made where it is not there, with the folder that it is in.
	File  string
	Limit target.Limit
}

// margin is kept from the limit: the service counts from when it was asked, and
// a person who was let go still has a form to fill in.
const margin = 3 * time.Second

// passed is what went for one path: how many since there was last a rest as long
// as the limit's window, and the last of them. BetterAuth's limiter begins anew
// after such a rest only (better-auth, rate-limiter); to keep to that is to keep
// to every window of that length, too.
type passed struct {
	Count int
	Last  time.Time
}

// Await waits until one more may ask for path, and counts it. It takes turns
// with the other processes by a lock on the file.
func (p *Pace) Await(ctx context.Context, path string) error {
	if p == nil || p.Limit.Most == 0 {
		return nil
	}
	for {
		wait, err := p.take(path)
		if err != nil || wait == 0 {
			return err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return fmt.Errorf("wait for %s, to keep %s below %d in %s (contract.limit): %w", wait.Round(time.Millisecond), path, p.Limit.Most, p.Limit.Within, ctx.Err())
		}
	}
}

// take counts one, or says how long it is until there is room.
func (p *Pace) take(path string) (wait time.Duration, err error) {
	if err := os.MkdirAll(filepath.Dir(p.File), 0o755); err != nil {
		return 0, fmt.Errorf("keep to the application's limit: %w", err)
	}
	file, err := os.OpenFile(p.File, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return 0, fmt.Errorf("keep to the application's limit: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }() // the lock goes with it
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		return 0, fmt.Errorf("keep to the application's limit: lock %s: %w", p.File, err)
	}
	data, err := io.ReadAll(file)
	if err != nil {
		return 0, fmt.Errorf("keep to the application's limit: %w", err)
	}
	all := map[string]passed{}
	if json.Unmarshal(data, &all) != nil {
		all = map[string]passed{} // new, or whoever wrote it was killed at that
	}
	now, within := time.Now(), p.Limit.Within+margin
	so := all[path]
	switch rest := now.Sub(so.Last); {
	case rest >= within:
		so.Count = 0
	case so.Count >= p.Limit.Most:
		return within - rest, nil
	}
	all[path] = passed{Count: so.Count + 1, Last: now}
	if data, err = json.Marshal(all); err != nil {
		return 0, err
	}
	if err := file.Truncate(0); err != nil {
		return 0, fmt.Errorf("keep to the application's limit: %w", err)
	}
	_, err = file.WriteAt(data, 0)
	return 0, err
}
