package journey

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"crossing/harness/browser"
	"crossing/harness/trace"
)

// Framed opens the stranger's page with a page of the application in a frame,
// whose id is "frame".
func (w Way) Framed(address string) Step {
	return Step{"see " + address + " in a stranger's frame", func(ctx context.Context, p browser.Page) error {
		return p.Goto(ctx, w.framing(address))
	}}
}

// FramedAgain opens a page of the same origin as address, in it a frame of the
// stranger's, and in that one address: first, second and first party, the
// chain that only the ancestor bit of a cookie's partition tells from the
// first party alone (CHIPS, "partition key").
func (w Way) FramedAgain(address string) Step {
	return Step{"see " + address + " in a stranger's frame within its own site", func(ctx context.Context, p browser.Page) error {
		return p.Goto(ctx, w.Reserved(originOf(address), w.framing(address)))
	}}
}

// FramedBy opens the edge's own page on an origin with address in a frame,
// whose id is "frame".
func (w Way) FramedBy(origin, address string) Step {
	return Step{"see " + address + " in a frame of " + origin, func(ctx context.Context, p browser.Page) error {
		return p.Goto(ctx, w.Reserved(origin, address))
	}}
}

func (w Way) framing(address string) string {
	return w.Origins.Stranger + "/frame?url=" + url.QueryEscape(address)
}

// Reserved is the address of the edge's own page on an origin, with frame in a
// frame, or nothing.
func (w Way) Reserved(origin, frame string) string {
	page := origin + trace.ReservedPath + "page"
	if frame != "" {
		page += "?frame=" + url.QueryEscape(frame)
	}
	return page
}

// PostFromStranger opens the stranger's page with a form that posts fields to
// a path of the auth service, sends it, and waits for the answer. A form needs
// no leave of CORS; encoding is one of HTML's three.
func (w Way) PostFromStranger(path, encoding string, fields map[string]string) Step {
	return Step{posting(path), func(ctx context.Context, p browser.Page) error {
		query := url.Values{"url": {w.Origins.Auth + path}, "enctype": {encoding}}
		for name, value := range fields {
			query.Set(name, value)
		}
		if err := p.Goto(ctx, w.Origins.Stranger+"/post?"+query.Encode()); err != nil {
			return err
		}
		began := time.Now()
		if err := p.Click(ctx, "#submit"); err != nil {
			return fmt.Errorf("send the form: %w", err)
		}
		if _, err := w.await(ctx, began, http.MethodPost, path); err != nil {
			return err
		}
		return shows(ctx, p, w.Origins.Auth+path)
	}}
}

func posting(path string) string { return "post to " + path + " from a stranger's page" }

// shows waits until the page is the one at want. The answer to a form is a
// page, and whoever goes on before it is there is taken back to it.
func shows(ctx context.Context, p browser.Page, want string) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		// Between two pages there may be none that could be asked.
		at, err := p.URL(ctx)
		if err == nil && at == want {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("await the page %s, last seen %q: %w", want, at, errors.Join(err, ctx.Err()))
		case <-tick.C:
		}
	}
}
