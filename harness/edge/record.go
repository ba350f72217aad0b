package edge

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"crossing/harness/trace"
)

// bodyLimit is how much of a JSON body is recorded, in bytes.
const bodyLimit = 16 << 10

var buffers = &pool{}

// pool lends ReverseProxy its copy buffers.
type pool struct{ sync.Pool }

// Get lends a buffer.
func (p *pool) Get() []byte {
	if b, ok := p.Pool.Get().(*[]byte); ok {
		return *b
	}
	return make([]byte, 32<<10)
}

// Put takes it back.
func (p *pool) Put(b []byte) { p.Pool.Put(&b) }

// capture keeps the beginning of a body, where its kind is worth keeping.
// A transport may still read a request's body when the answer is there.
type capture struct {
	kind string // media type
	zip  bool

	mu    sync.Mutex
	kept  []byte
	total int64
	scan  scan
}

func newCapture(h http.Header) *capture {
	kind, _, _ := mime.ParseMediaType(h.Get("Content-Type")) // none or malformed: not kept
	return &capture{kind: kind, zip: strings.EqualFold(h.Get("Content-Encoding"), "gzip")}
}

func (c *capture) isJSON() bool {
	return c.kind == "application/json" || strings.HasSuffix(c.kind, "+json")
}

func (c *capture) isForm() bool { return c.kind == "application/x-www-form-urlencoded" }

func (c *capture) wanted() bool { return c.isJSON() || c.isForm() }

func (c *capture) add(p []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.scan.add(p)
	c.total += int64(len(p))
	if c.wanted() {
		c.kept = append(c.kept, p[:min(len(p), bodyLimit+1-len(c.kept))]...)
	}
}

// body returns what was kept, decoded, and the size as sent; nil where it was
// too long or of another kind.
func (c *capture) body() ([]byte, int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	kept := slices.Clone(c.kept)
	if c.zip && len(kept) > 0 && c.total <= bodyLimit {
		kept = unzip(kept)
	}
	if len(kept) > bodyLimit {
		kept = nil
	}
	return kept, c.total
}

func unzip(data []byte) []byte {
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil
	}
	plain, err := io.ReadAll(io.LimitReader(z, bodyLimit+1))
	if err != nil {
		return nil
	}
	return plain
}

// tee shows a body to its capture while it is read.
type tee struct {
	io.ReadCloser
	into *capture
}

// Read reads the body.
func (t *tee) Read(p []byte) (int, error) {
	n, err := t.ReadCloser.Read(p)
	t.into.add(p[:n])
	return n, err
}

// watcher is the browser's side of an answer: it sees what is written.
type watcher struct {
	http.ResponseWriter
	x      *passage
	status int
	header http.Header
	body   *capture
	length int64 // as announced; -1 where it is not
}

func (x *passage) watch(w http.ResponseWriter) http.ResponseWriter {
	x.got = &watcher{ResponseWriter: w, x: x, body: &capture{}, length: -1}
	return x.got
}

// Unwrap lets http.ResponseController flush and hijack.
func (w *watcher) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *watcher) saw(status int, h http.Header) {
	if w.status != 0 {
		return
	}
	w.status, w.header, w.body = status, h.Clone(), newCapture(h)
	w.body.scan.guard = w.x.line.edge.guard
}

// WriteHeader passes the status on. Those below 200 announce an answer and are
// none (RFC 9110, section 15.2).
func (w *watcher) WriteHeader(status int) {
	if status >= 200 {
		w.saw(status, w.Header())
		w.length = contentLength(w.header)
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write passes p on. The end of an answer whose length is known is recorded
// before it is sent: what a browser has read is in the trace.
func (w *watcher) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	w.body.add(p)
	if _, total := w.body.size(); total == w.length {
		w.x.record()
	}
	return w.ResponseWriter.Write(p)
}

func (c *capture) size() (kept int, total int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.kept), c.total
}

func contentLength(h http.Header) int64 {
	var n json.Number = json.Number(h.Get("Content-Length"))
	if length, err := n.Int64(); err == nil {
		return length
	}
	return -1
}

