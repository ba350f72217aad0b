package diagnose

import (
	"slices"
	"testing"
	"time"

	"crossing/harness/trace"
)

// Symptoms alike, told apart: each trace differs from its neighbour in the one
// thing that decides.
func TestAlikeIsToldApart(t *testing.T) {
	both := observes(observed(trace.ObserveSignature, "auth-1", trace.AnswerYes), observed(trace.ObserveSignature, "auth-2", trace.AnswerYes))
	present := observes(observed(trace.ObserveRow, "", trace.AnswerPresent))
	nobody := on("auth-2", says200("null"))
	failing := everySession(refusesWith(500, "FAILED_TO_GET_SESSION"))
	listed := func(w *world) { w.askListings = true }
	omits := func(w *world) { w.keeps, w.omits = false, true }
	for what, c := range map[string]struct {
		tr   trace.Trace
		want []string
	}{
		"null, cookie left alone, signed by both":     {with(chromium(), noFallback, nobody, both, present).walk(), []string{"cookie-name-differs"}},
		"null, cookie cleared, signed by both":        {with(chromium(), noFallback, on("auth-2", gone), both, present).walk(), []string{"stores-differ"}},
		"null, cookie left alone, and the log's word": {with(chromium(), noFallback, nobody, logs("auth-2", "get-session", `{"event":"session.lookup","result":"no-cookie"}`)).walk(), []string{"cookie-name-differs"}},
		"null for nothing sent, and the log's word":   {with(webkit(), logs("auth-1", "get-session", `{"event":"session.lookup","result":"no-cookie"}`)).walk(), []string{}},
		"null, cookie cleared, another knows it":      {with(chromium(), noFallback, on("auth-2", gone), both, observes(observed(trace.ObserveSession, "auth-1", trace.AnswerPresent))).walk(), []string{"stores-differ"}},
		"null, cookie cleared, no row":                {with(chromium(), noFallback, on("auth-2", gone), both, observes(observed(trace.ObserveRow, "", trace.AnswerAbsent))).walk(), []string{"session-row-missing"}},
		"null, cookie cleared, row too old":           {with(chromium(), noFallback, on("auth-2", gone), both, observes(observed(trace.ObserveRow, "", trace.AnswerExpired))).walk(), []string{"session-expired"}},
		"null, cookie left alone, by another":         {with(chromium(), noFallback, nobody).walk(), []string{"instances-disagree"}},
		"null, cookie left alone, by the same one": {changed(with(chromium(), noFallback, nobody), func(t *trace.Trace) {
			for i := range t.Exchanges {
				if t.Exchanges[i].Instance == "auth-2" {
					t.Exchanges[i].Instance = "auth-1"
				}
			}
		}), []string{}},
		"null after a log that says expired": {with(chromium(), noFallback, everySession(gone), observes(observed(trace.ObserveRow, "", trace.AnswerAbsent)),
			logs("auth-1", "get-session", `{"event":"session.lookup","result":"expired"}`)).walk(), []string{"session-expired"}},
		"null after the end that get-session named": {changed(with(chromium(), noFallback, on("auth-2", gone)), func(t *trace.Trace) {
			for i := range t.Exchanges {
				e := &t.Exchanges[i]
				e.Instance = orElse(map[string]string{"auth-2": "auth-1"}[e.Instance], e.Instance)
				if e.Response.Body == person {
					e.Response.Body = `{"session":{"expiresAt":"2026-11-23T07:00:00.010Z"},"user":{"email":"ada@example.com"}}`
				}
			}
		}), []string{"session-expired"}},

		"500, and the token 401":                     {with(chromium(), noFallback, failing, token(answer{status: 401})).walk(), []string{"database-fault"}},
		"500, and the token 500, list-sessions 200":  {with(chromium(), noFallback, failing, token(answer{status: 500}), listed).walk(), []string{"keys-undecryptable"}},
		"500, and the token 500, database answering": {with(chromium(), noFallback, failing, token(answer{status: 500}), observes(observed(trace.ObserveDatabase, "", trace.AnswerYes))).walk(), []string{"keys-undecryptable"}},
		"500, and the token 500, database gone":      {with(chromium(), noFallback, failing, token(answer{status: 500}), observes(observed(trace.ObserveDatabase, "", trace.AnswerFailed))).walk(), []string{"database-fault"}},
		"500 that no page may read":                  {with(chromium(), noFallback, everySession(answer{status: 500, noCORS: true, body: `{"code":"FAILED_TO_GET_SESSION"}`}), token(answer{status: 401})).walk(), []string{"errors-without-cors", "database-fault"}},
		"503 for the database":                       {with(chromium(), signIn(refusesWith(503, "DATABASE_PASSWORD_REJECTED"))).walk(), []string{"database-fault"}},
		"503 for the database's setting":             {with(chromium(), signIn(refusesWith(503, "DATABASE_URL_MISSING"))).walk(), []string{"auth-misconfigured"}},
		"503 of the edge":                            {with(chromium(), signIn(answer{status: 503, edge: true})).walk(), []string{"upstream-gone"}},

		"no cookie comes: calls bear no mark":             {with(chromium(), noFallback, omits).walk(), []string{"calls-without-credentials"}},
		"no cookie comes: calls bear it, nothing refused": {with(chromium(), noFallback, func(w *world) { w.keeps = false }).walk(), []string{}},
		"no cookie comes: the browser keeps none":         {with(chromium(), noFallback, omits, func(w *world) { w.capability = &refusing }).walk(), []string{"third-party-cookies-refused"}},
		"no cookie comes: none was set":                   {with(chromium(), noFallback, func(w *world) { w.keeps, w.noCookie = false, true }).walk(), []string{"cookie-not-set"}},

		"another name on another instance": {with(chromium(), on("auth-2", answer{status: 200, body: person, cookies: []string{"__Secure-shop.session_token=t0123456789; " + agreedTo}})).walk(), []string{"cookie-name-differs"}},
		"the api is called with nothing, as the session was lost": {changed(with(chromium(), noFallback, nobody), func(t *trace.Trace) {
			t.Exchanges = slices.DeleteFunc(t.Exchanges, func(e trace.Exchange) bool { return e.Path == "/api/auth/token" })
		}), []string{"instances-disagree"}},
		"no CORS lines either for an origin that is not trusted": {changed(with(chromium(), func(w *world) {
			w.preflight = func(string) answer {
				return answer{status: 403, noCORS: true, body: `{"code":"ORIGIN_NOT_TRUSTED"}`}
			}
		}), asksUnread), []string{"origin-not-trusted"}},
		"no CORS lines, and no word about the origin": {changed(chromium(), asksUnread), []string{"cors-refused"}},
		"no CORS lines, and the log's word about the origin": {changed(chromium(), func(t *trace.Trace) {
			asksUnread(t)
			t.Logs = []trace.LogLine{{Instance: "auth-1", Request: "m1", Text: `{"event":"origin.refused","code":"ORIGIN_NOT_TRUSTED"}`}}
		}), []string{"origin-not-trusted"}},
	} {
		if d := Explain(c.tr); !slices.Equal(causes(d), c.want) {
			t.Errorf("%s: causes %v, want %v:\n%s", what, causes(d), c.want, d)
		}
	}
}

