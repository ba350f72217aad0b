package diagnose

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"crossing/harness/trace"
)

// judgeRecorded explains every trace of a folder. A file's name says what must
// be found: "healthy-webkit.json" nothing, "cookie-samesite.json" that cause,
// "cookie-path+token-issuer.json" both; what follows a dot is free, as in
// "database-fault.warm.json".
func judgeRecorded(folder string) (faults []error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil || len(files) == 0 {
		return []error{fmt.Errorf("%s holds no traces (%s)", folder, fmt.Sprint(err))}
	}
	for _, file := range files {
		if err := judgeFile(file); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", filepath.Base(file), err))
		}
	}
	return faults
}

func judgeFile(file string) error {
	t, err := trace.Read(file)
	if err != nil {
		return err
	}
	d := Explain(t)
	want := strings.Split(strings.SplitN(filepath.Base(file), ".", 2)[0], "+")
	if strings.HasPrefix(want[0], "healthy-") {
		want = []string{}
		if d.Verdict != VerdictHealthy {
			return fmt.Errorf("verdict %s, want %s:\n%s", d.Verdict, VerdictHealthy, d)
		}
	}
	if got := causes(d); !slices.Equal(got, want) {
		return fmt.Errorf("causes %v, want %v:\n%s", got, want, d)
	}
	if len(d.Unexplained) > 0 {
		return fmt.Errorf("unexplained is %q:\n%s", d.Unexplained, d)
	}
	return nil
}

func TestRecordedTraces(t *testing.T) {
	for _, err := range judgeRecorded("testdata") {
		t.Error(err)
	}
}

// The judge of recorded traces must itself be able to fail, and a trace must
// mean the same after its way through a file.
func TestRecordedTracesAreJudged(t *testing.T) {
	folder := t.TempDir()
	write := func(file string, tr trace.Trace) {
		if err := trace.Write(filepath.Join(folder, file), tr); err != nil {
			t.Fatal(err)
		}
	}
	for i, c := range cases {
		write(fmt.Sprintf("%s.%d.json", c.cause, i), c.world.walk())
	}
	write("healthy-chromium.json", chromium().walk())
	write("healthy-webkit.json", webkit().walk())
	for _, err := range judgeRecorded(folder) {
		t.Error(err)
	}
	write("healthy-wrong.json", with(webkit(), noFallback).walk())
	write("cookie-path.wrong.json", chromium().walk())
	write("cookie-path.older.json", trace.Trace{})
	if faults := judgeRecorded(folder); len(faults) != 3 {
		t.Errorf("three files say what is not true, and the judge found %v", faults)
	}
}

// recorded says whether testdata has a trace of that cause alone.
func recorded(slug string) bool {
	files, err := filepath.Glob(filepath.Join("testdata", slug+".*json"))
	return err == nil && len(files) > 0
}

// A rule that is gone, or names nothing, must not change what the others say of
// what was really recorded.
func TestRulesJudgeRecordedTracesEachByItself(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no traces: %v", err)
	}
	for _, file := range files {
		tr, err := trace.Read(file)
		if err != nil {
			t.Fatal(err)
		}
		all := causes(Explain(tr))
		// Each on a scene of its own: what another rule has left there, or not,
		// must make no difference.
		for _, r := range rules() {
			f, _ := r.judge(read(tr))
			if named := f != nil; named != slices.Contains(all, r.Slug) {
				t.Errorf("%s by the rule %s alone: %v, with the others %v", filepath.Base(file), r.Slug, named, all)
			}
		}
	}
}
