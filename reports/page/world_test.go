package page

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	pw "github.com/mxschmitt/playwright-go"

	"crossing/harness/browser"
	"crossing/harness/diagnose"
	"crossing/harness/trace"
	"crossing/reports"
)

// Traces that runs have recorded: three faults.
var faults = map[string]string{
	"cookie-not-partitioned": "cookie-not-partitioned.json",
	"signature-refused":      "signature-refused.key-unread.json",
	"cors-refused":           "cors-refused.anonymous.json",
}

var order = []string{"cookie-not-partitioned", "signature-refused", "cors-refused"}

// hostile is markup in what a service, or an assertion, said.
const hostile = `</script><img src="https://elsewhere.example/x" onerror="document.title='gone'"><!-- `

// red makes a folder as a run leaves it in which three faults felled three
// specs, and more specs passed than anybody reads.
func red(t testing.TB, passed int) (*reports.Run, string) {
	t.Helper()
	folder := t.TempDir()
	r := &reports.Run{Version: reports.Version, Target: reports.Target{Name: "reference", Config: "fixtures/crossing.yaml"}, Runtime: "processes",
		Why: "RUNTIME=processes", Started: time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC), Seed: 7, Commit: strings.Repeat("ab", 20) + "+",
		Timings: reports.Timings{Setup: 1, Compile: 3, StackReady: 2, Specs: 34, Total: 40},
		Waits:   []reports.Wait{{Profile: "chromium", Kind: "reload", Median: 1.2, Samples: []float64{1.2}, Budget: 1}},
		Profiles: []reports.Profile{{Profile: browser.Chromium, Version: browser.Version{Browser: "Chromium 156", Driver: "playwright 1.61", Found: "the system's"},
			Capability: trace.Capability{ThirdParty: "no", Partitioned: "yes", Isolated: "yes", Restart: "yes", Evidence: []string{"a cookie was set and came back"}}}},
	}
	for i, cause := range order {
		r.Specs = append(r.Specs, fallen(t, r, folder, i, cause))
	}
	r.Counts.Failed = len(order)
	for i := range passed {
		r.Specs = append(r.Specs, reports.Spec{Suite: "session", Behaviour: fmt.Sprintf("behaviour %d", i%12), Profile: []string{"chromium", "webkit"}[i%2],
			Text: fmt.Sprintf("holds in case %d", i), State: reports.Passed, Seconds: float64(i%50) / 10})
		r.Counts.Passed++
	}
	r.Specs = append(r.Specs, reports.Spec{Suite: "session", Behaviour: "persistence", Profile: "webkit", Text: "outlives a reload",
		State: reports.NotApplicable, Message: "webkit keeps no Partitioned cookie"})
	r.Counts.NotApplicable = 1
	return r, folder
}

// fallen is a failed spec, with trace and screenshot in folder.
func fallen(t testing.TB, r *reports.Run, folder string, i int, cause string) reports.Spec {
	t.Helper()
	path := filepath.Join("..", "..", "harness", "diagnose", "testdata", faults[cause])
	seen, err := trace.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	d := reports.Diagnosis{Visitor: "ada", Profile: "chromium", Trace: fmt.Sprintf("traces/%d.json", i), Screenshot: fmt.Sprintf("screenshots/%d.png", i), Diagnosis: diagnose.Explain(seen)}
	d.Sentence = d.Diagnosis.Sentence()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(folder, d.Trace), data)
	put(t, filepath.Join(folder, d.Screenshot), picture(t))
	r.Diagnoses = append(r.Diagnoses, d)
	return reports.Spec{Suite: "session", Behaviour: "persistence", Profile: "chromium", Text: "is not lost to " + cause, State: reports.Failed, Seconds: 12,
		Message: "ada on chromium: " + d.String() + "\n\nExpected " + hostile, Where: "suites/session/persistence_test.go:30", Traces: []string{d.Trace},
		Reproduce: "make e2e SEED=7 ENGINE=chromium ONE='is not lost to " + cause + "'"}
}

