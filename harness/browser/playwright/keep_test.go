package playwright

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"syscall"
	"testing"

	"crossing/harness/browser"
)

// A kept profile brings back, after a restart, the cookies that have a
// lifetime, and no others; a session without one brings back nothing.
func TestKeep(t *testing.T) {
	w := newWorld(t)
	profile := t.TempDir() // which must outlive the browser
	e := w.start(w.launch(), true)

	v := w.visit(e, profile)
	v.goTo(front + "/")
	v.fetch(back + "/set")
	if jar := v.jar(); jar["partitioned"].PartitionKey == "" || jar["passing"].Name == "" || jar["ordinary"].Name != "" {
		t.Fatalf("before the restart the jar holds %+v", jar)
	}
	if err := v.session.Close(v.ctx); err != nil {
		t.Fatal(err)
	}

	again := w.visit(e, profile)
	again.goTo(front + "/")
	if names := again.names(); !names["partitioned"] || names["passing"] {
		t.Errorf("after a restart the back was sent %v, want partitioned and no session cookie", names)
	}
	fresh := w.visit(e, "")
	fresh.goTo(front + "/")
	if names := fresh.names(); len(names) > 0 {
		t.Errorf("a session of its own was given %v", names)
	}
}

// A browser with a kept profile that dies takes no other session with it.
func TestKeptBrowserDies(t *testing.T) {
	w := newWorld(t)
	profile := t.TempDir()
	e := w.start(w.launch(), true)
	shared, kept := w.visit(e, ""), w.visit(e, profile)
	shared.goTo(front + "/")
	kept.goTo(front + "/")
	pid := profileOwner(t, e, kept)
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := kept.page.Goto(kept.ctx, front+"/"); !errors.Is(err, browser.ErrDead) {
		t.Errorf("the kept session: want ErrDead, got %v", err)
	}
	shared.goTo(back + "/")
	if err := e.Close(); err != nil {
		t.Errorf("close the rest: %v", err)
	}
}

// profileOwner is the browser process of a kept session: the driver's child
// that is not the shared browser.
func profileOwner(t *testing.T, e *engine, v *visitor) int {
	t.Helper()
	main, err := browserPID(e)
	if err != nil {
		t.Fatal(err)
	}
	shared := family(main)
	for _, pid := range family(e.driver.Pid())[1:] {
		if !slices.Contains(shared, pid) {
			return pid
		}
	}
	t.Fatalf("the driver has no browser but %d for %s", main, v.t.Name())
	return 0
}

// What closing leaves of a kept profile is the profile, and a second browser
// may open it at once.
func TestKeepTwice(t *testing.T) {
	w := newWorld(t)
	profile := t.TempDir()
	e := w.start(w.launch(), true)
	for range 3 {
		v := w.visit(e, profile)
		v.goTo(front + "/")
		own := family(e.driver.Pid()).keeping(profile)
		if runtime.GOOS == "linux" && len(own) < 2 {
			t.Errorf("the browser of this profile is %v, want it and what it started", own)
		}
		ctx, cancel := context.WithTimeout(v.ctx, limit)
		if err := v.session.Close(ctx); err != nil {
			t.Error(err)
		}
		cancel()
		// What goes on could write into the profile, after its folder is gone.
		if left := slices.DeleteFunc(own, ended); len(left) > 0 {
			t.Errorf("after closing, processes of it go on: %v", left)
		}
	}
}

// A browser on demand starts none that sessions share before one of them does,
// and knows its version by a kept session, too.
func TestOnDemand(t *testing.T) {
	w := newWorld(t)
	l := w.launch()
	l.OnDemand = true
	profile := t.TempDir()
	e := w.start(l, true)
	if e.shared != nil || e.Version().Browser != "" {
		t.Fatalf("before any session: %+v, %+v", e.shared, e.Version())
	}
	kept := w.visit(e, profile)
	kept.goTo(front + "/")
	if e.shared != nil {
		t.Error("a kept session started the browser that others share")
	}
	version := e.Version().Browser
	w.visit(e, "").goTo(front + "/")
	if version == "" || e.shared == nil || e.Version().Browser != version {
		t.Errorf("by the kept session %q; by a shared one %+v, %+v", version, e.shared, e.Version())
	}
}
