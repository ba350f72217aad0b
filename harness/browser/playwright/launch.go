package playwright

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	pw "github.com/mxschmitt/playwright-go"

	"crossing/harness/browser"
)

// quiet are the features that Playwright switches off so that the browser
// keeps to what it is told (its chromiumSwitches), but for one,
// ThirdPartyStoragePartitioning: with that off, Chromium has no partitions and
// its cookie policy cannot be switched. The last --disable-features on a
// command line replaces all earlier ones, and ours comes last.
var quiet = []string{
	"AvoidUnnecessaryBeforeUnloadCheckSync", "BoundaryEventDispatchTracksNodeRemoval",
	"DestroyProfileOnBrowserClose", "DialMediaRouteProvider", "GlobalMediaControls",
	"HttpsUpgrades", "LensOverlay", "MediaRouter", "PaintHolding", "Translate",
	"AutoDeElevate", "RenderDocument", "OptimizationHints",
	// Calls of the browser's own, which Playwright leaves on.
	"AutofillServerCommunication", "NetworkTimeServiceQuerying",
	// The browser's own toolbar as web pages: a renderer more for every window
	// that a session opens, headless or not.
	"InitialWebUI", "WebUIToolbar", "WebUIReloadButton", "WebUIBackForwardButton",
	"WebUIHomeButton", "WebUILocationBar", "WebUISplitTabsButton", "PreloadTopChromeWebUI",
}

// split has Chromium keep its HTTP cache apart by top-level site, as a person's
// browser has it (https://developer.chrome.com/blog/http-cache-partitioning): as
// built, this is off, and turned on by what a released browser is sent.
const split = "--enable-features=SplitCacheByNetworkIsolationKey"

// phaseout has Chromium refuse ordinary third-party cookies, beside a feature
// list that leaves storage partitioned.
const phaseout = "--test-third-party-cookie-phaseout"

// reuse has Chromium open a page of a site in a process that it has for that
// site already: a seventh less of the processor's time for pages that are left
// in a moment, and none for a suite's (156, measured). Sites stay apart.
const reuse = "--renderer-process-limit=1"

// behavior is Firefox's preference for Total Cookie Protection.
const behavior = "network.cookie.cookieBehavior"

// isolated is its value for that (nsICookieService.idl,
// BEHAVIOR_REJECT_TRACKER_AND_PARTITION_FOREIGN); a test undoes it.
var isolated = 5

// levers say what is done for each policy, in a person's words. A policy that
// an engine has no lever for is refused.
var levers = map[string]map[browser.Policy]string{
	"chromium": {
		browser.PolicyBlock: "a --disable-features list without ThirdPartyStoragePartitioning, and " + phaseout,
		browser.PolicyAllow: "a --disable-features list without ThirdPartyStoragePartitioning, and the profile's preference profile.cookie_controls_mode=0",
	},
	"webkit":  {browser.PolicyTrackingPrevention: "none: Playwright's own build keeps its default"},
	"firefox": {browser.PolicyPartition: fmt.Sprintf("the preference %s=%d", behavior, isolated)},
}

// pull finds the lever for the profile's policy.
func (e *engine) pull() (err error) {
	p := e.launch.Profile
	lever, known := levers[p.Engine][p.Policy]
	if !known {
		return fmt.Errorf("profile %q wants %q, for which Playwright's %s has no lever", p.Name, p.Policy, p.Engine)
	}
	if !e.lever {
		e.version.Lever = "none: taken away by a test"
		return nil
	}
	e.version.Lever = lever
	e.file = e.version.Executable
	if p.Policy == browser.PolicyAllow {
		e.file, err = seeding(e.dir, e.version.Executable)
	}
	return err
}

// seeding is a script that runs a Chromium after putting the preference that
// allows third-party cookies (CookieControlsMode::kOff) into a profile that has
// none yet. Debian's build refuses them by default, and has no switch for it:
// what is left is the profile, or a policy file that takes root.
func seeding(dir, executable string) (string, error) {
	script := fmt.Sprintf(`#!/bin/sh
for a; do case "$a" in --user-data-dir=*) d="${a#*=}/Default" ;; esac; done
if [ -n "$d" ] && [ ! -f "$d/Preferences" ]; then
	mkdir -p "$d" && printf '%%s' '{"profile":{"cookie_controls_mode":0}}' >"$d/Preferences"
fi
exec %s "$@"
`, quoted(executable))
	path := filepath.Join(dir, "allowing")
	return path, os.WriteFile(path, []byte(script), 0o755)
}

// arguments are what Playwright is asked to add to its own.
func (e *engine) arguments() []string {
	if !e.chromium() {
		return nil
	}
	var args []string
	if e.launch.SPKI != "" {
		args = append(args, "--ignore-certificate-errors-spki-list="+e.launch.SPKI)
	}
	if e.lever {
		args = append(args, "--disable-features="+strings.Join(quiet, ","), split)
	}
	if e.lever && e.launch.Profile.Policy == browser.PolicyBlock {
		args = append(args, phaseout)
	}
	if e.launch.Frugal {
		args = append(args, reuse)
	}
	return args
}

