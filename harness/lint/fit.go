package lint

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"crossing/harness/edge"
	"crossing/harness/target"
	"crossing/harness/trace"
)

// ColdError is a part that does not answer yet, as a deployment that comes up
// does not: it may be asked again.
type ColdError struct{ Why string }

// Error is the sentence.
func (e *ColdError) Error() string { return e.Why }

// unfit is the error for a sentence about an exchange.
func unfit(e trace.Exchange, why string) error {
	waiting := e.Response.Get(edge.Header) == edge.CodeTimeout || e.Response.Get(edge.Header) == edge.CodeReset
	if waiting || e.Status >= 500 && e.Response.Get("X-Vercel-Error") != "" {
		return &ColdError{why}
	}
	return errors.New(why)
}

// Fit says in one sentence why a target cannot be judged at all: a part is not
// to be reached, is something else, or its contract is another. nil: it can.
// It asks the frontend for its page and the auth service who nobody is.
func Fit(ctx context.Context, e *edge.Edge, t *target.Target, r *trace.Redactor) error {
	v, err := raise(e, r, trace.Trace{Visitor: "lint", Subject: t.Subject()}, nil)
	if err != nil {
		return err
	}
	defer func() { _ = v.close() }()
	home, err := v.ask(ctx, request{method: http.MethodGet, origin: t.Origins.Frontend, path: orSlash(t.Contract.Pages.Home), header: document})
	if err != nil {
		return err
	}
	if why := misfit(e, home.Exchange, "the frontend", "FRONTEND"); why != "" {
		return unfit(home.Exchange, why)
	}
	if why := noPage(home.Exchange); why != "" {
		return fmt.Errorf("%s", why)
	}
	session, err := v.ask(ctx, request{method: http.MethodGet, origin: t.Origins.Auth, path: t.Contract.Paths.Session, header: from(t.Origins.Frontend)})
	if err != nil {
		return err
	}
	if why := misfit(e, session.Exchange, "the auth service", "AUTH"); why != "" {
		return unfit(session.Exchange, why)
	}
	if why := noEndpoint(session.Exchange, "session"); why != "" {
		return fmt.Errorf("%s", why)
	}
	if t.Origins.API == "" || t.Contract.Paths.API == "" {
		return nil
	}
	api, err := v.ask(ctx, request{method: http.MethodGet, origin: t.Origins.API, path: t.Contract.Paths.API, header: from(t.Origins.Frontend)})
	if err != nil {
		return err
	}
	if why := misfit(e, api.Exchange, "the api", "API"); why != "" {
		return unfit(api.Exchange, why)
	}
	if why := noEndpoint(api.Exchange, "api"); why != "" {
		return fmt.Errorf("%s", why)
	}
	return nil
}

// There is Fit for a target whose contract nobody knows yet: whether its parts
// answer at all, and by themselves.
func There(ctx context.Context, e *edge.Edge, t *target.Target, r *trace.Redactor) error {
	v, err := raise(e, r, trace.Trace{Visitor: "lint", Subject: t.Subject()}, nil)
	if err != nil {
		return err
	}
	defer func() { _ = v.close() }()
	for _, part := range []struct {
		origin, who, setting string
		header               map[string]string
	}{
		{t.Origins.Frontend, "the frontend", "FRONTEND", document},
		{t.Origins.Auth, "the auth service", "AUTH", from(t.Origins.Frontend)},
		{t.Origins.API, "the api", "API", from(t.Origins.Frontend)},
	} {
		if part.origin == "" {
			continue
		}
		answer, err := v.ask(ctx, request{method: http.MethodGet, origin: part.origin, path: "/", header: part.header})
		if err != nil {
			return err
		}
		why := misfit(e, answer.Exchange, part.who, part.setting)
		if why == "" && part.setting == "FRONTEND" {
			why = noPage(answer.Exchange)
		}
		if why != "" {
			return unfit(answer.Exchange, why)
		}
	}
	return nil
}

// document is what a browser sends for a page.
var document = map[string]string{"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8", "Sec-Fetch-Dest": "document", "Sec-Fetch-Mode": "navigate"}

// from is what a page of that origin sends.
func from(origin string) map[string]string {
	return map[string]string{"Origin": origin, "Accept": "application/json"}
}

func orSlash(path string) string {
	if path == "" {
		return "/"
	}
	return path
}

// misfit: nothing answers there, or the platform does in the application's place.
// part is how its settings begin.
func misfit(by *edge.Edge, e trace.Exchange, who, part string) string {
	if code := e.Response.Get(edge.Header); code != "" {
		return fmt.Sprintf("%s cannot be reached: %s; check %s_URL%s", who, e.Err, part, hintOf(code))
	}
	if why := Wall(e); why != "" {
		mend := fmt.Sprintf("give the project's secret as %s (or as %s_BYPASS_SECRET for this origin alone), or switch Deployment Protection off for it", target.BypassSetting, part)
		if by.Guards(e.Origin) {
			mend = fmt.Sprintf("the bypass secret that was sent is wrong, or of another project: each has its own, which %s_BYPASS_SECRET takes", part)
		}
		return fmt.Sprintf("%s at %s is behind a wall, which answered a %s (%s): nothing of the application can be judged; %s", who, e.Origin, kindOf(e), why, mend)
	}
	return platform(e, who, part)
}

