package containers

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/build"
	"github.com/moby/moby/api/types/jsonstream"
	"github.com/moby/moby/client"
	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"

	"crossing/harness/stack/unit"
)

// Report is how long work is shown.
type Report struct {
	Say func(string)
	// Watch shows what is done, and its last line, until the func it returns
	// is called.
	Watch func(what string, last func() string) func(error)
}

// Source is what an image is built from.
type Source struct {
	Service    string
	Directory  string
	Dockerfile string
	// Base returns the image for the build argument BASE_IMAGE; it is called
	// only where the Dockerfile declares that.
	Base func() (string, error)
}

// takesBase finds the declaration of the build argument.
var takesBase = regexp.MustCompile(`(?mi)^\s*ARG\s+BASE_IMAGE\b`)

// EnsureBuilt returns the image of a Dockerfile, "crossing/api:" and a digest
// of all that goes into it. It is built only where it is absent, and kept.
func (e *Engine) EnsureBuilt(ctx context.Context, s Source, r Report) (string, error) {
	dockerfile, err := os.ReadFile(filepath.Join(s.Directory, s.Dockerfile))
	if err != nil {
		return "", err
	}
	args := map[string]*string{}
	sum := sha256.New()
	if takesBase.Match(dockerfile) {
		base, err := s.Base()
		if err != nil {
			return "", err
		}
		id, err := e.imageID(ctx, base)
		if err != nil {
			return "", err
		}
		args["BASE_IMAGE"] = &base
		fmt.Fprintf(sum, "base %s\n", id)
	}
	files, err := contextFiles(s.Directory, s.Dockerfile)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", s.Directory, err)
	}
	fmt.Fprintf(sum, "dockerfile %s\n", s.Dockerfile)
	// Digested and sent in the same form, but for times, which copies of one
	// source don't share.
	if err := pack(sum, s.Directory, files, false); err != nil {
		return "", fmt.Errorf("read %s: %w", s.Directory, err)
	}
	name := "crossing/" + s.Service + ":" + hex.EncodeToString(sum.Sum(nil)[:8])
	if id, err := e.imageID(ctx, name); err == nil && id != "" {
		return name, nil
	} else if !errdefs.IsNotFound(err) {
		return "", err
	}
	return name, e.build(ctx, name, s, files, args, r)
}

func (e *Engine) build(ctx context.Context, name string, s Source, files []string, args map[string]*string, r Report) (err error) {
	reader, writer := io.Pipe()
	go func() { writer.CloseWithError(pack(writer, s.Directory, files, true)) }()
	defer reader.Close()
	var output transcript
	done := r.Watch("build image "+name, output.last)
	defer func() { done(err) }()
	result, err := e.client.ImageBuild(ctx, reader, client.ImageBuildOptions{
		// The classic builder: BuildKit needs a session with its own client.
		Version: build.BuilderV1, Tags: []string{name}, Dockerfile: s.Dockerfile,
		BuildArgs: args, Remove: true, ForceRemove: true,
		Labels: map[string]string{"crossing.service": s.Service},
	})
	if err != nil {
		return fmt.Errorf("build %s from %s: %w", name, filepath.Join(s.Directory, s.Dockerfile), err)
	}
	defer result.Body.Close()
	if err := output.read(result.Body, nil); err != nil {
		return fmt.Errorf("build %s from %s: %w; its last lines:%s", name, filepath.Join(s.Directory, s.Dockerfile), err, output.tail())
	}
	return nil
}

// imageID is empty with an error that errdefs.IsNotFound knows where the image
// is absent.
func (e *Engine) imageID(ctx context.Context, name string) (string, error) {
	image, err := e.client.ImageInspect(ctx, name)
	if err != nil {
		return "", fmt.Errorf("look for image %s: %w", name, err)
	}
	return image.ID, nil
}

// contextFiles lists what is sent to the engine: all that .dockerignore leaves,
// and the Dockerfile in any case.
func contextFiles(dir, dockerfile string) ([]string, error) {
	var patterns []string
	ignore, err := os.Open(filepath.Join(dir, ".dockerignore"))
	if err == nil {
		patterns, err = ignorefile.ReadAll(ignore)
		err = errors.Join(err, ignore.Close())
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	matcher, err := patternmatcher.New(patterns)
	if err != nil {
		return nil, fmt.Errorf(".dockerignore: %w", err)
	}
	var files []string
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		ignored, err := matcher.MatchesOrParentMatches(filepath.ToSlash(name))
		switch {
		case err != nil:
			return err
		case !ignored || name == filepath.Clean(dockerfile):
			files = append(files, name)
		case d.IsDir() && !wanted(matcher, filepath.ToSlash(name)) && !strings.HasPrefix(filepath.Clean(dockerfile), name+"/"):
			return fs.SkipDir
		}
		return nil
	})
	return files, err
}

// wanted says that an exception ("!dist/web") lies below an ignored folder.
// Without looking first, every file of node_modules would be matched.
func wanted(matcher *patternmatcher.PatternMatcher, dir string) bool {
	return slices.ContainsFunc(matcher.Patterns(), func(p *patternmatcher.Pattern) bool {
		return p.Exclusion() && strings.HasPrefix(p.String(), dir+"/")
	})
}

// pack writes files as a tar archive owned by root.
func pack(w io.Writer, dir string, files []string, times bool) error {
	archive := tar.NewWriter(w)
	for _, name := range files {
		if err := packOne(archive, dir, name, times); err != nil {
			return err
		}
	}
	return archive.Close()
}

func packOne(archive *tar.Writer, dir, name string, times bool) error {
	path := filepath.Join(dir, name)
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() && !info.IsDir() && info.Mode()&fs.ModeSymlink == 0 {
		return nil // sockets and the like have no place in an image
	}
	to := ""
	if info.Mode()&fs.ModeSymlink != 0 {
		if to, err = os.Readlink(path); err != nil {
			return err
		}
	}
	full, err := tar.FileInfoHeader(info, to)
	if err != nil {
		return err
	}
	h := &tar.Header{Typeflag: full.Typeflag, Name: filepath.ToSlash(name), Linkname: to, Size: full.Size, Mode: full.Mode & 0o777, Format: tar.FormatPAX}
	if info.IsDir() {
		h.Name += "/"
	}
	if times {
		h.ModTime = info.ModTime()
	}
	if err := archive.WriteHeader(h); err != nil || !info.Mode().IsRegular() {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(archive, f)
	return err
}

// transcript is what the engine says while it builds or pulls.
type transcript struct {
	mu    sync.Mutex
	lines []string
}

// read follows the engine's messages to their end. An error among them is
// returned, since the request as such has succeeded by then.
func (t *transcript) read(body io.Reader, each func(jsonstream.Message)) error {
	messages := json.NewDecoder(body)
	for {
		var m jsonstream.Message
		if err := messages.Decode(&m); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if each != nil {
			each(m)
		}
		if m.Error != nil {
			return m.Error
		}
		t.add(m)
	}
}

func (t *transcript) add(m jsonstream.Message) {
	text := m.Stream
	if text == "" {
		text = strings.TrimSpace(m.ID + " " + m.Status)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			t.lines = append(t.lines, line)
		}
	}
	if len(t.lines) > 200 {
		t.lines = t.lines[len(t.lines)-100:]
	}
}

func (t *transcript) last() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.lines) == 0 {
		return ""
	}
	return t.lines[len(t.lines)-1]
}

func (t *transcript) tail() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return unit.Tail([]byte(strings.Join(t.lines, "\n")), 20)
}
