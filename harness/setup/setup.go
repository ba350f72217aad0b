// Package setup puts in place what a run needs on this machine: browsers and
// their driver, a Node for the driver and for builds, packages that services
// name for their process form, and on demand a Docker engine. It installs on
// Debian and its kin, as root or by sudo; elsewhere it says exactly what to
// type. With all in place it takes a few milliseconds.
package setup

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"crossing/harness/browser/playwright"
	"crossing/harness/browser/webdriver"
)

// Options say what a run is going to need.
type Options struct {
	// StateDir takes what is not a system package: ".crossing".
	StateDir string
	// Engines are the engines that will run.
	Engines []string
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
	if err := ensurePackages(ctx, o, o.needs()); err != nil {
		return err
	}
	node, err := ensureNode(ctx, o)
	if err != nil {
		return err
	}
	return ensureDriver(ctx, o, node)
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
			all = append(all, need{"Chromium", func() bool {
				_, found := playwright.Find(DriverDir(o.StateDir), engine)
				return found
			}, []string{"chromium"}, "npx playwright install chromium"})
		case "webkit":
			all = append(all, need{"WebKit", func() bool {
				if _, found := playwright.Installed(DriverDir(o.StateDir), engine); found {
					return true
				}
				_, _, err := webdriver.FindWebKit()
				return err == nil
			}, []string{"webkit2gtk-driver"}, "npx playwright install webkit"})
			all = append(all, need{"a display for WebKit", func() bool {
				if _, found := playwright.Installed(DriverDir(o.StateDir), engine); found {
					return true
				}
				return os.Getenv("DISPLAY") != "" || os.Getenv("WAYLAND_DISPLAY") != "" || onPath("Xvfb")
			}, []string{"xvfb"}, "install Xvfb, or set DISPLAY"})
		}
	}
	if o.Processes {
		for _, p := range o.Packages {
			all = append(all, need{"package " + p, func() bool { return installed(p) }, []string{p}, "install what Debian calls " + p + ", or use RUNTIME=containers"})
		}
	}
	return all
}

// Packages installs Debian packages that are missing.
func Packages(ctx context.Context, o Options, names []string) error {
	var all []need
	for _, p := range names {
		all = append(all, need{"package " + p, func() bool { return installed(p) }, []string{p}, "install what Debian calls " + p})
	}
	return ensurePackages(ctx, o, all)
}

// ensurePackages installs the packages of all needs that are not met, at once.
func ensurePackages(ctx context.Context, o Options, needs []need) error {
	var missing []need
	var packages []string
	for _, n := range needs {
		if !n.have() {
			missing = append(missing, n)
			packages = append(packages, n.packages...)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	if err := aptInstall(ctx, o, packages); err != nil {
		var lines []string
		for _, n := range missing {
			lines = append(lines, fmt.Sprintf("  %s is missing: %s", n.what, n.other))
		}
		return fmt.Errorf("%w\n%s", err, strings.Join(lines, "\n"))
	}
	for _, n := range missing {
		if !n.have() {
			return fmt.Errorf("%s is still missing after installing %s: %s", n.what, strings.Join(n.packages, " "), n.other)
		}
	}
	return nil
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

// instead is the advice for systems without Debian's packages.
func instead(packages []string) string {
	if runtime.GOOS == "darwin" {
		return "macOS: brew install node postgresql@17, and npx playwright install chromium webkit"
	}
	return "install what Debian calls: " + strings.Join(packages, " ")
}
