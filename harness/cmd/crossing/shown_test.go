package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"crossing/harness/target"
	"crossing/harness/trace"
)

// planOf is a plan with these changes, of an application with two instances.
func planOf(t *testing.T, words ...string) *plan {
	t.Helper()
	p := &plan{command: &runCommand{Set: words}, runtime: "processes", seed: 7, secrets: trace.NewRedactor(nil)}
	p.target = &target.Target{File: target.File{Services: map[string]target.Service{
		"auth": {
			Instances: make([]target.Instance, 2),
			Environment: map[string]string{
				"PARTITIONED": "true", "AUTH_SECRET": "${secret.auth}", "KEY": "${secret.key}",
				"DATABASE_URL": "postgres://crossing:${secret.database}@${address.postgres}/crossing",
			},
		},
	}}}
	var err error
	if p.set, err = p.target.ParseSet(words); err != nil {
		t.Fatal(err)
	}
	p.learnSecrets()
	return p
}

func TestASecretThatWasSetIsNotShown(t *testing.T) {
	for _, c := range []struct{ word, shown, secret string }{
		{"auth.PARTITIONED=false", "auth.PARTITIONED=false", ""},
		{"auth-2.AUTH_SECRET=s3cret-of-two", "auth-2.AUTH_SECRET=***", "s3cret-of-two"},
		{"auth.KEY=known-by-crossing.yaml", "auth.KEY=***", "known-by-crossing.yaml"},
		{"auth.SMTP_PASSWORD=known-by-name", "auth.SMTP_PASSWORD=***", "known-by-name"},
		{"auth.DATABASE_URL=postgres://u:pass%20word@db/x", "auth.DATABASE_URL=postgres://u:***@db/x", "pass%20word"},
		{"auth.DATABASE_URL=postgres://nobody@127.0.0.1:1/x", "auth.DATABASE_URL=postgres://nobody@127.0.0.1:1/x", ""},
		{"auth.ISSUER=https://auth.example/a:b@c", "auth.ISSUER=https://auth.example/a:b@c", ""},
	} {
		p := planOf(t, c.word)
		if got := p.shownSet(); !slices.Equal(got, []string{c.shown}) {
			t.Errorf("%s is shown as %q, want %s", c.word, got, c.shown)
		}
		if again := p.reproduce(); !strings.Contains(again, "SET="+"'"+c.shown+"'") || !strings.Contains(again, "SEED=7") {
			t.Errorf("%s is run again by %s", c.word, again)
		}
		if leaks := p.secrets.Leaks([]byte("it says " + c.secret)); (len(leaks) > 0) != (c.secret != "") {
			t.Errorf("%s: %q is found %d times", c.word, c.secret, len(leaks))
		}
	}
}

func TestWhatIsSetIsToldWithWhatItReplaces(t *testing.T) {
	p := planOf(t, "auth-2.PARTITIONED=false", "auth.PARTITOINED=no", "auth.AUTH_SECRET=another-secret")
	want := []string{
		"auth.AUTH_SECRET=*** (crossing.yaml: ***)",
		"auth.PARTITOINED=no (crossing.yaml sets no PARTITOINED there)",
		"auth-2.PARTITIONED=false (crossing.yaml: true)",
	}
	if got := p.changes(); !slices.Equal(got, want) {
		t.Errorf("\n got %q\nwant %q", got, want)
	}
}

func TestWordsAreQuotedForAShell(t *testing.T) {
	for word, want := range map[string]string{
		"/usr/bin/chromium": "/usr/bin/chromium", "a b": "'a b'", "": "''", "it's": `'it'\''s'`, "$x": "'$x'",
	} {
		if got := quoted(word); got != want {
			t.Errorf("%q is %s, want %s", word, got, want)
		}
	}
}

// What is printed is typed into a shell, which hands it to make, which hands it
// to the command: whatever started the run must come out at the end.
func TestTheCommandThatRunsItAgainRunsItAsItRan(t *testing.T) {
	home, folder := t.TempDir(), t.TempDir()
	t.Chdir(folder)
	const makefile = "e2e:\n\t@env | grep -E '^(RUNTIME|CONFIG|SET|CHROMIUM|HEADED|SLOWMO|PROCS|SEED|SUITE)=' | sort\n"
	fill(t, filepath.Join(home, "Makefile"), makefile)
	for _, c := range []struct {
		command runCommand
		config  string
		set     string
		want    string
	}{
		{runCommand{Procs: 2}, filepath.Join(home, "fixtures", "crossing.yaml"), "", "RUNTIME=processes SEED=7"},
		{runCommand{Procs: 3, Suite: "diagnosis"}, filepath.Join(home, "fixtures", "crossing.yaml"), "", "RUNTIME=processes SEED=7 SUITE=diagnosis"},
		{runCommand{Procs: 1, SlowMo: 250, choices: choices{Headed: true}}, filepath.Join(home, "fixtures", "crossing.yaml"), "",
			"HEADED=1 PROCS=1 RUNTIME=processes SEED=7 SLOWMO=250"},
		{runCommand{Procs: 2, choices: choices{Chromium: "/opt/my browser"}}, "/shops/it's $5/crossing.yaml", "it's $5",
			"CHROMIUM=/opt/my browser CONFIG=/shops/it's $5/crossing.yaml RUNTIME=processes SEED=7 SET=auth.PARTITIONED=it's $5"},
	} {
		p := planOf(t)
		p.home, p.command, p.seed, p.runtime = checkout(home), &c.command, 7, "processes"
		p.target.Path = c.config
		if c.set != "" {
			p.set = map[string]map[string]string{"auth": {"PARTITIONED": c.set}}
		}
		cmd := exec.Command("sh", "-c", p.reproduce())
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "MAKEFLAGS=--no-print-directory"}
		out, err := cmd.CombinedOutput()
		if got := strings.ReplaceAll(strings.TrimSpace(string(out)), "\n", " "); err != nil || got != c.want {
			t.Errorf("%s\n gives %s (%v)\n want  %s", p.reproduce(), got, err, c.want)
		}
	}
}
