package observe

import (
	"testing"

	"crossing/harness/trace"
)

func TestTheSessionInUseIsTheOneCarriedOrSetLast(t *testing.T) {
	line := func(digest string) trace.SetCookie { return trace.SetCookie{Name: "s", Digest: digest} }
	gone := 0
	auth := func(e trace.Exchange) trace.Exchange { e.Role = trace.RoleAuth; return e }
	signIn := auth(trace.Exchange{Response: trace.Message{SetCookies: []trace.SetCookie{line("older"), line("own")}}})
	twice := auth(trace.Exchange{Request: trace.Message{Cookies: []trace.Pair{{Name: "s", Digest: "older"}, {Name: "s", Digest: "own"}}}})
	bearer := auth(trace.Exchange{Request: trace.Message{Token: &trace.Token{Digest: "bearer", Opaque: true}}})
	jwt := auth(trace.Exchange{Request: trace.Message{Token: &trace.Token{Digest: "jwt"}}})
	cleared := auth(trace.Exchange{Response: trace.Message{SetCookies: []trace.SetCookie{{Name: "s", Digest: "", MaxAge: &gone}}}})
	for what, c := range map[string]struct {
		all       []trace.Exchange
		set, used string
	}{
		"nobody":                        {nil, "", ""},
		"two set, the newer last":       {[]trace.Exchange{signIn}, "own", "own"},
		"two sent, the older first":     {[]trace.Exchange{signIn, twice}, "own", "own"},
		"only ever sent":                {[]trace.Exchange{twice}, "older", "older"},
		"carried as a bearer token":     {[]trace.Exchange{signIn, bearer}, "own", "bearer"},
		"a JWT is no session":           {[]trace.Exchange{signIn, jwt}, "own", "own"},
		"signed in again after that":    {[]trace.Exchange{bearer, signIn}, "own", "own"},
		"cleared":                       {[]trace.Exchange{signIn, cleared}, "own", "own"},
		"asked by the harness, outside": {[]trace.Exchange{signIn, {Role: trace.RoleAuth, Outside: true, Request: bearer.Request}}, "own", "own"},
	} {
		tr := trace.Trace{Subject: trace.Subject{Cookie: trace.CookieContract{Name: "s"}}, Exchanges: c.all}
		if got := LastSession(tr); got != c.set {
			t.Errorf("%s: set last %q, want %q", what, got, c.set)
		}
		if got := inUse(tr); got != c.used {
			t.Errorf("%s: in use %q, want %q", what, got, c.used)
		}
	}
}
