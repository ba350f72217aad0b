package diagnose

import (
	"slices"
	"strings"
	"time"

	"crossing/harness/trace"
)

// setLine is a session cookie's Set-Cookie line with the answer it stood on.
type setLine struct {
	trace.SetCookie
	by call
}

// sessionLines are the lines of an answer that set the session cookie, under
// its agreed name or under one that differs in the prefix alone.
func (s *scene) sessionLines(c call) []setLine {
	var out []setLine
	for _, l := range c.Response.SetCookies {
		if !l.Removes() && sameButPrefix(l.Name, s.t.Subject.Cookie.Name) {
			out = append(out, setLine{SetCookie: l, by: c})
		}
	}
	return out
}

// sameButPrefix compares what BetterAuth puts behind the prefix, the part
// after the last dot ("session_token"); a name without one has no prefix but
// those of RFC 6265bis, section 4.1.3.
func sameButPrefix(a, b string) bool { return stem(a) == stem(b) }

func stem(name string) string {
	name = strings.TrimPrefix(strings.TrimPrefix(name, "__Secure-"), "__Host-")
	return name[strings.LastIndexByte(name, '.')+1:]
}

// lines are the session cookies that sign-ins set.
func (s *scene) lines() []setLine {
	var out []setLine
	for _, p := range s.spans {
		out = append(out, s.sessionLines(p.by)...)
	}
	return out
}

// fate is what became of a cookie after it was set.
type fate int

const (
	// unseen: no later request or jar could have shown it.
	unseen fate = iota
	// returned: the browser sent it back.
	returned
	// withheld: later calls of the frontend came without it, or the browser
	// said that it refused it.
	withheld
)

// fate follows a cookie over the wire. proof holds the calls that came
// without it.
func (s *scene) fate(l setLine) (is fate, proof []call) {
	until := s.goneBy(l)
	for _, c := range s.calls {
		if c.Role == trace.RoleAuth && c.carries(l.Name, l.Digest) {
			return returned, nil
		}
	}
	for _, c := range s.signedIn(atSession, atToken, atList) {
		if c.Time.After(l.by.ended()) && c.Time.Before(until) {
			proof = append(proof, c)
		}
	}
	if len(proof) > 0 || len(s.refusals(l)) > 0 {
		return withheld, proof
	}
	return unseen, nil
}

// goneBy is when the cookie may rightly be missing: it was replaced, taken
// away, it aged out, or the person signed out.
func (s *scene) goneBy(l setLine) time.Time {
	until := l.by.Time.Add(100 * 365 * 24 * time.Hour)
	if l.MaxAge != nil {
		until = l.by.Time.Add(time.Duration(*l.MaxAge) * time.Second)
	}
	for _, c := range s.calls {
		again := slices.ContainsFunc(c.Response.SetCookies, func(o trace.SetCookie) bool {
			return o.Name == l.Name && (o.Removes() || o.Digest != l.Digest)
		})
		if again && c.Time.After(l.by.Time) && c.Time.Before(until) {
			until = c.ended()
		}
	}
	return until
}

// lostLines are the cookies that a sign-in set and the browser never sent
// back, with the calls that came without them.
func (s *scene) lostLines() []setLine {
	var out []setLine
	for _, l := range s.lines() {
		if is, _ := s.fate(l); is == withheld {
			out = append(out, l)
		}
	}
	return out
}

// refusals are the browser's own words about the cookie.
func (s *scene) refusals(l setLine) []trace.Refusal {
	var out []trace.Refusal
	for _, r := range s.t.Refusals {
		if r.Cookie == l.Name && !r.Time.Before(l.by.Time) && strings.HasPrefix(r.URL, l.by.Origin) {
			out = append(out, r)
		}
	}
	return out
}

// thirdPartyWords are Chromium's reasons for a cookie that it refused because
// it was a third party's (CDP, Network.SetCookieBlockedReason): by the user's
// setting, and by the mode that Playwright's switches bring about. Both mask
// the reasons that lie in the cookie itself.
var thirdPartyWords = []string{"UserPreferences", "ThirdPartyPhaseout"}

// refusedAsThird says whether the browser gave such a reason for the cookie.
func (s *scene) refusedAsThird(l setLine) bool {
	return slices.ContainsFunc(s.refusals(l), func(r trace.Refusal) bool {
		return slices.ContainsFunc(r.Reasons, func(w string) bool { return slices.Contains(thirdPartyWords, w) })
	})
}

// jarWith returns a jar of the span in which the cookie lies.
func (s *scene) jarWith(l setLine) (trace.Jar, trace.Cookie, bool) {
	for _, j := range s.t.Jars {
		if p, in := s.during(j.Time); !in || p.by.ID != l.by.ID {
			continue
		}
		for _, c := range j.Cookies {
			if c.Name == l.Name && c.Digest == l.Digest {
				return j, c, true
			}
		}
	}
	return trace.Jar{}, trace.Cookie{}, false
}

// capability is what was measured, all "not measured" where nothing was.
func (s *scene) capability() trace.Capability {
	if s.t.Capability == nil {
		return trace.Capability{
			ThirdParty: trace.MeasuredUnknown, Partitioned: trace.MeasuredUnknown,
			Isolated: trace.MeasuredUnknown, Restart: trace.MeasuredUnknown,
		}
	}
	return *s.t.Capability
}

// refusesAll: this engine was measured to keep no third-party cookie of
// either kind, so that the bearer token is the only way there.
func (s *scene) refusesAll() bool {
	c := s.capability()
	return s.crossSite() && c.ThirdParty == trace.MeasuredNo && c.Partitioned == trace.MeasuredNo
}

// keepsAgreed: a cookie as the contract has it was measured to stay.
func (s *scene) keepsAgreed() bool {
	c := s.capability()
	return !s.crossSite() || c.ThirdParty == trace.MeasuredYes ||
		(s.t.Subject.Cookie.Partitioned && c.Partitioned == trace.MeasuredYes)
}

// bearerStands: on an engine where no cookie could do it, the frontend used
// its bearer token. Whether that worked is for other rules: the cookie is not
// what the session hangs on there.
func (s *scene) bearerStands() bool {
	return !s.keepsAgreed() && slices.ContainsFunc(s.signedIn(atSession, atToken), call.bearer)
}
