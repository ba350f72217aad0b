package diagnose

import (
	"net"
	"net/url"
	"strings"
)

// suffixes are the public suffixes of two and more labels under which
// applications of this kind are hosted (publicsuffix.org, both sections). The
// whole list would be a dependency; the browser's own word, Sec-Fetch-Site,
// is preferred wherever a request carries it.
var suffixes = []string{
	"vercel.app", "now.sh", "netlify.app", "pages.dev", "workers.dev", "github.io", "gitlab.io",
	"herokuapp.com", "onrender.com", "fly.dev", "web.app", "firebaseapp.com", "azurewebsites.net",
	"cloudfront.net", "run.app", "up.railway.app", "deno.dev",
	"co.uk", "org.uk", "com.au", "co.jp", "co.nz", "co.in", "com.br",
}

// publicSuffix says whether host is a public suffix itself: a browser takes
// no cookie for it (RFC 6265bis, section 5.7 step 9).
func publicSuffix(host string) bool {
	host = strings.TrimPrefix(strings.ToLower(host), ".")
	if host == "" || host == "localhost" {
		return false
	}
	if !strings.Contains(host, ".") {
		return true
	}
	for _, s := range suffixes {
		if host == s {
			return true
		}
	}
	return false
}

// siteOf is the registrable domain of a host, or the host where it has none.
func siteOf(host string) string {
	if net.ParseIP(host) != nil || publicSuffix(host) {
		return host
	}
	for rest := host; ; {
		_, parent, found := strings.Cut(rest, ".")
		if !found || publicSuffix(parent) {
			return rest
		}
		rest = parent
	}
}

// domainMatches is RFC 6265bis, section 5.1.3.
func domainMatches(host, domain string) bool {
	host, domain = strings.ToLower(host), strings.TrimPrefix(strings.ToLower(domain), ".")
	return host == domain || (strings.HasSuffix(host, "."+domain) && net.ParseIP(host) == nil)
}

// pathMatches is RFC 6265bis, section 5.1.4.
func pathMatches(request, cookie string) bool {
	if request == cookie {
		return true
	}
	return strings.HasPrefix(request, cookie) && (strings.HasSuffix(cookie, "/") || request[len(cookie)] == '/')
}

// defaultPath is the path of a cookie that names none, or one without a
// leading slash (RFC 6265bis, section 5.1.4).
func defaultPath(request string) string {
	i := strings.LastIndexByte(request, '/')
	if i <= 0 {
		return "/"
	}
	return request[:i]
}

func hostOf(origin string) string {
	u, err := url.Parse(origin)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Hostname())
}

// crossSite says whether the frontend's calls to auth cross a site's border.
func (s *scene) crossSite() bool {
	for _, c := range s.calls {
		if site := c.Request.Get("Sec-Fetch-Site"); site != "" && s.fromFrontend(c) && c.Origin == s.t.Subject.Origins.Auth {
			return site == "cross-site"
		}
	}
	o := s.t.Subject.Origins
	return siteOf(hostOf(o.Frontend)) != siteOf(hostOf(o.Auth))
}
