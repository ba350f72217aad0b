package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// pageScript is the smallest application: one service that answers every path. Its
// own words of what is asked go to a file.
const pageScript = `
import http.server, os, sys
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        with open(os.environ["ASKED"], "a") as asked:
            asked.write(self.path + "\n")
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b'<!doctype html><title>page</title><p id="standing" data-state="out">')
http.server.ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Page).serve_forever()
`

// pagesOfNone is what suites need to know of an application's pages; such an
// application need not have them.
const pagesOfNone = `contract:
  pages:
    home: /
    standing: {selector: "#standing", state: data-state, signedIn: in, signedOut: out, person: data-person, by: data-by}
    signUp: {path: /sign-up, name: "#name", email: "#email", password: "#password", submit: "#submit", landing: /}
    signIn: {path: /sign-in, email: "#email", password: "#password", submit: "#submit", landing: /}
    signOut: "#sign-out"
`

// describe writes a crossing.yaml of that application, with more lines for its
// service and another readiness where given.
func describe(t *testing.T, lines, ready string) (config, asked string) {
	t.Helper()
	dir := t.TempDir()
	asked = filepath.Join(dir, "asked")
	if ready == "" {
		ready = "{path: /}"
	}
	fill(t, filepath.Join(dir, "page.py"), pageScript)
	if !strings.Contains(lines, "command:") {
		lines = "command: /usr/bin/python3 page.py ${host} ${port}\n    " + lines
	}
	config = filepath.Join(dir, "crossing.yaml")
	fill(t, config, fmt.Sprintf(`origins:
  frontend: https://docs.example.com
  auth: https://auth.example.net
serves: {frontend: page, auth: page}
services:
  page:
    port: 80
    ready: %s
    environment: {ASKED: %q}
    %s
`, ready, asked, lines)+pagesOfNone)
	return config, asked
}

// broken is a machine, or an application, that no run can be judged on.
type broken struct {
	name string
	env  []string
	says []string
	// lines and ready change the application; none: the reference application.
	lines, ready string
	// within prepares the machine in a mount namespace of its own.
	within string
	// as is the account to run as; 0: this one.
	as uint32
	// lasts is more than a moment: up to two minutes.
	lasts bool
}

