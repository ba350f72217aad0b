package edge

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"crossing/harness/trace"
)

func onAuth(r *http.Request) bool {
	return r.URL.Scheme == "https" && r.URL.Host == "auth.crossing-back.net"
}

// breaking asks auth three times, before, during and after a break, and api
// once during it; only the second may differ.
func breaking(t *testing.T, f Fault, check func(t *testing.T, broken bool, r reply, err error, x trace.Exchange)) {
	t.Helper()
	for name, change := range map[string]func(*http.Transport){"HTTP/1.1": http1, "HTTP/2": nil} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			c := w.browser(t, change)
			f.When = onAuth
			once := func(broken bool, origin string) {
				t.Helper()
				since := len(w.rec.Snapshot().Exchanges)
				r, err := try(c, "POST", origin+"/x", `{"n":1}`, "Content-Type", "application/json", "Cookie", "s=1")
				var x trace.Exchange
				until(t, func() error { // an aborted one ends before it is recorded
					all := w.rec.Snapshot().Exchanges
					if len(all) == since {
						return errors.New("nothing recorded")
					}
					x = all[since]
					return nil
				})
				if want := map[bool]string{true: f.Name}[broken]; x.Fault != want {
					t.Errorf("fault %q is recorded, want %q", x.Fault, want)
				}
				check(t, broken, r, err, x)
			}
			once(false, origins.Auth)
			mend := w.line.Break(f)
			once(true, origins.Auth)
			once(false, origins.API)
			mend()
			mend()
			once(false, origins.Auth)
		})
	}
}

func TestARequestIsChangedOnItsWay(t *testing.T) {
	f := Fault{Name: "cookie lost", Request: func(r *http.Request) {
		r.Header.Del("Cookie")
		r.Header.Set("X-Forwarded-For", "192.0.2.1") // the edge's own headers are in its reach
		r.URL.Path = "/elsewhere"
	}}
	breaking(t, f, func(t *testing.T, broken bool, r reply, err error, x trace.Exchange) {
		if err != nil {
			t.Fatal(err)
		}
		h := r.heard(t)
		lost := h.Header.Get("Cookie") == "" && h.Header.Get("X-Forwarded-For") == "192.0.2.1" && h.URI == "/elsewhere"
		kept := h.Header.Get("Cookie") == "s=1" && h.URI == "/x"
		if broken != lost || broken == kept {
			t.Errorf("broken %v: the service got %+v", broken, h)
		}
		if len(x.Request.Cookies) != 1 || x.Path != "/x" || x.Request.Body != `{"n":1}` {
			t.Errorf("broken %v: not recorded as sent: %+v", broken, x)
		}
	})
}

func TestAnAnswerInPlaceOfTheUpstream(t *testing.T) {
	f := Fault{Name: "platform 504", Answer: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Vercel-Error", "FUNCTION_INVOCATION_TIMEOUT")
		http.Error(w, "An error occurred", http.StatusGatewayTimeout)
	})}
	breaking(t, f, func(t *testing.T, broken bool, r reply, err error, x trace.Exchange) {
		if err != nil {
			t.Fatal(err)
		}
		if (r.StatusCode == 504) != broken || (x.Status == 504) != broken || (x.Instance == "") != broken ||
			(x.Response.Get("X-Vercel-Error") != "") != broken || x.Request.Body != `{"n":1}` {
			t.Errorf("broken %v: %d, recorded %+v", broken, r.StatusCode, x)
		}
	})
}

func TestAResponseIsChangedBeforeTheBrowser(t *testing.T) {
	f := Fault{Name: "another body", Response: func(r *http.Response) error {
		old, err := io.ReadAll(r.Body)
		if err != nil {
			return err
		}
		r.StatusCode = 500
		r.Header.Add("Set-Cookie", "s=; Max-Age=0")
		SetBody(r, []byte(strings.Replace(string(old), `"service"`, `"longer than service"`, 1)))
		return nil
	}}
	breaking(t, f, func(t *testing.T, broken bool, r reply, err error, x trace.Exchange) {
		if err != nil {
			t.Fatal(err)
		}
		if (r.StatusCode == 500) != broken || strings.Contains(r.text, "longer than service") != broken || (len(r.Header.Values("Set-Cookie")) == 1) != broken {
			t.Errorf("broken %v: the browser got %d %v %s", broken, r.StatusCode, r.Header, r.text)
		}
		if (x.Status == 500) != broken || strings.Contains(x.Response.Body, "longer than service") != broken || (len(x.Response.SetCookies) == 1) != broken {
			t.Errorf("broken %v: recorded %+v", broken, x)
		}
	})
}

