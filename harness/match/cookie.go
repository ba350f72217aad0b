package match

import (
	"fmt"
	"strings"
	"time"

	"crossing/harness/trace"
)

// CookieMatcher finds a cookie in a trace.Jar; its methods narrow it down.
type CookieMatcher struct {
	name  string
	wants []want
	alone bool
}

// want is one more thing asked of the cookie.
type want struct {
	text string
	fits func(trace.Cookie) bool
}

// HaveCookie matches a trace.Jar that holds a cookie of that name, and of all
// that the methods ask:
//
//	Expect(jar).To(HaveCookie(name).PartitionedUnder("https://example.com").WithSecure())
func HaveCookie(name string) *CookieMatcher { return &CookieMatcher{name: name} }

func (m *CookieMatcher) and(text string, fits func(trace.Cookie) bool) *CookieMatcher {
	// A copy: a matcher kept in a variable may be narrowed down in two ways.
	wants := append(m.wants[:len(m.wants):len(m.wants)], want{text, fits})
	return &CookieMatcher{name: m.name, wants: wants, alone: m.alone}
}

// PartitionedUnder asks for the partition of a top-level site, scheme included.
func (m *CookieMatcher) PartitionedUnder(site string) *CookieMatcher {
	return m.and("partitioned under "+site, func(c trace.Cookie) bool { return c.PartitionKey == site })
}

// Unpartitioned asks for a cookie outside all partitions.
func (m *CookieMatcher) Unpartitioned() *CookieMatcher {
	return m.and("unpartitioned", func(c trace.Cookie) bool { return c.PartitionKey == "" })
}

// WithDomain asks for the domain, a leading dot aside.
func (m *CookieMatcher) WithDomain(domain string) *CookieMatcher {
	domain = strings.TrimPrefix(domain, ".")
	return m.and("Domain="+domain, func(c trace.Cookie) bool { return strings.TrimPrefix(c.Domain, ".") == domain })
}

// HostOnly asks for a cookie that was set without Domain.
func (m *CookieMatcher) HostOnly() *CookieMatcher {
	return m.and("host-only", func(c trace.Cookie) bool { return c.HostOnly })
}

// WithPath asks for the path.
func (m *CookieMatcher) WithPath(path string) *CookieMatcher {
	return m.and("Path="+path, func(c trace.Cookie) bool { return c.Path == path })
}

// WithSecure asks for Secure.
func (m *CookieMatcher) WithSecure() *CookieMatcher {
	return m.and("Secure", func(c trace.Cookie) bool { return c.Secure })
}

// WithHTTPOnly asks for HttpOnly.
func (m *CookieMatcher) WithHTTPOnly() *CookieMatcher {
	return m.and("HttpOnly", func(c trace.Cookie) bool { return c.HTTPOnly })
}

// WithSameSite asks for SameSite, without regard to case.
func (m *CookieMatcher) WithSameSite(value string) *CookieMatcher {
	return m.and("SameSite="+value, func(c trace.Cookie) bool { return strings.EqualFold(c.SameSite, value) })
}

// WithDigest asks for the very value.
func (m *CookieMatcher) WithDigest(digest string) *CookieMatcher {
	return m.and("value "+digest, func(c trace.Cookie) bool { return c.Digest == digest })
}

// WithExpiry asks for a cookie that outlives the browser session.
func (m *CookieMatcher) WithExpiry() *CookieMatcher {
	return m.and("with an expiry", func(c trace.Cookie) bool { return !c.Expires.IsZero() })
}

// ExpiringAt asks for an end of life that is within a margin of t.
func (m *CookieMatcher) ExpiringAt(t time.Time, within time.Duration) *CookieMatcher {
	return m.and("until "+t.UTC().Format("2006-01-02T15:04:05Z"), func(c trace.Cookie) bool { return c.Expires.Sub(t).Abs() <= within })
}

// Alone asks that the jar holds no second cookie of the name, in whatever
// partition, for whatever host or path.
func (m *CookieMatcher) Alone() *CookieMatcher {
	return &CookieMatcher{name: m.name, wants: m.wants, alone: true}
}

// Match implements types.GomegaMatcher.
func (m *CookieMatcher) Match(actual any) (bool, error) {
	jar, ok := actual.(trace.Jar)
	if !ok {
		return false, wrongType("HaveCookie", "a trace.Jar", actual)
	}
	fits, named := false, 0
	for _, c := range jar.Cookies {
		if c.Name == m.name {
			named++
			fits = fits || len(m.missing(c)) == 0
		}
	}
	return fits && (!m.alone || named == 1), nil
}

func (m *CookieMatcher) missing(c trace.Cookie) []string {
	var out []string
	for _, w := range m.wants {
		if !w.fits(c) {
			out = append(out, w.text)
		}
	}
	return out
}

// FailureMessage implements types.GomegaMatcher.
func (m *CookieMatcher) FailureMessage(actual any) string { return m.message(actual, "to hold") }

// NegatedFailureMessage implements types.GomegaMatcher.
func (m *CookieMatcher) NegatedFailureMessage(actual any) string {
	return m.message(actual, "not to hold")
}

func (m *CookieMatcher) message(actual any, expectation string) string {
	jar, _ := actual.(trace.Jar)
	asked := []string{m.name}
	for _, w := range m.wants {
		asked = append(asked, w.text)
	}
	if m.alone {
		asked = append(asked, "no second of its name")
	}
	var lines []string
	for _, c := range jar.Cookies {
		line := describe(c)
		if missing := m.missing(c); c.Name == m.name && len(missing) > 0 {
			line += "\n        differs in: " + strings.Join(missing, ", ")
		}
		lines = append(lines, line)
	}
	limits := ""
	if jar.Scope == trace.JarHost {
		limits = fmt.Sprintf(" (this engine shows the cookies of %s only)", jar.Page)
	}
	return fmt.Sprintf("Expected the jar %q %s\n    %s\nIt holds%s\n%s", jar.Label, expectation, strings.Join(asked, "; "), limits, indented(lines))
}

// describe shows a cookie on one line, its value digested.
func describe(c trace.Cookie) string {
	parts := []string{c.Name + "=" + c.Digest, "Domain=" + c.Domain}
	if c.HostOnly {
		parts = append(parts, "host-only")
	}
	parts = append(parts, "Path="+c.Path)
	for _, flag := range []struct {
		on   bool
		text string
	}{
		{c.Secure, "Secure"}, {c.HTTPOnly, "HttpOnly"}, {c.SameSite != "", "SameSite=" + c.SameSite},
		{c.PartitionKey != "", "partitioned under " + c.PartitionKey}, {c.PartitionKey == "", "unpartitioned"},
		{!c.Expires.IsZero(), "until " + c.Expires.UTC().Format("2006-01-02T15:04:05Z")},
	} {
		if flag.on {
			parts = append(parts, flag.text)
		}
	}
	return strings.Join(parts, "; ")
}
