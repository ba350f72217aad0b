package match

import (
	"testing"

	"crossing/harness/diagnose"
)

func TestBeExplainedBy(t *testing.T) {
	one := diagnose.Diagnosis{Verdict: diagnose.VerdictLost, Findings: []diagnose.Finding{{Cause: "cookie-samesite", Title: "it says Lax"}}}
	two := one
	two.Findings = append(two.Findings[:1:1], diagnose.Finding{Cause: "token-issuer", Title: "it is another"})
	judge(t, []judged{
		{"named", BeExplainedBy("cookie-samesite"), one, true, []string{"not to name cookie-samesite"}},
		{"both, in any order", BeExplainedBy("token-issuer", "cookie-samesite"), two, true, nil},
		{"one too many", BeExplainedBy("cookie-samesite"), two, false, []string{"token-issuer"}},
		{"one too few", BeExplainedBy("cookie-samesite", "token-issuer"), one, false, nil},
		{"another", BeExplainedBy("token-issuer"), one, false, []string{"cookie-samesite", "because it says Lax."}},
		{"nothing", BeExplainedBy("token-issuer"), diagnose.Diagnosis{Verdict: diagnose.VerdictHealthy}, false, []string{"nothing", "The session held"}},
	})
	refuses(t, BeExplainedBy("no-such"), one, "no-such")
	refuses(t, BeExplainedBy(), one, "at least one")
	refuses(t, BeExplainedBy("token-issuer"), one.Findings, "BeExplainedBy", "diagnose.Diagnosis")
}
