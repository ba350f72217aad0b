package main

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"crossing/harness/diagnose"
	"crossing/reports"
)

// limit is for one run of one spec, on a busy machine; a quiet one takes a
// tenth of it.
const limit = 4 * time.Minute

// finished is a run that has ended, with what it left.
type finished struct {
	outcome
	out string
	run reports.Run
}

// runOne runs the reference application's specs whose text holds one.
func runOne(t *testing.T, one string, set ...string) finished {
	t.Helper()
	return runOneOf(t, "", one, set...)
}

// runOneOf runs those of the application that the file describes.
func runOneOf(t *testing.T, config, one string, set ...string) finished {
	t.Helper()
	f := finished{out: filepath.Join(t.TempDir(), "out")}
	args := []string{"run", "--config=" + config, "--engine=chromium", "--runtime=processes", "--seed=1", "--out=" + f.out, "--one=" + one}
	for _, word := range set {
		args = append(args, "--set="+word)
	}
	f.outcome = runCrossing(t, limit, args...)
	data, err := os.ReadFile(filepath.Join(f.out, reports.RunFile))
	if err != nil {
		t.Fatalf("%v\n%s", err, f)
	}
	if err := json.Unmarshal(data, &f.run); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(f.stdout, f.run.Sentence()) {
		t.Errorf("run.json's verdict is not what was printed, %q: %s", f.run.Sentence(), f)
	}
	return f
}

func random(t *testing.T) string {
	t.Helper()
	raw := make([]byte, 32)
	_, _ = rand.Read(raw) // never fails (crypto/rand, since Go 1.24)
	return hex.EncodeToString(raw)
}

// The specs that are run here, by words that no other spec's text holds.
const (
	reload   = "persistence chromium outlives a reload"
	retrieve = "names this person on every instance"
	asksAll  = "pages ask and read"
)

