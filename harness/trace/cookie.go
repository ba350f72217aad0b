package trace

import (
	"strconv"
	"strings"
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
	Expires     string `json:"expires,omitempty"`
	Secure      bool   `json:"secure"`
	HTTPOnly    bool   `json:"httpOnly"`
	SameSite    string `json:"sameSite,omitempty"`
	Partitioned bool   `json:"partitioned"`
	Bytes       int    `json:"bytes"`
}

// Removes says whether the line takes the cookie away instead of setting it.
func (c SetCookie) Removes() bool { return c.MaxAge != nil && *c.MaxAge <= 0 }

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
	c.Line = c.Name + "=" + c.Digest
	if rest != "" {
		c.Line += ";" + rest
	}
	for attribute := range strings.SplitSeq(rest, ";") {
		key, val, _ := strings.Cut(attribute, "=")
		val = strings.TrimSpace(val)
		switch strings.ToLower(strings.TrimSpace(key)) {
		case "domain":
			c.Domain = val
		case "path":
			c.Path = val
		case "max-age":
			if n, err := strconv.Atoi(val); err == nil {
				c.MaxAge = &n
			}
		case "expires":
			c.Expires = val
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

// ParseCookies takes a Cookie header apart, in the order sent, and teaches r
// the values.
func ParseCookies(header string, r *Redactor) []Pair {
	var pairs []Pair
	for part := range strings.SplitSeq(header, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		if name == "" && value == "" {
			continue
		}
		pairs = append(pairs, Pair{Name: name, Digest: r.Learn(value)})
	}
	return pairs
}
