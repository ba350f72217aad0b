package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"crossing/reports"
)

// Three faults, each in a job of its own, are merged into one red run: it tells
// three stories, each by its own cause.
func TestThreeFaultsAreThreeStories(t *testing.T) {
	t.Parallel()
	faults := []struct{ cause, one, set string }{
		{"cookie-not-partitioned", reload, "auth.COOKIE_PARTITIONED=false"},
		{"signature-refused", retrieve, "auth-2.BETTER_AUTH_SECRET=" + random(t)},
		{"token-audience", "and the api answers 200", "api.TOKEN_AUDIENCE=https://elsewhere.crossing-back.net"},
	}
	var args []string
	for _, c := range faults {
		f := runOne(t, c.one, c.set)
		if f.status != exitFailed {
			t.Fatalf("%s: want a red run: %s", c.cause, f)
		}
		args = append(args, f.out)
	}
	out := filepath.Join(t.TempDir(), "merged")
	o := runCrossing(t, limit, slices.Concat([]string{"report", "--out=" + out}, args)...)
	if o.status != exitFailed {
		t.Fatalf("want a red run: %s", o)
	}
	data, err := os.ReadFile(filepath.Join(out, reports.RunFile))
	if err != nil {
		t.Fatal(err)
	}
	var run reports.Run
	if err := json.Unmarshal(data, &run); err != nil {
		t.Fatal(err)
	}
	for _, c := range faults {
		told := 0
		for _, s := range run.Specs {
			if s.State != reports.Failed || !strings.Contains(s.Reproduce, strings.SplitN(c.set, "=", 2)[0]) {
				continue
			}
			for _, d := range run.Of(s) {
				if len(d.Findings) != 1 || d.Findings[0].Cause != c.cause {
					t.Errorf("%s: %s is told of by %v", c.cause, s.Text, causesOf(d))
				}
				told++
				for _, beside := range []string{d.Trace, strings.TrimSuffix(d.Trace, ".json") + ".har", d.Screenshot} {
					if _, err := os.Stat(filepath.Join(out, beside)); err != nil {
						t.Errorf("%s: %v", c.cause, err)
					}
				}
				if len(d.Steps) == 0 || d.Steps[0].Screenshot == "" || d.Steps[0].Scope == "" {
					t.Errorf("%s: no step was seen: %+v", c.cause, d.Steps)
				}
			}
		}
		if told == 0 {
			t.Errorf("%s: no story tells of it", c.cause)
		}
	}
	if causes := run.Causes(); len(causes) != len(faults) {
		t.Errorf("%d causes are named, and there were %d faults", len(causes), len(faults))
	}
	page, err := os.ReadFile(filepath.Join(out, reports.PageFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range faults {
		if !strings.Contains(string(page), c.cause) {
			t.Errorf("the page does not name %s", c.cause)
		}
	}
}

func causesOf(d reports.Diagnosis) []string {
	var all []string
	for _, f := range d.Findings {
		all = append(all, f.Cause)
	}
	return all
}
