package webdriver

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// script is a remote end that answers every command with the same words and
// keeps the last request.
func script(t *testing.T, status int, body string) (*client, *http.Request, *string) {
	t.Helper()
	last, sent := &http.Request{}, new(string)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, _ := io.ReadAll(r.Body)
		*last, *sent = *r, string(data)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	return newClient(server.URL), last, sent
}

func TestAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		code   string // "" for success
		words  string
	}{
		"success":             {200, `{"value":{"sessionId":"s1"}}`, "", ""},
		"a W3C error":         {404, `{"value":{"error":"no such element","message":"#absent","stacktrace":""}}`, codeNoElement, "no such element: #absent"},
		"an error of no text": {500, `{"value":{"error":"unknown error","message":""}}`, codeUnknown, "unknown error"},
		"another kind of server": {502, `<h1>Bad Gateway</h1>`, codeUnknown,
			`unknown error: status 502 and no WebDriver answer: "<h1>Bad Gateway</h1>"`},
		"an answer without a value": {200, `{}`, codeUnknown, "unknown error: status 200 and no WebDriver answer"},
		"an error without a code":   {500, `{"value":{"message":"?"}}`, codeUnknown, "status 500 and no error code"},
	} {
		t.Run(name, func(t *testing.T) {
			remote, _, _ := script(t, c.status, c.body)
			_, _, err := remote.create(t.Context(), nil)
			if code(err) != c.code {
				t.Errorf("code %q, want %q: %v", code(err), c.code, err)
			}
			if c.words != "" && !strings.Contains(err.Error(), c.words) {
				t.Errorf("the error is %q, want %q in it", err, c.words)
			}
			var e *wireError
			if errors.As(err, &e) && e.Status != c.status {
				t.Errorf("status %d, want %d", e.Status, c.status)
			}
		})
	}
}

func TestASessionWithoutAnIDIsAnError(t *testing.T) {
	remote, _, _ := script(t, 200, `{"value":{"capabilities":{}}}`)
	if _, _, err := remote.create(t.Context(), nil); err == nil {
		t.Error("a session was made of an answer that names none")
	}
}

func TestCommandsOnTheWire(t *testing.T) {
	c, last, sent := script(t, 200, `{"value":null}`)
	r := remote{c, "/session/s1"}
	frame := element("f-7")
	for want, command := range map[string]func() error{
		`POST /session/s1/refresh {}`:                                                 func() error { return r.refresh(t.Context()) },
		`POST /session/s1/url {"url":"https://a.com/"}`:                               func() error { return r.navigate(t.Context(), "https://a.com/") },
		`POST /session/s1/frame {"id":null}`:                                          func() error { return r.switchFrame(t.Context(), nil) },
		`POST /session/s1/frame {"id":{"element-6066-11e4-a52e-4f735466cecf":"f-7"}}`: func() error { return r.switchFrame(t.Context(), &frame) },
		`POST /session/s1/element/f-7/value {"text":"Zoë"}`:                           func() error { return r.sendKeys(t.Context(), frame, "Zoë") },
		`POST /session/s1/execute/sync {"args":[1],"script":"return arguments[0]"}`:   func() error { return r.execute(t.Context(), "return arguments[0]", []any{1}, nil) },
		`DELETE /session/s1/window `:                                                  func() error { return r.closeWindow(t.Context()) },
		`DELETE /session/s1 `:                                                         func() error { return r.delete(t.Context()) },
		`POST /session {"capabilities":{"alwaysMatch":{"acceptInsecureCerts":true}}}`: func() error {
			_, _, err := c.create(t.Context(), map[string]any{"acceptInsecureCerts": true})
			return ignoreNoID(err)
		},
		`POST /session/s1/window {"handle":"w"}`:        func() error { return r.switchWindow(t.Context(), "w") },
		`POST /session/s1/window/new {"type":"window"}`: func() error { _, err := r.newWindow(t.Context()); return err },
		`GET /session/s1/cookie `:                       func() error { _, err := r.cookies(t.Context()); return err },
		`POST /session/s1/element/f-7/click {}`:         func() error { return r.click(t.Context(), frame) },
	} {
		if err := command(); err != nil {
			t.Errorf("%s: %v", want, err)
		}
		if got := last.Method + " " + last.URL.Path + " " + *sent; got != want {
			t.Errorf("sent %s\nwant %s", got, want)
		}
	}
}

// ignoreNoID takes no offence at the one answer that fits no session.
func ignoreNoID(err error) error {
	if err != nil && strings.Contains(err.Error(), "without a session id") {
		return nil
	}
	return err
}

func TestAReferenceIsAnObjectOfOneName(t *testing.T) {
	c, _, _ := script(t, 200, `{"value":{"element-6066-11e4-a52e-4f735466cecf":"e-1"}}`)
	e, err := remote{c, ""}.find(t.Context(), "p")
	if err != nil || e != "e-1" {
		t.Errorf("got %q, %v, want e-1", e, err)
	}
	c, _, _ = script(t, 200, `{"value":{"shadow-6066-11e4-a52e-4f735466cecf":"e-1"}}`)
	if e, err := (remote{c, ""}).find(t.Context(), "p"); err == nil {
		t.Errorf("another kind of reference passed for an element: %q", e)
	}
}

func TestACallEndsWithItsContext(t *testing.T) {
	held := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-held }))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(held) })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	begin := time.Now()
	err := remote{newClient(server.URL), ""}.refresh(ctx)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("want the context's end, got %v", err)
	}
	if took := time.Since(begin); took > 2*time.Second {
		t.Errorf("it took %v to come back", took)
	}
}

func TestStrokes(t *testing.T) {
	for name, c := range map[string]struct {
		text  string
		lines bool
		want  []stroke
	}{
		"nothing":                           {"", false, nil},
		"what keyboards have":               {"p@ss {Zoë} €", false, []stroke{{"p", true}, {"@ss {Zoë} €", false}}},
		"beyond the basic plane":            {"a🙂b", false, []stroke{{"a", true}, {"🙂b", false}}},
		"lines":                             {"a\r\nb\n", true, []stroke{{"a\uE006", true}, {"b", false}, {"\uE006", true}}},
		"lines where there is one":          {"a\nb", false, []stroke{{"a", true}, {"b", false}}},
		"a tab":                             {"a\tb", true, []stroke{{"a", true}, {"\tb", false}}},
		"what the protocol takes for a key": {"\uE003x", true, []stroke{{"\uE003x", false}}},
	} {
		t.Run(name, func(t *testing.T) {
			got := strokes(c.text, c.lines)
			if len(got) != len(c.want) {
				t.Fatalf("got %+v, want %+v", got, c.want)
			}
			for i := range got {
				if got[i] != c.want[i] {
					t.Errorf("stroke %d is %+v, want %+v", i, got[i], c.want[i])
				}
			}
		})
	}
}
