package lint

import (
	"fmt"
	"strings"

	"golang.org/x/net/publicsuffix"

	"crossing/harness/trace"
)

// largest is the size in bytes above which browsers refuse a cookie (RFC
// 6265bis, section 5.6: name and value together).
const largest = 4096

// cookie judges the very Set-Cookie text of every sign-in and sign-up.
func cookie(a *Answers) outcome {
	var o outcome
	said := ""
	for _, x := range append(a.all(qSignUp), a.all(qSignIn)...) {
		if !x.ok() {
			continue
		}
		lines := a.lines(x)
		if len(lines) == 0 && x.Question == qSignIn {
			o.find("cookie-not-set", x.To, fmt.Sprintf("the sign-in's answer of %s sets no cookie %s", x.who(), a.Subject.Cookie.Name), x.line(), setNames(x))
		}
		if len(lines) > 1 {
			o.find("cookie-set-twice", x.To, x.who()+" sets "+lines[0].Name+" twice in one answer", x.line(), "Set-Cookie: "+lines[0].Line, "Set-Cookie: "+lines[1].Line)
		}
		for _, l := range lines {
			o.line(a, x, l)
			said = strings.Replace(l.Line, l.Digest, "…", 1)
		}
	}
	if said == "" && len(o.findings) == 0 {
		return unable("nobody could be signed in")
	}
	o.said = said
	return o
}

func setNames(x Answer) string {
	var set []string
	for _, l := range x.Response.SetCookies {
		set = append(set, l.Name)
	}
	if len(set) == 0 {
		return "no Set-Cookie at all"
	}
	return "Set-Cookie of " + list(set) + " only"
}

// line judges one Set-Cookie line against the contract and against what every
// browser demands.
func (o *outcome) line(a *Answers, x Answer, l trace.SetCookie) {
	agreed, sub := a.Subject.Cookie, a.Subject
	find := func(cause, says string, args ...any) {
		title := fmt.Sprintf("%s sets %s %s", x.who(), l.Name, fmt.Sprintf(says, args...))
		o.find(cause, x.To, title, x.line(), "Set-Cookie: "+l.Line)
	}
	if l.Name != agreed.Name {
		find("cookie-name-differs", "where %s was agreed", agreed.Name)
	}
	crossSite := site(sub.Origins.Frontend) != site(sub.Origins.Auth)
	switch {
	case crossSite && l.SameSite == "":
		find("cookie-samesite", "without SameSite, which browsers take for Lax, and drop it when another site's page asked for it")
	case crossSite && !strings.EqualFold(l.SameSite, "None"):
		find("cookie-samesite", "with SameSite=%s, and a browser drops such a cookie when another site's page asked for it", l.SameSite)
	case !crossSite && agreed.SameSite != "" && l.SameSite != "" && !strings.EqualFold(l.SameSite, agreed.SameSite):
		find("cookie-samesite", "with SameSite=%s, where %s was agreed", l.SameSite, agreed.SameSite)
	}
	switch {
	case !l.Secure && l.Partitioned:
		find("cookie-partitioned-without-secure", "with Partitioned but without Secure, and browsers drop such a cookie without a word")
	case !l.Secure:
		find("cookie-not-secure", "without Secure, which SameSite=None and the prefix of a name demand")
	}
	if agreed.Partitioned && !l.Partitioned {
		find("cookie-not-partitioned", "without Partitioned, and a browser that blocks third-party cookies keeps none without it")
	}
	if agreed.HTTPOnly && !l.HTTPOnly {
		find("cookie-readable", "without HttpOnly, so that every script of a page can read it")
	}
	if l.Bytes > largest {
		find("cookie-too-large", "in %d bytes, and browsers refuse more than %d", l.Bytes, largest)
	}
	o.place(a, x, l, find)
	o.lifetime(a, l, find)
}

type finder func(cause, says string, args ...any)

// place judges Domain and Path.
func (o *outcome) place(a *Answers, x Answer, l trace.SetCookie, find finder) {
	host := strings.TrimPrefix(a.Subject.Origins.Auth, "https://")
	domain := strings.ToLower(strings.TrimPrefix(l.Domain, "."))
	switch {
	case strings.HasPrefix(l.Name, "__Host-") && (l.Domain != "" || l.Path != "/"):
		find("cookie-prefix", "with Domain=%s, Path=%s, which the name's prefix __Host- forbids", l.Domain, l.Path)
	case domain == "":
	case suffix(domain):
		find("cookie-domain", "with Domain=%s, which is a public suffix, which belongs to nobody", l.Domain)
	case domain != host && !strings.HasSuffix(host, "."+domain):
		find("cookie-domain", "with Domain=%s, which is not a parent of %s", l.Domain, host)
	default:
		find("cookie-domain", "with Domain=%s: every host below it gets the session, and beside a cookie of the host alone both are sent", l.Domain)
	}
	for _, path := range []string{a.Subject.Paths.Session, a.Subject.Paths.Token, a.Subject.Paths.SignOut} {
		if path != "" && !covers(pathOf(x, l), path) {
			find("cookie-path", "with Path=%s, which does not cover %s", pathOf(x, l), path)
			return
		}
	}
}

func (o *outcome) lifetime(a *Answers, l trace.SetCookie, find finder) {
	switch agreed := a.Subject.Cookie.Lifetime; {
	case agreed == 0:
	case l.MaxAge == nil && l.Expires == "":
		find("cookie-short-lived", "without Max-Age, so that it ends with the browser, where %d s were agreed", agreed)
	case l.MaxAge != nil && *l.MaxAge < agreed:
		find("cookie-short-lived", "with Max-Age=%d, where %d s were agreed", *l.MaxAge, agreed)
	}
}

func suffix(domain string) bool {
	s, _ := publicsuffix.PublicSuffix(domain)
	return s == domain
}

// site is scheme and registrable domain (HTML, "site").
func site(origin string) string {
	scheme, host, _ := strings.Cut(origin, "://")
	domain, err := publicsuffix.EffectiveTLDPlusOne(host)
	if err != nil {
		return origin
	}
	return scheme + "://" + domain
}

// pathOf is the line's Path, or the default of RFC 6265, section 5.1.4.
func pathOf(x Answer, l trace.SetCookie) string {
	if strings.HasPrefix(l.Path, "/") {
		return l.Path
	}
	if i := strings.LastIndexByte(x.Path, '/'); i > 0 {
		return x.Path[:i]
	}
	return "/"
}

// covers is RFC 6265, section 5.1.4, "path-matches".
func covers(cookie, request string) bool {
	return cookie == request || strings.HasPrefix(request, cookie) &&
		(strings.HasSuffix(cookie, "/") || request[len(cookie)] == '/')
}
