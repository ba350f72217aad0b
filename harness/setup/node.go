package setup

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

const (
	// nodeLeast is the major version that the builds and the driver need.
	nodeLeast = 20
	// nodeVersion and npmVersion are installed from the npm registry where the
	// system's are older, as on Debian 12.
	nodeVersion = "22.23.3"
	npmVersion  = "10.9.9"
)

// ownNode is the Node that set-up has brought before, if it has.
func (o Options) ownNode() string { return filepath.Join(o.StateDir, "bin", "node") }

// nodeNeeds lists what there must be of Node, of any age: npm can bring a
// newer one.
func (o Options) nodeNeeds() []need {
	own := isFile(o.ownNode())
	all := []need{{"Node", func() bool { return own || onPath("node") }, []string{"nodejs"}, nodeAdvice}}
	if o.Builds {
		all = append(all, need{"npm", func() bool { return own || onPath("npm") }, []string{"npm"}, "install npm, which most systems have beside Node"})
	}
	return all
}

var nodeAdvice = fmt.Sprintf("install Node %d or newer (macOS: brew install node)", nodeLeast)

// ensureNode returns a Node of a sufficient version: the one that set-up has
// installed before, the system's, or a new one. npm stands beside it where
// services are built.
func ensureNode(ctx context.Context, o Options) (string, error) {
	if isFile(o.ownNode()) {
		return o.ownNode(), nil
	}
	system, err := exec.LookPath("node")
	if err != nil {
		return "", fmt.Errorf("Node is not on the PATH after installing it: %w", err)
	}
	if major(ctx, system) >= nodeLeast {
		return system, nil
	}
	return newerNode(ctx, o, o.ownNode())
}

// major is the first number of node's version, 0 if it does not run.
func major(ctx context.Context, node string) int {
	out, err := exec.CommandContext(ctx, node, "--version").Output()
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(string(out)), "v"), ".")
	n, _ := strconv.Atoi(first)
	return n
}

// newerNode brings a Node from the npm registry, which carries its binaries as
// packages, and links it and an npm of its age into the state folder's bin,
// which services and builds have first on their PATH.
func newerNode(ctx context.Context, o Options, own string) (string, error) {
	machine := map[string]string{"amd64": "x64", "arm64": "arm64"}[runtime.GOARCH]
	if runtime.GOOS != "linux" || machine == "" {
		return "", fmt.Errorf("the Node on the PATH is older than %d: %s", nodeLeast, nodeAdvice)
	}
	npm := []need{{"npm", func() bool { return onPath("npm") }, []string{"npm"}, nodeAdvice}}
	if err := install(ctx, o, unmet(npm)); err != nil {
		return "", err
	}
	o.Progress("install Node " + nodeVersion + " from the npm registry, since the system's is older than " + strconv.Itoa(nodeLeast))
	home := filepath.Join(o.StateDir, "node")
	name := "node-linux-" + machine
	if err := run(ctx, "npm", "install", "--no-audit", "--no-fund", "--loglevel=error", "--prefix", home, name+"@"+nodeVersion, "npm@"+npmVersion); err != nil {
		return "", fmt.Errorf("install Node %s: %w", nodeVersion, err)
	}
	modules, err := filepath.Abs(filepath.Join(home, "node_modules"))
	if err != nil {
		return "", err
	}
	links := map[string]string{
		"npm": filepath.Join(modules, "npm", "bin", "npm-cli.js"), "npx": filepath.Join(modules, "npm", "bin", "npx-cli.js"),
	}
	for link, to := range links {
		if err := relink(to, filepath.Join(o.StateDir, "bin", link)); err != nil {
			return "", err
		}
	}
	// Node comes last: its link says that all is there.
	return own, relink(filepath.Join(modules, name, "bin", "node"), own)
}

func relink(to, link string) error {
	_ = os.Remove(link)
	if err := os.Symlink(to, link); err != nil {
		return fmt.Errorf("link %s: %w", link, err)
	}
	return nil
}
