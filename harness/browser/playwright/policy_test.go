package playwright

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"

	"crossing/harness/browser"
	"crossing/harness/browser/capability"
	"crossing/harness/trace"
)

// builds are the kinds of Chromium: the one that a run takes, the whole browser
// that a run with windows takes, and one as upstream builds it, which allows
// third-party cookies where the distributor's block them.
func builds(t *testing.T, p browser.Profile, run func(t *testing.T, l browser.Launch)) {
	windowed, _ := system("chromium", true)
	for _, build := range []struct{ name, executable string }{
		{"CHROMIUM", os.Getenv("CHROMIUM")}, {"windowed", windowed}, {"CHROMIUM_UPSTREAM", os.Getenv("CHROMIUM_UPSTREAM")},
	} {
		t.Run(p.Name+" "+build.name, func(t *testing.T) {
			if build.executable == "" && build.name != "CHROMIUM" {
				t.Skip("there is no such executable: the policy of such a build is not proved here")
			}
			run(t, browser.Launch{Profile: p, Executable: build.executable, DriverDir: driverDir})
		})
	}
}

func TestPolicyBlock(t *testing.T) {
	builds(t, browser.Chromium, func(t *testing.T, l browser.Launch) {
		w := newWorld(t)
		l.SPKI = w.edge.SPKI()
		e := w.start(l, true)
		t.Log(e.Version())
		v := w.visit(e, "")
		v.goTo(front + "/")
		v.fetch(back + "/set")

		if names := v.names(); names["ordinary"] || !names["partitioned"] {
			t.Errorf("the back was sent %v, want partitioned and not ordinary", names)
		}
		jar := v.jar()
		if _, there := jar["ordinary"]; there {
			t.Error("the ordinary third-party cookie stayed")
		}
		if kept := jar["partitioned"]; kept.PartitionKey != "https://quay-side.com" || !kept.Ancestor || kept.Domain != "desk.ferry-line.net" || !kept.HostOnly {
			t.Errorf("the Partitioned cookie is %+v, want it keyed by https://quay-side.com, with the ancestor bit of a cross-site request", kept)
		}
		refused := func() bool { return v.refusal("ordinary", "store", back+"/set") }
		v.soon("the refusal of the ordinary cookie", refused, func() any { return v.recorder.Snapshot().Refusals })

		// The key is the page's: from its own site the cookie is not sent.
		v.goTo(back + "/")
		if names := v.names(); names["partitioned"] {
			t.Errorf("the partition leaks: under its own site the back was sent %v", names)
		}
		// A first party is not touched by the policy.
		v.goTo(back + "/set")
		if names := v.names(); !names["ordinary"] {
			t.Errorf("as first party the back was sent %v, want ordinary among them", names)
		}
		if v.framesShareStorage() {
			t.Error("a frame sees what its site stored as first party: storage is not partitioned")
		}
	})
}

// TestEachProfileIsWhatItSays measures every profile that Playwright serves,
// on each kind of build: what is measured must be believed of that profile, and
// of no other of the same engine.
func TestEachProfileIsWhatItSays(t *testing.T) {
	for _, p := range []browser.Profile{browser.Chromium, browser.ChromiumAllow} {
		builds(t, p, func(t *testing.T, l browser.Launch) {
			w := newWorld(t)
			l.SPKI = w.edge.SPKI()
			e := w.start(l, true)
			got := w.measure(e)
			for _, other := range []browser.Profile{browser.Chromium, browser.ChromiumAllow} {
				if err := capability.Believe(other, e.Version(), got); (err == nil) != (other == p) {
					t.Errorf("taken for %s: %v\n%q", other.Name, err, got.Evidence)
				}
			}
			if got.Partitioned != trace.MeasuredYes || got.Isolated != trace.MeasuredYes || got.Restart != trace.MeasuredYes {
				t.Errorf("a Partitioned cookie is not kept, isolated and restarted: %+v", got)
			}
		})
	}
}

// TestTamperingWithTheLeverIsNamed leaves Playwright's own feature list in
// place, which undoes both levers.
func TestTamperingWithTheLeverIsNamed(t *testing.T) {
	whole := quiet
	quiet = append(slices.Clone(quiet), "ThirdPartyStoragePartitioning")
	defer func() { quiet = whole }()
	for _, p := range []browser.Profile{browser.Chromium, browser.ChromiumAllow} {
		builds(t, p, func(t *testing.T, l browser.Launch) {
			w := newWorld(t)
			l.SPKI = w.edge.SPKI()
			e := w.start(l, true)
			got := w.measure(e)
			err := capability.Believe(p, e.Version(), got)
			if err == nil || !strings.Contains(err.Error(), "without ThirdPartyStoragePartitioning") || !strings.Contains(err.Error(), e.Version().Executable) {
				t.Errorf("with Playwright's own feature list it was believed, or the lever not named: %v\n%q", err, got.Evidence)
			}
		})
	}
}

