package edge

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Fault is one deliberate break of what passes through a line. Reserved paths
// are never broken: they prove what the browser does.
type Fault struct {
	// Name stands in the trace on every exchange that it touches.
	Name string
	// When picks requests, as the browser sent them, with an absolute URL;
	// it must not read the body. Nil: every request, preflights included.
	When func(*http.Request) bool
	// Request changes what is forwarded; what is recorded stays as sent.
	Request func(*http.Request)
	// Answer answers in place of the upstream.
	Answer http.Handler
	// Response changes what the browser gets, and so what is recorded. Its
	// body comes without a content encoding, as far as the upstream does what
	// it is asked; SetBody replaces it. An error aborts the connection, as a
	// reset does.
	Response func(*http.Response) error
}

// Break puts f in force until mend is called, which may be done twice. Several
// faults apply in the order of their making; the first Answer wins. It panics
// on a fault that has no name or breaks nothing: the test would prove nothing.
func (l *Line) Break(f Fault) (mend func()) {
	if f.Name == "" {
		panic("edge: Break: a fault without a name: the trace could not say what it touched")
	}
	if f.Request == nil && f.Answer == nil && f.Response == nil {
		panic("edge: Break: fault " + f.Name + " has neither Request nor Answer nor Response: it breaks nothing")
	}
	own := &f
	l.mu.Lock()
	defer l.mu.Unlock()
	l.faults = append(l.faults, own)
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.faults = slices.DeleteFunc(slices.Clone(l.faults), func(g *Fault) bool { return g == own })
	}
}

// SetBody replaces the body of resp, for a Fault's Response, whose length must
// agree with it.
func SetBody(resp *http.Response, body []byte) {
	_ = resp.Body.Close() // what is left of the old one is of no interest
	resp.Body = io.NopCloser(bytes.NewReader(body))
	resp.ContentLength = int64(len(body))
	resp.Header.Set("Content-Length", strconv.Itoa(len(body)))
	resp.Header.Del("Content-Encoding")
}

// matching returns the faults in force that pick r.
func (l *Line) matching(r *http.Request) []*Fault {
	l.mu.Lock()
	all := slices.Clone(l.faults)
	l.mu.Unlock()
	return slices.DeleteFunc(all, func(f *Fault) bool { return f.When != nil && !f.When(r) })
}

func faultNames(faults []*Fault) string {
	var names []string
	for _, f := range faults {
		names = append(names, f.Name)
	}
	return strings.Join(names, ", ")
}

// Outside says whether r, as a fault's When gets it, was made by Line.Client
// and not by the browser.
func Outside(r *http.Request) bool {
	t, ok := r.Context().Value(tunnelKey{}).(*tunnel)
	return ok && t.outside
}

// IsPreflight says whether r is a CORS preflight (Fetch, section 3.3).
func IsPreflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && r.Header.Get("Origin") != "" &&
		r.Header.Get("Access-Control-Request-Method") != ""
}
