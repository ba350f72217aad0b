package lint

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"crossing/harness/trace"
)

// A clock may be ahead by this much: a Date has whole seconds, and an answer
// its way. Behind, by more: servers keep a Date for a while (uvicorn, for a
// second of its own event loop, which a busy machine stretches).
const (
	clockAhead  = 2 * time.Second
	clockBehind = 10 * time.Second
)

// clock judges the Dates of each instance, and the iat of its tokens. A clock
// that is off is so in every answer: the best of them counts.
func clock(a *Answers) outcome {
	var o outcome
	best := map[string]reading{}
	var order []string
	for _, x := range a.Asked {
		r, known := read(x)
		if !known {
			continue
		}
		who := x.who()
		if other, seen := best[who]; !seen {
			order = append(order, who)
			best[who] = r
		} else if r.off() < other.off() {
			best[who] = r
		}
	}
	for _, who := range order {
		o.late(best[who])
	}
	for _, x := range a.all(qToken) {
		if t := x.Response.Token; t != nil && !t.IssuedAt.IsZero() {
			// A token may be handed out again: it tells of a clock ahead only.
			ahead := t.IssuedAt.Sub(answered(x))
			o.late(reading{x, max(ahead, 0), "iat: " + t.IssuedAt.UTC().Format(time.RFC3339)})
		}
	}
	if len(order) == 0 {
		return unable("no answer has a Date")
	}
	o.said = "as this machine's: " + list(order)
	return o
}

// reading of a service's clock: how far it was ahead of this machine's.
type reading struct {
	x     Answer
	ahead time.Duration
	says  string
}

func (r reading) off() time.Duration { return max(r.ahead, -r.ahead) }

func answered(x Answer) time.Time {
	return x.Time.Add(time.Duration(x.Millis * float64(time.Millisecond)))
}

// read reads an answer's Date, which has whole seconds (RFC 9110, section
// 6.6.1), against this machine's clock while it was asked.
func read(x Answer) (reading, bool) {
	said, err := http.ParseTime(x.Response.Get("Date"))
	if err != nil || x.Time.IsZero() || x.silent() {
		return reading{}, false
	}
	r := reading{x: x, says: "Date: " + x.Response.Get("Date")}
	// Between sending and receiving any moment will do; the Date cuts off up to
	// a second.
	switch early, late := x.Time.Add(-time.Second), answered(x); {
	case said.After(late):
		r.ahead = said.Sub(late)
	case said.Before(early):
		r.ahead = said.Sub(early)
	}
	return r, true
}

// late names what a clock that is off leads to: tokens that have not begun, or
// are over.
func (o *outcome) late(r reading) {
	x, direction := r.x, "ahead of"
	switch {
	case r.ahead > clockAhead:
	case r.ahead < -clockBehind:
		direction = "behind"
	default:
		return
	}
	cause := "token-not-yet-valid"
	if (x.Role == trace.RoleAPI) == (r.ahead > 0) {
		cause = "token-expired"
	}
	o.find(cause, x.To, fmt.Sprintf("the clock of %s runs %s %s this machine's", x.who(), r.off().Round(time.Second), direction), x.line()+", "+r.says)
}

// caching judges what sessions and tokens say to caches, and whether one
// answered.
func caching(a *Answers) outcome {
	var o outcome
	said := map[string]string{}
	for _, x := range a.Asked {
		if !slices.Contains([]string{qSession, qNobody, qToken, qNoToken, qBearer}, x.Question) || x.silent() || x.Status >= 500 {
			continue
		}
		what, cause := "session", "session-cached"
		if x.Question == qToken || x.Question == qNoToken {
			what, cause = "token", "token-cached"
		}
		said[what] = orElse(x.Response.Get("Cache-Control"), "no Cache-Control")
		if why := cached(x); why != "" {
			o.find(cause, x.To, fmt.Sprintf("a cache answers for %s, so that one person's %s is another's: %s", x.who(), what, why), x.line(), cacheLines(x))
		} else if why := cacheable(x); why != "" {
			o.find(cause, x.To, fmt.Sprintf("%s lets caches keep a %s: %s", x.who(), what, why), x.line(), cacheLines(x))
		}
	}
	if len(said) == 0 {
		return unable("no session and no token was answered")
	}
	o.said = fmt.Sprintf("session: %s; token: %s", orElse(said["session"], "none"), orElse(said["token"], "none"))
	return o
}

// cached: the answer's own headers say that it came out of a cache (RFC 9111,
// section 5.1; Vercel's and Cloudflare's documentation).
func cached(x Answer) string {
	if age := x.Response.Get("Age"); age != "" && age != "0" {
		return "Age: " + age
	}
	for _, name := range []string{"X-Vercel-Cache", "CF-Cache-Status", "X-Cache"} {
		v := x.Response.Get(name)
		if word := strings.ToUpper(v); strings.HasPrefix(word, "HIT") || strings.HasPrefix(word, "STALE") {
			return name + ": " + v
		}
	}
	return ""
}