// Faults and their twins run side by side, two at a time: no run may disturb
// another.
func TestALostSessionIsExplainedByItsCause(t *testing.T) {
	secret := random(t)
	for _, c := range []struct {
		cause, one, set string
		title           string   // of the sentence
		evidence        []string // regular expressions, each of one line
		mend            string
		shown           string // of the setting, in the command that runs it again
		secret          string
		who             string // whom it happened to; empty: ada on chromium
	}{
		{
			cause: "cookie-not-partitioned", one: reload, set: "auth.COOKIE_PARTITIONED=false",
			title:    "set __Secure-better-auth.session_token without Partitioned",
			evidence: []string{`^Set-Cookie: __Secure-better-auth\.session_token=hmac:[0-9a-f]{12};.* SameSite=None$`},
			mend:     "partitioned: true", shown: "SET='auth.COOKIE_PARTITIONED=false'",
		},
		{
			cause: "cookie-samesite", one: reload, set: "auth.COOKIE_SAME_SITE=lax",
			title:    "set __Secure-better-auth.session_token with SameSite=Lax",
			evidence: []string{`^Set-Cookie: __Secure-better-auth\.session_token=hmac:[0-9a-f]{12};.* SameSite=Lax; Partitioned$`},
			mend:     "COOKIE_SAME_SITE=none", shown: "SET='auth.COOKIE_SAME_SITE=lax'",
		},
		{
			cause: "signature-refused", one: retrieve, set: "auth-2.BETTER_AUTH_SECRET=" + secret,
			title:    "auth-2",
			evidence: []string{`^observed of auth-[12]: signature made with its secret: no$`, `^observed of auth-[12]: signature made with its secret: yes$`},
			mend:     "BETTER_AUTH_SECRET", shown: "SET='auth-2.BETTER_AUTH_SECRET=***'", secret: secret,
		},
		{
			cause: "origin-not-trusted", one: asksAll, set: "auth-2.TRUSTED_ORIGINS=https://elsewhere.example.com", who: "page, without a browser",
			title:    "(auth-2) does not trust the origin https://docs.crossing-front.com",
			evidence: []string{`^\w+ OPTIONS https://auth\.crossing-back\.net/api/auth/get-session → 403 ORIGIN_NOT_TRUSTED \(auth-2\), Origin: https://docs\.crossing-front\.com$`},
			mend:     "TRUSTED_ORIGINS", shown: "SET='auth-2.TRUSTED_ORIGINS=https://elsewhere.example.com'",
		},
	} {
		t.Run(c.cause, func(t *testing.T) {
			t.Parallel()
			f := runOne(t, c.one, c.set)
			if f.status != exitFailed || f.run.Passed || f.run.Counts.Failed != 1 || len(f.run.Specs) != 1 {
				t.Fatalf("want status %d and one failed spec: %s", exitFailed, f)
			}
			d := only(t, f)
			if len(d.Findings) != 1 || d.Findings[0].Cause != c.cause {
				t.Fatalf("want %s alone:\n%s", c.cause, d.Diagnosis)
			}
			finding, sentence := d.Findings[0], d.Sentence
			if !strings.Contains(sentence, c.title) {
				t.Errorf("the sentence %q says nothing of %q", sentence, c.title)
			}
			for _, want := range c.evidence {
				if !matches(want, finding.Evidence) {
					t.Errorf("no evidence matches %s: %q", want, finding.Evidence)
				}
			}
			if mend := strings.Join(finding.Mend, "\n"); !strings.Contains(mend, c.mend) {
				t.Errorf("the mend %q says nothing of %q", mend, c.mend)
			}
			standsAbove(t, f, cmp.Or(c.who, "ada on chromium"), sentence, c.cause)
			explained(t, f, d.Trace, sentence)
			engine := "ENGINE=chromium"
			if c.who != "" {
				engine = "ENGINE=all" // the spec concerns none
			}
			if again := f.run.Specs[0].Reproduce; !strings.Contains(again, c.shown) || !strings.Contains(again, engine) || !strings.Contains(f.stdout, again) {
				t.Errorf("it is run again by %q, and it should hold %q and %q", again, c.shown, engine)
			}
			holdsNoSecret(t, f, c.secret)
		})
	}
	for _, one := range []string{reload, retrieve} {
		t.Run("the twin: "+one, func(t *testing.T) {
			t.Parallel()
			f := runOne(t, one)
			if f.status != 0 || !f.run.Passed || f.run.Counts.Passed != 1 || f.run.Counts.Failed != 0 {
				t.Fatalf("want a green run: %s", f)
			}
			if len(f.run.Diagnoses) != 0 || strings.Contains(f.stdout, "because") {
				t.Errorf("a healthy session is diagnosed: %s", f)
			}
			if f.stderr != "" {
				t.Errorf("there is nothing to complain of: %s", f)
			}
			holdsNoSecret(t, f, "")
		})
	}
}

// only is the one diagnosis of a run.
func only(t *testing.T, f finished) reports.Diagnosis {
	t.Helper()
	if len(f.run.Diagnoses) != 1 {
		t.Fatalf("want one diagnosis, got %d: %s", len(f.run.Diagnoses), f)
	}
	d := f.run.Diagnoses[0]
	if d.Verdict != diagnose.VerdictLost && d.Verdict != diagnose.VerdictRefused {
		t.Errorf("the verdict is %s", d.Verdict)
	}
	return d
}

func matches(pattern string, lines []string) bool {
	r := regexp.MustCompile(pattern)
	for _, line := range lines {
		if r.MatchString(line) {
			return true
		}
	}
	return false
}

// assertion is how the message of an assertion begins, below a diagnosis.
var assertion = regexp.MustCompile(`(?m)^\s*(Timed out after|Expected|call 1 after sign-in)`)

