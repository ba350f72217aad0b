package playwright

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"crossing/harness/trace"
)

func TestWatch(t *testing.T) {
	w := newWorld(t)
	v := w.visit(w.start(w.launch(), true), "")
	saw := func() any { return v.recorder.Snapshot().Refusals }

	t.Run("a cookie kept back is a refusal to send", func(t *testing.T) {
		v.goTo(back + "/strict")
		v.goTo(front + "/")
		v.fetch(back + "/names?token=not-for-the-trace")
		v.soon("the refusal to send strict",
			func() bool { return v.refusal("strict", "send", back+"/names") }, saw)
	})
	t.Run("a refusal on a redirect names the hop", func(t *testing.T) {
		v.fetch(back + "/hop")
		v.soon("the refusal of hop", func() bool { return v.refusal("hop", "store", back+"/hop") }, saw)
		if v.refusal("hop", "store", back+"/names") {
			t.Error("the refusal is told of the redirect's target")
		}
	})
	t.Run("a failed CORS check has Chromium's word", func(t *testing.T) {
		v.fetch(back + "/closed")
		v.soon("the CORS error", func() bool {
			return slices.ContainsFunc(v.recorder.Snapshot().PageErrors, func(e trace.PageError) bool {
				return e.Kind == trace.ErrorCORS && e.Page == front+"/" &&
					strings.Contains(e.Text, "MissingAllowOriginHeader") && strings.Contains(e.Text, back+"/closed")
			})
		}, func() any { return v.recorder.Snapshot().PageErrors })
	})
	t.Run("no cookie of another path, and no value", func(t *testing.T) {
		data, err := json.Marshal(v.recorder.Snapshot())
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{"first-party-only-value", "refused-on-the-way", "not-for-the-trace"} {
			if part, _ := json.Marshal(v.recorder.Snapshot().Refusals); strings.Contains(string(part), secret) {
				t.Errorf("the refusals hold %s", secret)
			}
		}
		if leaks := w.redactor.Leaks(data); len(leaks) > 0 {
			t.Errorf("the trace holds secrets with the digests %v", leaks)
		}
		for _, r := range v.recorder.Snapshot().Refusals {
			if slices.ContainsFunc(r.Reasons, func(s string) bool { return slices.Contains(irrelevant, s) }) {
				t.Errorf("a cookie meant for elsewhere counts as refused: %+v", r)
			}
		}
	})
}

// A redirect's two halves arrive in any order, and each must find its hop.
func TestFlights(t *testing.T) {
	request := func(url string, redirected, extra bool) requestEvent {
		e := requestEvent{RequestID: "1", HasExtra: extra}
		e.Request.URL = url
		if redirected {
			e.Redirected = &struct{}{}
		}
		return e
	}
	answer := func(cookie string) receivedEvent {
		data := `{"requestId":"1","blockedCookies":[{"blockedReasons":["UserPreferences"],"cookieLine":"` + cookie + `=x"}]}`
		var e receivedEvent
		if err := json.Unmarshal([]byte(data), &e); err != nil {
			t.Fatal(err)
		}
		return e
	}
	for name, events := range map[string][]any{
		"in order":            {request("https://a/1", false, false), answer("one"), request("https://a/2", true, true), answer("two")},
		"answers first":       {answer("one"), answer("two"), request("https://a/1", false, false), request("https://a/2", true, true)},
		"requests first":      {request("https://a/1", false, false), request("https://a/2", true, true), answer("one"), answer("two")},
		"one from a cache":    {request("https://a/0", false, false), request("https://a/2", true, false), answer("two")},
		"a second, unwatched": {request("https://a/1", false, false), answer("one"), request("https://a/9", true, true)},
	} {
		t.Run(name, func(t *testing.T) {
			recorder := trace.NewRecorder(trace.NewRedactor(nil), trace.Trace{})
			w := &watcher{recorder: recorder, flights: map[string]*flight{}}
			for _, e := range events {
				switch e := e.(type) {
				case requestEvent:
					w.leaves(e)
				case receivedEvent:
					w.received(e)
				}
			}
			want := map[string]string{"one": "https://a/1", "two": "https://a/2"}
			for _, r := range recorder.Snapshot().Refusals {
				if want[r.Cookie] != r.URL {
					t.Errorf("%s was refused on %s, want %s", r.Cookie, r.URL, want[r.Cookie])
				}
			}
			if len(recorder.Snapshot().Refusals) == 0 {
				t.Error("no refusal was recorded")
			}
		})
	}
}
