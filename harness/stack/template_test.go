package stack

import (
	"strings"
	"testing"

	"crossing/harness/stack/unit"
	"crossing/harness/target"
)

func view() scope {
	postgres := &plan{name: "postgres", service: "postgres", port: 17000, seen: unit.Seen{Address: "postgres:5432"}}
	first := &plan{name: "auth-1", service: "auth", port: 17001, seen: unit.Seen{Host: "0.0.0.0", Port: 3000, Address: "auth-1:3000", Data: "/data"}}
	second := &plan{name: "auth-2", service: "auth", port: 17002, seen: unit.Seen{Host: "0.0.0.0", Port: 3000, Address: "auth-2:3000", Data: "/data"}}
	return scope{
		origins: map[string]string{"auth": "https://auth.example.net"},
		secrets: map[string]string{"database": "s3cret"},
		plans:   []*plan{postgres, first, second}, self: second, inside: true,
	}
}

func TestTemplates(t *testing.T) {
	t.Setenv("CROSSING_TEST_GIVEN", "given")
	harness := view()
	harness.self, harness.inside = nil, false
	for _, c := range []struct {
		who        scope
		text, want string
	}{
		{view(), "postgres://u:${secret.database}@${address.postgres}/db", "postgres://u:s3cret@postgres:5432/db"},
		{harness, "postgres://u:${secret.database}@${address.postgres}/db", "postgres://u:s3cret@127.0.0.1:17000/db"},
		{view(), "${host}:${port} ${data} ${instance}", "0.0.0.0:3000 /data auth-2"},
		{view(), "${url.auth-1}", "http://auth-1:3000"},
		{view(), "${url.auth}", "http://auth-2:3000"},      // itself
		{harness, "${url.auth}", "http://127.0.0.1:17001"}, // the first
		{view(), "${origin.auth}/x ${env.CROSSING_TEST_GIVEN}", "https://auth.example.net/x given"},
		{view(), "$${HOME} $HOME $1 {}", "${HOME} $HOME $1 {}"},
	} {
		if got, err := c.who.expand("here", c.text); err != nil || got != c.want {
			t.Errorf("%q became %q (%v), want %q", c.text, got, err, c.want)
		}
	}
}

func TestUnknownTemplatesSayWhereAndWhatIsAllowed(t *testing.T) {
	for _, text := range []string{
		"${}", "${HOME}", "${secret.datbase}", "${address.redis}", "${origin.api}", "${env.CROSSING_TEST_UNSET}", "${port.x}", "${address.auth-3}",
	} {
		_, err := view().expand("services.auth.environment.X", text)
		failsWith(t, err, "services.auth.environment.X", text, "${secret.database}", "${origin.auth}", "postgres, auth, auth-1, auth-2", "${port}")
		if err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("the error holds a secret: %v", err)
		}
	}
	harness := view()
	harness.self = nil
	_, err := harness.expand("database.url", "${port}")
	failsWith(t, err, "database.url", "${port}")
	if _, allowed, _ := strings.Cut(err.Error(), "allowed"); strings.Contains(allowed, "${port}") {
		t.Errorf("it allows what it refuses: %v", err)
	}
}

func TestChangesOfOneInstanceComeLast(t *testing.T) {
	v := view()
	v.self.spec.Environment = map[string]string{"A": "service", "B": "service", "C": "service", "D": "service"}
	v.self.changes = map[string]string{"B": "own", "C": "own", "D": "own"}

	got, err := v.environment(map[string]map[string]string{
		"auth": {"C": "changed", "D": "changed"}, "auth-1": {"D": "of another"}, "auth-2": {"D": "last ${instance}"},
	})

	if err != nil || got["A"] != "service" || got["B"] != "own" || got["C"] != "changed" || got["D"] != "last auth-2" {
		t.Errorf("%v, %v", got, err)
	}
}

func TestAnUnknownTemplateStartsNothing(t *testing.T) {
	o := options(t, Processes, map[string]target.Service{"api": part("plain", env("X", "${secret.nobody}"))})
	run := ownRun(t, &o)

	_, err := Up(t.Context(), o)

	failsWith(t, err, "services.api.environment.X", "${secret.nobody}", "${secret.password}")
	if found := leftOver(t, run); len(found) > 0 {
		t.Errorf("left: %v", found)
	}
}
