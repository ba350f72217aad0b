package conformance

import (
	"context"
	"testing"

	"crossing/harness/browser"
)

func (b *bench) frames(t *testing.T) {
	v := b.visit(t)
	on := func(t *testing.T) *visitor {
		w := *v
		w.t = t
		w.goTo(front + "/framed")
		return &w
	}
	t.Run("the inside of a cross-site frame", func(t *testing.T) {
		v := on(t)
		inside := v.frame("#inner")
		if got := eval[string](v, inside, `() => location.origin`, nil); got != back {
			t.Errorf("the frame's origin is %s, want %s", got, back)
		}
		if url, err := inside.URL(v.ctx); err != nil || url != back+"/inside" {
			t.Errorf("the frame's URL is %q (%v), want %s", url, err, back+"/inside")
		}
		if got := v.text(inside, "#text"); got != "inner text" {
			t.Errorf("the frame says %q, want inner text", got)
		}
		v.click(inside, "#press")
		v.fill(inside, "#field", "typed within")
		type state struct {
			Pressed int    `json:"pressed"`
			Typed   int    `json:"typed"`
			Value   string `json:"value"`
		}
		got := eval[state](v, inside, `() => ({pressed, typed, value: document.getElementById('field').value})`, nil)
		if got.Pressed != 1 || got.Typed == 0 || got.Value != "typed within" {
			t.Errorf("the frame saw %+v, want one trusted click and the text by trusted events", got)
		}
	})
	t.Run("the page stays the page", func(t *testing.T) {
		v := on(t)
		inside := v.frame("#inner")
		if got := eval[string](v, v.page, `() => location.origin`, nil); got != front {
			t.Errorf("the page's origin is %s, want %s", got, front)
		}
		if got := v.text(v.page, "h1"); got != "outer" {
			t.Errorf("the page says %q, want outer", got)
		}
		if got := eval[string](v, inside, `() => document.title`, nil); got != "inside" {
			t.Errorf("back in the frame the title is %q, want inside", got)
		}
	})
	t.Run("elements are looked for in their own document only", func(t *testing.T) {
		v := on(t)
		inside := v.frame("#inner")
		v.noElement("#press", func(ctx context.Context) error { return v.page.Click(ctx, "#press") })
		v.noElement("h1", func(ctx context.Context) error { return inside.Click(ctx, "h1") })
	})
	t.Run("a frame that appears later", func(t *testing.T) {
		v := on(t)
		eval[any](v, v.page, `ms => { late(ms) }`, 400)
		late := v.frame("#late")
		if got := eval[string](v, late, `() => location.origin`, nil); got != stranger {
			t.Errorf("the frame's origin is %s, want %s", got, stranger)
		}
	})
	t.Run("no such frame", func(t *testing.T) {
		v := on(t)
		v.noElement("#no-frame", func(ctx context.Context) error {
			_, err := v.page.Frame(ctx, "#no-frame")
			return err
		})
	})
	t.Run("after a reload", func(t *testing.T) {
		v := on(t)
		v.frame("#inner")
		if err := v.page.Reload(v.ctx); err != nil {
			t.Fatalf("reload: %v", err)
		}
		if got := v.text(v.frame("#inner"), "#text"); got != "inner text" {
			t.Errorf("the frame says %q, want inner text", got)
		}
	})
}

func (v *visitor) frame(selector string) browser.Scope {
	v.t.Helper()
	f, err := v.page.Frame(v.ctx, selector)
	if err != nil {
		v.t.Fatalf("enter frame %s: %v", selector, err)
	}
	return f
}
