// Package drivers starts a profile's browser with the driver that can: it is
// the one place that knows which driver serves which engine.
package drivers

import (
	"context"
	"strings"

	"crossing/harness/browser"
	"crossing/harness/browser/playwright"
	"crossing/harness/browser/webdriver"
)

// Start starts the browser that l asks for. Of WebKit, Playwright's own build
// comes first where it is installed and none is named; it has no lever but its
// default, so that the other policies are WebKitGTK's.
//
// An endpoint decides by its scheme: ws and wss are a Playwright server's, http
// and https a W3C WebDriver endpoint's.
func Start(ctx context.Context, l browser.Launch) (browser.Browser, error) {
	switch scheme, _, _ := strings.Cut(l.Endpoint.URL, ":"); scheme {
	case "ws", "wss":
		return playwright.Start(ctx, l)
	case "http", "https":
		return webdriver.Connect(ctx, l, playwright.Arguments(l))
	}
	if l.Profile.Engine != browser.WebKit.Engine {
		return playwright.Start(ctx, l)
	}
	if l.Profile == browser.WebKit {
		if _, own := playwright.Installed(l.DriverDir, l.Profile.Engine); own {
			return playwright.Start(ctx, l)
		}
	}
	return webdriver.StartWebKit(ctx, l)
}

// Found says whether this machine has a browser for the profile.
func Found(driverDir string, p browser.Profile, headed bool) bool {
	if p.Engine != browser.WebKit.Engine {
		_, ok := playwright.Find(driverDir, p.Engine, headed)
		return ok
	}
	if _, own := playwright.Installed(driverDir, p.Engine); own && p == browser.WebKit {
		return true
	}
	_, _, err := webdriver.FindWebKit()
	return err == nil
}
