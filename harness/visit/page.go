package visit

import (
	"context"
	"fmt"
	"time"

	"crossing/harness/trace"
)

// slack is how far a browser's clock may be from the harness's, both of which
// are this machine's.
const slack = 5 * time.Second

// lookAtPage observes what only the open page can tell: its clock, and the
// service worker that answers its requests. Neither question leaves the page.
func (v *Visitor) lookAtPage(ctx context.Context) error {
	var seen struct {
		Now    float64 `json:"now"`
		Worker string  `json:"worker"`
	}
	const script = `() => ({now: Date.now(), worker: navigator.serviceWorker?.controller?.scriptURL ?? ""})`
	if err := v.Page.Eval(ctx, script, nil, &seen); err != nil {
		return err
	}
	clock := trace.Observation{Name: trace.ObserveClock, Instance: "browser", Answer: trace.AnswerYes}
	if ahead := time.Until(time.UnixMilli(int64(seen.Now))); ahead.Abs() > slack {
		clock.Answer, clock.Detail = trace.AnswerNo, fmt.Sprintf("%+.0f s", ahead.Seconds())
	}
	v.Recorder.Observe(clock)
	worker := trace.Observation{Name: trace.ObserveWorker, Instance: "browser", Answer: trace.AnswerAbsent}
	if seen.Worker != "" {
		worker.Answer, worker.Detail = trace.AnswerPresent, seen.Worker
	}
	v.Recorder.Observe(worker)
	return nil
}
