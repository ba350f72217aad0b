package webdriver

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"crossing/harness/browser"
)

// Limits of a navigation whose context has none; of a last look at a page that
// is about to be left, which may be too busy to answer; and of the time in
// which a window that is said to be where it was may yet be on its way: so it
// looks, too, when the answer is a redirect back to the page that is open.
const (
	navigationLimit = 2 * time.Minute
	lookLimit       = time.Second
	stayLimit       = 3 * time.Second
)

// page is a window. Its fields are owned by whoever has the session's turn.
type page struct {
	scope
	handle string
	// document is the id of the last document that was seen in the window.
	document int64
	// target is what a reload asks for.
	target string
	closed atomic.Bool
}

// look gathers the page errors of the document that is there, and begins to
// watch it. ok is false where the page does not answer.
func (s *session) look(ctx context.Context, at place) (r reply, ok bool) {
	ctx, cancel := context.WithTimeout(ctx, lookLimit)
	defer cancel()
	r, err := s.run(ctx, at, nothing, nil, nil)
	return r, err == nil
}

// nothing is the task that only the head of every script matters of.
var nothing = task{code: "() => null"}

// Goto navigates. Every other call to the session waits for it.
func (p *page) Goto(ctx context.Context, address string) error {
	if err := navigable(address); err != nil {
		return fmt.Errorf("go to %q: %w", p.session.scrub(address), err)
	}
	err := p.session.do(ctx, func(ctx context.Context) error {
		before, _, err := p.depart(ctx)
		if err != nil {
			return err
		}
		p.target = address
		return p.arrive(ctx, within(before, address), func() error { return p.session.remote.navigate(ctx, address) })
	})
	if err != nil {
		return fmt.Errorf("go to %s: %w", p.session.scrub(address), err)
	}
	return p.session.rest(ctx)
}

// Reload asks for the page again, and for the one that did not open if that
// was the last.
func (p *page) Reload(ctx context.Context) error {
	err := p.session.do(ctx, func(ctx context.Context) error {
		before, seen, err := p.depart(ctx)
		if err != nil {
			return err
		}
		if seen && before.URL != blank {
			p.target = before.URL
		}
		return p.arrive(ctx, false, func() error { return p.session.remote.refresh(ctx) })
	})
	if err != nil {
		return fmt.Errorf("reload: %w", err)
	}
	return nil
}

const blank = "about:blank"

// navigable refuses addresses that no edge serves. "javascript:" must not even
// be tried: WebKitWebDriver then waits for a load that never comes.
func navigable(address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return fmt.Errorf("it is no URL: %w", err)
	}
	if address != blank && (u.Host == "" || (u.Scheme != "https" && u.Scheme != "http")) {
		return errors.New("only absolute https and http URLs can be opened, and " + blank)
	}
	return nil
}

// depart turns to the page's own document and has a last look at it.
func (p *page) depart(ctx context.Context) (before reply, seen bool, err error) {
	if err := p.session.enter(ctx, p.at); err != nil {
		return reply{}, false, err
	}
	before, seen = p.session.look(ctx, p.at)
	return before, seen, ctx.Err()
}

// within says that address is a place in the very document that is open, to
// which the engine goes without a load (HTML, "navigate to a fragment").
func within(before reply, address string) bool {
	document, _, _ := strings.Cut(before.URL, "#")
	asked, _, fragment := strings.Cut(address, "#")
	return fragment && document == asked
}

// arrival is what a look at the window tells of a navigation.
type arrival struct {
	// Arrived: the document is of the target's origin. Loaded: completely.
	Arrived, Loaded bool
	// Target is the target's URL as URLs are written.
	Target string
	// Text is the beginning of what stands there instead.
	Text string
}

// arriving waits a slice in the document that is to be left, or until the new
// one has loaded, and compares origins as the page itself knows them. When a
// document is left, the driver ends the scripts that wait in it.
var arriving = task{code: `async ({target, before, same, slice}) => {
	const pause = new Promise((r) => setTimeout(r, slice));
	if (state.id === before && !same) await pause;
	else if (document.readyState !== "complete") {
		await Promise.race([pause, new Promise((r) => addEventListener("load", r, {once: true}))]);
	}
	const url = new URL(target);
	const arrived = target === "about:blank" ? location.href === target : url.origin === location.origin;
	return {arrived, target: url.href, loaded: document.readyState === "complete",
		text: arrived ? "" : (document.body?.innerText ?? "").slice(0, 200)};
}`}

