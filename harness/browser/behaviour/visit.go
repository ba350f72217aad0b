package behaviour

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"crossing/harness/browser"
	"crossing/harness/trace"
)

// Visit is one probe's walk. Its first error stands, and makes all that comes
// after it do nothing: probes read as walks, and Run looks at the end.
//
// A probe names the canonical sites, and calls crumb what it leaves there. The
// visit goes to the sites that are its own, has what it leaves there named so that
// nothing else is, and translates all that it tells and is told.
type Visit struct {
	*stay
	ctx   context.Context
	began time.Time
	sites sites
	err   error
}

// real is a text with this visit's names.
func (v *Visit) real(text string) string { return v.sites.real(text) }

// mine says whether what was recorded of an address is this visit's.
func (v *Visit) mine(at time.Time, address string) bool {
	return !at.Before(v.began) && slices.ContainsFunc(v.sites.origins(), func(origin string) bool {
		return strings.Contains(address, origin)
	})
}

// exchanges are those of this visit.
func (v *Visit) exchanges() []trace.Exchange {
	return slices.DeleteFunc(v.rec.Snapshot().Exchanges, func(e trace.Exchange) bool { return !v.mine(e.Time, e.Origin) })
}

func (v *Visit) do(what string, f func() error) {
	if v.err != nil {
		return
	}
	if err := f(); err != nil {
		v.err = fmt.Errorf("%s: %w", what, err)
	}
}

// address of an endpoint with a query of pairs: "c", line, "frame", url.
func address(origin, path string, query ...string) string {
	q := url.Values{}
	for i := 0; i+1 < len(query); i += 2 {
		q.Add(query[i], query[i+1])
	}
	if len(q) == 0 {
		return origin + path
	}
	return origin + path + "?" + q.Encode()
}

// goTo opens an address, which may redirect to another origin. A plain page that
// is open already is left as it is: it has no state, and is the same when it is
// loaded anew.
func (v *Visit) goTo(to string) {
	v.do("open "+to, func() error {
		open := v.real(to)
		if v.open == open && strings.HasSuffix(open, "/page") {
			return nil
		}
		v.open = ""
		err := v.page.Goto(v.ctx, open)
		if errors.Is(err, browser.ErrNotArrived) && strings.Contains(to, "/to?") {
			return nil
		}
		if err == nil {
			v.open = open
		}
		return err
	})
}

// frame is the inside of a frame of the open page.
func (v *Visit) frame(n int) (inside browser.Scope) {
	v.do("enter a frame", func() (err error) {
		inside, err = v.page.Frame(v.ctx, fmt.Sprintf("#frame%d", n))
		return err
	})
	return inside
}

// eval runs a script; in nil is the page itself.
func (v *Visit) eval(in browser.Scope, script string, arg, out any) {
	v.do("evaluate", func() error {
		if in == nil {
			in = v.page
		}
		if text, is := arg.(string); is {
			arg = v.real(text)
		}
		return in.Eval(v.ctx, script, arg, out)
	})
}

// clicked presses a button of the page or a frame, as a person would.
func (v *Visit) clicked(in browser.Scope, selector string) {
	v.do("click "+selector, func() error { return in.Click(v.ctx, selector) })
}

// call is one that a page's script makes, with credentials unless how says
// otherwise, which is fetch's second argument.
type call struct {
	to  string
	how map[string]any
}

// answered is what the script may read of it.
type answered struct {
	Read bool            `json:"read"`
	Said json.RawMessage `json:"said"` // null where it was no JSON
}

// calls makes them one after the other: what waits between them is the browser
// alone.
func (v *Visit) calls(in browser.Scope, all ...call) []answered {
	const script = `async calls => {
		const all = []
		for (const [to, how] of calls) {
			const one = {read: false, said: null}
			all.push(one)
			try {
				const text = await (await fetch(to, {credentials: 'include', ...how})).text()
				one.read = true
				one.said = JSON.parse(text)
			} catch {}
		}
		return all
	}`
	var told []any
	for _, c := range all {
		how := c.how
		if how == nil {
			how = map[string]any{}
		}
		told = append(told, []any{v.real(c.to), how})
	}
	var got []answered
	v.eval(in, script, told, &got)
	if len(got) != len(all) { // where there is an error
		return make([]answered, len(all))
	}
	return got
}

