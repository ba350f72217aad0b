package trace

import (
	"strconv"
	"strings"
	"time"
)

// SetCookie is one Set-Cookie line, taken apart as RFC 6265bis section 5.6
// says, with nothing left out: what a browser would make of it is for others
// to judge.
type SetCookie struct {
	Name   string `json:"name"`
	Digest string `json:"digest"`
	// Line is the whole line with the value digested.
	Line   string `json:"line"`
	Domain string `json:"domain,omitempty"`
	Path   string `json:"path,omitempty"`
	// MaxAge is in seconds; nil where absent or no number.
	MaxAge *int `json:"maxAge,omitempty"`
	// Expires is the attribute as written.
	Expires string `json:"expires,omitempty"`
	// Expired says that Expires lay in the past when the line was read.
	Expired     bool   `json:"expired,omitempty"`
	Secure      bool   `json:"secure"`
	HTTPOnly    bool   `json:"httpOnly"`
	SameSite    string `json:"sameSite,omitempty"`
	Partitioned bool   `json:"partitioned"`
	// Bytes are the whole line's, PairBytes those of name and value, which
	// browsers limit, and AttributeBytes those of the longest attribute value.
	Bytes          int `json:"bytes"`
	PairBytes      int `json:"pairBytes,omitempty"`
	AttributeBytes int `json:"attributeBytes,omitempty"`
}

// Removes says whether the line takes the cookie away instead of setting it.
// Max-Age goes before Expires (RFC 6265bis, section 5.7, step 11).
func (c SetCookie) Removes() bool {
	if c.MaxAge != nil {
		return *c.MaxAge <= 0
	}
	return c.Expired
}

// ParseSetCookie takes a Set-Cookie line apart and teaches r its value.
// Attributes are read as RFC 6265bis says: names without case, the last of
// equal ones wins, unknown ones are ignored.
func ParseSetCookie(line string, r *Redactor) SetCookie {
	pair, rest, _ := strings.Cut(line, ";")
	name, value, found := strings.Cut(pair, "=")
	if !found { // RFC 6265bis 5.6 step 3: a nameless cookie
		name, value = "", pair
	}
	c := SetCookie{Name: strings.TrimSpace(name), Bytes: len(line)}
	value = strings.TrimSpace(value)
	c.Digest = r.Learn(value)
	c.PairBytes = len(c.Name) + len(value)
	c.Line = c.Name + "=" + c.Digest
	if rest != "" {
		c.Line += ";" + rest
	}
	for attribute := range strings.SplitSeq(rest, ";") {
		key, val, _ := strings.Cut(attribute, "=")
		val = strings.TrimSpace(val)
		c.AttributeBytes = max(c.AttributeBytes, len(val))
		switch strings.ToLower(strings.TrimSpace(key)) {
		case "domain":
			c.Domain = val
		case "path":
			c.Path = val
		case "max-age":
			if n, ok := maxAge(val); ok {
				c.MaxAge = &n
			}
		case "expires":
			c.Expires = val
			c.Expired = past(val)
		case "secure":
			c.Secure = true
		case "httponly":
			c.HTTPOnly = true
		case "samesite":
			c.SameSite = val
		case "partitioned":
			c.Partitioned = true
		}
	}
	return c
}

// maxAge reads digits with at most a minus before them (RFC 6265bis, section
// 5.6.2): "+5" is ignored, and a number too large is the largest there is.
func maxAge(val string) (int, bool) {
	digits := strings.TrimPrefix(val, "-")
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return 0, false
	}
	n, _ := strconv.Atoi(val) // out of range: the nearest
	return n, true
}

// expiryLayouts are the forms in which servers write Expires.
var expiryLayouts = []string{"Mon, 02 Jan 2006 15:04:05 MST", "Mon, 02-Jan-2006 15:04:05 MST",
	"Monday, 02-Jan-06 15:04:05 MST", time.ANSIC}

func past(expires string) bool {
	at, dated := SetCookie{Expires: expires}.Ends()
	return dated && !at.After(time.Now())
}

// Ends is the moment that Expires names, where it names one.
func (c SetCookie) Ends() (at time.Time, dated bool) {
	for _, layout := range expiryLayouts {
		if at, err := time.Parse(layout, c.Expires); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}

// ParseCookies takes a Cookie header apart, in the order sent, and teaches r
// the values. A pair without "=" is a value without a name, as it was set.
func ParseCookies(header string, r *Redactor) []Pair {
	var pairs []Pair
	for part := range strings.SplitSeq(header, ";") {
		name, value, found := strings.Cut(strings.TrimSpace(part), "=")
		if !found {
			name, value = "", name
		}
		if name == "" && value == "" {
			continue
		}
		pairs = append(pairs, Pair{Name: name, Digest: r.Learn(value), Bytes: len(name) + len(value)})
	}
	return pairs
}
