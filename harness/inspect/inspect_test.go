package inspect

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"crossing/harness/target"
	"crossing/harness/trace"
)

func TestAContractIsReadOffTheWire(t *testing.T) {
	w := betterAuth()
	f := Infer(w.Seen)
	got, text := loaded(t, f)
	c := got.Contract
	want, _ := target.Preset(target.BetterAuth)
	if !reflect.DeepEqual(c.Cookie, want.Cookie) || !reflect.DeepEqual(c.Paths, want.Paths) || !reflect.DeepEqual(c.Requests, want.Requests) || c.Preset != target.BetterAuth {
		t.Errorf("want the preset's\n%s", text)
	}
	if want := (target.Form{Path: "/sign-in", Email: "input[name=email]", Password: "input[name=password]", Submit: "button[type=submit]",
		Landing: "/account", Landed: "[data-testid=me]", Error: "[role=alert]"}); c.Pages.SignIn != want {
		t.Errorf("the form to sign in: %+v", c.Pages.SignIn)
	}
	if want := (target.Standing{Selector: "[data-testid=who]", State: "data-state", SignedIn: "signed-in", SignedOut: "signed-out", Person: "data-person"}); c.Pages.Standing != want {
		t.Errorf("the standing: %+v", c.Pages.Standing)
	}
	if c.Pages.SignOut != "[data-testid=leave]" || c.Pages.Other != "/account" {
		t.Errorf("the pages: %+v", c.Pages)
	}
	for _, field := range []string{"contract.preset", "contract.cookie", "contract.cookie.name", "contract.paths.session", "contract.paths.token", "contract.paths.keys", "contract.paths.api",
		"contract.paths.list", "contract.requests.signIn.refused", "contract.pages.standing", "contract.signature"} {
		sure(t, f, field)
	}
	doubted(t, f, "contract.updateAge", "preset's")
	doubted(t, Infer(betterAuth().without("/api/auth/list-sessions").Seen), "contract.paths.list", "the preset's")
	doubted(t, f, "contract.pages.signOutEverywhere", "not pressed")
}

// An application that differs from its preset in every way that can be seen.
func TestWhatDiffersFromThePresetIsWritten(t *testing.T) {
	w := newWorld(front, auth, "")
	w.get("/who", 200, "{}")
	enter := func(path string, status int) func() {
		return func() {
			w.get("/guard", 200, `{"xsrf":"hmac:x"}`)
			w.post(path, `{"mail":"`+email+`","secret":"hmac:pass","xsrf":"hmac:x","kind":"web","keep":true}`, trace.SetCookie{Name: "sid", Digest: "hmac:s", Path: "/app", Secure: true, SameSite: "none", Partitioned: true})
			w.last().Method, w.last().Status = "PUT", status
			w.last().Request.Header = append(w.last().Request.Header, trace.Field{Name: "X-Client", Value: "web"})
			w.get("/who", 200, `{"me":{"mail":"`+strings.ToUpper(email)+`"}}`)
		}
	}
	w.step(stepSignUp, enter("/people", 201))
	w.step(stepSignIn, enter("/enter", 202))
	w.outside("/who", "sid", `{"me":{"mail":"`+email+`"}}`)
	f := Infer(w.Seen)
	got, text := loaded(t, f)
	c := got.Contract
	if want := (trace.CookieContract{Name: "sid", Secure: true, SameSite: "None", Partitioned: true, Path: "/app"}); c.Cookie != want {
		t.Errorf("the cookie: %+v", c.Cookie)
	}
	if want := (target.Request{Method: "PUT", Type: "json", Answered: 202, Refused: 401, Headers: map[string]string{"x-client": "web"},
		Body: map[string]string{"mail": "${person.email}", "secret": "${person.password}", "xsrf": "${csrf}", "kind": "web"}}); !reflect.DeepEqual(c.Requests.SignIn, want) {
		t.Errorf("the request to sign in: %+v\n%s", c.Requests.SignIn, text)
	}
	if c.Requests.CSRF != (target.CSRF{Path: "/guard", Field: "xsrf"}) || c.SignedIn.Person != "me.mail" || c.Paths.Session != "/who" || c.Signature != target.ExpressSession && c.Signature != target.SignatureNone {
		t.Errorf("%s", text)
	}
	doubted(t, f, "contract.preset", "no library was recognised")
	doubted(t, f, "contract.requests.signIn.body", "keep")
	doubted(t, f, "contract.paths.signOut", "no request was seen")
	doubted(t, f, "contract.requests.signIn.refused", "wrong password")
}