// preferences are Firefox's.
func (e *engine) preferences() map[string]any {
	if !e.lever || !e.firefox() {
		return nil
	}
	all := map[string]any{behavior: isolated, simulated: false}
	maps.Copy(all, together)
	if e.launch.Frugal {
		all["layout.frame_rate"] = frames
	}
	return all
}

// environment is this process's own, with what has a frugal Firefox leave unread
// the lists of settings that it brings, a fifth of its start. WebDriver BiDi has
// it set that there is no server to ask for them (RecommendedPreferences.sys.mjs);
// a released build heeds that with this variable alone (services-settings'
// Utils.sys.mjs). nil: as it is.
func (e *engine) environment() map[string]string {
	if !e.firefox() || !e.launch.Frugal {
		return nil
	}
	all := map[string]string{"MOZ_REMOTE_SETTINGS_DEVTOOLS": "1"}
	for _, line := range os.Environ() {
		name, value, _ := strings.Cut(line, "=")
		all[name] = value
	}
	return all
}

// simulated is Firefox's preference for putting off, by up to three seconds and
// at random, what it grants by itself of storage access, as if a person had been
// asked (StorageAccessPermissionRequest::CalculateSimulatedDelay).
const simulated = "dom.storage_access.auto_grants.delayed"

// frames are how often a second a frugal Firefox paints. At its sixty, painting
// takes a quarter of its time for pages that are left in a moment (153,
// measured); a click waits for two frames.
const frames = 5

// together has Firefox open all pages in one process, and start none in advance:
// by default each site has one of its own, which took half of the processor's
// time for pages that are left in a moment. Which cookies a page gets is decided
// elsewhere: all behaviours came out the same (Firefox 153).
var together = map[string]any{
	"fission.webContentIsolationStrategy": 0, // nsIXULRuntime.idl: isolate nothing
	"dom.ipc.processCount":                1,
	"dom.ipc.processPrelaunch.enabled":    false,
}

// channel has Playwright speak WebDriver BiDi to a stock Firefox; its own
// protocol only its own builds know.
func (e *engine) channel() *string {
	if e.firefox() {
		return pw.String("moz-firefox")
	}
	return nil
}

// trustsAll says whether contexts must take any certificate: no engine but
// Chromium can be told of the edge's key, and none that was started elsewhere.
func (e *engine) trustsAll() *bool {
	if e.chromium() && e.launch.Endpoint.URL == "" {
		return nil
	}
	return pw.Bool(true)
}

func (e *engine) launchOptions(ms float64) pw.BrowserTypeLaunchOptions {
	return pw.BrowserTypeLaunchOptions{
		Args:             e.arguments(),
		Channel:          e.channel(),
		FirefoxUserPrefs: e.preferences(),
		Env:              e.environment(),
		ExecutablePath:   pw.String(e.file),
		Headless:         pw.Bool(!e.launch.Headed),
		SlowMo:           pw.Float(e.launch.SlowMoMillis),
		Timeout:          pw.Float(ms),
		// Ctrl-C reaches the whole process group; the harness decides what
		// happens then. When it dies, the driver's standard input ends.
		HandleSIGINT: pw.Bool(false),
	}
}

// How a browser was found, in browser.Version's words.
const (
	foundNamed  = "named by the user"
	foundOwn    = "Playwright's own build"
	foundSystem = "the system's"
)

// executable returns the browser's file and how it was found.
func (e *engine) executable() (path, found string, err error) {
	if named := e.launch.Executable; named != "" {
		path, err := exec.LookPath(named)
		if err != nil {
			return "", "", fmt.Errorf("the executable named for %s, %q, cannot be run (%w): name another, or none to have one found",
				e.launch.Profile.Name, named, errors.Unwrap(err))
		}
		path, err = filepath.Abs(path)
		return path, foundNamed, err
	}
	wanted := fmt.Sprintf("any of %q on PATH", systems(e.launch.Profile.Engine, e.launch.Headed))
	if !e.firefox() {
		if path, ok := ownBuild(e.kind.ExecutablePath()); ok {
			return path, foundOwn, nil
		}
		wanted = "Playwright's own build (" + e.kind.ExecutablePath() + ") or " + wanted
	}
	if path, ok := system(e.launch.Profile.Engine, e.launch.Headed); ok {
		return path, foundSystem, nil
	}
	return "", "", fmt.Errorf("no %s here: looked for %s: install one", e.launch.Profile.Engine, wanted)
}