// asksUnread adds a page's first get-session, answered without CORS lines.
func asksUnread(t *trace.Trace) {
	t.Exchanges = append(t.Exchanges, trace.Exchange{ID: "m1", Time: start.Add(time.Millisecond), Role: trace.RoleAuth, Instance: "auth-1",
		Method: "GET", Origin: auth, Path: "/api/auth/get-session", PageOrigin: front, Status: 200, Response: trace.Message{Body: "null"}})
}

func TestCORSFault(t *testing.T) {
	header := func(pairs ...string) (out []trace.Field) {
		for i := 0; i < len(pairs); i += 2 {
			out = append(out, trace.Field{Name: pairs[i], Value: pairs[i+1]})
		}
		return out
	}
	const origin, credentials, allowed = "Access-Control-Allow-Origin", "Access-Control-Allow-Credentials", "Access-Control-Allow-Headers"
	marked := trace.Message{Header: header("Sec-Fetch-Storage-Access", "none")}
	asks := trace.Message{Header: header("Access-Control-Request-Method", "PUT", "Access-Control-Request-Headers", "authorization")}
	for _, c := range []struct {
		what      string
		request   trace.Message
		response  []trace.Field
		preflight bool
		role      trace.Role
		want      string
	}{
		{"as it should be", marked, header(origin, front, credentials, "true"), false, trace.RoleAuth, ""},
		{"no origin", marked, header(credentials, "true"), false, trace.RoleAuth, "no Access-Control-Allow-Origin"},
		{"another origin", marked, header(origin, stranger), false, trace.RoleAuth, "Access-Control-Allow-Origin: " + stranger},
		{"a slash", marked, header(origin, front+"/"), false, trace.RoleAuth, "Access-Control-Allow-Origin: " + front + "/"},
		{"a wildcard with credentials", marked, header(origin, "*", credentials, "true"), false, trace.RoleAuth, "Access-Control-Allow-Origin: * beside credentials"},
		{"a wildcard with a cookie", trace.Message{Cookies: []trace.Pair{{Name: "a"}}}, header(origin, "*"), false, trace.RoleAuth, "Access-Control-Allow-Origin: * beside credentials"},
		{"a wildcard without", trace.Message{}, header(origin, "*"), false, trace.RoleAPI, ""},
		{"credentials not allowed", marked, header(origin, front), false, trace.RoleAuth, "no Access-Control-Allow-Credentials: true"},
		{"credentials not needed", trace.Message{}, header(origin, front), false, trace.RoleAPI, ""},
		{"a navigation", trace.Message{Header: header("Sec-Fetch-Mode", "navigate")}, nil, false, trace.RoleAuth, ""},
		{"a preflight", asks, header(origin, front, allowed, "Authorization", "Access-Control-Allow-Methods", "GET, PUT"), true, trace.RoleAPI, ""},
		{"a preflight without the header", asks, header(origin, front, allowed, "content-type", "Access-Control-Allow-Methods", "*"), true, trace.RoleAPI, "Access-Control-Allow-Headers: content-type lacks authorization"},
		{"a wildcard is not for authorization", asks, header(origin, front, allowed, "*", "Access-Control-Allow-Methods", "*"), true, trace.RoleAPI, "Access-Control-Allow-Headers: * lacks authorization"},
		{"a preflight without the method", asks, header(origin, front, allowed, "authorization", "Access-Control-Allow-Methods", "GET"), true, trace.RoleAPI, "Access-Control-Allow-Methods: GET lacks PUT"},
		{"a preflight that nothing followed", asks, header(origin, front, allowed, "authorization"), true, trace.RoleAuth, "no Access-Control-Allow-Credentials: true"},
	} {
		e := trace.Exchange{ID: "x", Role: c.role, Instance: "one", Method: "GET", Origin: auth, Path: "/x", PageOrigin: front, Status: 200,
			Preflight: c.preflight, Request: c.request, Response: trace.Message{Header: c.response}}
		s := read(trace.Trace{Subject: trace.Subject{Origins: trace.Origins{Frontend: front, Auth: auth, API: api}}, Exchanges: []trace.Exchange{e}})
		if got := s.corsFault(call{Exchange: e}); got != c.want {
			t.Errorf("%s: %q, want %q", c.what, got, c.want)
		}
		e.Status = 308
		if got := s.corsFault(call{Exchange: e}); c.preflight && got != "" {
			t.Errorf("%s, redirected, which is a cause of its own: %q", c.what, got)
		}
		e.Status = 404
		if got := s.corsFault(call{Exchange: e}); c.preflight && c.want == "" && got != "the preflight was answered 404" {
			t.Errorf("%s, not found: %q", c.what, got)
		}
	}
}

