package webdriver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"crossing/harness/browser"
	"crossing/harness/trace"
)

// names are the browsers that an endpoint is asked for, by engine (WebDriver,
// section 7, "browserName").
var names = map[string]string{"chromium": "chrome", "firefox": "firefox", "webkit": "safari"}

// elsewhere is a W3C WebDriver endpoint that somebody else runs: a driver, a
// grid, a cloud. Each session is a browser there.
type elsewhere struct {
	launch  browser.Launch
	version browser.Version
	address string
	// arguments are those of a Chromium.
	arguments []string
	relay     *relay // where sessions cannot be told of a proxy
	devtools  bool   // the endpoint passes DevTools' commands on

	mu       sync.Mutex
	sessions map[*session]bool
	closed   bool
}

// Connect makes the endpoint of l ready, and asks it for its browser's version
// by a session. What a profile's lever is must be among the capabilities that
// the user names, or be the endpoint's own: a control proves it, as everywhere.
// arguments are those of a Chromium.
func Connect(ctx context.Context, l browser.Launch, arguments []string) (browser.Browser, error) {
	e := &elsewhere{launch: l, address: strings.TrimRight(l.Endpoint.URL, "/"), arguments: arguments, sessions: map[*session]bool{}}
	shown := e.shown()
	if names[l.Profile.Engine] == "" {
		return nil, fmt.Errorf("profile %q has engine %q, for which no browser is known at a WebDriver endpoint", l.Profile.Name, l.Profile.Engine)
	}
	e.version = browser.Version{Executable: shown, Found: "named by WEBDRIVER_URL", Elsewhere: true, Driver: "W3C WebDriver at " + shown,
		Lever: "what WEBDRIVER_CAPABILITIES ask for"}
	if l.Profile.Engine == browser.Chromium.Engine && l.Endpoint.Capabilities == "" {
		e.version.Lever = "the arguments " + strings.Join(arguments, " ")
	}
	if port := l.Endpoint.Port; port != 0 {
		var err error
		if e.relay, err = listen(port); err != nil {
			return nil, err
		}
		e.version.Lever += fmt.Sprintf("; its proxy is its machine's, 127.0.0.1:%d", port)
	}
	if err := e.askVersion(ctx); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

// askVersion has the endpoint tell its browser's version by a session.
func (e *elsewhere) askVersion(ctx context.Context) error {
	limited, cancel := context.WithTimeoutCause(ctx, sessionLimit, fmt.Errorf("nothing within %s", sessionLimit))
	defer cancel()
	r, told, err := e.create(limited, unheard)
	if err != nil {
		return fmt.Errorf("ask %s for a browser: %w", e.shown(), e.full(err))
	}
	e.version.Browser = strings.TrimSpace(told.Name + " " + told.Version)
	if e.launch.Profile.Engine == browser.Chromium.Engine {
		// A grid may not pass it on: then the jar is WebDriver's own.
		_, err := r.allCookies(limited, trace.NewRedactor(nil))
		e.devtools = err == nil
	}
	err = r.delete(limited)
	r.close()
	if err != nil {
		return fmt.Errorf("end the session that told its version: %w", err)
	}
	return nil
}

// shown is the address without what may be a secret in it.
func (e *elsewhere) shown() string {
	u, err := url.Parse(e.address)
	if err != nil {
		return "the endpoint"
	}
	u.User, u.RawQuery = nil, ""
	return u.String()
}

// unheard is a proxy that nobody listens on (port 9 is discard's): the session
// that tells the version needs no network.
const unheard = "http://127.0.0.1:9"

// placeholder stands for the address of a visitor's proxy in the capabilities
// that a user names. Where it does, WebDriver's own proxy is not asked for:
// WebKitGTK's driver has another way to one.
const placeholder = "$PROXY"

func (e *elsewhere) create(ctx context.Context, proxy string) (remote, told, error) {
	asked, err := e.capabilities(proxy)
	if err != nil {
		return remote{}, told{}, err
	}
	c := newClient(e.address)
	r, t, err := c.create(ctx, asked)
	if err != nil {
		c.close()
	}
	return r, t, err
}

// capabilities of a session: what the user names stands before all else.
func (e *elsewhere) capabilities(proxy string) (map[string]any, error) {
	asked := map[string]any{"browserName": names[e.launch.Profile.Engine],
		"acceptInsecureCerts": true, "pageLoadStrategy": "none", "unhandledPromptBehavior": "dismiss"}
	if e.launch.Profile.Engine == browser.Chromium.Engine {
		var args []any
		if !e.launch.Headed {
			args = append(args, "--headless=new")
		}
		for _, a := range e.arguments {
			args = append(args, a)
		}
		asked["goog:chromeOptions"] = map[string]any{"args": args}
	}
	text := e.launch.Endpoint.Capabilities
	if !strings.Contains(text, placeholder) && e.relay == nil {
		at := strings.TrimPrefix(proxy, "http://")
		asked["proxy"] = map[string]any{"proxyType": "manual", "httpProxy": at, "sslProxy": at}
	}
	if text == "" {
		return asked, nil
	}
	var named map[string]any
	if err := json.Unmarshal([]byte(strings.ReplaceAll(text, placeholder, proxy)), &named); err != nil {
		return nil, fmt.Errorf("WEBDRIVER_CAPABILITIES is no JSON object (%w); write what the endpoint is to be asked for, such as {\"browserVersion\": \"18\"}", err)
	}
	merge(asked, named)
	return asked, nil
}

// merge puts b into a: what both have is b's, but lists are joined, and objects
// merged. What is null in b is taken out of a.
func merge(a, b map[string]any) {
	for name, value := range b {
		old, had := a[name]
		switch value := value.(type) {
		case nil:
			delete(a, name)
			continue
		case map[string]any:
			if into, is := old.(map[string]any); is && name != "proxy" {
				merge(into, value)
				continue
			}
		case []any:
			if list, is := old.([]any); is && had {
				a[name] = append(slices.Clone(list), value...)
				continue
			}
		}
		a[name] = value
	}
}

func (e *elsewhere) Profile() browser.Profile { return e.launch.Profile }
func (e *elsewhere) Version() browser.Version { return e.version }

// elsewhereGaps is what no endpoint can report by this protocol.
var elsewhereGaps = []string{
	"elsewhere: uncaught exceptions are seen only between a page's first call after it has loaded and its last: WebDriver reports none by itself",
	"elsewhere: cookies that the engine refuses are not reported: what the edge saw is the evidence",
}

// hostGap is what a jar lacks that WebDriver alone tells.
const hostGap = "elsewhere: the jar shows the cookies of the current page's host only, and no partition key"

// NewSession asks the endpoint for a browser.
func (e *elsewhere) NewSession(ctx context.Context, o browser.Options) (browser.Session, error) {
	if o.Keep != "" {
		return nil, fmt.Errorf("open a session elsewhere with a kept profile: its disk is not this machine's: %w", errors.ErrUnsupported)
	}
	if o.Proxy == "" {
		return nil, errors.New("open a session elsewhere: Options.Proxy is needed")
	}
	if o.Recorder == nil {
		o.Recorder = trace.NewRecorder(trace.NewRedactor(nil), trace.Trace{})
	}
	leave := func() {}
	if e.relay != nil {
		if err := e.relay.take(o.Proxy); err != nil {
			return nil, fmt.Errorf("open a session at %s: %w", e.shown(), err)
		}
		leave = e.relay.leave
	}
	limited, cancel := context.WithTimeoutCause(ctx, sessionLimit, fmt.Errorf("nothing within %s", sessionLimit))
	defer cancel()
	r, _, err := e.create(limited, o.Proxy)
	if err != nil {
		leave()
		return nil, fmt.Errorf("open a session at %s: %w", e.shown(), e.full(err))
	}
	s := newSession(r, endpoint{e.shown()}, o.Recorder)
	s.devtools = e.devtools
	s.slow = time.Duration(e.launch.SlowMoMillis * float64(time.Millisecond))
	s.atEnd = func() {
		leave()
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.sessions, s)
	}
	e.mu.Lock()
	late := e.closed
	e.sessions[s] = true
	e.mu.Unlock()
	if late {
		return nil, errors.Join(fmt.Errorf("%w: it was closed meanwhile", browser.ErrDead), s.end())
	}
	for _, gap := range elsewhereGaps {
		o.Recorder.Gap(gap)
	}
	if !e.devtools {
		o.Recorder.Gap(hostGap)
	}
	if s.spare, err = r.window(limited); err != nil {
		return nil, errors.Join(fmt.Errorf("ask for the first window: %w", err), s.end())
	}
	s.window = s.spare
	return s, nil
}

