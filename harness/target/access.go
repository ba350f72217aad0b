package target

import (
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"slices"
	"strings"
)

// Access is how deployed origins are reached from this machine, where that is
// not as everybody reaches them. There is no way round verification: a
// deployment whose certificate nobody trusts is a finding, not an obstacle.
type Access struct {
	// Addresses are the host:port to connect to by the host of an origin.
	Addresses map[string]string
	// Roots verify the origins; nil: the system's.
	Roots *x509.CertPool
	// Bypass are the secrets that open protected deployments, by the host that
	// each is for: nobody else may ever be sent it.
	Bypass map[string]string
}

// Bypasses are the secrets of protected deployments as a person gives them:
// one for every part, or one for each.
type Bypasses struct{ All, Frontend, Auth, API string }

// Settings that name them.
const (
	BypassSetting         = "VERCEL_AUTOMATION_BYPASS_SECRET"
	FrontendBypassSetting = "FRONTEND_BYPASS_SECRET"
	AuthBypassSetting     = "AUTH_BYPASS_SECRET"
	APIBypassSetting      = "API_BYPASS_SECRET"
)

// For shares the secrets out among a target's hosts. Its error names the
// setting, and never the secret.
func (b Bypasses) For(t *Target) (map[string]string, error) {
	all := map[string]string{}
	for _, part := range []struct{ setting, own, origin string }{
		{FrontendBypassSetting, b.Frontend, t.Origins.Frontend}, {AuthBypassSetting, b.Auth, t.Origins.Auth}, {APIBypassSetting, b.API, t.Origins.API},
	} {
		secret, setting := strings.TrimSpace(part.own), part.setting
		if secret == "" {
			secret, setting = strings.TrimSpace(b.All), BypassSetting
		}
		switch {
		case part.origin == "" && part.own != "":
			return nil, fmt.Errorf("%s is for an origin that was not given: leave it out, or give its address", part.setting)
		case secret == "" || part.origin == "":
		case strings.ContainsFunc(secret, func(r rune) bool { return r <= ' ' || r > '~' }):
			return nil, fmt.Errorf("%s holds a space, a line break or a letter that no header can carry: copy it once more from the project's settings (Deployment Protection, Protection Bypass for Automation)", setting)
		case len(secret) < shortestBypass:
			return nil, fmt.Errorf("%s has %d letters, and Vercel's have 32: copy it once more from the project's settings (Deployment Protection, Protection Bypass for Automation)", setting, len(secret))
		default:
			all[hostOf(part.origin)] = secret
		}
	}
	return all, nil
}

// shortestBypass is in letters. A shorter one would stand by chance in what a
// run writes, and could not be looked for there.
const shortestBypass = 8

// ParseAccess reads RESOLVE (HOST=ADDRESS or HOST=ADDRESS:PORT, as curl's
// --resolve) and CA (a PEM file, as curl's --cacert). Its error names the
// setting.
func ParseAccess(resolve []string, ca string) (Access, error) {
	r := Access{Addresses: map[string]string{}}
	for _, word := range resolve {
		host, address, found := strings.Cut(word, "=")
		if !found || host == "" || strings.ContainsAny(host, "/:") {
			return r, fmt.Errorf("RESOLVE: %q is not of the form HOST=ADDRESS, such as auth.example.com=127.0.0.1:8443", word)
		}
		ip, port := address, "443"
		if net.ParseIP(address) == nil { // a bare IPv6 address has colons, too
			var err error
			if ip, port, err = net.SplitHostPort(address); err != nil {
				ip, port = address, "443"
			}
		}
		if _, err := net.LookupPort("tcp", port); net.ParseIP(ip) == nil || err != nil || port == "0" {
			return r, fmt.Errorf("RESOLVE: %q names no address for %s; write one such as 127.0.0.1 or 127.0.0.1:8443", address, host)
		}
		r.Addresses[strings.ToLower(host)] = net.JoinHostPort(ip, port)
	}
	if ca == "" {
		return r, nil
	}
	text, err := os.ReadFile(ca)
	if errors.Is(err, os.ErrNotExist) {
		return r, fmt.Errorf("CA=%s: there is no such file; name the PEM file with the authority's certificate", ca)
	}
	if err != nil {
		return r, fmt.Errorf("CA: read the authority's certificate: %w", err)
	}
	r.Roots = x509.NewCertPool()
	if !r.Roots.AppendCertsFromPEM(text) {
		return r, fmt.Errorf("CA=%s holds no certificate; name a PEM file, which has lines such as -----BEGIN CERTIFICATE-----", ca)
	}
	return r, nil
}

// Hosts of a target's own parts.
func (t *Target) Hosts() []string {
	var hosts []string
	for _, origin := range []string{t.Origins.Frontend, t.Origins.Auth, t.Origins.API} {
		if origin != "" {
			hosts = append(hosts, strings.TrimPrefix(origin, "https://"))
		}
	}
	return hosts
}

// Check finds an address that is for no host of any of the targets: a mistyped
// name would silently change nothing.
func (r Access) Check(targets ...*Target) error {
	var hosts []string
	for _, t := range targets {
		hosts = append(hosts, t.Hosts()...)
	}
	for _, host := range slices.Sorted(maps.Keys(r.Addresses)) {
		if !slices.Contains(hosts, host) {
			return fmt.Errorf("RESOLVE: %q is no host of the target; there are: %s", host, strings.Join(hosts, ", "))
		}
	}
	return nil
}
