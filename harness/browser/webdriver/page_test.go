package webdriver

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"crossing/harness/browser"
	"crossing/harness/trace"
)

func TestPages(t *testing.T) {
	b := newBench(t)
	v := b.visit(b.start("--enable-itp"))
	t.Run("what did not open", v.notArrived)
	t.Run("within the document", v.fragment)
	t.Run("a page that never loads", v.slow)
	t.Run("clicks", v.clicks)
	t.Run("fields", v.fields)
	t.Run("evaluation", v.evaluation)
	t.Run("windows", v.windows)
	t.Run("frames", v.frames)
	t.Run("page errors", v.pageErrors)
	t.Run("quiet", func(t *testing.T) {
		if words := v.session.far.(*process).out.String(); words != "" {
			t.Errorf("driver and browser wrote: %s", words)
		}
	})
}

func (v *visitor) notArrived(t *testing.T) {
	v = v.on(t)
	for _, c := range []struct{ url, word string }{
		{front + "/nothing", "stayed on the page that was open, " + front + "/"},
		{front + "/file", "stayed on the page that was open"},
		{front + "/loop", "the engine shows an error page"},
		{front + "/away", "ended on " + stranger + "/"},
		{nowhere + "/", nowhere},
	} {
		v.goTo(v.page, front+"/")
		err := v.page.Goto(v.ctx, c.url)
		if !errors.Is(err, browser.ErrNotArrived) || !strings.Contains(err.Error(), c.word) {
			t.Errorf("%s: want ErrNotArrived and %q, got %v", c.url, c.word, err)
		}
	}
	for _, url := range []string{"javascript:alert(1)", "docs.lantern-bay.com", "/next", "file:///etc/passwd", "https://", "https://a b/"} {
		if err := v.page.Goto(v.ctx, url); err == nil || errors.Is(err, browser.ErrNotArrived) {
			t.Errorf("%q was tried: %v", url, err)
		}
	}
	v.goTo(v.page, "about:blank")
	v.goTo(v.page, front+"/")
}

// fragment: a place within the document is an arrival without a load, and the
// same address without one is a load.
func (v *visitor) fragment(t *testing.T) {
	v = v.on(t)
	v.goTo(v.page, front+"/")
	v.read(v.page, `() => document.title = "mine"`)
	v.goTo(v.page, front+"/#top")
	if title := v.read(v.page, `() => document.title`); title != "mine" {
		t.Errorf("the document was loaded again: %q", title)
	}
	v.goTo(v.page, front+"/")
	if title := v.read(v.page, `() => document.title`); title != "home" {
		t.Errorf("the document was not loaded again: %q", title)
	}
}

// slow: a page that never loads can be left, whoever asked for it.
func (v *visitor) slow(t *testing.T) {
	v = v.on(t)
	for name, ask := range map[string]func(ctx context.Context) error{
		"a click": func(ctx context.Context) error { return v.page.Click(ctx, "#slow") },
		"a navigation that is given up": func(ctx context.Context) error {
			err := v.page.Goto(ctx, front+"/slow")
			if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, browser.ErrNotArrived) {
				return fmt.Errorf("want ErrNotArrived and the context's end, got %w", err)
			}
			return nil
		},
	} {
		v.goTo(v.page, front+"/")
		if err := v.within(time.Second, ask); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if title := v.read(v.page, `() => document.title`); title != "home" {
			t.Errorf("%s: the page that is still open is %q", name, title)
		}
		err := v.within(prompt, func(ctx context.Context) error { return v.page.Goto(ctx, front+"/next") })
		if err != nil {
			t.Fatalf("after %s: %v", name, err)
		}
		if title := v.read(v.page, `() => document.title`); title != "next" {
			t.Errorf("after %s the page is %q", name, title)
		}
	}
}

// clicks: what moves between the press and the release is clicked where it went;
// what the page takes away when it is pressed was met, and so was a label.
func (v *visitor) clicks(t *testing.T) {
	v = v.on(t)
	for _, c := range []struct{ what, set, selector, want string }{
		{"moves between press and release", `hit.addEventListener("mousedown", () => above(), {once: true})`, "#hit", "hit"},
		{"goes when it is pressed", `hit.addEventListener("mousedown", () => { log.push("pressed"); hit.remove() })`, "#hit", "pressed"},
		{"a label", ``, "#label", "label,box"},
	} {
		v.goTo(v.page, front+"/")
		v.read(v.page, `() => {
			document.body.innerHTML = '<button id="hit">hit</button><label id="label">label <input type="checkbox" id="box"></label>';
			window.log = [];
			const above = () => document.body.insertAdjacentHTML("afterbegin", '<div style="height:200px">above</div>');
			for (const id of ["hit", "label", "box"]) {
				const el = document.getElementById(id);
				el.addEventListener("click", (e) => { if (e.target === el) log.push(id) });
			}
			const hit = document.getElementById("hit");
			`+c.set+`
			return "";
		}`)
		if err := v.page.Click(v.ctx, c.selector); err != nil {
			t.Errorf("%s: %v", c.what, err)
		}
		if got := v.read(v.page, `() => log.join(",")`); got != c.want {
			t.Errorf("%s: the page saw %q, want %q", c.what, got, c.want)
		}
	}
}

