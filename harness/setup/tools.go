package setup

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
)

// Tool is a command that is built from a Go module, at one version. It stands in
// no go.mod: what it is built from would become part of what Crossing is.
type Tool struct {
	// Package is the command's import path, Version its module's.
	Package, Version string
}

// The tools that this project's own tests use. The first takes minutes to
// build, and is kept.
var (
	GolangCI   = Tool{"github.com/golangci/golangci-lint/v2/cmd/golangci-lint", "v2.15.0"}
	ActionLint = Tool{"github.com/rhysd/actionlint/cmd/actionlint", "v1.7.12"}
)

// Path is where the tool stands once it was built.
func (t Tool) Path(stateDir string) string {
	return filepath.Join(stateDir, "tools", path.Base(t.Package)+"-"+t.Version)
}

// Ensure builds the tool unless it is there.
func (t Tool) Ensure(ctx context.Context, o Options) error {
	to := t.Path(o.StateDir)
	if isFile(to) {
		return nil
	}
	folder := filepath.Dir(to)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("make the folder for tools: %w", err)
	}
	o.Progress("build " + path.Base(t.Package) + " " + t.Version)
	// Built aside: an interrupted build leaves nothing that looks finished.
	aside, err := os.MkdirTemp(folder, "build-")
	if err != nil {
		return fmt.Errorf("make a folder to build %s in: %w", t.Package, err)
	}
	defer func() { _ = os.RemoveAll(aside) }()
	cmd := exec.CommandContext(ctx, "go", "install", t.Package+"@"+t.Version)
	cmd.Env = append(os.Environ(), "GOBIN="+aside, "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s@%s: %w\n%s", t.Package, t.Version, err, tail(string(out), 15))
	}
	return os.Rename(filepath.Join(aside, path.Base(t.Package)), to)
}
