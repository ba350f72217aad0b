package trace

import (
	"context"
	"encoding/json"
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
	guarded func(text string) bool // nil: nothing is
	t       Trace
	changed chan struct{} // closed and replaced at each exchange and refusal
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

// wake is change for what others wait for.
func (r *Recorder) wake(f func(t *Trace)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f(&r.t)
	close(r.changed)
	r.changed = make(chan struct{})
}

// Exchange adds e, and wakes those who Await or Follow it.
func (r *Recorder) Exchange(e Exchange) {
	r.wake(func(t *Trace) { t.Exchanges = append(t.Exchanges, e) })
}

// Follow calls exchange and refusal with all that was recorded and all that
// will be, each kind in the order of its recording, until ctx ends. The two
// are called one at a time.
func (r *Recorder) Follow(ctx context.Context, exchange func(Exchange), refusal func(Refusal)) {
	exchanges, refusals := 0, 0
	for {
		r.mu.Lock()
		// What is recorded is never changed, so that it can be read on.
		es, fs, changed := r.t.Exchanges[exchanges:], r.t.Refusals[refusals:], r.changed
		r.mu.Unlock()
		exchanges, refusals = exchanges+len(es), refusals+len(fs)
		for _, e := range es {
			exchange(e)
		}
		for _, f := range fs {
			refusal(f)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
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

// Jar adds j, the page's address redacted.
func (r *Recorder) Jar(j Jar) {
	j.Page = r.redactor.URL(j.Page)
	r.change(func(t *Trace) { t.Jars = append(t.Jars, j) })
}

// Standing adds s, its detail scrubbed.
func (r *Recorder) Standing(s Standing) {
	s.Detail = r.redactor.Scrub(s.Detail)
	r.change(func(t *Trace) { t.Standings = append(t.Standings, s) })
}

// Mark adds m, its error scrubbed.
func (r *Recorder) Mark(m Mark) {
	m.Err = r.redactor.Scrub(m.Err)
	r.change(func(t *Trace) { t.Marks = append(t.Marks, m) })
}

// Observe adds o, its detail scrubbed, dated now where it has no date.
func (r *Recorder) Observe(o Observation) {
	o.Detail = r.redactor.Scrub(o.Detail)
	if o.Time.IsZero() {
		o.Time = time.Now()
	}
	r.change(func(t *Trace) { t.Observations = append(t.Observations, o) })
}

// Refusal adds f, its address redacted.
func (r *Recorder) Refusal(f Refusal) {
	f.URL = r.redactor.URL(f.URL)
	r.wake(func(t *Trace) { t.Refusals = append(t.Refusals, f) })
}

// Guard has the errors of pages and the log lines of services looked through
// for what may stand in none of them; found answers whether it does.
func (r *Recorder) Guard(found func(text string) bool) {
	r.change(func(*Trace) { r.guarded = found })
}

// inLog is the Leak of a line that is logged.
func (r *Recorder) inLog(text string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.guarded == nil || !r.guarded(text) {
		return ""
	}
	return LeakIn("what is logged")
}

// PageError adds e, its text scrubbed and its page's address redacted.
func (r *Recorder) PageError(e PageError) {
	e.Leak = r.inLog(e.Text)
	e.Page = r.redactor.URL(e.Page)
	e.Text = r.redactor.Scrub(e.Text)
	r.change(func(t *Trace) { t.PageErrors = append(t.PageErrors, e) })
}

// Log adds l, its text scrubbed.
func (r *Recorder) Log(l LogLine) {
	l.Leak = r.inLog(l.Text)
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

// Hosts says that from now on Host tells every host that a page asks for.
func (r *Recorder) Hosts() {
	r.change(func(t *Trace) {
		if t.Hosts == nil {
			t.Hosts = []string{}
		}
	})
}

// Host notes once that a page asked host for something.
func (r *Recorder) Host(host string) {
	r.change(func(t *Trace) {
		if !slices.Contains(t.Hosts, host) {
			t.Hosts = append(t.Hosts, host)
		}
	})
}

// Capability sets what the profile was measured to do.
func (r *Recorder) Capability(c Capability) { r.change(func(t *Trace) { t.Capability = &c }) }

// Snapshot returns the trace so far, in the order of time; log lines have none
// and stay as they came. Later additions do not touch it.
func (r *Recorder) Snapshot() Trace {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.t
	t.Exchanges = sorted(t.Exchanges, func(e Exchange) time.Time { return e.Time })
	t.Jars = sorted(t.Jars, func(j Jar) time.Time { return j.Time })
	t.Standings = sorted(t.Standings, func(s Standing) time.Time { return s.Time })
	t.Marks = sorted(t.Marks, func(m Mark) time.Time { return m.Begin })
	t.Observations = sorted(t.Observations, func(o Observation) time.Time { return o.Time })
	t.Refusals = sorted(t.Refusals, func(f Refusal) time.Time { return f.Time })
	t.PageErrors = sorted(t.PageErrors, func(e PageError) time.Time { return e.Time })
	t.Logs = append([]LogLine{}, t.Logs...)
	t.Gaps = slices.Clone(t.Gaps)
	t.Hosts = slices.Clone(t.Hosts)
	return t
}

// Save writes the trace so far to the file at path, scrubbed once more with
// all that has been learnt since its parts were added.
func (r *Recorder) Save(path string) error {
	data, err := json.Marshal(r.Snapshot())
	if err != nil {
		return fmt.Errorf("save the trace of %s: %w", r.t.Visitor, err)
	}
	// By value alone: the names in it are this format's own.
	text, err := rewrite(data, writer{r: r.redactor})
	if err != nil {
		return fmt.Errorf("save the trace of %s: %w", r.t.Visitor, err)
	}
	return write(path, []byte(text))
}

// sorted returns a copy that is never nil: an empty list is written as one.
func sorted[T any](all []T, at func(T) time.Time) []T {
	all = append([]T{}, all...)
	slices.SortStableFunc(all, func(a, b T) int { return at(a).Compare(at(b)) })
	return all
}
