package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"crossing/harness/journey"
	"crossing/harness/stack"
	"crossing/harness/target"
	"crossing/harness/trace"
	"crossing/reports"
)

// emulated is the reference application on three protected previews of the
// emulated platform.
type emulated struct {
	emulation
	config string
	target *target.Target
	auth   string // an instance of the auth service, past the platform
}

// preview starts it. between may change what passes between the platform and
// the frontend.
func preview(t *testing.T, between func(http.ResponseWriter, *http.Request, http.Handler)) *emulated {
	t.Helper()
	home, err := findCheckout()
	if err != nil {
		t.Fatal(err)
	}
	p := &emulated{config: filepath.Join(string(home), "fixtures", target.DefaultName)}
	app, err := target.Load(p.config)
	if err != nil {
		t.Fatal(err)
	}
	p.target = app
	file := app.File
	file.Origins = previewsOf(file)
	p.origins = file.Origins
	s, err := stack.Up(t.Context(), stack.Options{Dir: app.Dir, File: file, Runtime: stack.Processes, StateDir: home.state(), Redactor: trace.NewRedactor(nil)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(p.close(), s.Down(context.Background())); err != nil {
			t.Error(err)
		}
	})
	p.auth = backends(s, "auth")[0]
	web := backends(s, "frontend")
	if between != nil {
		to, err := url.Parse(web[0])
		if err != nil {
			t.Fatal(err)
		}
		proxy := httputil.NewSingleHostReverseProxy(to)
		front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { between(w, r, proxy) }))
		t.Cleanup(front.Close)
		web = []string{front.URL}
	}
	if err := p.start(t.Context(), home, t.TempDir(), web, backends(s, "auth"), backends(s, "api")); err != nil {
		t.Fatal(err)
	}
	return p
}

// events are the platform's, a file each.
func (p *emulated) events(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for project, url := range map[string]string{"docs": p.origins.Frontend, "auth": p.origins.Auth, "api": p.origins.API} {
		fill(t, filepath.Join(dir, project+".json"), `{"deployment_status":{"state":"success","environment_url":"`+url+`"},"deployment":{"sha":"c1","environment":"Preview – `+project+`"}}`)
	}
	return dir
}

// run runs specs on it, found by its events.
func (p *emulated) run(t *testing.T, one string, more ...string) (outcome, string) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out")
	args := []string{"preview", "--config=" + p.config, "--engine=chromium", "--procs=1", "--out=" + out, "--one=" + one, "--ca=" + p.ca, "--events=" + p.events(t)}
	for _, origin := range []string{p.origins.Frontend, p.origins.Auth, p.origins.API} {
		args = append(args, "--resolve="+strings.TrimPrefix(origin, "https://")+"="+p.address)
	}
	return runCrossing(t, 3*time.Minute, append(args, more...)...), out
}

