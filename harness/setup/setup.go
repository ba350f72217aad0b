// Package setup puts in place what a run needs on this machine: browsers and
// their driver, a Node for the driver and for builds, packages that services
// name for their process form, and on demand a Docker engine. It installs on
// Debian and its kin, as root or by sudo; elsewhere it says exactly what to
// type. With all in place it takes a few milliseconds.
package setup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"crossing/harness/browser/playwright"
	"crossing/harness/browser/webdriver"
)

// Options say what a run is going to need.
type Options struct {
	// StateDir takes what is not a system package: ".crossing".
	StateDir string
	// Engines are the engines that will run.
	Engines []string
	// Headed: their windows are to be seen.
	Headed bool
	// Executables are browsers that the user named, by engine.
	Executables map[string]string
	// Processes: services run as processes, and Packages are the Debian
	// packages that they name.
	Processes bool
	Packages  []string
	// Builds: some service is built here with npm.
	Builds bool
	// Progress is told what is being done.
	Progress func(string)
}

// need is one thing that must be there.
type need struct {
	// what it is, for people.
	what string
	// have says whether it is there.
	have func() bool
	// packages of Debian that bring it.
	packages []string
	// other is what to type where Debian's packages are not to be had.
	other string
}

// Ensure installs what is missing. Its error names everything that it could
// not install, with the command for each.
func Ensure(ctx context.Context, o Options) error {
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	if err := os.MkdirAll(filepath.Join(o.StateDir, "bin"), 0o755); err != nil {
		return fmt.Errorf("make the folder for what set-up installs: %w", err)
	}
	if first := unmet(o.nodeNeeds()); len(first) > 0 {
		if _, err := installer(); err != nil {
			return refuse(err, append(first, unmet(o.needs())...)) // all in one answer
		}
		if err := install(ctx, o, first); err != nil {
			return err
		}
	}
	node, err := ensureNode(ctx, o)
	if err != nil {
		return err
	}
	// The driver comes before the browsers: it alone knows where Playwright's
	// own builds stand, and the system's are not needed beside them.
	if err := ensureDriver(ctx, o, node); err != nil {
		return err
	}
	return install(ctx, o, unmet(o.needs()))
}

// needs lists what system packages can bring.
func (o Options) needs() []need {
	var all []need
	for _, engine := range o.Engines {
		if o.Executables[engine] != "" {
			continue // the driver says whether it is any good
		}
		switch engine {
		case "chromium":
			bring := "chromium-headless-shell"
			if o.Headed {
				bring = "chromium"
			}
			all = append(all, need{"Chromium", func() bool {
				_, found := playwright.Find(DriverDir(o.StateDir), engine, o.Headed)
				return found
			}, []string{bring}, "install " + bring + ", or type " + playwrights(engine)})
		case "firefox":
			all = append(all, need{"Firefox", func() bool {
				_, found := playwright.Find(DriverDir(o.StateDir), engine, o.Headed)
				return found
			}, []string{"firefox-esr"}, "install Firefox, and name it by FIREFOX= where it is not on the PATH"})
		case "webkit":
			own := sync.OnceValue(func() bool {
				_, found := playwright.Installed(DriverDir(o.StateDir), engine)
				return found
			})
			all = append(all, need{"WebKit", func() bool {
				_, _, err := webdriver.FindWebKit()
				return err == nil || own()
			}, []string{"webkit2gtk-driver"}, "install WebKitGTK with its MiniBrowser and WebKitWebDriver, or type " + playwrights(engine)})
			all = append(all, need{"a display for WebKit", func() bool {
				return os.Getenv("DISPLAY") != "" || os.Getenv("WAYLAND_DISPLAY") != "" || onPath("Xvfb") || own()
			}, []string{"xvfb"}, "install Xvfb, or set DISPLAY"})
		}
	}
	if !o.Processes || len(o.Packages) == 0 {
		return all
	}
	if !isFile(dpkgStatus) {
		o.Progress("no dpkg here to ask: services run as processes need what Debian calls " + strings.Join(o.Packages, " "))
		return all
	}
	for _, p := range o.Packages {
		all = append(all, packageNeed(p, ", or use RUNTIME=containers"))
	}
	return all
}

func packageNeed(name, or string) need {
	return need{"package " + name, func() bool { return installed(name) }, []string{name}, "install what Debian calls " + name + or}
}

// playwrights is the command that installs Playwright's own build, of the
// revision that the driver looks for.
func playwrights(engine string) string {
	return "npx playwright@" + playwright.DriverVersion() + " install --with-deps " + engine
}

// Packages installs Debian packages that are missing.
func Packages(ctx context.Context, o Options, names []string) error {
	var all []need
	for _, p := range names {
		all = append(all, packageNeed(p, ""))
	}
	return install(ctx, o, unmet(all))
}

func unmet(needs []need) []need {
	return slices.DeleteFunc(needs, func(n need) bool { return n.have() })
}

// install brings the packages of all these needs at once.
func install(ctx context.Context, o Options, missing []need) error {
	if len(missing) == 0 {
		return nil
	}
	if err := aptInstall(ctx, o, packagesOf(missing)); err != nil {
		return refuse(err, missing)
	}
	for _, n := range missing {
		if !n.have() {
			return fmt.Errorf("%s is still missing after installing %s: %s", n.what, strings.Join(n.packages, " "), n.other)
		}
	}
	return nil
}

func packagesOf(needs []need) []string {
	var all []string
	for _, n := range needs {
		all = append(all, n.packages...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// refuse says why nothing was installed, and what to type instead.
func refuse(why error, missing []need) error {
	var mends strings.Builder
	if errors.Is(why, errNoRoot) {
		mends.WriteString("; type\n  sudo apt-get update && sudo apt-get install --no-install-recommends " + strings.Join(packagesOf(missing), " "))
		return fmt.Errorf("%w%s", why, &mends)
	}
	for _, n := range missing {
		fmt.Fprintf(&mends, "\n  %s is missing: %s", n.what, n.other)
	}
	return fmt.Errorf("%w%s", why, &mends)
}

// DriverDir is where Playwright's driver stands.
func DriverDir(stateDir string) string { return filepath.Join(stateDir, "playwright") }

func ensureDriver(ctx context.Context, o Options, node string) error {
	if _, there := playwright.DriverInstalled(DriverDir(o.StateDir)); there {
		return nil
	}
	o.Progress("assemble the Playwright driver from npm's playwright-core")
	if err := playwright.InstallDriver(ctx, DriverDir(o.StateDir), node, os.Stderr); err != nil {
		return fmt.Errorf("install the Playwright driver: %w", err)
	}
	return nil
}

func onPath(name string) bool {
	_, err := exec.LookPath(name)
	return err == nil
}