// TestFirefoxKeepsThirdPartiesApart, with its control: the same Firefox with
// the preference for keeping all cookies.
func TestFirefoxKeepsThirdPartiesApart(t *testing.T) {
	named := os.Getenv("FIREFOX")
	if _, found := system(browser.Firefox.Engine, false); !found && named == "" {
		t.Skip("there is no Firefox: its profile is not proved here")
	}
	l := browser.Launch{Profile: browser.Firefox, Executable: named, DriverDir: driverDir}
	t.Run("firefox", func(t *testing.T) {
		w := newWorld(t)
		e := w.start(l, true)
		t.Log(e.Version())
		got := w.measure(e)
		if err := capability.Believe(browser.Firefox, e.Version(), got); err != nil {
			t.Errorf("%v\n%q", err, got.Evidence)
		}
		if got.Restart != trace.MeasuredYes {
			t.Errorf("a cookie with Max-Age does not outlive a restart: %q", got.Evidence)
		}
	})
	t.Run("without the lever", func(t *testing.T) {
		isolated = 0 // BEHAVIOR_ACCEPT
		defer func() { isolated = 5 }()
		w := newWorld(t)
		e := w.start(l, true)
		got := w.measure(e)
		err := capability.Believe(browser.Firefox, e.Version(), got)
		if err == nil || !strings.Contains(err.Error(), behavior) {
			t.Errorf("with all cookies kept it was believed, or the lever not named: %v\n%q", err, got.Evidence)
		}
	})
}

// measure is what the command does before it believes a browser.
func (w *world) measure(e *engine) trace.Capability {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), limit)
	defer cancel()
	open := func(ctx context.Context, keep string) (browser.Session, error) {
		rec := trace.NewRecorder(w.redactor, trace.Trace{})
		line, err := w.edge.Open(rec)
		if err != nil {
			return nil, err
		}
		w.t.Cleanup(func() { _ = line.Close() })
		return e.NewSession(ctx, browser.Options{Proxy: line.Proxy(), Recorder: rec, Keep: keep})
	}
	got, err := capability.Measure(ctx, open, trace.Origins{Frontend: front, Auth: back, Stranger: stranger}, w.t.TempDir())
	if err != nil {
		w.t.Fatal(err)
	}
	return got
}

// TestWithoutTheLever is the control of TestPolicyBlock: a build as upstream
// makes it allows what the lever refuses.
func TestWithoutTheLever(t *testing.T) {
	executable := os.Getenv("CHROMIUM_UPSTREAM")
	if executable == "" {
		t.Skip("CHROMIUM_UPSTREAM names no executable that allows third-party cookies by default")
	}
	w := newWorld(t)
	l := w.launch()
	l.Executable = executable
	v := w.visit(w.start(l, false), "")
	v.goTo(front + "/")
	v.fetch(back + "/set")
	if names := v.names(); !names["ordinary"] || !names["partitioned"] {
		t.Errorf("without the lever the back was sent %v, want both: the lever is proved by nothing", names)
	}
	v.goTo(back + "/")
	if !v.framesShareStorage() {
		t.Error("without the lever storage is partitioned: the lever is not what does it")
	}
}

// framesShareStorage says whether the back's page within the front sees what
// the back, open now as first party, stores.
func (v *visitor) framesShareStorage() bool {
	v.t.Helper()
	if err := v.page.Eval(v.ctx, `() => localStorage.setItem('by', 'first party')`, nil, nil); err != nil {
		v.t.Fatal(err)
	}
	v.goTo(front + "/")
	add := `src => { const f = document.createElement('iframe'); f.src = src; document.body.append(f) }`
	if err := v.page.Eval(v.ctx, add, back+"/", nil); err != nil {
		v.t.Fatal(err)
	}
	inside, err := v.page.Frame(v.ctx, "iframe")
	if err != nil {
		v.t.Fatal(err)
	}
	var seen string
	if err := inside.Eval(v.ctx, `() => localStorage.getItem('by') || ''`, nil, &seen); err != nil {
		v.t.Fatal(err)
	}
	return seen == "first party"
}

func (v *visitor) refusal(cookie, direction, url string) bool {
	return slices.ContainsFunc(v.recorder.Snapshot().Refusals, func(r trace.Refusal) bool {
		return r.Cookie == cookie && r.Direction == direction && r.URL == url && len(r.Reasons) > 0
	})
}