// fulls are what drivers say who hold one session and are asked for another:
// WebKitWebDriver (2.50, measured); geckodriver and safaridriver, by their
// users' reports.
var fulls = []string{"Maximum number of active sessions", "Session is already started", "already paired with another WebDriver session"}

// full tells a driver that has no place for another session from all else that
// keeps one from being created. Where the session that it has is not ours, it is
// that of another process.
func (e *elsewhere) full(err error) error {
	if code(err) != codeNotCreated || !slices.ContainsFunc(fulls, func(words string) bool { return strings.Contains(err.Error(), words) }) {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.sessions) > 0 {
		return fmt.Errorf("%w: %w", browser.ErrOneSession, err)
	}
	return fmt.Errorf("%w: it holds one session at a time, which another process has: write PROCS=1, and end what else uses it", err)
}

// Close ends the sessions; the endpoint stays.
func (e *elsewhere) Close() error {
	e.mu.Lock()
	again := e.closed
	e.closed = true
	var open []*session
	for s := range e.sessions {
		open = append(open, s)
	}
	e.mu.Unlock()
	var errs []error
	for _, s := range open {
		errs = append(errs, s.end())
	}
	if e.relay != nil && !again {
		errs = append(errs, e.relay.close())
	}
	return errors.Join(errs...)
}

// endpoint is far where nothing was started: it outlives every session.
type endpoint struct{ address string }

func (e endpoint) life() context.Context   { return context.Background() }
func (e endpoint) words() string           { return "the endpoint " + e.address }
func (e endpoint) gone(time.Duration) bool { return false }
func (e endpoint) kill() error             { return nil }
