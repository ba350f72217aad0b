package diagnose

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"crossing/harness/trace"
)

// databaseRules are the faults of the database and of the row in it.
var databaseRules = []rule{
	{CauseInfo{
		Slug: "database-fault", Hops: []Hop{HopDatabase},
		Means: "The auth service cannot use its database.",
		Shows: "A warm instance: get-session 500 FAILED_TO_GET_SESSION, token 401 since the error is swallowed. A cold one: 500, or 503 with a DATABASE code, on every route.",
	}, databaseFault},
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

// databaseCode finds the auth service's codes about its database.
var databaseCode = regexp.MustCompile(`DATABASE_[A-Z_]+`)

// databaseWord says whether a text holds a code about the database. Those that
// begin with the setting's name are about the configuration.
func databaseWord(text string) bool {
	return slices.ContainsFunc(databaseCode.FindAllString(text, -1), func(code string) bool {
		return !strings.HasPrefix(code, "DATABASE_URL")
	})
}

func (s *scene) databaseDown() bool {
	for _, o := range s.t.Observations {
		if o.Name == trace.ObserveDatabase && (o.Answer == trace.AnswerFailed || o.Answer == trace.AnswerNo) {
			return true
		}
		if o.Name == trace.ObserveHealth && o.Answer != trace.AnswerYes && databaseWord(o.Detail) {
			return true
		}
	}
	return false
}

func (s *scene) databaseUp() bool {
	all := s.observed(trace.ObserveDatabase)
	return len(all) > 0 && all[0].Answer == trace.AnswerYes && !s.databaseDown()
}

// databaseFault is proved by the service's own code, or by a server error of
// the auth service beside a database that was seen down. BetterAuth's
// FAILED_TO_GET_SESSION counts only where the token call beside it was not
// 500: that pair is the mark of an unreadable signing key.
func databaseFault(s *scene) (*Finding, string) {
	down := s.databaseDown()
	logs := s.logged("database.error")
	_, tokenBroken := s.answered(atToken, 500)
	c, found := s.first(func(c call) bool {
		switch {
		case c.Status == 503 && databaseWord(c.code()):
			return true
		case c.Status != 500:
			return false
		}
		warm := c.at == atSession && c.code() == "FAILED_TO_GET_SESSION" && !tokenBroken
		return warm || down || len(logs) > 0
	})
	if !found && !down {
		if s.databaseUp() {
			return nil, "the database answers, and no call failed for it"
		}
		return nil, ""
	}
	f := &Finding{At: s.spansBegin()}
	who := "the auth service"
	if found {
		f, who = of(c), s.named(c)
	}
	f.Title = who + " cannot use its database" + s.warmth(c)
	if token, swallowed := s.answered(atToken, 401); swallowed && found {
		f.Evidence = append(f.Evidence, token.line()+", the same error swallowed")
	}
	f.Evidence = append(f.Evidence, s.databaseEvidence()...)
	for _, l := range firstOf(logs) {
		f.Evidence = append(f.Evidence, logLine(l))
	}
	return f, ""
}

// warmth tells a cold instance, which fails on every route, from a warm one.
func (s *scene) warmth(c call) string {
	switch _, swallowed := s.answered(atToken, 401); {
	case c.Status == 503:
		return " (" + c.code() + ")"
	case c.at == atSession && swallowed:
		return " (a warm instance: only what reads the session fails)"
	case c.at == atSignIn || c.at == atSignUp:
		return " (a cold instance: every route fails)"
	}
	return ""
}

func (s *scene) databaseEvidence() []string {
	var out []string
	for _, o := range s.t.Observations {
		broken := o.Answer == trace.AnswerFailed || o.Answer == trace.AnswerNo
		about := o.Name == trace.ObserveDatabase || (o.Name == trace.ObserveHealth && databaseWord(o.Detail))
		if broken && about {
			out = append(out, quote(o))
		}
	}
	return out
}

// rows returns the observed rows with that answer.
func (s *scene) rows(answer string) []trace.Observation {
	var out []trace.Observation
	for _, o := range s.observed(trace.ObserveRow) {
		if o.Answer == answer {
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
		var body struct {
			Session struct {
				ExpiresAt time.Time `json:"expiresAt"`
			} `json:"session"`
		}
		if json.Unmarshal([]byte(c.Response.Body), &body) == nil && !body.Session.ExpiresAt.IsZero() {
			at, known = body.Session.ExpiresAt, true
		}
	}
	return at, known
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
