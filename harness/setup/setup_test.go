package setup

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// bare is a machine with nothing on its PATH but these programs.
func bare(t *testing.T, programs ...string) Options {
	t.Helper()
	bin := t.TempDir()
	for _, name := range programs {
		program(t, filepath.Join(bin, name), "exit 0")
	}
	t.Setenv("PATH", bin)
	t.Setenv("DISPLAY", "")
	t.Setenv("WAYLAND_DISPLAY", "")
	t.Setenv("PLAYWRIGHT_BROWSERS_PATH", t.TempDir())
	return Options{StateDir: t.TempDir(), Engines: []string{"webkit"}, Builds: true}
}

func program(t *testing.T, path, body string) {
	t.Helper()
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+body+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
}

func holds(t *testing.T, err error, words ...string) {
	t.Helper()
	for _, word := range words {
		if err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("want %q, got %v", word, err)
		}
	}
}

func TestWithoutAptGetAllThatIsMissingIsNamedAtOnce(t *testing.T) {
	o := bare(t)
	err := Ensure(t.Context(), o)
	if !errors.Is(err, errNoApt) {
		t.Errorf("want errNoApt, got %v", err)
	}
	holds(t, err, "Node is missing: install Node 20", "npm is missing", "WebKit is missing", "playwright@", "install --with-deps webkit", "Xvfb")
}

func TestWhatIsThereIsNotCalledMissing(t *testing.T) {
	o := bare(t, "npm", "Xvfb")
	err := Ensure(t.Context(), o)
	holds(t, err, "Node is missing")
	if strings.Contains(err.Error(), "npm is missing") || strings.Contains(err.Error(), "display") {
		t.Errorf("it is there: %v", err)
	}
}

func TestWithoutRootTheWholeCommandIsSaid(t *testing.T) {
	missing := []need{{"Node", nil, []string{"nodejs"}, ""}, {"npm", nil, []string{"npm"}, ""}, {"Node", nil, []string{"nodejs"}, ""}}
	err := refuse(errNoRoot, missing)
	holds(t, err, "neither root nor allowed sudo", "\n  sudo apt-get update && sudo apt-get install --no-install-recommends nodejs npm")
	if strings.Contains(err.Error(), "is missing") {
		t.Errorf("one command is enough: %v", err)
	}
}

func TestSetUpsOwnNodeGoesBeforeTheSystems(t *testing.T) {
	o := bare(t, "npm")
	program(t, filepath.Join(os.Getenv("PATH"), "node"), "echo v20.1.0")
	if node, err := ensureNode(t.Context(), o); err != nil || filepath.Dir(node) != os.Getenv("PATH") {
		t.Errorf("a system's Node that is new enough: got %s, %v", node, err)
	}
	if err := os.Mkdir(filepath.Dir(o.ownNode()), 0o755); err != nil {
		t.Fatal(err)
	}
	program(t, o.ownNode(), "echo v22.0.0")
	if node, err := ensureNode(t.Context(), o); err != nil || node != o.ownNode() {
		t.Errorf("with one of its own: got %s, %v", node, err)
	}
}

func TestAnOldNodeGivesWay(t *testing.T) {
	o := bare(t)
	program(t, filepath.Join(os.Getenv("PATH"), "node"), "echo v18.20.4")
	program(t, filepath.Join(os.Getenv("PATH"), "npm"), "echo no way to the registry; exit 7")
	o.Progress = func(string) {}
	_, err := ensureNode(t.Context(), o)
	holds(t, err, "install Node "+nodeVersion, "exit status 7", "no way to the registry")
	if isFile(o.ownNode()) {
		t.Error("what failed was linked all the same")
	}
}

func TestDpkgsRecord(t *testing.T) {
	path := filepath.Join(t.TempDir(), "status")
	text := "Package: there\nStatus: install ok installed\nVersion: 1\n\nPackage: removed\nStatus: deinstall ok config-files\n\nPackage: half\nStatus: install ok half-configured\n"
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	got := readStatus(path)
	if !got["there"] || got["removed"] || got["half"] || got["never"] {
		t.Errorf("got %v", got)
	}
}

func TestAptsListsGrowOld(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	if listed(dir, now) {
		t.Error("no list at all was taken for one")
	}
	// As an update leaves them: the list has the archive's time.
	list, partial := filepath.Join(dir, "deb_main_Packages.lz4"), filepath.Join(dir, "partial")
	if err := errors.Join(os.WriteFile(list, nil, 0o644), os.Mkdir(partial, 0o755),
		os.Chtimes(list, now, now.AddDate(0, -6, 0)), os.Chtimes(partial, now, now)); err != nil {
		t.Fatal(err)
	}
	if !listed(dir, now) {
		t.Error("lists that were just updated are asked for again")
	}
	if listed(dir, now.Add(stale)) {
		t.Error("lists of yesterday are taken for today's")
	}
}
