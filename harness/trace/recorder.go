package trace

import (
	"slices"
	"sync"
	"time"
)

// Recorder collects one visitor's trace while it happens. Its methods may be
// called from several goroutines.
type Recorder struct {
	redactor *Redactor

	mu sync.Mutex
	t  Trace
}

// NewRecorder starts a trace. Of head, only what is known beforehand is set:
// run, spec, visitor, profile, browser, subject.
func NewRecorder(r *Redactor, head Trace) *Recorder {
	head.Version = Version
	return &Recorder{redactor: r, t: head}
}

// Redactor returns the run's redactor.
func (r *Recorder) Redactor() *Redactor { return r.redactor }

func (r *Recorder) change(f func(t *Trace)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f(&r.t)
}

// Exchange adds e.
func (r *Recorder) Exchange(e Exchange) {
	r.change(func(t *Trace) { t.Exchanges = append(t.Exchanges, e) })
}

// Jar adds j.
func (r *Recorder) Jar(j Jar) { r.change(func(t *Trace) { t.Jars = append(t.Jars, j) }) }

// Standing adds s.
func (r *Recorder) Standing(s Standing) {
	r.change(func(t *Trace) { t.Standings = append(t.Standings, s) })
}

// Mark adds m.
func (r *Recorder) Mark(m Mark) { r.change(func(t *Trace) { t.Marks = append(t.Marks, m) }) }

// Observe adds o, dated now where it has no date.
func (r *Recorder) Observe(o Observation) {
	if o.Time.IsZero() {
		o.Time = time.Now()
	}
	r.change(func(t *Trace) { t.Observations = append(t.Observations, o) })
}

// Refusal adds f.
func (r *Recorder) Refusal(f Refusal) {
	r.change(func(t *Trace) { t.Refusals = append(t.Refusals, f) })
}

// PageError adds e, its text scrubbed.
func (r *Recorder) PageError(e PageError) {
	e.Text = r.redactor.Scrub(e.Text)
	r.change(func(t *Trace) { t.PageErrors = append(t.PageErrors, e) })
}

// Log adds l, its text scrubbed.
func (r *Recorder) Log(l LogLine) {
	l.Text = r.redactor.Scrub(l.Text)
	r.change(func(t *Trace) { t.Logs = append(t.Logs, l) })
}

// Gap notes once what this engine cannot report.
func (r *Recorder) Gap(text string) {
	r.change(func(t *Trace) {
		if !slices.Contains(t.Gaps, text) {
			t.Gaps = append(t.Gaps, text)
		}
	})
}

// Capability sets what the profile was measured to do.
func (r *Recorder) Capability(c Capability) { r.change(func(t *Trace) { t.Capability = &c }) }

// Snapshot returns the trace so far, in the order of time. Later additions do
// not touch it.
func (r *Recorder) Snapshot() Trace {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.t
	t.Exchanges = sorted(t.Exchanges, func(e Exchange) time.Time { return e.Time })
	t.Jars = slices.Clone(t.Jars)
	t.Standings = slices.Clone(t.Standings)
	t.Marks = slices.Clone(t.Marks)
	t.Observations = slices.Clone(t.Observations)
	t.Refusals = sorted(t.Refusals, func(f Refusal) time.Time { return f.Time })
	t.PageErrors = slices.Clone(t.PageErrors)
	t.Logs = slices.Clone(t.Logs)
	t.Gaps = slices.Clone(t.Gaps)
	return t
}

func sorted[T any](all []T, at func(T) time.Time) []T {
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b T) int { return at(a).Compare(at(b)) })
	return all
}
