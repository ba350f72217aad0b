package setup

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

const dpkgStatus = "/var/lib/dpkg/status"

var (
	statusMu   sync.Mutex
	statusRead map[string]bool
)

// installed says whether a Debian package is there, by dpkg's own record,
// which is read once and again after each installation.
func installed(name string) bool {
	statusMu.Lock()
	defer statusMu.Unlock()
	if statusRead == nil {
		statusRead = readStatus(dpkgStatus)
	}
	return statusRead[name]
}

func readStatus(path string) map[string]bool {
	all := map[string]bool{}
	file, err := os.Open(path)
	if err != nil {
		return all // not Debian's kin: nothing is installed by its packages
	}
	defer func() { _ = file.Close() }()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	name := ""
	for lines.Scan() {
		line := lines.Text()
		if after, ok := strings.CutPrefix(line, "Package: "); ok {
			name = after
		}
		if line == "Status: install ok installed" {
			all[name] = true
		}
	}
	return all
}

// aptInstall installs packages as root, or by sudo.
func aptInstall(ctx context.Context, o Options, packages []string) error {
	prefix, err := installer()
	if err != nil {
		return err
	}
	if !listed(aptLists, time.Now()) {
		if err := aptUpdate(ctx, o, prefix); err != nil {
			return err
		}
	}
	o.Progress("apt-get install " + strings.Join(packages, " "))
	// A machine that has just been started may be busy with its own updates.
	command := slices.Concat(prefix, []string{"env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-q", "-y",
		"-o", "DPkg::Lock::Timeout=120", "--no-install-recommends"}, packages)
	if err = run(ctx, command...); err != nil {
		// Lists of yesterday name versions that the archive has replaced.
		if err := aptUpdate(ctx, o, prefix); err != nil {
			return err
		}
		err = run(ctx, command...)
	}
	statusMu.Lock()
	statusRead = nil
	statusMu.Unlock()
	return err
}

func aptUpdate(ctx context.Context, o Options, prefix []string) error {
	o.Progress("apt-get update")
	return run(ctx, slices.Concat(prefix, []string{"apt-get", "update", "-q"})...)
}

// aptLists is where apt keeps what it knows of the archive; stale is the age at
// which that is asked for anew: a browser of months ago may still be had there,
// and be too old for its driver.
const (
	aptLists = "/var/lib/apt/lists"
	stale    = 24 * time.Hour
)

// listed says whether apt has package lists that it has updated of late. The
// lists themselves have the archive's times; each update writes in the folder
// "partial", even one that finds nothing new.
func listed(dir string, now time.Time) bool {
	lists, _ := filepath.Glob(filepath.Join(dir, "*_Packages*"))
	info, err := os.Stat(filepath.Join(dir, "partial"))
	return len(lists) > 0 && err == nil && now.Sub(info.ModTime()) < stale
}

// Why nothing can be installed here.
var (
	errNoApt  = errors.New("parts are missing, and this system has no apt-get to install them with")
	errNoRoot = errors.New("parts are missing, and this account is neither root nor allowed sudo without a password")
)

// installer is what apt-get's command must begin with; its error is errNoApt
// or errNoRoot.
func installer() (prefix []string, err error) {
	if !onPath("apt-get") {
		return nil, errNoApt
	}
	return asRoot()
}

// asRoot is what a command must begin with to run as root.
func asRoot() ([]string, error) {
	if os.Geteuid() == 0 {
		return nil, nil
	}
	if onPath("sudo") && exec.Command("sudo", "-n", "true").Run() == nil {
		return []string{"sudo", "-n"}, nil
	}
	return nil, errNoRoot
}

// run runs a command quietly; if it fails, its last lines are in the error.
func run(ctx context.Context, words ...string) error {
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return fmt.Errorf("%s: %w\n%s", strings.Join(words, " "), err, tail(out.String(), 15))
	}
	return nil
}

func tail(text string, lines int) string {
	all := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
