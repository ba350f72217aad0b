package drivers_test

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"crossing/harness/browser"
	"crossing/harness/browser/capability"
	"crossing/harness/browser/drivers"
	"crossing/harness/browser/playwright"
	"crossing/harness/browser/webdriver"
	"crossing/harness/edge"
	"crossing/harness/trace"
)

var origins = trace.Origins{Frontend: "https://docs.harbour-front.com", Auth: "https://auth.anchor-back.net", Stranger: "https://www.far-stranger.org"}

// driverDir has Playwright's driver, where the set-up has been run.
var driverDir = filepath.Join(cmp.Or(os.Getenv("CROSSING_STATE"), filepath.Join("..", "..", "..", ".crossing")), "playwright")

// served starts a program that listens, until the test ends, and returns the
// first word of its output that begins with a prefix. The temporary files of the
// program and of its browsers go with it.
func served(t *testing.T, prefix, program string, args ...string) string {
	t.Helper()
	temp, err := os.MkdirTemp("", "x") // short: paths of sockets are limited
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(temp); err != nil {
			t.Error(err)
		}
	})
	cmd := exec.Command(program, args...)
	cmd.Env = append(os.Environ(), "TMPDIR="+temp)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = write, write
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = write.Close()
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // that it ends is all that matters
		close(ended)
	}()
	t.Cleanup(func() {
		// A server that is asked to end ends its browsers first.
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			t.Errorf("%s did not end when it was asked to", program)
		}
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // what it has left, if anything
		<-ended
	})
	found := make(chan string, 1)
	go func() {
		words := bufio.NewScanner(read)
		words.Split(bufio.ScanWords)
		for words.Scan() {
			if strings.HasPrefix(words.Text(), prefix) {
				found <- strings.TrimRight(words.Text(), ".")
				break
			}
		}
		_, _ = io.Copy(io.Discard, read)
	}()
	select {
	case word := <-found:
		return word
	case <-time.After(20 * time.Second):
		t.Fatalf("%s never said where it listens", program)
		return ""
	}
}

// prove measures a browser elsewhere, through an edge on an address that only
// it may use, and holds what was seen against its profile.
func prove(t *testing.T, l browser.Launch) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	redactor := trace.NewRedactor(nil)
	e := newEdge(t, redactor)
	l.WorkDir = t.TempDir()
	b := started(t, e, l)
	defer func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}()
	open := func(ctx context.Context, keep string) (browser.Session, error) {
		rec := trace.NewRecorder(redactor, trace.Trace{})
		line, err := e.Open(rec)
		if err != nil {
			return nil, err
		}
		s, err := b.NewSession(ctx, browser.Options{Proxy: line.Proxy(), Keep: keep, Recorder: rec})
		if err != nil {
			return nil, errors.Join(err, line.Close())
		}
		return s, nil
	}
	c, err := capability.Measure(ctx, open, origins, l.WorkDir)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v\n%s", b.Version(), strings.Join(c.Evidence, "\n"))
	if err := capability.Believe(l.Profile, b.Version(), c); err != nil {
		t.Error(err)
	}
}

