package playwright

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	pw "github.com/mxschmitt/playwright-go"

	"crossing/harness/browser"
	"crossing/harness/browser/devtools"
	"crossing/harness/trace"
)

// viewport is a small laptop's, so that a frontend shows its desktop form.
var viewport = &pw.Size{Width: 1280, Height: 800}

// session is one browser context: of the shared browser, or of a browser of
// its own where its profile is kept.
type session struct {
	engine   *engine
	context  pw.BrowserContext
	recorder *trace.Recorder
	life     *life
	keep     string // the folder of the profile that is kept, if any

	mu sync.Mutex
	// first is the tab that a browser with a kept profile opens by itself.
	first pw.Page
	pages []*page
	ended bool
}

// NewSession opens a session: a context in the shared browser, or, where
// o.Keep names a folder, a browser of its own on the profile in it.
func (e *engine) NewSession(ctx context.Context, o browser.Options) (browser.Session, error) {
	if o.Proxy == "" || o.Recorder == nil {
		return nil, fmt.Errorf("open a session: Options.Proxy %q and Options.Recorder are both needed", o.Proxy)
	}
	s := &session{engine: e, recorder: o.Recorder, life: e.life}
	open := func(float64) (pw.BrowserContext, error) { return e.shared.NewContext(e.contextOptions(o)) }
	if o.Keep != "" {
		s.life = newLife()
		dir, err := filepath.Abs(o.Keep)
		if err != nil {
			return nil, fmt.Errorf("open a session: %w", err)
		}
		s.keep, o.Keep = dir, dir
		open = func(ms float64) (pw.BrowserContext, error) { return e.keep(o, s.life, ms) }
	}
	if e.life.ended() {
		return nil, fmt.Errorf("open a session: %w", browser.ErrDead)
	}
	if o.Keep != "" && e.launch.Endpoint.URL != "" {
		return nil, fmt.Errorf("open a session of a Playwright server with a kept profile: its disk is not this machine's: %w", errors.ErrUnsupported)
	}
	if o.Keep == "" {
		if err := e.share(ctx); err != nil {
			return nil, fmt.Errorf("open a session: start %s: %w", e.launch.Profile.Name, err)
		}
	}
	var err error
	if s.context, err = call(ctx, s.life, open); err != nil {
		return nil, fmt.Errorf("open a session: %w", told(err))
	}
	if tabs := s.context.Pages(); o.Keep != "" && len(tabs) > 0 {
		s.first = tabs[0]
	}
	s.watchErrors()
	for _, gap := range e.gaps() {
		o.Recorder.Gap(gap)
	}
	return s, nil
}

func (e *engine) contextOptions(o browser.Options) pw.BrowserNewContextOptions {
	return pw.BrowserNewContextOptions{
		Proxy: &pw.Proxy{Server: o.Proxy}, Viewport: viewport, IgnoreHttpsErrors: e.trustsAll(),
	}
}

func (e *engine) keep(o browser.Options, l *life, ms float64) (pw.BrowserContext, error) {
	launch := e.launchOptions(ms)
	if e.firefox() {
		if err := proxied(launch.FirefoxUserPrefs, o.Proxy); err != nil {
			return nil, err
		}
	}
	c, err := e.kind.LaunchPersistentContext(o.Keep, pw.BrowserTypeLaunchPersistentContextOptions{
		Args: launch.Args, Channel: launch.Channel, FirefoxUserPrefs: launch.FirefoxUserPrefs,
		ExecutablePath: launch.ExecutablePath, Headless: launch.Headless,
		Env: launch.Env, SlowMo: launch.SlowMo, Timeout: launch.Timeout, HandleSIGINT: launch.HandleSIGINT,
		Proxy: &pw.Proxy{Server: o.Proxy}, Viewport: viewport, IgnoreHttpsErrors: e.trustsAll(),
	})
	if err != nil {
		return nil, startupError(e.version.Executable+" with the profile in "+o.Keep, err)
	}
	c.OnClose(func(pw.BrowserContext) { l.end() })
	e.opening.Lock()
	defer e.opening.Unlock()
	e.version.Browser = e.title(c.Browser())
	e.started()
	return c, nil
}

