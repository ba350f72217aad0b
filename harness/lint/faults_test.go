package lint

import (
	"slices"
	"strings"
	"testing"
)

func TestTheHealthyApplicationHasNoFinding(t *testing.T) {
	report, a := reference.vary(t, "auth", 2, false).look()
	if found := report.Findings(); len(found) > 0 {
		t.Errorf("found:\n%s", report)
	}
	for _, r := range report.Results {
		if r.State == NotCheckable && r.Name != "tls" {
			t.Errorf("%s: not checkable: %s", r.Name, r.Said)
		}
	}
	record(t, a)
	if n := len(a.Auth); n != 2 {
		t.Errorf("%d instances were asked, want 2", n)
	}
}

const front = "https://docs.crossing-front.com"

// Faults that a service's environment causes, beside those of the reference
// application's catalogue, which has a test of its own.
var faults = []struct {
	name      string
	service   string
	instances int
	words     []string
	// want are all the causes that are named, the first one first.
	want []string
}{
	{"cookie without Partitioned", "auth", 1, []string{"COOKIE_PARTITIONED=false"}, []string{"cookie-not-partitioned"}},
	{"cookie with SameSite=Lax", "auth", 1, []string{"COOKIE_SAME_SITE=lax"}, []string{"cookie-samesite"}},
	{"cookie with SameSite=Strict", "auth", 1, []string{"COOKIE_SAME_SITE=strict"}, []string{"cookie-samesite"}},
	{"cookie without Secure", "auth", 1, []string{"COOKIE_SECURE=false", "COOKIE_SAME_SITE=lax", "COOKIE_PARTITIONED=false"},
		[]string{"cookie-name-differs", "cookie-samesite", "cookie-not-secure", "cookie-not-partitioned"}},
	{"cookie of another host", "auth", 1, []string{"COOKIE_DOMAIN=example.com"}, []string{"cookie-domain"}},
	{"cookie of a public suffix", "auth", 1, []string{"COOKIE_DOMAIN=net"}, []string{"cookie-domain"}},
	{"cookie of a parent", "auth", 1, []string{"COOKIE_DOMAIN=crossing-back.net"}, []string{"cookie-domain"}},
	{"cookie of another path", "auth", 1, []string{"COOKIE_PATH=/app"}, []string{"cookie-path"}},
	{"cookie of another name", "auth", 1, []string{"COOKIE_PREFIX=shop"}, []string{"cookie-name-differs"}},
	{"too short a life", "auth", 1, []string{"SESSION_LIFETIME=120"}, []string{"cookie-short-lived"}},
	{"a session that is never lengthened", "auth", 1, []string{"SESSION_UPDATE_AGE=34560000"}, []string{"session-not-lengthened"}},
	{"tokens that are over at once", "auth", 1, []string{"TOKEN_LIFETIME=5"}, []string{"token-expired"}},
	{"another issuer", "auth", 1, []string{"TOKEN_ISSUER=https://auth.example.com"}, []string{"token-issuer"}},
	{"another audience", "auth", 1, []string{"TOKEN_AUDIENCE=https://api.example.com"}, []string{"token-audience"}},
	{"another base URL", "auth", 1, []string{"BETTER_AUTH_URL=https://auth.example.com"}, []string{"token-issuer", "token-audience"}},
	{"a stranger is trusted", "auth", 1, []string{"TRUSTED_ORIGINS=" + front + ",https://www.crossing-stranger.org"}, []string{"stranger-trusted"}},
	{"visitors that share an address", "auth", 1, []string{"ADDRESS_HEADER=x-nobody"}, []string{"rate-limited"}},
	{"a frontend of another auth service", "frontend", 1, []string{"AUTH_URL=https://auth.example.com"}, []string{"frontend-elsewhere"}},
	{"a frontend that calls http", "frontend", 1, []string{"API_URL=http://api.crossing-back.net"}, []string{"mixed-content"}},
	{"a frontend without its fallback", "frontend", 1, []string{"BEARER_FALLBACK=false"}, []string{"third-party-cookies-refused"}},
}

func TestFaultsOfAnEnvironmentAreFoundWithoutABrowser(t *testing.T) {
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			report, _ := reference.vary(t, f.service, f.instances, false, f.words...).look()
			expect(t, report, f.want...)
		})
	}
}

// expect compares the causes, and looks at each finding's parts.
func expect(t *testing.T, r Report, want ...string) {
	t.Helper()
	if got := causes(r); !slices.Equal(got, want) {
		t.Errorf("causes are %v, want %v:\n%s", got, want, r)
	}
	for _, f := range r.Findings() {
		if f.Title == "" || len(f.Evidence) == 0 || len(f.Mend) == 0 {
			t.Errorf("a finding lacks title, evidence or mend: %+v", f)
		}
	}
}

func TestStoresThatDifferAreFound(t *testing.T) {
	other := reference.another(t, "stores")
	report, _ := reference.vary(t, "auth", 1, true, "DATABASE_URL="+other).look() // with its tables
	expect(t, report, "token-key-unknown", "stores-differ")                       // not where the api and crossing.yaml look

	report, _ = reference.vary(t, "auth", 2, false, "auth-2.DATABASE_URL="+other).look()
	expect(t, report, "stores-differ")
}

func TestNoSecretStandsInWhatIsReported(t *testing.T) {
	v := reference.vary(t, "auth", 2, false)
	o := v.options()
	a, err := Collect(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	path := t.TempDir() + "/answers.json"
	for _, what := range []any{a, Judge(a)} {
		if err := Write(path, what); err != nil {
			t.Fatal(err)
		}
		text := content(t, path)
		if leaks := o.Redactor.Leaks(text); len(leaks) > 0 {
			t.Errorf("%T holds %d secrets in plain", what, len(leaks))
		}
	}
	if digest := a.all(qSignIn)[0].Response.SetCookies[0].Digest; !strings.HasPrefix(digest, "hmac:") {
		t.Errorf("nothing was redacted: %q", digest)
	}
}
