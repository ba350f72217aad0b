package behaviour

import (
	"fmt"
	"net/http"
	"strings"
)

// Sources that several behaviours share.
const (
	rfc     = "https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis-22#section-"
	storing = rfc + "5.7"
	sending = rfc + "5.8.3"
	// The editor's copy of CHIPS: the last one published lacks the ancestor bit.
	chips     = "https://github.com/explainers-by-googlers/CHIPS-spec/blob/main/draft-cutler-httpbis-partitioned-cookies.md#"
	chipsKey  = chips + "computing-the-cookie-partition-key"
	chipsSet  = chips + "using-set-cookie-with-partitioned"
	chipsSend = chips + "attaching-a-partitioned-cookie-to-a-request"
	chipsSame = chips + "partitioned-cookies-with-the-same-namedomainpath"
	chipsMany = chips + "applying-limits-to-partitioned-cookie-jars"
	wpt       = "https://github.com/web-platform-tests/wpt/blob/"
	wptChips  = wpt + "c3b6ed4aca2d314e05d9d6dca4869d2444112e26/cookies/partitioned-cookies/partitioned-cookies.tentative.https.html"
)

// The attributes of a third-party cookie, and of a partitioned one.
const (
	none = "; Path=/; Secure; SameSite=None"
	part = none + "; Partitioned"
)

// withhold takes header lines out of the site's answers.
func withhold(names ...string) func(*http.Response) {
	return func(res *http.Response) {
		for _, name := range names {
			res.Header.Del(name)
		}
	}
}

var noCookies = withhold("Set-Cookie")

// byHTTP: a page of the front asks the back, whose answer sets line, and asks
// again.
func byHTTP(name, line string) func(v *Visit) string { return across(front, back, name, line) }

// across is that for any two of the sites.
func across(from, to, name, line string) func(v *Visit) string {
	return func(v *Visit) string {
		v.goTo(from + "/page")
		v.set(nil, to, name+line)
		return v.judged(name, has(v.cookies(nil, to), name), Kept, Dropped)
	}
}

// firstParty: the back's own page asks it.
func firstParty(name, line string) func(v *Visit) string { return across(back, back, name, line) }

// byScript: a frame of the back writes line, handed to it by its site, and
// reads document.cookie in the same evaluation.
func byScript(line string) func(v *Visit) string {
	return func(v *Visit) string {
		v.goTo(address(front, "/page", "frame", back+"/page"))
		const script = `async to => {
			const line = (await fetch(to)).headers.get('X-Line')
			if (!line) return 'never offered by the site'
			document.cookie = line
			return document.cookie.split('; ').some(c => c.startsWith('c=')) ? 'kept' : 'dropped'
		}`
		var outcome string
		v.eval(v.frame(0), script, address(back, "/line", "c", "c=1"+line), &outcome)
		return outcome
	}
}

// byDocument: a frame's own document sets it, and its script asks.
func byDocument(line string) func(v *Visit) string {
	return func(v *Visit) string {
		v.goTo(address(front, "/page", "frame", address(back, "/set", "c", "c=1"+line)))
		return v.judged("c", has(v.cookies(v.frame(0), back), "c"), Kept, Dropped)
	}
}

func thirdParty() []Behaviour {
	const group = thirdParties
	return []Behaviour{
		{"third-party-http", group, "set by the answer to a fetch", sending, byHTTP("c", "=1"+none), noCookies},
		{"third-party-script", group, "set by script in a frame", storing, byScript(none), withhold("X-Line")},
		{"third-party-frame", group, "set by a frame's document", storing, byDocument(none), noCookies},
		{"third-party-visited", group, "set on its own site, sent from another's page", sending, func(v *Visit) string {
			v.goTo(address(back, "/set", "c", "c=1"+none))
			v.goTo(front + "/page")
			return v.judged("c", has(v.cookies(nil, back), "c"), Sent, NotSent)
		}, noCookies},
		{"third-party-elsewhere", group, "set under one site, sent under another", sending, func(v *Visit) string {
			v.goTo(front + "/page")
			v.set(nil, back, "c=1"+none)
			kept := has(v.cookies(nil, back), "c")
			v.goTo(third + "/page")
			there := has(v.cookies(nil, back), "c")
			if !kept && !there {
				return v.judged("c", false, "", Dropped)
			}
			return v.judged("c", there, Sent, NotSent)
		}, noCookies},
	}
}

