package journey

import (
	"context"
	"fmt"
	"net/http"

	"crossing/harness/browser"
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
	Person string `json:"person"`
	Token  string `json:"token"`
	By     string `json:"by"`
	Err    string `json:"err"`
}

// call is one fetch as better-auth's client makes it (credentials included),
// and as its bearer plugin's documentation has it: set-auth-token is kept, and
// sent in Authorization. A failed fetch tells a page no more than that.
const call = `async ([method, url, body, bearer, credentials]) => {
	const headers = {};
	if (body) headers["content-type"] = "application/json";
	if (bearer) headers.authorization = "Bearer " + (bearer === "kept" ? localStorage.getItem("crossing-bearer") : bearer);
	if (bearer === "kept" && !localStorage.getItem("crossing-bearer")) return {status: 0, err: "no bearer token is kept"};
	try {
		const res = await fetch(url, {method, headers, credentials, body: body ? JSON.stringify(body) : undefined});
		const token = res.headers.get("set-auth-token");
		if (token) localStorage.setItem("crossing-bearer", token);
		const text = await res.text();
		let data = null;
		try { data = JSON.parse(text); } catch {}
		return {status: res.status, person: data?.user?.email ?? "", token: data?.token ?? ""};
	} catch (error) {
		return {status: 0, err: String(error)};
	}
}`

func (s Script) fetch(ctx context.Context, p browser.Page, method, url string, body any, bearer, credentials string) (said, error) {
	var got said
	err := p.Eval(ctx, call, []any{method, url, body, bearer, credentials}, &got)
	return got, err
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
	return s.enter("sign up by a call", s.Contract.Paths.SignUp, who, map[string]string{"name": who.Name, "email": who.Email, "password": who.Password})
}

// SignIn calls for a session.
func (s Script) SignIn(who Person) Step {
	return s.enter("sign in by a call", s.Contract.Paths.SignIn, who, map[string]string{"email": who.Email, "password": who.Password})
}

func (s Script) enter(name, path string, who Person, body map[string]string) Step {
	return Step{name, func(ctx context.Context, p browser.Page) error {
		s.Recorder.Redactor().Learn(who.Password)
		_, err := s.fetch(ctx, p, http.MethodPost, s.Origins.Auth+path, body, "", "include")
		return err
	}}
}

// SignOut calls to end the session, by whatever it stands on.
func (s Script) SignOut() Step {
	return Step{"sign out by a call", func(ctx context.Context, p browser.Page) error {
		by, err := s.Standing(ctx, p)
		if err != nil {
			return err
		}
		_, err = s.fetch(ctx, p, http.MethodPost, s.Origins.Auth+s.Contract.Paths.SignOut, map[string]string{}, kept(by), "include")
		if err != nil {
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
		got, err := s.fetch(ctx, p, http.MethodGet, s.Origins.Auth+s.Contract.Paths.Session, nil, by.bearer, "include")
		if err != nil {
			return trace.Standing{}, fmt.Errorf("ask for the session from the page: %w", err)
		}
		if got.Person != "" {
			return trace.Standing{SignedIn: true, Person: got.Person, By: by.name, Source: s.Contract.Paths.Session}, nil
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
		got, err := s.fetch(ctx, p, http.MethodGet, s.Origins.Auth+s.Contract.Paths.Token, nil, kept(by), "include")
		if err != nil || got.Token == "" {
			return err // the trace has the answer without a token
		}
		_, err = s.fetch(ctx, p, http.MethodGet, s.Origins.API+s.Contract.Paths.API, nil, got.Token, "omit")
		return err
	}}
}
