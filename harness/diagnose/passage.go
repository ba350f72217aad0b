package diagnose

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"crossing/harness/trace"
)

// passageRules are the faults of whatever answers in a service's place: walls,
// caches, gateways, redirects.
var passageRules = []rule{
	{CauseInfo{
		Slug: "cookie-not-set", Hops: []Hop{HopEdge},
		Means: "The sign-in succeeded, but its answer reached the browser without a session cookie.",
		Shows: "Sign-in 200 with no Set-Cookie of the session's name; no later call carries one.",
	}, cookieNotSet},
	{CauseInfo{
		Slug: "deployment-protected", Hops: []Hop{HopEdge}, Platform: true,
		Means: "The platform's protection of deployments answers in the service's place.",
		Shows: "401 with the platform's own body, or a redirect to its sign-in; preflights, which carry no pass, are answered so first.",
	}, deploymentProtected},
	{CauseInfo{
		Slug: "platform-failed", Hops: []Hop{HopEdge}, Platform: true,
		Means: "The platform answered with an error of its own in the service's place.",
		Shows: "404 DEPLOYMENT_NOT_FOUND of a superseded build, 429, or 500 and 503 with the platform's word in x-vercel-error; the service's log knows nothing of the request.",
	}, platformFailed},
	{CauseInfo{
		Slug: "upstream-timeout", Hops: []Hop{HopEdge},
		Means: "The service took longer than the platform, or the edge, waits for it.",
		Shows: "504, with the platform's word for it, or no answer within the limit.",
	}, upstreamTimeout},
	{CauseInfo{
		Slug: "preflight-redirected", Hops: []Hop{HopEdge},
		Means: "A preflight was answered by a redirect, which browsers do not follow (Fetch, CORS-preflight fetch).",
		Shows: "OPTIONS 301, 302, 307 or 308; the call that it announced never comes.",
	}, preflightRedirected},
	{CauseInfo{
		Slug: "redirect-lost-method", Hops: []Hop{HopEdge},
		Means: "A POST was redirected by 301, 302 or 303, and browsers go on with a GET (Fetch, HTTP-redirect fetch).",
		Shows: "POST 302, then GET of the same path, 404 or 405.",
	}, redirectLostMethod},
	{CauseInfo{
		Slug: "session-cached", Hops: []Hop{HopEdge},
		Means: "A cache answers the question for the session.",
		Shows: "get-session with Age, or a cache's own word for a hit; each instance itself knows the person.",
	}, cached("session-cached", atSession, "for the session")},
	{CauseInfo{
		Slug: "token-cached", Hops: []Hop{HopEdge},
		Means: "A cache answers the call for a token, perhaps with another person's.",
		Shows: "A token answered with Age, or a cache's own word for a hit; its sub may not be the person's id.",
	}, cached("token-cached", atToken, "for a token")},
}

// walled says whether an answer is the platform's protection.
func walled(c call) bool {
	if c.Status != 401 && c.Status != 302 && c.Status != 307 {
		return false
	}
	if strings.Contains(c.Response.Body, wall.body) || strings.Contains(c.Response.Get("Location"), wall.location) {
		return true
	}
	return slices.ContainsFunc(c.Response.SetCookies, func(l trace.SetCookie) bool { return l.Name == wall.cookie })
}

func deploymentProtected(s *scene) (*Finding, string) {
	for _, c := range s.inOrder(s.preflights, s.calls) {
		if !walled(c) || !s.fromFrontend(c) {
			continue
		}
		f := of(c)
		f.Hop = HopEdge
		what := c.Method
		if c.Preflight {
			what = "the preflight of " + s.meant(c)
		}
		f.Title = fmt.Sprintf("the platform's deployment protection answered %s %s%s in the place of %s", what, c.Origin, c.Path, s.named(c))
		return f, ""
	}
	return nil, s.ifCalls("no answer was the platform's protection")
}

// platformWord is the platform's own name for why it answered in a service's
// place; "" where the service did, or where a time-out, a wall or too large a
// header is what it tells of: those have causes of their own.
func platformWord(c call) string {
	if timedOut(c) || walled(c) || c.Status == http.StatusRequestEntityTooLarge || c.Status == statusHeaderTooLarge {
		return ""
	}
	return c.Response.Get(wall.errorHeader)
}

// statusHeaderTooLarge is Vercel's own (Vercel, Errors, REQUEST_HEADER_TOO_LARGE).
const statusHeaderTooLarge = 494

// byPlatform says whether no service has answered, so that none can have set
// the lines that a page needs to read it.
func byPlatform(c call) bool { return walled(c) || platformWord(c) != "" }

func platformFailed(s *scene) (*Finding, string) {
	for _, c := range s.inOrder(s.preflights, s.calls) {
		word := platformWord(c)
		if word == "" || !s.fromFrontend(c) {
			continue
		}
		f := of(c)
		f.Hop = HopEdge
		f.Evidence[0] += ", " + wall.errorHeader + ": " + word
		f.Title = fmt.Sprintf("the platform answered %s %s%s in the place of %s, with %s", c.Method, c.Origin, c.Path, s.named(c), word)
		return f, ""
	}
	return nil, s.ifCalls("no answer was an error of the platform's own")
}

func timedOut(c call) bool {
	return c.Status == http.StatusGatewayTimeout || strings.Contains(c.Err, "timed out")
}

