package trace

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
