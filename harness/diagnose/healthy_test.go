package diagnose

import (
	"slices"
	"strings"
	"testing"
	"time"

	"crossing/harness/trace"
)

// changed walks a world and changes its trace afterwards.
func changed(w world, change func(*trace.Trace)) trace.Trace {
	t := w.walk()
	change(&t)
	return t
}

// at is a moment before the exchange on that path, or after it.
func at(t *trace.Trace, path string, after time.Duration) time.Time {
	for _, e := range t.Exchanges {
		if strings.HasSuffix(e.Path, path) && !e.Preflight {
			return e.Time.Add(after)
		}
	}
	return time.Time{}
}

func unpartitioned(w world) world {
	w.cookie = "Max-Age=604800; Path=/; HttpOnly; Secure; SameSite=None"
	w.capability = &trace.Capability{ThirdParty: trace.MeasuredYes, Partitioned: trace.MeasuredYes}
	return w
}

// TestHealthyTracesRaiseNothing holds what looks like a loss and is none.
func TestHealthyTracesRaiseNothing(t *testing.T) {
	for what, tr := range map[string]trace.Trace{
		"cookie":                             chromium().walk(),
		"bearer":                             webkit().walk(),
		"bearer, not measured":               with(webkit(), unmeasured).walk(),
		"signed out at the end":              with(chromium(), func(w *world) { w.signOut = true }).walk(),
		"row gone after the sign-out":        with(chromium(), observes(observed(trace.ObserveRow, "", trace.AnswerAbsent)), func(w *world) { w.signOut = true }).walk(),
		"bearer, signed out":                 with(webkit(), func(w *world) { w.signOut = true }).walk(),
		"third-party cookies allowed":        unpartitioned(chromium()).walk(),
		"everything observed, and all right": with(chromium(), observes(observed(trace.ObserveSignature, "auth-1", trace.AnswerYes), observed(trace.ObserveSession, "auth-2", trace.AnswerPresent), observed(trace.ObserveRow, "", trace.AnswerPresent), observed(trace.ObserveDatabase, "", trace.AnswerYes), observed(trace.ObserveHealth, "auth-1", trace.AnswerYes))).walk(),
		"the page was still turning round": changed(chromium(), func(t *trace.Trace) {
			early := trace.Standing{Time: at(t, "/sign-in/email", 9*time.Millisecond), Source: "page", TopLevel: front}
			t.Standings = append([]trace.Standing{early}, t.Standings...)
		}),
		"the stranger's site knows nobody": changed(chromium(), func(t *trace.Trace) {
			t.Standings = append(t.Standings, trace.Standing{Time: start.Add(time.Hour), Source: "page", TopLevel: stranger})
		}),
		"framed by the stranger": changed(chromium(), func(t *trace.Trace) {
			later := start.Add(time.Hour)
			t.Exchanges = append(t.Exchanges,
				trace.Exchange{ID: "f1", Time: later, Role: trace.RoleFrontend, Method: "GET", Origin: front, Status: 200, Instance: "frontend",
					Request: trace.Message{Header: []trace.Field{{Name: "Sec-Fetch-Dest", Value: "iframe"}}}},
				trace.Exchange{ID: "f2", Time: later.Add(time.Second), Role: trace.RoleAuth, Method: "GET", Origin: auth, Path: "/api/auth/get-session", PageOrigin: front,
					Instance: "auth-1", Status: 200, Response: trace.Message{Body: "null", Header: allowing()}})
		}),
		"a wrong password first": changed(chromium(), func(t *trace.Trace) {
			t.Exchanges = append(t.Exchanges, trace.Exchange{ID: "w", Time: at(t, "/sign-in/email", -5*time.Millisecond), Role: trace.RoleAuth, Method: "POST", Origin: auth,
				Path: "/api/auth/sign-in/email", PageOrigin: front, Instance: "auth-1", Status: 401, Response: trace.Message{Body: `{"code":"INVALID_EMAIL_OR_PASSWORD"}`, Header: allowing()}})
		}),
		"a call of a page left behind": changed(chromium(), func(t *trace.Trace) {
			t.Exchanges = append(t.Exchanges, trace.Exchange{ID: "c", Time: start.Add(time.Hour), Role: trace.RoleAuth, Method: "GET", Origin: auth,
				Path: "/api/auth/get-session", PageOrigin: front, Instance: "auth-1", Err: trace.ErrAbandoned})
		}),
		"a tunnel that failed": changed(chromium(), func(t *trace.Trace) {
			t.Exchanges = append(t.Exchanges, trace.Exchange{ID: "c", Time: start.Add(time.Hour), Role: trace.RoleAuth, Method: "CONNECT", Origin: auth, Err: "TLS handshake with the browser: unknown certificate"})
		}),
		"signed in twice: the second cookie takes the first one's place": changed(chromium(), func(t *trace.Trace) {
			i := slices.IndexFunc(t.Exchanges, func(e trace.Exchange) bool { return e.Method == "POST" })
			first := t.Exchanges[i]
			first.ID, first.Time, first.Path = "u", first.Time.Add(-10*time.Millisecond), t.Subject.Paths.SignUp
			first.Response.SetCookies = []trace.SetCookie{{Name: name, Digest: "hmac:first", Line: name + "=hmac:first", Secure: true, SameSite: "None", Partitioned: true, Path: "/"}}
			t.Exchanges = append(t.Exchanges, first)
		}),
		"the harness saw no row, and yet an instance knows the session": with(chromium(), observes(observed(trace.ObserveRow, "", trace.AnswerAbsent), observed(trace.ObserveSession, "auth-1", trace.AnswerPresent))).walk(),
		"a stranger's call is refused": changed(chromium(), func(t *trace.Trace) {
			t.Exchanges = append(t.Exchanges, trace.Exchange{ID: "s", Time: start.Add(time.Hour), Role: trace.RoleAuth, Method: "POST", Origin: auth,
				Path: "/api/auth/sign-in/email", PageOrigin: stranger, Instance: "auth-1", Status: 403, Response: trace.Message{Body: `{"code":"INVALID_ORIGIN"}`}})
		}),
		"the harness is refused": changed(chromium(), func(t *trace.Trace) {
			t.Exchanges = append(t.Exchanges, trace.Exchange{ID: "o", Time: start.Add(time.Hour), Role: trace.RoleAuth, Method: "GET", Origin: auth,
				Path: "/api/auth/token", PageOrigin: front, Instance: "auth-1", Status: 401, Outside: true, Response: trace.Message{Header: allowing()}})
		}),
		"a log of a look-up before the sign-in": with(chromium(), func(w *world) {
			w.logs = func(t *trace.Trace) []trace.LogLine {
				return []trace.LogLine{{Instance: "auth-1", Request: "elsewhere", Text: `{"event":"session.lookup","result":"signature-refused"}`}}
			}
		}).walk(),
	} {
		healthy(t, what, Explain(tr))
		if lost, why := Lost(tr); lost {
			t.Errorf("%s: lost: %s", what, why)
		}
	}
}

