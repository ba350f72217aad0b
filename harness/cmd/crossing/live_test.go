package main

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"crossing/harness/trace"
)

func TestALineHasItsColumnsWhateverIsInIt(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.Local)
	signIn := trace.Exchange{Time: at, Method: "POST", Role: trace.RoleAuth, Path: "/api/auth/sign-in/email", Status: 200, Instance: "auth-2", Millis: 12.4,
		Request: trace.Message{Cookies: []trace.Pair{{Name: "theme", Digest: "hmac:aaaabbbbcccc"}}, Token: &trace.Token{Digest: "hmac:ddddeeeeffff"}},
		Response: trace.Message{SetCookies: []trace.SetCookie{
			{Name: "__Secure-better-auth.session_token", Digest: "hmac:111122223333", SameSite: "None", Secure: true, Partitioned: true}}}}
	want := "03:04:05.006  POST    auth /api/auth/sign-in/email                   200  auth-2        12 ms  " +
		"→ theme·aaaabb  → bearer·ddddee  ← session_token·111122 (SameSite=None; Secure; Partitioned)"
	if got := line(signIn); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	// Columns stand where they stand, above all where a path is too long.
	column := func(text, word string) int {
		before, _, found := strings.Cut(text, word)
		if !found {
			t.Fatalf("%q is not in %q", word, text)
		}
		return utf8.RuneCountInString(before)
	}
	long := signIn
	long.Path, long.Method, long.Status, long.Err, long.Instance = "/"+strings.Repeat("x", 90)+".js", "OPTIONS", 0, trace.ErrAbandoned, ""
	if got := line(long); column(got, "edge") != column(want, "auth-2") || column(got, "–") != column(want, "200")+2 || !strings.HasSuffix(got, trace.ErrAbandoned) {
		t.Errorf("out of line:\n%s\n%s", want, got)
	}
	null := trace.Exchange{Time: at, Method: "GET", Role: trace.RoleAuth, Path: "/s", Status: 200, Instance: "auth-1", Response: trace.Message{Body: "null"}}
	if got := line(null); !strings.HasSuffix(got, "ms  null") {
		t.Errorf("an answer null is not told: %s", got)
	}
	zero := 0
	removed := trace.Exchange{Response: trace.Message{SetCookies: []trace.SetCookie{{Name: "s", MaxAge: &zero}}}}
	if got := line(removed); !strings.Contains(got, "(removed)") {
		t.Errorf("a removed cookie is not told: %s", got)
	}
}
