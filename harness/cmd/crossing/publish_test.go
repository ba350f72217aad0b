package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"crossing/harness/stack/owner"
	"crossing/harness/trace"
	"crossing/reports"
)

// reportsIn makes a folder with these files, and a plan that writes there.
func reportsIn(t *testing.T, files ...string) *plan {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out")
	for _, name := range files {
		fill(t, filepath.Join(out, name), "earlier")
	}
	return &plan{command: &runCommand{Out: out}, out: out, secrets: trace.NewRedactor(nil)}
}

func fill(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func listed(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		names = append(names, name)
		return err
	})
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return names
}

func TestNewReportsReplaceTheOldAndNothingElse(t *testing.T) {
	p := reportsIn(t, "run.json", "junit.xml", "traces/old.json", "notes/mine.txt")
	if err := p.writable(); err != nil {
		t.Fatal(err)
	}
	fill(t, filepath.Join(p.work, "junit.xml"), "new")
	fill(t, filepath.Join(p.work, "traces", "new.json"), "new")

	if err := p.publish(&reports.Run{Version: reports.Version}); err != nil {
		t.Fatal(err)
	}
	p.remove()

	if got, want := listed(t, p.out), []string{"chat.txt", "index.html", "junit.xml", "notes/mine.txt", "run.json", "summary.md", "traces/new.json"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if data, _ := os.ReadFile(filepath.Join(p.out, "junit.xml")); string(data) != "new" {
		t.Errorf("junit.xml is %q", data)
	}
}

func TestARunThatIsNotPublishedLeavesEarlierReportsAlone(t *testing.T) {
	p := reportsIn(t, "run.json", "traces/old.json")
	if err := p.writable(); err != nil {
		t.Fatal(err)
	}
	fill(t, filepath.Join(p.work, "junit.xml"), "half")
	p.remove()
	if got, want := listed(t, p.out), []string{"run.json", "traces/old.json"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	empty := reportsIn(t)
	if err := empty.writable(); err != nil {
		t.Fatal(err)
	}
	empty.remove()
	if _, err := os.Stat(empty.out); !os.IsNotExist(err) {
		t.Errorf("a folder that never held reports is left: %v", err)
	}
}

func TestASecretThatWasSetIsNeverPublished(t *testing.T) {
	p := reportsIn(t, "run.json")
	if err := p.writable(); err != nil {
		t.Fatal(err)
	}
	p.secrets.Learn("a-secret-that-was-set")
	fill(t, filepath.Join(p.work, "traces", "t.json"), `{"x": "a-secret-that-was-set"}`)
	err := p.publish(&reports.Run{Version: reports.Version})
	if err == nil || !strings.Contains(err.Error(), "t.json") || strings.Contains(err.Error(), "a-secret") {
		t.Errorf("it says: %v", err)
	}
	if data, _ := os.ReadFile(filepath.Join(p.out, "run.json")); string(data) != "earlier" {
		t.Error("the earlier reports are gone")
	}
}

func TestWhatAKilledRunWroteIsTakenAwayAndALivingOnesIsNot(t *testing.T) {
	p := reportsIn(t)
	self := owner.Self()
	dead := self
	dead.Start = "1.00000000"
	name := func(o owner.Owner) string { return working + strings.ReplaceAll(o.String(), ":", "-") }
	living := self
	living.PID = os.Getppid()
	living.Place = "elsewhere"
	for _, o := range []owner.Owner{dead, living} {
		fill(t, filepath.Join(p.out, name(o), "report.json"), "half")
	}
	if err := p.writable(); err != nil {
		t.Fatal(err)
	}
	if got, want := listed(t, p.out), []string{name(living) + "/report.json"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
