package webdriver

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"crossing/harness/browser"
	"crossing/harness/trace"
)

// Limits of starting. Without a usable display the creation of a session hangs
// for good, so that it must have one of its own.
const (
	driverLimit  = 15 * time.Second
	sessionLimit = 45 * time.Second
	versionLimit = 30 * time.Second
)

// miniBrowsers are the places where distributions put MiniBrowser, by the
// version of WebKitGTK's API, the newest first: 6.0 is for GTK 4.
var miniBrowsers = []string{
	"/usr/lib/*/webkitgtk-6.*/MiniBrowser", "/usr/lib/*/webkit2gtk-4.*/MiniBrowser",
	"/usr/lib/webkitgtk-6.*/MiniBrowser", "/usr/lib/webkit2gtk-4.*/MiniBrowser",
	"/usr/libexec/webkitgtk-6.*/MiniBrowser", "/usr/libexec/webkit2gtk-4.*/MiniBrowser",
}

const mend = "apt-get install webkit2gtk-driver (Debian, Ubuntu)"

// FindWebKit returns the system's MiniBrowser and WebKitWebDriver.
func FindWebKit() (miniBrowser, driver string, err error) {
	if miniBrowser, err = findMiniBrowser(miniBrowsers); err != nil {
		return "", "", err
	}
	driver, err = findDriver()
	return miniBrowser, driver, err
}

func findMiniBrowser(places []string) (string, error) {
	for _, place := range places {
		found, _ := filepath.Glob(place) // the patterns are well-formed
		if len(found) > 0 {
			return slices.Max(found), nil
		}
	}
	return "", fmt.Errorf("WebKitGTK's MiniBrowser is not installed: %s, or name it with WEBKIT", mend)
}

func findDriver() (string, error) {
	driver, err := exec.LookPath("WebKitWebDriver")
	if err != nil {
		return "", fmt.Errorf("WebKitWebDriver is not on PATH: %s", mend)
	}
	return driver, nil
}

// webkit starts a WebKitWebDriver with a MiniBrowser for each session: the
// driver has one session at a time.
type webkit struct {
	launch      browser.Launch
	version     browser.Version
	driver      string
	args        []string
	dir         string
	environment []string
	display     *display // nil where the user's is taken

	mu       sync.Mutex
	sessions map[*session]bool
	closed   bool
}

// StartWebKit makes the system's WebKitGTK ready: finds it, opens a display,
// asks for its version. Each session then has processes of its own.
//
// Launch.SPKI is not used: WebKitGTK can trust all certificates under
// automation or none, not one key. Trusting all gives the page a secure
// context, and the proxy of every session leads to the edge and nowhere else.
func StartWebKit(ctx context.Context, l browser.Launch) (browser.Browser, error) {
	args, err := policyArgs(l.Profile)
	if err != nil {
		return nil, err
	}
	w, err := startWebKit(ctx, l, args)
	if err != nil {
		return nil, err
	}
	return w, nil
}

// levers are MiniBrowser's arguments for each policy (its --help). They are
// given even where they are the default, so that a change of it does no harm.
var levers = map[browser.Policy]string{
	browser.PolicyTrackingPrevention: "--enable-itp",
	browser.PolicyFirstParty:         "--cookies-policy=no-third-party",
	browser.PolicyAllow:              "--cookies-policy=always",
}

// policyArgs are MiniBrowser's arguments for a profile's cookie policy.
func policyArgs(p browser.Profile) ([]string, error) {
	if p.Engine != browser.WebKit.Engine {
		return nil, fmt.Errorf("profile %q has engine %q: WebKitGTK serves engine %q only", p.Name, p.Engine, browser.WebKit.Engine)
	}
	if lever, known := levers[p.Policy]; known {
		return []string{lever}, nil
	}
	return nil, fmt.Errorf("profile %q has policy %q, which WebKitGTK does not know: use one of %q",
		p.Name, p.Policy, slices.Sorted(maps.Keys(levers)))
}

func startWebKit(ctx context.Context, l browser.Launch, args []string) (*webkit, error) {
	w := &webkit{launch: l, args: args, sessions: map[*session]bool{}}
	w.version.Lever = strings.Join(args, " ")
	if err := w.start(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("start WebKitGTK: %w", err), w.Close())
	}
	return w, nil
}

