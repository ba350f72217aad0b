package headroom

import (
	"fmt"
	"strings"
	"testing"

	"crossing/harness/trace"
)

// asked is a request with its cookies, and the lines that its answer sets.
func asked(path, cookies string, lines ...string) trace.Exchange {
	r := trace.NewRedactor(nil)
	e := trace.Exchange{Method: "GET", Origin: "https://auth.example.net", Path: path}
	e.Request.Cookies = trace.ParseCookies(cookies, r)
	for _, line := range lines {
		e.Response.SetCookies = append(e.Response.SetCookies, trace.ParseSetCookie(line, r))
	}
	return e
}

// from is an exchange that a page of this origin asked for.
func from(page string, e trace.Exchange) trace.Exchange {
	e.PageOrigin = page
	return e
}

func long(bytes int) string { return strings.Repeat("x", bytes) }

func of(t *testing.T, uses []Use, slug string) Use {
	t.Helper()
	for _, u := range uses {
		if u.Limit == slug {
			return u
		}
	}
	t.Fatalf("no use of %s: %v", slug, uses)
	return Use{}
}

func TestEachLimitIsMeasuredByWhatComesNearest(t *testing.T) {
	heavy := asked("/heavy", "")
	heavy.Request.HeaderBytes, heavy.Request.Largest = 20000, trace.HeaderSize{Name: "Cookie", Bytes: 9000}
	light := asked("/light", "")
	light.Request.HeaderBytes, light.Request.Largest = 400, trace.HeaderSize{Name: "User-Agent", Bytes: 120}
	in := func(domain, partition string, bytes int) trace.Cookie {
		return trace.Cookie{Name: "c", Domain: domain, Path: "/", PartitionKey: partition, Bytes: bytes}
	}
	many := trace.Jar{}
	for range 91 {
		many.Cookies = append(many.Cookies, in("auth.example.net", "", 1))
	}
	for _, c := range []struct {
		name, limit string
		trace       trace.Trace
		used        int
		what        string
	}{
		{"a set cookie", Cookie, trace.Trace{Exchanges: []trace.Exchange{asked("/", "", "small=1", "fat="+long(2500)+"; Path=/")}}, 2503, "fat"},
		{"a sent cookie", Cookie, trace.Trace{Exchanges: []trace.Exchange{asked("/", "small=1; scripted="+long(90))}}, 98, "scripted"},
		{"an attribute", Attribute, trace.Trace{Exchanges: []trace.Exchange{asked("/", "", "a=1; Path=/"+long(700))}}, 701, "a"},
		{"all headers", Headers, trace.Trace{Exchanges: []trace.Exchange{light, heavy, light}}, 20000, "GET https://auth.example.net/heavy"},
		{"one header", Header, trace.Trace{Exchanges: []trace.Exchange{heavy, light}}, 9000, "Cookie of GET https://auth.example.net/heavy"},
		{"a partition", PartitionBytes, trace.Trace{Jars: []trace.Jar{{Cookies: []trace.Cookie{
			in("auth.example.net", "https://a.com", 100), in("api.example.net", "https://a.com", 200), // one site
			in("auth.example.net", "https://b.com", 250), in("auth.example.net", "", 4000)}}}}, 300, "example.net under https://a.com"},
		{"cookies of a partition", PartitionCookies, trace.Trace{Jars: []trace.Jar{{Cookies: []trace.Cookie{
			in("auth.example.net", "https://a.com", 1), in("api.example.net", "https://a.com", 1)}}}}, 2, "example.net under https://a.com"},
		{"what a partition was given", PartitionBytes, trace.Trace{Exchanges: []trace.Exchange{
			from("https://docs.a.com", asked("/", "", "one="+long(4000)+"; Partitioned", "two="+long(4000)+"; Partitioned")),
			from("https://docs.a.com", asked("/", "", "one="+long(3000)+"; Partitioned", "two=; Max-Age=0; Partitioned")), // in its place; gone
			from("https://docs.b.com", asked("/", "", "one="+long(4000)+"; Partitioned")),
			from("https://www.a.com", asked("/", "", "three="+long(3500)+"; Partitioned", "plain="+long(4000), "dropped="+long(5000)+"; Partitioned"))}},
			8006, "example.net under https://a.com"},
		{"what a domain was given", DomainCookies, trace.Trace{Exchanges: []trace.Exchange{asked("/", "", "a=1", "b=1", "a=2", "c=1; Partitioned")}}, 2, "example.net"},
		{"cookies of a domain", DomainCookies, trace.Trace{Jars: []trace.Jar{{}, many}}, 91, "example.net"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if u := of(t, Measure(c.trace), c.limit); u.Used != c.used || u.What != c.what {
				t.Errorf("%d by %q, want %d by %q", u.Used, u.What, c.used, c.what)
			}
		})
	}
}

func TestWhatTheHarnessDoesItselfDoesNotCount(t *testing.T) {
	outside := asked("/", "a="+long(3000))
	outside.Outside = true
	reserved := asked(trace.ReservedPath+"set", "", "crossing-plain="+long(3000))
	jar := trace.Jar{Cookies: []trace.Cookie{{Name: "crossing-plain", Domain: "auth.example.net", Path: "/.well-known/crossing", PartitionKey: "https://a.com", Bytes: 900}}}
	uses := Measure(trace.Trace{Exchanges: []trace.Exchange{outside, reserved}, Jars: []trace.Jar{jar}})
	if len(uses) != len(limits) {
		t.Errorf("%d uses of %d limits", len(uses), len(limits))
	}
	for _, u := range uses {
		if u.Used != 0 || u.What != "" || u.Near() {
			t.Errorf("counted: %v", u)
		}
	}
}

func TestHalfIsNearAndAllIsReached(t *testing.T) {
	for bytes, want := range map[int]string{2047: "false false", 2048: "true false", 4095: "true false", 4096: "true true", 9000: "true true"} {
		u := of(t, Measure(trace.Trace{Exchanges: []trace.Exchange{asked("/", "", "n="+long(bytes-1))}}), Cookie)
		if got := fmt.Sprint(u.Near(), u.Reached()); u.Used != bytes || got != want {
			t.Errorf("%d bytes, counted as %d: near and reached are %s, want %s", bytes, u.Used, got, want)
		}
	}
}

func TestMergeKeepsTheLarger(t *testing.T) {
	one := Measure(trace.Trace{Exchanges: []trace.Exchange{asked("/", "", "one="+long(100)+"; Path=/"+long(9))}})
	two := Measure(trace.Trace{Exchanges: []trace.Exchange{asked("/", "", "two="+long(50)+"; Path=/"+long(70))}})
	before := fmt.Sprint(one)
	for name, merged := range map[string][]Use{"one, two": Merge(one, two), "two, one": Merge(two, one), "nil first": Merge(Merge(nil, one), two)} {
		if u := of(t, merged, Cookie); u.Used != 103 || u.What != "one" {
			t.Errorf("%s: cookie %v", name, u)
		}
		if u := of(t, merged, Attribute); u.Used != 71 || u.What != "two" {
			t.Errorf("%s: attribute %v", name, u)
		}
		if len(merged) != len(limits) {
			t.Errorf("%s: %d uses", name, len(merged))
		}
		if nearest, _ := Nearest(merged); nearest.Limit != Attribute {
			t.Errorf("%s: the nearest is %v", name, nearest)
		}
	}
	if fmt.Sprint(one) != before {
		t.Error("merging changed what was merged")
	}
	if _, found := Nearest(nil); found {
		t.Error("of nothing, something is nearest")
	}
}
