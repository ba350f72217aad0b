package edge

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"strconv"
	"strings"
	"sync"
	"time"

	"crossing/harness/trace"
)

// passage is one exchange on its way through the edge.
type passage struct {
	line    *Line
	e       trace.Exchange // what is known beforehand
	in      *http.Request
	sent    *capture // the request's body
	got     *watcher // the answer, as the browser gets it
	faults  []*Fault
	route   *route
	up      *upstream
	answer  http.Handler
	release context.CancelCauseFunc

	recorded sync.Once
	mu       sync.Mutex
	err      string
}

func newID() string {
	var id [8]byte
	_, _ = rand.Read(id[:]) // never fails, since Go 1.24
	return hex.EncodeToString(id[:])
}

// begin opens the record of r. A line that is closed takes nothing any more.
func (l *Line) begin(r *http.Request, origin string, role trace.Role, outside bool) *passage {
	x := &passage{line: l, in: r, sent: newCapture(r.Header), e: trace.Exchange{
		ID: newID(), Time: time.Now(), Role: role, Method: r.Method, Origin: origin,
		PageOrigin: r.Header.Get("Origin"), Preflight: IsPreflight(r), Outside: outside}}
	x.sent.scan.guard = l.edge.guard
	if !l.enter(func() { l.passages[x] = true }) {
		panic(http.ErrAbortHandler)
	}
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = &tee{ReadCloser: r.Body, into: x.sent}
	}
	return x
}

// end closes the record. It is deferred, so that a connection that is aborted
// on the way is recorded too.
func (x *passage) end() {
	p := recover()
	if err, is := p.(error); is && errors.Is(err, http.ErrAbortHandler) {
		x.fail(x.cutOff())
	} else if p != nil {
		x.fail(fmt.Sprintf("panic in a handler or a fault: %v", p))
	}
	if x.release != nil {
		x.release(nil)
	}
	x.record()
	x.line.mu.Lock()
	delete(x.line.passages, x)
	x.line.mu.Unlock()
	x.line.work.Done()
	if p != nil {
		panic(http.ErrAbortHandler)
	}
}

// fail notes why there is no good answer; the first reason stands.
func (x *passage) fail(reason string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.err == "" {
		x.err = reason
	}
}

// cutOff is why a connection ended before its answer did.
func (x *passage) cutOff() string {
	if x.in.Context().Err() != nil {
		return trace.ErrAbandoned
	}
	return "the connection ended before the answer did"
}

// serve answers what comes out of a tunnel.
func (l *Line) serve(w http.ResponseWriter, r *http.Request) {
	t := r.Context().Value(tunnelKey{}).(*tunnel)
	host, port := splitHost(r.Host, "https")
	r.URL.Scheme, r.URL.Host = "https", t.route.host
	x := l.begin(r, t.route.Origin, t.route.Role, t.outside)
	defer x.end()
	w = x.watch(w)
	x.route = t.route
	switch {
	case host != t.route.host || port != "443": // RFC 9110, section 15.5.20
		x.fail("misdirected: a tunnel to " + t.route.host + ", a request for " + r.Host)
		speak(w, http.StatusMisdirectedRequest, "misdirected", "This tunnel leads to "+t.route.host+".")
	case Reserved(r.URL.Path):
		l.edge.reserved(w, r)
	default:
		x.forward(w, r)
	}
}

func (x *passage) forward(w http.ResponseWriter, r *http.Request) {
	x.prefetch(r)
	x.faults = x.line.matching(r)
	x.e.Fault = faultNames(x.faults)
	for _, f := range x.faults {
		if f.Answer != nil && x.answer == nil {
			x.answer = f.Answer
		}
	}
	if x.answer == nil && x.route.Handler != nil {
		x.answer = x.route.Handler
	}
	if x.answer == nil {
		x.up = x.line.choose(x.route, r)
		x.e.Instance = x.up.Name
	}
	(&httputil.ReverseProxy{
		Rewrite:        x.rewrite,
		Transport:      x,
		ModifyResponse: x.respond,
		ErrorHandler:   x.broken,
		ErrorLog:       silent,
		BufferPool:     buffers,
	}).ServeHTTP(w, r)
}

// prefetch reads a body that is to be recorded before it is sent on: a service
// may answer without reading it, and a fault may take it away.
func (x *passage) prefetch(r *http.Request) {
	if !x.sent.wanted() || r.ContentLength <= 0 || r.ContentLength > bodyLimit {
		return
	}
	data, err := io.ReadAll(r.Body)
	if err != nil {
		x.fail(trace.ErrAbandoned)
		panic(http.ErrAbortHandler)
	}
	r.Body = io.NopCloser(bytes.NewReader(data))
}

