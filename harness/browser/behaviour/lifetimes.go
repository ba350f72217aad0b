package behaviour

import (
	"fmt"
	"strings"
)

func lifetimes() []Behaviour {
	const group = "Restart with a kept profile"
	const limits = "Limits of one partition"
	again := func(under, line string) func(v *Visit) string {
		return func(v *Visit) string {
			v.goTo(under + "/page")
			v.set(nil, back, "c=1"+line)
			if v.err == nil && v.offered("c") && !has(v.cookies(nil, back), "c") {
				return "dropped before the restart"
			}
			v.restart()
			v.goTo(under + "/page")
			return v.judged("c", has(v.cookies(nil, back), "c"), Kept, "gone")
		}
	}
	counted := func(n, size int) func(v *Visit) string {
		return func(v *Visit) string {
			v.goTo(front + "/page")
			value := strings.Repeat("x", size)
			// In tens: one answer's header has a limit, too.
			for i := 0; i < n; i += 10 {
				var lines []string
				for j := i; j < min(i+10, n); j++ {
					lines = append(lines, fmt.Sprintf("c%d=%s%s", j, value, part))
				}
				v.set(nil, back, lines...)
			}
			got := len(v.cookies(nil, back))
			return v.judged("c0", true, fmt.Sprintf("%d of %d kept", got, n), "")
		}
	}
	return []Behaviour{
		{"restart-session", group, "a session cookie", rfc + "5.7", again(back, "; Path=/; Secure"), noCookies},
		{"restart-max-age", group, "a cookie with Max-Age", rfc + "5.6.2", again(back, "; Path=/; Secure; Max-Age=3600"), noCookies},
		{"restart-partitioned", group, "a Partitioned cookie with Max-Age, from another site's page", rfc + "5.6.2", again(front, part+"; Max-Age=3600"), noCookies},
		{"limit-count", limits, "190 cookies of one host", chipsMany, counted(190, 1), noCookies},
		{"limit-bytes", limits, "8 cookies of 3000 bytes", chipsMany, counted(8, 3000), noCookies},
		{"limit-size", limits, "a cookie of more than 4096 bytes", rfc + "5.6", func(v *Visit) string {
			v.goTo(back + "/page")
			v.set(nil, back, "c="+strings.Repeat("x", 4096)+"; Path=/; Secure")
			return v.judged("c", has(v.cookies(nil, back), "c"), Kept, Dropped)
		}, noCookies},
		{"clear-site-data", "Clear-Site-Data", "from another site's page, for a Partitioned cookie", chips + "partitioned-cookies-and-clear-site-data", func(v *Visit) string {
			v.goTo(front + "/page")
			v.set(nil, back, "c=1"+part)
			if !has(v.cookies(nil, back), "c") {
				return v.judged("c", false, "", "dropped before")
			}
			v.call(nil, back+"/clear")
			return v.judged("c", has(v.cookies(nil, back), "c"), Kept, "cleared")
		}, noCookies},
		{"clear-site-data-elsewhere", "Clear-Site-Data", "a Partitioned cookie of one top-level site, cleared under another", chips + "partitioned-cookies-and-clear-site-data", func(v *Visit) string {
			v.goTo(front + "/page")
			v.set(nil, back, "c=1"+part)
			if !has(v.cookies(nil, back), "c") {
				return v.judged("c", false, "", "dropped before")
			}
			v.goTo(third + "/page")
			v.call(nil, back+"/clear")
			v.goTo(front + "/page")
			return v.judged("c", has(v.cookies(nil, back), "c"), Kept, "cleared")
		}, noCookies},
		{"clear-site-data-own", "Clear-Site-Data", "on its own site", "https://w3c.github.io/webappsec-clear-site-data/#clear-cookies", func(v *Visit) string {
			v.goTo(back + "/page")
			v.set(nil, back, "c=1; Path=/; Secure")
			v.call(nil, back+"/clear")
			return v.judged("c", has(v.cookies(nil, back), "c"), Kept, "cleared")
		}, noCookies},
	}
}