func (v *visitor) fields(t *testing.T) {
	v = v.on(t)
	v.goTo(v.page, front+"/fields")
	const text = "Zoë 日本 🙂"
	if err := v.page.Fill(v.ctx, "#rich", text); err != nil {
		t.Error(err)
	}
	if got := v.read(v.page, `() => document.getElementById("rich").textContent`); got != text {
		t.Errorf("the editable element holds %q, want %q", got, text)
	}
	for selector, word := range map[string]string{
		"#hard":  "keeps its text when it is deleted",
		"#moves": "lost the focus while it was typed into",
	} {
		err := v.within(3*time.Second, func(ctx context.Context) error { return v.page.Fill(ctx, selector, "a🙂") })
		if !errors.Is(err, browser.ErrNoElement) || !strings.Contains(err.Error(), word) {
			t.Errorf("%s: want ErrNoElement and %q, got %v", selector, word, err)
		}
	}
	for selector, word := range map[string]string{"#date": `type="date"`, "p[": "p["} {
		begin := time.Now()
		err := v.page.Fill(v.ctx, selector, "x")
		if err == nil || errors.Is(err, browser.ErrNoElement) || !strings.Contains(err.Error(), word) {
			t.Errorf("%s: want an error with %s, got %v", selector, word, err)
		}
		if time.Since(begin) > prompt {
			t.Errorf("%s: waiting would not have helped", selector)
		}
	}
}

func (v *visitor) evaluation(t *testing.T) {
	t.Run("the page's own names are seen, and none of the harness's", func(t *testing.T) {
		v := v.on(t)
		v.goTo(v.page, front+"/")
		v.read(v.page, `() => { window.state = "s"; window.answer = "a"; window.input = "i"; return "" }`)
		if got := v.read(v.page, `() => state + answer + input + typeof call + typeof script`); got != "saiundefinedundefined" {
			t.Errorf("got %q", got)
		}
	})
	t.Run("others have their turn while a promise is awaited", func(t *testing.T) {
		v := v.on(t)
		v.goTo(v.page, front+"/")
		other := v.open()
		v.goTo(other, front+"/next")
		done := make(chan error, 1)
		var got string
		go func() {
			done <- v.page.Eval(v.ctx, `() => new Promise((r) => { window.resolve = r })`, nil, &got)
		}()
		if title := v.read(other, `() => document.title`); title != "next" {
			t.Errorf("the other page's title is %q", title)
		}
		// The click may come before the promise is there to be resolved.
		for got == "" {
			if err := v.page.Click(v.ctx, "#b"); err != nil {
				t.Fatal(err)
			}
			select {
			case err := <-done:
				if err != nil || got != "clicked" {
					t.Fatalf("got %q, %v", got, err)
				}
			case <-time.After(2 * slice):
			}
		}
		if err := other.Close(v.ctx); err != nil {
			t.Error(err)
		}
	})
	for name, where := range map[string]string{"the same site": front + "/next", "another site": stranger + "/"} {
		t.Run("ends when the page is left for "+name, func(t *testing.T) {
			v := v.on(t)
			for _, after := range []string{"0", "250"} { // in the first slice, and in a later one
				v.goTo(v.page, front+"/")
				err := v.within(10*time.Second, func(ctx context.Context) error {
					return v.page.Eval(ctx, `([url, ms]) => { setTimeout(() => location.href = url, +ms); return new Promise(() => {}) }`,
						[]string{where, after}, nil)
				})
				if err == nil || !strings.Contains(err.Error(), "the page was left") {
					t.Errorf("after %s ms: want an error that says so, got %v", after, err)
				}
			}
		})
	}
	t.Run("secrets in the page's words are digested", func(t *testing.T) {
		v := v.on(t)
		const secret = "a-secret-of-some-length"
		digest := v.recorder.Redactor().Learn(secret)
		err := v.page.Eval(v.ctx, `async (s) => { throw new Error("refused " + s) }`, secret, nil)
		if err == nil || strings.Contains(err.Error(), secret) || !strings.Contains(err.Error(), digest) {
			t.Errorf("want the digest %s for it, got %v", digest, err)
		}
	})
}