// platform: an answer of Vercel's edge in place of a deployment's (Vercel,
// "Errors").
func platform(e trace.Exchange, who, part string) string {
	code := e.Response.Get("X-Vercel-Error")
	says := fmt.Sprintf("%s at %s is answered for by the platform (%d %s)", who, e.Origin, e.Status, code)
	switch {
	case code == "":
		return ""
	case strings.HasPrefix(code, "DEPLOYMENT_"), code == "NOT_FOUND":
		return fmt.Sprintf("%s: there is no such deployment, or a newer build has taken its place; check %s_URL", says, part)
	case e.Status >= 500:
		return fmt.Sprintf("%s: the function failed before the application could answer; look at its logs (Vercel: Deployments, Functions, Logs)", says)
	}
	return says + ": nothing of the application can be judged"
}

func kindOf(e trace.Exchange) string {
	if e.Request.Get("Sec-Fetch-Dest") == "document" {
		return "document's request"
	}
	return "script's request"
}

func hintOf(code string) string {
	switch code {
	case edge.CodeUntrusted:
		return ", or name its authority with CA"
	case edge.CodeRefused, edge.CodeUnknown:
		return ", or the address with RESOLVE"
	}
	return ""
}

// Wall tells Vercel's deployment protection from the application's own 401
// (Vercel's documentation, "Deployment Protection").
func Wall(e trace.Exchange) string {
	to, _ := url.Parse(e.Response.Get("Location"))
	switch {
	case e.Status >= 300 && e.Status < 400 && to != nil && to.Host == "vercel.com":
		return "it leads to vercel.com" + to.Path
	case e.Status == http.StatusUnauthorized && protection(e.Response.Body):
		return "Vercel's deployment protection"
	case e.Status == http.StatusUnauthorized && e.Response.Get("X-Vercel-Error") == "UNAUTHORIZED":
		return "Vercel's deployment protection knows who asks, and lets them not in"
	case e.Status == http.StatusUnauthorized && strings.EqualFold(e.Response.Get("Server"), "vercel") && html(e):
		return "Vercel's deployment protection"
	}
	return ""
}

// protection is the member by which the wall's JSON is known: an application's
// own 401 has none.
func protection(body string) bool {
	var said struct {
		Protection struct {
			Callback string `json:"vercel_auth_callback"`
		} `json:"protection"`
	}
	return json.Unmarshal([]byte(body), &said) == nil && said.Protection.Callback != ""
}

func html(e trace.Exchange) bool { return kind(e) == "text/html" }

func kind(e trace.Exchange) string {
	k, _, _ := mime.ParseMediaType(e.Response.Get("Content-Type"))
	return k
}

// noPage: what stands at the frontend's address is no page of its own.
func noPage(e trace.Exchange) string {
	where := fmt.Sprintf("the frontend's home page %s%s", e.Origin, e.Path)
	to := e.Response.Get("Location")
	elsewhere, _ := url.Parse(to)
	switch {
	case e.Status >= 300 && e.Status < 400 && elsewhere != nil && elsewhere.IsAbs() && elsewhere.Scheme+"://"+elsewhere.Host != e.Origin:
		return fmt.Sprintf("%s leads to another site (%d, %s): a login page or another domain stands in its place; give the address where the pages really are (FRONTEND_URL, origins.frontend)", where, e.Status, elsewhere.Scheme+"://"+elsewhere.Host+elsewhere.Path)
	case e.Status >= 400:
		return fmt.Sprintf("%s answers %d; check FRONTEND_URL, or contract.pages.home", where, e.Status)
	case e.Status < 300 && !html(e):
		return fmt.Sprintf("%s is no page but %q; is FRONTEND_URL another service's address?", where, kind(e))
	}
	return ""
}

// noEndpoint: the contract names a path where the service has something else.
// A server error is no misfit: it may be what is to be found.
func noEndpoint(e trace.Exchange, name string) string {
	says := fmt.Sprintf("%s%s, where the contract has contract.paths.%s,", e.Origin, e.Path, name)
	switch {
	case e.Status == http.StatusNotFound || e.Status == http.StatusMethodNotAllowed:
		return fmt.Sprintf("%s answers %d: the contract does not fit this service; give its paths in crossing.yaml, or check the address", says, e.Status)
	case e.Status >= 300 && e.Status < 400:
		return fmt.Sprintf("%s answers %d and leads to %s: a page's call would be led away; check the address, or the path", says, e.Status, e.Response.Get("Location"))
	case html(e):
		return fmt.Sprintf("%s answers %d with a page of HTML: a login page or another site stands there; check the address", says, e.Status)
	}
	return ""
}
