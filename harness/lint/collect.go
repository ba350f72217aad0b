package lint

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"crossing/harness/journey"
	"crossing/harness/observe"
	"crossing/harness/trace"
)

// collector asks; it draws no conclusion but what must be asked next.
type collector struct {
	Options
	a      *Answers
	voices []*voice // one per auth instance
	extra  []*voice
	who    journey.Person
	// cookies are an instance's own, as a Cookie header; session is the session
	// cookie alone, bearer its set-auth-token, tokens its JWT: plain values.
	cookies, session, bearer, tokens map[string]string
}

// Collect asks a target everything that Judge judges. It signs one person up
// (or in), and out again. What is not answered is no error: it is what was
// answered. An error means that nothing could be asked.
func Collect(ctx context.Context, o Options) (a *Answers, err error) {
	t := o.Target
	c := &collector{
		Options: o, who: o.Account,
		a: &Answers{
			Name: t.Name, Subject: t.Subject(), Contract: t.Contract, Remote: t.Remote(), Begun: time.Now(),
			Auth: names(o.Observer.Auth, o.Edge.Upstreams(trace.RoleAuth)), API: names(o.Observer.API, o.Edge.Upstreams(trace.RoleAPI)),
		},
		cookies: map[string]string{}, session: map[string]string{}, bearer: map[string]string{}, tokens: map[string]string{},
	}
	if c.who.Email == "" {
		c.who = journey.NewPerson("lint")
	}
	c.a.Person = c.who.Email
	o.Redactor.Learn(c.who.Password)
	defer func() {
		for _, v := range append(c.voices, c.extra...) {
			err = errors.Join(err, v.close())
		}
	}()
	for _, instance := range c.a.Auth {
		v, err := c.raise(instance, "")
		if err != nil {
			return nil, err
		}
		c.voices = append(c.voices, v)
	}
	for _, part := range []struct {
		what string
		ask  func(context.Context) error
	}{
		{"the frontend and each instance's readiness", c.surroundings},
		{"sign-up and sign-in", c.entries},
		{"whom each instance takes each cookie for", c.sessions},
		{"tokens and keys", c.tokensAndKeys},
		{"origins: the frontend's, with a slash, a stranger's, null", c.origins},
		{"the api", c.api},
		{"what the database holds", c.database},
		{"sign-out", c.leaving},
		{"rate limits", c.limits},
		{"certificates", c.certificates},
	} {
		if o.Progress != nil {
			o.Progress("ask for " + part.what)
		}
		if err := part.ask(ctx); err != nil {
			return nil, fmt.Errorf("ask for %s: %w", part.what, err)
		}
	}
	return c.a, nil
}

// names of instances that can be told apart, else of the one upstream.
func names(known []observe.Instance, upstreams []string) []string {
	if len(known) == 0 {
		return upstreams
	}
	var out []string
	for _, i := range known {
		out = append(out, i.Name)
	}
	return out
}

// raise opens a line to one instance of each; it is closed with the collector.
func (c *collector) raise(auth, api string) (*voice, error) {
	head := trace.Trace{Visitor: "lint", Subject: c.a.Subject}
	return raise(c.Edge, c.Redactor, head, map[trace.Role]string{trace.RoleAuth: auth, trace.RoleAPI: api})
}

// ask asks an instance, and files the answer.
func (c *collector) ask(ctx context.Context, v *voice, question, of, to string, q request) (heard, error) {
	h, err := v.ask(ctx, q)
	if err == nil {
		c.a.Asked = append(c.a.Asked, Answer{Question: question, Of: of, To: to, Exchange: h.Exchange})
	}
	return h, err
}

