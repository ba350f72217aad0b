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

// Limits of a look at a page that may be loading: scripts wait until it has
// loaded, and a page that is about to be left need not.
const (
	lookLimit  = time.Second
	afterLimit = 250 * time.Millisecond
)

// page is a window. Its fields are owned by whoever has the session's turn.
type page struct {
	scope
	handle string
	// target is what a reload asks for.
	target string
	// unsettled: the last navigation was given up while it was under way.
	unsettled bool
	closed    atomic.Bool
}

// look gathers the page errors of the document that is there, and begins to
// watch it. ok is false where the page does not answer within limit; the
// driver then runs the script once the page has loaded.
func (s *session) look(ctx context.Context, at place, limit time.Duration) (r reply, ok bool) {
	ctx, cancel := context.WithTimeout(ctx, limit)
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
	if p.unsettled {
		return reply{}, false, nil
	}
	before, seen = p.session.look(ctx, p.at, lookLimit)
	return before, seen, ctx.Err()
}

// within says that address is a place in the very document that is open, to
// which the engine goes without a load (HTML, "navigate to a fragment").
func within(before reply, address string) bool {
	document, _, _ := strings.Cut(before.URL, "#")
	asked, _, fragment := strings.Cut(address, "#")
	return fragment && document == asked
}

// arrive navigates and holds the page that is then there against the target.
// The driver reports success where the engine shows its own error page, and
// where it kept the old page because the proxy refused, or because the answer
// was a download or a 204 (measured).
func (p *page) arrive(ctx context.Context, same bool, navigate func() error) error {
	p.unsettled = true
	err := navigate()
	p.session.frame = "" // the driver is at the window's own document again
	if code(err) == codeTimeout {
		return fmt.Errorf("%w: it is still loading after the driver's limit", browser.ErrNotArrived)
	}
	if err != nil {
		return err
	}
	var found struct {
		Arrived bool   `json:"arrived"`
		Text    string `json:"text"`
	}
	r, err := p.session.run(ctx, p.at, arrival, p.target, &found)
	if err != nil {
		return fmt.Errorf("look where it led: %w", err)
	}
	p.unsettled = false
	seen := p.session.scrub(r.URL)
	switch {
	case !found.Arrived && r.URL == blank:
		return fmt.Errorf("%w: the engine shows an error page: %q", browser.ErrNotArrived, p.session.scrub(found.Text))
	case !found.Arrived:
		return fmt.Errorf("%w: it ended on %s", browser.ErrNotArrived, seen)
	case !r.Fresh && !same:
		return fmt.Errorf("%w: the engine stayed on the page that was open, %s", browser.ErrNotArrived, seen)
	}
	return nil
}

// arrival compares origins as the page itself knows them. The engine's error
// pages have the address about:blank and an opaque origin.
var arrival = task{code: `(target) => {
	const arrived = target === "about:blank" ? location.href === target : new URL(target).origin === location.origin;
	return {arrived, text: arrived ? "" : (document.body?.innerText ?? "").slice(0, 200)};
}`}

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
	err := p.session.do(ctx, func(ctx context.Context) (err error) {
		if _, _, err := p.depart(ctx); err != nil {
			return err
		}
		if len(p.session.pages) == 1 && p.session.spare == "" {
			// A session ends with its last window (WebDriver, "Close Window").
			if p.session.spare, err = p.session.remote.newWindow(ctx); err != nil {
				return fmt.Errorf("open a window that stays: %w", err)
			}
		}
		if err := p.session.remote.closeWindow(ctx); err != nil {
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
