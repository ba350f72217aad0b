package setup_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"crossing/harness/setup"
)

// tool is one of the project's tools, built where that was not done yet.
func tool(t *testing.T, which setup.Tool) string {
	t.Helper()
	dir := os.Getenv("CROSSING_STATE")
	if dir == "" {
		dir = filepath.Join("..", "..", ".crossing")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := which.Ensure(context.Background(), setup.Options{StateDir: dir, Progress: func(text string) { t.Log(text) }}); err != nil {
		t.Fatal(err)
	}
	return which.Path(dir)
}

// files writes files into a new folder, some of them copied from the checkout.
func files(t *testing.T, texts map[string]string, copied ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range copied {
		text, err := os.ReadFile(filepath.Join("..", "..", name))
		if err != nil {
			t.Fatal(err)
		}
		texts[name] = string(text)
	}
	for name, text := range texts {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// said is what a tool prints in a folder; it must find something there.
func said(t *testing.T, dir string, words ...string) string {
	t.Helper()
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Errorf("%s found nothing:\n%s", filepath.Base(words[0]), out)
	}
	return string(out)
}

// The twin of the part "lint" of make test, which finds nothing: a module of the
// same name and rules in which each of them is broken.
func TestTheLinterFindsWhatIsWrong(t *testing.T) {
	dir := files(t, map[string]string{
		"suites/a/a.go":       "package a\n\nconst A = 1\n",
		"harness/match/b.go":  "package match\n\nimport _ \"crossing/suites/a\"\n",
		"harness/match/m.go":  "package match\n\nimport _ \"github.com/onsi/gomega\"\n",
		"harness/edge/bad.go": "package edge\n\nimport (\n\t_ \"crossing/suites/a\"\n\t_ \"github.com/onsi/gomega\"\n)\n",
		"suites/a/a_test.go": `package a

import (
	"os"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = FIt("is",
	FlakeAttempts(3), func() {
	time.Sleep(time.Second)
	os.Chdir("elsewhere")
	Expect(len("abc") == 3).To(Equal(true))
})
`,
	}, "go.mod", "go.sum", ".golangci.yml")
	out := said(t, dir, tool(t, setup.GolangCI), "run")
	for _, want := range []string{
		"harness/edge/bad.go:4:2: import 'crossing/suites/a' is not allowed from list 'edge-crossing': the edge records",
		"harness/match/b.go:3:8: import 'crossing/suites/a' is not allowed from list 'harness-suites': the harness would survive",
		"harness/edge/bad.go:5:2: import 'github.com/onsi/gomega' is not allowed from list 'harness-gomega': harness code returns errors",
		"a retry hides an intermittent regression", "wait for what has to happen, by Eventually", "focused and pending specs are for a desk",
		"(ginkgolinter)", "os.Chdir` is not checked (errcheck)",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("nothing is said of %q:\n%s", want, out)
		}
	}
	if strings.Contains(out, "harness/match/m.go") {
		t.Errorf("the one that may use Gomega is blamed:\n%s", out)
	}
}

// The twin of the part "workflows".
func TestTheLinterOfWorkflowsFindsWhatIsWrong(t *testing.T) {
	dir := files(t, map[string]string{".github/workflows/bad.yml": `on: push
jobs:
  a:
    runs-on: ubuntu-24.04
    steps:
      - run: echo ${{ github.event.head_commit.message }}
      - run: make ${{ matrix.engine }}
`, ".git/HEAD": "ref: refs/heads/main\n"})
	out := said(t, dir, tool(t, setup.ActionLint))
	for _, want := range []string{"potentially untrusted", `property "engine" is not defined`} {
		if !strings.Contains(out, want) {
			t.Errorf("nothing is said of %q:\n%s", want, out)
		}
	}
}
