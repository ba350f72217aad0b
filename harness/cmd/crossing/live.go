package main

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	"crossing/harness/target"
	"crossing/harness/trace"
	"crossing/harness/visit"
)

// live tells of one visitor's exchanges as they happen, a line each, and
// explains the loss of a session when it sees one.
type live struct {
	show     *progress
	contract target.Contract
	visitor  *visit.Visitor

	loss loss
	work sync.WaitGroup
}

func newLive(show *progress, c target.Contract, v *visit.Visitor) *live {
	return &live{show: show, contract: c, visitor: v, loss: loss{contract: c, keepsCookie: v.KeepsCookie()}}
}

// follow returns when ctx ends and the last explanation has been told.
func (l *live) follow(ctx context.Context) {
	l.visitor.Recorder.Follow(ctx, func(e trace.Exchange) {
		if e.Outside || strings.HasPrefix(e.Path, trace.ReservedPath) {
			return // the harness's own: the control, and what it asks to explain
		}
		l.show.Say("%s", line(e))
		switch l.loss.see(e) {
		case sessionLost:
			l.explain(ctx)
		case sessionDoubted:
			l.doubt(ctx)
		}
	}, func(f trace.Refusal) {
		if strings.Contains(f.URL, trace.ReservedPath) {
			return
		}
		l.show.Say("%s  ✗ the browser refused to %s %s: %s (%s)", clock(f.Time), f.Direction, f.Cookie, strings.Join(f.Reasons, ", "), f.URL)
	})
	l.work.Wait()
}

// doubting is how long a page that is not signed in by cookie may take to ask
// once more with its token.
const doubting = 2 * time.Second

// doubt waits whether the page finds the session by other credentials.
func (l *live) doubt(ctx context.Context) {
	turn := l.loss.turn()
	l.work.Go(func() {
		select {
		case <-time.After(doubting):
		case <-ctx.Done():
			return
		}
		if l.loss.confirm(turn) {
			l.tell(ctx)
		}
	})
}

// explain does not hold up the lines that follow.
func (l *live) explain(ctx context.Context) { l.work.Go(func() { l.tell(ctx) }) }

func (l *live) tell(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), visit.Looking)
	defer cancel()
	d, notes := l.visitor.Explain(ctx)
	var b strings.Builder
	fmt.Fprintf(&b, "\n  THE SESSION WAS LOST\n%s\n", indent(d.String(), "  "))
	for _, note := range notes {
		fmt.Fprintf(&b, "  (%v)\n", note)
	}
	l.show.Say("%s", l.visitor.Recorder.Redactor().Scrub(b.String()))
}

func indent(text, by string) string {
	return by + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n"+by)
}

// Widths of the columns, in characters: a longer path is cut in its middle.
const (
	methodWidth   = 7
	placeWidth    = 46
	instanceWidth = 10
)

// line is an exchange in columns: when, method, origin's role and path, status,
// who answered, how long it took, and what of cookies and credentials went
// either way, by name and the first digits of a digest.
func line(e trace.Exchange) string {
	instance := e.Instance
	if instance == "" {
		instance = "edge"
	}
	status := fmt.Sprint(e.Status)
	if e.Status == 0 {
		status = "–"
	}
	text := fmt.Sprintf("%s  %-*s %-*s %3s  %-*s %5.0f ms", clock(e.Time), methodWidth, e.Method,
		placeWidth, cut(string(e.Role)+" "+e.Path, placeWidth), status, instanceWidth, instance, e.Millis)
	return strings.TrimRight(text+"  "+strings.Join(carried(e), "  "), " ")
}

func clock(t time.Time) string { return t.Local().Format("15:04:05.000") }

// cut keeps the beginning and the end of a text that is too long.
func cut(text string, width int) string {
	long := []rune(text)
	if len(long) <= width {
		return text
	}
	head := width / 2
	return string(long[:head]) + "…" + string(long[len(long)-(width-head-1):])
}

// carried are the words after the columns.
func carried(e trace.Exchange) []string {
	var words []string
	for _, c := range e.Request.Cookies {
		words = append(words, "→ "+short(c.Name, c.Digest))
	}
	if t := e.Request.Token; t != nil {
		words = append(words, "→ "+short("bearer", t.Digest))
	}
	for _, c := range e.Response.SetCookies {
		words = append(words, "← "+short(c.Name, c.Digest)+attributes(c))
	}
	if e.Status == http.StatusOK && e.Response.Body == "null" {
		words = append(words, "null")
	}
	if e.Fault != "" {
		words = append(words, "fault: "+e.Fault)
	}
	if e.Err != "" {
		words = append(words, e.Err)
	}
	return words
}

// attributes are those that decide whether a cookie crosses domains.
func attributes(c trace.SetCookie) string {
	var all []string
	if c.Removes() {
		all = append(all, "removed")
	}
	if c.SameSite != "" {
		all = append(all, "SameSite="+c.SameSite)
	}
	if c.Secure {
		all = append(all, "Secure")
	}
	if c.Partitioned {
		all = append(all, "Partitioned")
	}
	if len(all) == 0 {
		return ""
	}
	return " (" + strings.Join(all, "; ") + ")"
}

// prefix is what cookie names of one application have in common.
var prefix = regexp.MustCompile(`^(__Secure-|__Host-)?([A-Za-z0-9_-]+\.)?`)

// short is a name without what it shares with others, and six digits of the
// digest, enough to tell two values of one visit apart.
func short(name, digest string) string {
	_, digits, found := strings.Cut(digest, ":")
	if !found {
		digits = digest
	}
	return prefix.ReplaceAllString(name, "") + "·" + digits[:min(6, len(digits))]
}
