// Package observe asks what only a plain value could tell: who signed this
// cookie, is there a row for it, what does each instance answer to it. It asks
// from outside the visitor's browser, in ways that neither heal nor harm the
// session, and stores answers, never the values. It draws no conclusion:
// package diagnose does.
package observe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"time"

	"crossing/harness/target"
	"crossing/harness/trace"
)

// Instance is a service instance that can be asked directly.
type Instance struct {
	Name string
	// URL is its address without the edge, "http://127.0.0.1:4711".
	URL string
	// Environment is what it was started with.
	Environment map[string]string
	// Ready is the path of its readiness.
	Ready string
}

// Observer asks on behalf of one run. The zero value of a part means that it
// cannot be asked, as with a remote target: then it is left out.
type Observer struct {
	Subject  trace.Subject
	Contract target.Contract
	Auth     []Instance
	API      []Instance
	Database *Database
	// Logs returns what an instance has written so far.
	Logs func(ctx context.Context, instance string) ([]byte, error)
}

// Close ends the connections to the database.
func (o *Observer) Close() {
	if o.Database != nil {
		o.Database.Close()
	}
}

// limit of one question: an observation must not hold up a failed spec.
const limit = 5 * time.Second

var client = &http.Client{
	Timeout: limit,
	// An answer is an answer: where it leads is not asked.
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// Look makes every observation that fits the trace so far, and adds the log
// lines of its requests. It returns an error only if ctx has ended.
func (o *Observer) Look(ctx context.Context, rec *trace.Recorder) error {
	t := rec.Snapshot()
	for _, i := range append(append([]Instance{}, o.Auth...), o.API...) {
		rec.Observe(o.health(ctx, i))
	}
	if o.Database != nil {
		rec.Observe(o.Database.alive(ctx))
	}
	if digest := inUse(t); digest != "" {
		if who := o.named(t); o.Database != nil && o.Database.queries.User != "" && who != "" {
			rec.Observe(o.Database.user(ctx, who))
		}
		if value, known := rec.Redactor().Reveal(digest); known {
			o.lookAtSession(ctx, rec, digest, value)
		}
	}
	if LastSession(t) == "" {
		o.lookAtForgery(rec, t)
	}
	if token := LastToken(t); token != nil {
		if plain, known := rec.Redactor().Reveal(token.Digest); known {
			rec.Observe(o.token(ctx, token.Digest, plain))
		}
	}
	o.addLogs(ctx, rec, t)
	return ctx.Err()
}

func (o *Observer) lookAtSession(ctx context.Context, rec *trace.Recorder, digest, value string) {
	// The row comes first: reading an expired session through the service
	// deletes its row.
	if o.Database != nil {
		rec.Observe(o.Database.row(ctx, digest, o.signature().Token(value)))
	}
	for _, i := range o.Auth {
		if secret := i.Environment[o.Contract.SigningSecret]; secret != "" && o.Contract.Signature != target.SignatureNone {
			rec.Observe(trace.Observation{
				Name: trace.ObserveSignature, Of: digest, Instance: i.Name, Answer: yesNo(o.signature().Signed(value, secret)),
			})
		}
	}
	for _, seen := range o.Sessions(ctx, digest, value) {
		rec.Observe(seen)
	}
}

// lookAtForgery looks whose secret made the cookie against forged requests that
// the browser was given last: where nobody got in, an instance may have refused
// another's.
func (o *Observer) lookAtForgery(rec *trace.Recorder, t trace.Trace) {
	digest, value := "", ""
	for _, e := range t.Exchanges {
		for _, c := range e.Response.SetCookies {
			if e.Role == trace.RoleAuth && o.signature().Forgery(c.Name) && !c.Removes() {
				digest = c.Digest
				value, _ = rec.Redactor().Reveal(digest)
			}
		}
	}
	for _, i := range o.Auth {
		if secret := i.Environment[o.Contract.SigningSecret]; secret != "" && value != "" {
			rec.Observe(trace.Observation{
				Name: trace.ObserveSignature, Of: digest, Instance: i.Name, Answer: yesNo(o.signature().MadeForgery(value, secret)),
			})
		}
	}
}

// Sessions asks every instance of the auth service, past the edge and the
// browser, whom it takes the bearer of a session cookie's value for.
func (o *Observer) Sessions(ctx context.Context, digest, value string) []trace.Observation {
	var all []trace.Observation
	for _, i := range o.Auth {
		all = append(all, o.session(ctx, i, digest, value))
	}
	return all
}

func yesNo(b bool) string {
	if b {
		return trace.AnswerYes
	}
	return trace.AnswerNo
}

// health asks an instance's readiness.
func (o *Observer) health(ctx context.Context, i Instance) trace.Observation {
	seen := trace.Observation{Name: trace.ObserveHealth, Instance: i.Name, Answer: trace.AnswerYes}
	status, body, err := get(ctx, i.URL+i.Ready, nil)
	switch {
	case err != nil:
		seen.Answer, seen.Detail = trace.AnswerFailed, err.Error()
	case status != http.StatusOK:
		seen.Answer, seen.Detail = trace.AnswerNo, fmt.Sprintf("%d %s", status, excerpt(body))
	}
	return seen
}

// session asks one instance, past the edge and the browser, whom it takes the
// cookie's bearer for. The refresh is switched off, so that asking does not
// lengthen the session (BetterAuth, get-session's disableRefresh).
func (o *Observer) session(ctx context.Context, i Instance, digest, value string) trace.Observation {
	seen := trace.Observation{Name: trace.ObserveSession, Of: digest, Instance: i.Name}
	name := o.Subject.Cookie.Name
	status, body, err := get(ctx, i.URL+o.Subject.Paths.Session+"?disableRefresh=true", map[string]string{
		"Cookie": name + "=" + value,
	})
	if err != nil {
		seen.Answer, seen.Detail = trace.AnswerFailed, err.Error()
		return seen
	}
	person, _ := o.Subject.SignedIn.Of(status, string(body))
	switch {
	case status != http.StatusOK:
		seen.Answer, seen.Detail = trace.AnswerFailed, fmt.Sprintf("%d %s", status, excerpt(body))
	case person != "":
		seen.Answer, seen.Detail = trace.AnswerPresent, person
	default:
		seen.Answer = trace.AnswerAbsent
	}
	return seen
}

// nobodys is an address of TEST-NET-3, which is no visitor's (RFC 5737), so that
// asking uses up nobody's share of the auth service's limiter. It is seldom the
// same: a long run asks hundreds of times, and BetterAuth's limiter counts on
// for as long as an address is heard of every 10 s.
func nobodys() string { return fmt.Sprintf("203.0.113.%d", 1+rand.IntN(254)) }

// signature is how the contract's session cookie is signed.
func (o *Observer) signature() Signature { return SignatureOf(o.Contract) }

// named is the address of whom the auth service named last.
func (o *Observer) named(t trace.Trace) string {
	for _, e := range slices.Backward(t.Exchanges) {
		if who, _ := o.Subject.SignedIn.Of(e.Status, e.Response.Body); who != "" && e.Role == trace.RoleAuth {
			return who
		}
	}
	return ""
}

// get reads at most 64 KiB.
func get(ctx context.Context, url string, header map[string]string) (int, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, nil, fmt.Errorf("ask %s: %w", url, err)
	}
	req.Header.Set("X-Forwarded-For", nobodys())
	for name, value := range header {
		req.Header.Set(name, value)
	}
	res, err := client.Do(req)
	if err != nil {
		return 0, nil, fmt.Errorf("ask %s: %w", url, errors.Unwrap(err))
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	if err != nil {
		return 0, nil, fmt.Errorf("read the answer of %s: %w", url, err)
	}
	return res.StatusCode, body, nil
}

func excerpt(body []byte) string {
	text := strings.TrimSpace(string(body))
	if len(text) > 200 {
		text = text[:200] + "…"
	}
	return text
}

// LastSession is the digest of the session cookie that was set last, by its
// name; a trace without one gives the last that was sent, or nothing.
func LastSession(t trace.Trace) string {
	name := t.Subject.Cookie.Name
	for _, e := range slices.Backward(t.Exchanges) {
		// Of several lines the last one is the newest.
		for _, c := range slices.Backward(e.Response.SetCookies) {
			if c.Name == name && c.Digest != "" && !c.Removes() {
				return c.Digest
			}
		}
	}
	for _, e := range slices.Backward(t.Exchanges) {
		for _, c := range e.Request.Cookies {
			if c.Name == name {
				return c.Digest
			}
		}
	}
	return ""
}

// inUse is the digest of the session that was set last or, where the browser
// has carried one as a bearer token since, of that.
func inUse(t trace.Trace) string {
	name := t.Subject.Cookie.Name
	for _, e := range slices.Backward(t.Exchanges) {
		if e.Role != trace.RoleAuth || e.Outside {
			continue
		}
		if tok := e.Request.Token; tok != nil && tok.Opaque {
			return tok.Digest
		}
		for _, c := range slices.Backward(e.Response.SetCookies) {
			if c.Name == name && !c.Removes() {
				return c.Digest
			}
		}
	}
	return LastSession(t)
}

// LastToken is the JWT that the auth service handed out last.
func LastToken(t trace.Trace) *trace.Token {
	for i := len(t.Exchanges) - 1; i >= 0; i-- {
		if e := t.Exchanges[i]; e.Role == trace.RoleAuth && e.Response.Token != nil {
			return e.Response.Token
		}
	}
	return nil
}

// addLogs adds the lines that name one of the trace's requests.
func (o *Observer) addLogs(ctx context.Context, rec *trace.Recorder, t trace.Trace) {
	if o.Logs == nil {
		return
	}
	ids := map[string]bool{}
	for _, e := range t.Exchanges {
		ids[e.ID] = true
	}
	for _, i := range append(append([]Instance{}, o.Auth...), o.API...) {
		text, err := o.Logs(ctx, i.Name)
		if err != nil {
			rec.Gap(fmt.Sprintf("the log of %s could not be read: %v", i.Name, err))
			continue
		}
		for line := range strings.Lines(string(text)) {
			var entry struct {
				Request string `json:"request"`
			}
			if json.Unmarshal([]byte(line), &entry) == nil && ids[entry.Request] {
				rec.Log(trace.LogLine{Instance: i.Name, Request: entry.Request, Text: strings.TrimSpace(line)})
			}
		}
	}
}
