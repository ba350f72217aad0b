// Package headroom says how near an application's cookies and headers come to
// the limits of browsers and of Vercel's edge. Beyond a limit a browser drops a
// cookie without a word, or the edge refuses every request: a session is lost
// that nobody broke. It is pure: it reads a trace and judges nothing but size.
package headroom

import (
	"fmt"
	"strings"

	"golang.org/x/net/publicsuffix"

	"crossing/harness/trace"
)

// Limits, by their slugs.
const (
	Cookie           = "cookie"
	Attribute        = "attribute"
	PartitionBytes   = "partition-bytes"
	PartitionCookies = "partition-cookies"
	DomainCookies    = "domain-cookies"
	Header           = "header"
	Headers          = "headers"
)

// limit is one of them, its source beside it.
type limit struct {
	slug, title, unit, whose string
	most                     int
}

// cookieLimit is beyond what a browser drops a cookie.
const cookieLimit = 4096

var limits = []limit{
	// RFC 6265bis, section 5.6: a longer name and value, together, abort the
	// line; a longer attribute value has the attribute ignored.
	{Cookie, "a cookie's name and value", "bytes", "browsers (RFC 6265bis, section 5.6)", cookieLimit},
	{Attribute, "a cookie attribute's value", "bytes", "browsers (RFC 6265bis, section 5.6)", 1024},
	// Chromium, net/cookies/cookie_monster.cc: the oldest are thrown out. The
	// CHIPS explainer proposes the same for all.
	{PartitionBytes, "a site's cookies in one partition", "bytes", "Chromium (kPerPartitionDomainMaxCookieBytes)", 10 << 10},
	{PartitionCookies, "a site's cookies in one partition", "cookies", "Chromium (kPerPartitionDomainMaxCookies)", 180},
	{DomainCookies, "a site's cookies without a partition", "cookies", "Chromium (kDomainMaxCookies)", 180},
	// Vercel's documentation, error REQUEST_HEADER_TOO_LARGE: answered 494.
	{Header, "a request's longest header line", "bytes", "Vercel's edge (494 REQUEST_HEADER_TOO_LARGE)", 16 << 10},
	{Headers, "a request's header lines together", "bytes", "Vercel's edge (494 REQUEST_HEADER_TOO_LARGE)", 32 << 10},
}

// Use is how much of one limit was used at most.
type Use struct {
	Limit string `json:"limit"`
	Title string `json:"title"`
	Used  int    `json:"used"`
	Of    int    `json:"of"`
	// Unit is "bytes" or "cookies".
	Unit string `json:"unit"`
	// What came nearest: a cookie's name, a request. Empty: nothing was seen.
	What  string `json:"what,omitempty"`
	Whose string `json:"whose"`
}

// Near says that half of the limit is used, Reached that there is none left.
func (u Use) Near() bool { return 2*u.Used >= u.Of }

// Reached see Near.
func (u Use) Reached() bool { return u.Used >= u.Of }

// Share is the part that is used, 1 for all.
func (u Use) Share() float64 { return float64(u.Used) / float64(u.Of) }

// String tells it in one line: "a cookie's name and value: 136 of 4096 bytes
// (3 %), session; the limit of browsers (RFC 6265bis, section 5.6)".
func (u Use) String() string {
	text := fmt.Sprintf("%s: %d of %d %s (%.0f %%)", u.Title, u.Used, u.Of, u.Unit, 100*u.Share())
	if u.What != "" {
		text += ", " + u.What
	}
	return text + "; the limit of " + u.Whose
}

// Measure returns how much of each limit the application used at most, in the
// order of the limits. What the harness asked or set itself does not count.
func Measure(t trace.Trace) []Use {
	uses := make([]Use, len(limits))
	for i, l := range limits {
		uses[i] = Use{Limit: l.slug, Title: l.title, Of: l.most, Unit: l.unit, Whose: l.whose}
	}
	m := measure{uses}
	set := jars{}
	for _, e := range t.Exchanges {
		if !e.Outside && !strings.HasPrefix(e.Path, trace.ReservedPath) {
			m.exchange(e)
			set.exchange(e)
			m.jars(set)
		}
	}
	for _, j := range t.Jars {
		m.jar(j)
	}
	return uses
}

