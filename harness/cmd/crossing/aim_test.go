package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

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
		for _, command := range []string{"diagnose", "lint"} {
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
