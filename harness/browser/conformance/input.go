package conformance

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"crossing/harness/browser"
)

const short = 1500 * time.Millisecond

func (b *bench) clicking(t *testing.T) {
	v := b.visit(t)
	on := func(t *testing.T) *visitor {
		w := *v
		w.t = t
		w.goTo(front + "/buttons")
		return &w
	}
	t.Run("the event is trusted, and there is one", func(t *testing.T) {
		v := on(t)
		v.click(v.page, "#now")
		v.wantClicks("#now", 1)
		if fake := eval[int](v, v.page, `() => fake`, nil); fake != 0 {
			t.Errorf("%d events were not trusted", fake)
		}
	})
	t.Run("waits for an element that appears", func(t *testing.T) {
		v := on(t)
		eval[any](v, v.page, `ms => { later(ms) }`, 400)
		v.click(v.page, "#later")
		v.wantClicks("#later", 1)
	})
	t.Run("waits for an element to be enabled", func(t *testing.T) {
		v := on(t)
		eval[any](v, v.page, `ms => { enable(ms) }`, 400)
		v.click(v.page, "#off")
		v.wantClicks("#off", 1)
	})
	t.Run("scrolls to an element below", func(t *testing.T) {
		v := on(t)
		v.click(v.page, "#far")
		v.wantClicks("#far", 1)
	})
	t.Run("waits for an element to stand still", func(t *testing.T) {
		v := on(t)
		eval[any](v, v.page, `ms => { drift(ms) }`, 400)
		v.click(v.page, "#now")
		v.wantClicks("#now", 1)
		if still := eval[bool](v, v.page, `() => still`, nil); !still {
			t.Error("it was clicked while it moved")
		}
	})
	t.Run("finds an element that moves from under the click", func(t *testing.T) {
		v := on(t)
		eval[any](v, v.page, `() => { dodge() }`, nil)
		v.click(v.page, "#now")
		v.wantClicks("#now", 1)
		v.wantClicks("#decoyed", 0)
	})
	t.Run("follows a link", func(t *testing.T) {
		v := on(t)
		v.click(v.page, "#link")
		until(v, "the page after the click", front+"/plain", func() string {
			url, err := v.page.URL(v.ctx)
			if err != nil {
				return err.Error()
			}
			return url
		})
	})
	for _, c := range []struct{ name, selector string }{
		{"a missing element", "#absent"}, {"a disabled element", "#off"},
		{"a covered element", "#under"}, {"a hidden element", "#hidden"},
	} {
		t.Run(c.name+" is not clicked", func(t *testing.T) {
			v := on(t)
			v.noElement(c.selector, func(ctx context.Context) error { return v.page.Click(ctx, c.selector) })
			v.wantClicks(c.selector, 0)
			v.wantClicks("#cover", 0)
		})
	}
}

func (b *bench) typing(t *testing.T) {
	v := b.visit(t)
	on := func(t *testing.T) *visitor {
		w := *v
		w.t = t
		w.goTo(front + "/form")
		return &w
	}
	for selector, text := range map[string]string{
		"#plain":  "Zoë Ωmega 日本 🙂 \"quoted\"",
		"#mail":   "ada+test@example.com",
		"#secret": "p@ss{word}[1]~^",
		"#area":   "first line\nsecond line",
	} {
		t.Run("replaces the text of "+selector, func(t *testing.T) {
			v := on(t)
			v.fill(v.page, selector, text)
			v.wantValue(selector, text)
			typed := eval[int](v, v.page, `id => events.filter(e => e === id).length`, selector[1:])
			if fake := eval[int](v, v.page, `() => fake`, nil); typed == 0 || fake != 0 {
				t.Errorf("%d trusted input events and %d others, want some and none", typed, fake)
			}
		})
	}
	t.Run("a controlled input takes the text, and then another", func(t *testing.T) {
		v := on(t)
		for _, text := range []string{"Ada Lovelace", "Grace", ""} {
			v.fill(v.page, "#controlled", text)
			v.wantValue("#controlled", text)
			if state := eval[string](v, v.page, `() => state`, nil); state != text {
				t.Errorf("the component holds %q, want %q", state, text)
			}
		}
	})
	t.Run("an empty text clears", func(t *testing.T) {
		v := on(t)
		v.fill(v.page, "#plain", "")
		v.wantValue("#plain", "")
	})
	for _, c := range []struct{ name, selector, value string }{
		{"a missing field", "#absent", ""},
		{"a read-only field", "#locked", "stays"},
		{"a disabled field", "#off", "stays"},
	} {
		t.Run(c.name+" takes nothing", func(t *testing.T) {
			v := on(t)
			v.noElement(c.selector, func(ctx context.Context) error { return v.page.Fill(ctx, c.selector, "text") })
			if c.value != "" {
				v.wantValue(c.selector, c.value)
			}
		})
	}
	t.Run("attributes", func(t *testing.T) {
		v := on(t)
		v.goTo(front + "/plain")
		got, err := v.page.Attributes(v.ctx, "#text")
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]string{"": "hello & welcome", "id": "text", "data-kind": "greeting"}
		for name, value := range want {
			if got[name] != value {
				t.Errorf("attribute %q is %q, want %q", name, got[name], value)
			}
		}
		if len(got) != len(want) {
			t.Errorf("got %v, want %v", got, want)
		}
		v.noElement("#absent", func(ctx context.Context) error {
			_, err := v.page.Attributes(ctx, "#absent")
			return err
		})
	})
}

func (v *visitor) click(in browser.Scope, selector string) {
	v.t.Helper()
	if err := in.Click(v.ctx, selector); err != nil {
		v.t.Fatalf("click %s: %v", selector, err)
	}
}

func (v *visitor) fill(in browser.Scope, selector, text string) {
	v.t.Helper()
	if err := in.Fill(v.ctx, selector, text); err != nil {
		v.t.Fatalf("fill %s: %v", selector, err)
	}
}

func (v *visitor) wantClicks(selector string, want int) {
	v.t.Helper()
	if got := eval[int](v, v.page, `id => clicks[id] || 0`, selector[1:]); got != want {
		v.t.Errorf("%s was clicked %d times, want %d", selector, got, want)
	}
}

func (v *visitor) wantValue(selector, want string) {
	v.t.Helper()
	if got := eval[string](v, v.page, `s => document.querySelector(s).value`, selector); got != want {
		v.t.Errorf("%s holds %q, want %q", selector, got, want)
	}
}

// noElement wants f, given a short time, to answer ErrNoElement with the
// selector, and neither too early nor too late.
func (v *visitor) noElement(selector string, f func(ctx context.Context) error) {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.ctx, short)
	defer cancel()
	begin := time.Now()
	err := promptly(v.t, "waiting for "+selector, func() error { return f(ctx) })
	if !errors.Is(err, browser.ErrNoElement) {
		v.t.Fatalf("%s: want ErrNoElement, got %v", selector, err)
	}
	if !strings.Contains(err.Error(), selector) {
		v.t.Errorf("the error does not name %s: %v", selector, err)
	}
	if took := time.Since(begin); took < short/2 {
		v.t.Errorf("gave up on %s after %v of %v", selector, took.Round(time.Millisecond), short)
	}
}
