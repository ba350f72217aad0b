package conformance

import (
	"bytes"
	"image/color"
	"image/png"
	"strings"
	"testing"
	"time"

	"crossing/harness/trace"
)

func (b *bench) tabs(t *testing.T) {
	one, other := b.visit(t), b.visit(t)
	one.goTo(front + "/plain")
	second, err := one.session.NewPage(one.ctx)
	if err != nil {
		t.Fatalf("open a second page: %v", err)
	}
	if err := second.Goto(one.ctx, front+"/plain"); err != nil {
		t.Fatal(err)
	}
	const put = `v => { document.cookie = 'shared=' + v + '; path=/; secure'; localStorage.setItem('shared', v) }`
	const get = `() => [document.cookie, localStorage.getItem('shared') || '']`
	eval[any](one, one.page, put, "from-one")

	if got := eval[[]string](one, second, get, nil); got[0] != "shared=from-one" || got[1] != "from-one" {
		t.Errorf("the second page of the session sees %q, want what the first one stored", got)
	}
	other.goTo(front + "/plain")
	if got := eval[[]string](other, other.page, get, nil); got[0] != "" || got[1] != "" {
		t.Errorf("another session sees %q, want nothing", got)
	}

	// Each page keeps its own document, and closing one leaves the other.
	eval[any](one, second, `() => { document.title = 'second' }`, nil)
	if title := eval[string](one, one.page, `() => document.title`, nil); title != "plain" {
		t.Errorf("the first page's title is %q, want plain", title)
	}
	if n, err := one.session.Tabs(one.ctx); err != nil || n != 2 {
		t.Errorf("with two pages open the session counts %d: %v", n, err)
	}
	if err := second.Close(one.ctx); err != nil {
		t.Fatalf("close the second page: %v", err)
	}
	if n, err := one.session.Tabs(one.ctx); err != nil || n != 1 {
		t.Errorf("with one page closed of two the session counts %d: %v", n, err)
	}
	one.goTo(front + "/moved")
	if got := eval[[]string](one, one.page, get, nil); got[1] != "from-one" {
		t.Errorf("with the second page closed the first sees %q", got)
	}
}

func (b *bench) cookies(t *testing.T) {
	v := b.visit(t)
	begin := time.Now()
	v.goTo(front + "/cookies")
	jar, err := v.session.Cookies(v.ctx)
	if err != nil {
		t.Fatalf("ask for the cookies: %v", err)
	}
	if jar.Scope != trace.JarWhole && jar.Scope != trace.JarHost {
		t.Errorf("the jar's scope is %q", jar.Scope)
	}
	if len(jar.Cookies) != 2 {
		t.Errorf("%d cookies, want 2: %+v", len(jar.Cookies), jar.Cookies)
	}
	host := strings.TrimPrefix(front, "https://")
	kept := find(t, jar, "__Host-kept")
	if kept.Domain != host || !kept.HostOnly || kept.Path != "/" || !kept.Secure || !kept.HTTPOnly || kept.SameSite != "Lax" {
		t.Errorf("attributes of __Host-kept: %+v", kept)
	}
	if want := begin.Add(time.Hour); kept.Expires.Before(want.Add(-2*time.Minute)) || kept.Expires.After(want.Add(2*time.Minute)) {
		t.Errorf("__Host-kept expires at %v, want about %v", kept.Expires, want)
	}
	if want := b.redactor.Digest(cookieValue); kept.Digest != want {
		t.Errorf("digest %q, want %q", kept.Digest, want)
	}
	wide := find(t, jar, "wide")
	if wide.Domain != strings.TrimPrefix(host, "www.") || wide.HostOnly || wide.HTTPOnly || !wide.Secure || wide.SameSite != "Strict" || !wide.Expires.IsZero() {
		t.Errorf("attributes of wide (a session cookie for the whole domain): %+v", wide)
	}
	if jar.Scope != trace.JarWhole {
		return
	}
	v.goTo(back + "/cookies")
	v.goTo(stranger + "/plain")
	jar, err = v.session.Cookies(v.ctx)
	if err != nil {
		t.Fatalf("ask for the cookies: %v", err)
	}
	find(t, jar, "__Host-kept")
	// The Domain of the second line is another site's there: refused.
	if len(jar.Cookies) != 3 {
		t.Errorf("away from both sites the whole jar holds %d cookies, want 3: %+v", len(jar.Cookies), jar.Cookies)
	}
}

func find(t *testing.T, jar trace.Jar, name string) trace.Cookie {
	t.Helper()
	for _, c := range jar.Cookies {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("no cookie %s in the jar: %+v", name, jar.Cookies)
	return trace.Cookie{}
}

// screenshot wants a picture of what is there: the left half red, the right
// one blue.
func (b *bench) screenshot(t *testing.T) {
	v := b.visit(t)
	v.goTo(front + "/halves")
	data, err := v.page.Screenshot(v.ctx)
	if err != nil {
		t.Fatalf("take a screenshot: %v", err)
	}
	picture, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("%d bytes are no PNG: %v", len(data), err)
	}
	size := picture.Bounds()
	if size.Dx() < 600 || size.Dy() < 400 {
		t.Fatalf("the picture has %d x %d pixels: too few to see a page", size.Dx(), size.Dy())
	}
	middle := size.Min.Y + size.Dy()/2
	left, right := picture.At(size.Min.X+size.Dx()/4, middle), picture.At(size.Min.X+size.Dx()*3/4, middle)
	if !mostly(left, func(r, _, b uint32) bool { return r > 4*b }) {
		t.Errorf("the left half is %v, want red", left)
	}
	if !mostly(right, func(r, _, b uint32) bool { return b > 4*r }) {
		t.Errorf("the right half is %v, want blue", right)
	}
}

func mostly(c color.Color, holds func(r, g, b uint32) bool) bool {
	r, g, b, _ := c.RGBA()
	return holds(r, g, b)
}

// pageErrors wants uncaught exceptions in the trace, or a gap that says that
// this engine does not report them; and a caught one in neither case.
func (b *bench) pageErrors(t *testing.T) {
	v := b.visit(t)
	v.goTo(front + "/throws")
	eval[any](v, v.page, `() => { catchIt(); throwLater(); rejectLater() }`, nil)
	for _, word := range []string{"uncaught-by-timer", "unhandled-rejection"} {
		until(v, "the page error "+word+", or a gap for uncaught exceptions", true, func() bool {
			return v.reported(word) || v.gap("uncaught")
		})
	}
	if v.reported("caught-and-handled") {
		t.Error("an exception that the page caught was reported")
	}
}

func (v *visitor) reported(word string) bool {
	for _, e := range v.recorder.Snapshot().PageErrors {
		if e.Kind == trace.ErrorUncaught && strings.Contains(e.Text, word) && e.Page == front+"/throws" {
			return true
		}
	}
	return false
}

func (v *visitor) gap(word string) bool {
	for _, g := range v.recorder.Snapshot().Gaps {
		if strings.Contains(g, word) {
			return true
		}
	}
	return false
}
