package main

import (
	"encoding/pem"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"crossing/harness/target"
)

// The addresses of three previews, by their names.
const (
	docsURL = "https://docs-a1b2c3d4e-team.vercel.app"
	authURL = "https://auth-f5g6h7i8j-team.vercel.app"
	apiURL  = "https://api-k1l2m3n4o-team.vercel.app"
)

// standIn answers for all three as h does, where h answers at all, and as the
// application would otherwise. It returns the settings that lead there.
func standIn(t *testing.T, h func(w http.ResponseWriter, origin, path string) bool) []string {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin := "https://" + r.Host
		switch {
		case h != nil && h(w, origin, r.URL.Path):
		case origin == docsURL:
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte("<!doctype html>"))
		case origin == authURL:
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte("null"))
		default:
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	certificate, authority := certified(t, docsURL, authURL, apiURL)
	s.TLS = certificate
	s.StartTLS()
	t.Cleanup(s.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	fill(t, ca, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authority})))
	return append(leading(s.Listener.Addr().String()), "CA="+ca)
}

// leading is RESOLVE to one address.
func leading(address string) []string {
	var words []string
	for _, url := range []string{docsURL, authURL, apiURL} {
		words = append(words, strings.TrimPrefix(url, "https://")+"="+address)
	}
	return []string{"RESOLVE=" + strings.Join(words, " ")}
}

func answers(of string, status int, header ...string) func(http.ResponseWriter, string, string) bool {
	return func(w http.ResponseWriter, origin, _ string) bool {
		if origin != of {
			return false
		}
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		return true
	}
}

