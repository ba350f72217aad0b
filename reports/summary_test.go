package reports

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestSummaryOfARedRunNamesTheCauseAndTheMend(t *testing.T) {
	r := red()
	r.Specs[0].Text = "has `code`, <b> and | in it"
	text := r.Summary()
	for _, want := range []string{"## ❌ Failed: ", "| | all | chromium | webkit |", "### `cookie-not-partitioned`", "- mend: ", "again: make", "&lt;b&gt; and \\| in it"} {
		if want == "again: make" {
			want = r.Specs[0].Reproduce
		}
		if !strings.Contains(text, want) {
			t.Errorf("the summary holds no %q:\n%s", want, text)
		}
	}
	r.Passed, r.Counts = true, Counts{Passed: 2}
	for i := range r.Specs {
		r.Specs[i].State = Passed
	}
	if text := r.Summary(); !strings.HasPrefix(text, "## ✅ Passed: ") || strings.Contains(text, "###") || strings.Contains(r.Chat(), "Mend") || len(r.Annotations()) != 0 {
		t.Errorf("a green run's summary:\n%s%s", text, r.Chat())
	}
}

func TestAnAnnotationStandsOnTheSpecsLine(t *testing.T) {
	r := red()
	for i := range r.Specs {
		r.Specs[i].Line = "suites/session/persistence_test.go:28"
		r.Specs[i].Text += ", 100%"
	}
	all := r.Annotations()
	if len(all) != r.Counts.Failed {
		t.Fatalf("%d annotations of %d failures", len(all), r.Counts.Failed)
	}
	begin := "::error file=suites/session/persistence_test.go,line=28,title=chromium · persistence · outlives a reload%2C 100%25::"
	if !strings.HasPrefix(all[0], begin) || strings.Contains(all[0], "\n") || !strings.Contains(all[0], "%0AMend: ") {
		t.Errorf("got %q\nwant %q…", all[0], begin)
	}
	// GitHub shows ten: the first of the other cause must not come last.
	if !slices.ContainsFunc(all[:2], func(a string) bool { return !strings.Contains(a, "cookie-not-partitioned") }) {
		t.Errorf("the second cause is not among the first: %q", all)
	}
}

func TestChatIsShort(t *testing.T) {
	text := red().Chat()
	if n := strings.Count(text, "\n"); n > 3 || !strings.Contains(text, "Mend: ") || !strings.HasPrefix(text, "❌") {
		t.Errorf("%d lines: %s", n, text)
	}
}

// saved writes a run with one trace, as a run would leave it.
func saved(t *testing.T, dir string, r *Run) Saved {
	t.Helper()
	folder := filepath.Join(t.TempDir(), dir)
	if err := os.MkdirAll(filepath.Join(folder, "traces"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "traces", "a.json"), []byte(dir), 0o644); err != nil {
		t.Fatal(err)
	}
	r.Version = Version
	if err := r.Write(filepath.Join(folder, RunFile)); err != nil {
		t.Fatal(err)
	}
	s, err := Load(folder)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func shard(profile string, state State) *Run {
	r := &Run{Passed: state == Passed, Profiles: []Profile{{Profile: chromium}},
		Specs: []Spec{{Suite: "session", Behaviour: "persistence", Profile: profile, Text: "outlives a reload", State: state},
			{Suite: "session", Behaviour: "token", Profile: everyProfile, Text: "verifies", State: state}},
		Timings: Timings{Total: 10}}
	if state == Failed {
		r.Specs[0].Traces = []string{"traces/a.json"}
		r.Diagnoses = []Diagnosis{{Trace: "traces/a.json"}}
	}
	return r
}

func TestRunsAreMergedAndKeepTheirFilesApart(t *testing.T) {
	into := t.TempDir()
	r, err := Merge([]Saved{saved(t, "one", shard("chromium", Failed)), saved(t, "two", shard("webkit", Failed)), saved(t, "three", shard("firefox", Passed))}, into)
	if err != nil {
		t.Fatal(err)
	}
	// What concerns no browser ran thrice, and failed.
	if want := (Counts{Passed: 1, Failed: 3}); r.Counts != want || r.Passed || len(r.Profiles) != 1 {
		t.Errorf("merged %+v", r)
	}
	for path, want := range map[string]string{"traces/a.json": "one", "traces/2-a.json": "two"} {
		if data, _ := os.ReadFile(filepath.Join(into, path)); string(data) != want {
			t.Errorf("%s is %q, want that of %s", path, data, want)
		}
	}
	for _, s := range r.Specs {
		if s.Profile == "webkit" && (s.Traces[0] != "traces/2-a.json" || len(r.Of(s)) != 1) {
			t.Errorf("its trace is %q", s.Traces)
		}
	}
	if back, err := Load(into); err != nil || back.Counts != r.Counts {
		t.Errorf("read back: %+v, %v", back, err)
	}
}

func TestRunsThatCannotBeMergedAreRefused(t *testing.T) {
	other := shard("webkit", Passed)
	other.Commit = "b"
	for name, runs := range map[string][]Saved{
		"have both run":        {saved(t, "one", shard("chromium", Passed)), saved(t, "two", shard("chromium", Passed))},
		"of different commits": {saved(t, "one", shard("chromium", Passed)), saved(t, "two", other)},
	} {
		if _, err := Merge(runs, t.TempDir()); err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), runs[0].Path) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhatIsNoSavedRunIsRefused(t *testing.T) {
	outside := shard("chromium", Failed)
	outside.Version = Version
	outside.Diagnoses[0].Trace = "../../etc/passwd"
	bad, err := json.Marshal(outside)
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		`{`: "is no run.json", `[]`: "is no run.json", `{"version": 1}`: "is no run.json",
		`{"version": 99, "specs": []}`: "has version 99", string(bad): "outside its own folder",
	} {
		path := filepath.Join(t.TempDir(), RunFile)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(path); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := Load("nowhere"); err == nil || !strings.Contains(err.Error(), "nowhere does not exist") {
		t.Error(err)
	}
}
