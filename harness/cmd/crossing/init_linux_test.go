package main

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"crossing/harness/target"
)

// flagsOf has what leads to a stand-in as flags.
func flagsOf(settings []string) []string {
	var all []string
	for _, setting := range settings {
		name, value, _ := strings.Cut(setting, "=")
		for word := range strings.SplitSeq(value, " ") {
			all = append(all, "--"+strings.ToLower(name)+"="+word)
		}
	}
	return all
}

func TestBadInputOfInitIsOneSentenceAndWritesNothing(t *testing.T) {
	good := []string{"FRONTEND_URL=" + docsURL, "AUTH_URL=" + authURL}
	with := func(more ...string) []string { return slices.Concat(good, more) }
	there := filepath.Join(t.TempDir(), "crossing.yaml")
	fill(t, there, "precious")
	for _, c := range []struct {
		name string
		env  []string
		says []string
	}{
		{"no address", nil, []string{"FRONTEND_URL and AUTH_URL are needed"}},
		{"no auth service", good[:1], []string{"FRONTEND_URL and AUTH_URL are needed"}},
		{"http", []string{"FRONTEND_URL=http://docs.example.com", good[1]}, []string{"FRONTEND_URL", "not https"}},
		{"one address twice", []string{"FRONTEND_URL=" + authURL, good[1]}, []string{"are both " + authURL}},
		{"a file that is there", with("OUT=" + there), []string{"OUT=" + there, "is there already", "name another"}},
		{"a folder with one", with("OUT=" + filepath.Dir(there)), []string{"is there already"}},
		{"a folder that is not there", with("OUT=/nowhere/crossing.yaml"), []string{"OUT=/nowhere/crossing.yaml", "cannot be written"}},
		{"a description", with("CONFIG=" + there), []string{"CONFIG", "leave CONFIG out"}},
		{"SET", with("SET=auth.A=1"), []string{"SET", "leave SET out"}},
		{"two browsers", with("ENGINE=chromium,webkit"), []string{"ENGINE=chromium,webkit", "one browser"}},
		{"no browser", with("ENGINE=netscape"), []string{"ENGINE=netscape", "allowed: chromium"}},
		{"half an account", with("EMAIL=ada@example.com"), []string{"EMAIL and PASSWORD belong together"}},
		{"production", []string{"FRONTEND_URL=https://docs.example.com", good[1]}, []string{"FRONTEND_URL=https://docs.example.com is no preview", "ALLOW_PRODUCTION=docs.example.com"}},
		{"RESOLVE of nobody", with("RESOLVE=www.example.com=127.0.0.1"), []string{"RESOLVE", "www.example.com"}},
		{"CA that is not there", with("CA=/nowhere/ca.pem"), []string{"CA=/nowhere/ca.pem"}},
		{"a secret that was cut", with("VERCEL_AUTOMATION_BYPASS_SECRET=short"), []string{"VERCEL_AUTOMATION_BYPASS_SECRET has 5 letters"}},
		{"a wall", slices.Concat(good, noAPI(standIn(t, answers(docsURL, 302, "Location", "https://vercel.com/sso-api?url=x")))), []string{"the frontend at " + docsURL + " is behind a wall"}},
		{"another service's address", slices.Concat(good, noAPI(standIn(t, answers(docsURL, 200, "Content-Type", "application/json")))), []string{"is no page", "FRONTEND_URL"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			cmd := command(t, "", "init")
			cmd.Dir = dir
			cmd.Env = slices.Concat(cmd.Env, c.env)
			o := finish(t, 20*time.Second, cmd)
			refusal(t, o, c.says...)
			if got := listed(t, dir); len(got) > 0 {
				t.Errorf("written: %q", got)
			}
		})
	}
	if text, err := os.ReadFile(there); err != nil || string(text) != "precious" {
		t.Errorf("the file that was there: %q, %v", text, err)
	}
}

// noAPI takes the api's address out of RESOLVE.
func noAPI(settings []string) []string {
	out := slices.Clone(settings)
	for i := range out {
		var words []string
		for word := range strings.SplitSeq(strings.TrimPrefix(out[i], "RESOLVE="), " ") {
			if !strings.HasPrefix(word, strings.TrimPrefix(apiURL, "https://")) {
				words = append(words, word)
			}
		}
		if strings.HasPrefix(out[i], "RESOLVE=") {
			out[i] = "RESOLVE=" + strings.Join(words, " ")
		}
	}
	return out
}

// An application without a form that could be found is described as far as it
// goes, and what is missing is said.
func TestInitSaysWhatItDidNotFind(t *testing.T) {
	t.Parallel()
	out := filepath.Join(t.TempDir(), "crossing.yaml")
	o := runCrossing(t, 2*time.Minute, append([]string{"init", "--frontend=" + docsURL, "--auth=" + authURL, "--out=" + out}, flagsOf(noAPI(standIn(t, nil)))...)...)
	says(t, o, 0, "Unsure of", "contract.pages.signIn: no page with such a form was found", "contract.cookie.name: the auth service set no cookie", "Written: "+out)
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := target.Load(out); err != nil || !strings.Contains(string(text), "# unsure: contract.pages.signIn: ") {
		t.Errorf("%v\n%s", err, text)
	}
}

func TestAnInterruptedLookLeavesNothing(t *testing.T) {
	out := filepath.Join(t.TempDir(), "crossing.yaml")
	slow := standIn(t, func(_ http.ResponseWriter, origin, path string) bool {
		if origin == docsURL && path != "/" {
			<-time.After(time.Second) // so that there is a look to interrupt
		}
		return false
	})
	s := launch(t, "", append([]string{"init", "--frontend=" + docsURL, "--auth=" + authURL, "--out=" + out}, flagsOf(noAPI(slow))...)...)
	s.await("look for forms")
	ids := s.ids()
	if left := s.left(ids); len(left) < 2 {
		t.Fatalf("there is only %q to take down: the test proves nothing", left)
	}
	if err := s.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if !s.ended(soon) {
		t.Fatalf("it goes on:\n%s", s.text)
	}
	if status := s.cmd.ProcessState.ExitCode(); status != exitUnready || !strings.HasSuffix(s.text.String(), "\ncrossing: "+errInterrupted.Error()+"\n") {
		t.Errorf("status %d:\n%s", status, s.text)
	}
	s.gone(ids, 0)
	if _, err := os.Stat(out); err == nil {
		t.Error("half a file is written")
	}
}
