package behaviour

import (
	"cmp"
	"context"
	"fmt"
	"strings"
)

// restarts are the cookies that may outlive one: the page that has them set, and
// their attributes.
var restarts = map[string]struct{ under, line string }{
	"restart-session":     {back, "; Path=/; Secure"},
	"restart-max-age":     {back, "; Path=/; Secure; Max-Age=3600"},
	"restart-partitioned": {front, part + "; Max-Age=3600"},
}

// outlives is a restart for one of them alone.
func outlives(name string) func(v *Visit) string {
	return func(v *Visit) string {
		early := v.before(name)
		v.do("restart", func() error { return v.restart(v.ctx) })
		return v.after(name, early)
	}
}

// restart is one for all of them, of the session that all behaviours share: a
// browser takes its time to end and to start.
func (b *Bench) restart(ctx context.Context) (outcomes map[string]string, err error) {
	if b.shared.keep == "" {
		return nil, &cannot{b.ephemeral()}
	}
	visits, early := map[string]*Visit{}, map[string]string{}
	for name := range restarts {
		visits[name] = b.visit(ctx, b.shared, name)
		early[name] = visits[name].before(name)
	}
	if err := b.shared.restart(ctx); err != nil {
		return nil, err
	}
	outcomes = map[string]string{}
	for name, v := range visits {
		if outcomes[name] = v.after(name, early[name]); v.err != nil {
			return nil, v.err
		}
	}
	return outcomes, nil
}

// before has a cookie set. It returns what there is to say of it already.
func (v *Visit) before(name string) string {
	v.goTo(restarts[name].under + "/page")
	kept := has(v.receives(nil, back, setting(back, crumb+"=1"+restarts[name].line)), crumb)
	if v.err == nil && v.offered(crumb) && !kept {
		return "dropped before the restart"
	}
	return ""
}

func (v *Visit) after(name, early string) string {
	v.goTo(restarts[name].under + "/page")
	return cmp.Or(early, v.judged(crumb, has(v.receives(nil, back), crumb), Kept, "gone"))
}

func lifetimes() []Behaviour {
	const group = "Restart with a kept profile"
	const limits = "Limits of one partition"
	clearing := call{to: back + "/clear"}
	counted := func(n, size int) func(v *Visit) string {
		return func(v *Visit) string {
			v.goTo(front + "/page")
			value := strings.Repeat("x", size)
			var all []call
			// In tens: one answer's header has a limit, too.
			for i := 0; i < n; i += 10 {
				var lines []string
				for j := i; j < min(i+10, n); j++ {
					lines = append(lines, fmt.Sprintf("c%d=%s%s", j, value, part))
				}
				all = append(all, setting(back, lines...))
			}
			got := len(v.receives(nil, back, all...))
			return v.judged("c0", true, fmt.Sprintf("%d of %d kept", got, n), "")
		}
	}
	return []Behaviour{
		{"restart-session", group, "a session cookie", storing, outlives("restart-session"), noCookies},
		{"restart-max-age", group, "a cookie with Max-Age", rfc + "5.6.2", outlives("restart-max-age"), noCookies},
		{"restart-partitioned", group, "a Partitioned cookie with Max-Age, from another site's page", rfc + "5.6.2", outlives("restart-partitioned"), noCookies},
		{"limit-count", limits, "190 cookies of one host", chipsMany, counted(190, 1), noCookies},
		{"limit-bytes", limits, "8 cookies of 3000 bytes", chipsMany, counted(8, 3000), noCookies},
		{"limit-size", limits, "a cookie of more than 4096 bytes", rfc + "5.6", func(v *Visit) string {
			v.goTo(back + "/page")
			there := v.receives(nil, back, setting(back, crumb+"="+strings.Repeat("x", 4096)+"; Path=/; Secure"))
			return v.judged(crumb, has(there, crumb), Kept, Dropped)
		}, noCookies},
		{"clear-site-data", "Clear-Site-Data", "from another site's page, for a Partitioned cookie", chips + "partitioned-cookies-and-clear-site-data", func(v *Visit) string {
			v.goTo(front + "/page")
			if !has(v.receives(nil, back, setting(back, crumb+"=1"+part)), crumb) {
				return v.judged(crumb, false, "", "dropped before")
			}
			return v.judged(crumb, has(v.receives(nil, back, clearing), crumb), Kept, "cleared")
		}, noCookies},
		{"clear-site-data-elsewhere", "Clear-Site-Data", "a Partitioned cookie of one top-level site, cleared under another", chips + "partitioned-cookies-and-clear-site-data", func(v *Visit) string {
			v.goTo(front + "/page")
			if !has(v.receives(nil, back, setting(back, crumb+"=1"+part)), crumb) {
				return v.judged(crumb, false, "", "dropped before")
			}
			v.goTo(third + "/page")
			v.calls(nil, clearing)
			v.goTo(front + "/page")
			return v.judged(crumb, has(v.receives(nil, back), crumb), Kept, "cleared")
		}, noCookies},
		{"clear-site-data-own", "Clear-Site-Data", "on its own site", "https://w3c.github.io/webappsec-clear-site-data/#clear-cookies", func(v *Visit) string {
			v.goTo(back + "/page")
			left := v.receives(nil, back, setting(back, crumb+"=1; Path=/; Secure"), clearing)
			return v.judged(crumb, has(left, crumb), Kept, "cleared")
		}, noCookies},
	}
}