func TestAnErrorAbortsTheConnection(t *testing.T) {
	f := Fault{Name: "reset", Response: func(*http.Response) error { return errors.New("cable cut") }}
	breaking(t, f, func(t *testing.T, broken bool, r reply, err error, x trace.Exchange) {
		if (err != nil) != broken {
			t.Errorf("broken %v: the browser got %d, error %v", broken, r.StatusCode, err)
		}
		if broken && (x.Status != 0 || x.Err != "aborted by fault reset: cable cut") || !broken && x.Err != "" {
			t.Errorf("broken %v: recorded %+v", broken, x)
		}
	})
}

func TestAnAnswerCutHalfway(t *testing.T) {
	f := Fault{Name: "cut", Response: func(r *http.Response) error {
		r.Body = io.NopCloser(io.MultiReader(io.LimitReader(r.Body, 5), failing{}))
		return nil
	}}
	breaking(t, f, func(t *testing.T, broken bool, r reply, err error, x trace.Exchange) {
		if (err != nil) != broken || (x.Err != "") != broken || broken && x.Response.Bytes != 5 {
			t.Errorf("broken %v: error %v, recorded %+v", broken, err, x)
		}
	})
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("cable cut") }

func TestSeveralFaultsApplyInOrder(t *testing.T) {
	w := newWorld(t, nil)
	add := func(word string) func(*http.Response) error {
		return func(r *http.Response) error { r.Header.Add("X-Order", word); return nil }
	}
	say := func(word string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, word) })
	}
	w.line.Break(Fault{Name: "a", Answer: say("first"), Response: add("a")})
	mend := w.line.Break(Fault{Name: "b", Answer: say("second"), Response: add("b")})
	r := ask(t, w.browser(t, nil), "GET", origins.Frontend+"/", "")
	if r.text != "first" || strings.Join(r.Header.Values("X-Order"), "") != "ab" || w.last(t).Fault != "a, b" {
		t.Errorf("%q %v, recorded %q", r.text, r.Header, w.last(t).Fault)
	}
	mend()
	if r := ask(t, w.browser(t, nil), "GET", origins.Frontend+"/", ""); r.Header.Get("X-Order") != "a" || len(r.Header.Values("X-Order")) != 1 {
		t.Errorf("the wrong one was mended: %v", r.Header)
	}
}

func TestAFaultTouchesOneVisitorAndNoReservedPath(t *testing.T) {
	w := newWorld(t, nil)
	w.line.Break(Fault{Name: "all down", Answer: http.NotFoundHandler()})
	w.line.Break(Fault{Name: "outside only", When: Outside, Response: func(r *http.Response) error {
		r.Header.Set("X-Outside", "1")
		return nil
	}})
	c := w.browser(t, nil)
	if r := ask(t, c, "GET", origins.Auth+"/", ""); r.StatusCode != 404 || r.Header.Get("X-Outside") != "" {
		t.Errorf("the control: %d %v", r.StatusCode, r.Header)
	}
	if r := ask(t, w.line.Client(), "GET", origins.Auth+"/", ""); r.Header.Get("X-Outside") == "" {
		t.Error("Outside does not tell the outside client")
	}
	if r := ask(t, c, "GET", origins.Auth+reservedPath+"/cookies", ""); r.StatusCode != 200 || w.last(t).Fault != "" {
		t.Errorf("a reserved path is broken: %d", r.StatusCode)
	}
	line, err := w.edge.Open(w.rec)
	if err != nil {
		t.Fatal(err)
	}
	other := &world{edge: w.edge, line: line, rec: w.rec}
	if r := ask(t, other.browser(t, nil), "GET", origins.Auth+"/", ""); r.StatusCode != 200 {
		t.Errorf("another visitor is touched: %d", r.StatusCode)
	}
}

func TestAFaultThatPanicsIsSaid(t *testing.T) {
	w := newWorld(t, nil)
	w.line.Break(Fault{Name: "clumsy", Response: func(r *http.Response) error { panic("index out of range") }})
	if _, err := try(w.browser(t, nil), "GET", origins.Auth+"/", ""); err == nil {
		t.Error("the browser got an answer")
	}
	x := w.await(t, "the panic", func(x trace.Exchange) bool { return x.Err != "" })
	if !strings.Contains(x.Err, "index out of range") || x.Fault != "clumsy" {
		t.Errorf("recorded %+v", x)
	}
}

func TestAFaultThatProvesNothingIsRefused(t *testing.T) {
	w := newWorld(t, nil)
	for want, f := range map[string]Fault{
		"without a name": {Answer: http.NotFoundHandler()},
		"breaks nothing": {Name: "idle"},
	} {
		func() {
			defer func() {
				if p, _ := recover().(string); !strings.Contains(p, want) {
					t.Errorf("want a panic that says %q, got %q", want, p)
				}
			}()
			w.line.Break(f)
		}()
	}
}
