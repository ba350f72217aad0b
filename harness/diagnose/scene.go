package diagnose

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"crossing/harness/trace"
)

// endpoint is what a call asks for, read off its path.
type endpoint string

const (
	atOther   endpoint = "other"
	atSignUp  endpoint = "sign-up"
	atSignIn  endpoint = "sign-in"
	atSignOut endpoint = "sign-out"
	// atRevokeAll ends a person's sessions in every browser, this one too.
	atRevokeAll endpoint = "revoke-sessions"
	atSession   endpoint = "session"
	atToken     endpoint = "token"
	atList      endpoint = "list-sessions"
	atAPI       endpoint = "api"
)

// call is an exchange with its meaning.
type call struct {
	trace.Exchange
	at endpoint
	// who an answer on the session names; nobody: it says that nobody is
	// signed in. Neither holds where the body was not recorded.
	who    string
	nobody bool
}

// span is the time during which a person ought to be signed in: from the end
// of a successful sign-in to the next sign-in, sign-out or end of all sessions.
type span struct {
	by       call
	from, to time.Time // a zero to: until the trace ends
}

func (p span) holds(at time.Time) bool {
	return at.After(p.from) && (p.to.IsZero() || at.Before(p.to))
}

// scene is a trace, read once for all rules.
type scene struct {
	t trace.Trace
	// calls are the browser's own to auth and api, preflights left out.
	calls []call
	// asides are the harness's own calls, made outside the browser. They are
	// evidence of what a service answers, never of what a person met.
	asides     []call
	preflights []call
	spans      []span
}

func read(t trace.Trace) *scene {
	s := &scene{t: t}
	all := slices.Clone(t.Exchanges)
	slices.SortStableFunc(all, func(a, b trace.Exchange) int { return a.Time.Compare(b.Time) })
	s.t.Exchanges = all
	for _, e := range all {
		c := call{Exchange: e, at: endpointOf(t.Subject, e)}
		if c.at == atSession {
			c.who, c.nobody = t.Subject.SignedIn.Of(e.Status, e.Response.Body)
		}
		switch {
		case e.Role != trace.RoleAuth && e.Role != trace.RoleAPI, e.Method == "CONNECT":
			// A failed handshake of a tunnel is no request of a page.
		case e.Outside && t.Profile != trace.NoBrowser:
			s.asides = append(s.asides, c)
		case e.Preflight:
			s.preflights = append(s.preflights, c)
		default:
			s.calls = append(s.calls, c)
		}
	}
	for _, c := range s.calls {
		switch {
		case s.establishes(c):
			s.end(c.Time)
			s.spans = append(s.spans, span{by: c, from: c.ended()})
		case (c.at == atSignOut || c.at == atRevokeAll) && c.ok():
			s.end(c.Time)
		}
	}
	return s
}

func (s *scene) end(at time.Time) {
	if n := len(s.spans); n > 0 && s.spans[n-1].to.IsZero() {
		s.spans[n-1].to = at
	}
}

func endpointOf(sub trace.Subject, e trace.Exchange) endpoint {
	if e.Role == trace.RoleAPI {
		return atAPI
	}
	p, m := sub.Paths, sub.Methods
	for _, known := range []struct {
		path, method string
		at           endpoint
	}{
		{p.SignUp, m.SignUp, atSignUp}, {p.SignIn, m.SignIn, atSignIn}, {p.SignOut, m.SignOut, atSignOut},
		{p.Session, "GET", atSession}, {p.Token, "GET", atToken}, {p.RevokeAll, "", atRevokeAll},
	} {
		// Several may stand on one path, each with a method of its own.
		if e.Path == known.path && (known.method == "" || known.method == methodOf(e)) {
			return known.at
		}
	}
	if strings.HasSuffix(e.Path, "/list-sessions") {
		return atList
	}
	return atOther
}

// methodOf is the method of a call, or of the one that a preflight announces.
func methodOf(e trace.Exchange) string {
	if announced := e.Request.Get("Access-Control-Request-Method"); e.Preflight && announced != "" {
		return announced
	}
	return e.Method
}

// establishes says whether the answer signed the person in. A sign-up does
// only where the service signs in at once, which its cookie or token shows.
func (s *scene) establishes(c call) bool {
	if !c.ok() {
		return false
	}
	// Where a wrong password is answered with success, too, the cookie tells.
	if refused := s.t.Subject.Refused; c.at == atSignIn && (refused < 200 || refused > 299) {
		return true
	}
	return (c.at == atSignUp || c.at == atSignIn) && (len(s.sessionLines(c)) > 0 || c.Response.Get("set-auth-token") != "")
}

// established says whether anybody was signed in at all.
func (s *scene) established() bool { return len(s.spans) > 0 }

