package capability

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
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
	blind                                                          bool // refuses even on the cookie's own site
	cannotKeep                                                     bool
	apart, sendsVisited, sharesStorage                             bool // apart: ordinary third-party cookies, too
	showsHost, showsNoKeys                                         bool // of its jar
}

// session is a run of a model; kept is what outlives it.
type session struct {
	browser.Session
	m    model
	jar  map[string]string // name@top-level site
	page page

	visited bool // the plain cookie was set as first party
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

// Cookies is the jar while a page of another site is open.
func (s *session) Cookies(context.Context) (trace.Jar, error) {
	var jar trace.Jar
	for at := range s.jar {
		name, key := plain, ""
		if top, is := strings.CutPrefix(at, partitioned); is {
			name, key = partitioned, top
		}
		if s.m.showsNoKeys {
			key = ""
		}
		if !s.m.showsHost {
			jar.Cookies = append(jar.Cookies, trace.Cookie{Name: name, PartitionKey: key})
		}
	}
	return jar, nil
}

func (p *page) Goto(_ context.Context, url string) error {
	p.at, _, _ = strings.Cut(url, trace.ReservedPath)
	return nil
}

// frame is the inside of one: all that is asked of it is what is stored.
type frame struct {
	browser.Scope
	shares bool
}

func (p *page) Frame(context.Context, string) (browser.Scope, error) {
	return frame{shares: p.s.m.sharesStorage}, nil
}

func (f frame) Eval(_ context.Context, _ string, _, out any) error {
	*out.(*string) = map[bool]string{true: "first party", false: "nothing"}[f.shares]
	return nil
}

func (p *page) Eval(_ context.Context, _ string, arg, out any) error {
	answer := map[string]string{}
	if arg == nil {
		return nil // something is stored
	}
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
			if first && !p.s.m.blind || !first && p.s.m.keepsPlain {
				p.s.jar[plain+p.site()] = "1"
			}
			p.s.visited = p.s.visited || first
			if first && !p.s.m.blind || !first && p.s.m.keepsPartitioned {
				p.s.jar[partitioned+key] = "1"
			}
		case "clear":
			clear(p.s.jar)
		case "cookies":
			if (first || p.s.m.keepsPlain || p.s.m.sendsVisited && p.s.visited) && p.s.jar[plain+p.site()] != "" {
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

// site is where the plain cookie is kept: in one place for all but those who
// keep every jar apart.
func (p *page) site() string {
	if p.s.m.apart {
		return p.at
	}
	return ""
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
	const unknown = trace.MeasuredUnknown
	for name, c := range map[string]struct {
		m                                                                      model
		thirdParty, partitioned, isolated, restart, visited, stored, jar, keys string
	}{
		"partitions":              {model{keepsPartitioned: true}, no, yes, yes, yes, no, yes, yes, yes},
		"allows all":              {model{keepsPlain: true, keepsPartitioned: true, sharesStorage: true}, yes, yes, yes, yes, yes, no, yes, yes},
		"refuses all":             {model{}, no, no, unknown, unknown, no, yes, unknown, unknown},
		"sends what was set":      {model{sendsVisited: true}, no, no, unknown, unknown, yes, yes, unknown, unknown},
		"keeps all apart":         {model{keepsPlain: true, keepsPartitioned: true, apart: true}, yes, yes, yes, yes, no, yes, yes, yes},
		"ignores the attribute":   {model{keepsPlain: true, keepsPartitioned: true, sharesPartitions: true}, yes, yes, no, yes, yes, yes, yes, no},
		"forgets at a restart":    {model{keepsPartitioned: true, losesAtRestart: true}, no, yes, yes, no, no, yes, yes, yes},
		"cannot keep its profile": {model{keepsPartitioned: true, cannotKeep: true}, no, yes, yes, unknown, no, yes, yes, yes},
		"shows its page's host":   {model{keepsPartitioned: true, showsHost: true}, no, yes, yes, yes, no, yes, no, no},
		"shows no keys":           {model{keepsPartitioned: true, showsNoKeys: true}, no, yes, yes, yes, no, yes, yes, no},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Measure(t.Context(), open(c.m), origins, t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			if len(got.Evidence) == 0 {
				t.Error("no evidence is given")
			}
			got.Evidence = nil
			want := trace.Capability{ThirdParty: c.thirdParty, Partitioned: c.partitioned, Isolated: c.isolated, Restart: c.restart, Visited: c.visited, Storage: c.stored,
				Jar: c.jar, Keys: c.keys}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got %+v, want %+v", got, want)
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

// Browsers that do what each policy asks for, and those that do not.
var (
	blocks  = model{keepsPartitioned: true}
	allows  = model{keepsPlain: true, keepsPartitioned: true}
	refuses = model{}
	visits  = model{sendsVisited: true}
	parts   = model{keepsPlain: true, keepsPartitioned: true, apart: true}
	// shares is Chromium with Playwright's own feature list.
	shares = model{keepsPlain: true, keepsPartitioned: true, sharesStorage: true}
)

var version = browser.Version{Browser: "Model 1", Executable: "/model", Lever: "--the-lever"}

func TestAControlHoldsOnlyWhereThePolicyIsSeen(t *testing.T) {
	for _, c := range []struct {
		m     model
		p     browser.Profile
		holds bool
	}{
		{blocks, browser.Chromium, true}, {allows, browser.Chromium, false}, {parts, browser.Chromium, false},
		{allows, browser.ChromiumAllow, true}, {blocks, browser.ChromiumAllow, false}, {parts, browser.ChromiumAllow, false},
		{refuses, browser.WebKit, true}, {allows, browser.WebKit, false},
		{visits, browser.WebKitDefault, true}, {allows, browser.WebKitDefault, false},
		{allows, browser.WebKitAllow, true}, {refuses, browser.WebKitAllow, false},
		{parts, browser.Firefox, true}, {allows, browser.Firefox, false}, {refuses, browser.Firefox, false},
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
		judged(t, c.m, c.p, seen.Holds(c.p, version), c.holds)
		if jar := s.(*session).jar; len(jar) != 0 {
			t.Errorf("the control left %v behind", jar)
		}
	}
}

func TestOnlyWhatWasMeasuredIsBelieved(t *testing.T) {
	for _, c := range []struct {
		m     model
		p     browser.Profile
		holds bool
	}{
		{blocks, browser.Chromium, true}, {allows, browser.Chromium, false}, {visits, browser.Chromium, false},
		{model{keepsPartitioned: true, sharesStorage: true}, browser.Chromium, false},
		{allows, browser.ChromiumAllow, true}, {shares, browser.ChromiumAllow, false}, {blocks, browser.ChromiumAllow, false},
		{refuses, browser.WebKit, true}, {visits, browser.WebKit, false}, {allows, browser.WebKit, false},
		{visits, browser.WebKitDefault, true}, {refuses, browser.WebKitDefault, false}, {allows, browser.WebKitDefault, false},
		{allows, browser.WebKitAllow, true}, {shares, browser.WebKitAllow, true}, {visits, browser.WebKitAllow, false},
		{parts, browser.Firefox, true}, {allows, browser.Firefox, false}, {blocks, browser.Firefox, false},
	} {
		seen, err := Measure(t.Context(), open(c.m), origins, t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		judged(t, c.m, c.p, Believe(c.p, version, seen), c.holds)
	}
}

func judged(t *testing.T, m model, p browser.Profile, err error, holds bool) {
	t.Helper()
	if (err == nil) != holds {
		t.Errorf("%s, %+v: %v", p.Name, m, err)
	}
	if err == nil {
		return
	}
	for _, word := range []string{"proves nothing", p.Name, version.Lever, version.Browser} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("the error does not say %q: %v", word, err)
		}
	}
}
