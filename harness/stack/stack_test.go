package stack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/client"

	"crossing/harness/stack/containers"
	"crossing/harness/target"
)

// service is the folder of the tests' service: a program and its Dockerfile.
var service string

func TestMain(m *testing.M) {
	if os.Getenv("CROSSING_TEST_OWNER") != "" {
		own() // never returns
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	var err error
	if service, err = os.MkdirTemp("", "stack-test-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(service)
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w -buildid=", "-o", filepath.Join(service, "service"), "./testdata/service")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the tests' service: %v\n%s", err, out)
		return 1
	}
	dockerfile := "FROM scratch\nLABEL crossing.test=true\nCOPY service /service\nEXPOSE 9999\nENTRYPOINT [\"/service\"]\n"
	if err := os.WriteFile(filepath.Join(service, "Dockerfile"), []byte(dockerfile), 0o644); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	// Services under another account have to reach it.
	if err := os.Chmod(service, 0o755); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer forgetImages()
	return m.Run()
}

// forgetImages removes the images that the tests have built.
func forgetImages() {
	c, err := client.New(client.FromEnv)
	if err != nil {
		return
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	images, err := c.ImageList(ctx, client.ImageListOptions{Filters: client.Filters{}.Add("label", "crossing.test=true")})
	if err != nil {
		return // no engine, no images
	}
	for _, image := range images.Items {
		if _, err := c.ImageRemove(ctx, image.ID, client.ImageRemoveOptions{Force: true, PruneChildren: true}); err != nil {
			fmt.Fprintln(os.Stderr, "remove a test's image:", err)
		}
	}
}

// each runs a test on both runtimes; where no engine answers, on one, and says
// why.
func each(t *testing.T, test func(t *testing.T, runtime string)) {
	t.Run(Processes, func(t *testing.T) { test(t, Processes) })
	t.Run(Containers, func(t *testing.T) {
		needsEngine(t)
		test(t, Containers)
	})
}

func needsEngine(t *testing.T) {
	t.Helper()
	if _, err := containers.Find(t.Context()); err != nil {
		t.Skipf("needs a Docker engine: %v", err)
	}
}

// part is the tests' service in a mode, with what changes it.
func part(mode string, change ...func(*target.Service)) target.Service {
	s := target.Service{
		Command: "./service", Dockerfile: "Dockerfile", Port: 8080,
		Environment: map[string]string{"HOST": "${host}", "PORT": "${port}", "INSTANCE": "${instance}", "MODE": mode},
		Ready:       target.Ready{Path: "/healthz", Within: 10 * time.Second},
	}
	for _, c := range change {
		c(&s)
	}
	return s
}

func env(name, value string) func(*target.Service) {
	return func(s *target.Service) { s.Environment[name] = value }
}

func needs(names ...string) func(*target.Service) {
	return func(s *target.Service) { s.Needs = names }
}

func options(t *testing.T, runtime string, services map[string]target.Service) Options {
	t.Helper()
	return Options{
		Dir: service, StateDir: t.TempDir(), Runtime: runtime,
		File:     target.File{Services: services, Secrets: []string{"password"}},
		Progress: func(text string) { t.Log(text) },
	}
}

// up starts a stack that the test's end takes down.
func up(t *testing.T, o Options) *Stack {
	t.Helper()
	s, err := Up(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Down(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s
}

// get asks a running instance.
func get(t *testing.T, s *Stack, name, path string) string {
	t.Helper()
	return call(t, s, http.MethodGet, name, path)
}

func call(t *testing.T, s *Stack, method, name, path string) string {
	t.Helper()
	address, err := s.Address(name)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), method, "http://"+address+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := asker.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// failsWith holds an error to all that it has to say.
func failsWith(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("the error does not say %q:\n%v", word, err)
		}
	}
}

// left lists what a run has not taken along.
func left(t *testing.T, run Run) []string {
	t.Helper()
	var found []string
	out, err := exec.Command("sh", "-c", `grep -lsz "^CROSSING_RUN=`+run.Marker+`$" /proc/[0-9]*/environ; true`).Output()
	if err != nil {
		t.Fatal(err)
	}
	found = append(found, strings.Fields(string(out))...)
	if _, err := os.Stat(run.Dir); !errors.Is(err, os.ErrNotExist) {
		found = append(found, run.Dir)
	}
	return append(found, leftInEngine(t, run.ID)...)
}
