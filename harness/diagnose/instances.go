package diagnose

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"crossing/harness/trace"
)

// answers of one cookie: which instances knew its bearer, which did not.
type answers struct {
	knew, denied []witness
}

// witness is an instance's word on a cookie, with the line that quotes it.
type witness struct {
	instance, line string
	at             time.Time
	// wire: the browser's own call; cleared: the answer took the cookie away.
	wire, cleared bool
}

// verdicts gathers what was answered to the cookie, on the wire and to the
// harness, while the person ought to be signed in.
func (s *scene) verdicts() answers {
	var a answers
	name := s.t.Subject.Cookie.Name
	for _, c := range s.signedIn(atSession) {
		w := witness{instance: c.Instance, line: c.line(), at: c.Time, wire: true, cleared: c.clears(name)}
		switch {
		case !s.sentSession(c), hit(c) != "", s.twice(c):
		case c.person() != "":
			a.knew = append(a.knew, w)
		case c.null():
			a.denied = append(a.denied, w)
		}
	}
	for _, o := range s.observed(trace.ObserveSession) {
		w := witness{instance: o.Instance, line: quote(o), at: o.Time}
		switch o.Answer {
		case trace.AnswerPresent, trace.AnswerYes:
			a.knew = append(a.knew, w)
		case trace.AnswerAbsent, trace.AnswerNo:
			a.denied = append(a.denied, w)
		}
	}
	return a
}

// sentSession says whether a call carried a session, by cookie or bearer.
func (s *scene) sentSession(c call) bool {
	for _, p := range c.Request.Cookies {
		if sameButPrefix(p.Name, s.t.Subject.Cookie.Name) {
			return true
		}
	}
	return c.bearer()
}

// split returns a denial and a recognition of the same cookie that a deleted
// row does not explain: it was known after the denial, or another instance
// knew it at the same asking, or did before and the denial left the cookie
// alone, which no instance does that looked for a row and found none.
func (a answers) split() (knew, denied witness, apart bool) {
	for _, d := range a.denied {
		for _, k := range a.knew {
			alone := k.instance != d.instance && (d.wire && !d.cleared || !d.wire && !k.wire)
			if !k.at.Before(d.at) || alone {
				return k, d, true
			}
		}
	}
	return witness{}, witness{}, false
}

func (s *scene) signatures() (yes, no []trace.Observation) {
	for _, o := range s.t.Observations {
		// Where nobody got in, it is the cookie against forged requests.
		if _, in := s.during(o.Time); o.Name != trace.ObserveSignature || !in && s.established() || !s.carried(o.Of) {
			continue
		}
		switch o.Answer {
		case trace.AnswerYes:
			yes = append(yes, o)
		case trace.AnswerNo:
			no = append(no, o)
		}
	}
	return yes, no
}

// carried says whether the browser ever sent the session of that digest. What
// became of one that never left it tells nothing of instances and rows.
func (s *scene) carried(digest string) bool {
	return digest == "" || slices.ContainsFunc(s.calls, func(c call) bool {
		bearer := c.Request.Token != nil && c.Request.Token.Digest == digest
		return bearer || slices.ContainsFunc(c.Request.Cookies, func(p trace.Pair) bool { return p.Digest == digest })
	})
}

func logLine(l trace.LogLine) string {
	return strings.TrimSpace(fmt.Sprintf("log of %s, %s: %s", l.Instance, l.Request, l.Text))
}

