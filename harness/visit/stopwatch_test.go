package visit

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

func answered(status int, kind, body string, policy ...string) *http.Response {
	h := http.Header{"Content-Type": {kind}}
	for _, p := range policy {
		h.Add("Content-Security-Policy", p)
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body))}
}

func TestAScriptIsPutBeforeAllOthers(t *testing.T) {
	const tag = "<script>go()</script>"
	for _, c := range []struct {
		status           int
		kind, body, want string
	}{
		{200, "text/html; charset=utf-8", "<!doctype html><html><head><script src=x></script>", "<!doctype html><html><head>" + tag + "<script src=x></script>"},
		{200, "text/html", `<HTML><HEAD data-x="1"><title>`, `<HTML><HEAD data-x="1">` + tag + "<title>"},
		{200, "text/html", "<!DOCTYPE html><header>no head</header>", "<!DOCTYPE html>" + tag + "<header>no head</header>"},
		{200, "text/html", "<p>bare", tag + "<p>bare"},
		{200, "application/json", `{"a":"<head>"}`, `{"a":"<head>"}`},
		{404, "text/html", "<head>", "<head>"},
	} {
		res := answered(c.status, c.kind, c.body)
		if err := putIn(res, "go()"); err != nil {
			t.Fatal(err)
		}
		if got, _ := io.ReadAll(res.Body); string(got) != c.want {
			t.Errorf("%d %s %q:\n got %s\nwant %s", c.status, c.kind, c.body, got, c.want)
		}
	}
}

func TestAPolicyAllowsTheScriptAndNothingElse(t *testing.T) {
	const hash = "'sha256-5KYv+PUboo5h+0+YAtGRPbwv5d/QxzHslP4YGnUaxRw='"
	for policy, want := range map[string]string{
		"script-src 'self'; img-src *":                      "script-src 'self' HASH; img-src *",
		"img-src *; Script-Src 'none'":                      "img-src *; Script-Src HASH",
		"default-src 'self'":                                "default-src 'self'; script-src 'self' HASH",
		"script-src 'self'; script-src-elem x.com":          "script-src 'self'; script-src-elem x.com HASH",
		"script-src 'self' 'unsafe-inline'":                 "script-src 'self' 'unsafe-inline'",
		"script-src 'unsafe-inline' 'nonce-abc'":            "script-src 'unsafe-inline' 'nonce-abc' HASH",
		"frame-ancestors 'none'; upgrade-insecure-requests": "frame-ancestors 'none'; upgrade-insecure-requests",
	} {
		res := answered(200, "text/html", "<head>", policy, policy)
		if err := putIn(res, "go()"); err != nil {
			t.Fatal(err)
		}
		got := res.Header.Values("Content-Security-Policy")
		if want := strings.ReplaceAll(want, "HASH", hash); len(got) != 2 || got[0] != want || got[1] != want {
			t.Errorf("%q:\n got %q\nwant %q", policy, got, want)
		}
	}
}
