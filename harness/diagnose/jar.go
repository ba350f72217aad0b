package diagnose

import (
	"fmt"
	"slices"
	"time"

	"crossing/harness/trace"
)

// jarRules are the faults of a cookie that the browser took, or took in part:
// which of two it sends, how long it lives, under which site it lies.
var jarRules = []rule{
	{CauseInfo{
		Slug: "cookie-too-large", Hops: []Hop{HopBrowser},
		Means: "Name and value of the session cookie have more than 4096 bytes together (RFC 6265bis, section 5.6).",
		Shows: "Sign-in 200; Chromium's reason is NameValuePairExceedsMaxSize; the cookie is never sent back.",
	}, tooLarge},
	{CauseInfo{
		Slug: "cookie-sent-twice", Hops: []Hop{HopBrowser},
		Means: "The browser keeps two cookies of the session's name, of different Domain, Path or partition, and sends both; the service reads the first.",
		Shows: "A Cookie header with the name twice; get-session null although the newer cookie is good.",
	}, sentTwice},
	{CauseInfo{
		Slug: "cookie-other-partition", Hops: []Hop{HopBrowser},
		Means: "The session cookie lies under another top-level site than the frontend's: the sign-in happened in a popup or a window of the auth service's own.",
		Shows: "The jar holds it with another partition key; the frontend's calls come without it.",
	}, otherPartition},
	{CauseInfo{
		Slug: "cookie-short-lived", Hops: []Hop{HopBrowser},
		Means: "The session cookie's Max-Age is shorter than the session.",
		Shows: "Calls come without the cookie once its time is over, while get-session had named a much later end.",
	}, shortLived},
	{CauseInfo{
		Slug: "cookie-not-renewed", Hops: []Hop{HopBrowser},
		Means: "The session was prolonged, and its cookie was not: the answer came without Set-Cookie.",
		Shows: "get-session names a later end than before and sets no cookie; calls come without it when the first one's time is over.",
	}, notRenewed},
	{CauseInfo{
		Slug: "cookie-renewed-differently", Hops: []Hop{HopBrowser},
		Means: "The session's cookie was renewed with other attributes than the sign-in's, so that the browser refused it or kept a second one.",
		Shows: "get-session's Set-Cookie differs from the sign-in's in Partitioned, SameSite, Secure, Path or Domain.",
	}, renewedDifferently},
	{CauseInfo{
		Slug: "sign-out-left-cookie", Hops: []Hop{HopBrowser},
		Means: "The sign-out's Set-Cookie does not take the session cookie away: it names another Domain, Path or partition.",
		Shows: "Sign-out 200, and the jar still holds the cookie; the row's deletion hides that.",
	}, leftBySignOut},
}

// longest is what browsers take of name and value together.
const longest = 4096

// pairBytes are those of name and value together.
func pairBytes(l setLine) int { return l.Bytes - (len(l.Line) - len(l.Name) - 1 - len(l.Digest)) - 1 }

func tooLarge(s *scene) (*Finding, string) {
	l, f, how := s.lostCookie(func(l setLine) bool { return pairBytes(l) > longest })
	if f == nil {
		return nil, s.unless(how, "the cookie is within the browsers' limit", func(l setLine) bool { return pairBytes(l) <= longest })
	}
	f.Title = fmt.Sprintf("%s set %s with %d bytes of name and value, and browsers keep %d at most", l.setter(), l.Name, pairBytes(l), longest)
	return f, ""
}

// twice says whether a request carried two session cookies of one name.
func (s *scene) twice(c call) bool {
	first := slices.IndexFunc(c.Request.Cookies, func(p trace.Pair) bool { return p.Name == s.t.Subject.Cookie.Name })
	return first >= 0 && slices.ContainsFunc(c.Request.Cookies[first+1:], func(p trace.Pair) bool { return p.Name == s.t.Subject.Cookie.Name })
}

// sentOnce are the calls of a person who ought to be signed in, those with two
// session cookies left out.
func (s *scene) sentOnce() []call {
	return slices.DeleteFunc(s.signedIn(atSession, atToken, atList), s.twice)
}

func sentTwice(s *scene) (*Finding, string) {
	calls := s.signedIn(atSession, atToken, atList)
	for _, c := range calls {
		if !s.twice(c) {
			continue
		}
		f := of(c)
		f.Evidence[0] += ", sent with two cookies " + s.t.Subject.Cookie.Name
		for _, l := range s.lines() {
			f.Evidence = append(f.Evidence, "Set-Cookie: "+l.Line)
		}
		f.Title = fmt.Sprintf("the browser sends two cookies %s, and %s reads the first, which is not the one of this session", s.t.Subject.Cookie.Name, s.named(c))
		return f, ""
	}
	if len(calls) > 0 {
		return nil, "no call carried two cookies of the session's name"
	}
	return nil, ""
}

