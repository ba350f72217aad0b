package behaviour

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"crossing/harness/browser"
	"crossing/harness/edge"
)

// Refused: the page may not read the answer.
const (
	Refused = "refused"
	Allowed = "allowed"
)

func storage() []Behaviour {
	const group = "Storage and cache"
	return []Behaviour{
		{"localstorage", group, "localStorage of a frame, and of its site as first party", "https://storage.spec.whatwg.org/#storage-keys", func(v *Visit) string {
			v.goTo(back + "/page")
			v.eval(nil, `name => localStorage.setItem(name, 'first party')`, crumb, nil)
			v.goTo(address(front, "/page", "frame", back+"/page"))
			const script = `name => { try { return {'first party': 'shared'}[localStorage.getItem(name)] || 'apart' } catch (e) { return 'denied' } }`
			var outcome string
			v.eval(v.frame(0), script, crumb, &outcome)
			return outcome
		}, sandboxed},
		{"localstorage-stays", group, "localStorage of a frame, after a reload", "https://storage.spec.whatwg.org/#storage-keys", func(v *Visit) string {
			with := address(front, "/page", "frame", back+"/page")
			v.goTo(with)
			const write = `name => { try { localStorage.setItem(name, '1'); return true } catch { return false } }`
			var wrote, read bool
			v.eval(v.frame(0), write, crumb, &wrote)
			v.goTo(with)
			v.eval(v.frame(0), `name => { try { return localStorage.getItem(name) === '1' } catch { return false } }`, crumb, &read)
			switch {
			case !wrote:
				return "denied"
			case read:
				return Kept
			}
			return "gone"
		}, sandboxed},
		{"http-cache", group, "a cached answer, under another top-level site", "https://fetch.spec.whatwg.org/#http-cache-partitions", func(v *Visit) string {
			number := func() (n int) {
				v.eval(nil, `async to => Number(await (await fetch(to)).text())`, back+"/number/"+crumb, &n)
				return n
			}
			v.goTo(front + "/page")
			once, twice := number(), number()
			v.goTo(third + "/page")
			there := number()
			switch {
			case once != twice && v.bench.Browser.Profile().Engine == browser.WebKit.Engine:
				// MiniBrowser answers all four from its cache where it is neither
				// private nor driven (2.50.6, measured).
				v.do("cache", func() error { return &cannot{"under automation its session is ephemeral, and has no HTTP cache"} })
			case once != twice && v.bench.Browser.Version().Elsewhere:
				// Where it was not told of the edge's key, it takes any certificate,
				// and Chromium's cache keeps nothing that came by one in error.
				v.do("cache", func() error { return &cannot{"elsewhere it does not trust the edge, and caches nothing"} })
			case once != twice:
				return "not cached at all"
			case there == once:
				return "shared"
			}
			return "apart"
		}, func(res *http.Response) { res.Header.Set("Cache-Control", "no-store") }},
	}
}

// sandboxed gives a document an opaque origin, which has no storage.
func sandboxed(res *http.Response) {
	if res.Request.Host == "auth.anchor-back.net" && res.Request.Header.Get("Sec-Fetch-Dest") != "document" {
		res.Header.Set("Content-Security-Policy", "sandbox allow-scripts")
	}
}

