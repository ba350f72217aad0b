package visit

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"crossing/harness/browser"
	"crossing/harness/browser/capability"
	"crossing/harness/browser/drivers"
	"crossing/harness/trace"
)

// browsers starts a profile's browser when the first visitor needs it, and
// measures the profile then.
type browsers struct {
	ground *Ground

	mu  sync.Mutex
	all map[string]*Started
}

// Started is a running browser, and what it was measured to do.
type Started struct {
	Browser    browser.Browser
	Capability trace.Capability

	once sync.Once
	err  error
}

// Browser returns the running browser of a profile; the first call starts and
// measures it. Its error is the same for every caller: a browser that could
// not be started or believed is not tried again.
func (g *Ground) Browser(ctx context.Context, p browser.Profile) (*Started, error) {
	b := g.browsers
	b.mu.Lock()
	s := b.all[p.Name]
	if s == nil {
		s = &Started{}
		b.all[p.Name] = s
	}
	b.mu.Unlock()
	s.once.Do(func() { s.err = b.start(ctx, p, s) })
	return s, s.err
}

// launching is how long a browser may take to come up, on a busy machine, too.
const launching = 30 * time.Second

func (b *browsers) start(ctx context.Context, p browser.Profile, s *Started) error {
	work := b.ground.folder(p)
	if err := os.MkdirAll(work, 0o700); err != nil {
		return fmt.Errorf("make a folder for %s: %w", p.Name, err)
	}
	settings := b.ground.options.Settings
	l := browser.Launch{
		Profile: p, Executable: settings.Executables[p.Engine], SPKI: b.ground.Edge.SPKI(),
		DriverDir: filepath.Join(settings.StateDir, "playwright"),
		Headed:    settings.Headed, SlowMoMillis: settings.SlowMo, WorkDir: work,
		Endpoint: browser.Endpoint{URL: settings.Elsewhere.URL, Capabilities: settings.Elsewhere.Capabilities, Port: settings.Elsewhere.Port},
	}
	limited, cancel := context.WithTimeoutCause(ctx, launching, fmt.Errorf("nothing within %s", launching))
	defer cancel()
	var err error
	if s.Browser, err = drivers.Start(limited, l); err != nil {
		return err // drivers say what they were to start
	}
	var changing string
	if p.Engine == browser.Chromium.Engine {
		changing = settle(ctx, addresses, trialLimit)
	}
	s.Capability, err = capability.Measure(ctx, b.opener(s.Browser), b.ground.Target.Measured(), work)
	if err != nil && changing != "" {
		err = fmt.Errorf("%w (the machine's network is changing: after %s still on trial: %s)", err, trialLimit, changing)
	}
	if err != nil {
		return fmt.Errorf("measure what %s does with cookies: %w", p.Name, err)
	}
	if err := capability.Believe(p, s.Browser.Version(), s.Capability); err != nil {
		return err
	}
	if told := b.ground.options.Started; told != nil {
		told(s.Browser, s.Capability)
	}
	return nil
}

// opener opens sessions for the probe, each with an edge listener of its own.
func (b *browsers) opener(browse browser.Browser) capability.Opener {
	return func(ctx context.Context, keep string) (browser.Session, error) {
		rec := trace.NewRecorder(b.ground.options.Redactor, trace.Trace{})
		line, err := b.ground.Edge.Open(rec)
		if err != nil {
			return nil, err
		}
		s, err := browse.NewSession(ctx, browser.Options{Proxy: line.Proxy(), Keep: keep, Recorder: rec})
		if err != nil {
			return nil, errors.Join(err, line.Close())
		}
		return lined{s, line.Close}, nil
	}
}

// lined is a session that takes its line with it.
type lined struct {
	browser.Session
	line func() error
}

// Close ends both.
func (l lined) Close(ctx context.Context) error { return errors.Join(l.Session.Close(ctx), l.line()) }

// close ends every browser that was started.
func (b *browsers) close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	var errs []error
	for _, s := range b.all {
		if s.Browser != nil {
			errs = append(errs, s.Browser.Close())
		}
	}
	return errors.Join(errs...)
}
