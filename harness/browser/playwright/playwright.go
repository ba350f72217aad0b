// Package playwright drives Chromium, a stock Firefox, and Playwright's own
// build of WebKit where it is installed, through playwright-go. One browser is
// shared, and each session is a context of its own within it. Routes and extra
// headers are never used: either makes Playwright answer CORS preflights by
// itself and hide them. What must be added to a request, the edge adds.
package playwright

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	pw "github.com/mxschmitt/playwright-go"

	"crossing/harness/browser"
)

// How long the way down may take before it is cut short: of a browser that is
// up, and of one that never came up and has nothing to lose.
const (
	closeLimit = 20 * time.Second
	abortLimit = 2 * time.Second
)

// engine is a driver process with the one browser that its sessions share.
type engine struct {
	launch  browser.Launch
	lever   bool
	driver  *pw.Playwright
	kind    pw.BrowserType
	version browser.Version
	// opening guards shared and version.Browser, which sessions may bring.
	opening sync.Mutex
	shared  pw.Browser
	// file is what is run: version.Executable, or a script that runs it.
	file string
	// dir holds all that driver and browser write; it goes with them.
	dir string
	// life is the shared browser's; the driver's end is its end too.
	life    *life
	closing sync.Once
	closed  atomic.Bool
}

// starting guards the library's package-level logger, which each start sets.
var starting sync.Mutex

// Start starts the driver and the browser that l asks for, looked for in this
// order: the executable that l names, Playwright's own build, the system's.
func Start(ctx context.Context, l browser.Launch) (browser.Browser, error) {
	e, err := start(ctx, l, true)
	if err != nil {
		return nil, err
	}
	return e, nil
}

// start is Start; without the lever the engine keeps its own cookie policy,
// which is what a test of the lever needs as its control.
func start(ctx context.Context, l browser.Launch, lever bool) (*engine, error) {
	e := &engine{launch: l, lever: lever, life: newLife()}
	if _, ok := DriverInstalled(l.DriverDir); !ok {
		return nil, fmt.Errorf("start %s: Playwright's driver %s is not in %q: install it with the set-up",
			l.Profile.Name, DriverVersion(), l.DriverDir)
	}
	if err := e.start(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", l.Profile.Name, err), e.Close())
	}
	return e, nil
}

func (e *engine) start(ctx context.Context) (err error) {
	if e.dir, err = workDir(e.launch); err != nil {
		return err
	}
	if err := e.run(ctx); err != nil {
		return err
	}
	if e.kind, err = e.browserType(); err != nil {
		return err
	}
	if e.launch.Endpoint.URL != "" {
		return e.connect(ctx)
	}
	executable, found, err := e.executable()
	if err != nil {
		return err
	}
	e.version.Executable, e.version.Found, e.file = executable, found, executable
	if err := e.pull(); err != nil {
		return err
	}
	e.version.Driver = "playwright " + DriverVersion()
	if e.launch.OnDemand {
		return nil
	}
	return e.share(ctx)
}

// share starts the browser that sessions share, where it is not up yet.
func (e *engine) share(ctx context.Context) (err error) {
	e.opening.Lock()
	defer e.opening.Unlock()
	if e.shared != nil {
		return nil
	}
	e.shared, err = call(ctx, e.life, func(ms float64) (pw.Browser, error) {
		b, err := e.kind.Launch(e.launchOptions(ms))
		if err != nil {
			return nil, startupError(e.version.Executable, err)
		}
		b.OnDisconnected(func(pw.Browser) { e.life.end() })
		return b, nil
	})
	if err == nil {
		e.version.Browser = e.title(e.shared)
		e.started()
	}
	return err
}

// started is called once a browser is up.
func (e *engine) started() {
	if e.firefox() {
		hasten(family(e.driver.Pid()))
	}
}

// title is a browser's name and version.
func (e *engine) title(b pw.Browser) string {
	return titles[e.launch.Profile.Engine] + " " + b.Version()
}

// run starts the driver. The library knows no context: where ctx ends first,
// the driver is stopped as soon as it is up.
func (e *engine) run(ctx context.Context) error {
	dir, err := runDir(e.launch.DriverDir, e.dir)
	if err != nil {
		return err
	}
	type started struct {
		driver *pw.Playwright
		err    error
	}
	done := make(chan started, 1)
	go func() {
		starting.Lock()
		defer starting.Unlock()
		d, err := pw.Run(&pw.RunOptions{
			DriverDirectory: dir, SkipInstallBrowsers: true,
			Logger: slog.New(slog.DiscardHandler), Stdout: os.Stderr,
		})
		done <- started{d, err}
	}()
	select {
	case s := <-done:
		if s.err != nil {
			return fmt.Errorf("start Playwright's driver in %s: %w", e.launch.DriverDir, s.err)
		}
		e.driver = s.driver
		return nil
	case <-ctx.Done():
		go func() {
			if s := <-done; s.err == nil {
				_ = s.driver.Stop()
			}
		}()
		return fmt.Errorf("start Playwright's driver: %w", ctx.Err())
	}
}

// titles are the engines that Playwright knows, as people write them.
var titles = map[string]string{"chromium": "Chromium", "webkit": "WebKit", "firefox": "Firefox"}

func (e *engine) browserType() (pw.BrowserType, error) {
	switch e.launch.Profile.Engine {
	case "chromium":
		return e.driver.Chromium, nil
	case "webkit":
		return e.driver.WebKit, nil
	case "firefox":
		return e.driver.Firefox, nil
	}
	return nil, fmt.Errorf("profile %q has engine %q: Playwright knows chromium, webkit and firefox",
		e.launch.Profile.Name, e.launch.Profile.Engine)
}

// chromium says whether the engine speaks the Chrome DevTools Protocol.
func (e *engine) chromium() bool { return e.launch.Profile.Engine == "chromium" }

func (e *engine) firefox() bool { return e.launch.Profile.Engine == browser.Firefox.Engine }

// Profile returns what the browser was started as.
func (e *engine) Profile() browser.Profile { return e.launch.Profile }

// Version returns what runs.
func (e *engine) Version() browser.Version {
	e.opening.Lock()
	defer e.opening.Unlock()
	return e.version
}

// Close ends every session, the browser and the driver, and removes what they
// wrote. It may be called again.
func (e *engine) Close() error {
	var err error
	e.closing.Do(func() {
		e.closed.Store(true)
		if e.driver != nil {
			err = e.stop()
		}
		e.life.end()
		if e.dir != "" {
			err = errors.Join(err, os.RemoveAll(e.dir))
		}
	})
	return err
}

// stop closes the driver's standard input, at which it closes its browsers in
// good order, kept profiles included, removes its temporary files, and ends.
func (e *engine) stop() error {
	limit, up := closeLimit, e.Version().Browser != ""
	if !up {
		limit = abortLimit
	}
	ours := family(e.driver.Pid())
	done := make(chan error, 1)
	go func() { done <- e.driver.Stop() }()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case err := <-done:
		if err != nil {
			return fmt.Errorf("end Playwright's driver: %w", err)
		}
		// A browser's own processes end a moment after it, and write until then.
		ctx, cancel := context.WithTimeout(context.Background(), abortLimit)
		defer cancel()
		if ours.wait(ctx) != nil {
			return ours.kill()
		}
		return nil
	case <-timer.C:
	}
	err := ours.kill()
	<-done // its process has gone; what it says of that is no news
	if !up {
		return err
	}
	return errors.Join(fmt.Errorf("Playwright's driver and browser did not end within %v and were killed", limit), err)
}