// cacheable: a cache is told to keep it (RFC 9111, section 5.2.2).
func cacheable(x Answer) string {
	for _, name := range []string{"Cache-Control", "CDN-Cache-Control", "Vercel-CDN-Cache-Control", "Surrogate-Control"} {
		v := x.Response.Get(name)
		if lists(v, "no-store") || lists(v, "no-cache") {
			continue
		}
		for part := range strings.SplitSeq(v, ",") {
			directive, value, _ := strings.Cut(strings.ToLower(strings.TrimSpace(part)), "=")
			seconds, _ := strconv.Atoi(strings.Trim(value, `"`))
			if directive == "public" || (directive == "max-age" || directive == "s-maxage") && seconds > 0 {
				return name + ": " + v
			}
		}
	}
	return ""
}

func cacheLines(x Answer) string {
	var out []string
	for _, name := range []string{"Cache-Control", "Age", "X-Vercel-Cache", "CF-Cache-Status", "X-Cache"} {
		if v := x.Response.Get(name); v != "" {
			out = append(out, name+": "+v)
		}
	}
	return strings.Join(out, ", ")
}

// database judges the rows of the sessions that were made.
func database(a *Answers) outcome {
	var o outcome
	rows := 0
	for _, seen := range a.Observed {
		if seen.Name != trace.ObserveRow {
			continue
		}
		rows++
		says := a.rowOf(seen.Of)
		switch seen.Answer {
		case trace.AnswerFailed:
			o.find("database-fault", seen.Of, "the database of crossing.yaml cannot be asked for a session", says)
		case trace.AnswerAbsent:
			o.find("stores-differ", seen.Of, fmt.Sprintf("%s keeps its sessions in another place than the database of crossing.yaml", seen.Of), says)
		}
	}
	switch {
	case a.Remote:
		return unable("a deployment's database is not reached")
	case rows == 0:
		return unable("no session was made, or crossing.yaml names no database")
	}
	o.said = fmt.Sprintf("%d sessions have their row", rows)
	return o
}

// limits judges the limiter of sign-ins.
func limits(a *Answers) outcome {
	var o outcome
	for _, x := range a.Asked {
		if x.Status == 429 && x.Question != qLimit && x.Question != qNeighbour {
			o.find("rate-limited", x.To, fmt.Sprintf("%s limited the visitor's calls after a few", x.who()), x.line(), retry(x))
		}
	}
	if a.Remote {
		if len(o.findings) > 0 {
			return o
		}
		return unable("this machine has one address: to a deployment it would lock itself out and prove nothing")
	}
	tried := a.all(qLimit)
	if len(tried) == 0 || tried[0].Status >= 500 || tried[0].silent() {
		return unable("no sign-in could be tried")
	}
	last := tried[len(tried)-1]
	neighbour := a.all(qNeighbour)
	switch {
	case last.Status != 429:
		o.said = fmt.Sprintf("no limiter stepped in within %d wrong passwords", len(tried))
	case len(neighbour) > 0 && neighbour[0].Status == 429:
		o.find("rate-limited", last.To, fmt.Sprintf("%s takes all visitors for one: another address is limited, too", last.who()), last.line(), neighbour[0].line()+", from another address", retry(last))
	case len(tried) <= 2:
		o.find("rate-limited", last.To, fmt.Sprintf("%s limits sign-ins at the second", last.who()), last.line(), retry(last))
	default:
		o.said = fmt.Sprintf("after %d wrong passwords from one address; another's is let in to try", len(tried)-1)
	}
	return o
}

func retry(x Answer) string {
	for _, name := range []string{"X-Retry-After", "Retry-After"} {
		if v := x.Response.Get(name); v != "" {
			return name + ": " + v
		}
	}
	return ""
}

// soon is when the end of a certificate is worth a finding: those that renew
// themselves do so a month before.
const soon = 14 * 24 * time.Hour

// certificates judges what deployed origins show.
func certificates(a *Answers) outcome {
	if !a.Remote {
		return unable("services that are started here stand behind the edge's own certificate")
	}
	var o outcome
	var said []string
	for _, c := range a.Certificates {
		left := c.Until.Sub(a.Begun)
		switch {
		case c.Err != "":
			o.find("certificate", "", fmt.Sprintf("the certificate of %s does not verify", c.Origin), c.Err)
		case left < soon:
			o.find("certificate", "", fmt.Sprintf("the certificate of %s ends in %d days", c.Origin, int(left.Hours()/24)), fmt.Sprintf("%s, until %s, from %s", c.TLS, c.Until.UTC().Format(time.RFC3339), c.Issuer))
		}
		said = append(said, fmt.Sprintf("%s %s until %s", c.Origin, c.TLS, c.Until.UTC().Format("2006-01-02")))
	}
	o.said = strings.Join(said, "; ")
	return o
}
