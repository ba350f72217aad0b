package playwright

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	pw "github.com/mxschmitt/playwright-go"

	"crossing/harness/browser"
)

// nodePath is the variable by which the library is told of a Node that is
// there already. RunOptions has no field for it.
const nodePath = "PLAYWRIGHT_NODEJS_PATH"

// DriverVersion is the version of playwright-core that the library was made
// for; it speaks to no other.
func DriverVersion() string {
	d, err := pw.NewDriver(&pw.RunOptions{DriverDirectory: "unused"})
	if err != nil {
		return "of an unknown version"
	}
	return d.Version
}

// InstallDriver puts the driver into driverDir: npm's playwright-core as the
// library patches it, and a link to the Node (18 or later) at node. The folder
// appears whole or not at all. A driver of another version gives way.
// It sets PLAYWRIGHT_NODEJS_PATH while it works, so it must not run beside
// Start.
func InstallDriver(ctx context.Context, driverDir, node string, progress io.Writer) error {
	if _, ok := DriverInstalled(driverDir); ok {
		return nil
	}
	node, err := exec.LookPath(node)
	if err != nil {
		return fmt.Errorf("install Playwright's driver: Node is needed: %w", err)
	}
	if node, err = filepath.Abs(node); err != nil {
		return fmt.Errorf("install Playwright's driver: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(driverDir), 0o755); err != nil {
		return fmt.Errorf("install Playwright's driver: %w", err)
	}
	fresh, err := os.MkdirTemp(filepath.Dir(driverDir), filepath.Base(driverDir)+".new-")
	if err != nil {
		return fmt.Errorf("install Playwright's driver: %w", err)
	}
	defer os.RemoveAll(fresh)
	_, _ = fmt.Fprintf(progress, "fetching Playwright's driver %s (playwright-core, by npm's registry)\n", DriverVersion())
	if err := assemble(ctx, fresh, node); err != nil {
		return fmt.Errorf("install Playwright's driver %s: %w", DriverVersion(), err)
	}
	if err := os.Symlink(node, filepath.Join(fresh, "node")); err != nil {
		return fmt.Errorf("install Playwright's driver: %w", err)
	}
	if err := errors.Join(os.Chmod(fresh, 0o755), os.RemoveAll(driverDir)); err != nil {
		return fmt.Errorf("install Playwright's driver: %w", err)
	}
	if err := os.Rename(fresh, driverDir); err != nil {
		return fmt.Errorf("install Playwright's driver: %w", err)
	}
	return nil
}

// assemble lets the library fetch and patch the package. It knows no context,
// but its first use of Node and its download are bounded by the process: where
// ctx ends first the caller is told, and what is still fetched is abandoned.
func assemble(ctx context.Context, dir, node string) error {
	done := make(chan error, 1)
	go func() {
		starting.Lock()
		defer starting.Unlock()
		defer restore(nodePath)()
		if err := os.Setenv(nodePath, node); err != nil {
			done <- err
			return
		}
		done <- pw.Install(&pw.RunOptions{
			DriverDirectory: dir, SkipInstallBrowsers: true,
			Logger: slog.New(slog.DiscardHandler), Stdout: io.Discard,
		})
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// restore returns what puts an environment variable back as it is now.
func restore(name string) func() {
	value, set := os.LookupEnv(name)
	return func() {
		if set {
			_ = os.Setenv(name, value)
		} else {
			_ = os.Unsetenv(name)
		}
	}
}

// DriverInstalled says which driver driverDir holds, and whether it is the
// one that can be used: the right version, with a Node beside it. It starts no
// process.
func DriverInstalled(driverDir string) (version string, ok bool) {
	data, err := os.ReadFile(filepath.Join(driverDir, "package", "package.json"))
	if err != nil {
		return "", false
	}
	var about struct {
		Version string `json:"version"`
	}
	if json.Unmarshal(data, &about) != nil {
		return "", false
	}
	return about.Version, about.Version == DriverVersion() && isExecutable(filepath.Join(driverDir, "node"))
}

// Installed returns Playwright's own build of an engine, as npx playwright
// install puts it there. It asks the driver, half a second of Node, only where
// the folder of those builds holds one of that engine.
func Installed(driverDir, engine string) (executable string, ok bool) {
	if builds, err := filepath.Glob(filepath.Join(buildsDir(driverDir), engine+"*")); err != nil || len(builds) == 0 {
		return "", false
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	script := `process.stdout.write(require(process.argv[1])[process.argv[2]].executablePath())`
	out, err := exec.CommandContext(ctx, filepath.Join(driverDir, "node"), "-e", script,
		filepath.Join(driverDir, "package"), engine).Output()
	if err != nil {
		return "", false
	}
	return ownBuild(string(out))
}

// buildsDir is where Playwright keeps its browsers (its registry's rules).
func buildsDir(driverDir string) string {
	switch named := os.Getenv("PLAYWRIGHT_BROWSERS_PATH"); named {
	case "":
	case "0":
		return filepath.Join(driverDir, "package", ".local-browsers")
	default:
		return named
	}
	cache, err := os.UserCacheDir() // honours XDG_CACHE_HOME, as Playwright does
	if err != nil {
		return ""
	}
	return filepath.Join(cache, "ms-playwright")
}

// longest is the length in bytes of a temporary folder's path beyond which
// Chromium fails: below it stands a Unix socket, whose whole path may have 107
// bytes (unix(7)), in "/org.chromium.Chromium.XXXXXX/SingletonSocket".
const longest = 107 - 46

// workDir makes the folder for all that driver and browser write, in the
// caller's where its path is short enough.
func workDir(l browser.Launch) (string, error) {
	dir, err := os.MkdirTemp(l.WorkDir, "pw-")
	if err == nil && len(dir) > longest && l.WorkDir != "" {
		if err := os.Remove(dir); err != nil {
			return "", fmt.Errorf("make a temporary folder: %w", err)
		}
		dir, err = os.MkdirTemp("", "pw-")
	}
	if err != nil {
		return "", fmt.Errorf("make a temporary folder: %w", err)
	}
	return dir, nil
}

// runDir lays the driver out once more, in temp, with links and a Node of its
// own: a script that gives the driver a temporary folder within temp, since
// the library starts it with the whole process's environment. The script also
// says the driver's version, which DriverInstalled has read already: the
// library asks at each start, and Node takes half a second to answer.
func runDir(driverDir, temp string) (string, error) {
	driverDir, err := filepath.Abs(driverDir)
	if err != nil {
		return "", err
	}
	dir := filepath.Join(temp, "driver")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return "", err
	}
	if err := os.Symlink(filepath.Join(driverDir, "package"), filepath.Join(dir, "package")); err != nil {
		return "", err
	}
	script := fmt.Sprintf("#!/bin/sh\nif [ \"$2\" = --version ]; then echo 'Version %s'; exit; fi\nTMPDIR=%s exec %s \"$@\"\n",
		DriverVersion(), quoted(temp), quoted(filepath.Join(driverDir, "node")))
	return dir, os.WriteFile(filepath.Join(dir, "node"), []byte(script), 0o755)
}

// quoted is s as one word of a shell.
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