// auth asks the auth instance of voice i in the frontend's name, unless the
// header says another.
func (c *collector) auth(ctx context.Context, i int, question, of string, q request) (heard, error) {
	q.origin = c.Target.Origins.Auth
	if q.method == "" {
		q.method = http.MethodGet
	}
	if _, given := q.header["Origin"]; !given {
		header := from(c.Target.Origins.Frontend)
		for name, value := range q.header {
			header[name] = value
		}
		q.header = header
	}
	return c.ask(ctx, c.voices[i], question, of, c.a.Auth[i], q)
}

func (c *collector) observe(o trace.Observation) {
	o.Time = time.Now()
	o.Detail = c.Redactor.Scrub(o.Detail)
	c.a.Observed = append(c.a.Observed, o)
}

// surroundings are the frontend, and what each instance says of itself.
func (c *collector) surroundings(ctx context.Context) error {
	t := c.Target
	if _, err := c.ask(ctx, c.voices[0], qHome, "", "frontend", request{
		method: http.MethodGet, origin: t.Origins.Frontend, path: orSlash(t.Contract.Pages.Home), header: document}); err != nil {
		return err
	}
	if path := t.Contract.FallbackSetting.Path; path != "" {
		if _, err := c.ask(ctx, c.voices[0], qSetting, "", "frontend", request{
			method: http.MethodGet, origin: t.Origins.Frontend, path: path, header: map[string]string{"Accept": "application/json"}}); err != nil {
			return err
		}
	}
	for i, instance := range c.Observer.Auth {
		if _, err := c.auth(ctx, i, qHealth, "", request{path: instance.Ready}); err != nil {
			return err
		}
	}
	for _, instance := range c.Observer.API {
		v, err := c.raise("", instance.Name)
		if err != nil {
			return err
		}
		c.extra = append(c.extra, v)
		if _, err := c.ask(ctx, v, qHealth, "", instance.Name, request{method: http.MethodGet, origin: t.Origins.API, path: instance.Ready}); err != nil {
			return err
		}
	}
	return nil
}

// entries sign the person up at the first instance that lets her, and in at
// all of them: each must make the same cookie.
func (c *collector) entries(ctx context.Context) error {
	paths := c.Target.Contract.Paths
	up := map[string]string{"name": "Lint", "email": c.who.Email, "password": c.who.Password}
	in := map[string]string{"email": c.who.Email, "password": c.who.Password}
	for i := range c.voices {
		if c.Account.Email != "" {
			break
		}
		made, err := c.enter(ctx, i, qSignUp, paths.SignUp, up)
		if err != nil {
			return err
		}
		if made {
			break
		}
	}
	for i := range c.voices {
		if _, err := c.enter(ctx, i, qSignIn, paths.SignIn, in); err != nil {
			return err
		}
	}
	return nil
}

// enter asks in the frontend's name and, where that is what is refused, in the
// service's own: the rest can be checked then all the same.
func (c *collector) enter(ctx context.Context, i int, question, path string, body map[string]string) (bool, error) {
	h, err := c.auth(ctx, i, question, ofFrontend, request{method: http.MethodPost, path: path, json: body})
	if err != nil {
		return false, err
	}
	if h.Status == http.StatusForbidden {
		h, err = c.auth(ctx, i, question, ofOwn, request{method: http.MethodPost, path: path, json: body, header: from(c.Target.Origins.Auth)})
		if err != nil {
			return false, err
		}
	}
	if h.Status >= 300 {
		return false, nil
	}
	c.keep(c.a.Auth[i], h)
	return true, nil
}

// keep takes what a page and its browser would keep.
func (c *collector) keep(instance string, h heard) {
	jar := ""
	for _, cookie := range h.set {
		if cookie.MaxAge < 0 || cookie.Value == "" {
			continue
		}
		pair := cookie.Name + "=" + cookie.Value
		if jar != "" {
			jar += "; "
		}
		jar += pair
		if sameStem(cookie.Name, c.a.Subject.Cookie.Name) {
			c.session[instance] = pair
		}
	}
	c.cookies[instance] = jar
	if token := h.plain.Get("set-auth-token"); token != "" {
		c.bearer[instance] = token
	}
}
