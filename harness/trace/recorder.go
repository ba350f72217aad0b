package trace

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// Recorder collects one visitor's trace while it happens. Its methods may be
// called from several goroutines.
type Recorder struct {
	redactor *Redactor

	mu      sync.Mutex
	t       Trace
	changed chan struct{} // closed and replaced at each exchange
}

// NewRecorder starts a trace. Of head, only what is known beforehand is set:
// run, spec, visitor, profile, browser, subject.
func NewRecorder(r *Redactor, head Trace) *Recorder {
	head.Version = Version
	return &Recorder{redactor: r, t: head, changed: make(chan struct{})}
}

// Redactor returns the run's redactor.
func (r *Recorder) Redactor() *Redactor { return r.redactor }

func (r *Recorder) change(f func(t *Trace)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f(&r.t)
}

// Exchange adds e, and wakes those who Await it.
func (r *Recorder) Exchange(e Exchange) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.t.Exchanges = append(r.t.Exchanges, e)
	close(r.changed)
	r.changed = make(chan struct{})
}

// Await returns the first exchange that began at or after since and that fits,
// as soon as it has been recorded. On ctx's end the error says what was wanted
// and lists the exchanges since then.
func (r *Recorder) Await(ctx context.Context, since time.Time, wanted string, fits func(Exchange) bool) (Exchange, error) {
	for {
		r.mu.Lock()
		all, changed := r.t.Exchanges, r.changed
		r.mu.Unlock()
		for _, e := range all {
			if !e.Time.Before(since) && fits(e) {
				return e, nil
			}
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return Exchange{}, fmt.Errorf("await %s: %w; seen since then: %s", wanted, ctx.Err(), list(all, since))
		}
	}
}

// list names the exchanges since a moment, shortly.
func list(all []Exchange, since time.Time) string {
	var lines []string
	for _, e := range all {
		if !e.Time.Before(since) {
			lines = append(lines, fmt.Sprintf("%s %s%s → %d", e.Method, e.Origin, e.Path, e.Status))
		}
	}
	if len(lines) == 0 {
		return "nothing"
	}
	return strings.Join(lines, ", ")
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
