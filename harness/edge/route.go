package edge

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// route is a Route made ready.
type route struct {
	Route
	host      string
	upstreams []*upstream
}

// upstream is an Upstream made ready.
type upstream struct {
	Upstream
	url       *url.URL
	transport *http.Transport
}

// remote says whether the upstream is a deployed origin, behind an edge of its
// own.
func (u *upstream) remote() bool { return u.url.Scheme == "https" }

func newRoutes(o Options) (map[string]*route, error) {
	if len(o.Routes) == 0 {
		return nil, errors.New("Routes is empty: give it the target's origins")
	}
	if o.Limit < 0 {
		return nil, fmt.Errorf("Limit %v: a time that has passed: leave it out for 30s", o.Limit)
	}
	routes, names := map[string]*route{}, map[string]*upstream{}
	var errs []error
	for i, given := range o.Routes {
		where := fmt.Sprintf("Routes[%d]", i)
		r, err := newRoute(where, given, o)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if other, taken := routes[r.host]; taken {
			errs = append(errs, fmt.Errorf("%s.Origin %q: %s answers for this host already: give each its own",
				where, given.Origin, other.Role))
			continue
		}
		routes[r.host] = r
		for _, u := range r.upstreams { // one may serve two origins
			if other := names[u.Name]; other != nil && other.URL != u.URL {
				errs = append(errs, fmt.Errorf("%s (%s): %s and %s are both named %q: give each instance its own name, or a trace could not tell them apart",
					where, r.Origin, other.URL, u.URL, u.Name))
			}
			names[u.Name] = u
		}
	}
	return routes, errors.Join(errs...)
}

func newRoute(where string, given Route, o Options) (*route, error) {
	host, err := originHost(given.Origin)
	if err != nil {
		return nil, fmt.Errorf("%s.Origin %q: %w", where, given.Origin, err)
	}
	r := &route{Route: given, host: host}
	switch {
	case given.Role == "":
		return nil, fmt.Errorf("%s (%s): Role is empty: say which part this origin plays", where, given.Origin)
	case given.Handler == nil && len(given.Upstreams) == 0:
		return nil, fmt.Errorf("%s (%s): no upstream and no Handler: nothing would answer", where, given.Origin)
	case given.Handler != nil && len(given.Upstreams) > 0:
		return nil, fmt.Errorf("%s (%s): Upstreams and Handler are both set: leave one out", where, given.Origin)
	}
	for i, up := range given.Upstreams {
		u, err := newUpstream(up)
		if err != nil {
			return nil, fmt.Errorf("%s (%s): Upstreams[%d]%w", where, given.Origin, i, err)
		}
		for _, values := range up.Header {
			for _, value := range values {
				if o.Redactor == nil {
					return nil, fmt.Errorf("%s (%s): Upstreams[%d].Header holds secrets: set Options.Redactor", where, given.Origin, i)
				}
				o.Redactor.Learn(value)
			}
		}
		r.upstreams = append(r.upstreams, u)
	}
	if given.Handler == nil && len(r.inTurn()) == 0 {
		return nil, fmt.Errorf("%s (%s): every upstream is spare: nothing would answer", where, given.Origin)
	}
	return r, nil
}

// originHost checks that origin is written as browsers write it (RFC 6454,
// section 6.1), since it is compared with what they send.
func originHost(origin string) (string, error) {
	u, err := url.Parse(origin)
	switch {
	case err != nil:
		return "", errors.New("no origin: write it as https://host")
	case u.Scheme != "https":
		return "", errors.New("not https: browsers keep Secure cookies over https only")
	case strings.HasSuffix(origin, "/"):
		return "", errors.New("ends with a slash: an origin has none")
	case u.Port() != "":
		return "", errors.New("has a port: leave it out, the edge serves 443")
	case u.Host == "" || origin != "https://"+u.Host || u.Host != strings.ToLower(u.Host):
		return "", errors.New("not an origin: write it as https://host, in lower case and with nothing after the host")
	}
	if _, err := netip.ParseAddr(u.Hostname()); err == nil {
		return "", errors.New("an address is no site: give it a name under a listed top-level domain")
	}
	return u.Host, nil
}

func newUpstream(given Upstream) (*upstream, error) {
	if given.Name == "" {
		return nil, errors.New(".Name is empty: a trace names the instance that answered")
	}
	u, err := url.Parse(given.URL)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, fmt.Errorf(".URL %q: no http or https address: write it as http://127.0.0.1:4711", given.URL)
	}
	if given.URL != u.Scheme+"://"+u.Host {
		return nil, fmt.Errorf(".URL %q: has more than scheme and host: leave out the slash, path, query and user", given.URL)
	}
	if _, port, err := net.SplitHostPort(given.Address); given.Address != "" && (err != nil || port == "") {
		return nil, fmt.Errorf(".Address %q: write host and port, such as 127.0.0.1:8443", given.Address)
	}
	return &upstream{Upstream: given, url: u, transport: newTransport(u, given)}, nil
}

func newTransport(u *url.URL, given Upstream) *http.Transport {
	t := &http.Transport{
		DisableCompression: true,
		// A service that restarts, or tires of an idle connection (Node and
		// uvicorn after 5 s), does so while a request is being written to it,
		// now and then: that would show as a fault that nobody made. A new
		// connection on loopback costs 0.1 ms.
		DisableKeepAlives: u.Scheme == "http",
	}
	if u.Scheme == "https" {
		t.Proxy = http.ProxyFromEnvironment
		t.ForceAttemptHTTP2 = true
		t.IdleConnTimeout = 30 * time.Second
		t.MaxIdleConnsPerHost = 64
		t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: given.Roots}
	}
	if given.Address != "" {
		t.Proxy = nil // it would resolve the name by itself
		t.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, given.Address)
		}
	}
	return t
}
