package reports

import (
	"flag"
	"os"
	"strings"
	"testing"

	"crossing/harness/browser"
	"crossing/harness/diagnose"
	"crossing/harness/headroom"
	"crossing/harness/trace"
)

var update = flag.Bool("update", false, "write the golden verdicts anew")

var chromium, webkit = browser.Chromium, browser.WebKit

// golden compares with testdata/NAME.txt.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := "testdata/" + name + ".txt"
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the verdict is\n%s\nwant\n%s", got, want)
	}
}

func lost(spec, visitor, instance string) Diagnosis {
	d := diagnose.Diagnosis{
		Verdict: diagnose.VerdictLost, Lost: "a call went without it",
		Findings: []diagnose.Finding{{
			Cause: "cookie-not-partitioned", Title: instance + " set session without Partitioned", Hop: diagnose.HopBrowser, Instance: instance,
			Evidence: []string{"Set-Cookie: session=hmac:0123456789ab; Secure"}, Mend: []string{"partitioned: true"},
		}},
		RuledOut: []diagnose.RuledOut{{Cause: "cookie-samesite", How: "it was None"}},
	}
	return Diagnosis{Spec: spec, Visitor: visitor, Profile: "chromium", Trace: "traces/" + visitor + ".json", Sentence: d.Sentence(), Diagnosis: d}
}

// red is a run in which one cause felled two specs, and a third has none.
func red() *Run {
	r := &Run{Runtime: "processes", Seed: 7, Timings: Timings{Total: 40, Specs: 33, StackReady: 3},
		Profiles: []Profile{{Profile: chromium, Version: browser.Version{Browser: "Chromium 156", Found: "the system's"},
			Capability: trace.Capability{ThirdParty: "no", Partitioned: "yes", Isolated: "yes", Restart: "yes"}}},
		Waits: []Wait{{Profile: "chromium", Kind: "reload", Median: 0.094, Samples: []float64{0.09, 0.094, 0.2}, Budget: 1},
			{Profile: "chromium", Kind: "sign-in", Median: 0.25, Samples: []float64{0.25}}, {Profile: "webkit", Kind: "reload", Median: 2, Samples: []float64{2}, Budget: 0.5}},
		Headroom: []headroom.Use{
			{Limit: headroom.Attribute, Title: "a cookie attribute's value", Used: 6, Of: 1024, Unit: "bytes", What: "session", Whose: "browsers"},
			{Limit: headroom.Cookie, Title: "a cookie's name and value", Used: 2048, Of: 4096, Unit: "bytes", What: "session", Whose: "browsers"},
			{Limit: headroom.Header, Title: "a request's longest header line", Used: 16400, Of: 16384, Unit: "bytes", What: "Cookie of GET /", Whose: "Vercel's edge"}},
		Diagnoses: []Diagnosis{lost("persistence chromium outlives a reload", "ada", "auth-1"), lost("persistence chromium is there in a new tab", "bob", "auth-2")},
	}
	add := func(s Spec) { r.Specs = append(r.Specs, s); r.Counts.add(s.State) }
	fell := func(text string, d *Diagnosis) {
		s := Spec{Behaviour: "persistence", Profile: "chromium", Text: text, State: Failed, Message: "Expected the visitor to be\n    signed in", Where: "persistence_test.go:28", Reproduce: "make e2e ONE='" + text + "'"}
		if d != nil {
			s.Message = d.Visitor + " on chromium: " + d.String() + "\n\n" + s.Message
			s.Traces = []string{d.Trace}
		}
		add(s)
	}
	fell("outlives a reload", &r.Diagnoses[0])
	fell("is there in a new tab", &r.Diagnoses[1])
	fell("ends with the cookie's lifetime", nil)
	add(Spec{Behaviour: "sign-in", Profile: "chromium", State: Passed})
	add(Spec{Behaviour: "sign-in", Profile: "webkit", State: Passed})
	add(Spec{Behaviour: "persistence", Profile: "webkit", State: NotApplicable, Message: "webkit keeps no Partitioned cookie"})
	add(Spec{Behaviour: "persistence", Profile: "webkit", State: NotApplicable, Message: "webkit keeps no Partitioned cookie"})
	add(Spec{Behaviour: "token", Profile: "all", State: NotRun, Message: "the suite was interrupted"})
	return r
}

func TestVerdictOfARedRun(t *testing.T) { golden(t, "red", red().Verdict("reports/out")) }

func TestVerdictOfAGreenRun(t *testing.T) {
	r := red()
	r.Passed, r.Diagnoses, r.Counts = true, nil, Counts{}
	r.Waits, r.Headroom = r.Waits[:1], r.Headroom[:1]
	for i := range r.Specs {
		if r.Specs[i].State != NotApplicable {
			r.Specs[i].State = Passed
		}
		r.Counts.add(r.Specs[i].State)
	}
	golden(t, "green", r.Verdict("reports/out"))
}

func TestADiagnosisIsToldInFullOnce(t *testing.T) {
	text := red().Verdict("out")
	if n := strings.Count(text, "partitioned: true"); n != 1 {
		t.Errorf("the mend is told %d times:\n%s", n, text)
	}
	// Another cause, or the same in another browser, is told in full again.
	for name, change := range map[string]func(r *Run){
		"another cause":   func(r *Run) { r.Diagnoses[1].Findings[0].Cause = "cookie-samesite" },
		"another profile": func(r *Run) { r.Specs[1].Profile = "webkit" },
	} {
		r := red()
		change(r)
		if n := strings.Count(r.Verdict("out"), "partitioned: true"); n != 2 {
			t.Errorf("%s: the mend is told %d times", name, n)
		}
	}
}

func TestSentenceOfWhatWasNotJudged(t *testing.T) {
	for want, c := range map[string]Counts{
		"NOT JUDGED: no spec ran":                 {},
		"NOT JUDGED: none of the 3 specs chosen":  {NotApplicable: 3},
		"FAILED: 0 passed, 1 failed, 2 not run":   {Failed: 1, NotRun: 2},
		"FAILED: 1 passed, 0 failed · 0 s (stack": {Passed: 1},
	} {
		if got := (&Run{Counts: c}).Sentence(); !strings.HasPrefix(got, want) {
			t.Errorf("%+v: %q, want %q", c, got, want)
		}
	}
}

func TestACellTellsItsCountsApart(t *testing.T) {
	for want, c := range map[string]Counts{
		"✓ 4":                      {Passed: 4},
		"– 3 n/a":                  {NotApplicable: 3},
		"✓ 4 · 3 n/a":              {Passed: 4, NotApplicable: 3},
		"✗ 1 of 5 · 3 n/a":         {Passed: 4, Failed: 1, NotApplicable: 3},
		"✓ 4 · ! 2 infrastructure": {Passed: 4, Infrastructure: 2},
	} {
		if got := c.String(); got != want {
			t.Errorf("%+v is %q, want %q", c, got, want)
		}
	}
}