// setting is a call that has an origin set cookies.
func setting(origin string, lines ...string) call {
	var query []string
	for _, line := range lines {
		query = append(query, "c", line)
	}
	return call{to: address(origin, "/set", query...)}
}

// asking is a call that has an origin tell the cookies that it receives.
func asking(origin string) call { return call{to: origin + "/cookies"} }

// receives are the cookies of this visit that an origin receives from the open
// page, in order, after the calls that are made before.
func (v *Visit) receives(in browser.Scope, origin string, before ...call) []string {
	return v.told(v.calls(in, append(before, asking(origin))...)).Cookies
}

// told is the last answer, which is of /cookies.
func (v *Visit) told(all []answered) (a answer) {
	last := all[len(all)-1]
	if !last.Read || json.Unmarshal(last.Said, &a) != nil {
		return answer{Site: "refused"}
	}
	var mine []string
	for _, c := range a.Cookies {
		name, value, _ := strings.Cut(c, "=")
		if name, own := v.sites.canonical(name); own {
			mine = append(mine, name+"="+value)
		}
	}
	a.Cookies = mine
	return a
}

func has(cookies []string, name string) bool {
	return slices.ContainsFunc(cookies, func(c string) bool { return strings.HasPrefix(c, name+"=") })
}

// judged is yes or no, once the recording shows that the site offered it.
func (v *Visit) judged(name string, there bool, yes, no string) string {
	switch {
	case v.err != nil:
		return ""
	case !v.offered(name):
		return NotOffered
	case there:
		return yes
	}
	return no
}

func (v *Visit) offered(name string) bool {
	return slices.ContainsFunc(v.exchanges(), func(e trace.Exchange) bool {
		return slices.ContainsFunc(e.Response.SetCookies, func(c trace.SetCookie) bool { return v.called(c.Name, name) })
	})
}

// called says whether a cookie is this visit's with a canonical name.
func (v *Visit) called(cookie, name string) bool {
	canonical, own := v.sites.canonical(cookie)
	return own && canonical == name
}

// own are the canonical names of a request's cookies that are this visit's.
func (v *Visit) own(all []trace.Pair) (names []string) {
	for _, c := range all {
		if name, own := v.sites.canonical(c.Name); own {
			names = append(names, name)
		}
	}
	return names
}

// received are the names of the cookies of the last request for a path of an
// origin, which may have been made by a document deep in frames.
func (v *Visit) received(origin, path string) (names []string, asked bool) {
	for _, e := range v.exchanges() {
		if e.Origin == v.real(origin) && e.Path == path && !e.Preflight {
			asked, names = true, v.own(e.Request.Cookies)
		}
	}
	return names, asked
}

// await waits until a path of an origin was asked for, after since.
func (v *Visit) await(since time.Time, origin, path string) {
	v.do("wait for "+origin+path, func() error {
		ctx, cancel := context.WithTimeout(v.ctx, 5*time.Second)
		defer cancel()
		_, err := v.rec.Await(ctx, since, origin+path, func(e trace.Exchange) bool { return e.Origin == v.real(origin) && e.Path == path })
		return err
	})
}

// telling is how long an engine's own word on a refusal may take to come,
// after the answer that it is about.
const telling = 300 * time.Millisecond

// reasons are the engine's own words, where something was refused and it has
// any: Chromium alone tells.
func (v *Visit) reasons(outcome string) []string {
	refused := outcome == Dropped || outcome == NotSent || outcome == Refused
	if v.err != nil || !refused || v.bench.Browser.Profile().Engine != browser.Chromium.Engine {
		return nil
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for limit := time.Now().Add(telling); ; <-tick.C {
		var words []string
		t := v.rec.Snapshot()
		for _, r := range t.Refusals {
			_, own := v.sites.canonical(r.Cookie)
			if own && v.mine(r.Time, r.URL) && !strings.Contains(r.URL, trace.ReservedPath) {
				words = append(words, r.Reasons...)
			}
		}
		for _, e := range t.PageErrors {
			if e.Kind == trace.ErrorCORS && v.mine(e.Time, e.Text) && strings.HasSuffix(e.Text, v.real("/"+crumb)) {
				word, _, _ := strings.Cut(e.Text, " ")
				words = append(words, word)
			}
		}
		slices.Sort(words)
		if words = slices.Compact(words); len(words) > 0 || time.Now().After(limit) {
			return words
		}
	}
}