// apart says whether the cookie lies in the jar under another top-level site
// than the frontend's.
func (s *scene) apart(l setLine) bool {
	_, c, in := s.jarWith(l)
	return in && c.PartitionKey != "" && hostOf(c.PartitionKey) != siteOf(hostOf(s.t.Subject.Origins.Frontend))
}

func otherPartition(s *scene) (*Finding, string) {
	l, f, how := s.lostCookie(s.apart)
	if f == nil {
		return nil, s.unless(how, "the cookie lies under the frontend's own site", func(l setLine) bool { _, _, in := s.jarWith(l); return in && !s.apart(l) })
	}
	j, c, _ := s.jarWith(l)
	f.Title = fmt.Sprintf("%s lies under %s, where the sign-in happened, and the frontend's pages have a partition of their own", l.Name, c.PartitionKey)
	f.Evidence = append(f.Evidence, fmt.Sprintf("the jar %q holds it under %s", j.Label, c.PartitionKey))
	return f, ""
}

// apartBy is by how much a session's end, as first named, may differ from its
// cookie's: the two are made in one answer.
const apartBy = 10 * time.Second

// aged returns a cookie that the browser sent back until its own time was
// over, and no more after that, with its end and the first call without it.
func (s *scene) aged() (l setLine, end time.Time, without call, found bool) {
	for _, l := range s.lines() {
		if is, _ := s.fate(l); is != returned || l.MaxAge == nil {
			continue
		}
		end := l.by.ended().Add(time.Duration(*l.MaxAge) * time.Second)
		for _, c := range s.signedIn(atSession, atToken) {
			if c.Time.After(end) && c.sent(l.Name) == "" && !c.bearer() {
				return l, end, c, true
			}
		}
	}
	return setLine{}, time.Time{}, call{}, false
}

// ends are the ends that answers named for the session, in the order of time.
func (s *scene) ends() (calls []call, at []time.Time) {
	for _, c := range s.signedIn(atSession) {
		if e, known := c.sessionEnds(); known {
			calls, at = append(calls, c), append(at, e)
		}
	}
	return calls, at
}

func shortLived(s *scene) (*Finding, string) {
	l, end, without, found := s.aged()
	calls, ends := s.ends()
	if !found || len(ends) == 0 || ends[0].Sub(end) < apartBy {
		return nil, s.lastsAsLong(ends)
	}
	f := s.cookieFinding(l, []call{without})
	f.Evidence = append(f.Evidence, calls[0].ID+" named the session's end: "+clock(ends[0]))
	f.Title = fmt.Sprintf("%s set %s for %d s only, while its session lasts until %s", l.setter(), l.Name, *l.MaxAge, clock(ends[0]))
	return f, ""
}

// lastsAsLong is how a cookie that ends too early is ruled out.
func (s *scene) lastsAsLong(ends []time.Time) string {
	for _, l := range s.lines() {
		if l.MaxAge == nil || len(ends) == 0 || ends[0].Sub(l.by.ended().Add(time.Duration(*l.MaxAge)*time.Second)) > apartBy {
			return ""
		}
	}
	if len(ends) == 0 || len(s.lines()) == 0 {
		return ""
	}
	return "the cookie lasts as long as its session"
}

// prolonged returns the last answer before the cookie aged out that named a
// later end than the cookie's, and the line that it set the cookie by, if any.
func (s *scene) prolonged(end time.Time, without call, name string) (by call, line *trace.SetCookie, found bool) {
	calls, ends := s.ends()
	for i, c := range calls {
		if !c.Time.Before(without.Time) || !ends[i].After(end.Add(500*time.Millisecond)) {
			continue
		}
		by, found, line = c, true, nil
		for _, o := range c.Response.SetCookies {
			if o.Name == name && !o.Removes() {
				line = &o
			}
		}
	}
	return by, line, found
}

