package target

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func status(state, environment, url, sha string) string {
	return fmt.Sprintf(`{"deployment_status":{"state":%q,"environment_url":%q},"deployment":{"sha":%q,"ref":"x","environment":%q}}`, state, url, sha, environment)
}

func dispatch(state, project, url, sha string) string {
	return fmt.Sprintf(`{"action":"vercel.deployment.%s","client_payload":{"environment":"preview","git":{"sha":%q,"ref":"x"},"id":"dpl_1","project":{"id":"p","name":%q},"state":{"type":%q},"url":%q}}`, state, sha, project, state, url)
}

// events writes the texts as files, in their order, and reads them back.
func events(t *testing.T, texts ...string) ([]Event, error) {
	t.Helper()
	dir := t.TempDir()
	for i, text := range texts {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%02d.json", i)), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return ReadEvents(dir)
}

var three = Projects{Frontend: "docs", Auth: "docs-auth", API: "api"}

const (
	docs = "https://docs-a1b2c3d4e-team.vercel.app"
	auth = "https://docs-auth-f5g6h7i8j-team.vercel.app"
	api  = "https://api-k1l2m3n4o-team.vercel.app"
)

func TestDeploymentsArePairedByCommit(t *testing.T) {
	all, err := events(t,
		status("success", "Preview", "https://docs-000000000-team.vercel.app", "old"),
		status("in_progress", "Preview – docs", "", "new"),
		status("success", "Preview – docs", docs+"/", "new"),
		dispatch("ready", "docs-auth", strings.TrimPrefix(auth, "https://"), "new"),
		status("success", "Preview", api, "new"), // no name but the address's
		dispatch("canceled", "api", api, "older"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := three.Pair(all, "new")
	if err != nil || len(got.Waiting) != 0 || got.Origins.Frontend != docs || got.Origins.Auth != auth || got.Origins.API != api {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := three.Pair(all, ""); err == nil || !strings.Contains(err.Error(), "3 commits (old, new, older)") || !strings.Contains(err.Error(), "COMMIT") {
		t.Errorf("of several commits: %v", err)
	}
	got, err = three.Pair(all, "old")
	if err != nil || len(got.Waiting) != 2 || !strings.Contains(got.Waiting[0], "no event of project docs-auth for commit old yet") {
		t.Errorf("of the old one: %+v, %v", got, err)
	}
	if got, err := (Projects{Frontend: "docs", Auth: "docs-auth"}).Pair(all, "new"); err != nil || got.Origins.API != "" || len(got.Waiting) != 0 {
		t.Errorf("without an api: %+v, %v", got, err)
	}
}

func TestWhatNeverComesIsToldApart(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"failed":        {status("failure", "Preview – docs", "", "c"), "frontend (docs) for commit c was failed"},
		"error":         {dispatch("error", "docs", "", "c"), "was failed"},
		"cancelled":     {dispatch("canceled", "docs", "", "c"), "was cancelled"},
		"superseded":    {status("inactive", "Preview – docs", docs, "c"), "was superseded"},
		"no address":    {status("success", "Preview – docs", "", "c"), "gives no address"},
		"still to come": {status("pending", "Preview – docs", "", "c"), ""},
	} {
		all, err := events(t, c.text)
		if err != nil {
			t.Fatal(err)
		}
		got, err := three.Pair(all, "")
		if c.want == "" && (err != nil || !strings.Contains(got.Waiting[0], "docs is coming up")) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFilesThatAreNoEventsAreNamed(t *testing.T) {
	for text, want := range map[string]string{
		"notes":                                "00.json is no JSON of an event",
		`{"ref":"x"}`:                          "neither a deployment_status nor a repository_dispatch",
		status("?", "Preview", docs, "c"):      `the state "?"`,
		status("success", "Preview", docs, ""): "names no commit",
	} {
		if _, err := events(t, text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := ReadEvents("/nowhere/event.json"); err == nil || !strings.Contains(err.Error(), "EVENTS=/nowhere/event.json") {
		t.Errorf("got %v", err)
	}
}
