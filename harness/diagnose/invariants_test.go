package diagnose

import (
	"slices"
	"strings"
	"testing"
	"time"

	"crossing/harness/trace"
)

func TestInvariants(t *testing.T) {
	add := func(e trace.Exchange) func(*trace.Trace) {
		e.ID, e.Time, e.Method, e.Origin = "x1", start.Add(time.Hour), "GET", auth
		return func(t *trace.Trace) { t.Exchanges = append(t.Exchanges, e) }
	}
	pair := func(names ...string) trace.Exchange {
		e := trace.Exchange{Role: trace.RoleAuth, Status: 200}
		for _, n := range names {
			e.Request.Cookies = append(e.Request.Cookies, trace.Pair{Name: n, Digest: "hmac:1"})
		}
		return e
	}
	held := func(domain string, keys ...string) func(*trace.Trace) {
		return func(t *trace.Trace) {
			j := trace.Jar{Time: start.Add(time.Hour), Label: "later"}
			for i, key := range keys {
				d := "auth.crossing-back.net"
				if i > 0 {
					d = domain
				}
				j.Cookies = append(j.Cookies, trace.Cookie{Name: name, Domain: d, PartitionKey: key})
			}
			t.Jars = append(t.Jars, j)
		}
	}
	threw := func(kind string) func(*trace.Trace) {
		return func(t *trace.Trace) {
			t.PageErrors = append(t.PageErrors, trace.PageError{Time: start, Page: front + "/", Kind: kind, Text: "boom"})
		}
	}
	site := "https://crossing-front.com"
	for _, c := range []struct {
		what   string
		change func(*trace.Trace)
		broken string // "" for none
		text   string
	}{
		{"nothing", func(*trace.Trace) {}, "", ""},
		{"401", add(trace.Exchange{Role: trace.RoleAPI, Status: 401}), Unexpected401, "x1 GET"},
		{"a leak that a page logs", func(t *trace.Trace) {
			t.PageErrors = append(t.PageErrors, trace.PageError{Page: front + "/", Leak: "it stands there"})
		}, SecretLeaked, "it stands there"},
		{"a leak that a service logs", func(t *trace.Trace) {
			t.Logs = append(t.Logs, trace.LogLine{Instance: "auth-1", Leak: "it stands there"})
		}, SecretLeaked, "auth-1: it stands there"},
		{"403", add(trace.Exchange{Role: trace.RoleAPI, Status: 403}), "", ""},
		{"the harness's own 401", add(trace.Exchange{Role: trace.RoleAPI, Status: 401, Outside: true}), "", ""},
		{"429", add(trace.Exchange{Role: trace.RoleAuth, Status: 429}), TooManyRequests, "→ 429"},
		{"an unknown host", add(trace.Exchange{Role: trace.RoleUnknown, Status: 403}), UnknownHost, auth},
		{"the stranger is known", add(trace.Exchange{Role: trace.RoleStranger, Status: 200}), "", ""},
		{"one name twice", add(pair(name, "a", name)), CookieTwice, "two cookies " + name},
		{"two names", add(pair(name, "a")), "", ""},
		{"a twin", held(".auth.crossing-back.net", site, ""), PartitionTwin, `the jar "later" holds ` + name},
		{"a twin of another host", held("crossing-back.net", site, ""), "", ""},
		{"two partitions", held("auth.crossing-back.net", site, "https://crossing-stranger.org"), "", ""},
		{"two without a partition", held("auth.crossing-back.net", "", ""), "", ""},
		{"an uncaught error", threw(trace.ErrorUncaught), UncaughtError, "boom"},
		{"a failed load is another kind", threw(trace.ErrorCORS), "", ""},
	} {
		t.Run(c.what, func(t *testing.T) {
			tr := changed(chromium(), c.change)
			got := Invariants(tr)
			if c.broken == "" {
				if len(got) > 0 {
					t.Fatalf("broken: %v, want none", got)
				}
				return
			}
			if len(got) != 1 || got[0].Invariant != c.broken || !strings.Contains(got[0].String(), c.text) {
				t.Fatalf("broken: %v, want one %s with %q", got, c.broken, c.text)
			}
			if !slices.Contains(InvariantSlugs(), c.broken) {
				t.Errorf("%s is not among InvariantSlugs", c.broken)
			}
			if rest := Invariants(tr, c.broken); len(rest) > 0 {
				t.Errorf("expected, and still reported: %v", rest)
			}
			others := slices.DeleteFunc(InvariantSlugs(), func(s string) bool { return s == c.broken })
			if got := Invariants(tr, others...); len(got) != 1 {
				t.Errorf("expecting all others silenced it: %v", got)
			}
		})
	}
}

func TestInvariantsComeInTheOrderOfTime(t *testing.T) {
	tr := changed(chromium(), func(t *trace.Trace) {
		t.PageErrors = []trace.PageError{{Time: start.Add(-time.Hour), Kind: trace.ErrorUncaught, Text: "first"}}
		t.Exchanges = append(t.Exchanges, trace.Exchange{ID: "x", Time: start, Status: 401, Role: trace.RoleAuth})
	})
	if got := Invariants(tr); len(got) != 2 || got[0].Invariant != UncaughtError {
		t.Errorf("not in the order of time: %v", got)
	}
}

func TestACallOfTheBrowsersOwnIsNoPagesUnknownHost(t *testing.T) {
	stray := trace.Exchange{ID: "x1", Time: start, Method: "CONNECT", Origin: "https://updates.example", Role: trace.RoleUnknown}
	for _, c := range []struct {
		name  string
		hosts []string
		want  int
	}{
		{"the engine does not tell", nil, 1},
		{"no page asked for it", []string{"docs.crossing-front.com"}, 0},
		{"a page asked for it", []string{"docs.crossing-front.com", "updates.example"}, 1},
	} {
		if got := Invariants(trace.Trace{Hosts: c.hosts, Exchanges: []trace.Exchange{stray}}); len(got) != c.want {
			t.Errorf("%s: %d violations, want %d: %v", c.name, len(got), c.want, got)
		}
	}
}