// renewal is the common part of the two rules on it; it holds where the cookie
// was as long as its session at first.
func (s *scene) renewal(fits func(first setLine, line *trace.SetCookie) bool) (l setLine, by call, f *Finding) {
	l, end, without, found := s.aged()
	_, ends := s.ends()
	if !found || len(ends) == 0 || ends[0].Sub(end) >= apartBy {
		return l, by, nil
	}
	by, line, found := s.prolonged(end, without, l.Name)
	if !found || !fits(l, line) {
		return l, by, nil
	}
	f = s.cookieFinding(l, []call{without})
	f.At = by.Time
	if line == nil {
		f.Evidence = append(f.Evidence, by.line()+", which named a later end and set no "+l.Name)
	} else {
		f.Evidence = append(f.Evidence, by.line(), "Set-Cookie: "+line.Line)
	}
	for _, r := range s.t.Refusals {
		if r.Cookie == l.Name && !r.Time.Before(by.Time) {
			f.Evidence = append(f.Evidence, fmt.Sprintf("%s refused to %s it: %v", s.browser(), r.Direction, r.Reasons))
			break
		}
	}
	return l, by, f
}

func notRenewed(s *scene) (*Finding, string) {
	l, by, f := s.renewal(func(_ setLine, line *trace.SetCookie) bool { return line == nil })
	if f == nil {
		_, ends := s.ends()
		return nil, s.lastsAsLong(ends)
	}
	f.Title = fmt.Sprintf("%s prolonged the session in its answer %s and sent no %s with it, so that the first one's time ran out", s.named(by), by.ID, l.Name)
	return f, ""
}

func renewedDifferently(s *scene) (*Finding, string) {
	differs := func(a setLine, b *trace.SetCookie) bool {
		return b != nil && (a.Partitioned != b.Partitioned || a.Secure != b.Secure || a.SameSite != b.SameSite || a.Path != b.Path || a.Domain != b.Domain)
	}
	l, by, f := s.renewal(differs)
	if f == nil {
		_, ends := s.ends()
		return nil, s.lastsAsLong(ends)
	}
	f.Title = fmt.Sprintf("%s renewed %s in its answer %s with other attributes than the sign-in's, and the browser did not take that for the same cookie", s.named(by), l.Name, by.ID)
	return f, ""
}

func leftBySignOut(s *scene) (*Finding, string) {
	how := ""
	for i, c := range s.calls {
		if c.at != atSignOut || !c.ok() {
			continue
		}
		for _, after := range s.calls[i+1:] {
			digest := c.sent(s.t.Subject.Cookie.Name)
			_, again := s.during(after.Time)
			// What was under way when the answer came proves nothing.
			if !again && digest != "" && after.Time.After(c.ended()) && after.carries(s.t.Subject.Cookie.Name, digest) && s.clearsAnother(c) {
				return leftFinding(s, c, after.line()+", sent with the cookie all the same", "")
			}
		}
		for _, j := range s.t.Jars {
			if _, again := s.during(j.Time); again || j.Time.Before(c.ended()) {
				continue
			}
			for _, kept := range j.Cookies {
				if kept.Name == s.t.Subject.Cookie.Name && s.clearsAnother(c) {
					where := "without a partition"
					if kept.PartitionKey != "" {
						where = "under " + kept.PartitionKey
					}
					return leftFinding(s, c, fmt.Sprintf("the jar %q still holds it %s", j.Label, where), " "+where)
				}
			}
			how = "the jar \"" + j.Label + "\" holds no session cookie after the sign-out"
		}
	}
	return nil, how
}

// clearsAnother says whether the sign-out's line, if there is one, names another
// cookie than the one that was set: by partition, Domain or Path (RFC 6265bis,
// section 5.7, step 23; CHIPS).
func (s *scene) clearsAnother(c call) bool {
	for _, l := range c.Response.SetCookies {
		if l.Name != s.t.Subject.Cookie.Name {
			continue
		}
		return slices.ContainsFunc(s.lines(), func(set setLine) bool {
			return set.Partitioned != l.Partitioned || set.Domain != l.Domain || set.Path != l.Path
		})
	}
	return true
}

func leftFinding(s *scene, c call, proof, where string) (*Finding, string) {
	f := of(c)
	for _, l := range c.Response.SetCookies {
		if l.Name == s.t.Subject.Cookie.Name {
			f.Evidence = append(f.Evidence, "Set-Cookie: "+l.Line)
		}
	}
	f.Evidence = append(f.Evidence, proof)
	f.Title = fmt.Sprintf("%s took away another cookie %s than the one that the browser keeps%s", s.named(c), s.t.Subject.Cookie.Name, where)
	f.opens = "The sign-out left the session cookie behind"
	return f, ""
}
