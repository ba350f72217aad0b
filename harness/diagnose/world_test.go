package diagnose

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"crossing/harness/trace"
)

const (
	front    = "https://docs.crossing-front.com"
	auth     = "https://auth.crossing-back.net"
	api      = "https://api.crossing-back.net"
	stranger = "https://www.crossing-stranger.org"
	name     = "__Secure-better-auth.session_token"
	agreedTo = "Max-Age=604800; Path=/; HttpOnly; Secure; SameSite=None; Partitioned"
	ada      = "ada@example.com"
	person   = `{"session":{"expiresAt":"2026-11-30T07:00:00.000Z","token":"hmac:0aa000000000"},"user":{"email":"ada@example.com","id":"u1"}}`
	cleared  = "; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=None; Partitioned"
)

var start = time.Date(2026, 11, 23, 7, 0, 0, 0, time.UTC)

// answer is what a service says.
type answer struct {
	status  int
	body    string
	header  []trace.Field
	cookies []string // Set-Cookie lines
	noCORS  bool
	edge    bool // the edge answered itself
	err     string
}

func says200(body string) answer { return answer{status: 200, body: body} }

func refusesWith(status int, code string) answer {
	return answer{status: status, body: fmt.Sprintf(`{"code":%q,"message":"…"}`, code)}
}

// world is an application and a browser, as they answer to the reference
// frontend's ways. Its zero fields are healthy.
type world struct {
	engine      string // "chromium" or "webkit"
	fallback    bool
	cookie      string // attributes of the session cookie
	cookieName  string
	agreed      string // the contract's name, where it is another than the default
	keeps       bool   // the browser keeps that cookie and sends it back
	omits       bool   // the frontend calls without credentials
	noCookie    bool
	refused     []string // the browser's reasons
	jarOnly     bool     // it lies in the jar, though it is not sent
	preflight   func(path string) answer
	signIn      func() answer
	session     func(instance string) answer
	token       func(instance string) answer
	api         func() answer
	apiToken    *trace.Token
	apiWord     string // sent in place of a token
	observe     []trace.Observation
	logs        func(t *trace.Trace) []trace.LogLine
	capability  *trace.Capability
	unmeasured  bool
	signOut     bool
	pageErrors  []trace.PageError
	askListings bool
}

// partitioning is Chromium with third-party cookies blocked; refusing is
// WebKit with tracking prevention.
var (
	partitioning = trace.Capability{ThirdParty: trace.MeasuredNo, Partitioned: trace.MeasuredYes, Isolated: trace.MeasuredYes, Restart: trace.MeasuredYes}
	refusing     = trace.Capability{ThirdParty: trace.MeasuredNo, Partitioned: trace.MeasuredNo, Isolated: trace.MeasuredUnknown, Restart: trace.MeasuredUnknown}
)

// chromium is the healthy world where the cookie stays, webkit the one where
// the bearer token stands in.
func chromium() world {
	return world{engine: "chromium", fallback: true, cookie: agreedTo, cookieName: name, keeps: true}
}

func webkit() world {
	return world{engine: "webkit", fallback: true, cookie: agreedTo, cookieName: name}
}

// walker walks the journey and writes its trace.
type walker struct {
	w     world
	t     trace.Trace
	r     *trace.Redactor
	now   time.Time
	n     int
	value string
}

