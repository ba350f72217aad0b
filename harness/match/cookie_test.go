package match

import (
	"testing"
	"time"

	"crossing/harness/trace"
)

const sessionName = "__Secure-better-auth.session_token"

func kept() trace.Cookie {
	return trace.Cookie{Name: sessionName, Digest: "hmac:1", Domain: "auth.crossing-back.net", HostOnly: true, Path: "/",
		Secure: true, HTTPOnly: true, SameSite: "None", PartitionKey: "https://crossing-front.com", Expires: time.Unix(1, 0)}
}

func jar(all ...trace.Cookie) trace.Jar {
	return trace.Jar{Label: "after sign in", Scope: trace.JarWhole, Cookies: all}
}

func changed(change func(*trace.Cookie)) trace.Jar {
	c := kept()
	change(&c)
	return jar(c)
}

func TestHaveCookie(t *testing.T) {
	whole := HaveCookie(sessionName).PartitionedUnder("https://crossing-front.com").WithDomain(".auth.crossing-back.net").HostOnly().
		WithPath("/").WithSecure().WithHTTPOnly().WithSameSite("none").WithDigest("hmac:1").WithExpiry()
	host := jar()
	host.Scope, host.Page = trace.JarHost, "https://docs.crossing-front.com/"
	judge(t, []judged{
		{"the name", HaveCookie(sessionName), jar(kept()), true, []string{"not to hold"}},
		{"everything", whole, jar(kept()), true, nil},
		{"beside its twin", whole, jar(trace.Cookie{Name: sessionName}, kept()), true, nil},
		{"an empty jar", HaveCookie(sessionName), jar(), false, []string{sessionName, "nothing", `"after sign in"`}},
		{"another name", HaveCookie("x"), jar(kept()), false, []string{sessionName + "=hmac:1; Domain=auth.crossing-back.net; host-only; Path=/; Secure; HttpOnly; SameSite=None; partitioned under https://crossing-front.com; until 1970"}},
		{"one host only", HaveCookie(sessionName), host, false, []string{"shows the cookies of https://docs.crossing-front.com/ only"}},
		{"another partition", whole, changed(func(c *trace.Cookie) { c.PartitionKey = "https://other.org" }), false, []string{"differs in: partitioned under https://crossing-front.com"}},
		{"a domain", whole, changed(func(c *trace.Cookie) { c.Domain, c.HostOnly = ".crossing-back.net", false }), false, []string{"differs in: Domain=auth.crossing-back.net, host-only"}},
		{"a path", whole, changed(func(c *trace.Cookie) { c.Path = "/api" }), false, []string{"differs in: Path=/"}},
		{"flags", whole, changed(func(c *trace.Cookie) { c.Secure, c.HTTPOnly = false, false }), false, []string{"differs in: Secure, HttpOnly"}},
		{"SameSite", whole, changed(func(c *trace.Cookie) { c.SameSite = "Lax" }), false, []string{"differs in: SameSite=none"}},
		{"the value", whole, changed(func(c *trace.Cookie) { c.Digest = "hmac:2" }), false, []string{"differs in: value hmac:1"}},
		{"no expiry", whole, changed(func(c *trace.Cookie) { c.Expires = time.Time{} }), false, []string{"differs in: with an expiry"}},
		{"the end of its life", HaveCookie(sessionName).ExpiringAt(time.Unix(5, 0), 4*time.Second), jar(kept()), true, nil},
		{"another end of its life", HaveCookie(sessionName).ExpiringAt(time.Unix(6, 0), 4*time.Second), jar(kept()), false, []string{"differs in: until 1970-01-01T00:00:06Z"}},
		{"alone", whole.Alone(), jar(kept(), trace.Cookie{Name: "other"}), true, nil},
		{"not alone", HaveCookie(sessionName).Alone().WithSecure(), jar(kept(), trace.Cookie{Name: sessionName}), false, []string{"Secure; no second of its name"}},
		{"none at all is not alone", HaveCookie(sessionName).Alone(), jar(), false, nil},
		{"unpartitioned", HaveCookie(sessionName).Unpartitioned(), changed(func(c *trace.Cookie) { c.PartitionKey = "" }), true, nil},
		{"partitioned after all", HaveCookie(sessionName).Unpartitioned(), jar(kept()), false, []string{"differs in: unpartitioned"}},
	})
	refuses(t, HaveCookie(sessionName), kept(), "HaveCookie", "trace.Jar", "trace.Cookie")
}

func TestHaveCookieIsNotChangedByNarrowing(t *testing.T) {
	loose := HaveCookie(sessionName).WithPath("/")
	_ = loose.WithSameSite("Lax")
	_ = loose.WithSecure()
	if ok, err := loose.Match(jar(kept())); !ok || err != nil {
		t.Errorf("the matcher was narrowed down from outside: %v, %v", ok, err)
	}
}
