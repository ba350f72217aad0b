package rig

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"

	"crossing/harness/diagnose"
	"crossing/harness/trace"
	"crossing/harness/visit"
	"crossing/reports"
)

func (r *Rig) arrived(v *Visitor) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.visitors = append(r.visitors, v)
}

func (r *Rig) left(v *Visitor) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.visitors = slices.DeleteFunc(r.visitors, func(o *Visitor) bool { return o == v })
}

// fail is Gomega's fail handler: it explains every visitor's trace and puts
// that above the assertion, in whatever shows the failure.
func (r *Rig) fail(message string, skip ...int) {
	depth := 1
	if len(skip) > 0 {
		depth += skip[0]
	}
	r.mu.Lock()
	here, asking := slices.Clone(r.visitors), slices.Clone(r.callers)
	r.mu.Unlock()
	var text strings.Builder
	for _, v := range here {
		if said := v.explain(); said != "" {
			fmt.Fprintf(&text, "%s\n\n", said)
		}
	}
	for _, c := range asking {
		if said := r.explainCaller(c); said != "" {
			fmt.Fprintf(&text, "%s\n\n", said)
		}
	}
	text.WriteString(message)
	scrubbed := text.String()
	if r.redactor != nil {
		scrubbed = r.redactor.Scrub(scrubbed)
	}
	Fail(scrubbed, depth)
}

// explain observes once, explains, and leaves trace and screenshot among the
// artefacts. What goes wrong with that is part of the text: a failure must not
// be hidden by the failure to explain it.
func (v *Visitor) explain() string {
	if v.looked {
		return ""
	}
	v.looked = true
	ctx, cancel := context.WithTimeout(context.Background(), visit.Looking)
	defer cancel()
	var notes []string
	note := func(what string, err error) {
		if err != nil {
			notes = append(notes, fmt.Sprintf("(%s: %v)", what, err))
		}
	}
	d, missing := v.Visitor.Explain(ctx)
	for _, err := range missing {
		notes = append(notes, fmt.Sprintf("(%v)", err))
	}
	name := artefact(v.Name)
	path := filepath.Join("traces", name+".json")
	note("the trace was not written", save(v.Recorder, filepath.Join(v.rig.settings.OutDir, path)))
	shot := ""
	if v.Page != nil {
		last := seen{}
		err := v.picture(ctx, &last)
		if err == nil {
			shot, err = v.keep(last, filepath.Join("screenshots", name+".png"))
		}
		note("no screenshot", err)
		v.rig.outlived(v, err)
	}
	steps, err := v.kept(name)
	note("pictures of steps were not written", err)
	v.rig.diagnosed(reports.Diagnosis{
		Visitor: v.Name, Profile: v.Profile.Name, Trace: path, Screenshot: shot, Steps: steps, Sentence: d.Sentence(), Diagnosis: d,
	})
	if d.Verdict != diagnose.VerdictHealthy && d.Verdict != diagnose.VerdictUnjudged {
		notes = append([]string{d.String()}, notes...)
	}
	if len(notes) == 0 {
		return ""
	}
	return v.rig.say(fmt.Sprintf("%s on %s: %s", v.Name, v.Profile.Name, strings.Join(notes, "\n")))
}

// diagnosed notes a diagnosis for whatever shows the failure.
func (r *Rig) diagnosed(d reports.Diagnosis) {
	r.facts.diagnosis(d)
	AddReportEntry("trace", d.Trace, ReportEntryVisibilityNever)
	for _, f := range d.Findings {
		// A property of the test case in junit.xml.
		AddReportEntry("cause", f.Cause, ReportEntryVisibilityNever)
	}
}

// say keeps what stands above an assertion: Ginkgo drops the message of one
// that fails after a time-out.
func (r *Rig) say(text string) string {
	AddReportEntry("diagnosis", r.redactor.Scrub(text), ReportEntryVisibilityNever)
	return text
}

var unfit = regexp.MustCompile(`[^a-zA-Z0-9]+`)

// artefact is a file name that says which spec of whose it belongs to.
func artefact(who string) string {
	name := strings.Trim(unfit.ReplaceAllString(CurrentSpecReport().FullText(), "-"), "-")
	return name[:min(len(name), 120)] + "-" + who
}

func save(recorder *trace.Recorder, path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return recorder.Save(path)
}

func write(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o644)
}

// event tells the command, which shows it to a person, what is being done.
type event struct {
	Time    time.Time
	Kind    string // "progress", "begin" or "end"
	Text    string
	Profile string        `json:",omitempty"`
	State   string        `json:",omitempty"`
	Why     string        `json:",omitempty"` // the failure's first line: the diagnosis, where there is one
	Took    time.Duration `json:",omitempty"`
}

func (r *Rig) event(text string) { r.tell(event{Kind: "progress", Text: text}) }

// begin and end tell of each spec.
func (r *Rig) begin(s SpecReport) {
	if s.State.Is(0) || s.LeafNodeText != "" {
		r.tell(event{Kind: "begin", Text: specName(s)})
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fresh = false
}

func (r *Rig) end(s SpecReport) {
	state := s.State.String()
	if strings.HasPrefix(s.Failure.Message, inapplicable) {
		state = "not applicable"
	}
	if reports.IsQuarantined(s.Labels()) && (s.State.Is(types.SpecStatePassed) || s.Failed()) {
		state = "quarantined"
	}
	e := event{Kind: "end", Text: specName(s), State: state, Took: s.RunTime}
	if s.Failed() {
		e.Why, _, _ = strings.Cut(s.Failure.Message, "\n")
	}
	r.tell(e)
}

func specName(s SpecReport) string {
	return strings.Join(append(slices.Clone(s.ContainerHierarchyTexts), s.LeafNodeText), " · ")
}

// tell appends a line; each is written at once, so that the lines of parallel
// processes do not mix (write(2) with O_APPEND).
func (r *Rig) tell(e event) {
	if r.settings.Events == "" {
		return
	}
	e.Time = time.Now()
	line, err := json.Marshal(e)
	if err != nil {
		return
	}
	file, err := os.OpenFile(r.settings.Events, os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return
	}
	defer func() { _ = file.Close() }()
	_, _ = file.Write(append(line, '\n'))
}
