package page

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"crossing/harness/trace"
)

// exchange is one request with its answer, as the page shows it.
type exchange struct {
	ID       string     `json:"id"`
	At       float64    `json:"at"` // seconds since the story began
	Millis   float64    `json:"millis"`
	Role     trace.Role `json:"role"`
	Instance string     `json:"instance,omitempty"`
	Method   string     `json:"method"`
	URL      string     `json:"url"`
	Page     string     `json:"page,omitempty"`
	Status   int        `json:"status"`
	Err      string     `json:"err,omitempty"`
	Fault    string     `json:"fault,omitempty"`
	// Kind is "page's own", "preflight", "part of a page", "harness", or
	// "proof" for the control of the cookie policy.
	Kind string `json:"kind"`
	// Proof says that the diagnosis quotes it.
	Proof      bool        `json:"proof,omitempty"`
	Sent       []sent      `json:"sent,omitempty"`
	SetCookies []setCookie `json:"setCookies,omitempty"`
	Request    side        `json:"request"`
	Response   side        `json:"response"`
	Logs       []logLine   `json:"logs,omitempty"`
}

// side is one message of an exchange.
type side struct {
	Header []trace.Field `json:"header,omitempty"`
	Body   string        `json:"body,omitempty"`
	Bytes  int64         `json:"bytes"`
	Token  *trace.Token  `json:"token,omitempty"`
}

// sent is one cookie of a Cookie header, and where it came from.
type sent struct {
	Name   string `json:"name"`
	Digest string `json:"digest"`
	// SetBy is the exchange whose answer set this very value.
	SetBy string `json:"setBy,omitempty"`
	// Key is the partition in which a jar shows it.
	Key string `json:"key,omitempty"`
}

type logLine struct {
	Instance string `json:"instance"`
	Text     string `json:"text"`
}

// Kinds of exchanges.
const (
	kindOwn       = "page's own"
	kindPreflight = "preflight"
	kindLoad      = "part of a page"
	kindHarness   = "harness"
	kindProof     = "proof"
)

func kindOf(e trace.Exchange) string {
	switch {
	case e.Outside:
		return kindHarness
	case strings.HasPrefix(e.Path, trace.ReservedPath):
		return kindProof
	case e.Preflight:
		return kindPreflight
	case e.Role == trace.RoleFrontend && e.Status < 400 && e.Err == "" && !strings.HasSuffix(e.Path, ".json"):
		return kindLoad
	}
	return kindOwn
}

var identifier = regexp.MustCompile(`\b[0-9a-f]{16}\b`)

// quoted are the exchanges that the diagnosis names.
func (v *visitor) quoted() map[string]bool {
	all := map[string]bool{}
	for _, f := range v.Diagnosis.Findings {
		for _, line := range slices.Concat(f.Evidence, f.Consequences) {
			for _, id := range identifier.FindAllString(line, -1) {
				all[id] = true
			}
		}
	}
	return all
}

// weight orders exchanges by what a reader misses most when there is no room
// for all: the least is kept first.
func (e exchange) weight() int {
	switch {
	case e.Proof:
		return 0
	case e.Kind == kindOwn && (e.Status >= 400 || e.Err != "" || e.Fault != ""):
		return 1
	case e.Kind == kindOwn:
		return 2
	case e.Kind == kindPreflight:
		return 3
	case e.Kind == kindHarness:
		return 4
	}
	return 5
}

func (v *visitor) exchanges(t trace.Trace) []exchange {
	proof, logs := v.quoted(), v.logs(t)
	setBy, keys := map[string]string{}, map[string]string{}
	for _, j := range t.Jars {
		for _, c := range j.Cookies {
			keys[c.Name+" "+c.Digest] = c.PartitionKey
		}
	}
	all := make([]exchange, 0, len(t.Exchanges))
	for _, e := range t.Exchanges {
		x := exchange{
			ID: e.ID, At: e.Time.Sub(origin(t)).Seconds(), Millis: e.Millis, Role: e.Role, Instance: e.Instance, Method: e.Method,
			URL: cut(e.Origin+e.Path+query(e), mostValue), Page: e.PageOrigin, Status: e.Status, Err: cut(e.Err, mostValue), Fault: e.Fault,
			Kind: kindOf(e), Proof: proof[e.ID], Request: sideOf(e.Request), Response: sideOf(e.Response), Logs: logs[e.ID],
		}
		for _, c := range e.Request.Cookies {
			key := c.Name + " " + c.Digest
			x.Sent = append(x.Sent, sent{c.Name, c.Digest, setBy[key], keys[key]})
		}
		for _, c := range e.Response.SetCookies {
			setBy[c.Name+" "+c.Digest] = e.ID
			x.SetCookies = append(x.SetCookies, explainSet(t, e, c))
		}
		all = append(all, x)
	}
	return v.chosen(all)
}

// chosen keeps the weightiest, in the order of time.
func (v *visitor) chosen(all []exchange) []exchange {
	if len(all) <= mostExchanges {
		return all
	}
	order := make([]int, len(all))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return all[a].weight() - all[b].weight() })
	order = order[:mostExchanges]
	slices.Sort(order)
	kept := make([]exchange, 0, mostExchanges)
	for _, i := range order {
		kept = append(kept, all[i])
	}
	v.left(len(all)-len(kept), len(all), "exchanges")
	return kept
}

func query(e trace.Exchange) string {
	if e.Query == "" {
		return ""
	}
	return "?" + e.Query
}

func sideOf(m trace.Message) side {
	s := side{Body: cut(m.Body, mostText), Bytes: m.Bytes, Token: m.Token}
	for _, f := range m.Header {
		s.Header = append(s.Header, trace.Field{Name: f.Name, Value: cut(f.Value, mostValue)})
	}
	return s
}

// logs are the services' lines by the exchange that they belong to.
func (v *visitor) logs(t trace.Trace) map[string][]logLine {
	byID := map[string][]logLine{}
	proof := v.quoted()
	all := slices.Clone(t.Logs)
	slices.SortStableFunc(all, func(a, b trace.LogLine) int { // evidence first
		if proof[a.Request] == proof[b.Request] {
			return 0
		} else if proof[a.Request] {
			return -1
		}
		return 1
	})
	for _, l := range bound(v, "log lines", mostLogs, all) {
		byID[l.Request] = append(byID[l.Request], logLine{l.Instance, cut(l.Text, mostText)})
	}
	return byID
}

// size is how much of the page the visitor takes.
func (v *visitor) size() int {
	data, err := json.Marshal(v)
	if err != nil {
		return mostTraces
	}
	return len(data) - len(v.Picture)
}

// String names the exchange as evidence does.
func (e exchange) String() string {
	answer := fmt.Sprint(e.Status)
	if e.Err != "" {
		answer = e.Err
	}
	return fmt.Sprintf("%s %s → %s", e.Method, e.URL, answer)
}
