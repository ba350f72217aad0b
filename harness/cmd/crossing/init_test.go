package main

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"crossing/harness/target"
)

// The three applications of this repository are described by their authors, and
// by init, which knows nothing of them but their addresses.
func TestInitDescribesAnApplicationThatRuns(t *testing.T) {
	for _, folder := range []string{"fixtures", "fixtures/examples/express-session", "fixtures/examples/auth-js"} {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			d := deployOf(t, folder)
			out := filepath.Join(t.TempDir(), "crossing.yaml")
			o := d.look(t, "init", "--out="+out, "--allow-production="+strings.Join(d.target.Hosts(), " "))
			says(t, o, 0, "Found with Chromium", "Written: "+out, "make diagnose CONFIG=")
			text, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(o)
			}
			found, err := target.Load(out)
			if err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			t.Logf("%s\n%s", o.stdout, text)
			agrees(t, d.target, found)
			if secret := regexp.MustCompile(`pw-[0-9a-f]{8}|eyJ[\w-]{8}|s%3A|hmac:`); secret.Match(text) || secret.MatchString(o.stdout+o.stderr) {
				t.Error("a secret, or what stands for one, is written or told")
			}
			if !strings.HasPrefix(string(text), "# yaml-language-server: $schema=") {
				t.Error("the first line names no schema")
			}
			for line := range strings.SplitSeq(o.stdout, "\n") {
				if field, why, doubted := strings.Cut(strings.TrimSpace(line), ": "); doubted && strings.HasPrefix(field, "contract.") && !strings.Contains(string(text), "# unsure: "+field+": "+why) {
					t.Errorf("the file does not say at %s: %s", field, why)
				}
			}
			says(t, d.reach(t, "init", "--frontend="+d.target.Origins.Frontend, "--auth="+d.target.Origins.Auth, "--out="+out), exitUnready, "is there already", "OUT")
			again := d.reach(t, "diagnose", "--config="+out, "--engine=chromium", "--out="+t.TempDir())
			says(t, again, 0, "held on chromium", "chromium: sign out")
			if strings.Contains(again.stdout, "no pages are described") {
				t.Error("diagnose does not go by the pages that were found")
			}
		})
	}
}

// agrees compares what was found with what the author has written.
func agrees(t *testing.T, author, found *target.Target) {
	t.Helper()
	a, f := author.Contract, found.Contract
	// What nobody can see from outside.
	a.SigningSecret, a.FallbackSetting = "", f.FallbackSetting
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
	if !reflect.DeepEqual(author.Origins, found.Origins) {
		t.Errorf("origins: %+v", found.Origins)
	}
	all, other := reflect.ValueOf(a), reflect.ValueOf(f)
	for i := range all.NumField() {
		if want, got := all.Field(i).Interface(), other.Field(i).Interface(); !reflect.DeepEqual(want, got) {
			t.Errorf("%s:\nwant %+v\n got %+v", all.Type().Field(i).Name, want, got)
		}
	}
}
