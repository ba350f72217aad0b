package behaviour

import (
	"context"
	"errors"
	"os"

	"crossing/harness/browser"
	"crossing/harness/browser/capability"
	"crossing/harness/edge"
	"crossing/harness/trace"
)

// stay is a session with its line and all that is recorded of it.
type stay struct {
	bench   *Bench
	line    *edge.Line
	rec     *trace.Recorder
	session browser.Session
	page    browser.Page
	open    string // the address that was opened last, where nothing led on from it
	keep    string
}

// cannot is an error of what has no meaning on this engine.
type cannot struct{ why string }

// Error is the reason.
func (c *cannot) Error() string { return c.why }

// begin opens a line and a session on it, and proves its policy.
func (b *Bench) begin(ctx context.Context, kept bool) (_ *stay, err error) {
	s := &stay{bench: b, rec: trace.NewRecorder(b.redactor, trace.Trace{})}
	if s.line, err = b.edge.Open(s.rec); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.end(ctx))
		}
	}()
	if kept {
		if s.keep, err = os.MkdirTemp(b.work, "keep-"); err != nil {
			return nil, err
		}
	}
	if err := s.start(ctx); errors.Is(err, errors.ErrUnsupported) {
		return nil, &cannot{b.ephemeral()}
	} else if err != nil {
		return nil, err
	}
	seen, err := capability.Control(ctx, s.page, origins)
	if err != nil {
		return nil, err
	}
	return s, seen.Holds(b.Browser.Profile(), b.Browser.Version())
}

// ephemeral is why there is no profile to keep.
func (b *Bench) ephemeral() string {
	if b.Browser.Version().Elsewhere {
		return "its profile is kept elsewhere"
	}
	return "under automation its profile is always ephemeral"
}

// start begins the session and opens its page.
func (s *stay) start(ctx context.Context) (err error) {
	s.open = ""
	s.session, err = s.bench.Browser.NewSession(ctx, browser.Options{Proxy: s.line.Proxy(), Keep: s.keep, Recorder: s.rec})
	if err != nil {
		return err
	}
	s.page, err = s.session.NewPage(ctx)
	return err
}

// restart ends the browser and opens it with the profile that it kept.
func (s *stay) restart(ctx context.Context) error {
	if err := s.close(ctx); err != nil {
		return err
	}
	return s.start(ctx)
}

// close ends the session alone: what is kept stays.
func (s *stay) close(ctx context.Context) error {
	if s.session == nil {
		return nil
	}
	err := s.session.Close(ctx)
	s.session = nil
	return err
}

// end ends all of it.
func (s *stay) end(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer cancel()
	errs := []error{s.close(ctx), s.line.Close()}
	if s.keep != "" {
		errs = append(errs, os.RemoveAll(s.keep))
	}
	return errors.Join(errs...)
}
