package playwright

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"

	pw "github.com/mxschmitt/playwright-go"

	"crossing/harness/browser"
)

// page is a tab, with the debugger's session that watches it on Chromium.
type page struct {
	scope
	tab pw.Page
	cdp pw.CDPSession
	// commits has a word in it since the tab last showed another document.
	commits chan struct{}
}

func newPage(s *session, tab pw.Page) *page {
	p := &page{scope: scope{session: s, frame: tab.MainFrame()}, tab: tab, commits: make(chan struct{}, 1)}
	tab.OnFrameNavigated(func(f pw.Frame) {
		if f != p.frame {
			return
		}
		select {
		case p.commits <- struct{}{}:
		default:
		}
	})
	return p
}

// Goto opens address and waits for its load event.
func (p *page) Goto(ctx context.Context, address string) error {
	p.forget()
	_, err := call(ctx, p.session.life, func(ms float64) (any, error) {
		_, err := p.tab.Goto(address, pw.PageGotoOptions{Timeout: pw.Float(ms)})
		return nil, err
	})
	p.settle(ctx, err)
	return p.arrival(address, err)
}

// Reload asks for the page again and waits for its load event.
func (p *page) Reload(ctx context.Context) error {
	address := p.tab.URL()
	p.forget()
	_, err := call(ctx, p.session.life, func(ms float64) (any, error) {
		_, err := p.tab.Reload(pw.PageReloadOptions{Timeout: pw.Float(ms)})
		return nil, err
	})
	p.settle(ctx, err)
	return p.arrival(address, err)
}

func (p *page) forget() {
	select {
	case <-p.commits:
	default:
	}
}

// errorPage bounds the wait for Chromium's own error page.
const errorPage = 2 * time.Second

// settle waits, after a load that failed, for the error page that Chromium
// shows then. It comes after the answer, and would break off the next
// navigation. A load that was aborted, as by a download, has none.
func (p *page) settle(ctx context.Context, err error) {
	if err == nil || !strings.Contains(err.Error(), "net::ERR_") || strings.Contains(err.Error(), "net::ERR_ABORTED") {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, errorPage)
	defer cancel()
	for {
		select {
		case <-p.commits:
			if strings.HasPrefix(p.tab.URL(), "chrome-error:") {
				return
			}
		case <-p.session.life.over:
			return
		case <-ctx.Done():
			return
		}
	}
}

// engineWord finds an engine's own name for a failed load.
var engineWord = regexp.MustCompile(`net::ERR_\w+|NS_ERROR_\w+|SSL_ERROR_\w+|SEC_ERROR_\w+`)

// arrival judges where a navigation to address has ended.
func (p *page) arrival(address string, err error) error {
	switch {
	case err == nil:
		if at := p.tab.URL(); !sameOrigin(at, address) {
			return fmt.Errorf("%w: asked for %s, ended on %s", browser.ErrNotArrived, address, at)
		}
		return nil
	case errors.Is(err, browser.ErrDead), errors.Is(err, context.Canceled):
		return fmt.Errorf("go to %s: %w", address, err)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, pw.ErrTimeout):
		return fmt.Errorf("%w: %s had not loaded in the time given: %w", browser.ErrNotArrived, address, context.DeadlineExceeded)
	}
	word := engineWord.FindString(err.Error())
	if word == "" {
		word = firstLine(err.Error())
	}
	return fmt.Errorf("%w: %s: %s", browser.ErrNotArrived, address, word)
}

// sameOrigin compares addresses as browser.Page.Goto wants them compared;
// those without a host, such as about:blank, as a whole.
func sameOrigin(a, b string) bool {
	one, err := url.Parse(a)
	if err != nil {
		return false
	}
	other, err := url.Parse(b)
	if err != nil {
		return false
	}
	if one.Host == "" || other.Host == "" {
		return a == b
	}
	return one.Scheme == other.Scheme && one.Host == other.Host
}

// frameTick is how often the inside of a frame is asked whether it is there.
const frameTick = 20 * time.Millisecond

