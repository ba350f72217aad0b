package diagnose

import (
	"fmt"
	"strings"

	"crossing/harness/trace"
)

// browserRules are the faults by which a browser drops, or cannot send, a
// cookie that every status code says was set.
var browserRules = []rule{
	{CauseInfo{
		Slug: "third-party-cookies-refused", Hops: []Hop{HopBrowser},
		Means: "The browser keeps no cookie of another site, partitioned or not, and nothing stands in for the cookie.",
		Shows: "Sign-in 200 with a faultless Set-Cookie; every later call of the frontend comes without it; get-session null, token 401.",
	}, thirdPartyRefused},
	{CauseInfo{
		Slug: "cookie-not-partitioned", Hops: []Hop{HopBrowser},
		Means: "The session cookie lacks Partitioned, and the browser keeps a third-party cookie only with it.",
		Shows: "Sign-in 200; Chromium's reason is UserPreferences or ThirdPartyPhaseout; the cookie is never sent back.",
	}, notPartitioned},
	{CauseInfo{
		Slug: "cookie-samesite", Hops: []Hop{HopBrowser},
		Means: "The session cookie says SameSite=Lax or Strict, or nothing, which browsers take for Lax; set across sites it is dropped.",
		Shows: "Sign-in 200; Chromium's reason is SchemefulSameSiteLax or a like one, masked by UserPreferences where third-party cookies are blocked.",
	}, sameSite},
	{CauseInfo{
		Slug: "cookie-not-secure", Hops: []Hop{HopBrowser},
		Means: "The session cookie lacks Secure, which SameSite=None and the prefixes __Secure- and __Host- demand.",
		Shows: "Sign-in 200; Chromium's reason is InvalidPrefix or SameSiteNoneInsecure.",
	}, notSecure},
	{CauseInfo{
		Slug: "cookie-partitioned-without-secure", Hops: []Hop{HopBrowser},
		Means: "The session cookie says Partitioned without Secure.",
		Shows: "Sign-in 200; the cookie is dropped and Chromium names no reason at all.",
	}, partitionedWithoutSecure},
	{CauseInfo{
		Slug: "cookie-prefix", Hops: []Hop{HopBrowser},
		Means: "The session cookie's name begins with __Host-, which allows no Domain and no Path but /.",
		Shows: "Sign-in 200; Chromium's reason is InvalidPrefix.",
	}, hostPrefix},
	{CauseInfo{
		Slug: "cookie-domain", Hops: []Hop{HopBrowser},
		Means: "The session cookie names a Domain that is no parent of the auth service's host, or a public suffix.",
		Shows: "Sign-in 200; Chromium's reason is InvalidDomain.",
	}, foreignDomain},
	{CauseInfo{
		Slug: "cookie-path", Hops: []Hop{HopBrowser},
		Means: "The session cookie's Path does not cover the endpoint that reads it.",
		Shows: "The cookie lies in the jar and is not sent; Chromium's reason is NotOnPath, on sending.",
	}, wrongPath},
	{CauseInfo{
		Slug: "calls-without-credentials", Hops: []Hop{HopBrowser},
		Means: "The frontend calls the auth service without credentials: the browser neither stores nor sends cookies on such calls.",
		Shows: "A faultless Set-Cookie, no refusal, and calls without the cookie; Chromium leaves Sec-Fetch-Storage-Access off them.",
	}, withoutCredentials},
}

// lostCookie returns the first cookie that never came back and that fits, and
// a finding begun with the evidence for it; how says why there is none.
func (s *scene) lostCookie(fits func(setLine) bool) (l setLine, f *Finding, how string) {
	if s.bearerStands() {
		return setLine{}, nil, "the frontend used the bearer token instead of the cookie"
	}
	for _, l := range s.lines() {
		is, proof := s.fate(l)
		if is == returned {
			how = "the browser sent " + l.Name + " of " + l.by.ID + " back"
		}
		if is == withheld && fits(l) {
			return l, s.cookieFinding(l, proof), ""
		}
	}
	return setLine{}, nil, how
}

func (s *scene) cookieFinding(l setLine, proof []call) *Finding {
	f := &Finding{Instance: l.by.Instance, At: l.by.Time}
	f.Evidence = append(f.Evidence, l.by.line(), "Set-Cookie: "+l.Line)
	for _, r := range s.refusals(l) {
		f.Evidence = append(f.Evidence, fmt.Sprintf("%s refused to %s it: %s", s.browser(), r.Direction, strings.Join(r.Reasons, ", ")))
	}
	if len(proof) > 0 {
		f.Evidence = append(f.Evidence, proof[0].line()+", sent without it")
	}
	return f
}

// measured is the evidence line of the profile's capability.
func (s *scene) measured() string {
	c := s.capability()
	return fmt.Sprintf("measured of %s: keeps an ordinary third-party cookie: %s, a Partitioned one: %s", s.browser(), c.ThirdParty, c.Partitioned)
}

func (s *scene) browser() string {
	switch {
	case s.t.Browser != "":
		return s.t.Browser
	case s.t.Profile != "":
		return s.t.Profile
	}
	return "the browser"
}