// proxied adds Firefox's preferences for a proxy: what Playwright is told of one
// for a kept profile never reaches a stock Firefox.
func proxied(preferences map[string]any, proxy string) error {
	u, err := url.Parse(proxy)
	if err != nil {
		return err
	}
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		return fmt.Errorf("proxy %s has no port: %w", proxy, err)
	}
	preferences["network.proxy.type"] = 1 // by hand
	for _, scheme := range []string{"http", "ssl"} {
		preferences["network.proxy."+scheme] = u.Hostname()
		preferences["network.proxy."+scheme+"_port"] = port
	}
	return nil
}

// gaps are what this engine does not report through Playwright.
func (e *engine) gaps() []string {
	if e.chromium() {
		return []string{"cookies refused within a cross-site frame: Chromium tells them to the frame's own debugger, which is not attached"}
	}
	title := titles[e.launch.Profile.Engine]
	return []string{
		"cookies refused: Playwright's " + title + " does not say which, or why",
		"failed CORS checks: Playwright's " + title + " has no word for the cause",
	}
}

// watchErrors records uncaught exceptions and unhandled rejections of every
// page of the session.
func (s *session) watchErrors() {
	s.context.OnWebError(func(e pw.WebError) {
		at := ""
		if p := e.Page(); p != nil {
			at = p.URL()
		}
		text := firstLine(e.Error().Error())
		s.recorder.PageError(trace.PageError{Time: time.Now(), Page: at, Kind: kindOf(text), Text: text})
	})
}