func (w *webkit) start(ctx context.Context) (err error) {
	w.version.Executable, w.version.Found = w.launch.Executable, "named by WEBKIT"
	if w.launch.Executable == "" {
		if w.version.Executable, err = findMiniBrowser(miniBrowsers); err != nil {
			return err
		}
		w.version.Found = "the system's"
	} else if info, err := os.Stat(w.launch.Executable); err != nil || info.IsDir() {
		return fmt.Errorf("WEBKIT names %q, which is no file that can be run: name a MiniBrowser, or leave it out", w.launch.Executable)
	}
	if w.driver, err = findDriver(); err != nil {
		return err
	}
	if w.dir, err = os.MkdirTemp(w.launch.WorkDir, "webkitgtk-"); err != nil {
		return fmt.Errorf("make a folder for what it writes: %w", err)
	}
	screen, err := w.screen(ctx)
	if err != nil {
		return err
	}
	if w.environment, err = environment(w.dir, screen); err != nil {
		return err
	}
	return w.askVersion(ctx)
}

// askVersion runs MiniBrowser once, which shows too that it can start and
// reach its display. WebKitWebDriver tells no version of its own.
func (w *webkit) askVersion(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, versionLimit, fmt.Errorf("nothing within %s", versionLimit))
	defer cancel()
	cmd := exec.Command(w.version.Executable, "--version")
	cmd.Env = w.environment
	p, err := start("MiniBrowser --version", cmd, syscall.SIGKILL)
	if err != nil {
		return err
	}
	select {
	case <-p.drained:
	case <-ctx.Done():
		return errors.Join(fmt.Errorf("%s did not start: %w: %s", w.version.Executable, context.Cause(ctx), p.words()), p.kill())
	}
	<-p.alive.Done()
	for line := range strings.Lines(p.out.String()) {
		if version, ok := strings.CutPrefix(strings.TrimSpace(line), "WebKitGTK "); ok {
			w.version.Browser = "WebKitGTK " + version
			w.version.Driver = "WebKitWebDriver (" + w.driver + ")"
			return nil
		}
	}
	return fmt.Errorf("%s told no version of WebKitGTK: %s", w.version.Executable, p.words())
}

func (w *webkit) Profile() browser.Profile { return w.launch.Profile }
func (w *webkit) Version() browser.Version { return w.version }

// NewSession starts a driver and a browser for one person.
func (w *webkit) NewSession(ctx context.Context, o browser.Options) (browser.Session, error) {
	if o.Keep != "" {
		return nil, fmt.Errorf("open a WebKitGTK session with a kept profile: under automation it is always ephemeral: %w", errors.ErrUnsupported)
	}
	if p, err := url.Parse(o.Proxy); err != nil || p.Scheme != "http" || p.Host == "" {
		return nil, fmt.Errorf("open a WebKitGTK session: proxy %q is not an edge's listener, such as http://127.0.0.1:4711", o.Proxy)
	}
	if o.Recorder == nil {
		o.Recorder = trace.NewRecorder(trace.NewRedactor(nil), trace.Trace{})
	}
	s, err := w.open(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("open a WebKitGTK session: %w", err)
	}
	return s, nil
}

func (w *webkit) open(ctx context.Context, o browser.Options) (*session, error) {
	if err := w.usable(); err != nil {
		return nil, err
	}
	p, err := w.startDriver()
	if err != nil {
		return nil, err
	}
	s, err := w.converse(ctx, p, o)
	if err != nil {
		if w.display != nil && w.display.server.alive.Err() != nil {
			err = fmt.Errorf("%w: its display has gone: %s: %w", browser.ErrDead, w.display.server.words(), err)
		}
		return nil, errors.Join(err, p.kill())
	}
	s.atEnd = func() { w.forget(s) }
	w.mu.Lock()
	late := w.closed
	w.sessions[s] = true
	w.mu.Unlock()
	if late {
		return nil, errors.Join(fmt.Errorf("%w: it was closed meanwhile", browser.ErrDead), s.end())
	}
	return s, nil
}

// usable says whether sessions can be opened at all.
func (w *webkit) usable() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return fmt.Errorf("%w: it was closed", browser.ErrDead)
	}
	if w.display != nil && w.display.server.alive.Err() != nil {
		return fmt.Errorf("%w: its display has gone: %s", browser.ErrDead, w.display.server.words())
	}
	return nil
}