// windows: both pages are visible and take input; the session outlives its
// last page.
func (v *visitor) windows(t *testing.T) {
	v = v.on(t)
	second := v.open()
	pages := []*page{v.page, second, v.page, second}
	for _, p := range pages {
		v.goTo(p, front+"/")
		if got := v.read(p, `() => new Promise((r) => requestAnimationFrame(() => r(document.visibilityState)))`); got != "visible" {
			t.Errorf("the page is %s", got)
		}
		if err := p.Fill(v.ctx, "#i", "typed"); err != nil {
			t.Error(err)
		}
		if got := v.read(p, `() => document.getElementById("i").value`); got != "typed" {
			t.Errorf("the field holds %q", got)
		}
	}
	for _, p := range pages[:2] {
		if err := p.Close(v.ctx); err != nil {
			t.Fatal(err)
		}
	}
	if err := second.Close(v.ctx); err != nil {
		t.Errorf("closing it twice: %v", err)
	}
	if err := second.Goto(v.ctx, front+"/"); err == nil || !strings.Contains(err.Error(), "the page is closed") {
		t.Errorf("a closed page says: %v", err)
	}
	if jar, err := v.session.Cookies(v.ctx); err != nil || len(jar.Cookies) != 0 || jar.Page != "" {
		t.Errorf("without a page the jar is %+v, %v", jar, err)
	}
	p, err := v.session.NewPage(v.ctx)
	if err != nil {
		t.Fatalf("after the last page was closed: %v", err)
	}
	v.goTo(p, front+"/")
	if err := p.Close(v.ctx); err != nil {
		t.Error(err)
	}
}

func (v *visitor) frames(t *testing.T) {
	v = v.on(t)
	p := v.open()
	v.goTo(p, front+"/framed")
	err := v.within(time.Second, func(ctx context.Context) error { _, err := p.Frame(ctx, "#broken"); return err })
	if !errors.Is(err, browser.ErrNoElement) || !strings.Contains(err.Error(), "#broken") {
		t.Errorf("a frame whose page does not open: %v", err)
	}
	inside, err := p.Frame(v.ctx, "#f")
	if err != nil {
		t.Fatal(err)
	}
	if title := v.read(inside, `() => document.title`); title != "inside" {
		t.Errorf("the frame's title is %q", title)
	}
	// The frame goes with its page, by its own doing.
	if err := inside.Click(v.ctx, "#up"); err != nil {
		t.Fatal(err)
	}
	for {
		url, err := p.URL(v.ctx)
		if err != nil {
			t.Fatal(err)
		}
		if url == front+"/next" {
			break
		}
	}
	var out string
	if err := inside.Eval(v.ctx, `() => location.href`, nil, &out); !errors.Is(err, browser.ErrNoElement) {
		t.Errorf("the frame that went says %q, %v", out, err)
	}
}

// pageErrors are gathered by the next call, by leaving, and by closing.
func (v *visitor) pageErrors(t *testing.T) {
	v = v.on(t)
	const secret = "thrown-away-secret"
	digest := v.recorder.Redactor().Learn(secret)
	throw := func(p *page, word string) {
		t.Helper()
		v.goTo(p, front+"/")
		script := `(w) => { setTimeout(() => { throw new TypeError(w) }); return new Promise((r) => setTimeout(r, 20)) }`
		if err := p.Eval(v.ctx, script, word, nil); err != nil {
			t.Fatal(err)
		}
	}
	want := func(text string) {
		t.Helper()
		for _, e := range v.recorder.Snapshot().PageErrors {
			if strings.Contains(e.Text, text) {
				if e.Kind != trace.ErrorUncaught || e.Page != front+"/" || time.Since(e.Time) > limit {
					t.Errorf("the page error is %+v", e)
				}
				return
			}
		}
		t.Errorf("no page error with %q in %+v", text, v.recorder.Snapshot().PageErrors)
	}
	p := v.open()
	throw(p, "next call "+secret)
	if _, err := p.URL(v.ctx); err != nil {
		t.Fatal(err)
	}
	want("TypeError: next call " + digest)
	late := `(w) => { setTimeout(() => { throw new Error(w) }); Promise.reject(new Error(w + " too")) }`
	if err := p.Eval(v.ctx, late, "on leaving", nil); err != nil {
		t.Fatal(err)
	}
	v.goTo(p, front+"/")
	want("Error: on leaving")
	want("unhandled rejection: Error: on leaving too")
	if err := p.Eval(v.ctx, `() => { addEventListener("error", (e) => e.preventDefault()); setTimeout(() => { throw new Error("settled") }) }`, nil, nil); err != nil {
		t.Fatal(err)
	}
	throw(p, "at the close")
	if err := p.Close(v.ctx); err != nil {
		t.Fatal(err)
	}
	want("at the close")
	p = v.open()
	throw(p, "at the end")
	if err := v.session.Close(v.ctx); err != nil {
		t.Fatal(err)
	}
	want("at the end")
	for _, e := range v.recorder.Snapshot().PageErrors {
		if strings.Contains(e.Text, "settled") {
			t.Errorf("what the page settled itself was reported: %+v", e)
		}
	}
	if err := p.Goto(v.ctx, front+"/"); !errors.Is(err, browser.ErrDead) || !strings.Contains(err.Error(), "was closed") {
		t.Errorf("after the session's end: %v", err)
	}
}
