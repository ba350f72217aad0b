package inspect

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"crossing/harness/trace"
	"crossing/harness/visit"
)

// around looks at the pages as the person who is signed in: home, the link to
// where the sign-in has led, the button that calls the api.
func (l *looker) around(ctx context.Context) error {
	l.o.Tell("look at the pages as the person")
	var err error
	if l.seen.Signed, err = l.open(ctx, "/"); err != nil {
		return err
	}
	landing := l.seen.SignUp.Landing.Path
	if landing == "" {
		landing = l.seen.SignIn.Landing.Path
	}
	if landing == "" || landing == "/" || landing == l.formPath() {
		return l.press(ctx, l.seen.Signed)
	}
	if link := l.seen.Signed.LinkTo(landing); link != nil {
		if err := l.follow(ctx, *link, landing); err != nil {
			return err
		}
	}
	p, err := l.open(ctx, landing)
	if err != nil {
		return err
	}
	return l.press(ctx, p)
}

func (l *looker) formPath() string {
	if l.seen.SignUp.Form != nil {
		return l.seen.SignUp.Form.Path
	}
	return ""
}

// follow clicks a link, and keeps it where the page was not loaded anew.
func (l *looker) follow(ctx context.Context, link Element, to string) error {
	within, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := l.v.Page.Eval(within, "() => { window.crossingStays = true }", nil, nil); err != nil {
		return err
	}
	if err := l.v.Page.Click(within, link.Selector); err != nil {
		return err
	}
	p, err := l.settled(ctx)
	if err != nil {
		return err
	}
	var stays bool
	if err := l.v.Page.Eval(within, "() => window.crossingStays === true", nil, &stays); err != nil {
		return err
	}
	if stays && p.Path == to {
		l.seen.Link = link.Selector
	}
	return nil
}

// press presses the button that calls the api by its words, if there is one.
// Others are not pressed: nobody knows what they do.
func (l *looker) press(ctx context.Context, p Page) error {
	button := p.FindCall()
	if button == nil || l.v.Way.Origins.API == "" {
		return nil
	}
	l.o.Tell("call the api")
	began := time.Now()
	within, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := l.v.Page.Click(within, button.Selector); err != nil {
		return err
	}
	_, err := l.v.Recorder.Await(within, began, "a call of the api by "+button.Selector, func(e trace.Exchange) bool {
		return e.Role == trace.RoleAPI && !e.Preflight && !e.Outside
	})
	if err != nil {
		return err
	}
	after, err := l.settled(ctx)
	l.seen.Call = Pressed{Click: button.Selector, Before: p, After: after}
	return err
}

// leave signs out by the home page's control, and looks at it as nobody.
func (l *looker) leave(ctx context.Context) error {
	control := l.seen.Signed.FindSignOut(false)
	if control == nil {
		return nil // it is doubted already
	}
	l.o.Tell("sign out")
	if _, err := l.open(ctx, "/"); err != nil {
		return err
	}
	began := time.Now()
	m := trace.Mark{Step: stepSignOut, Begin: began}
	within, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := l.v.Page.Click(within, control.Selector); err != nil {
		return err
	}
	_, awaited := l.v.Recorder.Await(within, began, "an answer of the auth service to "+control.Selector, func(e trace.Exchange) bool {
		return e.Role == trace.RoleAuth && !e.Preflight && !e.Outside && e.Method != http.MethodGet && e.Method != http.MethodHead
	})
	_, err := l.settled(ctx)
	m.End = time.Now()
	l.v.Recorder.Mark(m)
	if awaited != nil {
		return awaited
	}
	if err != nil {
		return err
	}
	l.seen.SignOut = control
	l.seen.Left, err = l.open(ctx, "/")
	return err
}

// landed looks at the page to which the sign-in has led, by a load of its own:
// what belongs to it is there then, too.
func (l *looker) landed(ctx context.Context) error {
	landing := l.seen.SignIn.Landing.Path
	if l.seen.SignIn.Form == nil || landing == "" || landing == l.seen.SignIn.Form.Path {
		return nil
	}
	p, err := l.open(ctx, landing)
	if err != nil {
		return err
	}
	// Only what is there both times is told.
	there := func(first Page) Page {
		first.Elements = slices.DeleteFunc(slices.Clone(first.Elements), func(e Element) bool {
			return e.Selector != "" && p.element(e.Selector) == nil
		})
		return first
	}
	l.seen.SignIn.Landing = there(l.seen.SignIn.Landing)
	if l.seen.SignUp.Landing.Path == landing {
		l.seen.SignUp.Landing = there(l.seen.SignUp.Landing)
	}
	return nil
}