// standsAbove looks for the sentence in all that a person or a program reads:
// above the assertion, once in each failure.
func standsAbove(t *testing.T, f finished, who, sentence, cause string) {
	t.Helper()
	_, failure, found := strings.Cut(f.stdout, "\n✗ ")
	if !found {
		t.Fatalf("no failure is printed: %s", f)
	}
	// The first line after the spec's name.
	_, rest, _ := strings.Cut(failure, "\n")
	if first, _, _ := strings.Cut(rest, "\n"); strings.TrimSpace(first) != who+": "+sentence {
		t.Errorf("the first sentence about the failure is %q, want %q", first, sentence)
	}
	for where, text := range map[string]string{
		"the verdict": failure, "report.json": messageIn(t, filepath.Join(f.out, "report.json")), "junit.xml": failureIn(t, filepath.Join(f.out, "junit.xml")),
	} {
		said, asserted := strings.Index(text, sentence), assertion.FindStringIndex(text)
		if said < 0 || asserted == nil || said > asserted[0] {
			t.Errorf("%s: the diagnosis (at %d) does not stand above the assertion (at %v):\n%s", where, said, asserted, text)
		}
		if n := strings.Count(text, sentence); n != 1 {
			t.Errorf("%s says it %d times:\n%s", where, n, text)
		}
		if !strings.Contains(text, cause) {
			t.Errorf("%s does not name %s:\n%s", where, cause, text)
		}
	}
	if lines := strings.Count(failure, "\n"); lines > 45 {
		t.Errorf("one failure takes %d lines:\n%s", lines, failure)
	}
}

// messageIn finds the failure's message in Ginkgo's report.
func messageIn(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var suites []struct {
		SpecReports []struct {
			State   string
			Failure struct{ Message string }
		}
	}
	if err := json.Unmarshal(data, &suites); err != nil {
		t.Fatal(err)
	}
	for _, s := range suites {
		for _, spec := range s.SpecReports {
			if spec.State == "failed" {
				return spec.Failure.Message
			}
		}
	}
	t.Fatalf("%s holds no failure", path)
	return ""
}

func failureIn(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Suites []struct {
			Cases []struct {
				Failure *struct {
					Message string `xml:"message,attr"`
				} `xml:"failure"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	for _, s := range doc.Suites {
		for _, c := range s.Cases {
			if c.Failure != nil {
				return c.Failure.Message
			}
		}
	}
	t.Fatalf("%s holds no failure", path)
	return ""
}

// explained has the trace explained again, as a person on another machine
// would.
func explained(t *testing.T, f finished, path, sentence string) {
	t.Helper()
	if !strings.Contains(f.stdout, "trace: "+filepath.Join(f.out, path)) {
		t.Errorf("the trace %s is not named: %s", path, f)
	}
	o := runCrossing(t, 10*time.Second, "explain", filepath.Join(f.out, path))
	if first, _, _ := strings.Cut(o.stdout, "\n"); o.status != exitFailed || first != sentence || o.stderr != "" {
		t.Errorf("explained again it says %q, want %q: %s", first, sentence, o)
	}
}

// What must stand nowhere: a token in compact form (RFC 7515), and the value
// of BetterAuth's session cookie, which is 32 letters, a dot and 32 bytes in
// base64, in the cookie URL-encoded.
var (
	jwt    = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}`)
	cookie = regexp.MustCompile(`[A-Za-z0-9]{32}\.[A-Za-z0-9+/%]{42,}(=|%3[Dd])`)
)

func holdsNoSecret(t *testing.T, f finished, secret string) {
	t.Helper()
	texts := map[string]string{"stdout": f.stdout, "stderr": f.stderr}
	err := filepath.WalkDir(f.out, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		texts[filepath.Base(path)] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for where, text := range texts {
		if secret != "" && strings.Contains(text, secret) {
			t.Errorf("%s holds the secret that was set", where)
		}
		for what, pattern := range map[string]*regexp.Regexp{"a token": jwt, "a session cookie": cookie} {
			if found := pattern.FindString(text); found != "" {
				t.Errorf("%s holds what looks like %s: %.12s…", where, what, found)
			}
		}
	}
}

// The search above finds what it looks for.
func TestASecretWouldBeFound(t *testing.T) {
	if !jwt.MatchString("Bearer eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJlLW9mLWl0") {
		t.Error("a token is not recognised")
	}
	token, signature := strings.Repeat("aB3d", 8), strings.Repeat("x+/9", 10)+"abc"
	for _, value := range []string{token + "." + signature + "=", token + "." + strings.NewReplacer("+", "%2B", "/", "%2F").Replace(signature) + "%3D"} {
		if !cookie.MatchString("session_token=" + value + "; Path=/") {
			t.Errorf("%s is not recognised", value)
		}
	}
	if cookie.MatchString("a commit 0123456789abcdef0123456789abcdef.go and hmac:0123456789ab") {
		t.Error("what is no cookie is taken for one")
	}
}
