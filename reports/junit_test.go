package reports

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onsi/ginkgo/v2/reporters"
	"github.com/onsi/ginkgo/v2/types"
)

// heard is what a parser reads of one test case.
type heard struct {
	Name    string  `json:"name"`
	Seconds float64 `json:"seconds"`
	Failure string  `json:"failure"`
	Cause   string  `json:"cause"`
}

// Two parsers that know nothing of Crossing or of each other.
var parsers = map[string]func(t *testing.T, path string) *exec.Cmd{
	"junitparser, in Python": func(t *testing.T, path string) *exec.Cmd {
		return exec.Command("/usr/bin/python3", "-c", `
import json, sys
from junitparser import JUnitXml
out = []
for suite in JUnitXml.fromfile(sys.argv[1]):
    for case in suite:
        failures = [r.message for r in case.result if type(r).__name__ == "Failure"]
        causes = [p.get("value") for p in case._elem.iter("property") if p.get("name") == "cause"]
        out.append({"name": case.name, "seconds": case.time, "failure": "".join(failures), "cause": "".join(causes)})
print(json.dumps(out))`, path)
	},
	"test-results-parser, in JavaScript": func(t *testing.T, path string) *exec.Cmd {
		return exec.Command("node", "-e", `
const {parse} = require(process.argv[1]);
const result = parse({type: "junit", files: [process.argv[2]]});
console.log(JSON.stringify(result.suites.flatMap((s) => s.cases.map((c) => ({
	name: c.name, seconds: c.duration / 1000, failure: c.failure || "", cause: (c.metadata || c.meta_data || {}).cause || ""})))));`,
			installed(t, "test-results-parser", "0.2.9"), path)
	},
}

// installed is the folder of an npm package of this very version.
func installed(t *testing.T, name, version string) string {
	t.Helper()
	state := os.Getenv("CROSSING_STATE")
	if state == "" {
		state = filepath.Join("..", ".crossing")
	}
	dir, err := filepath.Abs(filepath.Join(state, "test-packages", name+"-"+version))
	if err != nil {
		t.Fatal(err)
	}
	found := filepath.Join(dir, "node_modules", name)
	if _, err := os.Stat(found); err == nil {
		return found
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("npm", "install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", dir, name+"@"+version).CombinedOutput(); err != nil {
		t.Fatalf("install %s: %v\n%s", name, err, out)
	}
	return found
}

func TestTwoParsersReadTheJUnitReport(t *testing.T) {
	broken := failing(it(types.SpecStateFailed, "outlives a <reload> & \"more\""), "the session was lost\nbecause of <it>")
	broken.ReportEntries = types.ReportEntries{{Name: "cause", Value: types.WrapEntryValue("cookie-not-partitioned")}}
	broken.RunTime = 2500 * time.Millisecond
	path := filepath.Join(t.TempDir(), "junit.xml")
	suite := types.Report{SuiteDescription: "session", SpecReports: types.SpecReports{broken, it(types.SpecStatePassed, "is there in a new tab")}}
	if err := reporters.GenerateJUnitReport(suite, path); err != nil {
		t.Fatal(err)
	}
	for name, command := range parsers {
		out, err := command(t, path).Output()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var all []heard
		if err := json.Unmarshal(out, &all); err != nil || len(all) != 2 {
			t.Errorf("%s: %v: %s", name, err, out)
			continue
		}
		bad, good := all[0], all[1]
		if !strings.Contains(bad.Name, `persistence chromium outlives a <reload> & "more"`) || bad.Seconds != 2.5 ||
			!strings.HasPrefix(bad.Failure, "the session was lost") || bad.Cause != `"cookie-not-partitioned"` {
			t.Errorf("%s reads the failure as %+v", name, bad)
		}
		if good.Seconds != 1.5 || good.Failure != "" || good.Cause != "" {
			t.Errorf("%s reads the pass as %+v", name, good)
		}
	}
}
