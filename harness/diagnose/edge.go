package diagnose

import (
	"fmt"
	"slices"
	"strings"

	"crossing/harness/trace"
)

// edgeRules are the faults between the browser and the services.
var edgeRules = []rule{
	{CauseInfo{
		Slug: "upstream-gone", Hops: []Hop{HopEdge},
		Means: "A service does not answer: it is down, was ended, or the connection broke.",
		Shows: "502, 503 or 504 from the edge itself, or no answer at all.",
	}, upstreamGone},
	{CauseInfo{
		Slug: "rate-limited", Hops: []Hop{HopEdge, HopAuth, HopAPI},
		Means: "A limiter refused calls of this visitor.",
		Shows: "429 with X-Retry-After or Retry-After.",
	}, rateLimited},
	{CauseInfo{
		Slug: "cors-refused", Hops: []Hop{HopAuth, HopAPI},
		Means: "A service does not let the frontend's pages read its answers, or refuses their preflights.",
		Shows: "No Access-Control-Allow-Origin for the frontend, a wildcard or no Access-Control-Allow-Credentials beside credentials; the page sees a failed fetch, whatever the status was.",
	}, corsRefused},
	{CauseInfo{
		Slug: "errors-without-cors", Hops: []Hop{HopAuth, HopAPI},
		Means: "Error answers lack the CORS lines that the others have, so that the page sees a failed fetch instead of the error.",
		Shows: "A status of 400 or more without Access-Control-Allow-Origin from a service whose other answers have it.",
	}, errorsWithoutCORS},
}

func cookieNotSet(s *scene) (*Finding, string) {
	if s.bearerStands() {
		return nil, "the frontend used the bearer token instead of the cookie"
	}
	how := ""
	for _, p := range s.spans {
		if lines := s.sessionLines(p.by); len(lines) > 0 {
			how = p.by.ID + " set " + lines[0].Name
			continue
		}
		calls := s.without(p)
		if len(calls) == 0 {
			continue
		}
		f := &Finding{Instance: p.by.Instance, At: p.by.Time, Evidence: []string{p.by.line() + setNames(p.by), calls[0].line() + ", sent without a session cookie"}}
		f.Title = fmt.Sprintf("the answer to the sign-in %s reached the browser without the cookie %s", p.by.ID, s.t.Subject.Cookie.Name)
		return f, ""
	}
	return nil, how
}

// without returns the calls of a span that carried no session cookie.
func (s *scene) without(p span) []call {
	var out []call
	for _, c := range s.signedIn(atSession, atToken) {
		if p.holds(c.Time) && c.sent(s.t.Subject.Cookie.Name) == "" {
			out = append(out, c)
		}
	}
	return out
}

func setNames(c call) string {
	var names []string
	for _, l := range c.Response.SetCookies {
		names = append(names, l.Name)
	}
	if len(names) == 0 {
		return ", no Set-Cookie"
	}
	return ", Set-Cookie of " + strings.Join(names, ", ") + " only"
}

func upstreamGone(s *scene) (*Finding, string) {
	for _, c := range s.calls {
		broken := c.Err != "" && c.Err != trace.ErrAbandoned
		byEdge := c.Instance == "" && (c.Status == 502 || c.Status == 503 || c.Status == 504)
		// A service may say 503 of itself; then it has a code.
		if !s.fromFrontend(c) || timedOut(c) || byPlatform(c) || !(broken || byEdge && c.code() == "") {
			continue
		}
		f := &Finding{Instance: c.Instance, At: c.Time, Evidence: []string{c.line()}}
		f.Title = fmt.Sprintf("%s did not answer %s %s (%s)", s.named(c), c.Method, c.Path, c.outcome())
		f.Evidence = append(f.Evidence, s.health(c.Instance)...)
		return f, ""
	}
	return nil, s.ifCalls("every call was answered by its service")
}

// ifCalls returns how, unless there was nothing to judge by.
func (s *scene) ifCalls(how string) string {
	if len(s.calls) == 0 {
		return ""
	}
	return how
}

// named is what to call the service that a request was for.
func (s *scene) named(c call) string {
	service := "the auth service"
	if c.Role == trace.RoleAPI {
		service = "the api"
	}
	switch c.Instance {
	case "":
		return service + " at " + c.Origin
	case string(c.Role): // the only one, which bears the service's own name
		return service
	}
	return service + " (" + c.Instance + ")"
}

// health quotes the readiness of an instance, or of all that failed.
func (s *scene) health(instance string) []string {
	var out []string
	for _, o := range s.t.Observations {
		failed := o.Answer != trace.AnswerYes && o.Answer != trace.AnswerPresent
		if o.Name == trace.ObserveHealth && failed && (instance == "" || o.Instance == instance) {
			out = append(out, quote(o))
		}
	}
	return out
}

func rateLimited(s *scene) (*Finding, string) {
	for _, c := range s.calls {
		if c.Status != 429 || !s.fromFrontend(c) || byPlatform(c) {
			continue
		}
		f := &Finding{Hop: hopOf(c), Instance: c.Instance, At: c.Time, Evidence: []string{c.line()}}
		for _, name := range []string{"X-Retry-After", "Retry-After"} {
			if v := c.Response.Get(name); v != "" {
				f.Evidence[0] += ", " + name + ": " + v
			}
		}
		f.Title = fmt.Sprintf("%s limited the visitor's calls: %s %s was answered 429", s.named(c), c.Method, c.Path)
		return f, ""
	}
	return nil, s.ifCalls("no call was answered 429")
}

