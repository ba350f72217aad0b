package edge

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"crossing/harness/trace"
)

func TestReservedPaths(t *testing.T) {
	for path, want := range map[string]bool{
		"/.well-known/crossing": true, "/.well-known/crossing/": true, "/.well-known/crossing/set": true,
		"/.well-known/crossings": false, "/.well-known/": false, "/": false, "/x/.well-known/crossing/set": false,
	} {
		if Reserved(path) != want {
			t.Errorf("Reserved(%q) is %v", path, !want)
		}
	}
}

func TestReservedPathsNeverReachTheService(t *testing.T) {
	w := newWorld(t, nil)
	c := w.browser(t, nil)
	for _, origin := range []string{origins.Frontend, origins.Auth, origins.API, origins.Stranger} {
		for path, status := range map[string]int{"/page": 200, "/set": 200, "/cookies": 200, "/clear": 200, "/none": 404, "": 404} {
			r := ask(t, c, "GET", origin+reservedPath+path, "")
			if x := w.last(t); r.StatusCode != status || x.Status != status || x.Instance != "" || x.Role != origins.Role(origin) || !Reserved(x.Path) {
				t.Errorf("%s%s: status %d, recorded %+v", origin, path, r.StatusCode, x)
			}
			if r.Header.Get("Cache-Control") != "no-store" || r.Header.Get("Content-Security-Policy") != "" {
				t.Errorf("%s%s: %v", origin, path, r.Header)
			}
		}
	}
	if r := ask(t, c, "POST", origins.Auth+reservedPath+"/set", ""); r.StatusCode != 405 || r.Header.Get("Set-Cookie") != "" {
		t.Errorf("POST: %d %v", r.StatusCode, r.Header)
	}
	if h := ask(t, c, "GET", origins.Auth+"/.well-known/jwks.json", "").heard(t); h.URI != "/.well-known/jwks.json" {
		t.Errorf("the control: the service got %s", h.URI)
	}
}

func TestReservedCookies(t *testing.T) {
	w := newWorld(t, nil)
	c := w.browser(t, nil)
	r := ask(t, c, "GET", origins.Auth+reservedPath+"/set?max-age=60", "")
	var values map[string]string
	if err := json.Unmarshal([]byte(r.text), &values); err != nil || len(values) != 2 || values[PlainCookie] == values[PartitionedCookie] {
		t.Fatalf("set says %q, error %v", r.text, err)
	}
	want := []string{
		"crossing-plain=" + values[PlainCookie] + "; Path=/.well-known/crossing; Secure; SameSite=None; Max-Age=60",
		"crossing-partitioned=" + values[PartitionedCookie] + "; Path=/.well-known/crossing; Secure; SameSite=None; Partitioned; Max-Age=60",
	}
	if got := r.Header.Values("Set-Cookie"); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("set-cookie\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if x := w.last(t); len(x.Response.SetCookies) != 2 || !x.Response.SetCookies[1].Partitioned || x.Response.SetCookies[0].Digest != w.rec.Redactor().Digest(values[PlainCookie]) {
		t.Errorf("recorded %+v", x.Response.SetCookies)
	}
	if again := ask(t, c, "GET", origins.Auth+reservedPath+"/set", ""); again.text == r.text || strings.Contains(again.Header.Get("Set-Cookie"), "Max-Age") {
		t.Errorf("a second set without max-age: %q %v", again.text, again.Header)
	}
	if bad := ask(t, c, "GET", origins.Auth+reservedPath+"/set?max-age=soon", ""); bad.StatusCode != 400 || bad.Header.Get("Set-Cookie") != "" {
		t.Errorf("max-age=soon: %d", bad.StatusCode)
	}
	got := ask(t, c, "GET", origins.Auth+reservedPath+"/cookies", "", "Cookie", "session=secret; crossing-plain=a; crossing-partitioned=b").text
	if strings.TrimSpace(got) != `{"crossing-partitioned":"b","crossing-plain":"a"}` {
		t.Errorf("cookies says %s", got)
	}
	if got := ask(t, c, "GET", origins.Auth+reservedPath+"/cookies", "").text; strings.TrimSpace(got) != "{}" {
		t.Errorf("without cookies it says %s", got)
	}
	for _, line := range ask(t, c, "GET", origins.Auth+reservedPath+"/clear", "").Header.Values("Set-Cookie") {
		parsed := trace.ParseSetCookie(line, w.rec.Redactor())
		if !parsed.Removes() || parsed.Path != reservedPath {
			t.Errorf("clear sends %s", line)
		}
		values[parsed.Name+map[bool]string{true: " partitioned"}[parsed.Partitioned]] = "cleared"
	}
	if len(values) != 4 { // each name with its partition and without
		t.Errorf("clear removes %v", values)
	}
}

func TestReservedPathsAreOpenToTheTargetsOriginsAlone(t *testing.T) {
	w := newWorld(t, nil)
	c := w.browser(t, nil)
	for origin, allowed := range map[string]string{origins.Frontend: origins.Frontend, origins.Stranger: origins.Stranger,
		"https://evil.example.com": "", "null": ""} {
		for _, method := range []string{"GET", "OPTIONS"} {
			r := ask(t, c, method, origins.Auth+reservedPath+"/cookies", "", "Origin", origin,
				"Access-Control-Request-Method", "GET", "Access-Control-Request-Headers", "x-probe")
			h := r.Header
			if h.Get("Access-Control-Allow-Origin") != allowed || (h.Get("Access-Control-Allow-Credentials") == "true") != (allowed != "") ||
				h.Get("Vary") != "Origin" || (r.StatusCode == http.StatusNoContent) != (method == "OPTIONS") {
				t.Errorf("%s from %s: %d %v", method, origin, r.StatusCode, h)
			}
		}
	}
}

func TestTheReservedPageFramesTheTargetAlone(t *testing.T) {
	w := newWorld(t, nil)
	c := w.browser(t, nil)
	page := origins.Stranger + reservedPath + "/page"
	if r := ask(t, c, "GET", page, ""); strings.Contains(r.text, "iframe") || strings.Contains(r.text, "script") {
		t.Errorf("the empty page: %s", r.text)
	}
	r := ask(t, c, "GET", page+"?frame="+origins.Auth+"/x%3Fa%3D1%26b%3D%22%3E%3Cscript%3E", "")
	if !strings.Contains(r.text, `<iframe id="frame" src="https://auth.crossing-back.net/x?a=1&amp;b=%22%3e%3cscript%3e">`) {
		t.Errorf("the frame: %s", r.text)
	}
	for _, bad := range []string{"https://evil.example.com/", "http://auth.crossing-back.net/", "javascript:alert(1)", "/relative",
		"https://auth.crossing-back.net.evil.example.com/", "https://ada@auth.crossing-back.net/", "%zz"} {
		if r := ask(t, c, "GET", page+"?frame="+bad, ""); bad != "%zz" && r.StatusCode != 400 || strings.Contains(r.text, "iframe") {
			t.Errorf("%s: %d %s", bad, r.StatusCode, r.text)
		}
	}
}
