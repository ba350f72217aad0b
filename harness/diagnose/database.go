package diagnose

import (
	"fmt"
	"time"

	"crossing/harness/trace"
)

// databaseRules are the faults of the rows that make a session.
var databaseRules = []rule{
	{CauseInfo{
		Slug: "user-missing", Hops: []Hop{HopDatabase},
		Means: "The person's own row is gone, and the session's with it.",
		Shows: "A rightly signed cookie; get-session null with three Max-Age=0; neither the session's row nor the person's.",
	}, userMissing},
	{CauseInfo{
		Slug: "session-expired", Hops: []Hop{HopDatabase},
		Means: "The session's time is over.",
		Shows: "get-session null with three Max-Age=0; reading the session deletes its row.",
	}, sessionExpired},
	{CauseInfo{
		Slug: "session-row-missing", Hops: []Hop{HopDatabase},
		Means: "The session's row is gone: revoked, deleted, or the database is another one.",
		Shows: "A rightly signed cookie; get-session null with three Max-Age=0; no row.",
	}, rowMissing},
}

// rows returns the observed rows with that answer.
func (s *scene) rows(answer string) []trace.Observation {
	var out []trace.Observation
	for _, o := range s.observed(trace.ObserveRow) {
		if o.Answer == answer && s.carried(o.Of) {
			out = append(out, o)
		}
	}
	return out
}

func (s *scene) rowLost() bool {
	return len(s.rows(trace.AnswerAbsent))+len(s.rows(trace.AnswerExpired)) > 0
}

// cleared returns the last denial that took the cookie away, if nothing shows
// that the session outlived it and no other instance may have cleared what is
// not its own.
func (s *scene) cleared() (witness, bool) {
	a := s.verdicts()
	for _, d := range a.denied {
		if !d.wire || !d.cleared {
			continue
		}
		if _, stands := s.standsAfter(a, d); stands {
			continue
		}
		foreign := false
		for _, k := range a.knew {
			foreign = foreign || k.instance != d.instance
		}
		if !foreign || s.rowLost() {
			return d, true
		}
	}
	return witness{}, false
}

func sessionExpired(s *scene) (*Finding, string) {
	if u, inUse := s.usedUp(); inUse {
		return nil, fmt.Sprintf("it was in use until its end, which never moved (%s)", u.last.ID)
	}
	d, denied := s.cleared()
	f := &Finding{Instance: d.instance, At: s.spansBegin(), Title: "the session had expired"}
	if denied {
		f.At, f.Evidence = d.at, []string{d.line + ", cookie cleared"}
	}
	rows, logs := s.rows(trace.AnswerExpired), s.lookups("expired")
	ends, known := s.expires()
	switch {
	case len(rows) > 0:
		f.Evidence = append(f.Evidence, quote(rows[0]))
	case len(logs) > 0:
		f.Evidence = append(f.Evidence, logLine(logs[0]))
		f.Instance = logs[0].Instance
	case denied && known && ends.Before(d.at):
		f.Evidence = append(f.Evidence, "get-session had named its end: "+ends.UTC().Format(time.RFC3339))
	case len(s.rows(trace.AnswerPresent)) > 0:
		return nil, "the row is there and has not expired"
	default:
		return nil, ""
	}
	if known {
		f.Title += " at " + ends.UTC().Format(time.RFC3339)
	}
	return f, ""
}

// expires is the end of the session as get-session last named it.
func (s *scene) expires() (at time.Time, known bool) {
	for _, c := range s.signedIn(atSession) {
		if ends, named := c.sessionEnds(); named {
			at, known = ends, true
		}
	}
	return at, known
}

// userMissing: the session's row goes with the person's, so its absence proves
// nothing by itself.
func userMissing(s *scene) (*Finding, string) {
	for _, o := range s.observed(trace.ObserveUser) {
		if o.Answer == trace.AnswerPresent {
			return nil, "the person's row is there"
		}
		rows := s.rows(trace.AnswerAbsent)
		if o.Answer != trace.AnswerAbsent || len(rows) == 0 {
			continue
		}
		if s.knownAfter(o.Time) {
			return nil, "an instance knew the session although the harness saw no row"
		}
		f := &Finding{At: o.Time, Evidence: []string{quote(o), quote(rows[0])}}
		f.Title = "the person's row is gone from the database, and the session's with it"
		if d, denied := s.cleared(); denied {
			f.Instance, f.At = d.instance, d.at
			f.Evidence = append(f.Evidence, d.line+", cookie cleared")
		}
		return f, ""
	}
	return nil, ""
}

// rowExplained says why an absent row is no cause of its own.
func (s *scene) rowExplained() string {
	for _, o := range s.observed(trace.ObserveUser) {
		if o.Answer == trace.AnswerAbsent {
			return "the person's row is gone, and the session's goes with it"
		}
	}
	if _, _, stale := s.cachedAnswer(); stale {
		return "the cookie cache answered all the same"
	}
	return ""
}

func rowMissing(s *scene) (*Finding, string) {
	absent := s.rows(trace.AnswerAbsent)
	d, denied := s.cleared()
	ends, known := s.expires()
	expired := len(s.rows(trace.AnswerExpired)) > 0 || len(s.lookups("expired")) > 0 ||
		(denied && known && ends.Before(d.at))
	if len(absent) == 0 && len(s.rows(trace.AnswerPresent)) > 0 {
		return nil, "the row is there"
	}
	if expired || (len(absent) == 0 && !denied) {
		return nil, ""
	}
	f := &Finding{Instance: d.instance, At: s.spansBegin()}
	if denied {
		f.At, f.Evidence = d.at, append(f.Evidence, d.line+", cookie cleared")
	}
	if how := s.rowExplained(); how != "" {
		return nil, how
	}
	if len(absent) > 0 {
		if s.knownAfter(absent[0].Time) {
			return nil, "an instance knew the session although the harness saw no row"
		}
		f.At = earlier(f.At, absent[0].Time, denied)
		f.Evidence = append(f.Evidence, quote(absent[0]))
	}
	for _, l := range firstOf(s.lookups("missing")) {
		f.Evidence = append(f.Evidence, logLine(l))
	}
	f.Title = fmt.Sprintf("the session's row is gone from the database, so %s no longer knows the cookie", orElse(d.instance, "the auth service"))
	return f, ""
}

func (s *scene) knownAfter(at time.Time) bool {
	for _, k := range s.verdicts().knew {
		if !k.at.Before(at) {
			return true
		}
	}
	return false
}

func earlier(a, b time.Time, denied bool) time.Time {
	if denied && a.Before(b) {
		return a
	}
	return b
}

func firstOf[T any](all []T) []T { return all[:min(1, len(all))] }