func (w *webkit) startDriver() (*process, error) {
	// By default it listens on ::1 as well, and ends where there is none, as in
	// most containers (2.50, measured).
	cmd := exec.Command(w.driver, "--host=127.0.0.1", "--port=0")
	cmd.Env, cmd.Dir = w.environment, w.dir
	return start("WebKitWebDriver", cmd, syscall.SIGKILL)
}

// converse waits for the driver p to listen, and has it start the browser.
func (w *webkit) converse(ctx context.Context, p *process, o browser.Options) (*session, error) {
	port, err := awaitPort(ctx, p)
	if err != nil {
		return nil, err
	}
	c := newClient(fmt.Sprintf("http://127.0.0.1:%d", port))
	limited, cancel := context.WithTimeout(ctx, sessionLimit)
	defer cancel()
	defer context.AfterFunc(p.alive, cancel)()
	r, _, err := c.create(limited, w.capabilities(o.Proxy))
	if err != nil {
		c.close()
		return nil, errors.Join(fmt.Errorf("have %s start %s: %w; %s", w.driver, w.version.Executable, err, p.words()), ctx.Err())
	}
	s := newSession(r, p, o.Recorder)
	s.slow = time.Duration(w.launch.SlowMoMillis * float64(time.Millisecond))
	for _, gap := range webkitGaps {
		o.Recorder.Gap(gap)
	}
	if s.spare, err = r.window(limited); err != nil {
		return nil, fmt.Errorf("ask for the first window: %w", err)
	}
	s.window = s.spare
	return s, nil
}

// webkitGaps is what this engine cannot report.
var webkitGaps = []string{
	"webkit: uncaught exceptions are seen only between a page's first call after it has loaded and its last: the engine reports none by itself",
	"webkit: cookies that the engine refuses are not reported: what the edge saw is the evidence",
	"webkit: the jar shows the cookies of the current page's host only, no partition key, and SameSite None where the cookie named none",
}

func (w *webkit) capabilities(proxy string) map[string]any {
	command := append([]string{w.version.Executable, "--automation", "--proxy=" + proxy}, w.args...)
	if path := setpriv(); path != "" {
		command = append([]string{path, "--pdeathsig", "KILL", "--"}, command...)
	}
	return map[string]any{
		"acceptInsecureCerts": true,
		// With "normal", every command waits for the page to load, and a page
		// that never does holds up even the navigation away from it (measured).
		// Here those wait who want a loaded page.
		"pageLoadStrategy": "none",
		// A dialog that a page opens by itself must not block what follows.
		"unhandledPromptBehavior": "dismiss",
		"webkitgtk:browserOptions": map[string]any{
			"binary": command[0], "args": command[1:],
		},
	}
}

// setpriv is the path of a setpriv (util-linux) that can give its command a
// death signal, or "". MiniBrowser is the driver's child and outlives it, even
// when the driver is killed: so it gets the signal too. The engine's other
// processes end when MiniBrowser does (measured).
var setpriv = sync.OnceValue(func() string {
	path, err := exec.LookPath("setpriv")
	if err != nil || exec.Command(path, "--pdeathsig", "KILL", "true").Run() != nil {
		return ""
	}
	return path
})

// awaitPort waits until the driver listens.
func awaitPort(ctx context.Context, p *process) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, driverLimit)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		port, err := listening(p.cmd.Process.Pid)
		if port != 0 && err == nil {
			return port, nil
		}
		select {
		case <-p.alive.Done():
			return 0, fmt.Errorf("%s before it listened", p.words())
		case <-ctx.Done():
			return 0, errors.Join(fmt.Errorf("wait for %s to listen: %w; %s", p.name, ctx.Err(), p.words()), err)
		case <-tick.C:
		}
	}
}

func (w *webkit) forget(s *session) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.sessions, s)
}

// Close ends every session, the display, and removes what they wrote.
func (w *webkit) Close() error {
	w.mu.Lock()
	first := !w.closed
	w.closed = true
	var open []*session
	for s := range w.sessions {
		open = append(open, s)
	}
	w.mu.Unlock()
	if !first {
		return nil
	}
	ended := make(chan error, len(open)+2)
	for _, s := range open {
		go func() { ended <- s.end() }()
	}
	var errs []error
	for range open {
		errs = append(errs, <-ended)
	}
	if w.display != nil {
		errs = append(errs, w.display.close())
	}
	if w.dir != "" {
		errs = append(errs, os.RemoveAll(w.dir))
	}
	return errors.Join(errs...)
}
