package edge

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"crossing/harness/trace"
)

func TestNewNamesWhatIsWrong(t *testing.T) {
	up := []Upstream{{Name: "auth", URL: "http://127.0.0.1:4711"}}
	route := func(origin string) Route { return Route{Origin: origin, Role: trace.RoleAuth, Upstreams: up} }
	upstream := func(u Upstream) Options {
		return Options{Routes: []Route{{Origin: origins.Auth, Role: trace.RoleAuth, Upstreams: []Upstream{u}}}}
	}
	for want, o := range map[string]Options{
		"Routes is empty":               {},
		"Limit -1s":                     {Limit: -time.Second, Routes: []Route{route(origins.Auth)}},
		"not https":                     {Routes: []Route{route("http://auth.crossing-back.net")}},
		"ends with a slash":             {Routes: []Route{route(origins.Auth + "/")}},
		"has a port":                    {Routes: []Route{route(origins.Auth + ":8443")}},
		"nothing after the host":        {Routes: []Route{route(origins.Auth + "/api")}},
		"lower case":                    {Routes: []Route{route("https://Auth.crossing-back.net")}},
		"write it as https://host":      {Routes: []Route{route("https://ada@auth.crossing-back.net")}},
		`Origin ""`:                     {Routes: []Route{route("")}},
		"an address is no site":         {Routes: []Route{route("https://127.0.0.1")}},
		"answers for this host already": {Routes: []Route{route(origins.Auth), {Origin: origins.Auth, Role: trace.RoleAPI, Upstreams: []Upstream{{Name: "api", URL: "http://127.0.0.1:1"}}}}},
		"Role is empty":                 {Routes: []Route{{Origin: origins.Auth, Upstreams: up}}},
		"no upstream and no Handler":    {Routes: []Route{{Origin: origins.Auth, Role: trace.RoleAuth}}},
		"are both set":                  {Routes: []Route{{Origin: origins.Auth, Role: trace.RoleAuth, Upstreams: up, Handler: http.NotFoundHandler()}}},
		`both named "auth"`:             {Routes: []Route{route(origins.Auth), {Origin: origins.API, Role: trace.RoleAPI, Upstreams: []Upstream{{Name: "auth", URL: "http://127.0.0.1:1"}}}}},
		"Name is empty":                 upstream(Upstream{URL: "http://127.0.0.1:1"}),
		"no http or https address":      upstream(Upstream{Name: "a", URL: "127.0.0.1:4711"}),
		"more than scheme and host":     upstream(Upstream{Name: "a", URL: "http://127.0.0.1:1/"}),
		"set Options.Redactor":          upstream(Upstream{Name: "a", URL: "http://127.0.0.1:1", Header: http.Header{"X": {"y"}}}),
	} {
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error that says %q, got: %v", want, err)
		}
	}
	_, err := New(Options{Routes: []Route{route("http://a.com"), route("https://b.com/")}})
	if err == nil || !strings.Contains(err.Error(), "Routes[0]") || !strings.Contains(err.Error(), "Routes[1]") {
		t.Errorf("not all faults are said at once: %v", err)
	}
	// The control, where one service stands behind two origins.
	if e, err := New(Options{Routes: []Route{route(origins.Auth), route(origins.API)}}); err != nil {
		t.Errorf("the control is refused: %v", err)
	} else if err := e.Close(); err != nil {
		t.Error(err)
	}
}

func TestOpenWantsTheRunsRecorder(t *testing.T) {
	w := newWorld(t, nil)
	if _, err := w.edge.Open(nil); err == nil {
		t.Error("opened without a recorder")
	}
	other := trace.NewRecorder(trace.NewRedactor(nil), trace.Trace{})
	if _, err := w.edge.Open(other); err == nil || !strings.Contains(err.Error(), "redactor") {
		t.Errorf("another run's redactor: %v", err)
	}
	if err := w.edge.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := w.edge.Open(w.rec); err == nil || !strings.Contains(err.Error(), "closed") {
		t.Errorf("opened after Close: %v", err)
	}
}

func TestEveryVisitorHasAnAddressOfTheirOwn(t *testing.T) {
	w := newWorld(t, nil)
	seen := map[string]bool{w.line.Address(): true}
	for range 20 {
		l, err := w.edge.Open(w.rec)
		if err != nil {
			t.Fatal(err)
		}
		seen[l.Address()] = true
	}
	if len(seen) != 21 {
		t.Errorf("21 visitors have %d addresses", len(seen))
	}
	for _, n := range []uint32{0, 1, 1<<17 - 1, 1 << 17, 1<<32 - 1} {
		if a := address(n); !visitorNet.Contains(a) {
			t.Errorf("address(%d) is %v", n, a)
		}
	}
}
