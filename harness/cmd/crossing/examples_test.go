package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// The example applications: each keeps its sessions, and each of three faults
// is named, with a mend in the words of its own library.
func TestTheExamplesAreDiagnosedRightly(t *testing.T) {
	const expressSession, authJS = "express-session", "auth-js"
	for _, c := range []struct {
		example, one, set, cause, mend string
	}{
		{expressSession, reload, "auth.COOKIE_PARTITIONED=false", "cookie-not-partitioned", "express-session"},
		{expressSession, reload, "auth.COOKIE_SAME_SITE=lax", "cookie-samesite", "express-session"},
		{expressSession, retrieve, "auth-2.SESSION_SECRET=" + random(t), "signature-refused", "express-session"},
		{authJS, reload, "identity.COOKIE_SECURE=false", "cookie-not-secure", "Auth.js"},
		{authJS, reload, "identity.FRONTEND=https://www.elsewhere-example.com", "cors-refused", "cors("},
		{authJS, retrieve, "identity-2.AUTH_SECRET=" + random(t), "signature-refused", "Auth.js"},
	} {
		t.Run(c.example+" "+c.cause, func(t *testing.T) {
			t.Parallel()
			config, err := filepath.Abs(filepath.Join("../../../fixtures/examples", c.example, "crossing.yaml"))
			if err != nil {
				t.Fatal(err)
			}
			f := runOneOf(t, config, c.one, c.set)
			if f.status != exitFailed || f.run.Counts.Failed != 1 {
				t.Fatalf("want status %d and one failed spec: %s", exitFailed, f)
			}
			if len(f.run.Diagnoses) == 0 {
				t.Fatalf("nothing is explained: %s", f)
			}
			d := f.run.Diagnoses[0]
			if len(d.Findings) == 0 || d.Findings[0].Cause != c.cause {
				t.Fatalf("want %s:\n%s\n%s", c.cause, d.Diagnosis, f)
			}
			mend := strings.Join(d.Findings[0].Mend, "\n")
			if !strings.Contains(mend, c.mend) || strings.Contains(mend, "BetterAuth") {
				t.Errorf("the mend is %q", mend)
			}
		})
	}
}
