package webdriver

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"crossing/harness/browser"
	"crossing/harness/trace"
)

// Limits of what is done on the way out, where nobody waits for an answer.
const (
	harvestLimit = time.Second
	deleteLimit  = 2 * time.Second
	probeLimit   = 2 * time.Second
	reapLimit    = 200 * time.Millisecond
)

// far is what answers a session: a driver that was started for it, or an
// endpoint that was there before.
type far interface {
	// life ends when it does.
	life() context.Context
	// words say how it is, for an error.
	words() string
	// gone waits up to limit for the end of what has begun to end.
	gone(limit time.Duration) bool
	// kill ends what was started for this session.
	kill() error
}

// session is one person's browser. WebDriver has one current window and one
// current frame for all commands, so that they take turns.
type session struct {
	remote   remote
	far      far
	recorder *trace.Recorder
	// devtools: the driver passes the Chrome DevTools Protocol's commands on.
	devtools bool
	// slow is a pause after each action, for a person who watches.
	slow time.Duration
	// atEnd tells the browser that the session has ended.
	atEnd func()
	// scripts counts those that were run, so that each has an id.
	scripts atomic.Int64

	// turn holds one token: who has it may send commands, and owns what
	// follows.
	turn chan struct{}
	// window and frame are the current ones as far as is known.
	window, frame string
	// spare is a window that no page has been given yet.
	spare string
	pages []*page // in the order of their last use

	closing  sync.Once
	closed   atomic.Bool
	closeErr error
}

func newSession(r remote, f far, recorder *trace.Recorder) *session {
	s := &session{remote: r, far: f, recorder: recorder, turn: make(chan struct{}, 1), atEnd: func() {}}
	s.turn <- struct{}{}
	return s
}

// do runs f when it is its turn, and says ErrDead where the browser has gone.
// The context that f gets ends with ctx, and with the driver.
func (s *session) do(ctx context.Context, f func(ctx context.Context) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case <-s.turn:
	case <-ctx.Done():
		return fmt.Errorf("wait for another call to this session: %w", ctx.Err())
	case <-s.far.life().Done():
		return s.dead(nil)
	}
	defer func() { s.turn <- struct{}{} }()
	limited, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.far.life(), cancel)()
	return s.judge(ctx, f(limited))
}

// judge tells a browser that has gone, and a context that has ended, from
// whatever else went wrong.
func (s *session) judge(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case s.far.life().Err() != nil || code(err) == codeInvalidSession:
		return s.dead(err)
	case ctx.Err() != nil && errors.Is(err, browser.ErrNotArrived):
		return err // which says what was seen, and that the context has ended
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, errTransport):
		s.far.gone(reapLimit)
		return s.dead(err)
	case code(err) == codeUnknown:
		// What WebKitWebDriver answers a command with whose browser dies.
		if s.dying(ctx) {
			return s.dead(err)
		}
	}
	return err
}