func requests() []Behaviour {
	const group, cors, preflight = credentialed, corsLacks, preflightLacks
	const modes = "https://fetch.spec.whatwg.org/#concept-request-credentials-mode"
	credentials := func(mode string) func(v *Visit) string {
		return func(v *Visit) string {
			v.goTo(front + "/page")
			got := v.calls(nil, setting(back, crumb+"=1"+part), asking(back), call{back + "/cookies", map[string]any{"credentials": mode}})
			if !has(v.told(got[:2]).Cookies, crumb) {
				return v.judged(crumb, false, "", "dropped before")
			}
			return v.judged(crumb, has(v.told(got).Cookies, crumb), Sent, NotSent)
		}
	}
	const h = "h"
	origin := []string{h, "Access-Control-Allow-Origin:" + front}
	with := append(slices.Clone(origin), h, "Access-Control-Allow-Credentials:true")
	// readable holds an answer of /cors against one with all its headers.
	readable := func(query ...string) func(v *Visit) string {
		return func(v *Visit) string {
			v.goTo(front + "/page")
			return v.held(nil, address(back, "/cors/"+crumb, with...), address(back, "/cors/"+crumb, query...))
		}
	}
	// preflighted does so with a preflight's; the request's own has them all.
	preflighted := func(status string, lines ...string) func(v *Visit) string {
		return func(v *Visit) string {
			v.goTo(front + "/page")
			ask := func(lines []string, query ...string) string {
				for _, line := range lines {
					query = append(query, "p", line)
				}
				return address(back, "/cors/"+crumb, append(query, with...)...)
			}
			return v.held(put, ask(granting), ask(lines, "s", status))
		}
	}
	without := func(name string) []string {
		return slices.DeleteFunc(slices.Clone(granting), func(line string) bool { return strings.HasPrefix(line, name+":") })
	}
	const flights = "https://fetch.spec.whatwg.org/#cors-preflight-fetch"
	const checks = "https://fetch.spec.whatwg.org/#concept-cors-check"
	return []Behaviour{
		{"preflight-credentials", group, "cookies on a preflight, and on its request", flights, func(v *Visit) string {
			v.goTo(front + "/page")
			v.calls(nil, setting(back, crumb+"=1"+part), call{back + "/cookies", map[string]any{"headers": map[string]any{"X-Asked": "1"}}})
			on := map[bool]string{}
			for _, e := range v.exchanges() {
				if e.Path == "/cookies" && e.Origin == v.real(back) {
					on[e.Preflight] = fmt.Sprint(len(v.own(e.Request.Cookies)))
				}
			}
			if on[true] == "" {
				return "no preflight was made"
			}
			return fmt.Sprintf("%s on the preflight, %s on the request", on[true], orNone(on[false]))
		}, withhold("Access-Control-Allow-Headers", "Access-Control-Allow-Origin")},
		{"credentials-include", group, "fetch with credentials: include", modes, credentials("include"), noCookies},
		{"credentials-same-origin", group, "fetch with credentials: same-origin", modes, credentials("same-origin"), noCookies},
		{"credentials-omit", group, "fetch with credentials: omit", modes, credentials("omit"), noCookies},
		{"cors-no-origin", cors, "no Access-Control-Allow-Origin", checks, readable(h, "Access-Control-Allow-Credentials:true"), permitted},
		{"cors-wildcard", cors, "Access-Control-Allow-Origin: * with credentials", checks, readable(h, "Access-Control-Allow-Origin:*", h, "Access-Control-Allow-Credentials:true"), permitted},
		{"cors-other-origin", cors, "Access-Control-Allow-Origin of another", checks, readable(h, "Access-Control-Allow-Origin:"+third, h, "Access-Control-Allow-Credentials:true"), permitted},
		{"cors-no-credentials", cors, "no Access-Control-Allow-Credentials", checks, readable(origin...), permitted},
		{"cors-preflight-no-origin", preflight, "no Access-Control-Allow-Origin", flights, preflighted("204", without(allowOrigin)...), permitted},
		{"cors-preflight-wildcard", preflight, "Access-Control-Allow-Origin: * with credentials", flights, preflighted("204", append(without(allowOrigin), allowOrigin+":*")...), permitted},
		{"cors-preflight-no-credentials", preflight, "no Access-Control-Allow-Credentials", flights, preflighted("204", without(allowCredentials)...), permitted},
		{"cors-preflight-no-header", preflight, "a request header that is not allowed", flights, preflighted("204", without(allowHeaders)...), permitted},
		{"cors-preflight-any-header", preflight, "Access-Control-Allow-Headers: * with credentials", flights, preflighted("204", append(without(allowHeaders), allowHeaders+":*")...), permitted},
		{"cors-preflight-no-method", preflight, "a method that is not allowed", flights, preflighted("204", without(allowMethods)...), permitted},
		{"cors-preflight-status", preflight, "answered 404", flights, preflighted("404", granting...), permitted},
		{"cors-preflight-redirect", preflight, "answered by a redirect", flights, preflighted("307", append(slices.Clone(granting), "Location:/cookies")...), permitted},
	}
}

func orNone(s string) string {
	if s == "" {
		return "no answer"
	}
	return s
}

// What a preflight must be answered with for the front to PUT with a header of
// its own.
const (
	allowOrigin      = "Access-Control-Allow-Origin"
	allowCredentials = "Access-Control-Allow-Credentials"
	allowHeaders     = "Access-Control-Allow-Headers"
	allowMethods     = "Access-Control-Allow-Methods"
)

var granting = []string{allowOrigin + ":" + front, allowCredentials + ":true", allowHeaders + ":X-Asked", allowMethods + ":PUT"}

// put is what takes a preflight.
var put = map[string]any{"method": http.MethodPut, "headers": map[string]any{"X-Asked": "1"}}

// held says whether the page may read what comes of a call, once it has read
// another that lacks nothing.
func (v *Visit) held(how map[string]any, whole, to string) string {
	got := v.calls(nil, call{whole, how}, call{to, how})
	switch {
	case !got[0].Read:
		return "refused even where nothing is lacking"
	case got[1].Read:
		return Allowed
	}
	return Refused
}

// permitted lets the front read everything.
func permitted(res *http.Response) {
	for _, line := range granting {
		name, value, _ := strings.Cut(line, ":")
		res.Header.Set(name, value)
	}
	if edge.IsPreflight(res.Request) {
		res.StatusCode = http.StatusNoContent
		res.Header.Del("Location")
	}
}