func allowing() []trace.Field {
	return []trace.Field{{Name: "Access-Control-Allow-Origin", Value: front}, {Name: "Access-Control-Allow-Credentials", Value: "true"}}
}

// Frontend and auth service on one site need neither None nor Partitioned.
func TestOneSiteNeedsNoPartition(t *testing.T) {
	w := chromium()
	w.cookie = "Path=/; HttpOnly; Secure; SameSite=Lax"
	w.keeps = true
	tr := changed(w, func(t *trace.Trace) {
		t.Subject.Cookie.Partitioned = false
		for i := range t.Exchanges {
			t.Exchanges[i].Request.Header = slices.DeleteFunc(t.Exchanges[i].Request.Header, func(f trace.Field) bool { return f.Name == "Sec-Fetch-Site" })
		}
		t.Subject.Origins.Auth, t.Subject.Origins.Frontend = auth, "https://docs.crossing-back.net"
		for i := range t.Exchanges {
			e := &t.Exchanges[i]
			if e.PageOrigin == front {
				e.PageOrigin = t.Subject.Origins.Frontend
			}
			for h := range e.Response.Header {
				if e.Response.Header[h].Value == front {
					e.Response.Header[h].Value = t.Subject.Origins.Frontend
				}
			}
		}
	})
	d := Explain(tr)
	healthy(t, "one site", d)
	if !slices.Contains(d.RuledOut, RuledOut{Cause: "cookie-samesite", How: "frontend and auth service are one site"}) {
		t.Errorf("SameSite is not ruled out by the site: %v", d.RuledOut)
	}
}