func partitions() []Behaviour {
	const group = partitioned
	set := func(v *Visit) bool {
		v.goTo(front + "/page")
		v.set(nil, back, "c=1"+part)
		return has(v.cookies(nil, back), "c")
	}
	// under says whether what was kept under the front is sent under top.
	under := func(top string) func(v *Visit) string {
		return func(v *Visit) string {
			if !set(v) {
				return v.judged("c", false, "", Dropped)
			}
			v.goTo(top + "/page")
			return v.judged("c", has(v.cookies(nil, back), "c"), Sent, NotSent)
		}
	}
	return []Behaviour{
		{"partitioned-http", group, "set by the answer to a fetch", chipsSet, byHTTP("c", "=1"+part), noCookies},
		{"partitioned-script", group, "set by document.cookie in a frame", wptChips, byScript(part), withhold("X-Line")},
		{"partitioned-cookiestore", group, "set by CookieStore in a frame", "https://cookiestore.spec.whatwg.org/#CookieStore-set", func(v *Visit) string {
			v.goTo(address(front, "/page", "frame", back+"/page"))
			const script = `async to => {
				const line = (await fetch(to)).headers.get('X-Line')
				if (!line) return 'never offered by the site'
				if (!self.cookieStore) return 'no such API'
				try { await cookieStore.set({name: 'c', value: line, sameSite: 'none', partitioned: true}) } catch (e) { return 'refused: ' + e.name }
				return await cookieStore.get('c') ? 'kept' : 'dropped'
			}`
			var outcome string
			v.eval(v.frame(0), script, address(back, "/line", "c", "1"), &outcome)
			return outcome
		}, withhold("X-Line")},
		{"partitioned-subdomain", group, "under a subdomain of the same top-level site", chipsKey, under(sister), noCookies},
		{"partitioned-elsewhere", group, "under another top-level site", chipsSend, under(third), noCookies},
		{"partitioned-own-site", group, "as first party, after it was set within another's page", chipsSend, under(back), noCookies},
		{"partitioned-top-level", group, "set on its own site, on its own site", chipsKey, firstParty("c", "=1"+part), noCookies},
		{"partitioned-same-name", group, "beside a plain one of the same name, on its own site", chipsSame, func(v *Visit) string {
			v.goTo(back + "/page")
			v.set(nil, back, "c=plain"+none)
			v.set(nil, back, "c=partitioned"+part)
			var values []string
			for _, c := range v.cookies(nil, back) {
				values = append(values, strings.TrimPrefix(c, "c="))
			}
			return v.judged("c", len(values) > 1, fmt.Sprintf("both kept, %s first", first(values)), "one kept: "+first(values))
		}, noCookies},
		{"partitioned-delete", group, "deleting a plain one of the same name", chipsSame, func(v *Visit) string {
			v.goTo(back + "/page")
			v.set(nil, back, "c=plain"+none)
			v.set(nil, back, "c=partitioned"+part)
			v.set(nil, back, "c="+none+"; Max-Age=0")
			return v.judged("c", has(v.cookies(nil, back), "c"), "the partitioned one stays", "both are gone")
		}, noCookies},
		{"partitioned-delete-own", group, "deleting the Partitioned one beside a plain one", chipsSame, func(v *Visit) string {
			v.goTo(back + "/page")
			v.set(nil, back, "c=plain"+none)
			v.set(nil, back, "c=partitioned"+part)
			v.set(nil, back, "c="+part+"; Max-Age=0")
			return v.judged("c", has(v.cookies(nil, back), "c"), "the plain one stays", "both are gone")
		}, noCookies},
	}
}

func first(values []string) string {
	if len(values) == 0 {
		return "none"
	}
	return values[0]
}

