package page

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/publicsuffix"

	"crossing/harness/trace"
)

// setCookie is a Set-Cookie line taken apart for a reader.
type setCookie struct {
	Name   string      `json:"name"`
	Digest string      `json:"digest"`
	Line   string      `json:"line"`
	Agreed bool        `json:"agreed"` // it is the contract's cookie
	Parts  []attribute `json:"parts"`
	// Refused are the browser's own reasons not to store it.
	Refused []string `json:"refused,omitempty"`
}

// attribute is one attribute, present or missing, and what it means here.
type attribute struct {
	Name string `json:"name"`
	Text string `json:"text"`
	// Wrong says that it differs from what the contract agrees on.
	Wrong bool `json:"wrong,omitempty"`
}

// explainSet takes a Set-Cookie line of an exchange apart. What it says of
// attributes is RFC 6265bis, sections 4.1.2 and 5.7, and of partitions the
// CHIPS draft (draft-cutler-httpbis-partitioned-cookies).
func explainSet(t trace.Trace, e trace.Exchange, c trace.SetCookie) setCookie {
	out := setCookie{Name: c.Name, Digest: c.Digest, Line: cut(c.Line, mostText), Agreed: c.Name == t.Subject.Cookie.Name}
	agreed := trace.CookieContract{}
	if out.Agreed && !c.Removes() {
		agreed = t.Subject.Cookie
	}
	third := crossSite(e)
	out.Parts = []attribute{
		domain(e, c), path(c, agreed), lifetime(c, agreed), secure(c, agreed), httpOnly(c, agreed),
		sameSite(c, agreed, third), partitioned(e, c, agreed, third),
	}
	if strings.HasPrefix(c.Name, "__Host-") {
		wrong := !c.Secure || c.Domain != "" || c.Path != "/"
		out.Parts = append(out.Parts, attribute{"__Host- in the name", "demands Secure, Path=/ and no Domain", wrong})
	} else if strings.HasPrefix(c.Name, "__Secure-") {
		out.Parts = append(out.Parts, attribute{"__Secure- in the name", "demands Secure", !c.Secure})
	}
	for _, r := range t.Refusals {
		// The edge's clock and the browser's are the machine's.
		if r.Direction == "store" && r.Cookie == c.Name && strings.HasPrefix(r.URL, e.Origin+e.Path) && near(e, r.Time) {
			out.Refused = append(out.Refused, r.Reasons...)
		}
	}
	return out
}

// near says whether at lies within an exchange, or just after it.
func near(e trace.Exchange, at time.Time) bool {
	end := e.Time.Add(time.Duration(e.Millis)*time.Millisecond + time.Second)
	return at.After(e.Time) && at.Before(end)
}

func domain(e trace.Exchange, c trace.SetCookie) attribute {
	if c.Domain == "" {
		return attribute{"Domain", "absent: for " + host(e.Origin) + " alone", false}
	}
	return attribute{"Domain=" + c.Domain, "for this host and all below it", false}
}

func path(c trace.SetCookie, agreed trace.CookieContract) attribute {
	wrong := agreed.Path != "" && c.Path != agreed.Path
	name, text := "Path="+c.Path, "for paths that begin with it"
	if c.Path == "" {
		name, text = "Path", "absent: for the folder of the request's path"
	} else if c.Path == "/" {
		text = "for every path"
	}
	if wrong {
		text += "; agreed is " + agreed.Path
	}
	return attribute{name, text, wrong}
}

func lifetime(c trace.SetCookie, agreed trace.CookieContract) attribute {
	if c.Removes() {
		return attribute{"Max-Age or Expires", "in the past: the cookie is taken away", false}
	}
	if c.MaxAge == nil && c.Expires == "" {
		return attribute{"Max-Age", "absent: until the browser ends", agreed.Lifetime > 0}
	}
	if c.MaxAge == nil {
		return attribute{"Expires=" + c.Expires, "until then", false}
	}
	a := attribute{fmt.Sprintf("Max-Age=%d", *c.MaxAge), "for " + span(*c.MaxAge), agreed.Lifetime > 0 && *c.MaxAge != agreed.Lifetime}
	if a.Wrong {
		a.Text += "; agreed is " + span(agreed.Lifetime)
	}
	return a
}

// span writes seconds in the largest unit that fits.
func span(seconds int) string {
	for _, u := range []struct {
		seconds int
		name    string
	}{{86400, "days"}, {3600, "hours"}, {60, "minutes"}} {
		if seconds >= 2*u.seconds {
			return strings.TrimSuffix(fmt.Sprintf("%.1f", float64(seconds)/float64(u.seconds)), ".0") + " " + u.name
		}
	}
	return fmt.Sprintf("%d seconds", seconds)
}

func secure(c trace.SetCookie, agreed trace.CookieContract) attribute {
	if c.Secure {
		return attribute{"Secure", "sent by https alone", false}
	}
	return attribute{"Secure", "absent: sent by http, too; SameSite=None and Partitioned are refused without it", agreed.Secure}
}

func httpOnly(c trace.SetCookie, agreed trace.CookieContract) attribute {
	if c.HTTPOnly {
		return attribute{"HttpOnly", "out of reach of scripts", false}
	}
	return attribute{"HttpOnly", "absent: scripts of its site can read it", agreed.HTTPOnly}
}

func sameSite(c trace.SetCookie, agreed trace.CookieContract, third bool) attribute {
	a := attribute{"SameSite=" + c.SameSite, "sent with requests of other sites' pages, too", false}
	switch strings.ToLower(c.SameSite) {
	case "none":
	case "strict":
		a.Text = "never sent with a request that another site's page makes"
	case "lax":
		a.Text = "not sent with requests of other sites' pages, but for navigations"
	case "":
		a.Name, a.Text = "SameSite", "absent: browsers take it for Lax"
	default:
		a.Text = "unknown: browsers take it for Lax"
	}
	a.Wrong = agreed.SameSite != "" && !strings.EqualFold(c.SameSite, agreed.SameSite)
	if third && !strings.EqualFold(c.SameSite, "none") {
		a.Text += "; this request was one"
	}
	return a
}

func partitioned(e trace.Exchange, c trace.SetCookie, agreed trace.CookieContract, third bool) attribute {
	switch {
	case c.Partitioned && e.PageOrigin != "":
		return attribute{"Partitioned", "kept apart under the page's site: partition key " + Site(e.PageOrigin), false}
	case c.Partitioned:
		return attribute{"Partitioned", "kept apart by the page's site", false}
	case third:
		return attribute{"Partitioned", "absent: a third party's cookie without it is refused wherever such cookies are blocked", agreed.Partitioned}
	}
	return attribute{"Partitioned", "absent: one cookie for pages of all sites", agreed.Partitioned}
}

// crossSite says whether a page of another site asked.
func crossSite(e trace.Exchange) bool {
	return e.PageOrigin != "" && Site(e.PageOrigin) != Site(e.Origin)
}

// Site of an origin, as browsers write partition keys: scheme and registrable
// domain; the origin itself where it has none.
func Site(origin string) string {
	scheme, name, _ := strings.Cut(origin, "://")
	site, err := publicsuffix.EffectiveTLDPlusOne(host(origin))
	if err != nil {
		return scheme + "://" + name
	}
	return scheme + "://" + site
}

func host(origin string) string {
	u, err := url.Parse(origin)
	if err != nil {
		return origin
	}
	return u.Hostname()
}
