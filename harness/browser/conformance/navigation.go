package conformance

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"crossing/harness/browser"
	"crossing/harness/trace"
)

func (b *bench) navigation(t *testing.T) {
	t.Run("arrives", func(t *testing.T) {
		v := b.visit(t)
		v.goTo(front + "/plain")
		v.wantURL(front + "/plain")
		if title := eval[string](v, v.page, `() => document.title`, nil); title != "plain" {
			t.Errorf("title %q, want plain", title)
		}
		if !eval[bool](v, v.page, `() => isSecureContext`, nil) {
			t.Error("the page is no secure context: the edge is not trusted")
		}
	})
	t.Run("a redirect within the origin is an arrival", func(t *testing.T) {
		v := b.visit(t)
		v.goTo(front + "/moved")
		v.wantURL(front + "/plain")
	})
	t.Run("a redirect to another origin is none", func(t *testing.T) {
		v := b.visit(t)
		v.notArrived(front+"/away", stranger)
	})
	t.Run("a page that answers 500 is an arrival", func(t *testing.T) {
		v := b.visit(t)
		v.goTo(front + "/broken")
		if title := eval[string](v, v.page, `() => document.title`, nil); title != "broken" {
			t.Errorf("title %q, want broken", title)
		}
	})
	t.Run("an unknown host is none, and the page lives on", func(t *testing.T) {
		v := b.visit(t)
		v.notArrived(nowhere+"/plain", nowhere)
		v.goTo(front + "/plain")
		v.notArrived(nowhere+"/plain", nowhere)
		v.goTo(back + "/plain")
		v.wantURL(back + "/plain")
	})
	t.Run("a refused connection is none", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		defer cancel()
		recorder := trace.NewRecorder(b.redactor, trace.Trace{Spec: t.Name()})
		v := open(t, ctx, b.browser, "http://"+closedPort(t), recorder)
		v.notArrived(front+"/plain", front)
	})
	t.Run("a page that never answers ends with the context", func(t *testing.T) {
		v := b.visit(t)
		ctx, cancel := context.WithTimeout(v.ctx, time.Second)
		defer cancel()
		err := promptly(t, "a navigation limited to 1 s", func() error {
			return v.page.Goto(ctx, front+"/hang")
		})
		if !errors.Is(err, browser.ErrNotArrived) && !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("want ErrNotArrived or the context's end, got %v", err)
		}
	})
	t.Run("reload", func(t *testing.T) {
		v := b.visit(t)
		v.goTo(front + "/visits")
		first := v.text(v.page, "#visits")
		eval[bool](v, v.page, `() => window.mark = true`, nil)
		if err := v.page.Reload(v.ctx); err != nil {
			t.Fatalf("reload: %v", err)
		}
		v.wantURL(front + "/visits")
		if again := v.text(v.page, "#visits"); again == first {
			t.Errorf("the page was not asked for again: visit %s both times", first)
		}
		if eval[bool](v, v.page, `() => 'mark' in window`, nil) {
			t.Error("the document outlived the reload")
		}
	})
	t.Run("a reload that fails is none", b.failedReload)
}

// failedReload opens a page on a line that then closes, so that the reload
// finds nobody.
func (b *bench) failedReload(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	recorder := trace.NewRecorder(b.redactor, trace.Trace{Spec: t.Name()})
	line, err := b.edge.Open(recorder)
	if err != nil {
		t.Fatalf("open a line: %v", err)
	}
	v := open(t, ctx, b.browser, line.Proxy(), recorder)
	v.goTo(front + "/plain")
	if err := line.Close(); err != nil {
		t.Fatalf("close the line: %v", err)
	}
	if err := v.page.Reload(ctx); !errors.Is(err, browser.ErrNotArrived) {
		t.Errorf("reload without a network: want ErrNotArrived, got %v", err)
	}
}

func (v *visitor) wantURL(want string) {
	v.t.Helper()
	got, err := v.page.URL(v.ctx)
	if err != nil {
		v.t.Fatalf("ask for the URL: %v", err)
	}
	if got != want {
		v.t.Errorf("the page is at %s, want %s", got, want)
	}
}

// notArrived goes to url and wants ErrNotArrived, its message with word in it.
func (v *visitor) notArrived(url, word string) {
	v.t.Helper()
	err := v.page.Goto(v.ctx, url)
	if !errors.Is(err, browser.ErrNotArrived) {
		v.t.Fatalf("go to %s: want ErrNotArrived, got %v", url, err)
	}
	if !strings.Contains(err.Error(), word) {
		v.t.Errorf("the error does not name %s: %v", word, err)
	}
}

// text returns the text of the first element that fits.
func (v *visitor) text(in browser.Scope, selector string) string {
	v.t.Helper()
	attributes, err := in.Attributes(v.ctx, selector)
	if err != nil {
		v.t.Fatalf("read %s: %v", selector, err)
	}
	return attributes[""]
}

// closedPort returns an address on loopback where nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