func attributes() []Behaviour {
	const group, own = elsewhere, "Attributes, on its own site"
	return []Behaviour{
		{"samesite-absent", group, "no SameSite", rfc + "5.6.7", byHTTP("c", "=1; Path=/; Secure"), noCookies},
		{"samesite-lax", group, "SameSite=Lax", storing, byHTTP("c", "=1; Path=/; Secure; SameSite=Lax"), noCookies},
		{"samesite-strict", group, "SameSite=Strict", storing, byHTTP("c", "=1; Path=/; Secure; SameSite=Strict"), noCookies},
		{"samesite-lax-partitioned", group, "SameSite=Lax; Partitioned", storing, byHTTP("c", "=1; Path=/; Secure; SameSite=Lax; Partitioned"), noCookies},
		{"samesite-strict-partitioned", group, "SameSite=Strict; Partitioned", storing, byHTTP("c", "=1; Path=/; Secure; SameSite=Strict; Partitioned"), noCookies},
		{"samesite-absent-partitioned", group, "Partitioned without SameSite", rfc + "5.6.7", byHTTP("c", "=1; Path=/; Secure; Partitioned"), noCookies},
		{"none-insecure", group, "SameSite=None without Secure", storing, byHTTP("c", "=1; Path=/; SameSite=None"), noCookies},
		{"partitioned-insecure", group, "Partitioned without Secure", chips + "partitioned-requires-secure", byHTTP("c", "=1; Path=/; SameSite=None; Partitioned"), noCookies},
		{"host-prefix-partitioned", group, "__Host-, Partitioned", rfc + "4.1.3.2", byHTTP("__Host-c", "=1"+part), noCookies},
		{"public-suffix-plain", group, "an ordinary cookie, by b.vercel.app for a.vercel.app", "https://publicsuffix.org/list/", across(vercelA, vercelB, "c", "=1"+none), noCookies},
		{"public-suffix-partitioned", group, "a Partitioned cookie, by b.vercel.app for a.vercel.app", "https://publicsuffix.org/list/", across(vercelA, vercelB, "c", "=1"+part), noCookies},
		{"host-prefix", own, "__Host-, as it must be", rfc + "4.1.3.2", firstParty("__Host-c", "=1; Path=/; Secure"), noCookies},
		{"host-prefix-domain", own, "__Host- with Domain", rfc + "4.1.3.2", firstParty("__Host-c", "=1; Path=/; Secure; Domain=auth.anchor-back.net"), noCookies},
		{"host-prefix-path", own, "__Host- with another Path", rfc + "4.1.3.2", firstParty("__Host-c", "=1; Path=/cookies; Secure"), noCookies},
		{"host-prefix-insecure", own, "__Host- without Secure", rfc + "4.1.3.2", firstParty("__Host-c", "=1; Path=/"), noCookies},
		{"secure-prefix", own, "__Secure-, as it must be", rfc + "4.1.3.1", firstParty("__Secure-c", "=1; Path=/; Secure; Domain=anchor-back.net"), noCookies},
		{"secure-prefix-insecure", own, "__Secure- without Secure", rfc + "4.1.3.1", firstParty("__Secure-c", "=1; Path=/"), noCookies},
		{"domain-registrable", own, "Domain of the registrable domain", storing, firstParty("c", "=1; Path=/; Secure; Domain=anchor-back.net"), noCookies},
		{"domain-public-suffix", own, "Domain of a public suffix (vercel.app)", "https://publicsuffix.org/list/", func(v *Visit) string {
			v.goTo(vercelA + "/page")
			v.set(nil, vercelA, "c=1; Path=/; Secure; Domain=vercel.app")
			return v.judged("c", has(v.cookies(nil, vercelA), "c"), Kept, Dropped)
		}, noCookies},
		{"public-suffix-sites", own, "two hosts of one public suffix, to each other", "https://html.spec.whatwg.org/multipage/browsers.html#same-site", func(v *Visit) string {
			v.goTo(vercelA + "/page")
			site := v.ask(nil, vercelB, "include").Site
			if site == "" {
				return "not told by Sec-Fetch-Site"
			}
			return site
		}, withhold("Access-Control-Allow-Origin")},
	}
}
