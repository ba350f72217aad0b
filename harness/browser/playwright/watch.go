package playwright

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	pw "github.com/mxschmitt/playwright-go"

	"crossing/harness/trace"
)

// watcher writes down what Chromium's debugger says of one tab's requests:
// cookies that were not stored or not sent, and failed CORS checks (Chrome
// DevTools Protocol, domain Network).
type watcher struct {
	tab      pw.Page
	recorder *trace.Recorder

	mu      sync.Mutex
	flights map[string]*flight
}

// flight is one request with its redirects, which share an id. The events
// that tell of cookies come by another way than those that tell addresses, in
// any order; the n-th of the one kind belongs to the n-th of the other.
type flight struct {
	hops           []string
	sent, received int
	waiting        []func() bool
}

// irrelevant are reasons that only say that a cookie was meant for elsewhere.
var irrelevant = []string{"DomainMismatch", "NotOnPath"}

// watch starts watching tab. It must be called before the first navigation.
func watch(cdp pw.CDPSession, tab pw.Page, r *trace.Recorder) error {
	w := &watcher{tab: tab, recorder: r, flights: map[string]*flight{}}
	on(cdp, "Network.requestWillBeSent", w.leaves)
	on(cdp, "Network.requestWillBeSentExtraInfo", w.sent)
	on(cdp, "Network.responseReceivedExtraInfo", w.received)
	on(cdp, "Network.loadingFailed", w.failed)
	if _, err := cdp.Send("Network.enable", map[string]any{}); err != nil {
		return fmt.Errorf("watch the page's network: %w", err)
	}
	return nil
}

// on calls f with every event of a name, decoded.
func on[E any](cdp pw.CDPSession, name string, f func(E)) {
	cdp.On(name, func(params any) {
		data, err := json.Marshal(params)
		if err != nil {
			return
		}
		var event E
		if json.Unmarshal(data, &event) == nil {
			f(event)
		}
	})
}

type requestEvent struct {
	RequestID string `json:"requestId"`
	Request   struct {
		URL string `json:"url"`
	} `json:"request"`
	// Redirected is the answer that led here. Where it came from a cache it
	// has no extra info, which must not be waited for.
	Redirected *struct{} `json:"redirectResponse"`
	HasExtra   bool      `json:"redirectHasExtraInfo"`
}

type sentEvent struct {
	RequestID string `json:"requestId"`
	Cookies   []struct {
		Reasons []string `json:"blockedReasons"`
		Cookie  struct {
			Name string `json:"name"`
		} `json:"cookie"`
	} `json:"associatedCookies"`
}

type receivedEvent struct {
	RequestID string `json:"requestId"`
	Cookies   []struct {
		Reasons []string `json:"blockedReasons"`
		Line    string   `json:"cookieLine"`
	} `json:"blockedCookies"`
}

type failedEvent struct {
	RequestID string `json:"requestId"`
	Text      string `json:"errorText"`
	Canceled  bool   `json:"canceled"`
	CORS      *struct {
		Error     string `json:"corsError"`
		Parameter string `json:"failedParameter"`
	} `json:"corsErrorStatus"`
}

func (w *watcher) flight(id string) *flight {
	f := w.flights[id]
	if f == nil {
		f = &flight{}
		w.flights[id] = f
	}
	return f
}

func (w *watcher) leaves(e requestEvent) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f := w.flight(e.RequestID)
	if e.Redirected != nil && !e.HasExtra && len(f.hops) > 0 {
		// The hop before this one will have no more to say.
		f.sent, f.received = max(f.sent, len(f.hops)), max(f.received, len(f.hops))
	}
	f.hops = append(f.hops, e.Request.URL)
	f.waiting = slices.DeleteFunc(f.waiting, func(try func() bool) bool { return try() })
}

// later runs record with the address of the n-th hop, once that is known.
func (f *flight) later(n int, record func(address string)) {
	try := func() bool {
		if n >= len(f.hops) {
			return false
		}
		record(f.hops[n])
		return true
	}
	if !try() {
		f.waiting = append(f.waiting, try)
	}
}

func (w *watcher) sent(e sentEvent) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f := w.flight(e.RequestID)
	n := f.sent
	f.sent++
	for _, c := range e.Cookies {
		elsewhere := slices.ContainsFunc(c.Reasons, func(r string) bool { return slices.Contains(irrelevant, r) })
		if len(c.Reasons) > 0 && !elsewhere {
			w.refuse(f, n, "send", c.Cookie.Name, c.Reasons)
		}
	}
}

func (w *watcher) received(e receivedEvent) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f := w.flight(e.RequestID)
	n := f.received
	f.received++
	for _, c := range e.Cookies {
		name, _, _ := strings.Cut(c.Line, "=")
		w.refuse(f, n, "store", strings.TrimSpace(name), c.Reasons)
	}
}

func (w *watcher) refuse(f *flight, hop int, direction, cookie string, reasons []string) {
	at := time.Now()
	f.later(hop, func(address string) {
		w.recorder.Refusal(trace.Refusal{
			Time: at, URL: withoutQuery(address), Cookie: cookie, Direction: direction, Reasons: reasons,
		})
	})
}

func (w *watcher) failed(e failedEvent) {
	w.mu.Lock()
	defer w.mu.Unlock()
	kind, text := trace.ErrorNetwork, e.Text
	switch {
	case e.CORS != nil:
		kind, text = trace.ErrorCORS, e.CORS.Error
		if e.CORS.Parameter != "" {
			text += " (" + e.CORS.Parameter + ")"
		}
	case e.Canceled:
		return // a page was left, or thought better of it
	}
	if f := w.flight(e.RequestID); len(f.hops) > 0 {
		text += " " + withoutQuery(f.hops[len(f.hops)-1])
	}
	w.recorder.PageError(trace.PageError{Time: time.Now(), Page: w.tab.URL(), Kind: kind, Text: text})
}

// withoutQuery keeps what tells requests apart; a query may hold a secret that
// the redactor has not learnt.
func withoutQuery(address string) string {
	address, _, _ = strings.Cut(address, "?")
	return address
}
