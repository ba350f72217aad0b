package main

import (
	"strings"
	"testing"
	"time"
)

// Two processes run a spec each, and one of them passes over others meanwhile:
// what is told to be waited for is what is under way.
func TestWhatIsWaitedForIsUnderWay(t *testing.T) {
	var out strings.Builder
	p := &progress{out: &out}
	r := &reader{show: p}
	still := func() string {
		out.Reset()
		p.since = p.since.Add(-10 * time.Second)
		p.still()
		return out.String()
	}
	tell := func(kind, text, state string) { r.tell(event{Kind: kind, Text: text, State: state}) }

	tell("begin", "persistence · outlives a reload", "")
	tell("begin", "sign-in · by a stranger", "")
	tell("begin", "token · on firefox", "")
	tell("end", "token · on firefox", "skipped")
	if got := still(); !strings.Contains(got, "persistence · outlives a reload (10 s)") {
		t.Errorf("two are under way, and it says %q", got)
	}
	tell("end", "persistence · outlives a reload", "passed")
	if got := still(); !strings.Contains(got, "sign-in · by a stranger (10 s)") {
		t.Errorf("one is under way, and it says %q", got)
	}
	tell("end", "sign-in · by a stranger", "passed")
	if got := still(); got != "" {
		t.Errorf("nothing is under way, and it says %q", got)
	}
}
