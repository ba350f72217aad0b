package conformance

import (
	"context"
	"errors"
	"testing"
	"time"

	"crossing/harness/browser"
)

// cancelling wants each wait to end soon after its context was cancelled.
func (b *bench) cancelling(t *testing.T) {
	t.Run("nothing happens afterwards", b.calledOff)
	for name, wait := range map[string]func(ctx context.Context, p browser.Page) error{
		"click": func(ctx context.Context, p browser.Page) error { return p.Click(ctx, "#absent") },
		"fill":  func(ctx context.Context, p browser.Page) error { return p.Fill(ctx, "#absent", "x") },
		"eval": func(ctx context.Context, p browser.Page) error {
			return p.Eval(ctx, `() => new Promise(() => {})`, nil, nil)
		},
		"attributes": func(ctx context.Context, p browser.Page) error {
			_, err := p.Attributes(ctx, "#absent")
			return err
		},
		"frame": func(ctx context.Context, p browser.Page) error {
			_, err := p.Frame(ctx, "#absent")
			return err
		},
		"goto": func(ctx context.Context, p browser.Page) error { return p.Goto(ctx, front+"/hang") },
	} {
		t.Run(name, func(t *testing.T) {
			v := b.visit(t)
			v.goTo(front + "/plain")
			ctx, cancel := context.WithCancel(v.ctx)
			stop := time.AfterFunc(300*time.Millisecond, cancel)
			defer stop.Stop()
			err := promptly(t, "the way back", func() error { return wait(ctx, v.page) })
			if !errors.Is(err, context.Canceled) {
				t.Errorf("want context.Canceled, got %v", err)
			}
			err = promptly(t, "a call with a cancelled context", func() error { return wait(ctx, v.page) })
			if !errors.Is(err, context.Canceled) {
				t.Errorf("cancelled beforehand: want context.Canceled, got %v", err)
			}
		})
	}
}

// calledOff wants a click that was given up not to happen after all, once its
// element can be clicked.
func (b *bench) calledOff(t *testing.T) {
	v := b.visit(t)
	v.goTo(front + "/buttons")
	ctx, cancel := context.WithCancel(v.ctx)
	stop := time.AfterFunc(300*time.Millisecond, cancel)
	defer stop.Stop()
	if err := v.page.Click(ctx, "#off"); !errors.Is(err, context.Canceled) {
		t.Fatalf("want context.Canceled, got %v", err)
	}
	type state struct {
		Enabled bool `json:"enabled"`
		Clicks  int  `json:"clicks"`
	}
	// A second is ten times the pause between a driver's tries.
	got := eval[state](v, v.page, `async () => {
		const off = document.getElementById('off')
		off.disabled = false
		await new Promise(done => setTimeout(done, 1000))
		return {enabled: !off.disabled, clicks: clicks.off || 0}
	}`, nil)
	if !got.Enabled || got.Clicks != 0 {
		t.Errorf("after the click was called off: %+v, want enabled and no click", got)
	}
}

// dead kills the engine and wants every call to say so, soon, even one that
// was waiting at that moment.
func (b *bench) dead(t *testing.T) {
	br := b.start(t, workDir(t))
	v := b.visitWith(t, br)
	v.goTo(front + "/plain")

	waiting := make(chan error, 1)
	go func() { waiting <- v.page.Eval(v.ctx, `() => new Promise(() => {})`, nil, nil) }()
	if err := v.page.Click(v.ctx, "#text"); err != nil {
		t.Fatalf("the page is not alive to begin with: %v", err)
	}
	if err := b.driver.Kill(v.session); err != nil {
		t.Fatalf("kill the browser: %v", err)
	}
	select {
	case err := <-waiting:
		if !errors.Is(err, browser.ErrDead) {
			t.Errorf("the call that was waiting: want ErrDead, got %v", err)
		}
	case <-time.After(prompt):
		t.Errorf("the call that was waiting still does, %v after the kill", prompt)
	}
	for name, call := range map[string]func() error{
		"goto":       func() error { return v.page.Goto(v.ctx, front+"/plain") },
		"reload":     func() error { return v.page.Reload(v.ctx) },
		"eval":       func() error { return v.page.Eval(v.ctx, `() => 1`, nil, nil) },
		"click":      func() error { return v.page.Click(v.ctx, "#text") },
		"fill":       func() error { return v.page.Fill(v.ctx, "#text", "x") },
		"url":        func() error { _, err := v.page.URL(v.ctx); return err },
		"attributes": func() error { _, err := v.page.Attributes(v.ctx, "#text"); return err },
		"frame":      func() error { _, err := v.page.Frame(v.ctx, "#text"); return err },
		"screenshot": func() error { _, err := v.page.Screenshot(v.ctx); return err },
		"new page":   func() error { _, err := v.session.NewPage(v.ctx); return err },
		"cookies":    func() error { _, err := v.session.Cookies(v.ctx); return err },
	} {
		if err := promptly(t, name, call); !errors.Is(err, browser.ErrDead) {
			t.Errorf("%s on a dead browser: want ErrDead, got %v", name, err)
		}
	}
}
