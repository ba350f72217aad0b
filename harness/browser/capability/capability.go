// Package capability measures what a browser really does with third-party
// cookies, by the very sites of the application and with controls: versions
// and flags are no evidence. The edge answers under a reserved path of every
// origin, so that the application has no part in it.
package capability

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"

	"crossing/harness/browser"
	"crossing/harness/trace"
)

// The cookies that the edge sets under its reserved path.
const (
	plain       = "crossing-plain"
	partitioned = "crossing-partitioned"
)

// Seen is which of the two control cookies came back from the browser.
type Seen struct {
	// Plain is an ordinary third-party cookie (Secure; SameSite=None),
	// Partitioned one with that attribute (CHIPS).
	Plain, Partitioned bool
	// Elsewhere: the ordinary cookie was sent from a third site's page, too.
	// It is looked for only where Plain came back.
	Elsewhere bool
}

// Control sets both cookies of the auth origin from a page of the frontend's
// origin, and tells which of them the browser then sends. It leaves neither
// behind, and ends on that page.
func Control(ctx context.Context, p browser.Page, o trace.Origins) (Seen, error) {
	at := func(origin string) error {
		if err := p.Goto(ctx, origin+trace.ReservedPath+"page"); err != nil {
			return fmt.Errorf("open the control page: %w", err)
		}
		return nil
	}
	if err := at(o.Frontend); err != nil {
		return Seen{}, err
	}
	seen, err := ask(ctx, p, o.Auth, "set", "cookies")
	if err != nil {
		return Seen{}, err
	}
	if seen.Plain {
		if err := at(o.Stranger); err != nil {
			return Seen{}, err
		}
		elsewhere, err := ask(ctx, p, o.Auth, "cookies")
		if err != nil {
			return Seen{}, err
		}
		seen.Elsewhere = elsewhere.Plain
		if err := at(o.Frontend); err != nil {
			return Seen{}, err
		}
	}
	_, err = ask(ctx, p, o.Auth, "clear")
	return seen, err
}

// ask calls endpoints of the reserved path on origin, one after the other,
// with credentials, and reads which control cookies the last one received.
func ask(ctx context.Context, p browser.Page, origin string, endpoints ...string) (Seen, error) {
	const script = `async (urls) => {
		let answer;
		for (const url of urls) answer = await fetch(url, {credentials: "include", cache: "no-store"});
		const text = await answer.text();
		try { return JSON.parse(text) } catch { return {} }
	}`
	var urls []string
	for _, e := range endpoints {
		urls = append(urls, origin+trace.ReservedPath+e)
	}
	var cookies map[string]string
	if err := p.Eval(ctx, script, urls, &cookies); err != nil {
		return Seen{}, fmt.Errorf("ask %v from the control page: %w", urls, err)
	}
	return Seen{Plain: cookies[plain] != "", Partitioned: cookies[partitioned] != ""}, nil
}

// Opener opens a fresh session; keep is a folder for its profile, or "".
type Opener func(ctx context.Context, keep string) (browser.Session, error)

// Measure establishes a profile's capability. Each measurement stands beside
// a control; where a control fails, the error says which, and nothing that was
// seen may be believed. A restart is not measured where work is empty.
func Measure(ctx context.Context, open Opener, o trace.Origins, work string) (trace.Capability, error) {
	c := trace.Capability{
		ThirdParty: trace.MeasuredUnknown, Partitioned: trace.MeasuredUnknown,
		Isolated: trace.MeasuredUnknown, Restart: trace.MeasuredUnknown,
		Visited: trace.MeasuredUnknown, Storage: trace.MeasuredUnknown,
		Jar: trace.MeasuredUnknown, Keys: trace.MeasuredUnknown,
	}
	if err := measureSites(ctx, open, o, &c); err != nil {
		return c, err
	}
	if work == "" {
		return c, nil
	}
	return c, measureRestart(ctx, open, o, work, &c)
}

func measureSites(ctx context.Context, open Opener, o trace.Origins, c *trace.Capability) (err error) {
	s, err := open(ctx, "")
	if err != nil {
		return fmt.Errorf("open a session to measure: %w", err)
	}
	defer func() { err = errors.Join(err, s.Close(ctx)) }()
	p, err := s.NewPage(ctx)
	if err != nil {
		return err
	}
	if err := p.Goto(ctx, o.Frontend+trace.ReservedPath+"page"); err != nil {
		return fmt.Errorf("open the control page: %w", err)
	}
	third, err := ask(ctx, p, o.Auth, "set", "cookies")
	if err != nil {
		return err
	}
	c.ThirdParty, c.Partitioned = word(third.Plain), word(third.Partitioned)
	note(c, "set by %s within a page of %s: ordinary cookie sent back: %s; Partitioned one: %s", o.Auth, o.Frontend, c.ThirdParty, c.Partitioned)

	if err := measureJar(ctx, s, third, c); err != nil {
		return err
	}
	if third.Partitioned {
		if err := p.Goto(ctx, o.Stranger+trace.ReservedPath+"page"); err != nil {
			return fmt.Errorf("open the stranger's control page: %w", err)
		}
		elsewhere, err := ask(ctx, p, o.Auth, "cookies")
		if err != nil {
			return err
		}
		c.Isolated = word(!elsewhere.Partitioned)
		note(c, "the Partitioned one, within a page of %s: %s", o.Stranger, map[bool]string{true: "sent as well", false: "not sent"}[elsewhere.Partitioned])
	}

	// The control of it all comes after that, since a first-party visit may change
	// what tracking prevention thinks of a site: on its own site, even the
	// strictest browser keeps a cookie. If it does not, the probe is blind.
	if err := p.Goto(ctx, o.Auth+trace.ReservedPath+"page"); err != nil {
		return fmt.Errorf("open the auth origin's control page: %w", err)
	}
	first, err := ask(ctx, p, o.Auth, "set", "cookies")
	if err != nil {
		return err
	}
	if !first.Plain {
		return fmt.Errorf("the control failed: %s does not get back an ordinary cookie even on its own site, so that nothing measured of this browser can be believed", o.Auth)
	}
	return measureVisited(ctx, p, o, c)
}