func upstreamTimeout(s *scene) (*Finding, string) {
	for _, c := range s.calls {
		if !timedOut(c) || !s.fromFrontend(c) {
			continue
		}
		f := of(c)
		f.Hop = HopEdge
		if word := c.Response.Get(wall.errorHeader); word != "" {
			f.Evidence[0] += ", " + wall.errorHeader + ": " + word
		}
		f.Title = fmt.Sprintf("%s did not answer %s %s in time (%s)", s.named(c), c.Method, c.Path, c.outcome())
		f.Evidence = append(f.Evidence, s.health(c.Instance)...)
		return f, ""
	}
	return nil, s.ifCalls("every call was answered in time")
}

func redirects(status int) bool { return status > 300 && status < 309 && status != 304 }

func redirectsPreflight(c call) bool { return c.Preflight && redirects(c.Status) && !walled(c) }

func preflightRedirected(s *scene) (*Finding, string) {
	for _, c := range s.preflights {
		if !redirectsPreflight(c) || !s.fromFrontend(c) {
			continue
		}
		f := of(c)
		f.Hop = HopEdge
		f.Evidence[0] += ", Location: " + c.Response.Get("Location")
		f.Title = fmt.Sprintf("the preflight of %s %s%s was redirected, which browsers do not follow", s.meant(c), c.Origin, c.Path)
		return f, ""
	}
	if len(s.preflights) > 0 {
		return nil, "no preflight was redirected"
	}
	return nil, ""
}

func redirectLostMethod(s *scene) (*Finding, string) {
	for i, c := range s.calls {
		if c.Method != http.MethodPost || c.Status < 301 || c.Status > 303 {
			continue
		}
		for _, after := range s.calls[i+1:] {
			if after.Method != http.MethodGet || !strings.HasSuffix(strings.TrimSuffix(strings.SplitN(c.Response.Get("Location"), "?", 2)[0], "/"), strings.TrimSuffix(after.Path, "/")) {
				continue
			}
			f := of(c)
			f.Hop = HopEdge
			f.Evidence[0] += ", Location: " + c.Response.Get("Location")
			f.Evidence = append(f.Evidence, after.line())
			f.Title = fmt.Sprintf("POST %s%s was redirected by %d, and the browser went on with a GET, without what the form held", c.Origin, c.Path, c.Status)
			return f, ""
		}
	}
	return nil, s.ifCalls("no POST was redirected")
}

// hit is the word of a cache that answered, "" where none did (RFC 9111,
// section 5.1, and the caches' own lines).
func hit(c call) string {
	if age, err := strconv.Atoi(c.Response.Get("Age")); err == nil && age > 0 {
		return "Age: " + strconv.Itoa(age)
	}
	for _, name := range cacheHeaders {
		if v := c.Response.Get(name); strings.HasPrefix(strings.ToUpper(v), "HIT") || strings.HasPrefix(v, "Hit") {
			return name + ": " + v
		}
	}
	return ""
}

func cached(slug string, at endpoint, what string) func(*scene) (*Finding, string) {
	return func(s *scene) (*Finding, string) {
		calls := s.signedIn(at)
		for _, c := range calls {
			word := hit(c)
			if word == "" {
				continue
			}
			f := of(c)
			f.Hop = HopEdge
			f.Evidence[0] += ", " + word
			f.Title = fmt.Sprintf("a cache answered the call %s in the place of the auth service (%s)", what, word)
			if tok, id := c.Response.Token, s.personID(); tok != nil && id != "" && tok.Subject != id {
				f.Title += ", with another person's token"
				f.Evidence = append(f.Evidence, fmt.Sprintf("the token's sub is %s, the person's id %s", tok.Subject, id))
			}
			return f, ""
		}
		if len(calls) > 0 {
			return nil, "no answer came from a cache"
		}
		return nil, ""
	}
}

// errorUnread: an error answer without CORS lines, of a service whose other
// answers allow the frontend.
func (s *scene) errorUnread(c call) bool {
	front := s.t.Subject.Origins.Frontend
	unread := c.Status >= 400 && c.Instance != "" && c.Err == "" && !c.Preflight && c.PageOrigin == front && c.Origin != front &&
		c.Response.Get("Access-Control-Allow-Origin") == "" && c.Request.Get("Sec-Fetch-Mode") != "navigate" && originWord(c) == "" && !byPlatform(c)
	return unread && slices.ContainsFunc(s.inOrder(s.preflights, s.calls), func(o call) bool {
		return o.Role == c.Role && o.Instance != "" && o.ok() && o.Response.Get("Access-Control-Allow-Origin") == front
	})
}

func errorsWithoutCORS(s *scene) (*Finding, string) {
	failed := false
	for _, c := range s.calls {
		failed = failed || c.Status >= 400
		if !s.errorUnread(c) {
			continue
		}
		f := of(c)
		f.Hop = hopOf(c)
		f.Evidence[0] += ", no Access-Control-Allow-Origin"
		f.Title = fmt.Sprintf("%s answered %s %s with the error %d and without CORS lines, so that the page could not read it", s.named(c), c.Method, c.Path, c.Status)
		return f, ""
	}
	if failed {
		return nil, "error answers had their CORS lines"
	}
	return nil, ""
}
