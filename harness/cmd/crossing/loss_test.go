package main

import (
	"testing"

	"crossing/harness/target"
	"crossing/harness/trace"
)

var contract = target.Contract{
	Paths:    trace.Paths{SignUp: "/up", SignIn: "/in", SignOut: "/out", Session: "/session", Token: "/token"},
	Requests: target.Requests{SignUp: target.Request{Method: "POST"}, SignIn: target.Request{Method: "POST"}, SignOut: target.Request{Method: "POST"}},
	SignedIn: trace.Reading{Person: "user.email"},
}

// asked is a question of the page with its answer.
func asked(method, path string, status int, body string) trace.Exchange {
	return trace.Exchange{Role: trace.RoleAuth, Method: method, Path: path, Status: status, Response: trace.Message{Body: body}}
}

func bearing(e trace.Exchange) trace.Exchange {
	e.Request.Header = []trace.Field{{Name: "Authorization", Value: "Bearer hmac:1"}}
	return e
}

func TestALossIsSeenAndNothingElseIsTakenForOne(t *testing.T) {
	signIn, signOut := asked("POST", "/in", 200, "{}"), asked("POST", "/out", 200, "{}")
	found, null := asked("GET", "/session", 200, `{"user":{"email":"ada@crossing.example"}}`), asked("GET", "/session", 200, "null")
	refused := asked("GET", "/token", 401, "")
	broken, preflight := asked("GET", "/session", 500, ""), asked("OPTIONS", "/session", 204, "")
	preflight.Preflight = true
	for name, c := range map[string]struct {
		keepsCookie bool
		seen        []trace.Exchange
		last        verdict
	}{
		"null after sign-in":                    {true, []trace.Exchange{signIn, null}, sessionLost},
		"null after the session was found":      {true, []trace.Exchange{found, null}, sessionLost},
		"401 for a token":                       {true, []trace.Exchange{signIn, found, refused}, sessionLost},
		"never signed in":                       {true, []trace.Exchange{null, refused}, sessionKept},
		"a sign-in that failed":                 {true, []trace.Exchange{asked("POST", "/in", 401, ""), null}, sessionKept},
		"signed out":                            {true, []trace.Exchange{signIn, found, signOut, null}, sessionKept},
		"a sign-out that failed":                {true, []trace.Exchange{signIn, asked("POST", "/out", 403, ""), null}, sessionLost},
		"told once":                             {true, []trace.Exchange{signIn, null, null}, sessionKept},
		"lost again after it was found":         {true, []trace.Exchange{signIn, null, found, null}, sessionLost},
		"a preflight says nothing":              {true, []trace.Exchange{signIn, preflight}, sessionKept},
		"a server's error is another matter":    {true, []trace.Exchange{signIn, broken}, sessionKept},
		"no cookie is kept: the page may go on": {false, []trace.Exchange{signIn, null}, sessionDoubted},
		"nor is the token good":                 {false, []trace.Exchange{signIn, null, bearing(null)}, sessionLost},
		"but the token is":                      {false, []trace.Exchange{signIn, null, bearing(found)}, sessionKept},
	} {
		l := loss{contract: contract, keepsCookie: c.keepsCookie}
		var last verdict
		for _, e := range c.seen {
			last = l.see(e)
		}
		if last != c.last {
			t.Errorf("%s: %v, want %v", name, last, c.last)
		}
	}
}

func TestADoubtIsConfirmedOnlyIfNothingFollows(t *testing.T) {
	for _, answered := range []bool{true, false} {
		l := loss{contract: contract}
		l.see(asked("POST", "/in", 200, "{}"))
		if l.see(asked("GET", "/session", 200, "null")) != sessionDoubted {
			t.Fatal("no doubt")
		}
		turn := l.turn()
		if answered {
			l.see(bearing(asked("GET", "/session", 200, `{"user":{"email":"ada@crossing.example"}}`)))
		}
		if got := l.confirm(turn); got == answered {
			t.Errorf("answered: %v, confirmed: %v", answered, got)
		}
		if l.confirm(turn) {
			t.Error("it is confirmed twice")
		}
	}
}
