package playwright

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	pw "github.com/mxschmitt/playwright-go"
)

// connect takes the browser of a Playwright server in place of one of this
// machine. The server is asked to launch it with the profile's lever; one that
// has launched its browser already ignores that, and the control then says so.
func (e *engine) connect(ctx context.Context) (err error) {
	address, err := url.Parse(e.launch.Endpoint.URL)
	if err != nil {
		return fmt.Errorf("PLAYWRIGHT_WS_ENDPOINT: %w", err)
	}
	address.User, address.RawQuery = nil, "" // where a server has its password
	e.version.Executable, e.version.Found, e.version.Elsewhere = address.String(), "named by PLAYWRIGHT_WS_ENDPOINT", true
	if _, known := levers[e.launch.Profile.Engine][e.launch.Profile.Policy]; !known {
		return fmt.Errorf("profile %q wants %q, for which Playwright's %s has no lever", e.launch.Profile.Name, e.launch.Profile.Policy, e.launch.Profile.Engine)
	}
	e.version.Lever = fmt.Sprintf("what the Playwright server launches its browser with; it is asked for %q", e.arguments())
	asked := map[string]any{"args": e.arguments(), "headless": !e.launch.Headed, "firefoxUserPrefs": e.preferences()}
	data, err := json.Marshal(asked)
	if err != nil {
		return err
	}
	e.shared, err = call(ctx, e.life, func(ms float64) (pw.Browser, error) {
		return e.kind.Connect(e.launch.Endpoint.URL, pw.BrowserTypeConnectOptions{
			Timeout: pw.Float(ms), SlowMo: pw.Float(e.launch.SlowMoMillis),
			Headers: map[string]string{"x-playwright-launch-options": string(data)},
		})
	})
	if err != nil {
		// The library's words hold the address with its password.
		words := strings.ReplaceAll(firstLine(err.Error()), e.launch.Endpoint.URL, address.String())
		return fmt.Errorf("connect to the Playwright server at %s, which must be of version %s: %s", address, DriverVersion(), words)
	}
	e.shared.OnDisconnected(func(pw.Browser) { e.life.end() })
	e.version.Browser = e.title(e.shared)
	e.version.Driver = "playwright " + DriverVersion()
	return nil
}
