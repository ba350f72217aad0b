package edge

import (
	"fmt"
	"net/http"
	"runtime"
	"testing"

	"crossing/harness/trace"
)

func TestNothingIsLeftRunning(t *testing.T) {
	up := serve(t, "auth", echo("auth"))
	redactor := trace.NewRedactor(nil)
	visit := func() {
		e, err := New(Options{Redactor: redactor, Routes: []Route{{Origin: origins.Auth, Role: trace.RoleAuth, Upstreams: []Upstream{up}}}})
		if err != nil {
			t.Fatal(err)
		}
		w := &world{edge: e, rec: trace.NewRecorder(redactor, trace.Trace{})}
		for range 3 {
			if w.line, err = e.Open(w.rec); err != nil {
				t.Fatal(err)
			}
			for _, change := range []func(*http.Transport){http1, nil} {
				c := w.browser(t, change)
				ask(t, c, "GET", origins.Auth+"/", "")
				_, _ = try(c, "GET", "https://evil.example.com/", "")
				c.CloseIdleConnections()
			}
			ask(t, w.line.Client(), "GET", origins.Auth+"/", "")
		}
		if err := w.line.Close(); err != nil { // one by itself, the others with the edge
			t.Fatal(err)
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
	}
	visit() // what the runtime starts once
	before := runtime.NumGoroutine()
	for range 5 {
		visit()
	}
	until(t, func() error {
		if now := runtime.NumGoroutine(); now > before {
			stacks := make([]byte, 1<<20)
			return fmt.Errorf("%d goroutines, %d before:\n%s", now, before, stacks[:runtime.Stack(stacks, true)])
		}
		return nil
	})
}
