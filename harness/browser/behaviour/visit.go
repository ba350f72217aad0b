package behaviour

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"crossing/harness/browser"
	"crossing/harness/edge"
	"crossing/harness/trace"
)

// Visit is one probe's session. Its first error stands, and makes all that
// comes after it do nothing: probes read as walks, and Run looks at the end.
type Visit struct {
	ctx   context.Context
	bench *Bench
	line  *edge.Line
	rec   *trace.Recorder
	open  browser.Session
	page  browser.Page
	keep  string
	err   error
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

// goTo opens an address, which may redirect to another origin.
func (v *Visit) goTo(to string) {
	v.do("open "+to, func() error {
		err := v.page.Goto(v.ctx, to)
		if errors.Is(err, browser.ErrNotArrived) && strings.Contains(to, "/to?") {
			return nil
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
		return in.Eval(v.ctx, script, arg, out)
	})
}

// call fetches with credentials, and says whether the page may read it.
func (v *Visit) call(in browser.Scope, to string) (read bool) {
	const script = `async to => { try { await (await fetch(to, {credentials: 'include'})).text(); return true } catch { return false } }`
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
	return slices.ContainsFunc(v.rec.Snapshot().Exchanges, func(e trace.Exchange) bool {
		return slices.ContainsFunc(e.Response.SetCookies, func(c trace.SetCookie) bool { return c.Name == name })
	})
}

// received are the names of the cookies of the last request for a path of an
// origin, which may have been made by a document deep in frames.
func (v *Visit) received(origin, path string) (names []string, asked bool) {
	for _, e := range v.rec.Snapshot().Exchanges {
		if e.Origin == origin && e.Path == path && !e.Preflight {
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
		_, err := v.rec.Await(ctx, since, origin+path, func(e trace.Exchange) bool { return e.Origin == origin && e.Path == path })
		return err
	})
}

// keeping opens the session anew with a profile that is kept.
func (v *Visit) keeping() {
	v.do("keep the profile", func() (err error) {
		if err := v.open.Close(v.ctx); err != nil {
			return err
		}
		v.open = nil
		if v.keep, err = os.MkdirTemp(v.bench.work, "keep-"); err != nil {
			return err
		}
		if err = v.session(); errors.Is(err, errors.ErrUnsupported) {
			return &cannot{"under automation its profile is always ephemeral"}
		}
		return err
	})
}

// restart ends the browser and opens it with the profile that it kept.
func (v *Visit) restart() {
	v.do("restart", func() error {
		if err := v.open.Close(v.ctx); err != nil {
			return err
		}
		v.open = nil
		return v.session()
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
			if !strings.Contains(r.URL, trace.ReservedPath) {
				words = append(words, r.Reasons...)
			}
		}
		for _, e := range t.PageErrors {
			if e.Kind == trace.ErrorCORS {
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
