// Package devtools holds what the Chrome DevTools Protocol says of cookies, for
// each driver that can ask in it.
package devtools

import (
	"encoding/json"
	"math"
	"strings"
	"time"

	"crossing/harness/trace"
)

// AllCookies is the protocol's command for the whole jar, with partition keys
// and their ancestor bit (https://chromedevtools.github.io/devtools-protocol,
// Network.getAllCookies). The answer is All.
const AllCookies = "Network.getAllCookies"

// All is the answer to AllCookies.
type All struct {
	Cookies []Cookie `json:"cookies"`
}

// Cookie is the protocol's Network.Cookie.
type Cookie struct {
	Name         string  `json:"name"`
	Value        string  `json:"value"`
	Domain       string  `json:"domain"`
	Path         string  `json:"path"`
	Expires      float64 `json:"expires"` // seconds since 1970, -1 for none
	Size         int     `json:"size"`    // of name and value, in bytes
	HTTPOnly     bool    `json:"httpOnly"`
	Secure       bool    `json:"secure"`
	SameSite     string  `json:"sameSite"`
	PartitionKey struct {
		TopLevelSite         string `json:"topLevelSite"`
		HasCrossSiteAncestor bool   `json:"hasCrossSiteAncestor"`
	} `json:"partitionKey"`
}

// Traced is the cookie as a trace holds it, its value digested.
func (c Cookie) Traced(r *trace.Redactor) trace.Cookie {
	seen := trace.Cookie{
		Name: c.Name, Digest: r.Learn(c.Value),
		Domain: strings.TrimPrefix(c.Domain, "."), HostOnly: !strings.HasPrefix(c.Domain, "."), Path: c.Path,
		Secure: c.Secure, HTTPOnly: c.HTTPOnly, SameSite: c.SameSite,
		PartitionKey: c.PartitionKey.TopLevelSite, Ancestor: c.PartitionKey.HasCrossSiteAncestor, Bytes: c.Size,
	}
	if c.Expires >= 0 {
		whole, part := math.Modf(c.Expires)
		seen.Expires = time.Unix(int64(whole), int64(part*1e9)).UTC()
	}
	return seen
}

// Read takes an answer to AllCookies apart.
func Read(answer json.RawMessage, r *trace.Redactor) ([]trace.Cookie, error) {
	var all All
	if err := json.Unmarshal(answer, &all); err != nil {
		return nil, err
	}
	cookies := []trace.Cookie{}
	for _, c := range all.Cookies {
		cookies = append(cookies, c.Traced(r))
	}
	return cookies, nil
}
