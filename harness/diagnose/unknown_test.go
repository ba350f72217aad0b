package diagnose

import (
	"strings"
	"testing"
	"time"

	"crossing/harness/trace"
)

// abandoned is a sign-up whose request the browser gave up, and what the
// browser said of it.
func abandoned(said string) trace.Trace {
	t := trace.Trace{Subject: chromium().walk().Subject, Exchanges: []trace.Exchange{{
		ID: "u", Time: start, Role: trace.RoleAuth, Instance: "auth-1", Method: "POST", Origin: auth,
		Path: "/api/auth/sign-up/email", PageOrigin: front, Err: trace.ErrAbandoned,
	}}}
	if said != "" {
		t.PageErrors = []trace.PageError{{Time: start.Add(time.Millisecond), Page: front + "/sign-up", Kind: trace.ErrorNetwork, Text: said}}
	}
	return t
}

func TestAChangeOfTheMachinesNetworkIsWhatToLookAt(t *testing.T) {
	d := Explain(abandoned("net::ERR_NETWORK_CHANGED " + auth + "/api/auth/sign-up/email"))
	if len(d.Findings) != 0 {
		t.Fatalf("a cause is named: %v", d)
	}
	if !strings.Contains(strings.Join(d.Next, " "), "this machine's network") {
		t.Errorf("next: %q", d.Next)
	}
	if !strings.Contains(strings.Join(d.Certain, " "), "ERR_NETWORK_CHANGED") {
		t.Errorf("certain: %q", d.Certain)
	}
	for _, said := range []string{"", "net::ERR_CONNECTION_RESET " + auth} {
		if d := Explain(abandoned(said)); strings.Contains(strings.Join(d.Next, " "), "this machine's network") {
			t.Errorf("%q leads to the network: %q", said, d.Next)
		}
	}
}
