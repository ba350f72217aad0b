package target

import (
	"strings"
	"testing"
)

func TestBrowsersElsewhereMustReachTheEdge(t *testing.T) {
	for name, c := range map[string]struct {
		url, address, admit string
		port                int
		// wrong is a word of the error; with none, admitted is how many are.
		wrong    string
		admitted int
	}{
		"a grid here":                 {url: "http://127.0.0.1:4444/wd/hub", admitted: 1},
		"a grid there":                {url: "http://192.0.2.9:4444", address: "192.0.2.2", admitted: 1},
		"its nodes":                   {url: "http://192.0.2.9:4444", address: "192.0.2.2", admit: "192.0.2.10, 192.0.2.64/26", admitted: 3},
		"an address is wanted":        {url: "ws://192.0.2.9:3000/", wrong: "EDGE_ADDRESS"},
		"the address is one":          {url: "ws://192.0.2.9:3000/", address: "here", wrong: "EDGE_ADDRESS=here"},
		"everybody is not admitted":   {url: "http://127.0.0.1:4444", admit: "0.0.0.0/0", wrong: "EDGE_ADMIT"},
		"what is admitted is address": {url: "http://127.0.0.1:4444", admit: "nodes", wrong: "EDGE_ADMIT=nodes"},
		"a machine's proxy here":      {url: "http://127.0.0.1:4444", port: 8899, admitted: 1},
		"a machine's proxy there":     {url: "http://192.0.2.9:4444", address: "192.0.2.2", port: 8899, wrong: "EDGE_PORT=8899"},
		"no host":                     {url: "grid", wrong: "WEBDRIVER_URL"},
	} {
		t.Run(name, func(t *testing.T) {
			e := RemoteBrowsers{URL: c.url, Address: c.address, Port: c.port}
			err := e.Reached(t.Context(), "WEBDRIVER_URL", c.admit)
			if c.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), c.wrong) {
					t.Fatalf("want %q: %v", c.wrong, err)
				}
				return
			}
			if err != nil || len(e.Admit) != c.admitted {
				t.Errorf("%v, admitted %v", err, e.Admit)
			}
		})
	}
}
