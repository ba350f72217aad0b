package containers

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/client"
)

func engine(t *testing.T) *Engine {
	t.Helper()
	e, err := Connect(t.Context())
	if err != nil {
		t.Skipf("needs a Docker engine: %v", err)
	}
	t.Cleanup(e.Close)
	return e
}

// said records what was reported.
func said(t *testing.T) (Report, *[]string) {
	var all []string
	say := func(text string) { t.Log(text); all = append(all, text) }
	return Report{Say: say, Watch: func(what string, _ func() string) func(error) {
		say(what)
		return func(error) {}
	}}, &all
}

// image makes a small image, which the test's end removes.
func image(t *testing.T, e *Engine, name string) {
	t.Helper()
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: "made-for-a-test/", Mode: 0o755}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	result, err := e.client.ImageImport(t.Context(), client.ImageImportSource{Source: &archive, SourceName: "-"}, name, client.ImageImportOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var output transcript
	if err := output.read(result, nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { forget(e, name) })
}

func forget(e *Engine, name string) {
	_, _ = e.client.ImageRemove(context.Background(), name, client.ImageRemoveOptions{Force: true})
}

// registry starts one on loopback and returns its address.
func registry(t *testing.T) string {
	t.Helper()
	tool, err := exec.LookPath("docker-registry")
	if err != nil {
		t.Skip("needs docker-registry (Debian's package of that name)")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	config := filepath.Join(t.TempDir(), "config.yml")
	text := fmt.Sprintf("version: 0.1\nstorage: {filesystem: {rootdirectory: %q}}\nhttp: {addr: %q}\n", t.TempDir(), address)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(tool, "serve", config)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for {
		response, err := http.Get("http://" + address + "/v2/")
		if err == nil {
			response.Body.Close()
			return address
		}
		select {
		case <-ctx.Done():
			t.Fatalf("the registry does not answer: %v", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func TestABaseIsPulledWhereARegistryAnswers(t *testing.T) {
	e := engine(t)
	name := registry(t) + "/base:trixie"
	image(t, e, name)
	pushed, err := e.client.ImagePush(t.Context(), name, client.ImagePushOptions{RegistryAuth: "e30="})
	if err != nil {
		t.Fatal(err)
	}
	var output transcript
	if err := output.read(pushed, nil); err != nil {
		t.Fatal(err)
	}
	forget(e, name)
	if present, err := e.present(t.Context(), name); present || err != nil {
		t.Fatalf("the image is still present (%v): this test proves nothing", err)
	}
	report, all := said(t)

	got, err := e.EnsureBase(t.Context(), name, report)

	if err != nil || got != name {
		t.Fatalf("got %q, %v", got, err)
	}
	if !strings.Contains(strings.Join(*all, "\n"), "base image: pulled "+name) {
		t.Errorf("it said %q", *all)
	}
	if present, err := e.present(t.Context(), name); !present || err != nil {
		t.Errorf("the image is not there: %v", err)
	}
}

func TestAPresentBaseIsUsedInSilence(t *testing.T) {
	e := engine(t)
	image(t, e, "crossing-test:present")
	report, all := said(t)

	got, err := e.EnsureBase(t.Context(), "crossing-test:present", report)

	if err != nil || got != "crossing-test:present" || len(*all) > 0 {
		t.Errorf("got %q, %v, said %q", got, err, *all)
	}
}

func TestADeadRegistryFailsFastAndIsNamed(t *testing.T) {
	e := engine(t)
	e.bases.made = "crossing-test:made"
	t.Setenv("PATH", t.TempDir()) // no mmdebstrap
	report, _ := said(t)
	begun := time.Now()

	_, err := e.EnsureBase(t.Context(), "127.0.0.1:1/base:trixie", report)

	if err == nil {
		t.Fatal("no error")
	}
	for _, word := range []string{"127.0.0.1:1/base:trixie can't be pulled", "refused", "mmdebstrap is not installed", "make setup", "BASE_IMAGE"} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("the error does not say %q: %v", word, err)
		}
	}
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
}

func TestASilentRegistryIsGivenUpOn(t *testing.T) {
	e := engine(t)
	e.bases.answering = time.Second
	silent, err := net.Listen("tcp", "127.0.0.1:0") // accepts, and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	report, _ := said(t)
	begun := time.Now()

	err = e.EnsureImage(t.Context(), silent.Addr().String()+"/base:trixie", report)

	if err == nil || !strings.Contains(err.Error(), "did not begin to send within 1s") {
		t.Errorf("error is %v", err)
	}
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
}

func TestABaseMadeEarlierStandsInAndSaysWhy(t *testing.T) {
	e := engine(t)
	e.bases.made = "crossing-test:made"
	image(t, e, e.bases.made)
	report, all := said(t)

	got, err := e.EnsureBase(t.Context(), "127.0.0.1:1/base:trixie", report)

	if err != nil || got != e.bases.made {
		t.Fatalf("got %q, %v", got, err)
	}
	if text := strings.Join(*all, "\n"); !strings.Contains(text, "made earlier") || !strings.Contains(text, "refused") {
		t.Errorf("it said %q", *all)
	}
}

func TestABaseIsMadeFromPackages(t *testing.T) {
	if os.Getenv("CROSSING_SLOW") != "1" {
		t.Skip("makes a Debian from its packages, about 40 s: set CROSSING_SLOW=1")
	}
	e := engine(t)
	e.bases.made = "crossing-test:made"
	t.Cleanup(func() { forget(e, e.bases.made) })
	report, _ := said(t)

	got, err := e.EnsureBase(t.Context(), "127.0.0.1:1/base:trixie", report)

	if err != nil || got != e.bases.made {
		t.Fatalf("got %q, %v", got, err)
	}
	seen, err := e.client.ImageInspect(t.Context(), got)
	if err != nil {
		t.Fatal(err)
	}
	if len(seen.Config.Cmd) == 0 || !strings.Contains(strings.Join(seen.Config.Env, " "), "PATH=/usr/local/sbin") {
		t.Errorf("its configuration: %+v", seen.Config)
	}
}

func TestAnArchiveThatIsCutShortMakesNoImage(t *testing.T) {
	e := engine(t)
	e.bases.made = "crossing-test:broken"
	dir := t.TempDir()
	script := "#!/bin/sh\nprintf 'half an archive'\necho E: unable to locate package ca-certificates >&2\nexit 25\n"
	if err := os.WriteFile(filepath.Join(dir, "mmdebstrap"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	report, _ := said(t)

	_, err := e.EnsureBase(t.Context(), "127.0.0.1:1/base:trixie", report)

	if err == nil || !strings.Contains(err.Error(), "unable to locate package") || !strings.Contains(err.Error(), "exit status 25") {
		t.Errorf("error is %v", err)
	}
	if present, _ := e.present(t.Context(), e.bases.made); present {
		forget(e, e.bases.made)
		t.Error("an image was made of it")
	}
}

func TestDockerignoreDecidesWhatIsSent(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		".dockerignore": "node_modules\n*.log\n!keep.log\nDockerfile\n", "Dockerfile": "FROM scratch\n",
		"node_modules/a/index.js": "", "noise.log": "", "keep.log": "", "dist/serve.mjs": "",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}

	files, err := contextFiles(dir, "Dockerfile")

	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(files, " "), ".dockerignore Dockerfile dist dist/serve.mjs keep.log"; got != want {
		t.Errorf("sent: %s, want: %s", got, want)
	}
	if err := pack(io.Discard, dir, files, true); err != nil {
		t.Error(err)
	}
}
