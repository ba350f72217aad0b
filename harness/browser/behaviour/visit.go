package behaviour

import (
	"context"
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
// A probe names the canonical sites. The visit goes to a set of its own, under
// other registrable domains, and translates all that it is told.
type Visit struct {
	*stay
	ctx   context.Context
	began time.Time
	sites sites
	err   error
}

// real is a text with the names of this visit's sites.
func (v *Visit) real(text string) string { return v.sites.real(text) }

// mine says whether what was recorded of an address is this visit's.
func (v *Visit) mine(at time.Time, address string) bool {
	return !at.Before(v.began) && slices.ContainsFunc(v.sites.own(), func(origin string) bool {
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
		switch told := arg.(type) {
		case string:
			arg = v.real(told)
		case []string:
			all := slices.Clone(told)
			for i := range all {
				all[i] = v.real(all[i])
			}
			arg = all
		}
		return in.Eval(v.ctx, script, arg, out)
	})
}

// clicked presses a button of the page or a frame, as a person would.
func (v *Visit) clicked(in browser.Scope, selector string) {
	v.do("click "+selector, func() error { return in.Click(v.ctx, selector) })
}

// call fetches with credentials, and says whether the page may read it.
func (v *Visit) call(in browser.Scope, to string) bool { return v.fetched(in, to, `{}`) }

// put does so with what takes a preflight.
func (v *Visit) put(in browser.Scope, to string) bool {
	return v.fetched(in, to, `{method: 'PUT', headers: {'X-Asked': '1'}}`)
}

func (v *Visit) fetched(in browser.Scope, to, how string) (read bool) {
	script := `async to => { try { await (await fetch(to, {credentials: 'include', ...` + how + `})).text(); return true } catch { return false } }`
	v.eval(in, script, to, &read)
	return read
}

// set has an origin set a cookie, asked by the open page.
func (v *Visit) set(in browser.Scope, origin string, lines ...string) {
	var query []string
	for _, line := range lines {
		query = append(query, "c", line)
	}
	v.call(in, address(origin, "/set", query...))
}

// cookies are those that an origin receives from the open page, in order.
func (v *Visit) cookies(in browser.Scope, origin string) []string {
	return v.ask(in, origin, "include").Cookies
}

func (v *Visit) ask(in browser.Scope, origin, credentials string) (a answer) {
	const script = `async ([to, credentials]) => { try { return await (await fetch(to, {credentials})).json() } catch (e) { return {cookies: [], site: 'refused'} } }`
	v.eval(in, script, []string{origin + "/cookies", credentials}, &a)
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
		return slices.ContainsFunc(e.Response.SetCookies, func(c trace.SetCookie) bool { return c.Name == name })
	})
}

// received are the names of the cookies of the last request for a path of an
// origin, which may have been made by a document deep in frames.
func (v *Visit) received(origin, path string) (names []string, asked bool) {
	for _, e := range v.exchanges() {
		if e.Origin == v.real(origin) && e.Path == path && !e.Preflight {
			asked, names = true, nil
			for _, c := range e.Request.Cookies {
				names = append(names, c.Name)
			}
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
			if v.mine(r.Time, r.URL) && !strings.Contains(r.URL, trace.ReservedPath) {
				words = append(words, r.Reasons...)
			}
		}
		for _, e := range t.PageErrors {
			if e.Kind == trace.ErrorCORS && v.mine(e.Time, e.Text) {
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