func TestBadPreviewsAreOneSentenceWithinFiveSeconds(t *testing.T) {
	home, err := findCheckout()
	if err != nil {
		t.Fatal(err)
	}
	config := "CONFIG=" + filepath.Join(string(home), "fixtures", target.DefaultName)
	good := []string{config, "FRONTEND_URL=" + docsURL, "AUTH_URL=" + authURL, "API_URL=" + apiURL, "WARM_UP=1s"}
	with := func(more ...string) []string { return slices.Concat(good, more) }
	there := func(h func(http.ResponseWriter, string, string) bool, more ...string) []string {
		return slices.Concat(good, standIn(t, h), more)
	}
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := nobody.Addr().String()
	_ = nobody.Close()
	noPEM := filepath.Join(t.TempDir(), "notes.txt")
	fill(t, noPEM, "notes")
	apart := filepath.Join(t.TempDir(), "events")
	fill(t, filepath.Join(apart, "1.json"), `{"deployment_status":{"state":"success","environment_url":"`+docsURL+`"},"deployment":{"sha":"one","environment":"Preview – docs"}}`)
	fill(t, filepath.Join(apart, "2.json"), `{"deployment_status":{"state":"success","environment_url":"`+docsURL+`"},"deployment":{"sha":"two","environment":"Preview – docs"}}`)
	fill(t, filepath.Join(apart, "3.json"), `{"deployment_status":{"state":"failure"},"deployment":{"sha":"two","environment":"Preview – auth"}}`)
	described := filepath.Join(t.TempDir(), "crossing.yaml")
	fill(t, described, "origins: {frontend: https://docs.example.com, auth: https://auth.example.net}\nprojects: {frontend: docs, auth: auth}\n")
	projects := "CONFIG=" + described
	bare := filepath.Join(t.TempDir(), "crossing.yaml")
	fill(t, bare, "origins: {frontend: https://docs.example.com, auth: https://auth.example.net}\n")
	untrusted := slices.Concat(good, standIn(t, nil)[:1])
	for _, c := range []struct {
		name string
		env  []string
		says []string
	}{
		{"no address at all", []string{config}, []string{"FRONTEND_URL and AUTH_URL are missing"}},
		{"one address", []string{config, "FRONTEND_URL=" + docsURL}, []string{"AUTH_URL", "missing"}},
		{"http", with("AUTH_URL=http://auth-f5g6h7i8j-team.vercel.app"), []string{"AUTH_URL", "is not https"}},
		{"no scheme", with("FRONTEND_URL=docs-a1b2c3d4e-team.vercel.app"), []string{"FRONTEND_URL", "is no origin", "https://docs.example.com"}},
		{"one address twice", with("AUTH_URL=" + docsURL), []string{"FRONTEND_URL and AUTH_URL are both " + docsURL}},
		{"one site twice", with("FRONTEND_URL=https://docs.example.com", "AUTH_URL=https://auth.example.com"), []string{"AUTH_URL", "one site"}},
		{"a path", with("API_URL=" + apiURL + "/v1"), []string{"API_URL", "no path"}},
		{"a port", with("AUTH_URL=" + authURL + ":8443"), []string{"AUTH_URL", "leave it out"}},
		{"mistyped", with("AUTH_URL=https://auth f5g6h7i8j.vercel.app"), []string{"AUTH_URL"}},
		{"production", with("AUTH_URL=https://auth.example.net"), []string{"AUTH_URL=https://auth.example.net is no preview", "ALLOW_PRODUCTION=auth.example.net"}},
		{"events that are not there", []string{projects, "EVENTS=/nowhere/event.json"}, []string{"EVENTS=/nowhere/event.json", "GITHUB_EVENT_PATH"}},
		{"events without projects", []string{"CONFIG=" + bare, "EVENTS=" + noPEM}, []string{"projects is missing", "projects: {frontend: NAME"}},
		{"events that are none", []string{projects, "EVENTS=" + noPEM}, []string{"is no JSON of an event"}},
		{"different commits", []string{projects, "EVENTS=" + apart}, []string{"of 2 commits (one, two)", "COMMIT"}},
		{"a build that failed", []string{projects, "EVENTS=" + apart, "COMMIT=two"}, []string{"the deployment of auth (auth) for commit two was failed", "build's log"}},
		{"a build that never comes", []string{projects, "EVENTS=" + apart, "COMMIT=one", "WAIT=1s"}, []string{"have not come within WAIT=1s", "no event of project auth for commit one"}},
		{"events and addresses", with("EVENTS=" + apart), []string{"EVENTS and addresses are both given"}},
		{"no description", good[1:], []string{"contract.pages", "CONFIG"}},
		{"a malformed RESOLVE", with("RESOLVE=auth"), []string{"RESOLVE", "HOST=ADDRESS"}},
		{"RESOLVE of nobody", with("RESOLVE=www.example.com=127.0.0.1"), []string{"RESOLVE", "www.example.com", "docs-a1b2c3d4e-team.vercel.app"}},
		{"CA that is not there", with("CA=/nowhere/ca.pem"), []string{"CA=/nowhere/ca.pem"}},
		{"CA that is none", with("CA=" + noPEM), []string{"holds no certificate"}},
		{"a secret that was cut", with("VERCEL_AUTOMATION_BYPASS_SECRET=short"), []string{"VERCEL_AUTOMATION_BYPASS_SECRET has 5 letters"}},
		{"a secret of two lines", with("AUTH_BYPASS_SECRET=plain-secret\nand more of it"), []string{"AUTH_BYPASS_SECRET holds a space, a line break"}},
		{"an account that nobody has", there(nil, "EMAIL=ada@example.com", "PASSWORD=plain-secret"), []string{"EMAIL=ada@example.com cannot sign in", "sets no cookie", "neither to have people sign up"}},
		{"half an account", with("EMAIL=ada@example.com"), []string{"EMAIL and PASSWORD belong together"}},
		{"SET", with("SET=auth.A=1"), []string{"SET", "leave SET out"}},
		{"a warm-up of no time", with("WARM_UP=-1s"), []string{"WARM_UP=-1s is negative"}},
		{"nobody listens", slices.Concat(good, leading(closed)), []string{"the frontend cannot be reached", "refused the connection", "FRONTEND_URL"}},
		{"a certificate that nobody trusts", untrusted, []string{"certificate that does not verify", "CA"}},
		{"a wall before documents", there(answers(docsURL, 302, "Location", "https://vercel.com/sso-api?url=x")), []string{"the frontend at " + docsURL + " is behind a wall", "VERCEL_AUTOMATION_BYPASS_SECRET"}},
		{"another project's secret", there(answers(authURL, 401, "X-Vercel-Error", "UNAUTHORIZED"), "AUTH_BYPASS_SECRET=plain-secret-of-another"), []string{"the auth service", "wrong, or of another project"}},
		{"a superseded build", there(answers(authURL, 404, "X-Vercel-Error", "DEPLOYMENT_NOT_FOUND")), []string{"the auth service", "a newer build has taken its place", "AUTH_URL"}},
		{"a function that never comes up", there(answers(authURL, 500, "X-Vercel-Error", "FUNCTION_INVOCATION_FAILED")), []string{"the auth service", "FUNCTION_INVOCATION_FAILED", "WARM_UP=1s is over"}},
		{"a login page elsewhere", there(answers(docsURL, 302, "Location", "https://login.example.com/")), []string{"leads to another site", "login.example.com", "FRONTEND_URL"}},
		{"another service's address", there(answers(docsURL, 200, "Content-Type", "application/json")), []string{"is no page", "FRONTEND_URL"}},
		{"another contract", there(answers(authURL, 404, "Content-Type", "application/json")), []string{"contract.paths.session", "404", "the contract does not fit"}},
		{"a page in the endpoint's place", there(answers(apiURL, 200, "Content-Type", "text/html")), []string{"contract.paths.api", "a page of HTML"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := earlierReports(t)
			cmd := command(t, "", "preview")
			cmd.Env = slices.Concat(cmd.Env, c.env, []string{"OUT=" + out, "ENGINE=chromium"})
			began := time.Now()
			o := finish(t, 10*time.Second, cmd)
			refusal(t, o, c.says...)
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("it took %s", took)
			}
			if strings.Contains(o.stderr+o.stdout, "plain-secret") {
				t.Errorf("a secret is told: %s", o)
			}
			untouched(t, out)
		})
	}
}