func signatureRefused(s *scene) (*Finding, string) {
	yes, no := s.signatures()
	// Of two cookies of one name an instance reads the first only.
	logs := s.linesOf(s.sentOnce(), "session.lookup", "signature-refused")
	if len(no) == 0 && len(logs) == 0 {
		if len(yes) > 0 {
			return nil, fmt.Sprintf("the cookie's signature was made with the secret of %s", instances(yes))
		}
		return nil, ""
	}
	f := &Finding{At: s.spansBegin()}
	switch {
	case len(no) > 0 && len(yes) > 0:
		f.Instance = no[0].Instance
		f.Title = fmt.Sprintf("%s refuses the cookie that %s signed: their secrets differ", instances(no), instances(yes))
	case len(no) > 0:
		f.Instance = no[0].Instance
		f.Title = fmt.Sprintf("%s refuses the cookie's signature: it was made with another secret", instances(no))
	default:
		f.Instance = logs[0].Instance
		f.Title = fmt.Sprintf("%s refuses the cookie's signature: it was made with another secret", logs[0].Instance)
	}
	for _, o := range append(yes, no...) {
		f.Evidence = append(f.Evidence, quote(o))
	}
	for _, w := range s.verdicts().denied {
		if w.instance == f.Instance {
			f.Evidence, f.At = append(f.Evidence, w.line), w.at
			break
		}
	}
	for _, l := range firstOf(logs) {
		f.Evidence = append(f.Evidence, logLine(l))
	}
	if calls, lines := s.keyUnread(); len(calls) > 0 && len(yes)*len(no) > 0 {
		// One secret signs cookies and encrypts the keys that both share.
		f.Evidence = append(f.Evidence, calls[0].line(), logLine(lines[0]))
	}
	return f, ""
}

func instances(all []trace.Observation) string {
	var names []string
	for _, o := range all {
		names = append(names, o.Instance)
	}
	return strings.Join(names, ", ")
}

// spansBegin is when the first person was signed in; zero for nobody.
func (s *scene) spansBegin() time.Time {
	if len(s.spans) == 0 {
		return time.Time{}
	}
	return s.spans[0].from
}

// nameDiffers is proved by two names on the wire, or by an instance that made
// nothing of a cookie whose signature its own secret made and whose row is
// there: it did not read the cookie at all.
func nameDiffers(s *scene) (*Finding, string) {
	names := map[string]setLine{}
	for _, c := range s.calls {
		for _, l := range s.sessionLines(c) {
			names[l.Name] = l
		}
	}
	a := s.verdicts()
	if agreed := s.t.Subject.Cookie.Name; len(names) > 1 || (len(names) == 1 && names[agreed].Name == "" && len(a.denied) > 0) {
		return namesFinding(s, names, a), ""
	}
	if f := s.unread(); f != nil {
		return f, ""
	}
	yes, no := s.signatures()
	k, d, apart := a.split()
	if !apart {
		if len(a.knew) > 0 && len(a.denied) == 0 {
			return nil, "every instance that was asked read the cookie"
		}
		return nil, ""
	}
	signed := slices.ContainsFunc(yes, func(o trace.Observation) bool { return o.Instance == d.instance })
	if len(no) > 0 || !signed || !d.wire || d.cleared || s.rowLost() {
		return nil, ""
	}
	f := s.otherName(d.instance)
	f.At, f.Evidence = d.at, []string{k.line, d.line}
	for _, o := range yes {
		f.Evidence = append(f.Evidence, quote(o))
	}
	return f, ""
}

// unread is an instance's own word that it found no cookie on a request that
// carried one.
func (s *scene) unread() *Finding {
	for _, c := range s.signedIn(atSession, atToken) {
		if c.sent(s.t.Subject.Cookie.Name) == "" || c.bearer() {
			continue
		}
		for _, l := range s.linesOf([]call{c}, "session.lookup", "no-cookie") {
			f := s.otherName(l.Instance)
			f.At, f.Evidence = c.Time, []string{c.line() + ", sent with the cookie", logLine(l)}
			return f
		}
	}
	return nil
}

func (s *scene) otherName(instance string) *Finding {
	return &Finding{Instance: instance, Title: fmt.Sprintf("%s does not read the cookie %s, though the browser sends it: it looks for another name",
		instance, s.t.Subject.Cookie.Name)}
}

func namesFinding(s *scene, names map[string]setLine, a answers) *Finding {
	f := &Finding{}
	var other setLine
	for _, c := range s.calls { // in the order of time, not of the map
		for _, l := range s.sessionLines(c) {
			if names[l.Name].by.ID != c.ID {
				continue
			}
			f.Evidence = append(f.Evidence, c.line(), "Set-Cookie: "+l.Line)
			if l.Name != s.t.Subject.Cookie.Name {
				other = l
			}
		}
	}
	f.Instance, f.At = other.by.Instance, other.by.Time
	f.Title = fmt.Sprintf("%s names the session cookie %s where %s was agreed, and other instances do not read that", other.setter(), other.Name, s.t.Subject.Cookie.Name)
	if len(a.denied) > 0 {
		f.Evidence = append(f.Evidence, a.denied[0].line)
	}
	return f
}