// walk signs in, reloads, asks for a token and calls the api.
func (w world) walk() trace.Trace {
	k := &walker{w: w, r: trace.NewRedactor([]byte("key")), now: start, value: "token0123456789.c2lnbmF0dXJl"}
	k.t = trace.Trace{Version: trace.Version, Run: "run", Visitor: "ada", Profile: w.engine, Browser: "Chromium 156.0"}
	k.t.Subject = trace.Subject{
		Name:    "reference",
		Origins: trace.Origins{Frontend: front, Auth: auth, API: api, Stranger: stranger},
		Cookie:  trace.CookieContract{Name: name, Secure: true, HTTPOnly: true, SameSite: "None", Partitioned: true, Path: "/", Lifetime: 604800},
		Paths: trace.Paths{SignUp: "/api/auth/sign-up/email", SignIn: "/api/auth/sign-in/email", SignOut: "/api/auth/sign-out",
			Session: "/api/auth/get-session", Token: "/api/auth/token", Keys: "/api/auth/jwks", API: "/me"},
		Issuer: auth, Audience: auth,
	}
	k.t.Subject.Cookie.Name = orElse(w.agreed, name)
	capability := partitioning
	if w.engine == "webkit" {
		k.t.Browser, capability = "WebKitGTK 2.50.6", refusing
		k.t.Gaps = []string{"WebKitGTK reports no refused cookies"}
	}
	if w.capability != nil {
		capability = *w.capability
	}
	if !w.unmeasured {
		k.t.Capability = &capability
	}
	k.journey()
	k.t.PageErrors = w.pageErrors
	for _, o := range w.observe {
		o.Time = k.tick()
		k.t.Observations = append(k.t.Observations, o)
	}
	if w.logs != nil {
		k.t.Logs = w.logs(&k.t)
	}
	return k.t
}

func (k *walker) tick() time.Time {
	k.now = k.now.Add(20 * time.Millisecond)
	return k.now
}

func (k *walker) journey() {
	k.document("document")
	if k.announced(k.t.Subject.Paths.SignIn, "POST", "content-type", auth) && k.signIn() {
		bearer := k.settle("auth-1", "")
		k.document("document")
		in := k.settle("auth-2", bearer)
		k.callAPI(in)
		if k.w.signOut {
			k.ask(exchange{path: k.t.Subject.Paths.SignOut, method: "POST", instance: "auth-1", answer: says200(`{"success":true}`), with: true})
			k.stand("", "sign out")
			k.ask(exchange{path: k.t.Subject.Paths.Session, instance: "auth-2", answer: says200("null")})
		}
		return
	}
	k.stand("", "sign in")
}

func (k *walker) document(dest string) {
	k.n++
	k.t.Exchanges = append(k.t.Exchanges, trace.Exchange{ID: fmt.Sprintf("e%d", k.n), Time: k.tick(), Millis: 5, Role: trace.RoleFrontend,
		Instance: "frontend", Method: "GET", Origin: front, Path: "/", Status: 200,
		Request: trace.Message{Header: []trace.Field{{Name: "Sec-Fetch-Dest", Value: dest}, {Name: "Sec-Fetch-Mode", Value: "navigate"}}}})
}

// announced sends a preflight and says whether the browser goes on.
func (k *walker) announced(path, method, headers, origin string) bool {
	a := answer{status: 204}
	if k.w.preflight != nil {
		a = k.w.preflight(path)
	}
	a.header = append(a.header, trace.Field{Name: "Access-Control-Allow-Headers", Value: "content-type, authorization"},
		trace.Field{Name: "Access-Control-Allow-Methods", Value: "GET, POST"})
	e := k.ask(exchange{path: path, method: "OPTIONS", origin: origin, instance: "auth-1", answer: a, announces: method, headers: headers})
	ok := e.Response.Get("Access-Control-Allow-Origin") == front && e.Response.Get("Access-Control-Allow-Credentials") == "true"
	return ok && e.Status < 300
}

