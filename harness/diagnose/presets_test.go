package diagnose

import (
	"strings"
	"testing"
)

func TestMendsSpeakOfTheLibraryThatIsThere(t *testing.T) {
	for preset, own := range presetMends {
		for slug := range own {
			if len(mends[slug]) == 0 {
				t.Errorf("%s has mends for %q, which is no cause", preset, slug)
			}
		}
		for slug := range mends {
			words := strings.Join(mendsOf(preset, slug), "\n")
			if words == "" || strings.Contains(words, "BetterAuth") || strings.Contains(words, "BETTER_AUTH") {
				t.Errorf("%s, %s: %q", preset, slug, words)
			}
		}
	}
	const slug = "cookie-not-partitioned"
	for preset, want := range map[string]string{"": "BetterAuth", "better-auth": "BetterAuth", "express-session": "express-session", "auth-js": "Auth.js"} {
		if got := mendsOf(preset, slug); len(got) == 0 || !strings.HasPrefix(got[0], want) {
			t.Errorf("%q: %q", preset, got)
		}
	}
}

func TestAFindingHasTheMendsOfItsPreset(t *testing.T) {
	w := with(chromium(), noFallback, func(w *world) { w.cookie, w.keeps = "Path=/; HttpOnly; Secure; SameSite=None", false }).walk()
	w.Subject.Preset = presetExpressSession
	d := Explain(w)
	if len(d.Findings) == 0 || d.Findings[0].Cause != "cookie-not-partitioned" || !strings.HasPrefix(d.Findings[0].Mend[0], "express-session") {
		t.Errorf("got %s", d)
	}
}