func TestAPreviewIsRunOnAsItIs(t *testing.T) {
	t.Parallel()
	p := preview(t, nil)
	t.Run("its specs pass, and sign-ins keep to the limit of one address", func(t *testing.T) {
		o, out := p.run(t, "sign_in_test.go", "--bypass="+p.bypass)
		says(t, o, 0, "PASSED", "the target has no services of its own")
		if !strings.Contains(o.stdout, "visits by somebody who had come before") {
			t.Errorf("nobody comes twice:\n%s", o.stdout)
		}
		if all := regexp.MustCompile(`people     (\d+) were signed up, and (\d+) of them removed;`).FindStringSubmatch(o.stdout); all == nil || all[1] == "0" || all[1] != all[2] {
			t.Errorf("people stay on the deployment: %v\n%s", all, o.stdout)
		}
		if data, err := os.ReadFile(filepath.Join(out, reports.RunFile)); err != nil || strings.Contains(string(data), p.bypass) {
			t.Errorf("run.json: %v", err)
		}
	})
	t.Run("the wall stands, and its secret stays where it belongs", func(t *testing.T) {
		o, _ := p.run(t, "protection_test.go", "--bypass="+p.bypass, "--engine=chromium,webkit")
		says(t, o, 0, "PASSED: 5 passed")
	})
	t.Run("an account that is given is used, and nobody signs up", func(t *testing.T) {
		ada := journey.NewPerson("ada")
		like := *p.target
		like.Origins = p.origins
		if _, err := (journey.Outside{Target: &like}).SignUp(t.Context(), p.auth, ada); err != nil {
			t.Fatal(err)
		}
		given := []string{"--bypass=" + p.bypass, "--email=" + ada.Email, "--password=" + ada.Password}
		o, _ := p.run(t, "outlives a reload", given...)
		says(t, o, 0, "PASSED: 1 passed")
		o, _ = p.run(t, "signs a new person up", given...)
		says(t, o, exitUnready, "EMAIL and PASSWORD name the one account that is used")
		if strings.Contains(o.stdout+o.stderr, ada.Password) {
			t.Error("the password is printed")
		}
	})
	t.Run("init describes it", func(t *testing.T) {
		out := filepath.Join(t.TempDir(), target.DefaultName)
		args := []string{"init", "--frontend=" + p.origins.Frontend, "--auth=" + p.origins.Auth, "--api=" + p.origins.API, "--ca=" + p.ca, "--bypass=" + p.bypass, "--out=" + out}
		for _, origin := range []string{p.origins.Frontend, p.origins.Auth, p.origins.API} {
			args = append(args, "--resolve="+strings.TrimPrefix(origin, "https://")+"="+p.address)
		}
		o := runCrossing(t, 3*time.Minute, args...)
		says(t, o, 0, "Written: "+out)
		text, err := os.ReadFile(out)
		if found, failed := target.Load(out); failed != nil || found.Contract.Paths.Token != "/api/auth/token" || found.Contract.Pages.CallAPI.Click == "" {
			t.Errorf("%v: %s\n%s", errors.Join(err, failed), o, text)
		}
		if strings.Contains(string(text)+o.stdout, p.bypass) {
			t.Error("the secret is written or told")
		}
	})
	t.Run("a wall is one sentence before any spec", func(t *testing.T) {
		o, _ := p.run(t, "sign_in_test.go")
		says(t, o, exitUnready, "the frontend at "+p.origins.Frontend+" is behind a wall", "VERCEL_AUTOMATION_BYPASS_SECRET")
		o, _ = p.run(t, "sign_in_test.go", "--bypass="+p.bypass, "--auth-bypass=of-another-project")
		says(t, o, exitUnready, "the auth service at "+p.origins.Auth+" is behind a wall", "wrong, or of another project", "AUTH_BYPASS_SECRET")
	})
}

// with serves the home page with one script more.
func with(w http.ResponseWriter, r *http.Request, to http.Handler, script string) {
	if r.URL.Path != "/" {
		to.ServeHTTP(w, r)
		return
	}
	page := httptest.NewRecorder()
	r.Header.Del("Accept-Encoding")
	to.ServeHTTP(page, r)
	w.Header().Set("Content-Type", "text/html")
	_, _ = w.Write([]byte(page.Body.String() + "<script>" + script + "</script>"))
}

func TestALeakOfTheBypassFailsTheRun(t *testing.T) {
	secret := func(r *http.Request) string { return r.Header.Get("X-Vercel-Protection-Bypass") }
	for name, between := range map[string]func(http.ResponseWriter, *http.Request, http.Handler){
		"a redirect to another origin": func(w http.ResponseWriter, r *http.Request, to http.Handler) {
			if r.URL.Path == "/img/favicon.svg" {
				http.Redirect(w, r, "https://auth-f5g6h7i8j-team.vercel.app/favicon?of="+secret(r), http.StatusFound)
				return
			}
			to.ServeHTTP(w, r)
		},
		"a script of somebody else's": func(w http.ResponseWriter, r *http.Request, to http.Handler) {
			with(w, r, to, "window.config = {bypass: '"+secret(r)+"'}")
		},
		// Its halves pass the edge unseen: only the error that is reported has it whole.
		"an error that a page reports": func(w http.ResponseWriter, r *http.Request, to http.Handler) {
			of := secret(r)
			half := len(of) / 2
			with(w, r, to, "setTimeout(() => { throw new Error('the bypass is "+of[:half]+"' + '"+of[half:]+"') })")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := preview(t, between)
			o, _ := p.run(t, "signs a new person up", "--bypass="+p.bypass)
			says(t, o, exitFailed, "secret-leaked", "that the edge alone puts on requests")
			if strings.Contains(o.stdout+o.stderr, p.bypass) {
				t.Error("the secret is printed")
			}
		})
	}
}
