package reports

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onsi/ginkgo/v2/types"
)

const issue = "https://github.com/owner/name/issues/7?a=1,2"

// held is a spec in quarantine.
func held(t *testing.T, s types.SpecReport, until string) types.SpecReport {
	t.Helper()
	label, err := QuarantineLabel(issue, until)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := types.ValidateAndCleanupLabel(label, types.CodeLocation{}); err != nil {
		t.Fatalf("Ginkgo takes no such label: %v", err)
	}
	s.LeafNodeLabels = []string{label}
	return s
}

var dawn = time.Date(2026, 11, 1, 6, 0, 0, 0, time.UTC)

// after is a run that began so many days after dawn, remembered in path.
func after(t *testing.T, days int, path string, specs ...types.SpecReport) *Run {
	t.Helper()
	good := true
	for _, s := range specs {
		good = good && !s.State.Is(types.SpecStateFailureStates)
	}
	r := &Run{Started: dawn.AddDate(0, 0, days), Commit: fmt.Sprint("c", days), Target: Target{Name: "reference"}}
	if err := r.Read(wrote(t, good, specs...), "make e2e"); err != nil {
		t.Fatal(err)
	}
	if err := r.Recall(path); err != nil {
		t.Fatal(err)
	}
	if err := r.Remember(path); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestWhatBecameOfASpecBeforeIsTold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sub", "history.jsonl")
	good, bad := it(types.SpecStatePassed, "outlives a reload"), failing(it(0, "outlives a reload"), "no")
	other := it(types.SpecStatePassed, "outlives a tab")
	after(t, 0, path, good, other)
	after(t, 1, path, good, other) // the last green one
	after(t, 2, path, bad, other)
	after(t, 3, path, good) // it ran less
	r := after(t, 4, path, bad, failing(other, "no"))
	for i, want := range []string{"ppfp", "ppp-"} {
		if got := r.Specs[i].Earlier; got != want {
			t.Errorf("%s: %q, want %q", r.Specs[i].Text, got, want)
		}
	}
	if len(r.Earlier) != 4 || r.Earlier[3].Commit != "c3" {
		t.Errorf("earlier runs: %+v", r.Earlier)
	}
	green, since, found := r.Green()
	if !found || green.Commit != "c1" || since != 2 {
		t.Errorf("the last green run: %+v, %d runs ago, %v", green, since, found)
	}
	if fresh := r.New(); len(fresh) != 2 {
		t.Errorf("new failures: %v", fresh)
	}
	rates := r.Rates()
	if len(rates) != 1 || rates[0].Failed != 3 || rates[0].Ran != 9 || len(rates[0].Flaky) != 2 || rates[0].Flaky[0].Failed != 2 || rates[0].Flaky[0].Ran != 5 {
		t.Errorf("rates: %+v", rates)
	}
	again := after(t, 5, path, bad, other)
	if fresh := again.New(); len(fresh) != 0 {
		t.Errorf("what failed before is new: %v", fresh)
	}
	// Another application's runs are its own.
	shop := &Run{Started: dawn.AddDate(0, 0, 9), Target: Target{Name: "shop"}, Specs: r.Specs}
	if err := shop.Recall(path); err != nil || len(shop.Earlier) != 0 || shop.Specs[0].Earlier != "" {
		t.Errorf("%v, %+v", err, shop.Earlier)
	}
}

func TestTheHistoryForgetsAndRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history.jsonl")
	for day := range mostKept + 3 {
		after(t, day, path, it(types.SpecStatePassed, "outlives a reload"))
	}
	text, err := os.ReadFile(path)
	if err != nil || strings.Count(string(text), "\n") != mostKept || strings.Contains(string(text), `"c2"`) || !strings.Contains(string(text), `"c3"`) {
		t.Errorf("%v: %d lines", err, strings.Count(string(text), "\n"))
	}
	if err := os.WriteFile(path, append(text, "{}\n"...), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := (&Run{}).Recall(path); err == nil || !strings.Contains(err.Error(), "HISTORY="+path) || !strings.Contains(err.Error(), "line 101") {
		t.Errorf("a line that is none: %v", err)
	}
}

func TestAQuarantinedSpecDecidesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history.jsonl")
	good, bad := it(types.SpecStatePassed, "outlives a reload"), failing(it(0, "outlives a tab"), "no")
	r := after(t, 0, path, good, held(t, bad, "2026-11-01"))
	if !r.Passed || r.Counts != (Counts{Passed: 1, Quarantined: 1}) {
		t.Errorf("passed %v, %+v", r.Passed, r.Counts)
	}
	q := r.Specs[1].Quarantine
	if q == nil || q.Issue != issue || q.Until != "2026-11-01" || q.Outcome != Failed || r.Specs[1].Profile != "chromium" {
		t.Errorf("%+v", r.Specs[1])
	}
	for what, said := range map[string]string{"verdict": r.Verdict("out"), "summary": r.Summary()} {
		for _, want := range []string{"outlives a tab", "2026-11-01", "1 quarantined"} {
			if !strings.Contains(said, want) {
				t.Errorf("the %s says nothing of %q:\n%s", what, want, said)
			}
		}
	}
	// The twins: the same failure outside, another failure beside it, and a
	// suite that did not end well.
	if r := after(t, 0, path, good, bad); r.Passed {
		t.Error("a failure that is in no quarantine passes")
	}
	if r := after(t, 0, path, failing(good, "no"), held(t, bad, "2026-11-01")); r.Passed || r.Counts.Failed != 1 {
		t.Errorf("a failure beside one in quarantine: %+v", r.Counts)
	}
	if r := after(t, 0, path, good, held(t, bad, "2026-11-01"), around(types.NodeTypeAfterSuite, types.SpecStateFailed, "no")); r.Passed {
		t.Error("a failure around the specs is forgiven")
	}
	// Its last day is over.
	if r := after(t, 1, path, good, held(t, bad, "2026-11-01")); r.Passed || r.Counts.Failed != 1 || !strings.Contains(r.Specs[1].Message, "its quarantine ended on 2026-11-01: see "+issue) {
		t.Errorf("after its end: %+v, %s", r.Counts, r.Specs[1].Message)
	}
}

func TestAQuarantineEndsOnceTheSpecPasses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history.jsonl")
	good, tab := it(types.SpecStatePassed, "outlives a reload"), it(types.SpecStatePassed, "outlives a tab")
	after(t, 0, path, good, held(t, failing(tab, "no"), "2027-11-01"))
	for day := 1; day < Enough; day++ {
		r := after(t, day, path, good, held(t, tab, "2027-11-01"))
		if q := r.Specs[1].Quarantine; !r.Passed || q.Streak != day {
			t.Fatalf("run %d: passed %v, %+v", day, r.Passed, q)
		}
	}
	r := after(t, Enough, path, good, held(t, tab, "2027-11-01"))
	if r.Passed || !strings.Contains(r.Specs[1].Message, "passed 20 times in a row") {
		t.Errorf("passed %v, %s", r.Passed, r.Specs[1].Message)
	}
	// The twin: a failure on the way begins the row anew.
	after(t, Enough+1, path, good, held(t, failing(tab, "no"), "2027-11-01"))
	if r := after(t, Enough+2, path, good, held(t, tab, "2027-11-01")); !r.Passed || r.Specs[1].Quarantine.Streak != 1 {
		t.Errorf("after a failure: %+v", r.Specs[1].Quarantine)
	}
}

func TestAQuarantineDemandsAnIssueAndAnEnd(t *testing.T) {
	for _, c := range []struct{ issue, until, says string }{
		{"", "2027-01-31", "no issue's address"}, {"#7", "2027-01-31", "no issue's address"}, {"https://github.com", "2027-01-31", "no issue's address"},
		{"http://github.com/a/b/issues/7", "2027-01-31", "no issue's address"}, {issue, "", "is no day"}, {issue, "soon", "is no day"}, {issue, "2027-02-30", "is no day"},
	} {
		if _, err := QuarantineLabel(c.issue, c.until); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%q, %q: %v", c.issue, c.until, err)
		}
	}
}

func TestARunInWhichAnotherSpecFailedIsNotGreen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history.jsonl")
	good, other := it(types.SpecStatePassed, "outlives a reload"), it(types.SpecStatePassed, "outlives a tab")
	after(t, 0, path, good, other)
	after(t, 1, path, good, failing(other, "no"))
	r := after(t, 2, path, failing(good, "no"), other)
	if green, since, found := r.Green(); !found || green.Commit != "c0" || since != 1 {
		t.Errorf("%+v, %d, %v", green, since, found)
	}
	// It is no part of its own past, though it is remembered by now.
	if err := r.Recall(path); err != nil || len(r.Earlier) != 2 || r.Specs[0].Earlier != "pp" {
		t.Errorf("%v, %+v, %q", err, r.Earlier, r.Specs[0].Earlier)
	}
}

func TestMergedRunsHaveOnePast(t *testing.T) {
	past := func(days ...int) (all []Past) {
		for _, d := range days {
			all = append(all, Past{Started: dawn.AddDate(0, 0, d)})
		}
		return all
	}
	r := &Run{Earlier: past(0, 2), Specs: []Spec{{Text: "a", Profile: "chromium", State: Passed, Earlier: "pf"}, {Text: "new", Profile: "chromium", State: Passed}}}
	r.take(Run{Earlier: past(0, 1, 3), Specs: []Spec{{Text: "b", Profile: "webkit", State: Passed, Earlier: "pqp"}}})
	if len(r.Earlier) != 4 || r.Specs[0].Earlier != "p-f-" || r.Specs[1].Earlier != "" || r.Specs[2].Earlier != "pq-p" {
		t.Errorf("%d runs; %+v", len(r.Earlier), r.Specs)
	}
}
