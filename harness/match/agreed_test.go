package match

import (
	"testing"

	"crossing/harness/trace"
)

var contract = trace.CookieContract{Name: sessionName, Secure: true, HTTPOnly: true, SameSite: "None", Partitioned: true, Path: "/", Lifetime: 604800}

func set(attributes string) trace.SetCookie {
	return trace.ParseSetCookie(sessionName+"=token.signature; "+attributes, trace.NewRedactor([]byte("key")))
}

func answered(lines ...trace.SetCookie) trace.Exchange {
	return trace.Exchange{ID: "e3", Method: "POST", Origin: "https://auth.crossing-back.net", Path: "/api/auth/sign-in/email", Status: 200,
		Instance: "auth-1", Response: trace.Message{SetCookies: lines}}
}

func TestSetCookieAsAgreed(t *testing.T) {
	m := SetCookieAsAgreed(contract)
	good := "Max-Age=604800; Path=/; HttpOnly; Secure; SameSite=none; Partitioned"
	judge(t, []judged{
		{"the line", m, set(good), true, []string{"to differ"}},
		{"the answer", m, answered(trace.SetCookie{Name: "other"}, set(good)), true, nil},
		{"no Partitioned", m, set("Max-Age=604800; Path=/; HttpOnly; Secure; SameSite=None"), false, []string{"Partitioned is absent, agreed was present", "Max-Age=604800"}},
		{"no Secure", m, set("Max-Age=604800; Path=/; HttpOnly; SameSite=None; Partitioned"), false, []string{"Secure is absent"}},
		{"no HttpOnly", m, set("Max-Age=604800; Path=/; Secure; SameSite=None; Partitioned"), false, []string{"HttpOnly is absent"}},
		{"Lax", m, answered(set("Max-Age=604800; Path=/; HttpOnly; Secure; SameSite=Lax; Partitioned")), false, []string{"SameSite is Lax, agreed was None", "POST https://auth.crossing-back.net/api/auth/sign-in/email → 200 by auth-1"}},
		{"no SameSite", m, set("Max-Age=604800; Path=/; HttpOnly; Secure; Partitioned"), false, []string{"SameSite is absent"}},
		{"a path", m, set("Max-Age=604800; Path=/api; HttpOnly; Secure; SameSite=None; Partitioned"), false, []string{"Path is /api, agreed was /"}},
		{"a domain", m, set(good + "; Domain=crossing-back.net"), false, []string{"Domain is crossing-back.net, agreed was absent"}},
		{"another life", m, set("Max-Age=60; Path=/; HttpOnly; Secure; SameSite=None; Partitioned"), false, []string{"Max-Age is 60, agreed was 604800"}},
		{"no life", m, set("Path=/; HttpOnly; Secure; SameSite=None; Partitioned"), false, []string{"Max-Age is absent, agreed was 604800"}},
		{"another name", m, trace.SetCookie{Name: "x", Line: "x=hmac:1"}, false, []string{"the name is x, agreed was " + sessionName}},
		{"none in the answer", m, answered(trace.SetCookie{Name: "x", Line: "x=hmac:1"}), false, []string{"0 times", "x=hmac:1"}},
		{"twice in the answer", m, answered(set(good), set(good)), false, []string{"2 times"}},
	})
	loose := contract
	loose.Partitioned = false
	judge(t, []judged{{"too much", SetCookieAsAgreed(loose), set(good), false, []string{"Partitioned is present, agreed was absent"}}})
	refuses(t, m, "Set-Cookie: x", "SetCookieAsAgreed", "trace.Exchange", "string")
}
