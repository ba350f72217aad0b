package capability

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"crossing/harness/browser"
	"crossing/harness/trace"
)

var origins = trace.Origins{
	Frontend: "https://docs.front.com", Auth: "https://auth.back.net", Stranger: "https://www.stranger.org",
}

// model is a browser that does with cookies what its fields say. The real ones
// are measured by every run of the suites; here it is the probe that is tested.
type model struct {
	keepsPlain, keepsPartitioned, sharesPartitions, losesAtRestart bool
	partitionsAll                                                  bool // ordinary third-party cookies, too
	blind                                                          bool // refuses even on the cookie's own site
	cannotKeep                                                     bool
}

// session is a run of a model; kept is what outlives it.
type session struct {
	browser.Session
	m    model
	jar  map[string]string // name@top-level site
	page page
}

type page struct {
	browser.Page
	s  *session
	at string
}

func (s *session) NewPage(context.Context) (browser.Page, error) {
	s.page = page{s: s}
	return &s.page, nil
}
func (s *session) Close(context.Context) error { return nil }

func (p *page) Goto(_ context.Context, url string) error {
	p.at = strings.TrimSuffix(url, trace.ReservedPath+"page")
	return nil
}

func (p *page) Eval(_ context.Context, _ string, arg, out any) error {
	answer := map[string]string{}
	for _, url := range arg.([]string) {
		origin, endpoint, _ := strings.Cut(url, trace.ReservedPath)
		endpoint, _, _ = strings.Cut(endpoint, "?")
		first := p.at == origin
		key := p.at
		if p.s.m.sharesPartitions {
			key = ""
		}
		switch endpoint {
		case "set":
			if !first && p.s.m.partitionsAll {
				p.s.jar[plain+key] = "1"
			}
			if first && !p.s.m.blind || !first && p.s.m.keepsPlain {
				p.s.jar[plain] = "1"
			}
			if first && !p.s.m.blind || !first && p.s.m.keepsPartitioned {
				p.s.jar[partitioned+key] = "1"
			}
		case "clear":
			clear(p.s.jar)
		case "cookies":
			if (first || p.s.m.keepsPlain) && p.s.jar[plain] != "" || p.s.jar[plain+key] != "" {
				answer[plain] = "1"
			}
			if p.s.jar[partitioned+key] != "" {
				answer[partitioned] = "1"
			}
		}
	}
	data, err := json.Marshal(answer)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, out)
}

// open keeps a jar for each kept profile.
func open(m model) Opener {
	kept := map[string]map[string]string{}
	return func(_ context.Context, keep string) (browser.Session, error) {
		s := &session{m: m, jar: map[string]string{}}
		if keep == "" {
			return s, nil
		}
		if m.cannotKeep {
			return nil, errors.ErrUnsupported
		}
		if kept[keep] == nil || m.losesAtRestart {
			kept[keep] = map[string]string{}
		}
		s.jar = kept[keep]
		return s, nil
	}
}

func TestWhatABrowserDoesIsMeasured(t *testing.T) {
	const yes, no, unknown = trace.MeasuredYes, trace.MeasuredNo, trace.MeasuredUnknown
	for name, c := range map[string]struct {
		m                                          model
		thirdParty, partitioned, isolated, restart string
	}{
		"partitions":              {model{keepsPartitioned: true}, no, yes, yes, yes},
		"allows all":              {model{keepsPlain: true, keepsPartitioned: true}, yes, yes, yes, yes},
		"refuses all":             {model{}, no, no, unknown, unknown},
		"ignores the attribute":   {model{keepsPlain: true, keepsPartitioned: true, sharesPartitions: true}, yes, yes, no, yes},
		"forgets at a restart":    {model{keepsPartitioned: true, losesAtRestart: true}, no, yes, yes, no},
		"cannot keep its profile": {model{keepsPartitioned: true, cannotKeep: true}, no, yes, yes, unknown},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Measure(t.Context(), open(c.m), origins, t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			if got.ThirdParty != c.thirdParty || got.Partitioned != c.partitioned || got.Isolated != c.isolated || got.Restart != c.restart {
				t.Errorf("got %+v", got)
			}
			if len(got.Evidence) == 0 {
				t.Error("no evidence is given")
			}
		})
	}
}

func TestABlindProbeBelievesNothing(t *testing.T) {
	_, err := Measure(t.Context(), open(model{blind: true}), origins, t.TempDir())
	if err == nil || !strings.Contains(err.Error(), "the control failed") {
		t.Errorf("got %v", err)
	}
}

func TestAControlHoldsOnlyWhereThePolicyIsKept(t *testing.T) {
	for _, c := range []struct {
		m       model
		profile browser.Profile
		holds   bool
	}{
		{model{keepsPartitioned: true}, browser.Chromium, true},
		{model{}, browser.Chromium, true},
		{model{keepsPlain: true}, browser.Chromium, false},
		{model{partitionsAll: true, keepsPartitioned: true}, browser.Chromium, false},
		{model{partitionsAll: true, keepsPartitioned: true}, browser.Firefox, true},
		{model{keepsPartitioned: true}, browser.Firefox, false}, // it drops what it should keep apart
		{model{keepsPlain: true}, browser.Firefox, false},       // it keeps nothing apart
	} {
		s, err := open(c.m)(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		p, err := s.NewPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		seen, err := Control(t.Context(), p, origins)
		if err != nil {
			t.Fatal(err)
		}
		err = seen.Holds(c.profile)
		if (err == nil) != c.holds {
			t.Errorf("%+v as %s: %v", c.m, c.profile.Name, err)
		}
		if !c.holds && err != nil && !strings.Contains(err.Error(), "proves nothing") {
			t.Errorf("the error does not say what it means: %v", err)
		}
		if jar := s.(*session).jar; len(jar) != 0 {
			t.Errorf("the control left %v behind", jar)
		}
	}
}