// Merge returns the larger use of each limit. Either may be nil.
func Merge(a, b []Use) []Use {
	merged := append([]Use{}, a...)
	for _, u := range b {
		m := measure{merged}
		if m.of(u.Limit) == nil {
			merged = append(merged, u)
			continue
		}
		m.most(u.Limit, u.Used, u.What)
	}
	return merged
}

// Nearest is the use that has the least room left; false where there is none.
func Nearest(uses []Use) (nearest Use, found bool) {
	for _, u := range uses {
		if !found || u.Share() > nearest.Share() {
			nearest, found = u, true
		}
	}
	return nearest, found
}

type measure struct{ uses []Use }

func (m measure) of(slug string) *Use {
	for i := range m.uses {
		if m.uses[i].Limit == slug {
			return &m.uses[i]
		}
	}
	return nil
}

// most notes used, where that is more than was seen before.
func (m measure) most(slug string, used int, what string) {
	if u := m.of(slug); used > u.Used {
		u.Used, u.What = used, what
	}
}

func (m measure) exchange(e trace.Exchange) {
	request := fmt.Sprintf("%s %s%s", e.Method, e.Origin, e.Path)
	m.most(Headers, e.Request.HeaderBytes, request)
	m.most(Header, e.Request.Largest.Bytes, e.Request.Largest.Name+" of "+request)
	for _, c := range e.Response.SetCookies {
		m.most(Cookie, c.PairBytes, c.Name)
		m.most(Attribute, c.AttributeBytes, c.Name)
	}
	for _, c := range e.Request.Cookies {
		m.most(Cookie, c.Bytes, c.Name)
	}
}

// jar counts what a browser shows of its store.
func (m measure) jar(j trace.Jar) {
	shown := jars{}
	for i, c := range j.Cookies {
		if !strings.HasPrefix(c.Path+"/", trace.ReservedPath) {
			shown.put(store{registrable(c.Domain), c.PartitionKey}, fmt.Sprint(i), c.Bytes)
		}
	}
	m.jars(shown)
}

func (m measure) jars(all jars) {
	for s, cookies := range all {
		if s.partition == "" {
			m.most(DomainCookies, len(cookies), s.domain)
			continue
		}
		bytes := 0
		for _, n := range cookies {
			bytes += n
		}
		what := s.domain + " under " + s.partition
		m.most(PartitionBytes, bytes, what)
		m.most(PartitionCookies, len(cookies), what)
	}
}

// store is what Chromium limits as one: a registrable domain's cookies, apart
// for each top-level site. Without a partition, that is empty.
type store struct{ domain, partition string }

// jars are the bytes of each cookie, by store and by what tells it from others.
type jars map[store]map[string]int

func (j jars) put(s store, cookie string, bytes int) {
	if j[s] == nil {
		j[s] = map[string]int{}
	}
	j[s][cookie] = bytes
}

// exchange keeps what an answer sets, as a browser would that has no limit but
// that of one cookie: what a limit pushes out is no longer in the browser's own
// jar by the time that it is looked at. A page that is asked by no other counts
// as the top-level site itself.
func (j jars) exchange(e trace.Exchange) {
	own := registrable(host(e.Origin))
	page := own
	if e.PageOrigin != "" && e.PageOrigin != "null" {
		page = registrable(host(e.PageOrigin))
	}
	for _, c := range e.Response.SetCookies {
		s := store{own, ""}
		if c.Partitioned {
			s.partition = "https://" + page
		}
		id := strings.Join([]string{c.Name, c.Domain, c.Path, e.Origin}, " ")
		switch {
		case c.Removes():
			delete(j[s], id)
		case c.PairBytes <= cookieLimit:
			j.put(s, id, c.PairBytes)
		}
	}
}

func host(origin string) string {
	_, host, _ := strings.Cut(origin, "://")
	return host
}

// registrable is the domain by which stores count, or the host itself where it
// has none above it.
func registrable(host string) string {
	if domain, err := publicsuffix.EffectiveTLDPlusOne(strings.TrimPrefix(host, ".")); err == nil {
		return domain
	}
	return host
}
