package rig

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"crossing/harness/diagnose"
	"crossing/harness/trace"
	"crossing/reports"
)

func (r *Rig) asking(c *Caller) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.callers = append(r.callers, c)
}

func (r *Rig) asked(c *Caller) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.callers = slices.DeleteFunc(r.callers, func(o *Caller) bool { return o == c })
}

// lastAsked is how many answers stand above an assertion that no cause explains.
const lastAsked = 3

// explainCaller does for a spec without a browser what explain does for a
// visitor: it leaves the trace, and says why the services refused, or what they
// answered last.
func (r *Rig) explainCaller(c *Caller) string {
	seen := c.Recorder.Snapshot()
	if c.looked || len(seen.Exchanges) == 0 {
		return ""
	}
	c.looked = true
	d := diagnose.Explain(seen)
	path := filepath.Join("traces", artefact(c.name)+".json")
	text := d.String()
	if len(d.Findings) == 0 {
		text = "asked last:"
		for _, e := range seen.Exchanges[max(0, len(seen.Exchanges)-lastAsked):] {
			text += "\n  " + answered(e)
		}
	}
	if err := save(c.Recorder, filepath.Join(r.settings.OutDir, path)); err != nil {
		text += fmt.Sprintf("\n(the trace was not written: %v)", err)
	}
	r.diagnosed(reports.Diagnosis{Visitor: c.name, Profile: trace.NoBrowser, Trace: path, Sentence: d.Sentence(), Diagnosis: d})
	return r.say(c.name + ", without a browser: " + text)
}

// answered is an exchange in one line.
func answered(e trace.Exchange) string {
	text := fmt.Sprintf("%s %s %s%s → %d", e.ID, e.Method, e.Origin, e.Path, e.Status)
	if e.Err != "" {
		text = strings.TrimSuffix(text, "0") + "no answer: " + e.Err
	}
	if e.Instance != "" {
		text += " (" + e.Instance + ")"
	}
	return text
}