// inOrder joins lists of calls in the order of time.
func (s *scene) inOrder(lists ...[]call) []call {
	all := slices.Concat(lists...)
	slices.SortStableFunc(all, func(a, b call) int { return a.Time.Compare(b.Time) })
	return all
}

// during returns the span that holds at.
func (s *scene) during(at time.Time) (span, bool) {
	for _, p := range s.spans {
		if p.holds(at) {
			return p, true
		}
	}
	return span{}, false
}

// signedIn returns the calls that the frontend's pages made while the person
// ought to be signed in, and that are meant to know her.
func (s *scene) signedIn(at ...endpoint) []call {
	var out []call
	for _, c := range s.calls {
		if _, in := s.during(c.Time); in && slices.Contains(at, c.at) && s.fromFrontend(c) && !s.embedded(c) {
			out = append(out, c)
		}
	}
	return out
}

// fromFrontend: a request without an Origin counts where frontend and service
// share one, since a browser sends none on such a GET (Fetch, "append a
// request Origin header").
func (s *scene) fromFrontend(c call) bool {
	front := s.t.Subject.Origins.Frontend
	return c.PageOrigin == front || (c.PageOrigin == "" && c.Origin == front)
}

// embedded says whether the frontend last loaded as a frame before the call:
// under another top-level site a partitioned session is rightly unknown.
func (s *scene) embedded(c call) bool {
	dest := ""
	for _, e := range s.t.Exchanges {
		if e.Time.After(c.Time) {
			break
		}
		if d := e.Request.Get("Sec-Fetch-Dest"); e.Role == trace.RoleFrontend && (d == "document" || d == "iframe") {
			dest = d
		}
	}
	return dest == "iframe"
}

func (c call) ok() bool { return c.Status >= 200 && c.Status < 300 }

func (c call) ended() time.Time {
	return c.Time.Add(time.Duration(c.Millis * float64(time.Millisecond)))
}

// bearer says whether the request carried credentials in Authorization.
func (c call) bearer() bool {
	return c.Request.Token != nil && !emptyCredentials(c)
}

// sent returns the digest of the named cookie on the request.
func (c call) sent(name string) string {
	for _, p := range c.Request.Cookies {
		if p.Name == name {
			return p.Digest
		}
	}
	return ""
}

// carries says whether the request had that very cookie.
func (c call) carries(name, digest string) bool {
	return slices.ContainsFunc(c.Request.Cookies, func(p trace.Pair) bool { return p.Name == name && p.Digest == digest })
}

// code is BetterAuth's error code, or a service's own, of a JSON body.
func (c call) code() string {
	var body struct {
		Code  string `json:"code"`
		Error string `json:"error"`
	}
	if json.Unmarshal([]byte(c.Response.Body), &body) != nil {
		return ""
	}
	if body.Code == "" {
		return body.Error
	}
	return body.Code
}

// null: an answer on the session that says that nobody is signed in; person
// is whom it names.
func (c call) null() bool { return c.nobody }

func (c call) person() string { return c.who }

// sessionEnds is the end of the session that an answer names.
func (c call) sessionEnds() (at time.Time, known bool) {
	var body struct {
		Session struct {
			ExpiresAt time.Time `json:"expiresAt"`
		} `json:"session"`
	}
	if c.at != atSession || json.Unmarshal([]byte(c.Response.Body), &body) != nil {
		return at, false
	}
	return body.Session.ExpiresAt, !body.Session.ExpiresAt.IsZero()
}

// personID is the id that get-session last named.
func (s *scene) personID() (id string) {
	for _, c := range s.signedIn(atSession) {
		var body struct {
			User struct {
				ID string `json:"id"`
			} `json:"user"`
		}
		if json.Unmarshal([]byte(c.Response.Body), &body) == nil && body.User.ID != "" {
			id = body.User.ID
		}
	}
	return id
}

// clears says whether the answer takes the named cookie away.
func (c call) clears(name string) bool {
	return slices.ContainsFunc(c.Response.SetCookies, func(l trace.SetCookie) bool {
		return l.Name == name && l.Removes()
	})
}

// line is how an exchange is quoted as evidence.
func (c call) line() string {
	text := fmt.Sprintf("%s %s %s%s → %s", c.ID, c.Method, c.Origin, c.Path, c.outcome())
	if c.Instance != "" {
		text += " (" + c.Instance + ")"
	}
	return text
}

func (c call) outcome() string {
	switch {
	case c.Err != "":
		return "no answer: " + c.Err
	case c.null():
		return "200 " + strings.TrimSpace(c.Response.Body)
	case c.person() != "":
		return "200 " + c.person()
	case c.code() != "":
		return fmt.Sprintf("%d %s", c.Status, c.code())
	}
	return fmt.Sprint(c.Status)
}