// Nobody tried, and yet a call failed: that is no failed sign-in.
func TestAFailedCallOfAStranger(t *testing.T) {
	tr := changed(chromium(), func(t *trace.Trace) {
		t.Exchanges, t.Standings, t.Jars = nil, nil, nil
		asksUnread(t)
	})
	d := Explain(tr)
	if first := d.Sentence(); d.Verdict != VerdictRefused || !strings.HasPrefix(first, "The session could not be retrieved because the auth service (auth-1) does not let") {
		t.Errorf("%s: %s", d.Verdict, first)
	}
}

func TestNobodyTried(t *testing.T) {
	if d := Explain(trace.Trace{}); d.Verdict != VerdictUnjudged || !strings.HasPrefix(d.String(), "There is nothing to judge") {
		t.Errorf("an empty trace: %s\n%s", d.Verdict, d)
	}
}

func TestLostSaysByWhat(t *testing.T) {
	for what, c := range map[string]struct {
		t    trace.Trace
		lost bool
		why  string
	}{
		"a null on what carried the cookie":   {with(chromium(), noFallback, on("auth-2", says200("null"))).walk(), true, "e6 GET " + auth + "/api/auth/get-session → 200 null (auth-2)"},
		"a null without anything, unhealed":   {with(webkit(), noFallback).walk(), true, "e4 GET"},
		"a token refused":                     {with(chromium(), token(answer{status: 401})).walk(), true, "e7 GET " + auth + "/api/auth/token → 401 (auth-1)"},
		"the page says so":                    {changed(chromium(), signedOutLater(false)), true, "showed the person signed out after reload"},
		"a bare null beside a bearer token":   {changed(webkit(), bareNull), false, ""},
		"a bare null, and signed out by then": {changed(webkit(), func(t *trace.Trace) { bareNull(t); signedOutLater(false)(t) }), true, "showed the person signed out"},
		"the page is loading":                 {changed(chromium(), signedOutLater(true)), false, ""},
		"the api refuses, the session holds":  {with(chromium(), apiSays(apiRefuses("InvalidIssuerError: x"))).walk(), false, ""},
		"nobody was signed in":                {with(chromium(), signIn(refusesWith(401, "INVALID_EMAIL_OR_PASSWORD"))).walk(), false, ""},
	} {
		lost, why := Lost(c.t)
		if lost != c.lost || !strings.Contains(why, c.why) {
			t.Errorf("%s: %v %q, want %v %q", what, lost, why, c.lost, c.why)
		}
	}
}

func signedOutLater(undecided bool) func(*trace.Trace) {
	return func(t *trace.Trace) {
		t.Standings = append(t.Standings, trace.Standing{Time: start.Add(time.Hour), Step: "reload", Source: "page", TopLevel: front, Undecided: undecided})
	}
}

// bareNull adds a get-session that carried nothing.
func bareNull(t *trace.Trace) {
	asksUnread(t)
	e := &t.Exchanges[len(t.Exchanges)-1]
	e.Time, e.Response.Header = start.Add(time.Minute), allowing()
}
