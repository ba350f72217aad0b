package page

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"crossing/harness/trace"
)

// moment is one entry of a story's time line.
type moment struct {
	At float64 `json:"at"` // seconds since the story began
	// Kind is "step", "standing", "cookie", "refusal", "error", "fault",
	// "observed" or "lost".
	Kind   string `json:"kind"`
	Text   string `json:"text"`
	Detail string `json:"detail,omitempty"`
	// Took is how long a step took, in seconds.
	Took float64 `json:"took,omitempty"`
	Bad  bool    `json:"bad,omitempty"`
	// Exchange is the one that it happened in.
	Exchange string `json:"exchange,omitempty"`
	// Picture is the page's once a step was over, as a data: URL, Screenshot
	// its path, and Note says why there is none.
	Picture    string `json:"picture,omitempty"`
	Screenshot string `json:"screenshot,omitempty"`
	Note       string `json:"note,omitempty"`

	time time.Time
}

// origin is the moment from which a story's time counts.
func origin(t trace.Trace) time.Time {
	var first time.Time
	earlier := func(at time.Time) {
		if !at.IsZero() && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	if len(t.Exchanges) > 0 {
		earlier(t.Exchanges[0].Time)
	}
	if len(t.Marks) > 0 {
		earlier(t.Marks[0].Begin)
	}
	if len(t.Standings) > 0 {
		earlier(t.Standings[0].Time)
	}
	return first
}

// moments are the steps and what changed meanwhile. A page that is asked every
// moment who is signed in says the same again and again: only what is new of
// it stands here.
func (v *visitor) moments(t trace.Trace) []moment {
	all := slices.Concat(v.steps(t), standings(t), cookies(t), refusals(t), v.lost(t), observed(t))
	for _, e := range t.PageErrors {
		all = append(all, moment{time: e.Time, Kind: "error", Text: "the page reported: " + cut(e.Text, mostValue), Detail: e.Page, Bad: e.Kind == trace.ErrorUncaught})
	}
	slices.SortStableFunc(all, func(a, b moment) int { return cmp.Compare(a.time.UnixNano(), b.time.UnixNano()) })
	zero := origin(t)
	for i := range all {
		all[i].At = all[i].time.Sub(zero).Seconds()
	}
	return bound(v, "moments of the time line", mostMoments, all)
}

// steps are those that the trace marks, each with what was seen once it was
// over.
func (v *visitor) steps(t trace.Trace) []moment {
	var all []moment
	next := 0
	for _, m := range t.Marks {
		one := moment{time: m.Begin, Kind: "step", Text: m.Step, Detail: cut(m.Err, mostText), Took: m.End.Sub(m.Begin).Seconds(), Bad: m.Err != ""}
		if next < len(v.seen) && v.seen[next].Step == m.Step {
			s := v.seen[next]
			one.Screenshot, one.Picture, one.Note = filepath.ToSlash(s.Screenshot), v.pictures[s.Screenshot], s.Note
			next++
		}
		all = append(all, one)
	}
	return all
}

// standings tells of the page's word only where it changes.
func standings(t trace.Trace) []moment {
	var all []moment
	for _, s := range t.Standings {
		text := "signed out"
		switch {
		case s.SignedIn:
			text = "signed in as " + s.Person
			if s.By != "" {
				text += " by " + s.By
			}
		case s.Undecided:
			text = "neither signed in nor out"
		}
		text = fmt.Sprintf("%s says: %s", s.Source, text)
		if n := len(all); n > 0 && all[n-1].Text == text && all[n-1].Detail == s.Detail {
			continue
		}
		all = append(all, moment{time: s.Time, Kind: "standing", Text: text, Detail: s.Detail})
	}
	return all
}

// cookies tells of each time that the contract's cookie was set, and of each
// fault that touched an exchange.
func cookies(t trace.Trace) []moment {
	var all []moment
	for _, e := range t.Exchanges {
		at := e.Time.Add(time.Duration(e.Millis * float64(time.Millisecond)))
		if e.Fault != "" {
			all = append(all, moment{time: e.Time, Kind: "fault", Text: "broken on purpose: " + e.Fault, Exchange: e.ID})
		}
		if e.Outside {
			continue
		}
		for _, c := range e.Response.SetCookies {
			if c.Name != t.Subject.Cookie.Name {
				continue
			}
			verb := "sets"
			if c.Removes() {
				verb = "takes away"
			}
			by := cmp.Or(e.Instance, string(e.Role))
			all = append(all, moment{time: at, Kind: "cookie", Text: fmt.Sprintf("%s %s %s", by, verb, c.Name), Detail: c.Line, Exchange: e.ID})
		}
	}
	return all
}

func refusals(t trace.Trace) []moment {
	var all []moment
	for _, r := range t.Refusals {
		if strings.Contains(r.URL, trace.ReservedPath) {
			continue // the control of the cookie policy
		}
		all = append(all, moment{time: r.Time, Kind: "refusal", Bad: r.Cookie == t.Subject.Cookie.Name,
			Text: fmt.Sprintf("the browser refused to %s %s: %s", r.Direction, r.Cookie, strings.Join(r.Reasons, ", "))})
	}
	return all
}

// lost marks where each cause first shows: once the answer that shows it was
// there.
func (v *visitor) lost(t trace.Trace) []moment {
	var all []moment
	for _, f := range v.Diagnosis.Findings {
		if f.At.IsZero() {
			continue
		}
		m := moment{time: f.At, Kind: "lost", Text: f.Cause, Detail: f.Title, Bad: true}
		for _, line := range f.Evidence {
			if id := identifier.FindString(line); id != "" && m.Exchange == "" {
				m.Exchange = id
			}
		}
		for _, e := range t.Exchanges {
			if e.ID == m.Exchange && e.Time.Equal(f.At) {
				m.time = e.Time.Add(time.Duration(e.Millis * float64(time.Millisecond)))
			}
		}
		all = append(all, m)
	}
	return all
}

// observed are the answers that were asked for after the loss.
func observed(t trace.Trace) []moment {
	var all []moment
	for _, o := range t.Observations {
		text := fmt.Sprintf("asked %s afterwards: %s: %s", cmp.Or(o.Instance, "the database"), o.Name, o.Answer)
		all = append(all, moment{time: o.Time, Kind: "observed", Text: text, Detail: strings.TrimSpace(o.Of + " " + o.Detail)})
	}
	return all
}

// jar is what a browser kept at one moment, bounded.
type jar struct {
	At      float64        `json:"at"`
	Label   string         `json:"label"`
	Page    string         `json:"page,omitempty"`
	Scope   string         `json:"scope"`
	Cookies []trace.Cookie `json:"cookies"`
}

// same says whether two jars hold the same, in whatever order.
func same(a, b []trace.Cookie) bool {
	order := func(all []trace.Cookie) []trace.Cookie {
		all = slices.Clone(all)
		slices.SortFunc(all, func(a, b trace.Cookie) int {
			return strings.Compare(a.Name+a.Domain+a.Path+a.PartitionKey, b.Name+b.Domain+b.Path+b.PartitionKey)
		})
		return all
	}
	return slices.Equal(order(a), order(b))
}

// jars are those in which something is new, and the last.
func (v *visitor) jars(t trace.Trace) []jar {
	var all []jar
	kept := slices.Clone(t.Jars)
	for _, s := range v.seen {
		if s.Scope != "" {
			kept = append(kept, trace.Jar{Time: s.Time, Label: "after: " + s.Step, Scope: s.Scope, Cookies: s.Cookies})
		}
	}
	slices.SortStableFunc(kept, func(a, b trace.Jar) int { return a.Time.Compare(b.Time) })
	for _, j := range kept {
		next := jar{At: j.Time.Sub(origin(t)).Seconds(), Label: j.Label, Page: j.Page, Scope: j.Scope, Cookies: bound(v, "cookies of a jar", mostCookies, j.Cookies)}
		steps := strings.HasPrefix(j.Label, "after: ")
		if n := len(all); n > 0 && (steps || all[n-1].Page == next.Page && all[n-1].Label == next.Label) && same(all[n-1].Cookies, next.Cookies) {
			continue
		}
		all = append(all, next)
	}
	if len(all) > mostJars {
		v.left(len(all)-mostJars, len(all), "jars")
		all = slices.Concat(all[:mostJars/2], all[len(all)-mostJars/2:])
	}
	return append([]jar{}, all...)
}