// measureJar looks at what the driver shows of the jar, where one of the control
// cookies was kept. The page that is open is another site's.
func measureJar(ctx context.Context, s browser.Session, kept Seen, c *trace.Capability) error {
	if !kept.Plain && !kept.Partitioned {
		return nil
	}
	jar, err := s.Cookies(ctx)
	if err != nil {
		return fmt.Errorf("look at the jar: %w", err)
	}
	c.Jar = trace.MeasuredNo
	if kept.Partitioned {
		c.Keys = trace.MeasuredNo
	}
	for _, seen := range jar.Cookies {
		if seen.Name != plain && seen.Name != partitioned {
			continue
		}
		c.Jar = trace.MeasuredYes
		if seen.PartitionKey != "" {
			c.Keys = trace.MeasuredYes
		}
	}
	note(c, "another site's cookies in the jar that the driver shows: %s; their partition keys: %s", c.Jar, c.Keys)
	return nil
}

// measureVisited looks back, from a stranger's page, at what the auth origin
// has as first party: its ordinary cookie is there, from the control.
func measureVisited(ctx context.Context, p browser.Page, o trace.Origins, c *trace.Capability) error {
	if err := p.Eval(ctx, `() => localStorage.setItem("crossing", "first party")`, nil, nil); err != nil {
		return fmt.Errorf("the control failed: %s cannot store anything on its own site: %w", o.Auth, err)
	}
	own := o.Auth + trace.ReservedPath + "page"
	if err := p.Goto(ctx, o.Stranger+trace.ReservedPath+"page?frame="+url.QueryEscape(own)); err != nil {
		return fmt.Errorf("open the stranger's control page: %w", err)
	}
	seen, err := ask(ctx, p, o.Auth, "cookies")
	if err != nil {
		return err
	}
	c.Visited = word(seen.Plain)
	note(c, "an ordinary cookie of %s, set on its own site, within a page of %s: %s", o.Auth, o.Stranger, map[bool]string{true: "sent", false: "not sent"}[seen.Plain])
	inside, err := p.Frame(ctx, "#frame")
	if err != nil {
		return fmt.Errorf("enter the frame of %s: %w", o.Auth, err)
	}
	var stored string
	const read = `() => { try { return localStorage.getItem("crossing") || "nothing" } catch (e) { return e.name } }`
	if err := inside.Eval(ctx, read, nil, &stored); err != nil {
		return fmt.Errorf("read localStorage in the frame of %s: %w", o.Auth, err)
	}
	switch stored {
	case "nothing":
		c.Storage = trace.MeasuredYes
	case "first party":
		c.Storage = trace.MeasuredNo
	}
	note(c, "localStorage in a frame of %s there, once something was stored on its own site: %s", o.Auth, stored)
	return nil
}

// measureRestart needs a session that keeps its profile, sets cookies with a
// lifetime, ends, and is opened again.
func measureRestart(ctx context.Context, open Opener, o trace.Origins, work string, c *trace.Capability) error {
	if c.Partitioned != trace.MeasuredYes {
		note(c, "restart: not measured, since no Partitioned cookie is kept")
		return nil
	}
	keep, err := os.MkdirTemp(work, "keep-")
	if err != nil {
		return fmt.Errorf("make a folder for a kept profile: %w", err)
	}
	defer func() { _ = os.RemoveAll(keep) }()
	look := func(endpoints ...string) (seen Seen, err error) {
		s, err := open(ctx, keep)
		if err != nil {
			return Seen{}, err
		}
		defer func() { err = errors.Join(err, s.Close(ctx)) }()
		p, err := s.NewPage(ctx)
		if err != nil {
			return Seen{}, err
		}
		if err := p.Goto(ctx, o.Frontend+trace.ReservedPath+"page"); err != nil {
			return Seen{}, err
		}
		return ask(ctx, p, o.Auth, endpoints...)
	}
	before, err := look("set?max-age=3600", "cookies")
	if errors.Is(err, errors.ErrUnsupported) {
		note(c, "restart: not measured, %v", err)
		return nil
	}
	if err != nil {
		return fmt.Errorf("before a restart: %w", err)
	}
	if !before.Partitioned {
		return fmt.Errorf("the control failed: a kept profile refuses the Partitioned cookie that an ephemeral one keeps")
	}
	after, err := look("cookies")
	if err != nil {
		return fmt.Errorf("after a restart: %w", err)
	}
	c.Restart = word(after.Partitioned)
	note(c, "a Partitioned cookie with Max-Age, after a restart with a kept profile: %s", map[bool]string{true: "still sent", false: "gone"}[after.Partitioned])
	return nil
}

func note(c *trace.Capability, format string, args ...any) {
	c.Evidence = append(c.Evidence, fmt.Sprintf(format, args...))
}

func word(yes bool) string {
	if yes {
		return trace.MeasuredYes
	}
	return trace.MeasuredNo
}
