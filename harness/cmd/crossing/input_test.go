package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestBadInputIsOneSentenceBeforeAnythingIsDone(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	plainFile := write("notes.txt", "notes")
	write("own/traces/precious", "a person's own")
	for _, c := range []struct {
		name string
		args []string
		says []string // setting, value, mend
	}{
		{"engine", []string{"--engine=netscape"}, []string{"ENGINE=netscape", "allowed: chromium, webkit"}},
		{"one of two engines", []string{"--engine=chromium,opera"}, []string{"ENGINE=chromium,opera", `"opera"`, "allowed: chromium, webkit"}},
		{"runtime", []string{"--runtime=vm"}, []string{"RUNTIME=vm", "allowed: auto, containers, processes"}},
		{"suite", []string{"--suite=nope"}, []string{"SUITE=nope", "allowed: ", "session"}},
		{"set without a value", []string{"--set=auth.X"}, []string{"SET", `"auth.X"`, "auth.COOKIE_PARTITIONED=false"}},
		{"set without a service", []string{"--set=SECRET=plain-secret"}, []string{"SET", `"SECRET"`, "auth.COOKIE_PARTITIONED=false"}},
		{"set of nobody", []string{"--set=bank.X=1"}, []string{"SET", `"bank"`, "auth-1, auth-2"}},
		{"config", []string{"--config=/nowhere/crossing.yaml"}, []string{"CONFIG", "/nowhere/crossing.yaml", "name the file"}},
		{"browser is no program", []string{"--chromium=" + plainFile}, []string{"CHROMIUM=" + plainFile, "leave it out"}},
		{"browser is not there", []string{"--webkit=/nowhere/browser"}, []string{"WEBKIT=/nowhere/browser", "leave it out"}},
		{"processes", []string{"--procs=0"}, []string{"PROCS=0", "1 or more"}},
		{"timeout", []string{"--timeout=soon"}, []string{"TIMEOUT=soon", "20m"}},
		{"timeout of nothing", []string{"--timeout=0s"}, []string{"TIMEOUT=0s", "20m"}},
		{"seed", []string{"--seed=x"}, []string{"--seed", `"x"`}},
		{"flag", []string{"--bogus"}, []string{"--bogus", "--help"}},
		{"reports into a file", []string{"--out=" + plainFile}, []string{"OUT=" + plainFile, "name a folder"}},
		{"reports below a file", []string{"--out=" + plainFile + "/out"}, []string{"OUT=" + plainFile + "/out", "name "}},
		{"reports over a person's own", []string{"--out=" + dir + "/own"}, []string{"OUT=" + dir + "/own", "traces", "name another folder"}},
		{"no reports", []string{"--out="}, []string{"OUT", "reports/out"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			args := append([]string{"run"}, c.args...)
			if !strings.Contains(strings.Join(c.args, " "), "--out") {
				args = append(args, "--out="+filepath.Join(dir, "out"))
			}
			o := runCrossing(t, 10*time.Second, args...)
			if o.status != exitUnready {
				t.Errorf("want status %d: %s", exitUnready, o)
			}
			if o.stdout != "" {
				t.Errorf("something was done before: %s", o)
			}
			if said := strings.TrimSpace(o.stderr); strings.Contains(said, "\n") || !strings.HasPrefix(said, "crossing: ") {
				t.Errorf("want one sentence: %s", o)
			}
			for _, part := range c.says {
				if !strings.Contains(o.stderr, part) {
					t.Errorf("%q is not named: %s", part, o)
				}
			}
			if strings.Contains(o.stderr, "plain-secret") {
				t.Errorf("a value that may be a secret was told: %s", o)
			}
			if _, err := os.Stat(filepath.Join(dir, "out")); err == nil {
				t.Error("a folder for reports was left")
			}
		})
	}
	if data, err := os.ReadFile(filepath.Join(dir, "own", "traces", "precious")); err != nil || string(data) != "a person's own" {
		t.Errorf("what a person had in the folder: %q, %v", data, err)
	}
}

// Of commands that look at an application, started or deployed.
func TestAWrongAimIsOneSentenceBeforeAnythingIsDone(t *testing.T) {
	const front, auth = "--frontend=https://docs.example.com", "--auth=https://auth.example.net"
	notes := filepath.Join(t.TempDir(), "notes.txt")
	if err := os.WriteFile(notes, []byte("notes"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		args []string
		says []string
	}{
		{"one address", []string{front}, []string{"AUTH_URL", "missing"}},
		{"http", []string{front, "--auth=http://auth.example.net"}, []string{"AUTH_URL", "http://auth.example.net", "not https"}},
		{"mistyped", []string{"--frontend=docs.example.com", auth}, []string{"FRONTEND_URL", "docs.example.com", "write scheme and host"}},
		{"one address twice", []string{front, "--auth=https://docs.example.com"}, []string{"FRONTEND_URL and AUTH_URL", "https://docs.example.com"}},
		{"one site twice", []string{front, "--auth=https://auth.example.com"}, []string{"AUTH_URL", "one site", "partitioned: false"}},
		{"set of a deployment", []string{front, auth, "--set=auth.X=1"}, []string{"SET", "leave SET out"}},
		{"resolve of nobody", []string{front, auth, "--resolve=aut.example.net=127.0.0.1"}, []string{"RESOLVE", `"aut.example.net"`, "auth.example.net"}},
		{"resolve without an address", []string{front, auth, "--resolve=auth.example.net"}, []string{"RESOLVE", "HOST=ADDRESS"}},
		{"resolve of services", []string{"--resolve=auth.crossing-back.net=127.0.0.1"}, []string{"RESOLVE", "FRONTEND_URL"}},
		{"authority", []string{front, auth, "--ca=" + notes}, []string{"CA=" + notes, "PEM"}},
		{"half an account", []string{front, auth, "--email=ada@example.com"}, []string{"EMAIL and PASSWORD"}},
		{"config", []string{"--config=/nowhere/crossing.yaml"}, []string{"/nowhere/crossing.yaml"}},
		{"set of nobody", []string{"--set=bank.X=1"}, []string{"SET", `"bank"`}},
	} {
		for _, command := range []string{"diagnose"} {
			t.Run(command+" "+c.name, func(t *testing.T) {
				o := runCrossing(t, 10*time.Second, append([]string{command}, c.args...)...)
				said := strings.TrimSpace(o.stderr)
				if o.status != exitUnready || o.stdout != "" || strings.Contains(said, "\n") || !strings.HasPrefix(said, "crossing: ") {
					t.Errorf("want status %d and one sentence: %s", exitUnready, o)
				}
				for _, part := range c.says {
					if !strings.Contains(o.stderr, part) {
						t.Errorf("%q is not named: %s", part, o)
					}
				}
			})
		}
	}
}

func TestACommandOutsideItsCheckoutSaysSo(t *testing.T) {
	dir := t.TempDir()
	data, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := filepath.Join(dir, "crossing")
	if err := os.WriteFile(elsewhere, data, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := command(t, "", "run")
	cmd.Path, cmd.Dir = elsewhere, dir
	o := finish(t, 10*time.Second, cmd)
	if o.status != exitUnready || !strings.Contains(o.stderr, "make setup") {
		t.Error(o)
	}
}
