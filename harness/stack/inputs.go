package stack

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/moby/patternmatcher"

	"crossing/harness/target"
)

// made are folders that builds make, wherever git can't be asked.
var made = []string{".git", "node_modules", "dist", "build", "out", "target", "vendor", ".docusaurus", ".next", ".venv", "__pycache__"}

// stamp remembers what a build was made from, and what it made.
type stamp struct {
	path    string
	Inputs  string   `json:"inputs"`
	Outputs []string `json:"outputs"`
}

func stampPath(o Options, service, dir string) string {
	sum := sha256.Sum256([]byte(dir))
	return filepath.Join(o.StateDir, "builds", service+"-"+hex.EncodeToString(sum[:4])+".json")
}

// fresh says that nothing has changed and nothing is missing.
func (s *stamp) fresh(dir, inputs string) bool {
	data, err := os.ReadFile(s.path)
	if err != nil || json.Unmarshal(data, s) != nil || s.Inputs != inputs {
		return false
	}
	for _, output := range s.Outputs {
		info, err := os.Stat(filepath.Join(dir, output))
		if err != nil {
			return false
		}
		if !info.IsDir() {
			continue
		}
		if entries, err := os.ReadDir(filepath.Join(dir, output)); err != nil || len(entries) == 0 {
			return false
		}
	}
	return true
}

func (s *stamp) remove() error {
	if err := os.Remove(s.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (s *stamp) write(inputs string, outputs []string) error {
	s.Inputs, s.Outputs = inputs, outputs
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(s.path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(s.path, data, 0o644)
}

// hashInputs digests the commands, and the names, kinds and contents of all
// that the build reads.
func hashInputs(ctx context.Context, dir string, spec target.Service) (string, error) {
	files, err := listInputs(ctx, dir)
	if err != nil {
		return "", err
	}
	if len(spec.Inputs) > 0 {
		if files, err = choose(dir, spec.Inputs); err != nil {
			return "", err
		}
	}
	slices.Sort(files)
	sum := sha256.New()
	fmt.Fprintf(sum, "%q\n", spec.Build)
	for _, name := range slices.Compact(files) {
		if err := digest(sum, dir, name); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// digest adds one file. A file that is gone counts as its absence.
func digest(sum hash.Hash, dir, name string) error {
	path := filepath.Join(dir, name)
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(sum, "%q %v %d\n", name, info.Mode(), info.Size())
	if info.Mode()&fs.ModeSymlink != 0 {
		to, err := os.Readlink(path)
		fmt.Fprintf(sum, "%q\n", to)
		return err
	}
	if !info.Mode().IsRegular() {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(sum, f)
	return err
}

// listInputs lists what git tracks or would track; without git, all but what
// builds usually make.
func listInputs(ctx context.Context, dir string) ([]string, error) {
	if files, err := git(ctx, dir, "--cached", "--others", "--exclude-standard"); err == nil {
		return files, nil
	}
	var files []string
	err := walk(dir, func(name string, d fs.DirEntry) error {
		if d.IsDir() && slices.Contains(made, d.Name()) {
			return fs.SkipDir
		}
		if !d.IsDir() {
			files = append(files, name)
		}
		return nil
	})
	return files, err
}

// listOutputs lists what git ignores, folders as a whole; without git, the
// folders that builds usually make.
func listOutputs(ctx context.Context, dir string) ([]string, error) {
	if files, err := git(ctx, dir, "--others", "--ignored", "--exclude-standard", "--directory"); err == nil {
		return slices.DeleteFunc(files, func(name string) bool {
			_, err := os.Stat(filepath.Join(dir, name))
			return err != nil || strings.Contains(name, "__pycache__")
		}), nil
	}
	var folders []string
	for _, name := range made {
		if info, err := os.Stat(filepath.Join(dir, name)); err == nil && info.IsDir() && name != ".git" && name != "__pycache__" {
			folders = append(folders, name)
		}
	}
	return folders, nil
}

func git(ctx context.Context, dir string, args ...string) ([]string, error) {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-C", dir, "ls-files", "-z"}, args...)...)
	out, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	var files []string
	for name := range bytes.SplitSeq(out, []byte{0}) {
		if len(name) > 0 {
			files = append(files, string(name))
		}
	}
	return files, nil
}

// choose lists the files that globs name, with the rules of .dockerignore
// ("src/**", "!src/**/*.test.ts"). What builds make is passed over, unless a
// glob begins with it.
func choose(dir string, globs []string) ([]string, error) {
	matcher, err := patternmatcher.New(globs)
	if err != nil {
		return nil, fmt.Errorf("inputs %q: %w; write globs such as src/**", globs, err)
	}
	var files []string
	err = walk(dir, func(name string, d fs.DirEntry) error {
		if d.IsDir() {
			if slices.Contains(made, d.Name()) && !slices.ContainsFunc(globs, func(g string) bool { return strings.HasPrefix(g, name) }) {
				return fs.SkipDir
			}
			return nil
		}
		matched, err := matcher.MatchesOrParentMatches(name)
		if matched {
			files = append(files, name)
		}
		return err
	})
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("inputs %q name no file in %s", globs, dir)
	}
	return files, err
}

// walk visits all below dir, by names relative to it.
func walk(dir string, visit func(name string, d fs.DirEntry) error) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		return visit(name, d)
	})
}
