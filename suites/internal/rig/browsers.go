package rig

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	. "github.com/onsi/ginkgo/v2"

	"crossing/harness/browser"
	"crossing/harness/browser/capability"
	"crossing/harness/browser/playwright"
	"crossing/harness/browser/webdriver"
	"crossing/harness/trace"
)

// browsers starts a profile's browser when the first visitor needs it, and
// measures the profile then.
type browsers struct {
	rig *Rig

	mu  sync.Mutex
	all map[string]*started
}

type started struct {
	once       sync.Once
	browser    browser.Browser
	capability trace.Capability
	err        error
}

func newBrowsers(r *Rig) *browsers { return &browsers{rig: r, all: map[string]*started{}} }

// get returns the running browser of a profile. Its error is the same for
// every spec: a browser that could not be started or believed is not tried
// again.
func (b *browsers) get(ctx context.Context, p browser.Profile) (*started, error) {
	b.mu.Lock()
	s := b.all[p.Name]
	if s == nil {
		s = &started{}
		b.all[p.Name] = s
	}
	b.mu.Unlock()
	s.once.Do(func() { s.err = b.start(ctx, p, s) })
	return s, s.err
}

func (b *browsers) start(ctx context.Context, p browser.Profile, s *started) error {
	r := b.rig
	work := filepath.Join(r.run.Dir, p.Name)
	if err := os.MkdirAll(work, 0o700); err != nil {
		return fmt.Errorf("make a folder for %s: %w", p.Name, err)
	}
	l := browser.Launch{
		Profile: p, Executable: r.settings.Executables[p.Engine], SPKI: r.edge.SPKI(),
		DriverDir: filepath.Join(r.settings.StateDir, "playwright"),
		Headed:    r.settings.Headed, SlowMoMillis: r.settings.SlowMo, WorkDir: work,
	}
	var err error
	if _, own := playwright.Installed(l.DriverDir, p.Engine); p.Engine == "webkit" && !own {
		s.browser, err = webdriver.StartWebKit(ctx, l)
	} else {
		s.browser, err = playwright.Start(ctx, l)
	}
	if err != nil {
		return fmt.Errorf("start %s: %w", p.Name, err)
	}
	s.capability, err = capability.Measure(ctx, b.opener(s.browser), r.target.Origins, work)
	if err != nil {
		return fmt.Errorf("measure what %s does with cookies: %w", p.Name, err)
	}
	r.facts.profile(s.browser, s.capability)
	return nil
}

// opener opens sessions for the probe, each with an edge listener of its own.
func (b *browsers) opener(browse browser.Browser) capability.Opener {
	return func(ctx context.Context, keep string) (browser.Session, error) {
		rec := trace.NewRecorder(b.rig.redactor, trace.Trace{})
		line, err := b.rig.edge.Open(rec)
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

// Close ends every browser that was started.
func (b *browsers) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	var errs []error
	for _, s := range b.all {
		if s.browser != nil {
			errs = append(errs, s.browser.Close())
		}
	}
	return errors.Join(errs...)
}

// Profiles are the entries for a DescribeTableSubtree: every profile, with its
// name as its label, by which the command line chooses.
func Profiles() []TableEntry {
	var entries []TableEntry
	for _, p := range browser.Profiles() {
		entries = append(entries, Entry(p.Name, Label(p.Name), p))
	}
	return entries
}

// AnyProfile labels a spec that concerns no browser, so that it runs whichever
// profile was chosen.
func AnyProfile() Labels {
	var all Labels
	for _, p := range browser.Profiles() {
		all = append(all, p.Name)
	}
	return all
}

// inapplicable begins the message of a skip that measuring decided; reports
// count these apart.
const inapplicable = "not applicable: "

// NotApplicable ends the spec: it has no meaning here, and why.
func NotApplicable(format string, args ...any) {
	Skip(inapplicable+fmt.Sprintf(format, args...), 1)
}