// Find returns the browser that Start would take where none is named:
// Playwright's own build, or else the system's. Of Firefox it is the system's.
func Find(driverDir, engine string, headed bool) (executable string, ok bool) {
	if executable, ok := Installed(driverDir, engine); ok && engine != browser.Firefox.Engine {
		return executable, true
	}
	return system(engine, headed)
}

func system(engine string, headed bool) (executable string, ok bool) {
	for _, name := range systems(engine, headed) {
		if path, err := exec.LookPath(name); err == nil {
			return behindScript(path), true
		}
	}
	return "", false
}

// behindScript is the program that Debian's chromium-headless-shell starts: a
// script that stays between the driver and the browser would take the signals
// that were meant for the browser. Any other path is returned as it is.
func behindScript(path string) string {
	const script, program = "/usr/bin/chromium-headless-shell", "/usr/lib/chromium/chromium-headless-shell"
	if path == script && isExecutable(program) {
		return program
	}
	return path
}

// systems are the names of browsers that the system may have. A stock WebKit
// is none that Playwright can drive. Where no window is to be seen, the headless
// shell comes first, as with Playwright's own builds: the same engine without
// the browser around it, which took 0.6 of the time for the same specs.
func systems(engine string, headed bool) []string {
	switch engine {
	case "firefox":
		return []string{"firefox-esr", "firefox", "/Applications/Firefox.app/Contents/MacOS/firefox"}
	case "chromium":
	default:
		return nil
	}
	windowed := []string{
		"chromium", "chromium-browser", "google-chrome", "google-chrome-stable",
		"/Applications/Chromium.app/Contents/MacOS/Chromium",
		"/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
	}
	if headed {
		return windowed
	}
	return append([]string{"chromium-headless-shell"}, windowed...)
}

// ownBuild returns Playwright's build where it is there, or else the headless
// shell of the same revision, which --only-shell installs alone.
func ownBuild(executable string) (string, bool) {
	if isExecutable(executable) {
		return executable, true
	}
	builds, build, ok := strings.Cut(filepath.ToSlash(executable), "/chromium-")
	if !ok {
		return "", false
	}
	revision, _, _ := strings.Cut(build, "/")
	shells, err := filepath.Glob(filepath.Join(builds, "chromium_headless_shell-"+revision, "*", "*headless*shell"))
	if err != nil || len(shells) == 0 || !isExecutable(shells[0]) {
		return "", false
	}
	return shells[0], true
}

func isExecutable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir() && info.Mode().Perm()&0o111 != 0
}

// unknownCommand is what a Firefox answers whose WebDriver BiDi lacks a command
// that the driver's own beginning takes (1.61: network.addDataCollector).
var unknownCommand = regexp.MustCompile(`Protocol error \(([\w.]+)\): unknown command`)

var missingLibrary = regexp.MustCompile(`error while loading shared libraries: ([^:\s]+)`)

// startupError says in one sentence why a browser did not start, where
// Playwright prints its whole command line and log.
func startupError(executable string, err error) error {
	text := err.Error()
	if m := missingLibrary.FindStringSubmatch(text); m != nil {
		return fmt.Errorf("%s cannot run: the library %s is missing: install the browser's packages, or run npx playwright install-deps", executable, m[1])
	}
	if m := unknownCommand.FindStringSubmatch(text); m != nil {
		return fmt.Errorf("%s is too old for Playwright %s, whose command %s it does not know: bring it up to date (apt-get update && apt-get install firefox-esr), or name a newer one with FIREFOX",
			executable, DriverVersion(), m[1])
	}
	if strings.Contains(text, "missing dependencies") {
		return fmt.Errorf("%s cannot run: libraries are missing: run npx playwright install-deps", executable)
	}
	if strings.Contains(text, "XServer running") || strings.Contains(text, "Missing X server") {
		return fmt.Errorf("%s has no display to show its window on: set DISPLAY, or run it headless", executable)
	}
	if errors.Is(err, pw.ErrTimeout) {
		return fmt.Errorf("%s did not start in the time given: %s", executable, lastWords(text))
	}
	return fmt.Errorf("%s did not start: %s", executable, lastWords(text))
}

// lastWords are the last line that the browser wrote, or else the first one of
// the error.
func lastWords(text string) string {
	words := firstLine(text)
	for line := range strings.SplitSeq(text, "\n") {
		if _, said, ok := strings.Cut(line, "[err] "); ok && strings.TrimSpace(said) != "" {
			words = strings.TrimSpace(said)
		}
	}
	return words
}

// firstLine is what an error of the library says before its call log, without
// the words that every one of them begins with.
func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	for _, prefix := range []string{"playwright: ", "timeout: ", "target closed: "} {
		line = strings.TrimPrefix(line, prefix)
	}
	return line
}

// Arguments are what the browser that l asks for gets besides Playwright's own:
// for a program that must start it the same way without this driver.
func Arguments(l browser.Launch) []string { return (&engine{launch: l, lever: true}).arguments() }
