package diagnose

import (
	"fmt"
	"strings"
)

// The attribute rules judge the very Set-Cookie text, since every status code
// is 200, and name a fault only where the cookie never came back.

func sameSite(s *scene) (*Finding, string) {
	if !s.crossSite() {
		return nil, "frontend and auth service are one site"
	}
	l, f, how := s.lostCookie(func(l setLine) bool { return s.sameSiteFlaw(l) })
	if f == nil {
		return nil, s.unless(how, "Set-Cookie says SameSite=None", func(l setLine) bool { return strings.EqualFold(l.SameSite, "none") })
	}
	says := "with SameSite=" + l.SameSite
	if l.SameSite == "" {
		says = "without SameSite, which browsers take for Lax"
	}
	f.Title = fmt.Sprintf("%s set %s %s, and a browser drops such a cookie when another site's page asked for it", l.setter(), l.Name, says)
	return f, ""
}

// sameSiteFlaw: WebKit takes an absent SameSite for None, and Firefox accepts
// it, so its absence counts only where an agreed cookie would stay.
func (s *scene) sameSiteFlaw(l setLine) bool {
	switch strings.ToLower(l.SameSite) {
	case "none":
		return false
	case "lax", "strict":
		return s.crossSite()
	}
	return s.crossSite() && !s.refusesAll()
}

func notSecure(s *scene) (*Finding, string) {
	l, f, how := s.lostCookie(func(l setLine) bool { return s.secureFlaw(l) && !loosePartition(l) })
	if f == nil {
		return nil, s.unless(how, "Set-Cookie says Secure", func(l setLine) bool { return l.Secure })
	}
	demanded := "SameSite=None"
	if prefix := prefixOf(l.Name); prefix != "" {
		demanded = "the name's prefix " + prefix
	}
	f.Title = fmt.Sprintf("%s set %s without Secure, which %s demands", l.setter(), l.Name, demanded)
	return f, ""
}

// secureFlaw: a prefix demands Secure everywhere; WebKit stores SameSite=None
// without it, so that demand counts only where an agreed cookie would stay.
func (s *scene) secureFlaw(l setLine) bool {
	return !l.Secure && (prefixOf(l.Name) != "" || (strings.EqualFold(l.SameSite, "none") && !s.refusesAll()))
}

// loosePartition: Partitioned is the reason to report, since no prefix of the
// name is.
func loosePartition(l setLine) bool { return l.Partitioned && !l.Secure && prefixOf(l.Name) == "" }

func prefixOf(name string) string {
	for _, p := range []string{"__Secure-", "__Host-"} {
		if len(name) >= len(p) && strings.EqualFold(name[:len(p)], p) {
			return p
		}
	}
	return ""
}

func partitionedWithoutSecure(s *scene) (*Finding, string) {
	l, f, how := s.lostCookie(func(l setLine) bool { return loosePartition(l) && !s.refusesAll() })
	if f == nil {
		return nil, s.unless(how, "Set-Cookie says Secure", func(l setLine) bool { return l.Secure })
	}
	f.Title = fmt.Sprintf("%s set %s with Partitioned but without Secure, and browsers drop such a cookie without a word", l.setter(), l.Name)
	return f, ""
}

func hostPrefix(s *scene) (*Finding, string) {
	l, f, how := s.lostCookie(hostPrefixFlaw)
	if f == nil {
		return nil, s.unless(how, "the name has no prefix __Host-", func(l setLine) bool { return prefixOf(l.Name) != "__Host-" })
	}
	says := "Domain=" + l.Domain
	if l.Domain == "" {
		says = "Path=" + l.Path
	}
	f.Title = fmt.Sprintf("%s set %s with %s, which the name's prefix __Host- forbids", l.setter(), l.Name, says)
	return f, ""
}

func hostPrefixFlaw(l setLine) bool {
	return prefixOf(l.Name) == "__Host-" && (l.Domain != "" || l.Path != "/")
}

func foreignDomain(s *scene) (*Finding, string) {
	l, f, how := s.lostCookie(domainFlaw)
	if f == nil {
		return nil, s.unless(how, "Set-Cookie names no other host's Domain", func(l setLine) bool { return !domainFlaw(l) })
	}
	why := "is not a parent of " + hostOf(l.by.Origin)
	if publicSuffix(l.Domain) {
		why = "is a public suffix, which belongs to nobody"
	}
	f.Title = fmt.Sprintf("%s set %s with Domain=%s, which %s", l.setter(), l.Name, l.Domain, why)
	return f, ""
}

func domainFlaw(l setLine) bool {
	if l.Domain == "" || prefixOf(l.Name) == "__Host-" {
		return false
	}
	return !domainMatches(hostOf(l.by.Origin), l.Domain) || publicSuffix(l.Domain)
}

func wrongPath(s *scene) (*Finding, string) {
	l, f, how := s.lostCookie(s.pathFlaw)
	if f == nil {
		return nil, s.unless(how, "the cookie's Path covers "+s.t.Subject.Paths.Session, func(l setLine) bool { return !s.pathFlaw(l) })
	}
	f.Title = fmt.Sprintf("%s set %s with Path=%s, which does not cover %s", l.setter(), l.Name, pathOf(l), s.t.Subject.Paths.Session)
	if j, _, in := s.jarWith(l); in {
		f.Evidence = append(f.Evidence, "the jar \""+j.Label+"\" holds it")
	}
	return f, ""
}

func (s *scene) pathFlaw(l setLine) bool {
	return prefixOf(l.Name) != "__Host-" && !pathMatches(s.t.Subject.Paths.Session, pathOf(l))
}

func pathOf(l setLine) string {
	if strings.HasPrefix(l.Path, "/") {
		return l.Path
	}
	return defaultPath(l.by.Path)
}

// flawless: nothing in the line itself makes a browser drop it, or keep it
// from the calls that need it.
func (s *scene) flawless(l setLine) bool {
	lacksPartition := s.crossSite() && s.t.Subject.Cookie.Partitioned && !l.Partitioned
	return !lacksPartition && !s.sameSiteFlaw(l) && !s.secureFlaw(l) && !loosePartition(l) &&
		!hostPrefixFlaw(l) && !domainFlaw(l) && !s.pathFlaw(l)
}
