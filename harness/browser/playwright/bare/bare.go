// Package bare walks a person's way with playwright-go alone, as one would who
// has no harness: for the benchmark, which compares the two. It records and
// judges nothing.
package bare

import (
	"errors"
	"fmt"
	"log/slog"
	"os"

	pw "github.com/mxschmitt/playwright-go"
)

// Browser is a driver with its browser.
type Browser struct {
	driver  *pw.Playwright
	browser pw.Browser
}

// Way is where a person goes and what they press; see target.Contract, whose
// fields have the same names.
type Way struct {
	SignIn, Account          string // addresses
	Email, Password          string // selectors, as all that follow
	Submit, SignedIn         string
	Call, Answer             string
	Person, PersonalPassword string // what is typed
}

// Start starts the browser at executable with arguments of its own, by the
// driver in dir.
func Start(dir, executable string, arguments []string) (*Browser, error) {
	driver, err := pw.Run(&pw.RunOptions{DriverDirectory: dir, SkipInstallBrowsers: true, Logger: slog.New(slog.DiscardHandler), Stdout: os.Stderr})
	if err != nil {
		return nil, fmt.Errorf("start Playwright's driver in %s: %w", dir, err)
	}
	browser, err := driver.Chromium.Launch(pw.BrowserTypeLaunchOptions{Args: arguments, ExecutablePath: pw.String(executable)})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", executable, err), driver.Stop())
	}
	return &Browser{driver, browser}, nil
}

// Walk signs in, sees the session, reloads, sees it again, and calls the api
// with a token, in a context of its own that reaches everything by the proxy.
func (b *Browser) Walk(proxy string, w Way) (err error) {
	context, err := b.browser.NewContext(pw.BrowserNewContextOptions{Proxy: &pw.Proxy{Server: proxy}, Viewport: &pw.Size{Width: 1280, Height: 800}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, context.Close()) }()
	page, err := context.NewPage()
	if err != nil {
		return err
	}
	shows := func(selector string) error { return page.Locator(selector).WaitFor() }
	for _, step := range []func() error{
		func() error { return only(page.Goto(w.SignIn)) },
		func() error { return page.Locator(w.Email).Fill(w.Person) },
		func() error { return page.Locator(w.Password).Fill(w.PersonalPassword) },
		func() error { return page.Locator(w.Submit).Click() },
		func() error { return page.WaitForURL(w.Account) },
		func() error { return shows(w.SignedIn) },
		func() error { return only(page.Reload()) },
		func() error { return shows(w.SignedIn) },
		func() error { return page.Locator(w.Call).Click() },
		func() error { return shows(w.Answer) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// only drops what a call returns besides its error.
func only(_ pw.Response, err error) error { return err }

// Close ends browser and driver.
func (b *Browser) Close() error { return errors.Join(b.browser.Close(), b.driver.Stop()) }
