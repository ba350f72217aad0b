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
		return v.judged(name, has(v.receives(nil, to, setting(to, name+line)), name), Kept, Dropped)
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
			return document.cookie.split('; ').includes(line.split(';')[0]) ? 'kept' : 'dropped'
		}`
		var outcome string
		v.eval(v.frame(0), script, address(back, "/line", "c", crumb+"=1"+line), &outcome)
		return outcome
	}
}

// byDocument: a frame's own document sets it, and its script asks.
func byDocument(line string) func(v *Visit) string {
	return func(v *Visit) string {
		v.goTo(address(front, "/page", "frame", address(back, "/set", "c", crumb+"=1"+line)))
		return v.judged(crumb, has(v.receives(v.frame(0), back), crumb), Kept, Dropped)
	}
}

func thirdParty() []Behaviour {
	const group = thirdParties
	return []Behaviour{
		{"third-party-http", group, "set by the answer to a fetch", sending, byHTTP(crumb, "=1"+none), noCookies},
		{"third-party-script", group, "set by script in a frame", storing, byScript(none), withhold("X-Line")},
		{"third-party-frame", group, "set by a frame's document", storing, byDocument(none), noCookies},
		{"third-party-visited", group, "set on its own site, sent from another's page", sending, func(v *Visit) string {
			v.goTo(address(back, "/set", "c", crumb+"=1"+none))
			v.goTo(front + "/page")
			return v.judged(crumb, has(v.receives(nil, back), crumb), Sent, NotSent)
		}, noCookies},
		{"third-party-elsewhere", group, "set under one site, sent under another", sending, func(v *Visit) string {
			v.goTo(front + "/page")
			kept := has(v.receives(nil, back, setting(back, crumb+"=1"+none)), crumb)
			v.goTo(third + "/page")
			there := has(v.receives(nil, back), crumb)
			if !kept && !there {
				return v.judged(crumb, false, "", Dropped)
			}
			return v.judged(crumb, there, Sent, NotSent)
		}, noCookies},
	}
}

func partitions() []Behaviour {
	const group = partitionedCookie
	const plain, partitioned = crumb + "=plain" + none, crumb + "=partitioned" + part
	set := func(v *Visit) bool {
		v.goTo(front + "/page")
		return has(v.receives(nil, back, setting(back, crumb+"=1"+part)), crumb)
	}
	// under says whether what was kept under the front is sent under top.
	under := func(top string) func(v *Visit) string {
		return func(v *Visit) string {
			if !set(v) {
				return v.judged(crumb, false, "", Dropped)
			}
			v.goTo(top + "/page")
			return v.judged(crumb, has(v.receives(nil, back), crumb), Sent, NotSent)
		}
	}
	return []Behaviour{
		{"partitioned-http", group, "set by the answer to a fetch", chipsSet, byHTTP(crumb, "=1"+part), noCookies},
		{"partitioned-script", group, "set by document.cookie in a frame", wptChips, byScript(part), withhold("X-Line")},
		{"partitioned-cookiestore", group, "set by CookieStore in a frame", "https://cookiestore.spec.whatwg.org/#CookieStore-set", func(v *Visit) string {
			v.goTo(address(front, "/page", "frame", back+"/page"))
			const script = `async to => {
				const name = (await fetch(to)).headers.get('X-Line')
				if (!name) return 'never offered by the site'
				if (!self.cookieStore) return 'no such API'
				try { await cookieStore.set({name, value: '1', sameSite: 'none', partitioned: true}) } catch (e) { return 'refused: ' + e.name }
				return await cookieStore.get(name) ? 'kept' : 'dropped'
			}`
			var outcome string
			v.eval(v.frame(0), script, address(back, "/line", "c", crumb), &outcome)
			return outcome
		}, withhold("X-Line")},
		{"partitioned-subdomain", group, "under a subdomain of the same top-level site", chipsKey, under(sister), noCookies},
		{"partitioned-elsewhere", group, "under another top-level site", chipsSend, under(third), noCookies},
		{"partitioned-own-site", group, "as first party, after it was set within another's page", chipsSend, under(back), noCookies},
		{"partitioned-top-level", group, "set on its own site, on its own site", chipsKey, firstParty(crumb, "=1"+part), noCookies},
		{"partitioned-same-name", group, "beside a plain one of the same name, on its own site", chipsSame, func(v *Visit) string {
			v.goTo(back + "/page")
			var values []string
			for _, c := range v.receives(nil, back, setting(back, plain), setting(back, partitioned)) {
				values = append(values, strings.TrimPrefix(c, crumb+"="))
			}
			return v.judged(crumb, len(values) > 1, fmt.Sprintf("both kept, %s first", first(values)), "one kept: "+first(values))
		}, noCookies},
		{"partitioned-delete", group, "deleting a plain one of the same name", chipsSame, func(v *Visit) string {
			v.goTo(back + "/page")
			left := v.receives(nil, back, setting(back, plain), setting(back, partitioned), setting(back, crumb+"="+none+"; Max-Age=0"))
			return v.judged(crumb, has(left, crumb), "the partitioned one stays", "both are gone")
		}, noCookies},
		{"partitioned-delete-own", group, "deleting the Partitioned one beside a plain one", chipsSame, func(v *Visit) string {
			v.goTo(back + "/page")
			left := v.receives(nil, back, setting(back, plain), setting(back, partitioned), setting(back, crumb+"="+part+"; Max-Age=0"))
			return v.judged(crumb, has(left, crumb), "the plain one stays", "both are gone")
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
	const group, own = elsewhere, ownSite
	return []Behaviour{
		{"samesite-absent", group, "no SameSite", rfc + "5.6.7", byHTTP(crumb, "=1; Path=/; Secure"), noCookies},
		{"samesite-lax", group, "SameSite=Lax", storing, byHTTP(crumb, "=1; Path=/; Secure; SameSite=Lax"), noCookies},
		{"samesite-strict", group, "SameSite=Strict", storing, byHTTP(crumb, "=1; Path=/; Secure; SameSite=Strict"), noCookies},
		{"samesite-lax-partitioned", group, "SameSite=Lax; Partitioned", storing, byHTTP(crumb, "=1; Path=/; Secure; SameSite=Lax; Partitioned"), noCookies},
		{"samesite-strict-partitioned", group, "SameSite=Strict; Partitioned", storing, byHTTP(crumb, "=1; Path=/; Secure; SameSite=Strict; Partitioned"), noCookies},
		{"samesite-absent-partitioned", group, "Partitioned without SameSite", rfc + "5.6.7", byHTTP(crumb, "=1; Path=/; Secure; Partitioned"), noCookies},
		{"none-insecure", group, "SameSite=None without Secure", storing, byHTTP(crumb, "=1; Path=/; SameSite=None"), noCookies},
		{"partitioned-insecure", group, "Partitioned without Secure", chips + "partitioned-requires-secure", byHTTP(crumb, "=1; Path=/; SameSite=None; Partitioned"), noCookies},
		{"host-prefix-partitioned", group, "__Host-, Partitioned", rfc + "4.1.3.2", byHTTP("__Host-"+crumb, "=1"+part), noCookies},
		{"public-suffix-plain", group, "an ordinary cookie, by b.vercel.app for a.vercel.app", "https://publicsuffix.org/list/", across(vercelA, vercelB, crumb, "=1"+none), noCookies},
		{"public-suffix-partitioned", group, "a Partitioned cookie, by b.vercel.app for a.vercel.app", "https://publicsuffix.org/list/", across(vercelA, vercelB, crumb, "=1"+part), noCookies},
		{"host-prefix", own, "__Host-, as it must be", rfc + "4.1.3.2", firstParty("__Host-"+crumb, "=1; Path=/; Secure"), noCookies},
		{"host-prefix-domain", own, "__Host- with Domain", rfc + "4.1.3.2", firstParty("__Host-"+crumb, "=1; Path=/; Secure; Domain=auth.anchor-back.net"), noCookies},
		{"host-prefix-path", own, "__Host- with another Path", rfc + "4.1.3.2", firstParty("__Host-"+crumb, "=1; Path=/cookies; Secure"), noCookies},
		{"host-prefix-insecure", own, "__Host- without Secure", rfc + "4.1.3.2", firstParty("__Host-"+crumb, "=1; Path=/"), noCookies},
		{"secure-prefix", own, "__Secure-, as it must be", rfc + "4.1.3.1", firstParty("__Secure-"+crumb, "=1; Path=/; Secure; Domain=anchor-back.net"), noCookies},
		{"secure-prefix-insecure", own, "__Secure- without Secure", rfc + "4.1.3.1", firstParty("__Secure-"+crumb, "=1; Path=/"), noCookies},
		{"domain-registrable", own, "Domain of the registrable domain", storing, firstParty(crumb, "=1; Path=/; Secure; Domain=anchor-back.net"), noCookies},
		{"domain-public-suffix", own, "Domain of a public suffix (vercel.app)", "https://publicsuffix.org/list/", func(v *Visit) string {
			v.goTo(vercelA + "/page")
			there := v.receives(nil, vercelA, setting(vercelA, crumb+"=1; Path=/; Secure; Domain=vercel.app"))
			return v.judged(crumb, has(there, crumb), Kept, Dropped)
		}, noCookies},
		{"public-suffix-sites", own, "two hosts of one public suffix, to each other", "https://html.spec.whatwg.org/multipage/browsers.html#same-site", func(v *Visit) string {
			v.goTo(vercelA + "/page")
			site := v.told(v.calls(nil, asking(vercelB))).Site
			if site == "" {
				return "not told by Sec-Fetch-Site"
			}
			return site
		}, withhold("Access-Control-Allow-Origin")},
	}
}
