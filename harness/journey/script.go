package journey

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"

	"crossing/harness/browser"
	"crossing/harness/target"
	"crossing/harness/trace"
)

// Script does what a page of the frontend does by its own calls, for an
// application whose pages nobody has described: it runs in the frontend's
// page, under its origin, with credentials, and falls back to the bearer token
// where the browser keeps no cookie. It shows what browser and services make
// of the session; that the frontend's own code calls them so, it cannot show.
type Script struct{ Way }

// Described says whether the contract tells how a person uses the pages.
func (w Way) Described() bool {
	return w.Contract.Pages.SignIn.Path != "" && w.Contract.Pages.Standing.Selector != ""
}

// said is an answer as the page's script got it.
type said struct {
	Status int    `json:"status"`
	Text   string `json:"text"`
	Err    string `json:"err"`
}

// field reads a field of a JSON object that was answered.
func (s said) field(name string) string {
	var fields map[string]any
	if json.Unmarshal([]byte(s.Text), &fields) != nil {
		return ""
	}
	text, _ := fields[name].(string)
	return text
}

// asked is one fetch.
type asked struct {
	Method      string            `json:"method"`
	URL         string            `json:"url"`
	Headers     map[string]string `json:"headers"`
	Body        string            `json:"body,omitempty"`
	Bearer      string            `json:"bearer,omitempty"`
	Credentials string            `json:"credentials"`
}

// call is one fetch as better-auth's client makes it (credentials included),
// and as its bearer plugin's documentation has it: set-auth-token is kept, and
// sent in Authorization. A failed fetch tells a page no more than that.
const call = `async ({method, url, headers, body, bearer, credentials}) => {
	headers = {...headers};
	if (bearer) headers.authorization = "Bearer " + (bearer === "kept" ? localStorage.getItem("crossing-bearer") : bearer);
	if (bearer === "kept" && !localStorage.getItem("crossing-bearer")) return {status: 0, err: "no bearer token is kept"};
	try {
		const res = await fetch(url, {method, headers, credentials, body: body || undefined});
		const token = res.headers.get("set-auth-token");
		if (token) localStorage.setItem("crossing-bearer", token);
		return {status: res.status, text: await res.text()};
	} catch (error) {
		return {status: 0, err: String(error)};
	}
}`

func (s Script) fetch(ctx context.Context, p browser.Page, a asked) (said, error) {
	var got said
	err := p.Eval(ctx, call, a, &got)
	return got, err
}

// get asks an origin's path as a page does that is signed in, or would be.
func (s Script) get(ctx context.Context, p browser.Page, url, bearer, credentials string) (said, error) {
	return s.fetch(ctx, p, asked{Method: http.MethodGet, URL: url, Bearer: bearer, Credentials: credentials})
}

// change makes a request of the contract's, with its token against forged
// requests where there is one.
func (s Script) change(ctx context.Context, p browser.Page, path string, r target.Request, blanks target.Blanks, bearer string) error {
	if csrf := s.Contract.Requests.CSRF; csrf.Path != "" {
		got, err := s.get(ctx, p, s.Origins.Auth+csrf.Path, bearer, "include")
		if err != nil {
			return err
		}
		blanks.CSRF = got.field(csrf.Field)
		s.Recorder.Redactor().Learn(blanks.CSRF)
	}
	kind, body, err := r.Content(blanks)
	if err != nil {
		return err
	}
	headers := map[string]string{"content-type": kind}
	maps.Copy(headers, r.Headers)
	_, err = s.fetch(ctx, p, asked{Method: r.Method, URL: s.Origins.Auth + path, Headers: headers, Body: string(body), Bearer: bearer, Credentials: "include"})
	return err
}

// Start opens the frontend's home page, from which everything is called.
func (s Script) Start() Step {
	return Step{"open the frontend", func(ctx context.Context, p browser.Page) error {
		return p.Goto(ctx, s.Origins.Frontend+orSlash(s.Contract.Pages.Home))
	}}
}

func orSlash(path string) string {
	if path == "" {
		return "/"
	}
	return path
}

// SignUp calls for a new account.
func (s Script) SignUp(who Person) Step {
	return s.enter("sign up by a call", s.Contract.Paths.SignUp, s.Contract.Requests.SignUp, who)
}

// SignIn calls for a session.
func (s Script) SignIn(who Person) Step {
	return s.enter("sign in by a call", s.Contract.Paths.SignIn, s.Contract.Requests.SignIn, who)
}

func (s Script) enter(name, path string, r target.Request, who Person) Step {
	return Step{name, func(ctx context.Context, p browser.Page) error {
		s.Recorder.Redactor().Learn(who.Password)
		return s.change(ctx, p, path, r, who.blanks(), "")
	}}
}

// SignOut calls to end the session, by whatever it stands on.
func (s Script) SignOut() Step {
	return Step{"sign out by a call", func(ctx context.Context, p browser.Page) error {
		by, err := s.Standing(ctx, p)
		if err != nil {
			return err
		}
		if err := s.change(ctx, p, s.Contract.Paths.SignOut, s.Contract.Requests.SignOut, target.Blanks{}, kept(by)); err != nil {
			return err
		}
		return p.Eval(ctx, `() => { localStorage.removeItem("crossing-bearer") }`, nil, nil)
	}}
}

func kept(s trace.Standing) string {
	if s.By == "bearer" {
		return "kept"
	}
	return ""
}

// Standing asks for the session by cookie, and by the bearer token where that
// brings nobody.
func (s Script) Standing(ctx context.Context, p browser.Page) (trace.Standing, error) {
	for _, by := range []struct{ name, bearer string }{{"cookie", ""}, {"bearer", "kept"}} {
		got, err := s.get(ctx, p, s.Origins.Auth+s.Contract.Paths.Session, by.bearer, "include")
		if err != nil {
			return trace.Standing{}, fmt.Errorf("ask for the session from the page: %w", err)
		}
		if person, _ := s.Contract.SignedIn.Of(got.Status, got.Text); person != "" {
			return trace.Standing{SignedIn: true, Person: person, By: by.name, Source: s.Contract.Paths.Session}, nil
		}
	}
	return trace.Standing{Source: s.Contract.Paths.Session}, nil
}

// CallAPI asks for a token and calls the api with it, as a page does that has
// none yet.
func (s Script) CallAPI() Step {
	return Step{"call the api with a token", func(ctx context.Context, p browser.Page) error {
		by, err := s.Standing(ctx, p)
		if err != nil {
			return err
		}
		got, err := s.get(ctx, p, s.Origins.Auth+s.Contract.Paths.Token, kept(by), "include")
		if err != nil || got.field("token") == "" {
			return err // the trace has the answer without a token
		}
		_, err = s.get(ctx, p, s.Origins.API+s.Contract.Paths.API, got.field("token"), "omit")
		return err
	}}
}
