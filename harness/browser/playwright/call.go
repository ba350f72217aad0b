package playwright

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	pw "github.com/mxschmitt/playwright-go"

	"crossing/harness/browser"
)

// defaultLimit bounds a call whose context has no deadline.
const defaultLimit = 30 * time.Second

// life is how long a browser lives: over is closed when it has gone, by
// whatever cause.
type life struct {
	over chan struct{}
	once sync.Once
}

func newLife() *life { return &life{over: make(chan struct{})} }

func (l *life) end() { l.once.Do(func() { close(l.over) }) }

func (l *life) ended() bool {
	select {
	case <-l.over:
		return true
	default:
		return false
	}
}

// call runs f, which blocks in the library, and returns when f does, when ctx
// ends, or when the browser has gone. The library knows no contexts, but
// limits in milliseconds: f gets the one that lets the driver answer, with its
// reasons, just before ctx ends.
func call[T any](ctx context.Context, l *life, f func(ms float64) (T, error)) (T, error) {
	var none T
	if err := ctx.Err(); err != nil {
		return none, err
	}
	if l.ended() {
		return none, browser.ErrDead
	}
	if _, bounded := ctx.Deadline(); !bounded {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, defaultLimit)
		defer cancel()
	}
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := f(millis(ctx))
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		if r.err != nil {
			return none, judged(l, r.err)
		}
		return r.value, nil
	case <-l.over:
		return none, browser.ErrDead
	case <-ctx.Done():
		return none, ctx.Err()
	}
}

// millis is what is left of ctx, less the time for an answer on its way.
func millis(ctx context.Context) float64 {
	deadline, _ := ctx.Deadline()
	left := time.Until(deadline)
	left -= min(max(left/20, 20*time.Millisecond), 500*time.Millisecond)
	return max(1, float64(left.Milliseconds())) // 0 means no limit to the driver
}

// grace is how long after a failed call the word may come that the whole
// browser has gone: the driver fails what was pending first.
const grace = time.Second

// driverGone are the library's words for a driver process that has ended; it
// has no type for them.
var driverGone = []string{"Connection closed", "transport closed", "could not send message", "could not read protocol"}

// judged tells a browser that has gone from everything else.
func judged(l *life, err error) error {
	for _, words := range driverGone {
		if strings.Contains(err.Error(), words) {
			l.end()
			return fmt.Errorf("%w: Playwright's driver has ended", browser.ErrDead)
		}
	}
	if !errors.Is(err, pw.ErrTargetClosed) {
		return err
	}
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-l.over:
		return browser.ErrDead
	case <-timer.C:
		return err
	}
}

// reasons are the driver's own words for why it is still waiting for an
// element; the last that its call log holds is the one that matters.
var reasons = []string{
	"element is not visible", "element is not enabled", "element is not editable", "element is not stable",
	"intercepts pointer events", "element is outside of the viewport", "element was detached", "is not an <input>",
}

// noElement turns the end of a wait for selector into ErrNoElement with the
// driver's reason. A cancelled wait stays that.
func noElement(selector string, err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%w for %s: %w", browser.ErrNoElement, selector, err)
	}
	reason := lastReason(err.Error())
	if reason == "" && !errors.Is(err, pw.ErrTimeout) {
		return err
	}
	if reason == "" {
		reason = "nothing fits it"
	}
	return fmt.Errorf("%w for %s: %s", browser.ErrNoElement, selector, reason)
}

func lastReason(text string) string {
	last := ""
	for line := range strings.SplitSeq(text, "\n") {
		for _, reason := range reasons {
			if strings.Contains(line, reason) {
				last = strings.TrimLeft(strings.TrimSpace(line), "- ")
			}
		}
	}
	return last
}

// told shortens what the library says to its first line, and keeps what errors
// are told apart by.
func told(err error) error {
	if err == nil || !errors.Is(err, pw.ErrPlaywright) {
		return err
	}
	return errors.New(firstLine(err.Error()))
}
