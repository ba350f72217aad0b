package edge

import (
	"strings"
	"sync"
	"testing"

	"crossing/harness/trace"
)

// walk asks for each "METHOD path" in turn and returns the instances.
func (w *world) walk(t *testing.T, calls ...string) string {
	t.Helper()
	c := w.browser(t, nil)
	var got []string
	for _, call := range calls {
		method, path, _ := strings.Cut(call, " ")
		var header []string
		if method == "PRE" { // the preflight of a POST
			method, header = "OPTIONS", []string{"Origin", origins.Frontend, "Access-Control-Request-Method", "POST"}
		}
		name := ask(t, c, method, origins.Auth+path, "", header...).heard(t).Service
		x := w.last(t)
		if x.Instance != name || x.Preflight != (call[:3] == "PRE") {
			t.Errorf("%s went to %s, recorded as %s, preflight %v", call, name, x.Instance, x.Preflight)
		}
		got = append(got, strings.TrimPrefix(name, "auth-"))
	}
	return strings.Join(got, " ")
}

func TestEndpointsAlternateEachByItself(t *testing.T) {
	w := newWorld(t, nil)
	got := w.walk(t, "POST /sign-in", "GET /session", "GET /session?again", "GET /token", "GET /session", "POST /sign-in", "GET /token")
	if want := "1 2 1 1 2 2 2"; got != want {
		t.Errorf("went to %s, want %s", got, want)
	}
}

func TestAPreflightGoesWhereItsRequestGoes(t *testing.T) {
	w := newWorld(t, nil)
	got := w.walk(t, "GET /other", "PRE /x", "POST /x", "PRE /x", "POST /x", "POST /x", "PRE /x", "PRE /x", "POST /x", "OPTIONS /x")
	if want := "1 2 2 1 1 2 1 1 1 1"; got != want {
		t.Errorf("went to %s, want %s", got, want)
	}
}

func TestVisitorsAlternateEachByThemselves(t *testing.T) {
	w := newWorld(t, nil)
	w.walk(t, "GET /session")
	line, err := w.edge.Open(w.rec)
	if err != nil {
		t.Fatal(err)
	}
	other := &world{edge: w.edge, line: line, rec: w.rec}
	if got := other.walk(t, "GET /session", "GET /session"); got != "1 2" {
		t.Errorf("the second visitor went to %s", got)
	}
	if got := w.walk(t, "GET /session"); got != "2" {
		t.Errorf("the first visitor went on to %s", got)
	}
}

func TestAskingFromOutsideMovesNothing(t *testing.T) {
	w := newWorld(t, nil)
	first := w.walk(t, "GET /session")
	for range 3 {
		ask(t, w.line.Client(), "GET", origins.Auth+"/session", "")
	}
	ask(t, w.line.Client(), "GET", origins.Auth+"/new", "")
	if rest := w.walk(t, "GET /session", "GET /token"); first+" "+rest != "1 2 2" {
		t.Errorf("the browser went to %s %s", first, rest)
	}
}

func TestAPinHoldsARoleToOneInstance(t *testing.T) {
	w := newWorld(t, nil)
	unpin := w.line.Pin(trace.RoleAuth, "auth-2")
	if got := w.walk(t, "GET /a", "GET /a", "GET /b", "PRE /b"); got != "2 2 2 2" {
		t.Errorf("pinned to auth-2, went to %s", got)
	}
	inner := w.line.Pin(trace.RoleAuth, "auth-1")
	if got := w.walk(t, "GET /a"); got != "1" {
		t.Errorf("the later pin does not hold: %s", got)
	}
	inner()
	if got := w.walk(t, "GET /a"); got != "2" {
		t.Errorf("the earlier pin is gone: %s", got)
	}
	unpin()
	unpin()
	if got := w.walk(t, "GET /a", "GET /a"); got != "1 2" {
		t.Errorf("unpinned, went to %s", got)
	}
	defer func() {
		if p, _ := recover().(string); !strings.Contains(p, "auth-9") || !strings.Contains(p, "auth-1, auth-2") {
			t.Errorf("a pin to nowhere: %q", p)
		}
	}()
	w.line.Pin(trace.RoleAuth, "auth-9")
}

func TestASpareServesOnlyWhoIsPinnedToIt(t *testing.T) {
	w := newWorld(t, func(o *Options) {
		spare := serve(t, "auth-3", echo("auth-3"))
		spare.Spare = true
		o.Routes[1].Upstreams = append(o.Routes[1].Upstreams, spare)
	})
	if got := w.walk(t, "GET /a", "GET /a", "GET /a"); got != "1 2 1" {
		t.Errorf("without a pin, went to %s", got)
	}
	unpin := w.line.Pin(trace.RoleAuth, "auth-1", "auth-3")
	if got := w.walk(t, "PRE /b", "POST /b", "POST /b", "GET /c"); got != "1 1 3 3" {
		t.Errorf("pinned to auth-1 and auth-3, went to %s", got)
	}
	unpin()
	if got := w.walk(t, "GET /a"); got != "2" {
		t.Errorf("unpinned, went to %s", got)
	}
	_, err := New(Options{Routes: []Route{{Origin: origins.Auth, Role: trace.RoleAuth, Upstreams: []Upstream{{Name: "a", URL: "http://127.0.0.1:1", Spare: true}}}}})
	if err == nil || !strings.Contains(err.Error(), "every upstream is spare") {
		t.Errorf("a route of spares only: %v", err)
	}
}

func TestUpstreamsAreListed(t *testing.T) {
	w := newWorld(t, nil)
	if got := strings.Join(w.edge.Upstreams(trace.RoleAuth), " "); got != "auth-1 auth-2" {
		t.Errorf("auth has %q", got)
	}
	if got := w.edge.Upstreams(trace.RoleStranger); got != nil {
		t.Errorf("the stranger has %q", got)
	}
}

func TestManyAtOnceShareTheInstancesEvenly(t *testing.T) {
	w := newWorld(t, nil)
	c := w.browser(t, nil)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 5 {
				if _, err := try(c, "GET", origins.Auth+"/same", ""); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	count := map[string]int{}
	ids := map[string]bool{}
	for _, x := range w.rec.Snapshot().Exchanges {
		count[x.Instance]++
		ids[x.ID] = true
	}
	if count["auth-1"] != 20 || count["auth-2"] != 20 || len(ids) != 40 {
		t.Errorf("of 40: %v, with %d ids", count, len(ids))
	}
}