func instancesDisagree(s *scene) (*Finding, string) {
	a := s.verdicts()
	k, d, apart := a.split()
	yes, no := s.signatures()
	if !apart {
		if len(a.knew) > 1 && len(a.denied) == 0 {
			return nil, "every answer to the cookie named the same person"
		}
		return nil, ""
	}
	if len(yes)+len(no) > 0 || !d.wire || d.cleared || s.rowLost() || len(s.lookups("")) > 0 || s.namedOtherwise() {
		return nil, ""
	}
	f := &Finding{Instance: d.instance, At: d.at, Evidence: []string{k.line, d.line}}
	who := "one call"
	if d.instance != "" && d.instance != k.instance {
		who = d.instance
	}
	f.Title = fmt.Sprintf("%s takes for nobody's the cookie that named the person to %s: their secrets or cookie prefixes differ", who, orElse(k.instance, "another"))
	return f, ""
}

func orElse(name, other string) string {
	if name == "" {
		return other
	}
	return name
}

// namedOtherwise: the session cookie was set under another name than agreed.
func (s *scene) namedOtherwise() bool {
	for _, c := range s.calls {
		for _, l := range s.sessionLines(c) {
			if l.Name != s.t.Subject.Cookie.Name {
				return true
			}
		}
	}
	return false
}

// storesDiffer: an instance looked for the session, found none and cleared the
// cookie, while the row is there or another instance knows the session.
func storesDiffer(s *scene) (*Finding, string) {
	a := s.verdicts()
	for _, d := range a.denied {
		_, no := s.signatures()
		refuses := slices.ContainsFunc(no, func(o trace.Observation) bool { return o.Instance == d.instance })
		if !(d.wire && d.cleared) || refuses {
			continue
		}
		proof, found := s.standsAfter(a, d)
		if !found {
			continue
		}
		f := &Finding{Instance: d.instance, At: d.at, Evidence: []string{d.line + ", cookie cleared", proof}}
		f.Title = fmt.Sprintf("%s looks for sessions in another place than the one where this session is, and cleared its cookie", orElse(d.instance, "an instance of the auth service"))
		return f, ""
	}
	if len(a.denied) == 0 && len(a.knew) > 0 {
		return nil, "every instance that was asked found the session"
	}
	return nil, ""
}

// standsAfter quotes what shows that the session outlived a denial.
func (s *scene) standsAfter(a answers, d witness) (string, bool) {
	for _, k := range a.knew {
		if !k.at.Before(d.at) {
			return k.line, true
		}
	}
	for _, o := range s.observed(trace.ObserveRow) {
		if o.Answer == trace.AnswerPresent && !o.Time.Before(d.at) {
			return quote(o), true
		}
	}
	return "", false
}

// cachedAnswer finds a person who was named out of the cookie cache, by the
// service's own word, while the row is gone.
func (s *scene) cachedAnswer() (c call, proof string, stale bool) {
	absent := s.rows(trace.AnswerAbsent)
	if len(absent) == 0 {
		return call{}, "", false
	}
	for _, c := range s.signedIn(atSession) {
		if c.person() == "" {
			continue
		}
		for _, l := range s.linesOf([]call{c}, "session.lookup", "cached") {
			return c, logLine(l), true
		}
	}
	return call{}, "", false
}

func cacheStale(s *scene) (*Finding, string) {
	if out, after, lives := s.outlived(); lives {
		f := of(after)
		f.Evidence = append(f.Evidence, out.line()+", with the same session")
		f.Title = fmt.Sprintf("%s still names the person after she has signed out: it answers from a cookie or a cache, not from the row", s.named(after))
		f.opens = "The session outlives its row"
		return f, ""
	}
	c, proof, stale := s.cachedAnswer()
	if !stale {
		if len(s.rows(trace.AnswerPresent)) > 0 {
			return nil, "the row is there"
		}
		return nil, ""
	}
	f := of(c)
	f.Evidence = append(f.Evidence, proof, quote(s.rows(trace.AnswerAbsent)[0]))
	f.Title = fmt.Sprintf("%s goes on answering out of its cookie cache for a session whose row is gone: a revoked session stays good until the cache's time is over", s.named(c))
	return f, ""
}