func put(t testing.TB, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

func picture(t testing.TB) []byte {
	t.Helper()
	var out bytes.Buffer
	i := image.NewGray(image.Rect(0, 0, 320, 200))
	i.SetGray(5, 5, color.Gray{Y: 200})
	if err := png.Encode(&out, i); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// state is where set-up put the driver, and where tests may keep packages.
func state(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("CROSSING_STATE")
	if dir == "" {
		dir = filepath.Join("..", "..", ".crossing")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// axe is axe-core's script, of this very version.
func axe(t testing.TB) string {
	t.Helper()
	const pinned = "axe-core@4.11.0"
	dir := filepath.Join(state(t), "test-packages", strings.ReplaceAll(pinned, "@", "-"))
	path := filepath.Join(dir, "node_modules", "axe-core", "axe.min.js")
	if _, err := os.Stat(path); err != nil {
		put(t, filepath.Join(dir, "package.json"), []byte(`{"private": true}`))
		cmd := exec.Command("npm", "install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", dir, pinned)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("install %s: %v\n%s", pinned, err, out)
		}
	}
	script, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(script)
}

// chromium is one browser for all tests here; TestMain ends it.
var chromium = sync.OnceValues(func() (pw.Browser, error) {
	dir := os.Getenv("CROSSING_STATE")
	if dir == "" {
		dir = filepath.Join("..", "..", ".crossing")
	}
	driver, err := pw.Run(&pw.RunOptions{DriverDirectory: filepath.Join(dir, "playwright"), SkipInstallBrowsers: true, Verbose: false})
	if err != nil {
		return nil, fmt.Errorf("start Playwright's driver (make setup installs it): %w", err)
	}
	ends = append(ends, driver.Stop)
	executable := os.Getenv("CHROMIUM")
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); executable == "" && err == nil {
			executable = found
		}
	}
	o := pw.BrowserTypeLaunchOptions{}
	if executable != "" {
		o.ExecutablePath = &executable
	}
	if os.Geteuid() == 0 {
		o.Args = []string{"--no-sandbox"}
	}
	b, err := driver.Chromium.Launch(o)
	if err != nil {
		return nil, fmt.Errorf("start Chromium: %w", err)
	}
	ends = append(ends, func() error { return b.Close() })
	return b, nil
})

var ends []func() error

func TestMain(m *testing.M) {
	status := m.Run()
	for i := len(ends) - 1; i >= 0; i-- {
		if err := ends[i](); err != nil {
			fmt.Fprintln(os.Stderr, "end the browser:", err)
			status = 1
		}
	}
	os.Exit(status)
}

// opened is the page of a run in a browser, with all that it complained of and
// asked for.
type opened struct {
	pw.Page
	t testing.TB

	mu        sync.Mutex
	complains []string
}

// window is how the page is looked at.
type window struct {
	width int
	dark  bool
}

func open(t testing.TB, r *reports.Run, folder string, w window) *opened {
	t.Helper()
	if err := Write(r, folder); err != nil {
		t.Fatal(err)
	}
	b, err := chromium()
	if err != nil {
		t.Fatal(err)
	}
	scheme := pw.ColorSchemeLight
	if w.dark {
		scheme = pw.ColorSchemeDark
	}
	inside, err := b.NewContext(pw.BrowserNewContextOptions{Viewport: &pw.Size{Width: w.width, Height: 900}, ColorScheme: scheme, ReducedMotion: pw.ReducedMotionReduce})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = inside.Close() })
	p, err := inside.NewPage()
	if err != nil {
		t.Fatal(err)
	}
	o := &opened{Page: p, t: t}
	address := "file://" + filepath.ToSlash(filepath.Join(folder, reports.PageFile))
	p.OnConsole(func(m pw.ConsoleMessage) { o.complain("console: " + m.Text()) })
	p.OnPageError(func(err error) { o.complain("uncaught: " + err.Error()) })
	p.OnRequest(func(r pw.Request) {
		if u := r.URL(); u != address && !strings.HasPrefix(u, "data:") {
			o.complain("request: " + u)
		}
	})
	if _, err := p.Goto(address); err != nil {
		t.Fatal(err)
	}
	return o
}

func (o *opened) complain(text string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.complains = append(o.complains, text)
}

// quiet fails if the page complained, or asked for anything but itself.
func (o *opened) quiet() {
	o.t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, c := range o.complains {
		o.t.Error(c)
	}
}

// eval returns what a script gives; an error fails the test.
func (o *opened) eval(script string, args ...any) any {
	o.t.Helper()
	got, err := o.Evaluate(script, args...)
	if err != nil {
		o.t.Fatalf("%s: %v", script, err)
	}
	return got
}

// is fails unless a script gives want.
func (o *opened) is(want any, script string, args ...any) {
	o.t.Helper()
	if got := o.eval(script, args...); fmt.Sprint(got) != fmt.Sprint(want) {
		o.t.Errorf("%s gives %v, want %v", script, got, want)
	}
}

// press presses keys one after the other.
func (o *opened) press(keys ...string) {
	o.t.Helper()
	for _, key := range keys {
		if err := o.Keyboard().Press(key); err != nil {
			o.t.Fatal(err)
		}
	}
}
