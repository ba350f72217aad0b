package behaviour

import (
	"net/http"
	"slices"
	"time"

	"crossing/harness/browser"
)

func framed() []Behaviour {
	const group = frames
	// aba is the front within the back within the front.
	aba := func(line string) func(v *Visit) string {
		return func(v *Visit) string {
			v.goTo(address(front, "/set", "c", crumb+"=1"+line))
			if !has(v.receives(nil, front), crumb) {
				return v.judged(crumb, false, "", "dropped as first party")
			}
			began := time.Now()
			v.goTo(address(front, "/page", "frame", address(back, "/page", "frame", front+"/cookies")))
			v.await(began, front, "/cookies")
			names, _ := v.received(front, "/cookies")
			return v.judged(crumb, slices.Contains(names, crumb), Sent, NotSent)
		}
	}
	siblings := func(line string) func(v *Visit) string {
		return func(v *Visit) string {
			v.goTo(address(front, "/page", "frame", back+"/page", "frame", back+"/page"))
			v.calls(v.frame(0), setting(back, crumb+"=1"+line))
			return v.judged(crumb, has(v.receives(v.frame(1), back), crumb), Sent, NotSent)
		}
	}
	const chain = chipsKey
	return []Behaviour{
		{"frame-aba-plain", group, "A within B within A: A's ordinary cookie", sending, aba(none), noCookies},
		{"frame-aba-partitioned", group, "A within B within A: A's Partitioned cookie", chain, aba(part), noCookies},
		{"frame-siblings-plain", group, "two frames of one site side by side: an ordinary cookie", sending, siblings(none), noCookies},
		{"frame-siblings-partitioned", group, "two frames of one site side by side: a Partitioned cookie", chain, siblings(part), noCookies},
	}
}

func crossings() []Behaviour {
	const group, access = "Redirects and windows", "Storage access"
	const asking = "https://privacycg.github.io/storage-access/#dom-document-requeststorageaccess"
	embedded := func(line string, via ...string) func(v *Visit) string {
		return func(v *Visit) string {
			v.goTo(front + "/page")
			to := address(back, "/set", "c", crumb+"=1"+line)
			if len(via) > 0 {
				to = address(via[0], "/to", "u", to)
			} else {
				to = address(back, "/to", "c", crumb+"=1"+line, "u", front+"/cookies")
			}
			return v.judged(crumb, has(v.receives(nil, back, call{to: to}), crumb), Kept, Dropped)
		}
	}
	return []Behaviour{
		{"redirect-embedded-to", group, "fetch of A redirects to B, which sets a Partitioned cookie", chipsKey, embedded(part, front), noCookies},
		{"redirect-embedded-from", group, "fetch of B sets a Partitioned cookie and redirects to A", chipsKey, embedded(part), noCookies},
		{"redirect-top-plain", group, "B's ordinary cookie of a top-level redirect, within A", sending, bounced(none), noCookies},
		{"redirect-top-partitioned", group, "B's Partitioned cookie of a top-level redirect, within A", chipsKey, bounced(part), noCookies},
		{"redirect-top-back", group, "A's SameSite=Strict cookie after a top-level redirect by B", rfc + "5.2", func(v *Visit) string {
			v.goTo(address(front, "/set", "c", crumb+"=1; Path=/; Secure; SameSite=Strict"))
			v.goTo(third + "/page")
			v.goTo(address(back, "/to", "u", front+"/page"))
			names, _ := v.received(front, "/page")
			return v.judged(crumb, slices.Contains(names, crumb), Sent, NotSent)
		}, noCookies},
		{"popup-plain", group, "B's ordinary cookie, set in a window that A opened, within A", sending, popup(none), noCookies},
		{"popup-partitioned", group, "B's Partitioned cookie, set in a window that A opened, within A", chipsKey, popup(part), noCookies},
		{"storage-access", access, "asked for by a frame without a gesture", asking, storageAccess(false, false), gone},
		{"storage-access-gesture", access, "asked for by a frame upon a click", asking, storageAccess(true, false), gone},
		{"storage-access-visited", access, "without a gesture, after a visit to its site with a click", asking, storageAccess(false, true), gone},
		{"storage-access-visited-gesture", access, "upon a click, after a visit to its site with a click", asking, storageAccess(true, true), gone},
	}
}

// popup: the front's page opens a window on the back, which sets a cookie; the
// page, still open, then asks the back.
func popup(line string) func(v *Visit) string {
	return func(v *Visit) string {
		v.goTo(front + "/page")
		// Its frame is asked for once the browser has its page, cookie and all.
		v.eval(nil, `to => { popup = to }`, address(back, "/set", "c", crumb+"=1"+line, "frame", back+"/cookies"), nil)
		began := time.Now()
		v.clicked(v.page, "#popup")
		v.await(began, back, "/cookies")
		return v.judged(crumb, has(v.receives(nil, back), crumb), Sent, NotSent)
	}
}

// bounced: a top-level visit to the back, which sets a cookie and redirects to
// the front, whose page then asks the back.
func bounced(line string) func(v *Visit) string {
	return func(v *Visit) string {
		v.goTo(third + "/page")
		v.goTo(address(back, "/to", "c", crumb+"=1"+line, "u", front+"/page"))
		return v.judged(crumb, has(v.receives(nil, back), crumb), Sent, NotSent)
	}
}

// gone leaves pages without their script.
func gone(res *http.Response) {
	res.Header.Set("Content-Security-Policy", "script-src 'none'")
}

// settled is how long the answer to a question may take: a Firefox that was not
// started here puts off by up to three seconds, at random, what it grants by
// itself (its source, StorageAccessPermissionRequest::CalculateSimulatedDelay).
func (b *Bench) settled() time.Duration {
	if b.Browser.Version().Elsewhere {
		return 5 * time.Second
	}
	return 2 * time.Second
}

// storageAccess: a frame of the back asks for its cookies, and where that is
// granted asks its site which it got. What it could get was set as first party.
func storageAccess(gesture, visited bool) func(v *Visit) string {
	return func(v *Visit) string {
		if visited {
			v.goTo(address(back, "/set", "c", crumb+"=1"+none))
			v.clicked(v.page, "#nothing")
		}
		v.goTo(address(front, "/page", "frame", back+"/page"))
		inside := v.frame(0)
		switch {
		case gesture && v.bench.Browser.Profile().Engine == browser.Firefox.Engine:
			// By Playwright's BiDi some are lost, and some frames are held to be
			// hidden (1.61, measured).
			v.do("click", func() error { return &cannot{"clicks within a cross-site frame do not arrive by its driver"} })
		case gesture:
			v.clicked(inside, "#ask")
		default:
			v.eval(inside, `() => { if (typeof ask === 'function') ask() }`, nil, nil)
		}
		// What the page's script says is waited for in the page.
		const script = `async limit => {
			if (typeof access === 'undefined') return 'no script'
			const waiting = ['no click arrived', 'asked, and not answered']
			for (const end = Date.now() + limit; waiting.includes(access) && Date.now() < end;) await new Promise(r => setTimeout(r, 20))
			return access
		}`
		var outcome string
		v.eval(inside, script, v.bench.settled().Milliseconds(), &outcome)
		if outcome != "granted" || !visited {
			return outcome
		}
		return outcome + map[bool]string{true: ", with its cookie", false: ", without its cookie"}[has(v.receives(inside, back), crumb)]
	}
}