// record writes the exchange down, once. Both sides teach the redactor first,
// and are written only then: the answer to a sign-in names what its request's
// Referer may hold.
func (x *passage) record() {
	x.recorded.Do(func() {
		r := x.line.rec.Redactor()
		e := x.e
		e.Millis = float64(time.Since(e.Time).Microseconds()) / 1000
		x.mu.Lock()
		e.Err = x.err
		x.mu.Unlock()

		sent, got := &e.Request, &e.Response
		e.Query = r.Query(x.in.URL.RawQuery)
		learn(sent, x.in.Header, x.sent, r)
		sent.HeaderBytes += len("Host") + len(x.in.Host) // Go keeps it apart
		sent.Token = bearer(x.in.Header.Get("Authorization"), r)
		if x.got != nil {
			e.Status = x.got.status
			learn(got, x.got.header, x.got.body, r)
			got.Token = bodyToken(x.got.body, r)
			got.Header = fields(x.got.header, r)
		}
		sent.Header = fields(x.in.Header, r)
		sent.Body, got.Body = r.Scrub(sent.Body), r.Scrub(got.Body)
		e.Path, e.Query = r.Scrub(x.in.URL.EscapedPath()), r.Scrub(e.Query)
		e.Err = r.Scrub(e.Err)
		e.Leak = x.leak()
		x.line.rec.Exchange(e)
	})
}

// learn fills m with what holds secrets by its kind, and teaches them to r.
func learn(m *trace.Message, h http.Header, body *capture, r *trace.Redactor) {
	for name, values := range h {
		for _, value := range values {
			conceal(name, value, r)
		}
	}
	if lines := h["Cookie"]; len(lines) > 0 {
		m.Cookies = trace.ParseCookies(strings.Join(lines, "; "), r)
	}
	for _, line := range h["Set-Cookie"] {
		m.SetCookies = append(m.SetCookies, trace.ParseSetCookie(line, r))
	}
	weigh(m, h)
	var data []byte
	data, m.Bytes = body.body()
	switch {
	case len(data) == 0:
	case body.isForm():
		r.Query(string(data)) // for what it teaches
	default:
		m.Body, _ = r.JSON(data) // malformed: left out, since it cannot be redacted by name
	}
}

// weigh counts a header's bytes, and finds its longest line. What a browser has
// sent as several Cookie lines (RFC 9113, section 8.2.3) is one.
func weigh(m *trace.Message, h http.Header) {
	count := func(name string, bytes int) {
		bytes += len(name)
		m.HeaderBytes += bytes
		if bytes > m.Largest.Bytes {
			m.Largest = trace.HeaderSize{Name: name, Bytes: bytes}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(h)) {
		if name == "Cookie" {
			count(name, len(strings.Join(h[name], "; ")))
			continue
		}
		for _, value := range h[name] {
			count(name, len(value))
		}
	}
}

// fields returns the header lines in the order of names.
func fields(h http.Header, r *trace.Redactor) []trace.Field {
	all := []trace.Field{}
	for _, name := range slices.Sorted(maps.Keys(h)) {
		if name == "Cookie" || name == "Set-Cookie" {
			continue
		}
		for _, value := range h[name] {
			text, secret := conceal(name, value, r)
			if !secret {
				text = r.Scrub(value)
			}
			all = append(all, trace.Field{Name: name, Value: text})
		}
	}
	return all
}

// conceal learns what is secret in a header line by its name, and returns the
// value without it; false for a line that has no secrets of its own.
func conceal(name, value string, r *trace.Redactor) (text string, secret bool) {
	switch name {
	case "Authorization", "Proxy-Authorization":
		scheme, credentials, found := strings.Cut(value, " ")
		if !found {
			return r.Conceal(value), true
		}
		if plain, err := base64.StdEncoding.DecodeString(credentials); err == nil && strings.EqualFold(scheme, "Basic") {
			_, password, _ := strings.Cut(string(plain), ":")
			r.Learn(password)
		}
		return scheme + " " + r.Conceal(credentials), true
	case "Cookie", "Set-Cookie":
		return "", true // told pair by pair
	case "Location", "Content-Location", "Referer":
		return r.URL(value), true
	}
	if trace.SecretName(name) {
		return r.Conceal(value), true
	}
	return "", false
}

func bearer(authorization string, r *trace.Redactor) *trace.Token {
	scheme, credentials, _ := strings.Cut(authorization, " ")
	if !strings.EqualFold(scheme, "Bearer") || credentials == "" {
		return nil
	}
	t := trace.ParseToken(strings.TrimSpace(credentials), r)
	return &t
}

// bodyToken returns the JWT that a JSON answer hands out as "token".
func bodyToken(body *capture, r *trace.Redactor) *trace.Token {
	data, _ := body.body()
	var answer struct {
		Token string `json:"token"`
	}
	if !body.isJSON() || json.Unmarshal(data, &answer) != nil || answer.Token == "" {
		return nil
	}
	t := trace.ParseToken(answer.Token, r)
	if t.Opaque {
		return nil
	}
	return &t
}
