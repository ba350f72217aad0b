package har

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"crossing/harness/trace"
)

// state is where set-up put the driver, and where tests may keep packages.
func state(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("CROSSING_STATE")
	if dir == "" {
		dir = filepath.Join("..", "..", ".crossing")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// judge is what the format's own schema says of a file: nothing, where it fits.
func judge(t *testing.T, path string) string {
	t.Helper()
	const pinned = "har-validator@5.1.5"
	dir := filepath.Join(state(t), "test-packages", strings.ReplaceAll(pinned, "@", "-"))
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "har-validator")); err != nil {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("npm", "install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", dir, pinned)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("install %s: %v\n%s", pinned, err, out)
		}
	}
	cmd := exec.Command("node", "-e", `require("har-validator").har(JSON.parse(require("fs").readFileSync(process.argv[1]))).catch((e) => { console.log(JSON.stringify(e.errors)); })`, path)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return strings.TrimSpace(string(out))
}

func TestRecordedTracesAreArchives(t *testing.T) {
	all, err := filepath.Glob(filepath.Join("..", "..", "harness", "diagnose", "testdata", "*.json"))
	if err != nil || len(all) < 10 {
		t.Fatalf("%d traces, %v", len(all), err)
	}
	for _, from := range all[:10] {
		to := filepath.Join(t.TempDir(), "a.har")
		if err := Write(from, to); err != nil {
			t.Fatal(err)
		}
		if said := judge(t, to); said != "" {
			t.Errorf("%s: %s", from, said)
		}
	}
	// The twin: the schema sees what is missing.
	wrong := filepath.Join(t.TempDir(), "wrong.har")
	if err := os.WriteFile(wrong, []byte(`{"log": {"version": "1.2", "creator": {"name": "x", "version": "1"}, "entries": [{}]}}`), 0o644); err != nil {
		t.Fatal(err)
	}
	if said := judge(t, wrong); !strings.Contains(said, "request") {
		t.Errorf("an entry without a request passes: %q", said)
	}
}

func TestAnExchangeIsWrittenWhole(t *testing.T) {
	seen, err := trace.Read(filepath.Join("..", "..", "harness", "diagnose", "testdata", "cookie-not-partitioned.json"))
	if err != nil {
		t.Fatal(err)
	}
	own := 0
	for _, e := range seen.Exchanges {
		if !strings.HasPrefix(e.Path, trace.ReservedPath) {
			own++
		}
	}
	a := Of(seen)
	if len(a.Log.Entries) != own || own == 0 {
		t.Fatalf("%d entries of %d exchanges", len(a.Log.Entries), own)
	}
	for _, e := range a.Log.Entries {
		if !strings.HasSuffix(e.Request.URL, "/sign-up/email") || e.Request.Method != "POST" {
			continue
		}
		said := ""
		for _, h := range e.Response.Headers {
			if h.Name == "Set-Cookie" {
				said = h.Value
			}
		}
		if e.Response.Status != 200 || e.Request.PostData == nil || len(e.Response.Cookies) != 1 || !e.Response.Cookies[0].Secure ||
			!strings.HasPrefix(e.Response.Cookies[0].Value, "hmac:") || !strings.Contains(said, "SameSite=None") || !strings.Contains(e.Comment, "answered by auth-") {
			t.Errorf("%+v", e)
		}
		return
	}
	t.Error("the sign-up is not there")
}
