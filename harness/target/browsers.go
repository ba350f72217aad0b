package target

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
)

// RemoteBrowsers say where a run's browsers are that are not started here.
type RemoteBrowsers struct {
	// URL of a W3C WebDriver endpoint (http, https) or of a Playwright server
	// (ws, wss); it may hold a password. Empty: browsers are started here.
	URL string
	// Capabilities that a WebDriver endpoint is asked for beside the browser's
	// name, a JSON object.
	Capabilities string
	// Port of loopback at which browsers look for their proxy that take none
	// of a session's own, by their machine's settings; 0: sessions are told.
	Port int
	// Address is the one of this machine that those browsers reach, on which
	// the edge then listens; empty: loopback.
	Address string
	// Admit are the addresses from which the edge may be used, beside that one.
	Admit []netip.Prefix
}

// WebDriver says whether they are those of a W3C WebDriver endpoint.
func (e RemoteBrowsers) WebDriver() bool { return strings.HasPrefix(e.URL, "http") }

// Reached says what is wrong with the settings of browsers elsewhere, and
// admits the endpoint's own host. admit are more addresses or networks, with
// commas: a grid's nodes.
func (e *RemoteBrowsers) Reached(ctx context.Context, setting, admit string) error {
	u, err := url.Parse(e.URL)
	if err != nil || u.Host == "" {
		return fmt.Errorf("%s is no address of an endpoint; write one such as http://grid:4444/wd/hub", setting)
	}
	hosts, err := net.DefaultResolver.LookupNetIP(ctx, "ip", u.Hostname())
	if err != nil {
		return fmt.Errorf("%s: the host %s is not known (%w)", setting, u.Hostname(), err)
	}
	here := true
	for _, a := range hosts {
		a = a.Unmap()
		here = here && a.IsLoopback()
		e.Admit = append(e.Admit, netip.PrefixFrom(a, a.BitLen()))
	}
	if e.Port != 0 && !here {
		return fmt.Errorf("EDGE_PORT=%d is a port of this machine's loopback, and the browsers of %s=%s are on another machine; leave it out", e.Port, setting, u.Host)
	}
	if !here && e.Address == "" {
		return fmt.Errorf("the browsers of %s=%s are on another machine, and this one's loopback is out of their reach: name by EDGE_ADDRESS the address of this machine that they reach", setting, u.Host)
	}
	if e.Address != "" {
		if _, err := netip.ParseAddr(e.Address); err != nil {
			return fmt.Errorf("EDGE_ADDRESS=%s is no IP address; write the one of this machine that the browsers reach, such as 192.0.2.7", e.Address)
		}
	}
	for text := range strings.SplitSeq(admit, ",") {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		p, err := netip.ParsePrefix(text)
		if a, single := netip.ParseAddr(text); single == nil {
			p, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		if err != nil || p.Bits() == 0 {
			return errors.New("EDGE_ADMIT=" + admit + ": write addresses or networks of browsers with commas, such as 192.0.2.8,192.0.2.64/26; the whole world is none")
		}
		e.Admit = append(e.Admit, p)
	}
	return nil
}
