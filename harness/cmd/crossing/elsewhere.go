package main

import (
	"context"
	"fmt"
	"maps"
	"net/url"

	"crossing/harness/browser"
	"crossing/harness/edge"
	"crossing/harness/target"
)

// elsewhere are the settings of browsers that somebody else runs.
type elsewhere struct {
	WebDriver    string `env:"WEBDRIVER_URL" name:"webdriver-url" placeholder:"URL" help:"W3C WebDriver endpoint whose browsers to use: a driver, a grid, a cloud."`
	Capabilities string `env:"WEBDRIVER_CAPABILITIES" name:"webdriver-capabilities" placeholder:"JSON" help:"What that endpoint is asked for beside the browser's name."`
	Playwright   string `env:"PLAYWRIGHT_WS_ENDPOINT" name:"playwright-ws-endpoint" placeholder:"URL" help:"Playwright server whose browsers to use."`
	EdgeAddress  string `env:"EDGE_ADDRESS" name:"edge-address" placeholder:"ADDRESS" help:"Address of this machine that those browsers reach, on which the edge listens. Default: loopback."`
	EdgeAdmit    string `env:"EDGE_ADMIT" name:"edge-admit" placeholder:"ADDRESSES" help:"Addresses or networks from which the edge may be used, beside the endpoint's own: a grid's nodes."`
	EdgePort     int    `env:"EDGE_PORT" name:"edge-port" placeholder:"PORT" help:"Port of loopback at which this machine's own settings have browsers look for their proxy, where sessions can't be told of one: safaridriver's. One session at a time."`

	found target.RemoteBrowsers
}

// find checks the settings, and finds out who is to be admitted.
func (e *elsewhere) find() error {
	setting, address := "WEBDRIVER_URL", e.WebDriver
	switch {
	case e.WebDriver != "" && e.Playwright != "":
		return fmt.Errorf("WEBDRIVER_URL and PLAYWRIGHT_WS_ENDPOINT are both given; browsers come from one of them, leave the other out")
	case e.Playwright != "":
		setting, address = "PLAYWRIGHT_WS_ENDPOINT", e.Playwright
	case e.WebDriver == "":
		if e.EdgeAddress != "" || e.EdgeAdmit != "" || e.EdgePort != 0 || e.Capabilities != "" {
			return fmt.Errorf("EDGE_ADDRESS, EDGE_ADMIT, EDGE_PORT and WEBDRIVER_CAPABILITIES are for browsers elsewhere; name those by WEBDRIVER_URL or PLAYWRIGHT_WS_ENDPOINT")
		}
		return nil
	}
	u, err := url.Parse(address)
	schemes := map[string][2]string{"WEBDRIVER_URL": {"http", "https"}, "PLAYWRIGHT_WS_ENDPOINT": {"ws", "wss"}}[setting]
	if err != nil || u.Scheme != schemes[0] && u.Scheme != schemes[1] {
		return fmt.Errorf("%s is no address that begins with %s:// or %s://", setting, schemes[0], schemes[1])
	}
	if e.EdgePort != 0 && (e.Playwright != "" || e.EdgePort < 1024 || e.EdgePort > 65535) {
		return fmt.Errorf("EDGE_PORT=%d: write a port from 1024 to 65535, beside a WEBDRIVER_URL of this machine", e.EdgePort)
	}
	e.found = target.RemoteBrowsers{URL: address, Capabilities: e.Capabilities, Address: e.EdgeAddress, Port: e.EdgePort}
	return e.found.Reached(context.Background(), setting, e.EdgeAdmit)
}

// shown are the settings again, without what may be a secret in an address.
func (e *elsewhere) shown() (words []string) {
	for _, named := range []struct{ setting, value string }{{"WEBDRIVER_URL", e.WebDriver}, {"PLAYWRIGHT_WS_ENDPOINT", e.Playwright}} {
		if u, err := url.Parse(named.value); err == nil && named.value != "" {
			u.User, u.RawQuery = nil, ""
			words = append(words, named.setting+"="+quoted(u.String()))
		}
	}
	for _, named := range []struct{ setting, value string }{{"EDGE_ADDRESS", e.EdgeAddress}, {"EDGE_ADMIT", e.EdgeAdmit}} {
		if named.value != "" {
			words = append(words, named.setting+"="+quoted(named.value))
		}
	}
	if e.EdgePort != 0 {
		words = append(words, fmt.Sprintf("EDGE_PORT=%d", e.EdgePort))
	}
	return words
}

// endpoint is what a browser is launched with.
func (e *elsewhere) endpoint() browser.Endpoint {
	return browser.Endpoint{URL: e.found.URL, Capabilities: e.found.Capabilities, Port: e.found.Port}
}

// reach are an edge's options for it.
func (e *elsewhere) reach() edge.Options {
	return edge.Options{Address: e.found.Address, Admit: e.found.Admit}
}

// named are the browsers that set-up need not bring: those that the user named,
// and all that are elsewhere.
func (c choices) named() map[string]string {
	all := maps.Clone(c.executables())
	if c.found.URL == "" {
		return all
	}
	for _, p := range browser.Profiles() {
		all[p.Engine] = "elsewhere"
	}
	return all
}
