package lint

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"crossing/harness/edge"
	"crossing/harness/trace"
)

// patience is how long one question may take: longer than the edge waits for a
// service (30 s) nothing takes.
const patience = 35 * time.Second

// voice asks over a line of its own, as one visitor with an address of its
// own, so that a service's rate limit is met only where it is looked for.
type voice struct {
	line *edge.Line
	rec  *trace.Recorder
}

// raise opens a line whose questions go to these instances, by role; others
// alternate as a browser's do.
func raise(e *edge.Edge, r *trace.Redactor, head trace.Trace, pins map[trace.Role]string) (*voice, error) {
	v := &voice{rec: trace.NewRecorder(r, head)}
	var err error
	if v.line, err = e.Open(v.rec); err != nil {
		return nil, err
	}
	for role, instance := range pins {
		if instance != "" {
			v.line.Pin(role, instance)
		}
	}
	return v, nil
}

func (v *voice) close() error { return v.line.Close() }

// request is what is asked; it has no body unless JSON is given.
type request struct {
	method, origin, path string
	header               map[string]string
	json                 any
}

// heard is an answer: as the trace keeps it, and with the plain values that
// further questions need.
type heard struct {
	trace.Exchange
	plain http.Header
	set   []*http.Cookie
	body  []byte
}

// ask sends one request and returns its recorded exchange. A service that does
// not answer is an answer, too: the edge's. An error means that ctx has ended.
func (v *voice) ask(ctx context.Context, q request) (heard, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var body io.Reader
	if q.json != nil {
		data, err := json.Marshal(q.json)
		if err != nil {
			return heard{}, fmt.Errorf("write a request for %s: %w", q.path, err)
		}
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, q.method, q.origin+q.path, body)
	if err != nil {
		return heard{}, fmt.Errorf("ask %s%s: %w", q.origin, q.path, err)
	}
	if q.json != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for name, value := range q.header {
		req.Header.Set(name, value)
	}
	began := time.Now()
	res, err := v.line.Client().Do(req)
	if err != nil {
		return heard{}, fmt.Errorf("ask %s%s: %w", q.origin, q.path, errors.Unwrap(err))
	}
	defer func() { _ = res.Body.Close() }()
	h := heard{plain: res.Header, set: res.Cookies()}
	if h.body, err = io.ReadAll(io.LimitReader(res.Body, 1<<20)); err != nil {
		return heard{}, fmt.Errorf("read the answer of %s%s: %w", q.origin, q.path, err)
	}
	// One question at a time: it is the only one since then.
	h.Exchange, err = v.rec.Await(ctx, began, q.method+" "+q.path, func(e trace.Exchange) bool {
		return e.Outside && e.Method == q.method && e.Origin == q.origin && e.Path == req.URL.Path
	})
	return h, err
}