func TestTunnelsAreNoCalls(t *testing.T) {
	s := read(trace.Trace{Exchanges: []trace.Exchange{{Method: "CONNECT", Role: trace.RoleAuth, Err: "TLS handshake"}, {Method: "GET", Role: trace.RoleAuth}}})
	if len(s.calls) != 1 || s.calls[0].Method != "GET" {
		t.Errorf("calls: %+v", s.calls)
	}
}

func TestSites(t *testing.T) {
	for host, want := range map[string]string{
		"docs.crossing-front.com": "crossing-front.com", "a.vercel.app": "a.vercel.app", "x.a.vercel.app": "a.vercel.app",
		"shop.example.co.uk": "example.co.uk", "127.0.0.1": "127.0.0.1", "localhost": "localhost",
	} {
		if got := siteOf(host); got != want {
			t.Errorf("site of %s: %s, want %s", host, got, want)
		}
	}
	for _, c := range []struct {
		request, cookie string
		want            bool
	}{{"/api/auth/get-session", "/", true}, {"/api", "/api", true}, {"/api/x", "/api", true}, {"/api/x", "/api/", true}, {"/apix", "/api", false}, {"/", "/api", false}} {
		if got := pathMatches(c.request, c.cookie); got != c.want {
			t.Errorf("%s under %s: %v", c.request, c.cookie, got)
		}
	}
	if !domainMatches("auth.x.net", ".X.net") || domainMatches("authx.net", "x.net") || domainMatches("10.0.0.1", "0.0.1") {
		t.Error("domains match as they should not")
	}
}
