package behaviour

import (
	"cmp"
	"context"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"crossing/harness/browser"
	"crossing/harness/browser/drivers"
	"crossing/harness/edge"
)

// bench starts the profile that PROFILE names. Where its browser is not
// installed the test is skipped and says so.
func bench(t *testing.T) *Bench {
	t.Helper()
	name := cmp.Or(os.Getenv("PROFILE"), browser.Chromium.Name)
	i := slices.IndexFunc(browser.Profiles(), func(p browser.Profile) bool { return p.Name == name })
	if i < 0 {
		t.Fatalf("PROFILE=%s: there is no such profile", name)
	}
	p := browser.Profiles()[i]
	state := cmp.Or(os.Getenv("CROSSING_STATE"), filepath.Join("..", "..", "..", ".crossing"))
	driver := filepath.Join(state, "playwright")
	if !drivers.Found(driver, p, false) {
		t.Skipf("no browser for %s here: behaviours are not held to their broken sites", p.Name)
	}
	work, err := os.MkdirTemp("", "cx")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(work) })
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	b, err := Start(ctx, browser.Launch{Profile: p, DriverDir: driver, WorkDir: work}, edge.Options{}, drivers.Start)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// TestEveryCheckFailsWhenItsSiteIsBroken asks for each behaviour twice: of the
// site as it is, and of one that withholds what the behaviour is about. A check
// that sees the same both times proves nothing. Afterwards, none may have visited
// as first party what others ask as third party.
func TestEveryCheckFailsWhenItsSiteIsBroken(t *testing.T) {
	b := bench(t)
	for _, what := range All() {
		t.Run(what.Name, func(t *testing.T) {
			whole, err := b.Run(t.Context(), what, false)
			if err != nil {
				t.Fatal(err)
			}
			if why, not := strings.CutPrefix(whole.Outcome, NotApplicable); not {
				t.Skip("not applicable: " + why)
			}
			broken, err := b.Run(t.Context(), what, true)
			t.Logf("%-45q broken: %q %v %v", whole.Outcome, broken.Outcome, err, whole.Reasons)
			if err == nil && broken.Outcome == whole.Outcome {
				t.Errorf("broken or not, it is %q", whole.Outcome)
			}
		})
	}
	var pages int
	for _, e := range b.shared.rec.Snapshot().Exchanges {
		if e.Request.Get("Sec-Fetch-Dest") != "document" {
			continue
		}
		pages++
		if slices.Contains(asked, e.Origin) {
			t.Errorf("%s%s was visited, and is shared by those that ask from elsewhere", e.Origin, e.Path)
		}
	}
	if pages == 0 {
		t.Error("no request of the session says that it is for a page: what was visited cannot be told")
	}
}

// TestNoVisitTakesAnothersCookieForItsOwn: on sites that are shared, names are
// all that keeps visits apart.
func TestNoVisitTakesAnothersCookieForItsOwn(t *testing.T) {
	first, twelfth := sites{tag: "1"}, sites{tag: "12"}
	for _, name := range []string{crumb, "__Host-" + crumb, "__Secure-" + crumb} {
		real := twelfth.real(name)
		if got, mine := twelfth.canonical(real); got != name || !mine {
			t.Errorf("%s became %s, which is taken for %s, its own: %v", name, real, got, mine)
		}
		if _, mine := first.canonical(real); mine {
			t.Errorf("%s is taken for the first visit's own", real)
		}
	}
	seen := map[string]string{}
	for i, what := range All() {
		s := sitesOf(i, what)
		for _, origin := range s.origins() {
			at := origin + " " + s.real(crumb)
			if other := seen[at]; other != "" {
				t.Errorf("%s and %s leave the same names on %s", other, what.Name, origin)
			}
			seen[at] = what.Name
		}
	}
	for name := range exceptions {
		if !slices.ContainsFunc(All(), func(b Behaviour) bool { return b.Name == name }) {
			t.Errorf("exceptions names %s, which is declared nowhere", name)
		}
	}
}

func TestDeclarationsAreWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, what := range All() {
		if seen[what.Name] {
			t.Errorf("%s is declared twice", what.Name)
		}
		seen[what.Name] = true
		if u, err := url.Parse(what.Source); err != nil || u.Scheme != "https" {
			t.Errorf("%s: its source %q is no URL", what.Name, what.Source)
		}
		if what.Name == "" || what.Group == "" || what.Text == "" || what.Probe == nil || what.Broken == nil {
			t.Errorf("%+v is incomplete", what)
		}
	}
	for name := range restarts {
		if !seen[name] {
			t.Errorf("restarts names %s, which is declared nowhere", name)
		}
	}
}