// rewrite makes the request that goes on. ReverseProxy has taken off what
// holds for one hop only, and what the client claims of its own address.
func (x *passage) rewrite(pr *httputil.ProxyRequest) {
	out, host := pr.Out, x.route.host
	out.URL.RawQuery = pr.In.URL.RawQuery // as sent, also where it is malformed
	out.Host = host
	// Bodies are recorded, and faults change them: neither reads brotli.
	out.Header.Set("Accept-Encoding", "identity")
	out.Header.Set("X-Request-Id", x.e.ID)
	if x.up != nil {
		out.URL.Scheme, out.URL.Host = x.up.url.Scheme, x.up.url.Host
	}
	if x.up != nil && x.up.remote() {
		out.Host = x.up.url.Host // its own edge adds the rest
		if strings.HasSuffix(out.Host, ".vercel.app") {
			out.Header.Set("X-Vercel-Skip-Toolbar", "1") // a preview's script of the platform's own
		}
		for name, values := range x.up.Header {
			out.Header[http.CanonicalHeaderKey(name)] = values
		}
	} else {
		x.platform(out.Header, host)
	}
	for _, f := range x.faults {
		if f.Request != nil {
			f.Request(out)
		}
	}
}

// platform sets what Vercel's edge sets, over whatever the client sent.
func (x *passage) platform(h http.Header, host string) {
	visitor := x.line.visitor.String()
	h.Set("X-Forwarded-Host", host)
	h.Set("X-Forwarded-Proto", "https")
	h.Set("X-Forwarded-For", visitor)
	h.Set("X-Real-Ip", visitor)
	h.Set("X-Vercel-Id", "cdg1::cdg1::"+x.e.ID[:5]+"-"+strconv.FormatInt(x.e.Time.UnixMilli(), 10)+"-"+x.e.ID[4:])
	h.Set("X-Vercel-Deployment-Url", host)
	if x.up != nil {
		for name, values := range x.up.Header {
			h[http.CanonicalHeaderKey(name)] = values
		}
	}
}

var errSlow = errors.New("no answer within the limit")

// RoundTrip asks the upstream, or whoever answers in its place.
func (x *passage) RoundTrip(out *http.Request) (*http.Response, error) {
	if x.answer != nil {
		return answer(x.answer, out), nil
	}
	ctx, cancel := context.WithCancelCause(out.Context())
	x.release = cancel // by end: the body is read until then
	timer := time.AfterFunc(x.line.edge.limit, func() { cancel(errSlow) })
	defer timer.Stop()
	resp, err := x.up.transport.RoundTrip(out.WithContext(ctx))
	if err != nil {
		if errors.Is(context.Cause(ctx), errSlow) {
			err = errSlow
		}
		return nil, err
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		resp.Body = &source{ReadCloser: resp.Body, x: x}
	}
	return resp, nil
}

// source notes an upstream that ends its answer halfway.
type source struct {
	io.ReadCloser
	x *passage
}

// Read reads the upstream's body.
func (s *source) Read(p []byte) (int, error) {
	n, err := s.ReadCloser.Read(p)
	if err != nil && err != io.EOF && s.x.in.Context().Err() == nil {
		s.x.fail(s.x.who() + " ended its answer halfway: " + err.Error())
	}
	return n, err
}

// deliberate is a fault's own wish to abort the connection.
type deliberate struct {
	fault string
	err   error
}

// Error names the fault.
func (d deliberate) Error() string { return "aborted by fault " + d.fault + ": " + d.err.Error() }

// respond changes what the browser gets.
func (x *passage) respond(resp *http.Response) error {
	for _, f := range x.faults {
		if f.Response == nil {
			continue
		}
		if err := f.Response(resp); err != nil {
			return deliberate{f.Name, err}
		}
	}
	if resp.StatusCode == http.StatusSwitchingProtocols {
		// From here on the connection is the two sides' own, for as long as
		// they like: its beginning is the exchange.
		x.got.saw(resp.StatusCode, resp.Header)
		x.record()
	}
	return nil
}

// broken answers where nothing came back that could be handed on.
func (x *passage) broken(w http.ResponseWriter, r *http.Request, err error) {
	var wish deliberate
	if errors.As(err, &wish) {
		x.fail(wish.Error())
		panic(http.ErrAbortHandler)
	}
	if x.in.Context().Err() != nil {
		x.fail(trace.ErrAbandoned)
		panic(http.ErrAbortHandler)
	}
	code, reason := x.diagnose(err)
	x.fail(reason)
	speak(w, http.StatusBadGateway, code, "The edge got no answer: "+reason+".")
}

func (x *passage) who() string {
	if x.up == nil {
		return "the edge's own handler"
	}
	return x.up.Name + " at " + x.up.URL
}

// answer runs h in the edge, and returns its answer whole.
func answer(h http.Handler, out *http.Request) *http.Response {
	if out.Body == nil {
		out.Body = http.NoBody
	}
	w := &written{header: http.Header{}}
	h.ServeHTTP(w, out)
	w.WriteHeader(http.StatusOK)
	return &http.Response{StatusCode: w.status, Status: strconv.Itoa(w.status) + " " + http.StatusText(w.status),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: w.header, Request: out,
		Body: io.NopCloser(&w.body), ContentLength: int64(w.body.Len())}
}

// written is an answer that is kept until its handler returns.
type written struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header returns the answer's header.
func (w *written) Header() http.Header { return w.header }

// WriteHeader keeps the first status that is an answer.
func (w *written) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
}

// Write keeps p.
func (w *written) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(p)
}