// settled answers with the address of a document that has loaded. The empty
// document that a frame begins with is none where the frame has another src.
const settled = `async want => {
	if (location.href === 'about:blank' && want && want !== 'about:blank') return ''
	if (document.readyState !== 'complete') await new Promise(done => addEventListener('load', done))
	return location.href
}`

// Frame returns the inside of a frame once its document has loaded.
func (p *page) Frame(ctx context.Context, selector string) (browser.Scope, error) {
	type found struct {
		frame pw.Frame
		src   string
	}
	in, err := call(ctx, p.session.life, func(ms float64) (found, error) {
		// What a locator gives of a frame evaluates nothing.
		element, err := p.first(selector).ElementHandle(pw.LocatorElementHandleOptions{Timeout: pw.Float(ms)}) //nolint:staticcheck
		if err != nil {
			return found{}, err
		}
		frame, err := element.ContentFrame()
		if err != nil {
			return found{}, err
		}
		src, err := element.GetAttribute("src") //nolint:staticcheck
		return found{frame, src}, err
	})
	if err != nil {
		return nil, fmt.Errorf("enter a frame: %w", p.waited(selector, err))
	}
	if in.frame == nil {
		return nil, fmt.Errorf("enter a frame: %w for %s: what fits it is no frame", browser.ErrNoElement, selector)
	}
	inside := scope{session: p.session, frame: in.frame}
	tick := time.NewTicker(frameTick)
	defer tick.Stop()
	for {
		// A document that gives way to another while it is asked answers with
		// an error, as one does that has not loaded: ask the next.
		at := ""
		err := inside.Eval(ctx, settled, in.src, &at)
		if err == nil && at != "" {
			return &inside, nil
		}
		if errors.Is(err, browser.ErrDead) || errors.Is(err, context.Canceled) {
			return nil, fmt.Errorf("enter frame %s: %w", selector, err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, fmt.Errorf("enter a frame: %w for %s: it is at %q and has not loaded %q: %w",
				browser.ErrNoElement, selector, in.frame.URL(), in.src, ctx.Err())
		}
	}
}

// Screenshot returns a PNG of the viewport.
func (p *page) Screenshot(ctx context.Context) ([]byte, error) {
	data, err := call(ctx, p.session.life, func(ms float64) ([]byte, error) {
		return p.tab.Screenshot(pw.PageScreenshotOptions{Timeout: pw.Float(ms)})
	})
	if err != nil {
		return nil, fmt.Errorf("take a screenshot: %w", told(err))
	}
	return data, nil
}

// Close closes the tab.
func (p *page) Close(ctx context.Context) error {
	_, err := call(ctx, p.session.life, func(float64) (any, error) { return nil, p.tab.Close() })
	if err != nil {
		return fmt.Errorf("close the page: %w", told(err))
	}
	return nil
}

// scope is a document: a tab's, or that of a frame in it.
type scope struct {
	session *session
	frame   pw.Frame
}

// first finds by CSS alone, in this document alone.
func (s *scope) first(selector string) pw.Locator { return s.frame.Locator("css=" + selector).First() }

// URL returns the document's address.
func (s *scope) URL(ctx context.Context) (string, error) {
	at, err := call(ctx, s.session.life, func(float64) (string, error) { return s.frame.URL(), nil })
	if err != nil {
		return "", fmt.Errorf("ask for the address: %w", err)
	}
	return at, nil
}

// Eval passes arg and result as JSON texts, so that both mean the same in
// every engine, and catches within the page, so that its words arrive without
// a stack of the driver's around them.
func (s *scope) Eval(ctx context.Context, script string, arg, out any) error {
	given, err := json.Marshal(arg)
	if err != nil {
		return fmt.Errorf("evaluate in the page: the argument: %w", err)
	}
	expression := `async given => {
	const words = e => e !== null && typeof e === 'object' && !('message' in e) ? JSON.stringify(e) : String(e)
	try {
		return JSON.stringify({value: await (` + script + `
		)(JSON.parse(given))})
	} catch (e) { return JSON.stringify({error: words(e)}) }
}`
	answer, err := call(ctx, s.session.life, func(float64) (any, error) {
		return s.frame.Evaluate(expression, string(given))
	})
	if err != nil {
		return fmt.Errorf("evaluate in the page: %w", told(err))
	}
	text, _ := answer.(string)
	var result struct {
		Value json.RawMessage `json:"value"`
		Error *string         `json:"error"`
	}
	if err := json.Unmarshal([]byte(text), &result); err != nil {
		return fmt.Errorf("evaluate in the page: the answer: %w", err)
	}
	if result.Error != nil {
		return fmt.Errorf("evaluate in the page: %s", *result.Error)
	}
	if out == nil || result.Value == nil { // undefined has no JSON
		return nil
	}
	if err := json.Unmarshal(result.Value, out); err != nil {
		return fmt.Errorf("evaluate in the page: the result: %w", err)
	}
	return nil
}

// ready is the first element that fits, once it is visible and enabled. It is
// waited for before each action: a wait that was given up must not act when
// its element comes at last, and the driver cannot be called off.
func (s *scope) ready(ctx context.Context, selector string) error {
	_, err := call(ctx, s.session.life, func(ms float64) (any, error) {
		enabled := s.first(selector).And(s.frame.Locator("css=:not(:disabled)"))
		return nil, enabled.WaitFor(pw.LocatorWaitForOptions{Timeout: pw.Float(ms)})
	})
	if !errors.Is(err, pw.ErrTimeout) {
		return err
	}
	reason := ""
	if s.Eval(ctx, unready, selector, &reason) != nil || reason == "" {
		reason = "neither visible nor enabled"
	}
	return fmt.Errorf("%w for %s: %s", browser.ErrNoElement, selector, reason)
}

const unready = `selector => {
	const e = document.querySelector(selector)
	if (!e) return 'nothing fits it'
	if (e.matches(':disabled')) return 'element is not enabled'
	return 'element is not visible'
}`

// Click waits for the element, scrolls to it, and presses where it is. While
// another element covers it the driver keeps trying, within ctx.
func (s *scope) Click(ctx context.Context, selector string) error {
	err := s.ready(ctx, selector)
	if err == nil {
		_, err = call(ctx, s.session.life, func(ms float64) (any, error) {
			return nil, s.first(selector).Click(pw.LocatorClickOptions{Timeout: pw.Float(ms)})
		})
	}
	if err != nil {
		return fmt.Errorf("click: %w", s.waited(selector, err))
	}
	return nil
}

// Fill selects what the field holds and types text over it.
func (s *scope) Fill(ctx context.Context, selector, text string) error {
	err := s.ready(ctx, selector)
	if err == nil {
		_, err = call(ctx, s.session.life, func(ms float64) (any, error) {
			return nil, s.first(selector).Fill(text, pw.LocatorFillOptions{Timeout: pw.Float(ms)})
		})
	}
	if err != nil {
		return fmt.Errorf("fill: %w", s.waited(selector, err))
	}
	return nil
}

// Attributes reads an element in one go.
func (s *scope) Attributes(ctx context.Context, selector string) (map[string]string, error) {
	answer, err := call(ctx, s.session.life, func(ms float64) (any, error) {
		return s.first(selector).Evaluate(`e => JSON.stringify([
			...Array.from(e.attributes, a => [a.name, a.value]),
			['', (e.innerText ?? e.textContent).trim()],
		])`, nil, pw.LocatorEvaluateOptions{Timeout: pw.Float(ms)})
	})
	if err != nil {
		return nil, fmt.Errorf("read attributes: %w", s.waited(selector, err))
	}
	text, _ := answer.(string)
	var pairs [][2]string
	if err := json.Unmarshal([]byte(text), &pairs); err != nil {
		return nil, fmt.Errorf("read attributes of %s: %w", selector, err)
	}
	attributes := map[string]string{}
	for _, pair := range pairs {
		attributes[pair[0]] = pair[1]
	}
	return attributes, nil
}

// waited explains the end of a wait for selector.
func (s *scope) waited(selector string, err error) error {
	switch {
	case errors.Is(err, browser.ErrNoElement):
		return err
	case errors.Is(err, browser.ErrDead), errors.Is(err, context.Canceled):
		return fmt.Errorf("%s: %w", selector, err)
	}
	return noElement(selector, err)
}