func (l setLine) setter() string {
	if l.by.Instance != "" {
		return l.by.Instance
	}
	return l.by.Origin
}

func thirdPartyRefused(s *scene) (*Finding, string) {
	if !s.crossSite() {
		return nil, "frontend and auth service are one site"
	}
	c := s.capability()
	if c.ThirdParty == trace.MeasuredYes {
		return nil, s.browser() + " was measured to keep third-party cookies"
	}
	agreed := s.t.Subject.Cookie.Partitioned
	l, f, how := s.lostCookie(func(l setLine) bool {
		// The browser's general reason masks faults of the cookie's own, so it
		// counts only where the cookie has none.
		ownWord := s.refusedAsThird(l) && s.flawless(l)
		return s.refusesAll() || ownWord && (l.Partitioned || !agreed) ||
			(c.ThirdParty == trace.MeasuredNo && !agreed && !l.Partitioned && s.flawless(l))
	})
	if f == nil {
		if how == "" && c.Partitioned == trace.MeasuredYes && agreed {
			how = s.browser() + " was measured to keep Partitioned cookies"
		}
		return nil, how
	}
	kind := "no third-party cookies"
	if l.Partitioned || s.refusesAll() {
		kind = "no third-party cookies, not even Partitioned ones"
	}
	f.Title = fmt.Sprintf("%s keeps %s, so %s from %s was dropped, and the frontend used no bearer token instead",
		s.browser(), kind, l.Name, l.setter())
	f.Evidence = append(f.Evidence, s.measured())
	if l.by.Response.Get("set-auth-token") != "" {
		f.Evidence = append(f.Evidence, l.by.ID+" offered a bearer token in set-auth-token")
	}
	return f, ""
}

func notPartitioned(s *scene) (*Finding, string) {
	if !s.t.Subject.Cookie.Partitioned {
		return nil, "the contract asks for no Partitioned"
	}
	if s.refusesAll() {
		return nil, s.browser() + " was measured to drop Partitioned cookies as well"
	}
	c := s.capability()
	l, f, how := s.lostCookie(func(l setLine) bool {
		blocks := c.ThirdParty == trace.MeasuredNo && c.Partitioned == trace.MeasuredYes
		return !l.Partitioned && s.crossSite() && (blocks || s.refusedAsThird(l))
	})
	if f == nil {
		return nil, s.unless(how, "Set-Cookie says Partitioned", func(l setLine) bool { return l.Partitioned })
	}
	f.Title = fmt.Sprintf("%s set %s without Partitioned, and %s keeps no third-party cookie without it", l.setter(), l.Name, s.browser())
	f.Evidence = append(f.Evidence, s.measured())
	return f, ""
}

// unless returns how, or else text if every session cookie that was set fits.
func (s *scene) unless(how, text string, fits func(setLine) bool) string {
	if how != "" {
		return how
	}
	for _, l := range s.lines() {
		if !fits(l) {
			return ""
		}
		how = text
	}
	return how
}

// withoutCredentials is proved where the browser would keep the cookie, the
// cookie has no fault, nothing refused it, and the calls bear the mark of the
// mode: Chromium sends Sec-Fetch-Storage-Access on cross-site requests of
// credentials mode "include" only (Storage Access Headers; measured with
// Chromium 156), or the cookie lay in the jar while calls came without any.
func withoutCredentials(s *scene) (*Finding, string) {
	l, f, how := s.lostCookie(func(l setLine) bool {
		_, proof := s.fate(l)
		if !s.keepsAgreed() || !s.flawless(l) || len(s.refusals(l)) > 0 || len(proof) == 0 {
			return false
		}
		_, _, inJar := s.jarWith(l)
		if s.apart(l) {
			return false // it is sent, but from another top-level site's pages
		}
		return inJar && len(proof[0].Request.Cookies) == 0 || s.marked(l.by) && !s.marked(proof[0]) || s.unmarked(proof[0])
	})
	if f == nil {
		return nil, s.unless(how, "the calls say Sec-Fetch-Storage-Access, which browsers send with credentials only",
			func(l setLine) bool { _, p := s.fate(l); return len(p) > 0 && s.marked(p[0]) })
	}
	f.Title = fmt.Sprintf("the frontend calls %s without credentials, so %s neither stores nor sends %s", l.by.Origin, s.browser(), l.Name)
	_, proof := s.fate(l)
	if s.unmarked(proof[0]) {
		f.Evidence = append(f.Evidence, proof[0].ID+" has no Sec-Fetch-Storage-Access, which "+s.browser()+" sends with credentials")
	}
	if j, _, in := s.jarWith(l); in {
		f.Evidence = append(f.Evidence, "the jar \""+j.Label+"\" holds it")
	}
	return f, ""
}

func (s *scene) marked(c call) bool { return c.Request.Get("Sec-Fetch-Storage-Access") != "" }

// unmarked: the engine is one that marks, and this call bears no mark.
func (s *scene) unmarked(c call) bool {
	return strings.Contains(strings.ToLower(s.t.Browser+" "+s.t.Profile), "chrom") &&
		c.Request.Get("Sec-Fetch-Site") == "cross-site" && !s.marked(c)
}
