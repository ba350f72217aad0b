package visit

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"crossing/harness/edge"
	"crossing/harness/journey"
	"crossing/harness/target"
	"crossing/harness/trace"
)

// Caller asks an application by HTTP, without a browser, for what concerns
// none: through the edge, under the origins' real names, from an address of
// their own, and without a jar. All of it is recorded as asked from outside.
type Caller struct {
	Recorder *trace.Recorder
	// Line is the caller's way through the edge.
	Line *edge.Line

	target *target.Target
	edge   *edge.Edge
	pace   *Pace
	own    bool // the line is the caller's own, to be closed
}

// Question is one request of a Caller.
type Question struct {
	// Method is GET where it is empty.
	Method string
	URL    string
	// Origin is the header of that name; empty: none is sent.
	Origin string
	// Session is the plain value of a session cookie; Bearer goes into
	// Authorization.
	Session, Bearer string
	// Header is added as it is.
	Header http.Header
	// Body is sent as JSON, nil is none. Content is sent as it is, in place of
	// it, and Type says what it is.
	Body    any
	Content []byte
	Type    string
	// Instance answers, by its name; empty: whose turn it is.
	Instance string
}

// Caller makes a caller; whoever calls it calls Close.
func (g *Ground) Caller(spec, name string) (*Caller, error) {
	return g.CallerBy(g.Edge, spec, name)
}

// CallerBy makes one who comes by another edge, with the same redactor.
func (g *Ground) CallerBy(by *edge.Edge, spec, name string) (*Caller, error) {
	rec := trace.NewRecorder(g.options.Redactor, trace.Trace{
		Run: g.options.Run.ID, Spec: spec, Visitor: name, Profile: trace.NoBrowser, Subject: g.Target.Subject(),
	})
	line, err := by.Open(rec)
	if err != nil {
		return nil, err
	}
	return &Caller{Recorder: rec, Line: line, target: g.Target, edge: by, pace: g.options.Pace, own: true}, nil
}

// Outside is a caller who comes by the visitor's own line, from the same
// address and through the same faults, but not out of the browser.
func (v *Visitor) Outside() *Caller {
	return &Caller{Recorder: v.Recorder, Line: v.Line, target: v.ground.Target, edge: v.ground.Edge, pace: v.ground.options.Pace}
}

// Instances are the names of those who answer for a role, in their order.
func (c *Caller) Instances(role trace.Role) []string { return c.edge.Upstreams(role) }

// Ask sends a question, reads the answer to its end, and returns what the
// edge recorded of it. A status is an answer, whatever it says.
func (c *Caller) Ask(ctx context.Context, q Question) (trace.Exchange, error) {
	e, _, _, err := c.ask(ctx, q)
	return e, err
}

func (c *Caller) ask(ctx context.Context, q Question) (trace.Exchange, *http.Response, []byte, error) {
	req, err := c.request(ctx, q)
	if err != nil {
		return trace.Exchange{}, nil, nil, err
	}
	origin, path := req.URL.Scheme+"://"+req.URL.Host, req.URL.Path
	if role := c.target.Origins.Role(origin); q.Instance != "" {
		defer c.Line.Pin(role, q.Instance)()
	}
	began := time.Now()
	res, err := c.Line.Client().Do(req)
	if err != nil {
		return trace.Exchange{}, nil, nil, fmt.Errorf("ask from outside: %w", err)
	}
	body, err := io.ReadAll(res.Body)
	_ = res.Body.Close() // it has been read, or there is a better error
	if err != nil {
		return trace.Exchange{}, nil, nil, fmt.Errorf("read the answer of %s: %w", q.URL, err)
	}
	e, err := c.Recorder.Await(ctx, began, req.Method+" "+q.URL, func(e trace.Exchange) bool {
		return e.Outside && e.Method == req.Method && e.Origin == origin && e.Path == path
	})
	return e, res, body, err
}

func (c *Caller) request(ctx context.Context, q Question) (*http.Request, error) {
	if q.Method == "" {
		q.Method = http.MethodGet
	}
	body := q.Content
	if q.Body != nil {
		var err error
		if body, err = json.Marshal(q.Body); err != nil {
			return nil, fmt.Errorf("write a question's body: %w", err)
		}
		q.Type = "application/json"
	}
	req, err := http.NewRequestWithContext(ctx, q.Method, q.URL, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("ask from outside: %w", err)
	}
	for name, values := range q.Header {
		req.Header[http.CanonicalHeaderKey(name)] = values
	}
	for name, value := range map[string]string{"Origin": q.Origin, "Authorization": bearer(q.Bearer), "Content-Type": q.Type} {
		if value != "" {
			req.Header.Set(name, value)
		}
	}
	if session := c.cookie(q.Session); session != "" {
		req.Header.Set("Cookie", strings.Join(append(req.Header.Values("Cookie"), session), "; "))
	}
	return req, nil
}

func bearer(value string) string {
	if value == "" {
		return ""
	}
	return "Bearer " + value
}

func (c *Caller) cookie(value string) string {
	if value == "" {
		return ""
	}
	return c.target.Contract.Cookie.Name + "=" + value
}

// SignUp makes a new person, and returns the session cookie's plain value.
func (c *Caller) SignUp(ctx context.Context, who journey.Person) (string, error) {
	return c.enter(ctx, c.target.Contract.Paths.SignUp, c.target.Contract.Requests.SignUp, who)
}