func TestABrokenMachineIsOneSentenceAndNothingIsLeft(t *testing.T) {
	t.Parallel()
	bin := programs(t, "node", "npm", "git", "go", "sh", "WebKitWebDriver")
	files := t.TempDir()
	script := func(name, body string) string {
		path := filepath.Join(files, name)
		fill(t, path, "#!/bin/sh\n"+body+"\n")
		if err := os.Chmod(path, 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
	accounts := filepath.Join(files, "passwd")
	fill(t, accounts, "root:x:0:0:root:/root:/bin/sh\n")
	sources := filepath.Join(files, "nsswitch.conf") // others than the file may know accounts, too
	fill(t, sources, "passwd: files\n")
	for _, c := range []broken{
		{name: "an engine that accepts and never answers", env: []string{"RUNTIME=containers", "DOCKER_HOST=unix://" + mute(t)},
			says: []string{"DOCKER_HOST=unix://", "no answer within 2s", "RUNTIME=processes"}},
		{name: "no display and no Xvfb", env: []string{"ENGINE=webkit", "DISPLAY=", "WAYLAND_DISPLAY=", "PLAYWRIGHT_BROWSERS_PATH=" + files, "PATH=" + bin}, lines: "instances: 1",
			says: []string{"a display for WebKit is missing", "Xvfb", "DISPLAY"}},
		{name: "no browser", env: []string{"ENGINE=chromium", "PLAYWRIGHT_BROWSERS_PATH=" + files, "PATH=" + bin}, lines: "instances: 1",
			says: []string{"Chromium is missing", "npx playwright"}},
		// Specs that need no browser would be judged on the application of these cases, which is none.
		{name: "a browser that is none", env: []string{"ENGINE=chromium", "ONE=sign_in_test.go", "CHROMIUM=/bin/ls"}, lines: "instances: 1", lasts: true,
			says: []string{"start chromium", "CHROMIUM=/bin/ls chose it", "leave CHROMIUM out"}},
		{name: "a browser that crashes at its start", env: []string{"ENGINE=chromium", "ONE=sign_in_test.go", "CHROMIUM=" + script("crash", "echo the profile is broken >&2; exit 3")}, lines: "instances: 1", lasts: true,
			says: []string{"did not start: the profile is broken", "/crash chose it"}},
		{name: "a browser that hangs at its start", env: []string{"ENGINE=chromium", "ONE=sign_in_test.go", "CHROMIUM=" + script("hang", "exec sleep 600")}, lines: "instances: 1", lasts: true,
			says: []string{"did not start in the time given", "/hang chose it"}},
		{name: "another browser that hangs", env: []string{"ENGINE=webkit", "ONE=sign_in_test.go", "WEBKIT=" + script("hang", "exec sleep 600")}, lines: "instances: 1", lasts: true,
			says: []string{"did not start", "nothing within 30s", "/hang chose it"}},
		{name: "no account for a service", lines: "unprivileged: true", within: "mount --bind " + accounts + " /etc/passwd; mount --bind " + sources + " /etc/nsswitch.conf", lasts: true,
			says: []string{"page", "none of the accounts [postgres nobody]", "useradd"}},
		{name: "no room for reports", within: `mount -t tmpfs -o size=64k none "$OUT" && printf earlier >"$OUT/run.json"`,
			says: []string{"OUT=", "0 MiB are free", "name another folder"}},
		{name: "no room for temp files", within: `mount -t tmpfs -o size=64k none "$TMPDIR"`,
			says: []string{"TMPDIR=", "0 MiB are free", "set TMPDIR"}},
		{name: "no folder for temp files", env: []string{"TMPDIR=/nowhere/temp"},
			says: []string{"TMPDIR=/nowhere/temp", "no such file", "set TMPDIR"}},
		{name: "no permission to write reports", as: 65534,
			says: []string{"OUT=", "permission denied", "name a folder that can be written"}},
		{name: "no Go", env: []string{"ENGINE=chromium", "PATH=" + programs(t, "node", "npm", "git", "sh", "chromium", "chromium-headless-shell")}, lines: "instances: 1",
			says: []string{"go is not on the PATH", "install Go"}},
		{name: "a build that fails", lines: `build: ["echo no such module >&2; exit 4"]`,
			says: []string{"build page", "exit status 4", "no such module"}},
		{name: "a program that is not there", lines: "command: ./gone", lasts: true,
			says: []string{"page (./gone)", "exit status 127", "gone: not found"}},
		{name: "a service that ends at once", lines: `command: "echo no such setting >&2; exit 3"`, lasts: true,
			says: []string{"page", "exit status 3", "no such setting"}},
		{name: "a service that is never ready", ready: "{path: /, within: 1s}", lines: "command: sleep 600", lasts: true,
			says: []string{"page", "not ready within 1s", "connection refused"}},
		{name: "a variable that is not set", lines: "migrate: echo ${env.CROSSING_UNSET}", lasts: true,
			says: []string{"services.page.migrate", "${env.CROSSING_UNSET}", "a variable that is set"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if (c.within != "" || c.as != 0) && os.Geteuid() != 0 {
				t.Skip("only root can prepare such a machine")
			}
			t.Parallel()
			c.run(t)
		})
	}
}

func (c broken) run(t *testing.T) {
	temp, out := tempFolder(t), earlierReports(t)
	cmd := command(t, temp, "run", "--procs=1")
	cmd.Env = append(cmd.Env, "RUNTIME=processes", "OUT="+out)
	if c.lines != "" {
		config, _ := describe(t, c.lines, c.ready)
		cmd.Env = append(cmd.Env, "CONFIG="+config)
	}
	cmd.Env = append(cmd.Env, c.env...)
	if c.within != "" {
		cmd.Args = append([]string{"unshare", "-m", "sh", "-ec", c.within + `; exec "$0" "$@"`, program}, cmd.Args[1:]...)
		path, err := exec.LookPath("unshare")
		if err != nil {
			t.Skip(err)
		}
		// Root of a plain container may not mount anything.
		if text, err := exec.Command(path, "-m", "true").CombinedOutput(); err != nil {
			t.Skipf("no machine can be prepared here: %v %s", err, text)
		}
		cmd.Path = path
	}
	if c.as != 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: c.as, Gid: c.as}}
		if err := visible(program, c.as); err != nil {
			t.Skipf("account %d cannot run the command where this checkout stands: %v", c.as, err)
		}
	}
	limit := 20 * time.Second
	if c.lasts {
		limit = 2 * time.Minute
	}

	o := finish(t, limit, cmd)

	if o.status != exitUnready {
		t.Errorf("want status %d: %s", exitUnready, o)
	}
	said := strings.TrimSpace(o.stderr)
	if !strings.HasPrefix(said, "crossing: ") || strings.Count(said, "crossing: ") != 1 || strings.Count(said, "\n") > 3 {
		t.Errorf("want one sentence, with a few lines of what a program has said: %s", o)
	}
	for _, part := range c.says {
		if !strings.Contains(said, part) {
			t.Errorf("%q is not named: %s", part, o)
		}
	}
	if strings.Contains(o.stdout, "✗") || strings.Contains(o.stdout, "PASSED") || strings.Contains(o.stdout, "FAILED") {
		t.Errorf("something was judged: %s", o)
	}
	untouched(t, out)
	nothing(t, temp)
}

// visible says whether an account can run a program.
func visible(program string, account uint32) error {
	cmd := exec.Command(program, "--help")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: account, Gid: account}}
	return cmd.Run()
}

// nothing waits a moment for what is ending, and says what is left of a run
// that had this temp folder: its files, and processes that know of it.
func nothing(t *testing.T, temp string) {
	t.Helper()
	deadline := time.Now().Add(5 * time.Second)
	for {
		left := listed(t, temp)
		left = slices.Concat(left, knowing(temp))
		if len(left) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("there is left: %q", left)
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// knowing are the processes that have a text in their environment or command.
func knowing(text string) []string {
	var found []string
	folders, _ := filepath.Glob("/proc/[0-9]*")
	for _, folder := range folders {
		environ, _ := os.ReadFile(filepath.Join(folder, "environ"))
		words, _ := os.ReadFile(filepath.Join(folder, "cmdline"))
		if bytes.Contains(environ, []byte(text)) || bytes.Contains(words, []byte(text)) {
			found = append(found, fmt.Sprintf("%s: %s", folder, bytes.ReplaceAll(words, []byte{0}, []byte{' '})))
		}
	}
	return found
}

// mute is a socket that accepts and never answers.
func mute(t *testing.T) string {
	t.Helper()
	path := filepath.Join(tempFolder(t), "docker.sock")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return path // the system accepts, up to its backlog; nobody reads
}

// programs is a folder with these alone, where this machine has them.
func programs(t *testing.T, names ...string) string {
	t.Helper()
	bin := t.TempDir()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			if err := os.Symlink(path, filepath.Join(bin, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	return bin
}
