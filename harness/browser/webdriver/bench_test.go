package webdriver

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"testing"
	"time"

	"crossing/harness/browser"
	"crossing/harness/edge"
	"crossing/harness/trace"
)

// limit bounds each test, prompt what must not keep anyone waiting.
const (
	limit  = 90 * time.Second
	prompt = 5 * time.Second
)

const (
	front    = "https://docs.lantern-bay.com"
	back     = "https://auth.quiet-mill.net"
	stranger = "https://far-lone-isle.org"
	nowhere  = "https://unknown.to-the-edge.com"
)

var origins = trace.Origins{Frontend: front, Auth: back, Stranger: stranger}

// bench is an edge before three origins, with a folder for the browser.
type bench struct {
	t        *testing.T
	ctx      context.Context
	edge     *edge.Edge
	redactor *trace.Redactor
	dir      string
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, redactor: trace.NewRedactor(nil)}
	var cancel context.CancelFunc
	b.ctx, cancel = context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	var routes []edge.Route
	for _, origin := range []string{front, back, stranger} {
		routes = append(routes, edge.Route{Origin: origin, Role: origins.Role(origin), Handler: site()})
	}
	var err error
	if b.edge, err = edge.New(edge.Options{Routes: routes, Redactor: b.redactor}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.edge.Close() })
	if b.dir, err = os.MkdirTemp("", "wd"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(b.dir) })
	return b
}

// start starts WebKitGTK with the arguments given in the place of a policy's.
func (b *bench) start(args ...string) *webkit {
	b.t.Helper()
	w, err := startWebKit(b.ctx, launch(b.edge.SPKI(), b.dir), args)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() {
		if err := w.Close(); err != nil {
			b.t.Errorf("close the browser: %v", err)
		}
	})
	return w
}

// visitor is a session with one page.
type visitor struct {
	t        *testing.T
	ctx      context.Context
	line     *edge.Line
	recorder *trace.Recorder
	session  *session
	page     *page
}

func (b *bench) visit(w *webkit) *visitor {
	b.t.Helper()
	v := &visitor{t: b.t, ctx: b.ctx, recorder: trace.NewRecorder(b.redactor, trace.Trace{})}
	var err error
	if v.line, err = b.edge.Open(v.recorder); err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = v.line.Close() })
	s, err := w.NewSession(b.ctx, browser.Options{Proxy: v.line.Proxy(), Recorder: v.recorder})
	if err != nil {
		b.t.Fatal(err)
	}
	v.session = s.(*session)
	v.page = v.open()
	return v
}

// on is the visitor in a subtest.
func (v *visitor) on(t *testing.T) *visitor {
	w := *v
	w.t = t
	return &w
}

func (v *visitor) open() *page {
	v.t.Helper()
	p, err := v.session.NewPage(v.ctx)
	if err != nil {
		v.t.Fatal(err)
	}
	return p.(*page)
}

func (v *visitor) goTo(p browser.Page, url string) {
	v.t.Helper()
	if err := p.Goto(v.ctx, url); err != nil {
		v.t.Fatal(err)
	}
}

// read evaluates script, whose result is a text, or ends the test.
func (v *visitor) read(in browser.Scope, script string) string {
	v.t.Helper()
	var out string
	if err := in.Eval(v.ctx, script, nil, &out); err != nil {
		v.t.Fatal(err)
	}
	return out
}

// within runs f with a short limit of its own and wants it back promptly.
func (v *visitor) within(limit time.Duration, f func(ctx context.Context) error) error {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.ctx, limit)
	defer cancel()
	begin := time.Now()
	err := f(ctx)
	if took := time.Since(begin); took > limit+prompt {
		v.t.Errorf("it took %v to come back", took)
	}
	return err
}

// site is what each of the origins answers.
func site() http.Handler {
	mux := http.NewServeMux()
	for path, body := range map[string]string{
		"/{$}": `<title>home</title><h1 id="top">home</h1><a id="away" href="` + stranger + `/">away</a>
<a id="next" href="/next">next</a><a id="slow" href="/slow">slow</a><button id="b" onclick="window.resolve && resolve('clicked')">press</button><input id="i">`,
		"/next": `<title>next</title>`,
		"/fields": `<title>fields</title><input id="date" type="date"><div id="rich" contenteditable>old <b>text</b></div>
<input id="hard" value="stays" onbeforeinput="event.preventDefault()"><input id="moves" oninput="document.getElementById('date').focus()">`,
		"/framed": `<title>framed</title><iframe id="f" src="/inside"></iframe><iframe id="broken" src="` + nowhere + `/"></iframe>`,
		"/inside": `<title>inside</title><button id="up" onclick="top.location.href = '/next'">up</button>`,
	} {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = fmt.Fprint(w, "<!doctype html>", body)
		})
	}
	mux.HandleFunc("GET /nothing", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("GET /file", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Disposition", `attachment; filename="file.bin"`)
		w.Header().Set("Content-Type", "application/octet-stream")
		_, _ = w.Write([]byte("bytes"))
	})
	mux.HandleFunc("GET /slow", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	mux.HandleFunc("GET /away", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, stranger+"/", http.StatusFound)
	})
	mux.HandleFunc("GET /loop", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/loop", http.StatusFound)
	})
	return mux
}
