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
	keep    string
}

// cannot is an error of what has no meaning on this engine.
type cannot struct{ why string }

// Error is the reason.
func (c *cannot) Error() string { return c.why }

func (b *Bench) line() (*stay, error) {
	s := &stay{bench: b, rec: trace.NewRecorder(b.redactor, trace.Trace{})}
	var err error
	s.line, err = b.edge.Open(s.rec)
	return s, err
}

// begin opens a line and a session on it, and proves its policy.
func (b *Bench) begin(ctx context.Context, kept bool) (_ *stay, err error) {
	s, err := b.line()
	if err != nil {
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
	if err := s.open(ctx); errors.Is(err, errors.ErrUnsupported) {
		return nil, &cannot{"under automation its profile is always ephemeral"}
	} else if err != nil {
		return nil, err
	}
	seen, err := capability.Control(ctx, s.page, origins)
	if err != nil {
		return nil, err
	}
	return s, seen.Holds(b.Browser.Profile(), b.Browser.Version())
}

// sharing is the session of all that need none of their own.
func (b *Bench) sharing(ctx context.Context) (*stay, error) {
	if b.shared != nil {
		return b.shared, nil
	}
	s, err := b.begin(ctx, false)
	if err == nil {
		b.shared = s
	}
	return s, err
}

// open starts the session and opens its page.
func (s *stay) open(ctx context.Context) (err error) {
	if err := s.start(ctx, s.keep); err != nil {
		return err
	}
	s.page, err = s.session.NewPage(ctx)
	return err
}

func (s *stay) start(ctx context.Context, keep string) (err error) {
	s.session, err = s.bench.Browser.NewSession(ctx, browser.Options{Proxy: s.line.Proxy(), Keep: keep, Recorder: s.rec})
	return err
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
