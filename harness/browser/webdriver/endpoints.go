package webdriver

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"crossing/harness/browser/devtools"
	"crossing/harness/trace"
)

// element is a reference to an element. On the wire it is an object whose one
// name is the web element identifier (WebDriver, section 12, "Elements").
type element string

const elementIdentifier = "element-6066-11e4-a52e-4f735466cecf"

func (e element) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]string{elementIdentifier: string(e)})
}

func (e *element) UnmarshalJSON(data []byte) error {
	var reference map[string]string
	if err := json.Unmarshal(data, &reference); err != nil {
		return err
	}
	id, ok := reference[elementIdentifier]
	if !ok {
		return fmt.Errorf("no web element: %.100s", data)
	}
	*e = element(id)
	return nil
}

// cookie is a serialized cookie (WebDriver, section 14). The protocol tells
// no partition key.
type cookie struct {
	Name     string `json:"name"`
	Value    string `json:"value"`
	Path     string `json:"path"`
	Domain   string `json:"domain"`
	Secure   bool   `json:"secure"`
	HTTPOnly bool   `json:"httpOnly"`
	// Expiry is in seconds since 1970; absent for a session cookie.
	Expiry   *float64 `json:"expiry"`
	SameSite string   `json:"sameSite"`
}

// remote is one session at a remote end: an endpoint each (WebDriver, section
// 6.4). Those that look at a document act on the current window and frame.
type remote struct {
	*client
	path string
}

// told is what the remote end says of its browser.
type told struct {
	Name    string `json:"browserName"`
	Version string `json:"browserVersion"`
}

// create opens a session that has every one of capabilities.
func (c *client) create(ctx context.Context, capabilities map[string]any) (remote, told, error) {
	body := map[string]any{"capabilities": map[string]any{"alwaysMatch": capabilities}}
	var value struct {
		SessionID    string `json:"sessionId"`
		Capabilities told   `json:"capabilities"`
	}
	if err := c.call(ctx, http.MethodPost, "/session", body, &value); err != nil {
		return remote{}, told{}, err
	}
	if value.SessionID == "" {
		return remote{}, told{}, fmt.Errorf("the driver answered without a session id")
	}
	return remote{c, "/session/" + value.SessionID}, value.Capabilities, nil
}

func (r remote) get(ctx context.Context, path string, out any) error {
	return r.call(ctx, http.MethodGet, r.path+path, nil, out)
}

func (r remote) post(ctx context.Context, path string, body, out any) error {
	return r.call(ctx, http.MethodPost, r.path+path, body, out)
}

func (r remote) delete(ctx context.Context) error {
	return r.call(ctx, http.MethodDelete, r.path, nil, nil)
}

func (r remote) navigate(ctx context.Context, url string) error {
	return r.post(ctx, "/url", map[string]string{"url": url}, nil)
}

// url returns the address that the window is at, or on its way to.
func (r remote) url(ctx context.Context) (address string, err error) {
	err = r.get(ctx, "/url", &address)
	return address, err
}

func (r remote) refresh(ctx context.Context) error { return r.post(ctx, "/refresh", nil, nil) }

// execute runs source, a function's body, and awaits the promise that it may
// return.
func (r remote) execute(ctx context.Context, source string, args []any, out any) error {
	return r.post(ctx, "/execute/sync", map[string]any{"script": source, "args": args}, out)
}

// window returns the handle of the current window.
func (r remote) window(ctx context.Context) (handle string, err error) {
	err = r.get(ctx, "/window", &handle)
	return handle, err
}

// windows returns the handles of all windows.
func (r remote) windows(ctx context.Context) (handles []string, err error) {
	err = r.get(ctx, "/window/handles", &handles)
	return handles, err
}

// newWindow opens a window of its own, not a tab: pages of a tab that is not
// in front are hidden, and a hidden page draws no frames and slows its timers.
func (r remote) newWindow(ctx context.Context) (handle string, err error) {
	var value struct {
		Handle string `json:"handle"`
	}
	err = r.post(ctx, "/window/new", map[string]string{"type": "window"}, &value)
	return value.Handle, err
}

// switchWindow makes a window current, with its top-level document.
func (r remote) switchWindow(ctx context.Context, handle string) error {
	return r.post(ctx, "/window", map[string]string{"handle": handle}, nil)
}

// closeWindow closes the current window; with the last one the session ends.
func (r remote) closeWindow(ctx context.Context) error {
	return r.call(ctx, http.MethodDelete, r.path+"/window", nil, nil)
}

// switchFrame makes the document of a frame current, and with nil the
// window's own.
func (r remote) switchFrame(ctx context.Context, frame *element) error {
	return r.post(ctx, "/frame", map[string]any{"id": frame}, nil)
}

func (r remote) find(ctx context.Context, selector string) (e element, err error) {
	err = r.post(ctx, "/element", map[string]string{"using": "css selector", "value": selector}, &e)
	return e, err
}

func (r remote) click(ctx context.Context, e element) error {
	return r.post(ctx, "/element/"+string(e)+"/click", nil, nil)
}

func (r remote) sendKeys(ctx context.Context, e element, keys string) error {
	return r.post(ctx, "/element/"+string(e)+"/value", map[string]string{"text": keys}, nil)
}

// cookies returns those that the current document's own address would be
// sent, HttpOnly ones included.
func (r remote) cookies(ctx context.Context) (all []cookie, err error) {
	err = r.get(ctx, "/cookie", &all)
	return all, err
}

// allCookies are those of the whole jar, with their partition keys, by the
// endpoint that chromedriver adds to the protocol for DevTools' commands.
func (r remote) allCookies(ctx context.Context, redactor *trace.Redactor) ([]trace.Cookie, error) {
	var answer json.RawMessage
	err := r.post(ctx, "/goog/cdp/execute", map[string]any{"cmd": devtools.AllCookies, "params": struct{}{}}, &answer)
	if err != nil {
		return nil, err
	}
	return devtools.Read(answer, redactor)
}

// screenshot returns a PNG of the current window.
func (r remote) screenshot(ctx context.Context) (png []byte, err error) {
	err = r.get(ctx, "/screenshot", &png) // base64, as encoding/json reads []byte
	return png, err
}