// arrive navigates, waits for the page to load, and holds it against the
// target. The driver reports success where the engine shows an error page of
// its own, and where it keeps the old page since the proxy refused, or the
// answer was a download or a 204 (measured).
func (p *page) arrive(ctx context.Context, same bool, navigate func() error) error {
	ctx, cancel := context.WithTimeout(ctx, navigationLimit)
	defer cancel()
	before := p.document
	if err := navigate(); err != nil {
		return err
	}
	p.session.frame = "" // the driver is at the window's own document again
	last, stays := "nothing was seen of it", time.Now()
	for wait := 10 * time.Millisecond; ; wait = slice {
		input := map[string]any{"target": p.target, "before": before, "same": same, "slice": wait.Milliseconds()}
		var a arrival
		r, err := p.session.run(ctx, p.at, arriving, input, &a)
		switch {
		case ctx.Err() != nil:
			return fmt.Errorf("%w: %s: %w", browser.ErrNotArrived, last, ctx.Err())
		case err != nil:
			return fmt.Errorf("look where it led: %w", err)
		case r.URL == blank && a.Text == "" && !a.Arrived:
			before = r.Document // a window's first document, which comes and goes by itself
		case r.Document != before || same:
			if a.Loaded {
				return p.judge(r, a)
			}
			last = "loading " + p.session.scrub(r.URL)
			continue
		}
		last = "no answer yet; open is still " + p.session.scrub(r.URL)
		if ahead, err := p.session.remote.url(ctx); err != nil || ahead != r.URL || ahead == a.Target {
			stays = time.Now()
		} else if time.Since(stays) > stayLimit {
			return fmt.Errorf("%w: the engine stayed on the page that was open, %s", browser.ErrNotArrived, p.session.scrub(r.URL))
		}
	}
}

// judge says what a document that has loaded is. The engine's error pages have
// the address about:blank and an opaque origin.
func (p *page) judge(r reply, a arrival) error {
	switch {
	case a.Arrived:
		return nil
	case r.URL == blank:
		return fmt.Errorf("%w: the engine shows an error page: %q", browser.ErrNotArrived, p.session.scrub(a.Text))
	}
	return fmt.Errorf("%w: it ended on %s", browser.ErrNotArrived, p.session.scrub(r.URL))
}

var loaded = task{code: `() => ({ready: document.readyState === "complete", blank: location.href === "about:blank"})`}

// Frame waits for a frame and for the page in it.
func (p *page) Frame(ctx context.Context, selector string) (browser.Scope, error) {
	inside := &scope{session: p.session, at: place{page: p, frame: selector}}
	err := p.await(ctx, selector, "frame", func(ctx context.Context, f found) (string, error) {
		var state struct{ Ready, Blank bool }
		if _, err := p.session.run(ctx, inside.at, loaded, nil, &state); err != nil {
			return "", err
		}
		if !state.Ready || (state.Blank && !f.Blank) {
			return "has not loaded its page", nil
		}
		return "", nil
	})
	if err != nil {
		return nil, fmt.Errorf("enter frame %s: %w", selector, err)
	}
	return inside, nil
}

// Screenshot returns a PNG of what is visible.
func (p *page) Screenshot(ctx context.Context) (png []byte, err error) {
	err = p.session.do(ctx, func(ctx context.Context) error {
		if err := p.session.enter(ctx, p.at); err != nil {
			return err
		}
		png, err = p.session.remote.screenshot(ctx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("take a screenshot: %w", err)
	}
	return png, nil
}

// Close gathers the last page errors and closes the window.
func (p *page) Close(ctx context.Context) error {
	if p.closed.Load() {
		return nil
	}
	err := p.session.do(ctx, func(ctx context.Context) error {
		err := p.shut(ctx)
		if err != nil && code(err) != codeNoWindow { // which the page itself has closed
			return err
		}
		p.closed.Store(true)
		p.session.drop(p)
		p.session.leave()
		return nil
	})
	if err != nil {
		return fmt.Errorf("close the page: %w", err)
	}
	return nil
}

func (p *page) shut(ctx context.Context) (err error) {
	if _, _, err := p.depart(ctx); err != nil {
		return err
	}
	if len(p.session.pages) == 1 && p.session.spare == "" {
		// A session ends with its last window (WebDriver, "Close Window").
		if p.session.spare, err = p.session.openWindow(ctx); err != nil {
			return fmt.Errorf("open a window that stays: %w", err)
		}
	}
	return p.session.remote.closeWindow(ctx)
}
