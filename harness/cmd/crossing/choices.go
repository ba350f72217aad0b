package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"crossing/harness/browser"
	"crossing/harness/browser/drivers"
	"crossing/harness/setup"
	"crossing/harness/target"
	"crossing/harness/visit"
)

// choices are the settings that run and setup share.
type choices struct {
	Config    string `env:"CONFIG" placeholder:"PATH" help:"crossing.yaml of the application; default: the one in this folder, else the reference application's."`
	Engine    string `env:"ENGINE" placeholder:"NAMES" help:"Profiles to run, separated by commas: chromium, chromium-allow, webkit, webkit-default, webkit-allow, firefox; or all, every one that this machine has. Default: chromium,webkit."`
	Runtime   string `env:"RUNTIME" default:"auto" help:"Where services run: containers, processes, or auto (containers where a Docker engine answers)."`
	Chromium  string `env:"CHROMIUM" placeholder:"FILE" help:"Chromium to use; default: Playwright's own build where installed, else the system's."`
	WebKit    string `env:"WEBKIT" name:"webkit" placeholder:"FILE" help:"MiniBrowser to use; default: Playwright's own WebKit where installed, else the system's WebKitGTK."`
	Firefox   string `env:"FIREFOX" placeholder:"FILE" help:"Firefox to use; default: the system's."`
	Headed    bool   `env:"HEADED" help:"Show the browsers."`
	BaseImage string `env:"BASE_IMAGE" placeholder:"IMAGE" help:"Image that Dockerfiles build from; default: Debian's, pulled, or made from its packages."`
	elsewhere
}

// checkout is the folder of Crossing's own sources, where the suites stand.
type checkout string

func (c checkout) state() string { return filepath.Join(string(c), ".crossing") }

// pace is kept by all commands of this checkout that aim at a deployment: the
// application counts what comes from one address, whichever run it is of.
func (c checkout) pace(t *target.Target) *visit.Pace {
	return &visit.Pace{File: filepath.Join(c.state(), "pace", strings.TrimPrefix(t.Origins.Auth, "https://")), Limit: t.Contract.Limit}
}

// lock keeps other runs of this checkout from compiling meanwhile. The lock goes
// with the process that holds it.
func (c checkout) lock(ctx context.Context) (unlock func(), err error) {
	path := filepath.Join(c.state(), "compile.lock")
	if err := os.MkdirAll(c.state(), 0o755); err != nil {
		return nil, c.shut(err)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, c.shut(err)
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for { // a call that blocks could not be interrupted
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case err == nil:
			return func() { _ = file.Close() }, nil
		case !errors.Is(err, syscall.EWOULDBLOCK):
			return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), file.Close())
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("wait for another run, which holds %s: %w", path, ctx.Err()), file.Close())
		case <-tick.C:
		}
	}
}

// shut says what to do about a checkout that this account may not write to.
func (c checkout) shut(err error) error {
	return fmt.Errorf("%s, which takes what is built, cannot be written (%w): give it to this account (chown -R), or run as the one that owns it", c.state(), plain(err))
}

// goTool runs a command of Go's in a process group of its own, which a
// terminal's Ctrl-C does not reach: it ends when ctx does, and the error is
// then that of ctx.
func (c checkout) goTool(ctx context.Context, words ...string) error {
	cmd := exec.CommandContext(ctx, "go", words...)
	cmd.Dir = string(c)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	text, err := cmd.CombinedOutput()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, exec.ErrNotFound):
		return errors.New("go is not on the PATH, and the suites are compiled with it: install Go, or put its bin folder on the PATH")
	case err != nil:
		return fmt.Errorf("%w\n%s", err, strings.TrimSpace(string(text)))
	}
	return nil
}

// findCheckout looks from the command's own place, then from this folder up.
func findCheckout() (checkout, error) {
	var starts []string
	if exe, err := os.Executable(); err == nil {
		starts = append(starts, filepath.Dir(exe))
	}
	if here, err := os.Getwd(); err == nil {
		starts = append(starts, here)
	}
	for _, start := range starts {
		for dir := start; ; dir = filepath.Dir(dir) {
			text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
			if err == nil && strings.HasPrefix(string(text), "module crossing\n") {
				return checkout(dir), nil
			}
			if dir == filepath.Dir(dir) {
				break
			}
		}
	}
	return "", fmt.Errorf("the suites were not found: run the command that `make setup` built in a checkout's .crossing/bin, from any folder")
}

// load reads the application's description.
func (c choices) load(home checkout) (*target.Target, error) {
	path := c.Config
	if path == "" {
		path = target.DefaultName
		if _, err := os.Stat(path); err != nil {
			path = filepath.Join(string(home), "fixtures", target.DefaultName)
		}
	}
	return target.Load(path)
}

// profiles are the chosen ones, in the order of the words.
func (c choices) profiles(home checkout) ([]browser.Profile, error) {
	all := browser.Profiles()
	var names []string
	for _, p := range all {
		names = append(names, p.Name)
	}
	switch c.Engine {
	case "":
		return browser.Defaults(), nil
	case "all":
		return c.there(home), nil
	}
	var chosen []browser.Profile
	for name := range strings.SplitSeq(c.Engine, ",") {
		name = strings.TrimSpace(name)
		if name == "" {
			continue // a comma too many
		}
		i := slices.Index(names, name)
		if name == "safari" {
			return nil, fmt.Errorf("ENGINE=%s: a Safari is not started from here; start safaridriver on a Mac and write ENGINE=webkit WEBDRIVER_URL=http://127.0.0.1:4444 EDGE_PORT=8899 (harness/browser/README.md)", c.Engine)
		}
		if i < 0 {
			return nil, fmt.Errorf("ENGINE=%s: there is no profile %q; allowed: %s, or several with commas, or all", c.Engine, name, strings.Join(names, ", "))
		}
		if !slices.Contains(chosen, all[i]) {
			chosen = append(chosen, all[i])
		}
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("ENGINE=%s names no profile; allowed: %s, or several with commas", c.Engine, strings.Join(names, ", "))
	}
	return chosen, nil
}

// there are the profiles that this machine has a browser for, and the defaults,
// whose browsers set-up installs.
func (c choices) there(home checkout) []browser.Profile {
	return slices.DeleteFunc(browser.Profiles(), func(p browser.Profile) bool {
		usual := slices.ContainsFunc(browser.Defaults(), func(d browser.Profile) bool { return d.Engine == p.Engine })
		return !usual && c.named()[p.Engine] == "" && !drivers.Found(setup.DriverDir(home.state()), p, c.Headed)
	})
}

func (c *choices) check() error {
	if !slices.Contains(target.Runtimes, c.Runtime) {
		return fmt.Errorf("RUNTIME=%s is not known; allowed: %s", c.Runtime, strings.Join(target.Runtimes, ", "))
	}
	for _, named := range []struct {
		setting string
		path    *string
	}{{"CHROMIUM", &c.Chromium}, {"WEBKIT", &c.WebKit}, {"FIREFOX", &c.Firefox}} {
		if *named.path == "" {
			continue
		}
		path, err := exec.LookPath(*named.path)
		if err == nil {
			*named.path, err = filepath.Abs(path) // suites run in folders of their own
		}
		if err != nil {
			return fmt.Errorf("%s=%s is no program that can be run; name the browser's executable, or leave it out", named.setting, *named.path)
		}
	}
	return c.find()
}

func (c choices) executables() map[string]string {
	return map[string]string{"chromium": c.Chromium, "webkit": c.WebKit, "firefox": c.Firefox}
}
