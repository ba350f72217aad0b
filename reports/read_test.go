package reports

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onsi/ginkgo/v2/types"

	"crossing/harness/headroom"
)

// wrote is a Ginkgo report of these specs, on disk.
func wrote(t *testing.T, succeeded bool, specs ...types.SpecReport) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "report.json")
	data, err := json.Marshal([]types.Report{{SuiteDescription: "session", SuiteSucceeded: succeeded, SpecReports: specs}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// it is a spec of a behaviour on a profile.
func it(state types.SpecState, text string) types.SpecReport {
	return types.SpecReport{
		ContainerHierarchyTexts: []string{"persistence", "chromium"}, ContainerHierarchyLabels: [][]string{{}, {"chromium"}},
		LeafNodeType: types.NodeTypeIt, LeafNodeText: text, State: state, RunTime: 1500 * time.Millisecond,
	}
}

func failing(s types.SpecReport, message string) types.SpecReport {
	s.State = types.SpecStateFailed
	s.Failure = types.Failure{Message: message, Location: types.CodeLocation{FileName: "persistence_test.go", LineNumber: 28}}
	return s
}

func skipped(text, message string) types.SpecReport {
	s := it(types.SpecStateSkipped, text)
	s.Failure.Message = message
	return s
}

func around(node types.NodeType, state types.SpecState, message string) types.SpecReport {
	return types.SpecReport{LeafNodeType: node, State: state, Failure: types.Failure{Message: message}}
}

func mustRead(t *testing.T, path string) *Run {
	t.Helper()
	r := &Run{}
	if err := r.Read(path, "make e2e RUNTIME=processes SEED=1"); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestASpecThatRunsAloneKeepsItsProfile(t *testing.T) {
	alone := it(types.SpecStatePassed, "is short")
	alone.LeafNodeLabels, alone.IsSerial = []string{"Serial"}, true
	r := mustRead(t, wrote(t, true, alone))
	if len(r.Specs) != 1 || r.Specs[0].Profile != "chromium" {
		t.Errorf("got %+v", r.Specs)
	}
}

func TestEveryStateIsRead(t *testing.T) {
	broken := failing(it(types.SpecStateFailed, "doesn't last"), "the session was lost")
	broken.AdditionalFailures = []types.AdditionalFailure{{State: types.SpecStateFailed, Failure: types.Failure{Message: "and an invariant was broken"}}}
	broken.ReportEntries = types.ReportEntries{{Name: "trace", Value: types.WrapEntryValue("traces/a.json")}, {Name: "note", Value: types.WrapEntryValue("x")}}
	both := it(types.SpecStatePassed, "concerns no browser")
	both.ContainerHierarchyLabels = [][]string{{"chromium", "webkit"}}

	r := mustRead(t, wrote(t, false,
		around(types.NodeTypeSynchronizedBeforeSuite, types.SpecStatePassed, ""),
		it(types.SpecStatePassed, "outlives a reload"), broken, both,
		failing(it(types.SpecStateTimedout, "hangs"), "timed out"),
		skipped("needs partitions", "not applicable: webkit keeps none"),
		skipped("came too late", "the suite was interrupted"),
		it(types.SpecStateSkipped, "was filtered out"), it(types.SpecStatePending, "is pending"),
		around(types.NodeTypeReportAfterSuite, types.SpecStatePassed, ""),
	))

	if want := (Counts{Passed: 2, Failed: 2, NotApplicable: 1, NotRun: 1}); r.Counts != want || r.Passed || r.NotBegun != "" {
		t.Errorf("got %+v, passed %v, %q; want %+v", r.Counts, r.Passed, r.NotBegun, want)
	}
	var texts []string
	for _, s := range r.Specs {
		texts = append(texts, s.Profile+": "+s.Text+": "+string(s.State))
	}
	want := []string{"chromium: outlives a reload: passed", "chromium: doesn't last: failed", "all: concerns no browser: passed",
		"chromium: hangs: failed", "chromium: needs partitions: not applicable", "chromium: came too late: not run"}
	if !slices.Equal(texts, want) {
		t.Errorf("\n got %q\nwant %q", texts, want)
	}
	s := r.Specs[1]
	if s.Suite != "session" || s.Behaviour != "persistence" || s.Seconds != 1.5 || s.Where != "persistence_test.go:28" || !slices.Equal(s.Traces, []string{"traces/a.json"}) {
		t.Errorf("the failed spec is %+v", s)
	}
	if s.Message != "the session was lost\nand an invariant was broken" {
		t.Errorf("its message is %q", s.Message)
	}
	if s.Reproduce != `make e2e RUNTIME=processes SEED=1 ENGINE=chromium ONE='persistence chromium doesn'\''t last'` {
		t.Errorf("it is run again by %s", s.Reproduce)
	}
	if n := r.Specs[4]; n.Message != "webkit keeps none" || n.Reproduce != "" {
		t.Errorf("what is not applicable is %+v", n)
	}
}

func TestOnlyASpecThatPassedMakesARunGreen(t *testing.T) {
	good := it(types.SpecStatePassed, "outlives a reload")
	for name, c := range map[string]struct {
		succeeded bool
		specs     []types.SpecReport
		passed    bool
		notBegun  string
	}{
		"one passed":                  {true, []types.SpecReport{good}, true, ""},
		"nothing was chosen":          {true, []types.SpecReport{it(types.SpecStateSkipped, "filtered")}, false, ""},
		"nothing is applicable":       {true, []types.SpecReport{skipped("a", "not applicable: x")}, false, ""},
		"one failed":                  {false, []types.SpecReport{good, failing(good, "lost")}, false, ""},
		"Ginkgo says no":              {false, []types.SpecReport{good}, false, ""},
		"taking down failed":          {false, []types.SpecReport{good, around(types.NodeTypeCleanupAfterSuite, types.SpecStateFailed, "left")}, false, ""},
		"the stack did not start":     {false, []types.SpecReport{around(types.NodeTypeSynchronizedBeforeSuite, types.SpecStateFailed, "no stack")}, false, "no stack"},
		"one suite's stack started":   {false, []types.SpecReport{good, around(types.NodeTypeSynchronizedBeforeSuite, types.SpecStateFailed, "no stack")}, false, ""},
		"given up":                    {false, []types.SpecReport{good, abandoned("could not be judged: no browser")}, false, ""},
		"aborted by a spec":           {false, []types.SpecReport{good, abandoned("enough")}, false, ""},
		"taking down, and none begun": {false, []types.SpecReport{around(types.NodeTypeBeforeSuite, types.SpecStateFailed, "no stack"), around(types.NodeTypeCleanupAfterSuite, types.SpecStateFailed, "left")}, false, "no stack"},
	} {
		r := mustRead(t, wrote(t, c.succeeded, c.specs...))
		if r.Passed != c.passed || r.NotBegun != c.notBegun {
			t.Errorf("%s: passed %v, not begun %q", name, r.Passed, r.NotBegun)
		}
		if want := map[string]string{"given up": "no browser"}[name]; r.Unjudged != want {
			t.Errorf("%s: given up for %q, want %q", name, r.Unjudged, want)
		}
	}
}

// abandoned is a spec that ended the whole suite.
func abandoned(message string) types.SpecReport {
	s := it(types.SpecStateAborted, "outlives a reload")
	s.Failure.Message = message
	return s
}

func TestWhatIsNoReportIsAnError(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "report.json")
	if err := (&Run{}).Read(path, ""); !os.IsNotExist(err) {
		t.Errorf("a missing report: %v", err)
	}
	if err := os.WriteFile(path, []byte(`[{"SuiteDescr`), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := (&Run{}).Read(path, ""); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("half a report: %v", err)
	}
	if err := os.WriteFile(path, []byte(`[{"SuiteDescription": "session", "SuiteSucceeded": true}]`), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := (&Run{}).Read(path, "", "session"); err != nil {
		t.Errorf("a whole report: %v", err)
	}
	if err := (&Run{}).Read(path, "", "preview", "session"); err == nil || !strings.Contains(err.Error(), "nothing of suite preview") {
		t.Errorf("a report of one of two suites: %v", err)
	}
}

func TestPartsOfProcessesAreGathered(t *testing.T) {
	dir := t.TempDir()
	for name, p := range map[string]Part{
		"part-session-1.json": {StackReady: 2.5, Profiles: []Profile{{Profile: webkit}}, Diagnoses: []Diagnosis{{Spec: "a", Trace: "traces/a.json"}},
			Waits: []Wait{{Profile: "webkit", Kind: "reload", Median: 0.2}}, Headroom: []headroom.Use{{Limit: headroom.Cookie, Used: 136, Of: 4096, What: "session"}}},
		"part-session-2.json": {Profiles: []Profile{{Profile: webkit}, {Profile: chromium}}, Diagnoses: []Diagnosis{{Spec: "b"}},
			Waits: []Wait{{Profile: "chromium", Kind: "sign-in"}}, Headroom: []headroom.Use{{Limit: headroom.Cookie, Used: 90, Of: 4096}, {Limit: headroom.Header, Used: 7, Of: 16384}}},
	} {
		if err := p.Write(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	r := Run{Version: Version}
	if err := r.Gather(dir); err != nil {
		t.Fatal(err)
	}
	if len(r.Profiles) != 2 || r.Profiles[0].Name != "chromium" || len(r.Diagnoses) != 2 || r.Timings.StackReady != 2.5 {
		t.Errorf("gathered %+v", r)
	}
	if len(r.Waits) != 2 || r.Waits[0].Profile != "chromium" || r.Waits[1].Median != 0.2 {
		t.Errorf("gathered the waits %+v", r.Waits)
	}
	if len(r.Headroom) != 2 || !slices.ContainsFunc(r.Headroom, func(u headroom.Use) bool { return u.Used == 136 && u.What == "session" }) {
		t.Errorf("gathered the headroom %+v", r.Headroom)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	if err := os.WriteFile(filepath.Join(dir, "part-session-3.json"), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := r.Gather(dir); err == nil || !strings.Contains(err.Error(), "part-session-3.json") {
		t.Errorf("half a part: %v", err)
	}
}

func TestRunIsReadBackAsWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), RunFile)
	if err := (Run{Version: Version, Seed: 7}).Write(path); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, list := range []string{`"profiles": []`, `"specs": []`, `"diagnoses": []`, `"waits": []`, `"headroom": []`} {
		if !strings.Contains(string(data), list) {
			t.Errorf("%s is missing from\n%s", list, data)
		}
	}
	var back Run
	if err := json.Unmarshal(data, &back); err != nil || back.Seed != 7 || back.Version != Version {
		t.Errorf("%+v, %v", back, err)
	}
}
