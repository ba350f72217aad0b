package diagnose

import (
	"regexp"
	"slices"
	"strings"

	"crossing/harness/trace"
)

// serverRules are the faults of the database as a server: the service names
// each by a code of its own, in its answers, its readiness and its log.
var serverRules = []rule{
	{CauseInfo{
		Slug: "database-structure", Hops: []Hop{HopDatabase},
		Means: "The database lacks tables or columns that the auth service needs: its migrations were not run, or a table went away.",
		Shows: "A cold instance: 503 STRUCTURE_INCOMPLETE on every route. A warm one: get-session 500, SQLSTATE 42P01 or 42703 in the log.",
	}, databaseNamed("database-structure")},
	{CauseInfo{
		Slug: "database-permission", Hops: []Hop{HopDatabase},
		Means: "The auth service's role may not read or write one of its tables.",
		Shows: "get-session 500 on a warm instance, DATABASE_PERMISSION_DENIED (SQLSTATE 42501) in the log.",
	}, databaseNamed("database-permission")},
	{CauseInfo{
		Slug: "database-exhausted", Hops: []Hop{HopDatabase},
		Means: "There is no connection left: the server's limit, the pooler's or the service's own pool is used up.",
		Shows: "500 or 503, DATABASE_TOO_MANY_CONNECTIONS (SQLSTATE 53300) in the answer, the readiness or the log.",
	}, databaseNamed("database-exhausted")},
	{CauseInfo{
		Slug: "database-connection-ended", Hops: []Hop{HopDatabase},
		Means: "The server ends connections while they are in use.",
		Shows: "get-session 500 now and again, DATABASE_CONNECTION_LOST (SQLSTATE 57P01) in the log.",
	}, databaseNamed("database-connection-ended")},
	{CauseInfo{
		Slug: "database-slow", Hops: []Hop{HopDatabase},
		Means: "The database answers later than the auth service waits.",
		Shows: "get-session 500 after the time limit, DATABASE_TIMED_OUT in the log.",
	}, databaseNamed("database-slow")},
	{CauseInfo{
		Slug: "database-fault", Hops: []Hop{HopDatabase},
		Means: "The auth service cannot use its database.",
		Shows: "A warm instance: get-session 500 FAILED_TO_GET_SESSION, token 401 since the error is swallowed. A cold one: 500, or 503 with a DATABASE code, on every route.",
	}, databaseFault},
}

// databaseKinds are the faults that a code of the service's own, or SQLSTATE
// (PostgreSQL, appendix A), tells from others, in the order in which they are
// looked for; each with how its title goes on after the service's name.
var databaseKinds = []struct {
	slug, title string
	words       *regexp.Regexp
}{
	{"database-structure", "finds tables or columns missing in its database", regexp.MustCompile(`STRUCTURE_INCOMPLETE|"sqlstate":"42(P01|703)"`)},
	{"database-permission", "may not use a table of its database", regexp.MustCompile(`DATABASE_PERMISSION_DENIED`)},
	{"database-exhausted", "gets no connection to its database: there is none left", regexp.MustCompile(`DATABASE_TOO_MANY_CONNECTIONS|timeout exceeded when trying to connect`)},
	{"database-connection-ended", "loses its connection to the database while it is in use", regexp.MustCompile(`DATABASE_CONNECTION_LOST`)},
	{"database-slow", "waits longer for its database than it may", regexp.MustCompile(`DATABASE_TIMED_OUT`)},
}

func structureWord(code string) bool { return code == "STRUCTURE_INCOMPLETE" }

// databaseWords are the first word of a kind, by its slug, with the call that
// failed for it and the lines that show it. A word counts only in answers to
// the browser and in log lines of its own requests.
func (s *scene) databaseWords() (slug string, c call, lines []string) {
	for _, kind := range databaseKinds {
		for _, c := range s.calls {
			if c.Role != trace.RoleAuth || c.Status == 503 && !kind.words.MatchString(c.code()) || c.Status < 400 {
				continue
			}
			var shown []string
			for _, l := range s.linesOf([]call{c}, "database.error", "") {
				if kind.words.MatchString(l.Text) {
					shown = append(shown, logLine(l))
				}
			}
			if c.Status == 503 || len(shown) > 0 {
				return kind.slug, c, shown
			}
		}
	}
	return "", call{}, nil
}

func databaseNamed(slug string) func(*scene) (*Finding, string) {
	return func(s *scene) (*Finding, string) {
		found, c, lines := s.databaseWords()
		if found != slug {
			if s.databaseUp() && found == "" && len(s.logged("database.error")) == 0 {
				return nil, "the database answers, and no call failed for it"
			}
			return nil, ""
		}
		f := of(c)
		for _, kind := range databaseKinds {
			if kind.slug == slug {
				f.Title = s.named(c) + " " + kind.title
			}
		}
		f.Evidence = append(f.Evidence, firstOf(lines)...)
		f.Evidence = append(f.Evidence, s.health(c.Instance)...)
		return f, ""
	}
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
	if kind, _, _ := s.databaseWords(); kind != "" {
		return nil, "the service says more exactly what is wrong with its database"
	}
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
		warm := c.at == atSession && c.code() == "FAILED_TO_GET_SESSION" && !tokenBroken && !c.Outside
		return warm || down || len(logs) > 0
	})
	if !found {
		// That the harness itself got no answer proves no loss.
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
