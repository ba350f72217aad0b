package target

import (
	"strings"
	"testing"

	"crossing/harness/trace"
)

func TestPreviewsAreKnownByTheirNames(t *testing.T) {
	of := &Target{File: File{Previews: []string{"*.preview.example.com", "pr-*.example.net"}}}
	for host, want := range map[string]bool{
		"docs-a1b2c3d4e-team.vercel.app":        true,
		"my-docs-a1b2c3d4e-my-team.vercel.app":  true,
		"docs-git-feature-x-team.vercel.app":    true,
		"docs-git-main-0a1b2c.vercel.app":       true,
		"docs.vercel.app":                       false,
		"docs-team.vercel.app":                  false,
		"docs-frontends-team.vercel.app":        false, // nine letters, and a word
		"docs-a1b2c3d4e-team.example.com":       false,
		"docs-a1b2c3d4e-team.vercel.app.com":    false,
		"www.example.com":                       false,
		"x.preview.example.com":                 true,
		"pr-17.example.net":                     true,
		"www.example.net":                       false,
		"x.preview.example.com.attacker.com":    false,
		"a1b2c3d4e-docs-git-x.vercel.app.co.uk": false,
	} {
		if got := of.preview(host); got != want {
			t.Errorf("%s: a preview is %v", host, got)
		}
	}
}

func TestProductionIsRefusedUnlessItIsNamed(t *testing.T) {
	app, err := At(trace.Origins{Frontend: "https://docs-a1b2c3d4e-team.vercel.app", Auth: "https://auth.example.net"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = app.GuardProduction(nil)
	if err == nil || !strings.Contains(err.Error(), "AUTH_URL=https://auth.example.net is no preview") || !strings.Contains(err.Error(), "ALLOW_PRODUCTION=auth.example.net") {
		t.Errorf("got %v", err)
	}
	if err := app.GuardProduction([]string{"docs.example.com"}); err == nil {
		t.Error("another host's leave is taken for this one's")
	}
	if err := app.GuardProduction([]string{"AUTH.example.net"}); err != nil {
		t.Error(err)
	}
}

func TestWrongPatternsOfPreviewsAreNamed(t *testing.T) {
	for _, pattern := range []string{"[", "https://x", "*", "*.*"} {
		if _, err := parseText(t, minimal+"previews: [\""+pattern+"\"]\n"); err == nil || !strings.Contains(err.Error(), ":5: previews[0]") {
			t.Errorf("%q: %v", pattern, err)
		}
	}
	if _, err := parseText(t, minimal+"previews: [\"*.preview.example.com\"]\n"); err != nil {
		t.Error(err)
	}
}
