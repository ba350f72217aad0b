package lint

import (
	"crypto/rand"
	"testing"
)

// pairOf compares the application with a variant of it; without secrets, as
// one that is deployed.
func pairOf(t *testing.T, v *variant, secrets bool) Report {
	t.Helper()
	a, b := reference.vary(t, "auth", 2, false).options(), v.options()
	for name, o := range map[string]*Options{"production": &a, "preview": &b} {
		copied := *o.Target
		copied.Name = name
		if !secrets {
			copied.Contract.SigningSecret = ""
		}
		o.Target = &copied
	}
	p, err := CollectPair(t.Context(), a, b)
	if err != nil {
		t.Fatal(err)
	}
	return Compare(p)
}

const elsewhere = "https://auth.example.com"

func TestTwoEnvironmentsThatShareNothingAreInOrder(t *testing.T) {
	report := pairOf(t, reference.vary(t, "auth", 1, true, "BETTER_AUTH_URL="+elsewhere, "BETTER_AUTH_SECRET="+rand.Text()+rand.Text(),
		"DATABASE_URL="+reference.another(t, "preview"),
		"api.JWKS_URL=${url.auth}/api/auth/jwks", "api.TOKEN_ISSUER="+elsewhere, "api.TOKEN_AUDIENCE="+elsewhere), true)
	if found := report.Findings(); len(found) > 0 {
		t.Errorf("found:\n%s", report)
	}
	for _, r := range report.Results {
		if r.State != OK {
			t.Errorf("%s: %s: %s", r.Name, r.State, r.Said)
		}
	}
}

func TestWhatTwoEnvironmentsShareIsFound(t *testing.T) {
	other := reference.another(t, "shared")
	for _, c := range []struct {
		name    string
		migrate bool
		words   []string
		want    []string
	}{
		{"secret, by what the other clears", true, []string{"BETTER_AUTH_URL=" + elsewhere, "DATABASE_URL=" + other,
			"api.JWKS_URL=${url.auth}/api/auth/jwks", "api.TOKEN_ISSUER=" + elsewhere, "api.TOKEN_AUDIENCE=" + elsewhere}, []string{"shared-secret"}},
		{"everything", false, []string{"SESSION_UPDATE_AGE=3600"}, []string{"shared-secret", "shared-store", "shared-keys", "shared-issuer", "token-accepted-elsewhere"}},
		{"all but the cookie's attributes", false, []string{"COOKIE_PARTITIONED=false"}, []string{"cookie-drift", "shared-secret", "shared-store", "shared-keys", "shared-issuer", "token-accepted-elsewhere"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := reference.vary(t, "auth", 1, c.migrate, c.words...)
			for _, secrets := range []bool{true, false} {
				expect(t, pairOf(t, v, secrets), c.want...)
			}
		})
	}
}