// ask asks from outside what pages have not: what is told to nobody and to each
// cookie alone, and the endpoints of the libraries that have a preset. It only
// reads.
func (l *looker) ask(ctx context.Context) error {
	l.asked = true
	l.o.Tell("ask the auth service from outside")
	c := l.v.Outside()
	s := l.seen
	s.Trace = l.v.Recorder.Snapshot()
	sessions := s.sessionPaths()
	for _, path := range sessions {
		if err := l.get(ctx, c, path, "", ""); err != nil {
			return err
		}
	}
	for _, base := range s.bases() {
		for _, end := range []string{"/ok", "/csrf", "/providers", "/jwks"} {
			if err := l.get(ctx, c, base+end, "", ""); err != nil {
				return err
			}
		}
	}
	if err := l.get(ctx, c, "/.well-known/jwks.json", "", ""); err != nil {
		return err
	}
	for n, cookie := range s.candidates() {
		plain, known := l.v.Recorder.Redactor().Reveal(cookie.Digest)
		if !known || n >= 4 {
			continue
		}
		for _, path := range sessions {
			if err := l.get(ctx, c, path, cookie.Name+"="+plain, ""); err != nil {
				return err
			}
		}
		for _, base := range s.bases() {
			for _, end := range []string{"/token", "/list-sessions"} {
				if err := l.get(ctx, c, base+end, cookie.Name+"="+plain, ""); err != nil {
					return err
				}
			}
		}
	}
	return l.askAPI(ctx, c)
}

// sessionPaths are those that may tell who is signed in: what pages have asked
// and were answered in JSON, and what the presets have.
func (s Seen) sessionPaths() []string {
	var all []string
	add := func(path string) {
		if len(all) < 8 && !slices.Contains(all, path) {
			all = append(all, path)
		}
	}
	for _, named := range []bool{true, false} { // those that did first
		for _, e := range s.of(trace.RoleAuth, func(e trace.Exchange) bool { return e.Method == http.MethodGet && e.Response.Body != "" }) {
			if _, is := s.names(e); is == named {
				add(e.Path)
			}
		}
	}
	for _, base := range s.bases() {
		add(base + "/get-session")
		add(base + "/session")
	}
	add("/session")
	return all
}

// askAPI takes a token to the preset's endpoint of the api, where no page was
// seen to take one anywhere.
func (l *looker) askAPI(ctx context.Context, c *visit.Caller) error {
	s := l.seen
	s.Trace = l.v.Recorder.Snapshot()
	called := s.of(trace.RoleAPI, func(e trace.Exchange) bool { return e.Request.Token != nil && e.Status == http.StatusOK })
	giving := s.of(trace.RoleAuth, func(e trace.Exchange) bool { return e.Response.Token != nil && !e.Response.Token.Opaque })
	if len(called) > 0 || len(giving) == 0 || s.Target.Origins.API == "" {
		return nil
	}
	token, known := l.v.Recorder.Redactor().Reveal(giving[len(giving)-1].Response.Token.Digest)
	if !known {
		return nil
	}
	return l.get(ctx, c, s.Target.Origins.API+"/me", "", token)
}

// get asks the auth service's path, or an address. What is answered is in the
// trace; what is not answered is no error.
func (l *looker) get(ctx context.Context, c *visit.Caller, address, cookie, bearer string) error {
	o := l.seen.Target.Origins
	if strings.HasPrefix(address, "/") {
		address = o.Auth + address
	}
	within, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	q := visit.Question{URL: address, Origin: o.Frontend, Bearer: bearer, Header: http.Header{"Accept": {"application/json"}}}
	if cookie != "" {
		q.Header.Set("Cookie", cookie)
	}
	if _, err := c.Ask(within, q); err != nil && ctx.Err() != nil {
		return fmt.Errorf("ask %s: %w", address, context.Cause(ctx))
	}
	return nil
}
