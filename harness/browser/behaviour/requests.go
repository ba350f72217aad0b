package behaviour

import (
	"fmt"
	"net/http"
	"slices"
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
			v.eval(nil, `() => localStorage.setItem('k', 'first party')`, nil, nil)
			v.goTo(address(front, "/page", "frame", back+"/page"))
			const script = `() => { try { return {'first party': 'shared'}[localStorage.getItem('k')] || 'apart' } catch (e) { return 'denied' } }`
			var outcome string
			v.eval(v.frame(0), script, nil, &outcome)
			return outcome
		}, sandboxed},
		{"localstorage-stays", group, "localStorage of a frame, after a reload", "https://storage.spec.whatwg.org/#storage-keys", func(v *Visit) string {
			with := address(front, "/page", "frame", back+"/page")
			v.goTo(with)
			const write = `() => { try { localStorage.setItem('k', '1'); return true } catch { return false } }`
			var wrote, read bool
			v.eval(v.frame(0), write, nil, &wrote)
			v.goTo(with)
			v.eval(v.frame(0), `() => { try { return localStorage.getItem('k') === '1' } catch { return false } }`, nil, &read)
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
				v.eval(nil, `async to => Number(await (await fetch(to)).text())`, back+"/number", &n)
				return n
			}
			v.goTo(front + "/page")
			once, twice := number(), number()
			v.goTo(third + "/page")
			there := number()
			switch {
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
	const group, cors = "Credentials", "CORS"
	const modes = "https://fetch.spec.whatwg.org/#concept-request-credentials-mode"
	credentials := func(mode string) func(v *Visit) string {
		return func(v *Visit) string {
			v.goTo(front + "/page")
			v.set(nil, back, "c=1"+part)
			if !has(v.ask(nil, back, "include").Cookies, "c") {
				return v.judged("c", false, "", "dropped before")
			}
			return v.judged("c", has(v.ask(nil, back, mode).Cookies, "c"), Sent, NotSent)
		}
	}
	const h = "h"
	origin := []string{h, "Access-Control-Allow-Origin:" + front}
	with := append(slices.Clone(origin), h, "Access-Control-Allow-Credentials:true")
	// readable holds an answer of /cors against one with all its headers.
	readable := func(query ...string) func(v *Visit) string {
		return func(v *Visit) string {
			v.goTo(front + "/page")
			if !v.call(nil, address(back, "/cors", with...)) && v.err == nil {
				return "refused even where all headers are there"
			}
			if v.call(nil, address(back, "/cors", query...)) {
				return Allowed
			}
			return Refused
		}
	}
	const checks = "https://fetch.spec.whatwg.org/#concept-cors-check"
	return []Behaviour{
		{"preflight-credentials", group, "cookies on a preflight, and on its request", "https://fetch.spec.whatwg.org/#cors-preflight-fetch", func(v *Visit) string {
			v.goTo(front + "/page")
			v.set(nil, back, "c=1"+part)
			v.eval(nil, `async to => { try { await fetch(to, {credentials: 'include', headers: {'X-Asked': '1'}}) } catch {} }`, back+"/cookies", nil)
			on := map[bool]string{}
			for _, e := range v.rec.Snapshot().Exchanges {
				if e.Path == "/cookies" && e.Origin == back {
					on[e.Preflight] = fmt.Sprint(len(e.Request.Cookies))
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
	}
}

func orNone(s string) string {
	if s == "" {
		return "no answer"
	}
	return s
}

// permitted lets the front read everything.
func permitted(res *http.Response) {
	res.Header.Set("Access-Control-Allow-Origin", front)
	res.Header.Set("Access-Control-Allow-Credentials", "true")
}
