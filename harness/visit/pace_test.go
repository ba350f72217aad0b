package visit

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"crossing/harness/target"
)

func TestAPaceKeepsEverybodyTogetherBelowTheLimit(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pace")
	limit := target.Limit{Most: 2, Within: 200 * time.Millisecond}
	began := time.Now()
	var mu sync.Mutex
	var passed []time.Duration
	var all sync.WaitGroup
	for range 5 { // as processes of a run do, each has its own
		all.Go(func() {
			if err := (&Pace{File: file, Limit: limit}).Await(t.Context(), "/in"); err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			passed = append(passed, time.Since(began))
		})
	}
	all.Wait()
	for i := range passed {
		if i >= limit.Most && passed[i]-passed[i-limit.Most] < limit.Within {
			t.Errorf("%v: more than %d within %s", passed, limit.Most, limit.Within)
		}
	}
	other := time.Now()
	if err := (&Pace{File: file, Limit: limit}).Await(t.Context(), "/up"); err != nil || time.Since(other) > time.Second {
		t.Errorf("another path waits for %s (%v)", time.Since(other), err)
	}
}

func TestAPaceOutlivesItsWriter(t *testing.T) {
	file := filepath.Join(t.TempDir(), "new", "pace")
	p := &Pace{File: file, Limit: target.Limit{Most: 1, Within: time.Hour}}
	takes := func(want bool) {
		t.Helper()
		if wait, err := p.take("/in"); err != nil || (wait == 0) != want {
			t.Errorf("it has to wait for %s (%v)", wait, err)
		}
	}
	takes(true)
	p = &Pace{File: file, Limit: p.Limit} // another run's
	takes(false)
	if err := os.WriteFile(file, []byte(`{"/in":{"Cou`), 0o600); err != nil {
		t.Fatal(err)
	}
	takes(true)
	takes(false)
}

func TestAPaceSaysWhatItWaitsFor(t *testing.T) {
	p := &Pace{File: filepath.Join(t.TempDir(), "pace"), Limit: target.Limit{Most: 1, Within: time.Hour}}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := p.Await(ctx, "/in"); err != nil {
		t.Fatal(err)
	}
	if err := p.Await(ctx, "/in"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if err := (*Pace)(nil).Await(ctx, "/in"); err != nil {
		t.Errorf("without a pace: %v", err)
	}
}