func TestTheSessionsCookieIsToldFromOthers(t *testing.T) {
	csrf := trace.SetCookie{Name: "csrf-token", Digest: "hmac:csrf", HTTPOnly: true}
	again := func(w *world) *world { // both steps set both
		for i := range w.Trace.Exchanges {
			if m := &w.Trace.Exchanges[i].Response; len(m.SetCookies) > 0 {
				m.SetCookies = append([]trace.SetCookie{csrf}, m.SetCookies...)
			}
		}
		return w
	}
	f := Infer(again(betterAuth()).Seen)
	if sure(t, f, "contract.cookie.name"); f.Contract.Cookie.Name != session().Name {
		t.Errorf("proven by an answer: %q", f.Contract.Cookie.Name)
	}

	unproven := again(betterAuth())
	unproven.Trace.Exchanges = slices.DeleteFunc(unproven.Trace.Exchanges, func(e trace.Exchange) bool { return e.Outside })
	f = Infer(unproven.Seen)
	if doubted(t, f, "contract.cookie.name", "csrf-token and "+session().Name, "chosen by its name"); f.Contract.Cookie.Name != session().Name {
		t.Errorf("by its name: %q", f.Contract.Cookie.Name)
	}

	both := again(betterAuth())
	both.outside("/api/auth/get-session", csrf.Name, signedIn)
	doubted(t, Infer(both.Seen), "contract.cookie.name", "no answer has told them apart")

	none := betterAuth()
	for i := range none.Trace.Exchanges {
		none.Trace.Exchanges[i].Response.SetCookies = nil
	}
	doubted(t, Infer(none.Seen), "contract.cookie.name", "set no cookie")
}

func TestACookieThatBrowsersRefuseIsDoubted(t *testing.T) {
	seen := func(front string, change func(*trace.SetCookie)) Found {
		w := betterAuth()
		w.Target.Origins.Frontend = front
		for i := range w.Trace.Exchanges {
			for j := range w.Trace.Exchanges[i].Response.SetCookies {
				change(&w.Trace.Exchanges[i].Response.SetCookies[j])
			}
		}
		f := Infer(w.Seen)
		loaded(t, f)
		return f
	}
	for name, change := range map[string]func(*trace.SetCookie){
		"not partitioned": func(c *trace.SetCookie) { c.Partitioned = false },
		"lax":             func(c *trace.SetCookie) { c.SameSite = "lax" },
		"not secure":      func(c *trace.SetCookie) { c.Secure = false },
	} {
		t.Run(name, func(t *testing.T) {
			f := seen(front, change)
			doubted(t, f, "contract.cookie", "different sites")
			if c := f.Contract.Cookie; !c.Secure || c.SameSite != "None" || !c.Partitioned {
				t.Errorf("what it has to be is not written: %+v", c)
			}
		})
	}
	sure(t, seen(front, func(*trace.SetCookie) {}), "contract.cookie")

	f := seen("https://www.example.net", func(c *trace.SetCookie) { c.Partitioned, c.SameSite = false, "Lax" })
	sure(t, f, "contract.cookie")
	f = seen("https://www.example.net", func(*trace.SetCookie) {})
	if doubted(t, f, "contract.cookie.partitioned", "one site"); f.Contract.Cookie.Partitioned {
		t.Error("a cookie of one site is written as Partitioned, which no run accepts")
	}
	f = seen("https://www.example.net", func(c *trace.SetCookie) {
		c.Partitioned, c.SameSite, c.Path, c.Domain, c.MaxAge, c.Expires = false, "", "", "example.net", nil, "Sun, 08 Mar 2026 12:00:02 GMT"
	})
	doubted(t, f, "contract.cookie.sameSite", "Lax")
	doubted(t, f, "contract.cookie.path", "without Path")
	doubted(t, f, "contract.cookie", "Domain=example.net")
	if f.Contract.Cookie.Lifetime != 604800 {
		t.Errorf("by Expires: %d seconds", f.Contract.Cookie.Lifetime)
	}
}

func TestAnApplicationWithoutTokensHasNone(t *testing.T) {
	f := Infer(betterAuth().without("/api/auth/token").without("/me").Seen)
	got, _ := loaded(t, f)
	if p := got.Contract.Paths; p.Token+p.Keys+p.API != "" {
		t.Errorf("the preset's stand in for them: %+v", p)
	}
	doubted(t, f, "contract.paths.token", "no endpoint")

	w := betterAuth().without("/api/auth/token").without("/me")
	w.Target.Origins.API = ""
	sure(t, Infer(w.Seen), "contract.paths.token")

	w = betterAuth().without("/api/auth/token")
	w.get("/api/auth/access", 200, `{"access_token":"hmac:jwt"}`)
	doubted(t, Infer(w.Seen), "contract.paths.token", "/me of the api was called", "GET /api/auth/access", "another name than token")

	w = betterAuth().without("/me")
	doubted(t, Infer(w.Seen), "contract.paths.api", "no call of the api")
	w = betterAuth().without("/api/auth/jwks")
	doubted(t, Infer(w.Seen), "contract.paths.keys", "no key set")
	w.outside("/api/auth/jwks", "", `{"keys":[{"kty":"OKP","kid":"another"}]}`)
	doubted(t, Infer(w.Seen), "contract.paths.keys", "not the one that the token names")

	w = betterAuth().without("/me")
	w.Target.Origins.API, w.Trace.Hosts = "", []string{"docs.example.com", "api.elsewhere.org"}
	doubted(t, Infer(w.Seen), "origins.api", "api.elsewhere.org, which was refused")

	w = betterAuth()
	for i := range w.Trace.Exchanges {
		if got := w.Trace.Exchanges[i].Response.Token; got != nil {
			got.Issuer, got.Audience = "https://issuer.example.net", []string{"docs"}
		}
	}
	if c := Infer(w.Seen).Contract; c.Issuer != "https://issuer.example.net" || c.Audience != "docs" {
		t.Errorf("issuer %q, audience %q", c.Issuer, c.Audience)
	}
}

