package playwright

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"testing"
	"time"

	"crossing/harness/browser"
	"crossing/harness/edge"
	"crossing/harness/trace"
)

const (
	limit    = 60 * time.Second
	front    = "https://www.quay-side.com"
	back     = "https://desk.ferry-line.net"
	stranger = "https://www.far-away.org"
)

// world is an edge with two sites that are cross-site to each other.
type world struct {
	t        *testing.T
	edge     *edge.Edge
	redactor *trace.Redactor
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, redactor: trace.NewRedactor(nil)}
	e, err := edge.New(edge.Options{Redactor: w.redactor, Routes: []edge.Route{
		{Origin: front, Role: trace.RoleFrontend, Handler: site()},
		{Origin: back, Role: trace.RoleAuth, Handler: site()},
		{Origin: stranger, Role: trace.RoleStranger, Handler: site()},
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	w.edge = e
	return w
}

// Cookies that the back sets: two for the third-party policy, and one that is
// never sent from another site.
const (
	ordinary    = "ordinary=plain-third-party-value; Path=/; Secure; HttpOnly; SameSite=None; Max-Age=3600"
	partitioned = "partitioned=partitioned-value-1234; Path=/; Secure; HttpOnly; SameSite=None; Partitioned; Max-Age=3600"
	passing     = "passing=partitioned-session-value; Path=/; Secure; SameSite=None; Partitioned"
	strict      = "strict=first-party-only-value; Path=/; Secure; SameSite=Strict; Max-Age=3600"
)

func site() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<!doctype html><title>page</title><button id="now">now</button>`))
	})
	allow := func(w http.ResponseWriter) {
		w.Header().Set("Access-Control-Allow-Origin", front)
		w.Header().Set("Access-Control-Allow-Credentials", "true")
	}
	set := func(lines ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			allow(w)
			for _, line := range lines {
				w.Header().Add("Set-Cookie", line)
			}
			_, _ = w.Write([]byte(`<!doctype html><title>set</title>`))
		}
	}
	mux.HandleFunc("GET /set", set(ordinary, partitioned, passing))
	mux.HandleFunc("GET /strict", set(strict))
	mux.HandleFunc("GET /hop", func(w http.ResponseWriter, r *http.Request) {
		allow(w)
		w.Header().Add("Set-Cookie", "hop=refused-on-the-way-12; Path=/; Secure; SameSite=None")
		http.Redirect(w, r, "/names", http.StatusFound)
	})
	mux.HandleFunc("GET /names", func(w http.ResponseWriter, r *http.Request) {
		allow(w)
		names := []string{}
		for _, c := range r.Cookies() {
			names = append(names, c.Name)
		}
		_ = json.NewEncoder(w).Encode(names)
	})
	mux.HandleFunc("GET /closed", func(w http.ResponseWriter, _ *http.Request) {})
	return mux
}

// launch is a Chromium as the tests' environment names it.
func (w *world) launch() browser.Launch {
	return browser.Launch{
		Profile: browser.Chromium, Executable: os.Getenv("CHROMIUM"), SPKI: w.edge.SPKI(), DriverDir: driverDir,
	}
}

func (w *world) start(l browser.Launch, lever bool) *engine {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), limit)
	defer cancel()
	e, err := start(ctx, l, lever)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		if err := e.Close(); err != nil {
			w.t.Error(err)
		}
	})
	return e
}

// visitor is a session with a tab.
type visitor struct {
	t        *testing.T
	ctx      context.Context
	session  browser.Session
	page     browser.Page
	recorder *trace.Recorder
}

func (w *world) visit(e *engine, keep string) *visitor {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), limit)
	w.t.Cleanup(cancel)
	v := &visitor{t: w.t, ctx: ctx, recorder: trace.NewRecorder(w.redactor, trace.Trace{Spec: w.t.Name()})}
	line, err := w.edge.Open(v.recorder)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = line.Close() })
	if v.session, err = e.NewSession(ctx, browser.Options{Proxy: line.Proxy(), Recorder: v.recorder, Keep: keep}); err != nil {
		w.t.Fatal(err)
	}
	if v.page, err = v.session.NewPage(ctx); err != nil {
		w.t.Fatal(err)
	}
	return v
}

func (v *visitor) goTo(url string) {
	v.t.Helper()
	if err := v.page.Goto(v.ctx, url); err != nil {
		v.t.Fatal(err)
	}
}

// fetch asks with credentials from the page and returns what came, or the
// page's words.
func (v *visitor) fetch(url string) string {
	v.t.Helper()
	var got string
	script := `async url => { try { return await (await fetch(url, {credentials: 'include'})).text() } catch (e) { return String(e) } }`
	if err := v.page.Eval(v.ctx, script, url, &got); err != nil {
		v.t.Fatal(err)
	}
	return got
}

// names are the cookies that reach the back from the page that is open.
func (v *visitor) names() map[string]bool {
	v.t.Helper()
	var list []string
	if err := json.Unmarshal([]byte(v.fetch(back+"/names")), &list); err != nil {
		v.t.Fatal(err)
	}
	set := map[string]bool{}
	for _, name := range list {
		set[name] = true
	}
	return set
}

// jar is the session's jar by name.
func (v *visitor) jar() map[string]trace.Cookie {
	v.t.Helper()
	jar, err := v.session.Cookies(v.ctx)
	if err != nil {
		v.t.Fatal(err)
	}
	set := map[string]trace.Cookie{}
	for _, c := range jar.Cookies {
		set[c.Name] = c
	}
	return set
}

// soon polls until holds does, and fails with what saw says last.
func (v *visitor) soon(what string, holds func() bool, saw func() any) {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.ctx, 5*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-ctx.Done():
			v.t.Fatalf("%s: last seen %+v", what, saw())
		case <-tick.C:
		}
	}
}