func (k *walker) signIn() bool {
	a := answer{status: 200, body: `{"token":"hmac:0aa000000000","user":{"email":"ada@example.com"}}`,
		header: []trace.Field{{Name: "Set-Auth-Token", Value: k.r.Learn(k.value)}}}
	if !k.w.noCookie {
		a.cookies = []string{k.w.cookieName + "=" + k.value + "; " + k.w.cookie}
	}
	if k.w.signIn != nil {
		a = k.w.signIn()
	}
	e := k.ask(exchange{path: k.t.Subject.Paths.SignIn, method: "POST", instance: "auth-1", answer: a})
	if e.Status != 200 {
		return false
	}
	if len(k.w.refused) > 0 {
		k.t.Refusals = append(k.t.Refusals, trace.Refusal{Time: k.tick(), URL: auth + e.Path, Cookie: k.w.cookieName, Direction: "store", Reasons: k.w.refused})
	}
	jar := trace.Jar{Time: k.tick(), Label: "after sign in", Scope: trace.JarWhole, Cookies: []trace.Cookie{}}
	if k.w.keeps || k.w.jarOnly {
		jar.Cookies = append(jar.Cookies, trace.Cookie{Name: k.w.cookieName, Digest: k.r.Digest(k.value), Domain: "auth.crossing-back.net",
			Path: "/", Secure: true, HTTPOnly: true, SameSite: "None", PartitionKey: "https://crossing-front.com"})
	}
	k.t.Jars = append(k.t.Jars, jar)
	return true
}

// settle asks who this is, first by cookie, then, where that says nobody, by
// bearer; it returns how the page is signed in.
func (k *walker) settle(instance, bearer string) string {
	if bearer != "bearer" {
		if by, settled := k.settled("cookie", instance); settled {
			return by
		}
	}
	if bearer == "bearer" || k.w.fallback {
		if by, settled := k.settled("bearer", instance); settled {
			return by
		}
	}
	k.stand("", "ask")
	return ""
}

// settled asks in one way. An answer other than null decides: a person, or an
// error, which the page shows.
func (k *walker) settled(way, instance string) (by string, settled bool) {
	a := says200("null")
	if way == "bearer" || k.w.keeps && !k.w.omits {
		a = says200(person)
		if k.w.session != nil {
			a = k.w.session(instance)
		}
	}
	e := k.ask(exchange{path: k.t.Subject.Paths.Session, instance: instance, answer: a, with: true, bearer: way == "bearer"})
	switch {
	case e.Status != 200:
		k.t.Standings = append(k.t.Standings, trace.Standing{Time: k.tick(), Step: "ask", Source: "page", TopLevel: front, Undecided: true, Detail: "error"})
		return "", true
	case e.Response.Body == "null":
		return "", false
	}
	k.stand(way, "ask")
	return way, true
}

func (k *walker) callAPI(by string) {
	a := answer{status: 401}
	if by != "" {
		a = says200(`{"token":"hmac:0bb000000000"}`)
	}
	if k.w.token != nil {
		a = k.w.token("auth-1")
	}
	tok := k.ask(exchange{path: k.t.Subject.Paths.Token, instance: "auth-1", answer: a, with: true, bearer: by == "bearer"})
	if k.w.askListings {
		k.ask(exchange{path: "/api/auth/list-sessions", instance: "auth-1", answer: says200("[]"), with: true, outside: true})
	}
	sent := &trace.Token{Digest: "hmac:0bb000000000", Algorithm: "EdDSA", KeyID: "k1", Issuer: auth, Audience: []string{auth},
		Subject: "u1", IssuedAt: k.now, Expires: k.now.Add(15 * time.Minute)}
	if k.w.apiToken != nil {
		sent = k.w.apiToken
	}
	if k.w.apiWord != "" || tok.Status != 200 {
		sent = &trace.Token{Digest: orElse(k.w.apiWord, "undefined"), Opaque: true}
	}
	a = says200(`{"sub":"u1"}`)
	switch {
	case k.w.api != nil:
		a = k.w.api()
	case sent.Opaque:
		a = apiRefuses("DecodeError: Not enough segments")
	}
	k.ask(exchange{path: "/me", origin: api, instance: "api", answer: a, token: sent})
}

func apiRefuses(why string) answer {
	return answer{status: 401, body: `{"code":"x"}`, header: []trace.Field{
		{Name: "Www-Authenticate", Value: `Bearer error="invalid_token", error_description="` + why + `"`}}}
}