// NewPage opens a tab.
func (s *session) NewPage(ctx context.Context) (browser.Page, error) {
	p, err := s.newPage(ctx)
	if err != nil {
		return nil, fmt.Errorf("open a page: %w", told(err))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pages = append(s.pages, p)
	return p, nil
}

func (s *session) newPage(ctx context.Context) (*page, error) {
	return call(ctx, s.life, func(float64) (*page, error) {
		tab, err := s.tab()
		if err != nil {
			return nil, err
		}
		p := newPage(s, tab)
		// The edge sees the browser's own calls as well: only the browser can
		// tell which are a page's.
		s.recorder.Hosts()
		tab.OnRequest(func(r pw.Request) {
			if u, err := url.Parse(r.URL()); err == nil && u.Host != "" {
				s.recorder.Host(u.Host)
			}
		})
		if !s.engine.chromium() {
			return p, nil
		}
		if p.cdp, err = s.context.NewCDPSession(tab); err != nil {
			return nil, err
		}
		return p, watch(p.cdp, tab, s.recorder)
	})
}

func (s *session) tab() (pw.Page, error) {
	s.mu.Lock()
	first := s.first
	s.first = nil
	s.mu.Unlock()
	if first != nil {
		return first, nil
	}
	return s.context.NewPage()
}

// Tabs counts the open pages of the context.
func (s *session) Tabs(context.Context) (int, error) {
	if s.life.ended() {
		return 0, browser.ErrDead
	}
	return len(s.context.Pages()), nil
}

// Close ends the session, and the browser that it had of its own. What a kept
// profile holds is on disk then.
func (s *session) Close(ctx context.Context) error {
	s.mu.Lock()
	again := s.ended
	s.ended = true
	s.mu.Unlock()
	if again || s.engine.closed.Load() {
		return nil
	}
	var own processes
	if s.keep != "" {
		own = family(s.engine.driver.Pid()).keeping(s.keep)
	}
	// Not s.life: a browser of the session's own says that it goes before it
	// has gone, and before what it keeps is on disk.
	_, err := call(ctx, s.engine.life, func(float64) (any, error) { return nil, s.context.Close() })
	if err != nil && !(errors.Is(err, pw.ErrTargetClosed) && s.life.ended()) {
		return fmt.Errorf("close the session: %w", told(err))
	}
	// Chromium's network process writes the index of its cache after the
	// browser has gone, and would bring back a folder that was removed.
	limited, cancel := context.WithTimeoutCause(ctx, closeLimit, fmt.Errorf("the limit is %s", closeLimit))
	defer cancel()
	if err := own.wait(limited); err != nil {
		return fmt.Errorf("close the session with the profile in %s: %w", s.keep, err)
	}
	return nil
}

// Cookies returns the whole jar. From Chromium it is asked by its debugging
// protocol, since Playwright leaves out the ancestor bit of partition keys.
func (s *session) Cookies(ctx context.Context) (trace.Jar, error) {
	jar := trace.Jar{Time: time.Now(), Scope: trace.JarWhole}
	asked := s.cookies
	if s.engine.chromium() {
		asked = s.chromiumCookies
	}
	var err error
	if jar.Cookies, err = asked(ctx); err != nil {
		return trace.Jar{}, fmt.Errorf("ask for the cookies: %w", told(err))
	}
	return jar, nil
}

func (s *session) cookies(ctx context.Context) ([]trace.Cookie, error) {
	return call(ctx, s.life, func(float64) ([]trace.Cookie, error) {
		all, err := s.context.Cookies()
		if err != nil {
			return nil, err
		}
		var cookies []trace.Cookie
		for _, c := range all {
			k := devtools.Cookie{Name: c.Name, Value: c.Value, Domain: c.Domain, Path: c.Path, Expires: c.Expires,
				Size: len(c.Name) + len(c.Value), HTTPOnly: c.HttpOnly, Secure: c.Secure}
			if c.SameSite != nil {
				k.SameSite = string(*c.SameSite)
			}
			if c.PartitionKey != nil {
				k.PartitionKey.TopLevelSite = *c.PartitionKey
			}
			// Firefox lists a cookie that has expired until something else makes it
			// look, and does not send it (153, measured).
			if seen := k.Traced(s.recorder.Redactor()); seen.Expires.IsZero() || seen.Expires.After(time.Now()) {
				cookies = append(cookies, seen)
			}
		}
		return cookies, nil
	})
}

// chromiumCookies asks a tab's debugger: its answer is of the tab's own
// context, and a session without a tab gets one for the question.
func (s *session) chromiumCookies(ctx context.Context) ([]trace.Cookie, error) {
	p, mine, err := s.anyPage(ctx)
	if err != nil {
		return nil, err
	}
	cookies, err := call(ctx, s.life, func(float64) ([]trace.Cookie, error) {
		answer, err := p.cdp.Send(devtools.AllCookies, map[string]any{})
		if err != nil {
			return nil, err
		}
		data, err := json.Marshal(answer)
		if err != nil {
			return nil, err
		}
		return devtools.Read(data, s.recorder.Redactor())
	})
	if mine {
		err = errors.Join(err, p.Close(ctx))
	}
	return cookies, err
}

func (s *session) anyPage(ctx context.Context) (p *page, mine bool, err error) {
	s.mu.Lock()
	for _, p := range s.pages {
		if !p.tab.IsClosed() {
			s.mu.Unlock()
			return p, false, nil
		}
	}
	s.mu.Unlock()
	p, err = s.newPage(ctx)
	return p, true, err
}

// kindOf tells what Firefox reports among a page's exceptions, and is none: that
// CORS kept an answer from it. Chromium has a report of its own for that.
func kindOf(text string) string {
	if strings.HasPrefix(text, "The Same Origin Policy disallows reading the remote resource at ") || strings.HasPrefix(text, "Cross-Origin Request Blocked: ") {
		return trace.ErrorCORS
	}
	return trace.ErrorUncaught
}
