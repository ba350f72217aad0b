package owner

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// dead is an owner that has ended: a process of this test's.
func dead(t *testing.T) Owner {
	t.Helper()
	cmd := exec.Command("sleep", "60")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	start, alive := started(cmd.Process.Pid)
	if !alive {
		t.Fatal("a running process is taken for dead")
	}
	o := Owner{PID: cmd.Process.Pid, Start: start, Place: place()}
	if o.Dead() {
		t.Fatal("a running owner is taken for dead")
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	// Before its parent takes notice, it is a zombie: as dead as any.
	deadline := time.Now().Add(5 * time.Second)
	for !o.Dead() {
		if time.Now().After(deadline) {
			t.Fatal("a killed owner is taken for alive")
		}
		time.Sleep(time.Millisecond)
	}
	_ = cmd.Wait() // it was killed: that is its error
	return o
}

// folder is a run's, in a temp folder of the test's own.
func folder(t *testing.T, id string, o Owner) Run {
	t.Helper()
	r := Run{ID: id, Owner: o, Marker: id + ":" + o.String()}
	r.Dir = filepath.Join(os.TempDir(), prefix+strings.ReplaceAll(r.Marker, ":", "-"))
	if err := os.Mkdir(r.Dir, 0o711); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestSweepFindsFoldersAndNotedGroupsOfTheDeadOnly(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	gone, here := folder(t, "dead0001", dead(t)), folder(t, "alive001", Self())
	foreign := filepath.Join(os.TempDir(), "crossing-notes")
	if err := os.Mkdir(foreign, 0o755); err != nil {
		t.Fatal(err)
	}
	group := func(r Run) *exec.Cmd {
		cmd := exec.Command("sleep", "60") // without the marker
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
		if err := r.Note(cmd.Process.Pid); err != nil {
			t.Fatal(err)
		}
		return cmd
	}
	theirs, ours := group(gone), group(here)
	marked := exec.Command("sleep", "60") // in no group of the run's
	marked.Env = []string{gone.Environment()}
	if err := marked.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = marked.Process.Kill(); _ = marked.Wait() })

	removed, err := Sweep(context.Background())

	if err != nil {
		t.Fatal(err)
	}
	alive := func(cmd *exec.Cmd) bool { _, alive := started(cmd.Process.Pid); return alive }
	if alive(theirs) || alive(marked) {
		t.Errorf("the dead run's processes live: %v %v", alive(theirs), alive(marked))
	}
	if !alive(ours) {
		t.Error("the living run's process was ended")
	}
	if _, err := os.Stat(gone.Dir); err == nil {
		t.Error("the dead run's folder is still there")
	}
	for _, dir := range []string{here.Dir, foreign} {
		if _, err := os.Stat(dir); err != nil {
			t.Errorf("removed: %v", err)
		}
	}
	if !slices.Contains(removed, "folder "+gone.Dir) {
		t.Errorf("it says that it removed %q", removed)
	}
}

func TestAnOwnerIsReadAsWritten(t *testing.T) {
	self := Self()
	if got, ok := Parse(self.String()); !ok || got != self {
		t.Errorf("%v became %v, %v", self, got, ok)
	}
	for _, text := range []string{"", "1", "1:2", "x:2:3", "0:2:3", "-4:2:3", "1::3", "1:2:3:4"} {
		if o, ok := Parse(text); ok {
			t.Errorf("%q was taken for %v", text, o)
		}
	}
}

func TestARunsFolderLetsOthersPassButNotLook(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	r, err := NewRun()
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(r.Dir)
	if err != nil || info.Mode().Perm() != 0o711 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(r.Dir); err == nil {
		t.Error("the folder is still there")
	}
}