// exchange is one request to be written down.
type exchange struct {
	path, method, origin, instance, announces, headers string
	answer                                             answer
	with, bearer, outside                              bool
	token                                              *trace.Token
}

func (k *walker) ask(x exchange) trace.Exchange {
	k.n++
	if x.method == "" {
		x.method = "GET"
	}
	if x.origin == "" {
		x.origin = auth
	}
	e := trace.Exchange{ID: fmt.Sprintf("e%d", k.n), Time: k.tick(), Millis: 8, Role: k.t.Subject.Origins.Role(x.origin), Instance: x.instance,
		Method: x.method, Origin: x.origin, Path: x.path, PageOrigin: front, Preflight: x.announces != "", Status: x.answer.status,
		Err: x.answer.err, Outside: x.outside}
	e.Request, e.Response = k.request(x), k.response(x)
	if x.answer.edge {
		e.Instance = ""
	}
	k.t.Exchanges = append(k.t.Exchanges, e)
	return e
}

func (k *walker) request(x exchange) trace.Message {
	m := trace.Message{Header: []trace.Field{{Name: "Sec-Fetch-Mode", Value: "cors"}, {Name: "Sec-Fetch-Site", Value: "cross-site"}}, Token: x.token}
	if x.announces != "" {
		m.Header = append(m.Header, trace.Field{Name: "Access-Control-Request-Method", Value: x.announces},
			trace.Field{Name: "Access-Control-Request-Headers", Value: x.headers})
		return m
	}
	if k.w.engine == "chromium" && !k.w.omits && x.origin == auth {
		m.Header = append(m.Header, trace.Field{Name: "Sec-Fetch-Storage-Access", Value: "none"})
	}
	if x.with && k.w.keeps && !k.w.omits {
		m.Cookies = []trace.Pair{{Name: k.w.cookieName, Digest: k.r.Digest(k.value)}}
	}
	if x.bearer {
		m.Token = &trace.Token{Digest: k.r.Digest(k.value), Opaque: true}
	}
	return m
}

func (k *walker) response(x exchange) trace.Message {
	m := trace.Message{Header: x.answer.header, Body: x.answer.body}
	if !x.answer.noCORS && !x.answer.edge {
		m.Header = append([]trace.Field{{Name: "Access-Control-Allow-Credentials", Value: "true"},
			{Name: "Access-Control-Allow-Origin", Value: front}}, m.Header...)
	}
	for _, l := range x.answer.cookies {
		m.SetCookies = append(m.SetCookies, trace.ParseSetCookie(l, k.r))
	}
	return m
}

func (k *walker) stand(by, step string) {
	st := trace.Standing{Time: k.tick(), Step: step, Source: "page", TopLevel: front, By: by, SignedIn: by != ""}
	if by != "" {
		st.Person = ada
	}
	k.t.Standings = append(k.t.Standings, st)
}

// requestOf is the ID of the first exchange on a path, for log lines.
func requestOf(t *trace.Trace, path, instance string) string {
	for _, e := range t.Exchanges {
		if strings.HasSuffix(e.Path, path) && !e.Preflight && (instance == "" || e.Instance == instance) {
			return e.ID
		}
	}
	return ""
}

// causes are the slugs that a diagnosis names, in its order.
func causes(d Diagnosis) []string {
	out := []string{}
	for _, f := range d.Findings {
		out = append(out, f.Cause)
	}
	return out
}

// with changes a world.
func with(w world, changes ...func(*world)) world {
	for _, c := range changes {
		c(&w)
	}
	return w
}

func healthy(t *testing.T, what string, d Diagnosis) {
	t.Helper()
	if d.Verdict != VerdictHealthy || len(d.Findings) > 0 {
		t.Errorf("%s: verdict %s, want %s:\n%s", what, d.Verdict, VerdictHealthy, d)
	}
}
