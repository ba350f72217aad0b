package stack

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"crossing/harness/target"
)

// TestTheReferenceStack measures what a person waits for, on the application
// that this project brings.
func TestTheReferenceStack(t *testing.T) {
	if os.Getenv("CROSSING_SLOW") != "1" {
		t.Skip("builds the reference application, minutes from nothing: set CROSSING_SLOW=1")
	}
	app, err := target.Load("../../fixtures")
	if err != nil {
		t.Fatal(err)
	}
	state, err := filepath.Abs("../../.crossing")
	if err != nil {
		t.Fatal(err)
	}
	each(t, func(t *testing.T, runtime string) {
		o := Options{Dir: app.Dir, File: app.File, Runtime: runtime, StateDir: state, Progress: func(text string) { t.Log(text) }}
		if err := Prepare(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		if err := Prepare(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begun); took > time.Second {
			t.Errorf("with nothing to do, preparing took %s", took)
		} else {
			t.Logf("nothing to prepare: %s", took)
		}
		begun = time.Now()
		s := up(t, o)
		t.Logf("up: %s", time.Since(begun))
		for _, service := range s.Services() {
			t.Logf("%s at %v", service, len(s.Instances(service)))
		}
		begun = time.Now()
		if err := s.Down(t.Context()); err != nil {
			t.Fatal(err)
		}
		t.Logf("down: %s", time.Since(begun))
		if found := left(t, s.options.Run); len(found) > 0 {
			t.Errorf("left: %v", found)
		}
	})
}