func TestWhoIsSignedInIsAskedSomewhere(t *testing.T) {
	w := betterAuth()
	for i := range w.Trace.Exchanges {
		if e := &w.Trace.Exchanges[i]; e.Response.Body == "null" {
			e.Status, e.Response.Body = 401, `{"message":"no"}`
		}
	}
	doubted(t, Infer(w.Seen), "contract.paths.session", "401 to nobody")

	w = betterAuth()
	for range 3 {
		w.get("/profile", 200, `{"email":"`+email+`"}`)
	}
	f := Infer(w.Seen)
	if doubted(t, f, "contract.paths.session", "/profile and /api/auth/get-session name the person"); f.Contract.Paths.Session != "/profile" {
		t.Errorf("the session is asked at %s", f.Contract.Paths.Session)
	}

	// The browser has refused the cookie: only the harness is told.
	w = betterAuth()
	for i := range w.Trace.Exchanges {
		if e := &w.Trace.Exchanges[i]; e.Response.Body == signedIn && !e.Outside {
			e.Response.Body = "null"
		}
	}
	f = Infer(w.Seen)
	if doubted(t, f, "contract.paths.session", "from outside", "no page was seen"); f.Contract.Preset != target.BetterAuth {
		t.Errorf("the preset is %s", f.Contract.Preset)
	}

	// Somebody else's address is nobody's here.
	w = betterAuth()
	w.Person.Email = "bob@crossing.example"
	doubted(t, Infer(w.Seen), "contract.paths.session", "no GET of the auth service")
}

func TestALibraryIsKnownByItsAnswers(t *testing.T) {
	authJS := func() *world {
		w := newWorld("https://www.example.net", auth, "")
		w.get("/identity/session", 200, "null")
		enter := func(path string) func() {
			return func() {
				w.get("/identity/csrf", 200, `{"csrfToken":"hmac:c"}`)
				w.post(path, "", trace.SetCookie{Name: "__Host-shop", Digest: "hmac:session", Path: "/", Secure: true, SameSite: "Lax"})
				w.last().Request.Header[0].Value = "application/x-www-form-urlencoded"
				w.last().Request.Header = append(w.last().Request.Header, trace.Field{Name: "X-Auth-Return-Redirect", Value: "1"})
				w.get("/identity/session", 200, `{"user":{"email":"`+email+`"},"expires":"2026-04-01T00:00:00Z"}`)
			}
		}
		w.step(stepSignUp, enter("/identity/callback/register"))
		w.step(stepSignIn, enter("/identity/callback/credentials"))
		w.Values["hmac:session"] = target.AuthJS
		return w
	}
	f := Infer(authJS().Seen)
	got, text := loaded(t, f)
	if c := got.Contract; c.Preset != target.AuthJS || c.Paths.SignOut != "/identity/signout" || c.Requests.CSRF.Path != "/identity/csrf" ||
		!reflect.DeepEqual(c.Requests.SignIn.Body, map[string]string{"csrfToken": "${csrf}", "email": "${person.email}", "password": "${person.password}"}) {
		t.Errorf("Auth.js under another path:\n%s", text)
	}
	w := authJS().without("/identity/csrf")
	doubted(t, Infer(w.Seen), "contract.preset", "no library")

	express := newWorld(front, auth, "")
	express.step(stepSignIn, func() {
		express.post("/in", `{"email":"`+email+`"}`, trace.SetCookie{Name: "any", Digest: "hmac:session", Path: "/"})
	})
	doubted(t, Infer(express.Seen), "contract.preset", "no library")
	express.Values["hmac:session"] = target.ExpressSession
	f = Infer(express.Seen)
	sure(t, f, "contract.preset")
	if f.Contract.Preset != target.ExpressSession {
		t.Errorf("the preset is %s", f.Contract.Preset)
	}

	// The name of a path alone is nobody's.
	like := newWorld(front, auth, "")
	like.step(stepSignIn, func() {
		like.post("/api/auth/sign-in/email", `{"email":"`+email+`"}`, session())
		like.get("/api/auth/get-session", 200, `{"email":"`+email+`"}`)
	})
	doubted(t, Infer(like.Seen), "contract.preset", "no library")

	// Nobody could come in, and the service answers as BetterAuth does.
	closed := newWorld(front, auth, "")
	closed.SignUp, closed.SignIn = Entry{}, Entry{}
	closed.outside("/api/auth/ok", "", `{"ok":true}`)
	if got := Infer(closed.Seen).Contract.Preset; got != target.BetterAuth {
		t.Errorf("the preset is %s", got)
	}
}

