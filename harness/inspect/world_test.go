package inspect

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"crossing/harness/journey"
	"crossing/harness/target"
	"crossing/harness/trace"
)

const (
	front = "https://docs.example.com"
	auth  = "https://auth.example.net"
	api   = "https://api.example.net"
	email = "ada.1@crossing.example"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// world is what would have been seen of an application, step by step.
type world struct {
	Seen
	now time.Time
}

// betterAuth is an application on BetterAuth with tokens, as its pages and its
// services behave when all is well.
func betterAuth() *world {
	w := newWorld(front, auth, api)
	w.get("/api/auth/get-session", 200, "null")
	w.step(stepSignUp, func() {
		w.post("/api/auth/sign-up/email", `{"email":"`+email+`","name":"ada","password":"hmac:pass"}`, session())
		w.get("/api/auth/get-session", 200, signedIn)
	})
	w.add(trace.Exchange{Role: trace.RoleAuth, Method: "GET", Path: "/api/auth/token", Status: 200, Response: trace.Message{Token: token()}})
	w.add(trace.Exchange{Role: trace.RoleAPI, Method: "GET", Path: "/me", Status: 200, Request: trace.Message{Token: token()}})
	w.step(stepSignOut, func() { w.post("/api/auth/sign-out", "{}") })
	w.step(stepRefused, func() {
		w.post("/api/auth/sign-in/email", `{"email":"`+email+`","password":"hmac:other"}`)
		w.last().Status = 401
	})
	w.step(stepSignIn, func() {
		w.post("/api/auth/sign-in/email", `{"email":"`+email+`","password":"hmac:pass"}`, session())
		w.get("/api/auth/get-session", 200, signedIn)
	})
	w.outside("/api/auth/get-session", session().Name, signedIn)
	w.outside("/api/auth/list-sessions", session().Name, "[]")
	w.outside("/api/auth/jwks", "", `{"keys":[{"kty":"OKP","kid":"key-1"}]}`)
	w.Values["hmac:session"] = target.BetterAuth
	return w
}

const signedIn = `{"session":{"userId":"1","expiresAt":"2026-03-08T12:00:00Z","token":"hmac:token"},"user":{"id":"1","email":"` + email + `"}}`

func newWorld(front, auth, api string) *world {
	o := trace.Origins{Frontend: front, Auth: auth, API: api, Stranger: "https://www.crossing-stranger.org"}
	w := &world{now: start, Seen: Seen{
		Target: &target.Target{File: target.File{Origins: o}}, Trace: trace.Trace{Subject: trace.Subject{Origins: o}},
		Person: journey.Person{Name: "ada", Email: email}, Password: "hmac:pass", Values: map[string]string{},
	}}
	in := Page{Path: "/sign-in", Elements: []Element{
		field("input[name=email]", "email"), field("input[name=password]", "password"), {Selector: "button[type=submit]", Tag: "button", Text: "Sign in", Visible: true, Form: 1},
	}}
	up := Page{Path: "/sign-up", Elements: slices.Concat([]Element{field("input[name=name]", "text")}, in.Elements)}
	landing := Page{Path: "/account", Elements: []Element{{Selector: "[data-testid=me]", Tag: "p", Text: "You are " + email, Visible: true}}}
	w.SignUp = Entry{Form: up.FindForm(), Page: up, Landing: landing}
	w.SignIn = Entry{Form: in.FindForm(), Page: in, Landing: landing}
	w.Refused = Page{Path: "/sign-in", Elements: slices.Concat(in.Elements, []Element{{Selector: "[role=alert]", Tag: "p", Text: "No", Visible: true, Attributes: map[string]string{"role": "alert"}}})}
	w.Nobody, w.Left = home("signed-out", ""), home("signed-out", "")
	w.Signed = home("signed-in", email)
	w.SignOut = w.Signed.FindSignOut(false)
	return w
}

func home(state, person string) Page {
	return Page{Path: "/", Elements: []Element{
		{Selector: "#bar", Tag: "div", Visible: true, Attributes: map[string]string{"class": state, "id": "bar"}},
		{Selector: "[data-testid=who]", Tag: "p", Text: person, Visible: true, Attributes: map[string]string{"data-testid": "who", "data-state": state, "data-person": person}},
		{Selector: "[data-testid=leave]", Tag: "button", Text: "Sign out", Visible: true, Attributes: map[string]string{"data-testid": "leave"}},
		{Selector: "[data-testid=leave-all]", Tag: "button", Text: "Sign out everywhere", Visible: true},
	}}
}

func field(selector, kind string) Element {
	name := strings.TrimSuffix(strings.TrimPrefix(selector, "input[name="), "]")
	return Element{Selector: selector, Tag: "input", Visible: true, Form: 1, Attributes: map[string]string{"type": kind, "name": name, "required": ""}}
}

func session() trace.SetCookie {
	week := 604800
	return trace.SetCookie{Name: "__Secure-better-auth.session_token", Digest: "hmac:session", Path: "/", Secure: true, HTTPOnly: true, SameSite: "None", Partitioned: true, MaxAge: &week}
}

func token() *trace.Token {
	return &trace.Token{Digest: "hmac:jwt", Algorithm: "EdDSA", KeyID: "key-1", Issuer: auth, Audience: []string{auth}}
}

// step does what a step of the look sets off.
func (w *world) step(name string, do func()) {
	m := trace.Mark{Step: name, Begin: w.now}
	do()
	w.now = w.now.Add(time.Second)
	m.End = w.now
	w.Trace.Marks = append(w.Trace.Marks, m)
}

func (w *world) add(e trace.Exchange) {
	w.now = w.now.Add(time.Second)
	e.Time = w.now
	w.Trace.Exchanges = append(w.Trace.Exchanges, e)
}

func (w *world) last() *trace.Exchange { return &w.Trace.Exchanges[len(w.Trace.Exchanges)-1] }

func (w *world) get(path string, status int, body string) {
	w.add(trace.Exchange{Role: trace.RoleAuth, Method: "GET", Path: path, Status: status, Response: trace.Message{Body: body}})
}

func (w *world) post(path, body string, set ...trace.SetCookie) {
	w.add(trace.Exchange{Role: trace.RoleAuth, Method: "POST", Path: path, Status: 200, Response: trace.Message{SetCookies: set},
		Request: trace.Message{Body: body, Bytes: int64(len(body)), Header: []trace.Field{{Name: "Content-Type", Value: "application/json"}}}})
}

// outside is a question of the harness's own, with one cookie or none.
func (w *world) outside(path, cookie, body string) {
	w.get(path, 200, body)
	w.last().Outside = true
	if cookie != "" {
		w.last().Request.Cookies = []trace.Pair{{Name: cookie}}
	}
}

// without takes exchanges away.
func (w *world) without(path string) *world {
	w.Trace.Exchanges = slices.DeleteFunc(w.Trace.Exchanges, func(e trace.Exchange) bool { return e.Path == path })
	return w
}

// doubts finds what is doubted of a field.
func doubts(f Found, field string) (why []string) {
	for _, d := range f.Doubts {
		if d.Field == field {
			why = append(why, d.Why)
		}
	}
	return why
}

func doubted(t *testing.T, f Found, field string, words ...string) {
	t.Helper()
	why := strings.Join(doubts(f, field), "\n")
	for _, word := range append(words, " ") {
		if !strings.Contains(why, word) {
			t.Errorf("%s is doubted by %q, and not by %q", field, why, word)
		}
	}
}

func sure(t *testing.T, f Found, field string) {
	t.Helper()
	if why := doubts(f, field); len(why) > 0 {
		t.Errorf("%s is doubted: %s", field, strings.Join(why, "; "))
	}
}

// loaded writes what was found, and reads it as a run does.
func loaded(t *testing.T, f Found) (*target.Target, string) {
	t.Helper()
	text := f.YAML(Heading{Schema: "crossing.schema.json", Name: "docs.example.com", By: "Written by a test."})
	path := filepath.Join(t.TempDir(), target.DefaultName)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := target.Load(path)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return got, text
}
