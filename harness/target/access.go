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
}

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