func TestWhatCannotBeDescribedIsDoubted(t *testing.T) {
	w := betterAuth()
	for i := range w.Trace.Exchanges {
		e := &w.Trace.Exchanges[i]
		if e.Path == "/api/auth/sign-up/email" {
			e.Request.Header[0].Value = "multipart/form-data; boundary=x"
		}
		if e.Path == "/api/auth/sign-in/email" {
			e.Request.Header[0].Value = "application/x-www-form-urlencoded"
			e.Request.Header = append(e.Request.Header, trace.Field{Name: "X-CSRF-Token", Value: "hmac:c"})
		}
	}
	f := Infer(w.Seen)
	doubted(t, f, "contract.requests.signUp", "multipart/form-data")
	doubted(t, f, "contract.requests.signIn.body", "those of the page's form")
	doubted(t, f, "contract.requests.signIn.headers", "X-CSRF-Token")
	if want := map[string]string{"email": "${person.email}", "password": "${person.password}"}; !reflect.DeepEqual(f.Contract.Requests.SignIn.Body, want) {
		t.Errorf("the body: %v", f.Contract.Requests.SignIn.Body)
	}
	w = betterAuth()
	w.Values["hmac:session"] = target.SignatureNone
	doubted(t, Infer(w.Seen), "contract.signature", "better-auth")
	w.Notes = []string{"sign out: it did not answer"}
	doubted(t, Infer(w.Seen), "contract.pages", "did not answer")
}

// A person who must confirm their address first is signed up, and not in.
func TestARefusalIsNoSuccess(t *testing.T) {
	w := newWorld(front, auth, "")
	w.step(stepSignUp, func() { w.post("/api/auth/sign-up/email", `{"email":"`+email+`"}`) })
	w.step(stepSignIn, func() {
		w.post("/api/auth/sign-in/email", `{"email":"`+email+`"}`)
		w.last().Status, w.last().Response.Body = 403, `{"code":"EMAIL_NOT_VERIFIED"}`
	})
	f := Infer(w.Seen)
	doubted(t, f, "contract.requests.signIn.answered", "403", "EMAIL_NOT_VERIFIED")
	sure(t, f, "contract.requests.signUp.answered")
	got, _ := loaded(t, f)
	if q := got.Contract.Requests; q.SignIn.Answered != 200 || got.Contract.Paths.SignIn != "/api/auth/sign-in/email" {
		t.Errorf("%+v", q.SignIn)
	}
}

func TestAHomePageThatLeadsOnStandsWhereItLeads(t *testing.T) {
	w := betterAuth()
	w.Nobody.Path = "/docs"
	if got := Infer(w.Seen).Contract.Pages.Home; got != "/docs" {
		t.Errorf("home is %s", got)
	}
}

func TestACookiesValueTellsHowItIsSigned(t *testing.T) {
	long := strings.Repeat("a", 43)
	for value, want := range map[string]string{
		"s%3Aid." + long:           target.ExpressSession,
		"token." + long + "%3D":    target.BetterAuth,
		"eyJhbGciOiJkaXIi..a.b.c":  target.AuthJS,
		"eyJhbGciOiJIUzI1.eyJ.sig": target.SignatureNone,
		"plain":                    target.SignatureNone,
		"s:id.short":               target.SignatureNone,
	} {
		if got := Signed(value); got != want {
			t.Errorf("%s: %s, want %s", value, got, want)
		}
	}
}

func TestTheFieldOfAnAddressIsFound(t *testing.T) {
	for body, want := range map[string]string{
		`{"user":{"email":"` + email + `"}}`:                                  "user.email",
		`{"id":"` + email + `","data":{"profile":{"email":"` + email + `"}}}`: "data.profile.email",
		`{"login":"` + email + `"}`:                                           "login",
		`[{"email":"` + email + `"}]`:                                         "",
		`{"users":[{"email":"` + email + `"}]}`:                               "",
		`{"email":"bob@crossing.example"}`:                                    "",
		`null`:                                                                "",
		``:                                                                    "",
	} {
		if got, _ := fieldOf(body, email); got != want {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
}
