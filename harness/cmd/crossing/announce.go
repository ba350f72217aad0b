package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"

	"crossing/reports"
)

// announce tells GitHub's runner of the results: annotations by its workflow
// commands on standard output, and the summary of the step. What goes
// there is scrubbed, though nothing should be left to scrub. Elsewhere it does
// nothing.
func announce(r *reports.Run, scrub func(string) string) error {
	if os.Getenv("GITHUB_ACTIONS") != "true" {
		return nil
	}
	for _, line := range r.Annotations() {
		fmt.Println(scrub(line))
	}
	path := os.Getenv("GITHUB_STEP_SUMMARY")
	if path == "" {
		return nil
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("GITHUB_STEP_SUMMARY=%s: the summary cannot be added there (%w)", path, plain(err))
	}
	_, err = file.WriteString(scrub(r.Summary()))
	if shut := file.Close(); err == nil {
		err = shut
	}
	return err
}

// commit is that of the checkout, "+" appended where tracked files differ from
// it; "" where there is no git or no checkout of it.
func commit(ctx context.Context, home checkout) string {
	git := func(args ...string) (string, error) {
		cmd := exec.CommandContext(ctx, "git", args...)
		cmd.Dir = string(home)
		out, err := cmd.Output()
		return strings.TrimSpace(string(out)), err
	}
	id, err := git("rev-parse", "HEAD")
	if err != nil {
		return ""
	}
	if changed, err := git("status", "--porcelain", "--untracked-files=no"); err == nil && changed != "" {
		id += "+"
	}
	return id
}

// tools are those with which this command was made, and the system under it.
func tools() []reports.Tool {
	all := []reports.Tool{{Name: "Go", Version: strings.TrimPrefix(runtime.Version(), "go")}}
	names := map[string]string{
		"github.com/onsi/ginkgo/v2": "Ginkgo", "github.com/mxschmitt/playwright-go": "playwright-go", "github.com/testcontainers/testcontainers-go": "Testcontainers",
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if name := names[m.Path]; name != "" {
				all = append(all, reports.Tool{Name: name, Version: strings.TrimPrefix(m.Version, "v")})
			}
		}
	}
	return append(all, reports.Tool{Name: "system", Version: system()})
}

// system is its name as it calls itself (os-release(5)).
func system() string {
	text, err := os.ReadFile(filepath.Join("/etc", "os-release"))
	if err == nil {
		for line := range strings.SplitSeq(string(text), "\n") {
			if name, found := strings.CutPrefix(line, "PRETTY_NAME="); found {
				return strings.Trim(name, `"`) + ", " + runtime.GOARCH
			}
		}
	}
	return runtime.GOOS + ", " + runtime.GOARCH
}
