package diagnose

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"crossing/harness/trace"
)

// entry is what is read of a service's log line: what happened, and how it
// ended. The auth service writes JSON (event session.lookup with the results
// found, missing, expired, signature-refused, no-cookie, cached, failed;
// database.error; origin.refused).
type entry struct {
	Event  string `json:"event"`
	Result string `json:"result"`
}

// says reads a line; a log that is no JSON is searched for the words.
func says(l trace.LogLine, event, result string) bool {
	var e entry
	if json.Unmarshal([]byte(l.Text), &e) == nil {
		return e.Event == event && (result == "" || e.Result == result)
	}
	return strings.Contains(l.Text, event) && strings.Contains(l.Text, result)
}

// logged returns the lines of an event in requests that the browser made.
func (s *scene) logged(event string) []trace.LogLine {
	return s.linesOf(s.calls, event, "")
}

// lookups returns the lines of a session's look-up while the person ought to
// be signed in, with that result ("" for any): before a sign-in, and after a
// sign-out, a look-up rightly finds nothing.
func (s *scene) lookups(result string) []trace.LogLine {
	return s.linesOf(s.signedIn(atSession, atToken, atList), "session.lookup", result)
}

// keyUnread returns the calls on the session and the token that failed since an
// instance could not decrypt the private key in the jwks table, each with the
// line in which BetterAuth says so. Its secret is the key's, too.
func (s *scene) keyUnread() (calls []call, lines []trace.LogLine) {
	for _, c := range s.signedIn(atSession, atToken) {
		for _, l := range s.t.Logs {
			if c.Status == http.StatusInternalServerError && l.Request == c.ID && strings.Contains(l.Text, "decrypt private key") {
				calls, lines = append(calls, c), append(lines, l)
				break
			}
		}
	}
	return calls, lines
}

func (s *scene) logOf(c call, event string) []trace.LogLine {
	return s.linesOf([]call{c}, event, "")
}

func (s *scene) linesOf(calls []call, event, result string) []trace.LogLine {
	var out []trace.LogLine
	for _, l := range s.t.Logs {
		ours := slices.ContainsFunc(calls, func(c call) bool { return c.ID == l.Request })
		if ours && says(l, event, result) {
			out = append(out, l)
		}
	}
	return out
}
