package diagnose

import (
	"fmt"
	"slices"
	"strings"

	"crossing/harness/trace"
)

// certain lists what is known where no cause is proved: what went wrong, then
// the facts of the cookie's way.
func (s *scene) certain() []string {
	var out []string
	for _, w := range s.trouble() {
		out = append(out, w.text)
	}
	for _, p := range s.spans {
		out = append(out, "the sign-in succeeded: "+p.by.line())
	}
	for _, l := range s.lines() {
		what := map[fate]string{
			returned: "the browser sent it back",
			withheld: "it never came back",
			unseen:   "nothing shows whether it came back",
		}
		is, _ := s.fate(l)
		out = append(out, fmt.Sprintf("%s set %s, and %s: %s", l.by.ID, l.Name, what[is], l.Line))
	}
	if s.established() {
		out = append(out, s.measured())
	}
	for _, e := range s.t.PageErrors {
		if e.Kind == trace.ErrorNetwork {
			out = append(out, "the browser, of a load by "+e.Page+": "+e.Text)
		}
	}
	for _, o := range s.t.Observations {
		out = append(out, quote(o))
	}
	return out
}

// next names what was not asked and would tell more.
func (s *scene) next() []string {
	if s.networkChanged() {
		return []string{"what came or went in this machine's network at that moment, such as another job's container: Chromium then gives up every request that is under way; run again without it"}
	}
	var out []string
	if !s.established() {
		return []string{"the sign-in itself: its request, its answer, and the auth service's log lines of " + s.entryIDs()}
	}
	if s.t.Capability == nil {
		out = append(out, "measure what this browser does with third-party cookies")
	}
	if yes, no := s.signatures(); len(yes)+len(no) == 0 {
		out = append(out, "recompute the cookie's signature with each instance's secret, or compare the secrets' first characters by hand")
	}
	if len(s.observed(trace.ObserveRow)) == 0 {
		out = append(out, "look for the session's row in the auth service's database")
	}
	if len(s.observed(trace.ObserveSession)) == 0 {
		out = append(out, "ask get-session of each instance with the cookie, outside the browser")
	}
	if _, listed := s.answered(atList, 200); !listed {
		out = append(out, "ask list-sessions beside get-session and token: 200 beside their 500 means that the signing key cannot be read")
	}
	if len(s.t.Logs) == 0 {
		out = append(out, "read the services' log lines of the exchanges above, by X-Request-Id")
	}
	return append(out, s.t.Gaps...)
}

// networkChanged says that Chromium saw an address of this machine come or go
// (net_error_list.h, NETWORK_CHANGED).
func (s *scene) networkChanged() bool {
	return slices.ContainsFunc(s.t.PageErrors, func(e trace.PageError) bool {
		return e.Kind == trace.ErrorNetwork && strings.HasPrefix(e.Text, "net::ERR_NETWORK_CHANGED")
	})
}

func (s *scene) entryIDs() string {
	text := ""
	for _, c := range s.entries() {
		if text != "" {
			text += ", "
		}
		text += c.ID
	}
	return orElse(text, "the sign-in page")
}
