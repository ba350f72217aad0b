package match

import (
	"testing"

	"crossing/harness/diagnose"
	"crossing/harness/trace"
)

func TestKeepInvariants(t *testing.T) {
	calm := trace.Trace{Visitor: "ada", Profile: "webkit", Exchanges: []trace.Exchange{{ID: "e1", Role: trace.RoleAuth, Status: 200}}}
	broken := calm
	broken.Exchanges = []trace.Exchange{{ID: "e2", Role: trace.RoleAuth, Method: "GET", Path: "/token", Status: 401}}
	judge(t, []judged{
		{"kept", KeepInvariants(), calm, true, []string{"keeps them all"}},
		{"broken", KeepInvariants(), broken, false, []string{"ada (webkit)", "unexpected-401: e2 GET /token → 401"}},
		{"expected", KeepInvariants(diagnose.Unexpected401), broken, true, nil},
		{"another one expected", KeepInvariants(diagnose.UnknownHost), broken, false, []string{"other than unknown-host"}},
	})
	refuses(t, KeepInvariants("no-such"), calm, "no-such", diagnose.Unexpected401)
	refuses(t, KeepInvariants(), broken.Exchanges, "KeepInvariants", "trace.Trace")
}
