package edge

import (
	"net/url"
	"strings"
	"testing"
)

func TestTheStrangersPages(t *testing.T) {
	w := newWorld(t, nil)
	c := w.browser(t, nil)
	if r := ask(t, c, "GET", origins.Stranger+"/", ""); r.StatusCode != 200 || !strings.Contains(r.text, "<h1>A stranger's site</h1>") ||
		strings.Contains(r.text, "iframe id") || strings.Contains(r.text, "<form") {
		t.Errorf("the page: %d %s", r.StatusCode, r.text)
	}
	r := ask(t, c, "GET", origins.Stranger+"/frame?url="+url.QueryEscape(origins.Frontend+"/account?a=1&b=2"), "")
	if !strings.Contains(r.text, `<iframe id="frame" src="https://docs.crossing-front.com/account?a=1&amp;b=2">`) {
		t.Errorf("the frame: %s", r.text)
	}
	r = ask(t, c, "GET", origins.Stranger+"/post?enctype=text%2Fplain&url="+url.QueryEscape(origins.Auth+"/sign-out")+
		"&b=2&a="+url.QueryEscape(`"><script>`), "")
	for _, want := range []string{`<form id="form" method="post" action="https://auth.crossing-back.net/sign-out" enctype="text/plain">`,
		"<input type=\"hidden\" name=\"a\" value=\"&#34;&gt;&lt;script&gt;\">\n<input type=\"hidden\" name=\"b\" value=\"2\">\n",
		`<button id="submit" type="submit">`} {
		if !strings.Contains(r.text, want) {
			t.Errorf("the form lacks %s: %s", want, r.text)
		}
	}
	if strings.Contains(r.text, "<script") {
		t.Errorf("a script got in: %s", r.text)
	}
}

func TestTheStrangerShowsTheTargetAlone(t *testing.T) {
	w := newWorld(t, nil)
	c := w.browser(t, nil)
	for _, path := range []string{"/frame", "/post"} {
		for _, bad := range []string{"", "https://evil.example.com/", "http://auth.crossing-back.net/", "javascript:alert(1)",
			"//auth.crossing-back.net/", "https://auth.crossing-back.net:8443/", "https://a:b@auth.crossing-back.net/"} {
			r := ask(t, c, "GET", origins.Stranger+path+"?url="+url.QueryEscape(bad), "")
			if r.StatusCode != 400 || strings.Contains(r.text, "<") {
				t.Errorf("%s %q: %d %s", path, bad, r.StatusCode, r.text)
			}
		}
	}
	for path, status := range map[string]int{"/post?enctype=x&url=" + origins.Auth + "/": 400, "/none": 404} {
		if r := ask(t, c, "GET", origins.Stranger+path, ""); r.StatusCode != status {
			t.Errorf("%s: %d, want %d", path, r.StatusCode, status)
		}
	}
}