// newEdge is an edge before the three sites, on an address that only browsers of
// this machine may use.
func newEdge(t *testing.T, redactor *trace.Redactor) *edge.Edge {
	t.Helper()
	e, err := edge.New(edge.Options{Redactor: redactor, Address: "127.0.0.1", Routes: []edge.Route{
		{Origin: origins.Frontend, Role: trace.RoleFrontend, Handler: edge.Stranger(origins)},
		{Origin: origins.Auth, Role: trace.RoleAuth, Handler: edge.Stranger(origins)},
		{Origin: origins.Stranger, Role: trace.RoleStranger, Handler: edge.Stranger(origins)},
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

// started is a browser for an edge, which ends with the test at the latest.
func started(t *testing.T, e *edge.Edge, l browser.Launch) browser.Browser {
	t.Helper()
	l.SPKI, l.DriverDir = e.SPKI(), driverDir
	b, err := drivers.Start(t.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

// freeAddress is one of loopback that nobody listens on at the moment.
func freeAddress(t *testing.T) netip.AddrPort {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer free.Close()
	return free.Addr().(*net.TCPAddr).AddrPort()
}

func TestChromedriverIsAnEndpoint(t *testing.T) {
	path, err := exec.LookPath("chromedriver")
	if err != nil {
		t.Skip("no chromedriver here (Debian: chromium-driver): it is not tried as an endpoint")
	}
	// It says its port within a sentence.
	port := served(t, "", "sh", "-c", path+" --port=0 | sed -un 's/.*successfully on port \\([0-9]*\\).*/\\1/p'")
	prove(t, browser.Launch{Profile: browser.Chromium, Endpoint: browser.Endpoint{URL: "http://127.0.0.1:" + port, Capabilities: sandbox(t)}})
}

// A browser whose driver sets no proxy for a session, as Safari's does not,
// takes its machine's, at which the edge answers one session at a time. Here the
// machine's is the environment of a Chromium.
func TestAProxyOfTheMachinesSettings(t *testing.T) {
	path, err := exec.LookPath("chromedriver")
	if err != nil {
		t.Skip("no chromedriver here (Debian: chromium-driver): the machine's proxy is not tried")
	}
	at := freeAddress(t)
	proxy := "http://" + at.String()
	port := served(t, "", "env", "https_proxy="+proxy, "http_proxy="+proxy, "no_proxy=", "XDG_CURRENT_DESKTOP=none",
		"sh", "-c", path+" --port=0 | sed -un 's/.*successfully on port \\([0-9]*\\).*/\\1/p'")
	l := browser.Launch{Profile: browser.Chromium, Endpoint: browser.Endpoint{
		URL: "http://127.0.0.1:" + port, Capabilities: sandbox(t), Port: int(at.Port())}}
	prove(t, l)

	e := newEdge(t, nil)
	b := started(t, e, l)
	open := func() (browser.Session, *trace.Recorder, error) {
		rec := trace.NewRecorder(trace.NewRedactor(nil), trace.Trace{})
		line, err := e.Open(rec)
		if err != nil {
			t.Fatal(err)
		}
		s, err := b.NewSession(t.Context(), browser.Options{Proxy: line.Proxy(), Recorder: rec})
		return s, rec, err
	}
	first, seen, err := open()
	if err != nil {
		t.Fatal(err)
	}
	look := func(s browser.Session) {
		t.Helper()
		p, err := s.NewPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Goto(t.Context(), origins.Frontend+"/"); err != nil {
			t.Error(err)
		}
	}
	look(first)
	if _, _, err := open(); !errors.Is(err, browser.ErrOneSession) {
		t.Errorf("a second session beside the first: want ErrOneSession, got %v", err)
	}
	if err := first.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := len(seen.Snapshot().Exchanges)
	second, its, err := open()
	if err != nil {
		t.Fatalf("after the first session has ended: %v", err)
	}
	look(second)
	if before == 0 || len(its.Snapshot().Exchanges) == 0 || len(seen.Snapshot().Exchanges) != before {
		t.Errorf("the first session's line saw %d exchanges, and %d in the second, whose own saw %d", before,
			len(seen.Snapshot().Exchanges)-before, len(its.Snapshot().Exchanges))
	}
	if taken, err := drivers.Start(t.Context(), l); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("EDGE_PORT=%d", at.Port())) {
		t.Errorf("a port that is taken: %v, %v", taken, err)
	}
}

// sandbox is what Chromium must be told where root runs it.
func sandbox(t *testing.T) string {
	t.Helper()
	if os.Geteuid() != 0 {
		return ""
	}
	return `{"goog:chromeOptions": {"args": ["--no-sandbox"]}}`
}

func TestWebKitWebDriverIsAnEndpoint(t *testing.T) {
	mini, driver, err := webdriver.FindWebKit()
	if _, missing := exec.LookPath("Xvfb"); err != nil || missing != nil {
		t.Skipf("no WebKitGTK or no Xvfb here: it is not tried as an endpoint (%v)", errors.Join(err, missing))
	}
	display := served(t, "", "Xvfb", "-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp")
	at := freeAddress(t).String()
	_, port, _ := strings.Cut(at, ":")
	// Without a bus that answers, none must be looked for.
	served(t, "starts", "env", "DISPLAY=:"+display, "HOME="+t.TempDir(), "XDG_RUNTIME_DIR="+t.TempDir(), "DBUS_SESSION_BUS_ADDRESS=disabled:",
		"NO_AT_BRIDGE=1", "GTK_A11Y=none", "GSETTINGS_BACKEND=memory", "GIO_USE_VFS=local",
		"sh", "-c", "echo starts; exec "+driver+" --host=127.0.0.1 --port="+port)
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		c, err := net.Dial("tcp", at)
		if err == nil {
			_ = c.Close()
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%s does not listen: %v", driver, err)
		}
	}
	asked, err := json.Marshal(map[string]any{"browserName": "MiniBrowser", "webkitgtk:browserOptions": map[string]any{
		"binary": mini, "args": []string{"--automation", "--proxy=$PROXY", "--enable-itp"}}})
	if err != nil {
		t.Fatal(err)
	}
	l := browser.Launch{Profile: browser.WebKit, Endpoint: browser.Endpoint{URL: "http://" + at, Capabilities: string(asked)}}
	prove(t, l)

	// This driver has one session at a time.
	e := newEdge(t, nil)
	b := started(t, e, l)
	open := func() (browser.Session, error) {
		rec := trace.NewRecorder(trace.NewRedactor(nil), trace.Trace{})
		line, err := e.Open(rec)
		if err != nil {
			t.Fatal(err)
		}
		return b.NewSession(t.Context(), browser.Options{Proxy: line.Proxy(), Recorder: rec})
	}
	first, err := open()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := open(); !errors.Is(err, browser.ErrOneSession) {
		t.Errorf("a second session beside the first: want ErrOneSession, got %v", err)
	}
	if err := first.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := open(); err != nil {
		t.Errorf("after the first session has ended: %v", err)
	}
}

func TestAnEndpointThatTheUserNames(t *testing.T) {
	address := os.Getenv("WEBDRIVER_URL")
	if address == "" {
		t.Skip("WEBDRIVER_URL names no endpoint, such as a grid's: none is tried")
	}
	prove(t, browser.Launch{Profile: browser.Chromium, Endpoint: browser.Endpoint{URL: address, Capabilities: os.Getenv("WEBDRIVER_CAPABILITIES")}})
}

func TestAPlaywrightServerInAnotherProcess(t *testing.T) {
	chromium, found := playwright.Find(driverDir, "chromium", false)
	node, err := exec.LookPath("node")
	if !found || err != nil {
		t.Skip("no Chromium or no node here: no Playwright server is tried")
	}
	cli, err := filepath.Glob(filepath.Join(driverDir, "*", "package", "cli.js"))
	if more, _ := filepath.Glob(filepath.Join(driverDir, "package", "cli.js")); err != nil || len(cli)+len(more) == 0 {
		t.Skip("Playwright's driver is not set up here: no server of it is tried")
	} else {
		cli = append(cli, more...)
	}
	l := browser.Launch{Profile: browser.Chromium}
	config := filepath.Join(t.TempDir(), "launch.json")
	data, err := json.Marshal(map[string]any{"executablePath": chromium, "headless": true, "args": playwright.Arguments(l)})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(config, data, 0o600); err != nil {
		t.Fatal(err)
	}
	l.Endpoint.URL = served(t, "ws://", node, cli[0], "launch-server", "--browser", "chromium", "--config", config)
	prove(t, l)
}