// SignIn opens another session of a person, and returns its cookie's plain
// value.
func (c *Caller) SignIn(ctx context.Context, who journey.Person) (string, error) {
	return c.enter(ctx, c.target.Contract.Paths.SignIn, c.target.Contract.Requests.SignIn, who)
}

// ToSignIn is the question by which a person signs in, ToSignOut the one by
// which a session is ended: as the contract has them, from the frontend, with a
// fresh token against forged requests where there is one.
func (c *Caller) ToSignIn(ctx context.Context, who journey.Person) (Question, error) {
	return c.to(ctx, c.target.Contract.Paths.SignIn, c.target.Contract.Requests.SignIn, who)
}

// ToSignOut is ToSignIn's counterpart; the session is the caller's to add.
func (c *Caller) ToSignOut(ctx context.Context) (Question, error) {
	return c.to(ctx, c.target.Contract.Paths.SignOut, c.target.Contract.Requests.SignOut, journey.Person{})
}

// Remove deletes a person's account, by a session of theirs that is given or,
// where that has ended, by a new one. Without an endpoint for it in the contract
// it does nothing, and says so.
func (c *Caller) Remove(ctx context.Context, who journey.Person, session string) (removed bool, err error) {
	path, as := c.target.Contract.Paths.DeleteAccount, c.target.Contract.Requests.DeleteAccount
	if path == "" {
		return false, nil
	}
	for _, value := range []string{session, ""} {
		if value == "" {
			if value, err = c.SignIn(ctx, who); err != nil {
				return false, err
			}
		}
		q, err := c.to(ctx, path, as, who)
		if err != nil {
			return false, err
		}
		q.Session = value
		e, err := c.Ask(ctx, q)
		if err != nil {
			return false, err
		}
		if e.Status == as.Answered {
			return true, nil
		}
		if e.Status != as.Refused {
			return false, fmt.Errorf("delete an account: %s %s answers %d %s", as.Method, path, e.Status, e.Response.Body)
		}
	}
	return false, fmt.Errorf("delete an account: %s %s answers %d to a session just opened", as.Method, path, as.Refused)
}

func (c *Caller) to(ctx context.Context, path string, as target.Request, who journey.Person) (Question, error) {
	c.Recorder.Redactor().Learn(who.Password)
	o := c.target.Origins
	if path == c.target.Contract.Paths.SignIn || path == c.target.Contract.Paths.SignUp {
		if err := c.pace.Await(ctx, path); err != nil {
			return Question{}, err
		}
	}
	q := Question{Method: as.Method, URL: o.Auth + path, Origin: o.Frontend, Header: http.Header{}}
	for name, value := range as.Headers {
		q.Header.Set(name, value)
	}
	csrf, cookies, err := c.csrf(ctx)
	if err != nil {
		return q, err
	}
	if len(cookies) > 0 {
		q.Header.Set("Cookie", strings.Join(cookies, "; "))
	}
	q.Type, q.Content, err = as.Content(target.Blanks{Name: who.Name, Email: who.Email, Password: who.Password, CSRF: csrf})
	return q, err
}

// csrf fetches a token against forged requests, and the cookies that belong to
// it; a contract without one gives neither.
func (c *Caller) csrf(ctx context.Context) (token string, cookies []string, err error) {
	from := c.target.Contract.Requests.CSRF
	if from.Path == "" {
		return "", nil, nil
	}
	o := c.target.Origins
	_, res, body, err := c.ask(ctx, Question{URL: o.Auth + from.Path, Origin: o.Frontend})
	if err != nil {
		return "", nil, err
	}
	var fields map[string]any
	if json.Unmarshal(body, &fields) == nil {
		token, _ = fields[from.Field].(string)
	}
	if token == "" {
		return "", nil, fmt.Errorf("GET %s answers %d without the field %q, where contract.requests.csrf has the token against forged requests", from.Path, res.StatusCode, from.Field)
	}
	c.Recorder.Redactor().Learn(token)
	for _, cookie := range res.Cookies() {
		cookies = append(cookies, cookie.Name+"="+cookie.Value)
	}
	return token, cookies, nil
}

func (c *Caller) enter(ctx context.Context, path string, as target.Request, who journey.Person) (string, error) {
	q, err := c.to(ctx, path, as, who)
	if err != nil {
		return "", err
	}
	e, res, _, err := c.ask(ctx, q)
	if err != nil {
		return "", err
	}
	for _, cookie := range res.Cookies() {
		if cookie.Name == c.target.Contract.Cookie.Name && e.Status == as.Answered {
			return cookie.Value, nil
		}
	}
	return "", fmt.Errorf("enter from outside: %w", &RefusedError{Call: as.Method + " " + path, Status: e.Status, Body: e.Response.Body, Cookie: c.target.Contract.Cookie.Name})
}

// RefusedError is a sign-up or a sign-in after which nobody is in.
type RefusedError struct {
	Call   string
	Status int
	Body   string
	Cookie string // the one that was not set
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("%s answers %d %s and sets no cookie %q", e.Call, e.Status, e.Body, e.Cookie)
}

// Close ends the caller's own line.
func (c *Caller) Close() error {
	if !c.own {
		return nil
	}
	return c.Line.Close()
}