// dying says whether the remote end knows no session any more. The answer to
// the command that was waiting may come before the driver has heard of the end
// of the browser, and that of its process before that of the session.
func (s *session) dying(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(reapLimit); ; {
		if _, err := s.remote.window(ctx); code(err) == codeInvalidSession {
			return true
		}
		if time.Now().After(end) {
			return false
		}
		select {
		case <-s.far.life().Done():
			return true
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
	}
}

func (s *session) dead(err error) error {
	if s.closed.Load() {
		return fmt.Errorf("%w: the session was closed", browser.ErrDead)
	}
	text := s.scrub(s.far.words())
	if err != nil && s.far.life().Err() == nil {
		text = s.scrub(err.Error()) + "; " + text
	}
	return fmt.Errorf("%w: %s", browser.ErrDead, text)
}

// scrub conceals secrets in words that come from the page or the driver.
func (s *session) scrub(text string) string { return s.recorder.Redactor().Scrub(text) }

// rest waits as long as a person who watches wants to.
func (s *session) rest(ctx context.Context) error {
	if s.slow <= 0 {
		return nil
	}
	pause := time.NewTimer(s.slow)
	defer pause.Stop()
	select {
	case <-pause.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// place is a document: a page's own, or that of the frame that fits a
// selector.
type place struct {
	page  *page
	frame string
}

// enter makes a place current, if it is not. The turn is the caller's.
func (s *session) enter(ctx context.Context, at place) error {
	if at.page.closed.Load() {
		return errors.New("the page is closed")
	}
	s.use(at.page)
	if s.window != at.page.handle {
		s.leave()
		if err := s.remote.switchWindow(ctx, at.page.handle); err != nil {
			return fmt.Errorf("turn to the page's window: %w", err)
		}
		s.window = at.page.handle
	}
	if s.frame == at.frame {
		return nil
	}
	s.frame = ""
	if err := s.remote.switchFrame(ctx, nil); err != nil {
		return fmt.Errorf("leave a frame: %w", err)
	}
	if at.frame == "" {
		return nil
	}
	frame, err := s.remote.find(ctx, at.frame)
	if code(err) == codeNoElement {
		return fmt.Errorf("%w: frame %s is not there", browser.ErrNoElement, at.frame)
	}
	if err == nil {
		err = s.remote.switchFrame(ctx, &frame)
	}
	if err != nil {
		return fmt.Errorf("enter frame %s: %w", at.frame, err)
	}
	s.frame = at.frame
	return nil
}

// leave forgets which window and frame are current.
func (s *session) leave() { s.window, s.frame = "", "" }

// use makes p the page of the last use.
func (s *session) use(p *page) {
	if n := len(s.pages); n > 0 && s.pages[n-1] == p {
		return
	}
	s.drop(p)
	s.pages = append(s.pages, p)
}

func (s *session) drop(p *page) {
	kept := s.pages[:0]
	for _, other := range s.pages {
		if other != p {
			kept = append(kept, other)
		}
	}
	s.pages = kept
}

// NewPage opens a window.
func (s *session) NewPage(ctx context.Context) (browser.Page, error) {
	p := &page{}
	p.scope = scope{session: s, at: place{page: p}}
	err := s.do(ctx, func(ctx context.Context) (err error) {
		if s.spare == "" {
			if s.spare, err = s.openWindow(ctx); err != nil {
				return err
			}
		}
		p.handle = s.spare
		if err := s.enter(ctx, p.at); err != nil {
			s.drop(p)
			return err
		}
		s.spare = ""
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("open a page: %w", err)
	}
	return p, nil
}

// openWindow opens a window. The protocol opens it from the current one, which
// may have been closed.
func (s *session) openWindow(ctx context.Context) (string, error) {
	handle, err := s.remote.newWindow(ctx)
	if code(err) != codeNoWindow {
		return handle, err
	}
	all, err := s.remote.windows(ctx)
	if err != nil || len(all) == 0 {
		return "", errors.Join(errors.New("no window is left to open another from"), err)
	}
	s.leave()
	if err := s.remote.switchWindow(ctx, all[0]); err != nil {
		return "", err
	}
	s.window = all[0]
	return s.remote.newWindow(ctx)
}

// Tabs counts the open windows; MiniBrowser ends with its last one.
func (s *session) Tabs(ctx context.Context) (n int, err error) {
	err = s.do(ctx, func(ctx context.Context) error {
		all, err := s.remote.windows(ctx)
		n = len(all)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("count the windows: %w", err)
	}
	return n, nil
}

// Cookies returns the whole jar where DevTools tell it, and else the cookies of
// the host of the page that was used last.
func (s *session) Cookies(ctx context.Context) (trace.Jar, error) {
	jar := trace.Jar{Time: time.Now(), Scope: trace.JarHost, Cookies: []trace.Cookie{}}
	err := s.do(ctx, func(ctx context.Context) (err error) {
		if s.devtools {
			jar.Scope = trace.JarWhole
			jar.Cookies, err = s.remote.allCookies(ctx, s.recorder.Redactor())
			return err
		}
		if len(s.pages) == 0 {
			return nil
		}
		r, err := s.run(ctx, s.pages[len(s.pages)-1].at, nothing, nil, nil)
		if err != nil {
			return err
		}
		jar.Page = s.scrub(r.URL)
		all, err := s.remote.cookies(ctx)
		for _, c := range all {
			jar.Cookies = append(jar.Cookies, c.traced(s.recorder.Redactor()))
		}
		return err
	})
	if err != nil {
		return trace.Jar{}, fmt.Errorf("ask for the cookies: %w", err)
	}
	return jar, nil
}

// traced is the cookie as a trace holds it. WebDriver writes a domain that has
// subdomains with a leading dot, and tells no partition key.
func (c cookie) traced(r *trace.Redactor) trace.Cookie {
	domain, wide := strings.CutPrefix(c.Domain, ".")
	t := trace.Cookie{
		Name: c.Name, Digest: r.Learn(c.Value), Domain: domain, HostOnly: !wide, Path: c.Path,
		Secure: c.Secure, HTTPOnly: c.HTTPOnly, SameSite: c.SameSite, Bytes: len(c.Name) + len(c.Value),
	}
	if c.Expiry != nil {
		t.Expires = time.Unix(int64(*c.Expiry), 0)
	}
	return t
}

// Close gathers the last page errors and ends the browser and its driver.
func (s *session) Close(ctx context.Context) error {
	if !s.closed.Load() && s.far.life().Err() == nil {
		limited, cancel := context.WithTimeout(ctx, harvestLimit)
		defer cancel()
		s.harvest(limited)
	}
	return s.end()
}

// harvest looks at each page for the last time; what fails is not worth
// holding up the end for, and is within the gap that the trace names.
func (s *session) harvest(ctx context.Context) {
	_ = s.do(ctx, func(ctx context.Context) error {
		for _, p := range append([]*page(nil), s.pages...) {
			s.look(ctx, p.at)
		}
		return nil
	})
}

// end ends the browser and its driver, whatever they are doing.
func (s *session) end() error {
	s.closing.Do(func() {
		s.closed.Store(true)
		if s.far.life().Err() == nil {
			ctx, cancel := context.WithTimeout(context.Background(), deleteLimit)
			// What does not end by itself is killed.
			_ = s.remote.delete(ctx)
			cancel()
		}
		s.closeErr = s.far.kill()
		s.remote.close()
		s.atEnd()
	})
	return s.closeErr
}
