package reports

import (
	"strings"
	"testing"

	"crossing/harness/diagnose"
)

// met is a failed spec, and the causes that were named for each of its visitors.
func met(text string, visitors ...[]string) (Spec, []Diagnosis) {
	s := Spec{Behaviour: "retrieval", Profile: "chromium", Text: text, State: Failed}
	var all []Diagnosis
	for i, causes := range visitors {
		d := Diagnosis{Visitor: "ada", Trace: text + string(rune('a'+i))}
		for _, cause := range causes {
			d.Findings = append(d.Findings, diagnose.Finding{Cause: cause})
		}
		s.Traces = append(s.Traces, d.Trace)
		all = append(all, d)
	}
	return s, all
}

func TestWhatThePlatformKeptFromBeingJudgedIsCountedApart(t *testing.T) {
	for _, c := range []struct {
		name     string
		visitors [][]string
		want     State
	}{
		{"a wall", [][]string{{"deployment-protected"}}, Infrastructure},
		{"a wall before one of two", [][]string{{}, {"platform-failed"}}, Infrastructure},
		{"a wall beside a fault", [][]string{{"deployment-protected", "signature-refused"}}, Failed},
		{"a wall for one, a fault for the other", [][]string{{"deployment-protected"}, {"cookie-path"}}, Failed},
		{"a fault", [][]string{{"cookie-not-partitioned"}}, Failed},
		{"no cause named", [][]string{{}}, Failed},
		{"nobody came", nil, Failed},
	} {
		var r Run
		s, all := met(c.name, c.visitors...)
		r.Specs, r.Diagnoses = []Spec{s}, all
		r.setApart()
		if got := r.Specs[0].State; got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}

	var r Run
	s, all := met("with more beside it", []string{"platform-failed"})
	all[0].Unexplained = []string{"e9 GET /me → 500"}
	r.Specs, r.Diagnoses = []Spec{s}, all
	if r.setApart(); r.Specs[0].State != Failed {
		t.Error("what does not follow from the platform's error was excused by it")
	}
}

// A run that met the platform alone is neither green nor the application's
// failure; one failure of the application's makes it red.
func TestARunThatMetThePlatformIsNotJudged(t *testing.T) {
	walled, diagnosed := met("outlives a reload", []string{"deployment-protected"})
	passed := Spec{Behaviour: "sign-in", Profile: "chromium", Text: "works", State: Passed}
	r := Run{Specs: []Spec{passed, walled}, Diagnoses: diagnosed}
	r.setApart()
	if r.Judged() || r.Counts != (Counts{Passed: 1, Infrastructure: 1}) {
		t.Errorf("judged %v, %+v", r.Judged(), r.Counts)
	}
	for text, want := range map[string]string{
		r.Headline():     "Not judged: 1 of 2 specs met the platform in the application's place, because of deployment-protected.",
		r.Sentence():     "NOT JUDGED: 1 passed, 0 failed (1 deployment-protected), 1 kept from being judged by the platform",
		r.Verdict("out"): "! chromium · retrieval · outlives a reload",
		r.Summary():      "❔ Not judged",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q does not hold %q", text, want)
		}
	}

	failed, more := met("is null", []string{"session-row-missing"})
	r.Specs, r.Diagnoses = append(r.Specs, failed), append(r.Diagnoses, more...)
	r.setApart()
	if !r.Judged() || !strings.HasPrefix(r.Sentence(), "FAILED: 1 passed, 1 failed") {
		t.Errorf("judged %v: %s", r.Judged(), r.Sentence())
	}
}
