// Package harness_test holds the house's directions: which folder may import
// which, and why.
package harness_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

// forbidden is an arrow that must not be, and why.
type forbidden struct {
	from, to string
	except   []string
	why      string
}

const library = "github.com/"

var arrows = []forbidden{
	{from: "crossing/harness/", to: "crossing/suites", why: "the harness would survive a change of application and of test runner; suites stand above it"},
	{from: "crossing/harness/", to: "crossing/fixtures", why: "the harness knows no application"},
	{from: "crossing/harness/", to: library + "onsi/ginkgo", why: "package rig is the one place where Ginkgo meets the harness"},
	{from: "crossing/harness/", to: library + "onsi/gomega", except: []string{"crossing/harness/match"}, why: "harness code returns errors; only matchers assert"},
	{from: "crossing/harness/", to: library + "testcontainers", except: []string{"crossing/harness/stack"}, why: "only stack knows containers"},
	{from: "crossing/harness/", to: library + "docker/", except: []string{"crossing/harness/stack"}, why: "only stack knows containers"},
	{from: "crossing/harness/", to: library + "moby/", except: []string{"crossing/harness/stack"}, why: "only stack knows containers"},
	{from: "crossing/harness/", to: library + "mxschmitt/playwright-go", except: []string{"crossing/harness/browser/playwright"}, why: "only the driver's folder knows the driver"},
	{from: "crossing/harness/", to: "crossing/harness/cmd", why: "the command may use everything, and nothing uses it"},
	{from: "crossing/harness/", to: "crossing/reports", except: []string{"crossing/harness/cmd"}, why: "reports read results; the harness does not know them"},
	{from: "crossing/harness/trace", to: "crossing/", why: "a trace is plain data: it imports the standard library only"},
	{from: "crossing/harness/trace", to: library, why: "a trace is plain data: it imports the standard library only"},
	{from: "crossing/harness/diagnose", to: "crossing/", except: []string{"crossing/harness/trace"}, why: "Explain is pure: it reads a trace and nothing else"},
	{from: "crossing/harness/headroom", to: "crossing/", except: []string{"crossing/harness/trace"}, why: "it measures a trace and reads nothing else"},
	{from: "crossing/harness/edge", to: "crossing/", except: []string{"crossing/harness/trace"}, why: "the edge records; it knows neither services nor browsers"},
	{from: "crossing/harness/browser", to: "crossing/", except: []string{"crossing/harness/browser", "crossing/harness/trace", "crossing/harness/browser/conformance", "crossing/harness/browser/behaviour"}, why: "a driver knows no application"},
	{from: "crossing/harness/stack", to: "crossing/harness/browser", why: "services know no browsers"},
	{from: "crossing/harness/target", to: "crossing/", except: []string{"crossing/harness/trace"}, why: "a target is configuration; it starts nothing"},
}

// crosses says whether importing to from from breaks the rule.
func (f forbidden) crosses(from, to string) bool {
	if !within(from, f.from) || !strings.HasPrefix(to, f.to) || within(to, f.from) && f.to == "crossing/" {
		return false
	}
	for _, e := range f.except {
		if within(from, e) && !within(f.from, e) || within(to, e) {
			return false
		}
	}
	return true
}

func within(path, folder string) bool {
	folder = strings.TrimSuffix(folder, "/")
	return path == folder || strings.HasPrefix(path, folder+"/")
}

func TestArrowsPointDown(t *testing.T) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "crossing/...").Output()
	if err != nil {
		t.Fatalf("list the packages: %v", err)
	}
	seen := 0
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		seen++
		for _, to := range p.Imports {
			for _, f := range arrows {
				if f.crosses(p.ImportPath, to) {
					t.Errorf("%s imports %s: %s", p.ImportPath, to, f.why)
				}
			}
		}
	}
	if seen < 10 {
		t.Errorf("only %d packages were looked at", seen)
	}
}

func TestAWrongArrowIsSeen(t *testing.T) {
	for _, c := range []struct {
		from, to string
		wrong    bool
	}{
		{"crossing/harness/edge", "github.com/onsi/ginkgo/v2", true},
		{"crossing/harness/match", "github.com/onsi/gomega/types", false},
		{"crossing/harness/edge", "github.com/onsi/gomega", true},
		{"crossing/harness/stack/containers", "github.com/testcontainers/testcontainers-go", false},
		{"crossing/harness/edge", "github.com/testcontainers/testcontainers-go", true},
		{"crossing/harness/diagnose", "crossing/harness/trace", false},
		{"crossing/harness/diagnose", "crossing/harness/edge", true},
		{"crossing/harness/trace", "crossing/harness/edge", true},
		{"crossing/harness/browser/playwright", "crossing/harness/browser", false},
		{"crossing/harness/browser/webdriver", "crossing/harness/stack", true},
		{"crossing/suites/session", "github.com/onsi/ginkgo/v2", false},
	} {
		wrong := false
		for _, f := range arrows {
			wrong = wrong || f.crosses(c.from, c.to)
		}
		if wrong != c.wrong {
			t.Errorf("%s → %s: wrong is %v, want %v", c.from, c.to, wrong, c.wrong)
		}
	}
}
