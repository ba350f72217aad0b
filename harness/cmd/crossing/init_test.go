package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"crossing/harness/journey"
	"crossing/harness/target"
)

// The three applications of this repository are described by their authors, and
// by init, which knows nothing of them but their addresses.
func TestInitDescribesAnApplicationThatRuns(t *testing.T) {
	for _, folder := range []string{"fixtures", "fixtures/examples/express-session", "fixtures/examples/auth-js"} {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			t.Parallel()
			d := deployOf(t, folder)
			found, out := d.describe(t)
			agrees(t, d.target, found)
			origins := d.target.Origins
			says(t, d.reach(t, "init", "--frontend="+origins.Frontend, "--auth="+origins.Auth, "--out="+out), exitUnready, "is there already", "OUT")
			o := d.reach(t, "diagnose", "--config="+out, "--engine=chromium", "--out="+t.TempDir())
			if says(t, o, 0, "held on chromium", "chromium: sign out"); strings.Contains(o.stdout, "no pages are described") {
				t.Errorf("diagnose does not go by the pages that were found: %s", o)
			}
		})
	}
}

// Whoever has an account there already is signed in, and nobody is signed up.
func TestInitLooksAsAPersonWithAnAccount(t *testing.T) {
	t.Parallel()
	d := deployOf(t, "fixtures/examples/express-session")
	who := d.signUp(t)
	found, _ := d.describe(t, "--email="+who.Email, "--password="+who.Password)
	c, like := found.Contract, d.target.Contract
	if c.Paths.SignIn != like.Paths.SignIn || c.Paths.Session != like.Paths.Session || c.Cookie != like.Cookie || c.Pages.Standing != like.Pages.Standing {
		t.Errorf("%+v", c)
	}
	if c.Paths.SignUp != like.Paths.SignUp {
		t.Errorf("the preset's endpoint to sign up is %q", c.Paths.SignUp)
	}
}

// A cookie that browsers refuse is told, and what can be found without it is.
func TestInitDoubtsACookieThatIsRefused(t *testing.T) {
	t.Parallel()
	d := deployOf(t, "fixtures/examples/express-session")
	change := strip
	d.change.Store(&change)
	found, out := d.describe(t)
	text, err := os.ReadFile(out)
	if err != nil || !strings.Contains(string(text), "# unsure: contract.cookie: the cookie is set with Secure: true, SameSite: None, Partitioned: false") ||
		!strings.Contains(string(text), "# unsure: contract.paths.session: /session names the person when it is asked from outside") {
		t.Errorf("%v\n%s", err, text)
	}
	if c := found.Contract; c.Cookie.Name != "connect.sid" || c.Preset != target.ExpressSession || c.Paths.Session != "/session" {
		t.Errorf("%+v", c)
	}
	says(t, d.reach(t, "diagnose", "--config="+out, "--engine=chromium", "--out="+t.TempDir()), exitFailed, "cookie-not-partitioned")
}

// describe has init write a description, and reads it; everything that must
// hold of any is looked at.
func (d *deployment) describe(t *testing.T, more ...string) (found *target.Target, out string) {
	t.Helper()
	out = filepath.Join(t.TempDir(), "crossing.yaml")
	o := d.look(t, "init", append(more, "--out="+out, "--allow-production="+strings.Join(d.target.Hosts(), " "))...)
	says(t, o, 0, "Found with Chromium", "Written: "+out, "make diagnose CONFIG=")
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(o)
	}
	if found, err = target.Load(out); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	secret := regexp.MustCompile(`pw-[0-9a-f]{8}|eyJ[\w-]{8}|s%3A|hmac:`)
	if secret.Match(text) || secret.MatchString(o.stdout+o.stderr) {
		t.Errorf("a secret, or what stands for one, is written or told: %s\n%s", o, text)
	}
	if !strings.HasPrefix(string(text), "# yaml-language-server: $schema=") {
		t.Errorf("the first line names no schema:\n%s", text)
	}
	for line := range strings.SplitSeq(o.stdout, "\n") {
		field, why, is := strings.Cut(strings.TrimSpace(line), ": ")
		if is && strings.HasPrefix(field, "contract.") && !strings.Contains(string(text), "# unsure: "+field+": "+why) {
			t.Errorf("the file does not say at %s: %s\n%s", field, why, text)
		}
	}
	return found, out
}

// signUp makes an account, as the contract has it.
func (d *deployment) signUp(t *testing.T) journey.Person {
	t.Helper()
	authority, err := os.ReadFile(d.ca)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, d.address)
		},
	}}
	who, c := journey.NewPerson("ada"), d.target.Contract
	kind, body, err := c.Requests.SignUp.Content(target.Blanks{Name: who.Name, Email: who.Email, Password: who.Password})
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), c.Requests.SignUp.Method, d.target.Origins.Auth+c.Paths.SignUp, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", kind)
	req.Header.Set("Origin", d.target.Origins.Frontend)
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != c.Requests.SignUp.Answered {
		t.Fatalf("signing up is answered %d", res.StatusCode)
	}
	return who
}

// agrees compares what was found with what the author has written.
func agrees(t *testing.T, author, found *target.Target) {
	t.Helper()
	a, f := author.Contract, found.Contract
	// What nobody can see from outside, or would try there.
	a.SigningSecret, a.FallbackSetting = "", f.FallbackSetting
	a.Paths.DeleteAccount, a.Requests.DeleteAccount = "", f.Requests.DeleteAccount
	// Headers that this service lets be read besides, and the control that init
	// sees and does not press.
	a.CORS, a.Pages.SignOutEverywhere = f.CORS, ""
	// Which element of a page is told is its author's taste.
	for _, pages := range []*target.Pages{&a.Pages, &f.Pages} {
		for _, form := range []*target.Form{&pages.SignUp, &pages.SignIn} {
			for _, part := range []*string{&form.Name, &form.Email, &form.Password, &form.Submit, &form.Landed, &form.Error} {
				if *part != "" {
					*part = "(told)"
				}
			}
		}
		if pages.SignOut != "" {
			pages.SignOut = "(told)"
		}
	}
	if author.Origins != found.Origins {
		t.Errorf("origins: %+v", found.Origins)
	}
	all, other := reflect.ValueOf(a), reflect.ValueOf(f)
	for i := range all.NumField() {
		if want, got := all.Field(i).Interface(), other.Field(i).Interface(); !reflect.DeepEqual(want, got) {
			t.Errorf("%s:\nwant %+v\n got %+v", all.Type().Field(i).Name, want, got)
		}
	}
}
