package diagnose

import (
	"fmt"
	"time"

	"crossing/harness/trace"
)

// lengthening is by how much an answer must move a session's end to have
// lengthened it: two answers to one session name it to the millisecond.
const lengthening = 500 * time.Millisecond

// inUse is a session that was used until its time was over: the answers that
// named its end, and the first that no longer knew the person.
type inUse struct {
	first, last, over call
	end               time.Time
}

// usedUp finds a session whose end never moved although it was used in the
// second half of its life, when every updateAge that makes sense has passed.
func (s *scene) usedUp() (u inUse, found bool) {
	calls, ends := s.ends()
	for _, p := range s.spans {
		u = inUse{}
		moved := false
		for i, c := range calls {
			switch {
			case !p.holds(c.Time):
			case u.first.ID == "":
				u.first, u.last, u.end = c, c, ends[i]
			case ends[i].Sub(u.end) > lengthening:
				moved = true
			default: // a row that was made to end sooner can be lengthened as well
				u.last, u.end = c, ends[i]
			}
		}
		if u.first.ID == u.last.ID || moved || u.last.Time.Sub(p.from) < u.end.Sub(p.from)/2 {
			continue
		}
		for _, c := range s.signedIn(atSession, atToken) {
			if p.holds(c.Time) && c.Time.After(u.end) && (c.null() || c.Status == 401) {
				u.over = c
				return u, true
			}
		}
	}
	return inUse{}, false
}

func notLengthened(s *scene) (*Finding, string) {
	u, found := s.usedUp()
	if !found {
		_, ends := s.ends()
		for _, e := range ends {
			if e.Sub(ends[0]) > lengthening {
				return nil, "the session's end moved on while it was used"
			}
		}
		return nil, ""
	}
	f := &Finding{Instance: u.last.Instance, At: u.end}
	f.Evidence = []string{
		u.first.line() + ", which knew the session",
		fmt.Sprintf("%s, at %s, which named the session's end: %s", u.last.line(), clock(u.last.Time), clock(u.end)),
		u.over.line() + ", at " + clock(u.over.Time),
	}
	f.Title = fmt.Sprintf("%s never lengthened the session, though it was in use until its end at %s", s.named(u.last), clock(u.end))
	return f, ""
}

// outlived finds a session that was ended by its person, everywhere or here,
// and that an answer names all the same.
func (s *scene) outlived() (out, after call, found bool) {
	name := s.t.Subject.Cookie.Name
	for i, out := range s.calls {
		if (out.at != atSignOut && out.at != atRevokeAll) || !out.ok() {
			continue
		}
		for _, after := range s.calls[i+1:] {
			_, again := s.during(after.Time)
			cookie := out.sent(name) != "" && after.carries(name, out.sent(name))
			bearer := out.bearer() && after.bearer() && out.Request.Token.Digest == after.Request.Token.Digest
			// What was under way when the answer came proves nothing.
			if !again && after.Time.After(out.ended()) && after.person() != "" && (cookie || bearer) {
				return out, after, true
			}
		}
	}
	return call{}, call{}, false
}

// strangerTrusted: the auth service let a page that is nobody's read it, with
// credentials, or did for it what only a person may ask for (Fetch, "CORS
// check"). What the api is asked carries no cookie.
func strangerTrusted(s *scene) (*Finding, string) {
	asked := false
	for _, c := range s.inOrder(s.preflights, s.calls) {
		if !s.strange(c) || c.Instance == "" || c.Role != trace.RoleAuth {
			continue
		}
		asked = true
		allowed := c.Response.Get("Access-Control-Allow-Origin")
		reads := allowed == c.PageOrigin && c.Response.Get("Access-Control-Allow-Credentials") == "true"
		acts := c.Method == "POST" && c.ok() && c.sent(s.t.Subject.Cookie.Name) != ""
		if !reads && !acts {
			continue
		}
		f := of(c)
		f.Evidence[0] += ", asked by a page of " + c.PageOrigin
		f.Title = fmt.Sprintf("%s did what a page of %s asked of it with a person's cookie", s.named(c), c.PageOrigin)
		if reads {
			f.Evidence[0] += ", Access-Control-Allow-Origin: " + allowed
			f.Title = fmt.Sprintf("%s trusts the origin %s, which is nobody's, and lets its pages read a person's answers", s.named(c), c.PageOrigin)
		}
		f.opens = "A stranger's page can act for the person"
		return f, ""
	}
	if asked {
		return nil, "what a stranger's page asked was refused"
	}
	return nil, ""
}

// strange says whether a page of a site that is nobody's asked, or one without
// an origin, as in a sandboxed frame.
func (s *scene) strange(c call) bool {
	return c.PageOrigin != "" && (c.PageOrigin == s.t.Subject.Origins.Stranger || c.PageOrigin == "null")
}