// hopOf is the hop of whoever answered.
func hopOf(c call) Hop {
	switch {
	case c.Instance == "":
		return HopEdge
	case c.Role == trace.RoleAPI:
		return HopAPI
	}
	return HopAuth
}

func corsRefused(s *scene) (*Finding, string) {
	// An origin that is not trusted gets no CORS lines either.
	_, distrusted := s.distrusted()
	for _, c := range s.inOrder(s.preflights, s.calls) {
		why := s.corsFault(c)
		if why == "" || (distrusted && c.Role == trace.RoleAuth) {
			continue
		}
		f := &Finding{Hop: HopAuth, Instance: c.Instance, At: c.Time, Evidence: []string{c.line() + ", " + why}}
		if c.Role == trace.RoleAPI {
			f.Hop = HopAPI
		}
		what := "read its answer to"
		if c.Preflight {
			what = "send"
		}
		f.Title = fmt.Sprintf("%s does not let %s %s %s %s: %s", s.named(c), c.PageOrigin, what, s.meant(c), c.Path, why)
		for _, e := range s.t.PageErrors {
			if e.Kind == trace.ErrorCORS && strings.HasPrefix(e.Page, c.PageOrigin) {
				f.Evidence = append(f.Evidence, "the browser: "+e.Text)
			}
		}
		return f, ""
	}
	return nil, s.ifCalls("every answer allowed the frontend to read it")
}

// meant is the method that a preflight announces.
func (s *scene) meant(c call) string {
	if m := c.Request.Get("Access-Control-Request-Method"); c.Preflight && m != "" {
		return m
	}
	return c.Method
}

// corsFault returns what is wrong with an answer for the page that asked
// (Fetch, "CORS check" and "CORS-preflight fetch"); "" where nothing is, or
// where the fault is another's: answers of the edge itself, server errors, and
// an origin that the service says it does not trust.
func (s *scene) corsFault(c call) string {
	front := s.t.Subject.Origins.Frontend
	mode := c.Request.Get("Sec-Fetch-Mode")
	if c.PageOrigin != front || c.Origin == front || (mode != "" && mode != "cors") {
		return ""
	}
	if c.Instance == "" || c.Err != "" || c.Status >= 500 || c.Status == 304 || originWord(c) != "" || redirectsPreflight(c) || s.errorUnread(c) || byPlatform(c) {
		return ""
	}
	switch allowed := c.Response.Get("Access-Control-Allow-Origin"); {
	case allowed == "":
		return "no Access-Control-Allow-Origin"
	case allowed == "*" && s.credentialed(c):
		return "Access-Control-Allow-Origin: * beside credentials"
	case allowed != "*" && allowed != front:
		return "Access-Control-Allow-Origin: " + allowed
	}
	if s.credentialed(c) && c.Response.Get("Access-Control-Allow-Credentials") != "true" {
		return "no Access-Control-Allow-Credentials: true"
	}
	// What is asked without a browser asks for more than is allowed on purpose.
	if c.Preflight && !c.Outside {
		return preflightFault(c)
	}
	return ""
}

// credentialed: a cookie, or Chromium's mark, shows the credentials mode of a
// request. A preflight carries neither (Fetch); that the request which it
// announced to the auth service never came shows that the browser wanted more.
func (s *scene) credentialed(c call) bool {
	if !c.Preflight {
		return len(c.Request.Cookies) > 0 || s.marked(c)
	}
	return c.Role == trace.RoleAuth && !slices.ContainsFunc(s.calls, func(o call) bool {
		return o.Origin == c.Origin && o.Path == c.Path && !o.Time.Before(c.Time)
	})
}

func preflightFault(c call) string {
	if c.Status < 200 || c.Status > 299 {
		return fmt.Sprintf("the preflight was answered %d", c.Status)
	}
	method := c.Request.Get("Access-Control-Request-Method")
	allowed := c.Response.Get("Access-Control-Allow-Methods")
	simple := method == "" || method == "GET" || method == "HEAD" || method == "POST"
	if !simple && allowed != "*" && !lists(allowed, method) {
		return "Access-Control-Allow-Methods: " + allowed + " lacks " + method
	}
	headers := c.Response.Get("Access-Control-Allow-Headers")
	for name := range strings.SplitSeq(c.Request.Get("Access-Control-Request-Headers"), ",") {
		name = strings.TrimSpace(name)
		// The wildcard does not cover Authorization (Fetch, "CORS
		// non-wildcard request-header name").
		wild := headers == "*" && !strings.EqualFold(name, "authorization")
		if name != "" && !wild && !lists(headers, name) {
			return fmt.Sprintf("Access-Control-Allow-Headers: %s lacks %s", headers, name)
		}
	}
	return ""
}

func lists(header, word string) bool {
	for part := range strings.SplitSeq(header, ",") {
		if strings.EqualFold(strings.TrimSpace(part), word) {
			return true
		}
	}
	return false
}
