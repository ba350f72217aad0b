package harness_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"crossing/harness/browser/playwright"
)

// workflow is what is looked at of a workflow, or of a composite action.
type workflow struct {
	Permissions map[string]string `yaml:"permissions"`
	Jobs        map[string]job    `yaml:"jobs"`
	Runs        struct {
		Steps []step `yaml:"steps"`
	} `yaml:"runs"`
}

type job struct {
	Permissions map[string]string `yaml:"permissions"`
	Minutes     any               `yaml:"timeout-minutes"`
	Env         map[string]string `yaml:"env"`
	Steps       []step            `yaml:"steps"`
}

type step struct {
	Uses     string            `yaml:"uses"`
	Run      string            `yaml:"run"`
	With     map[string]any    `yaml:"with"`
	Env      map[string]string `yaml:"env"`
	Continue any               `yaml:"continue-on-error"`
}

var (
	pinned  = regexp.MustCompile(`^[\w.-]+/[\w./-]+@[0-9a-f]{40}$`)
	said    = regexp.MustCompile(`uses: \S+@[0-9a-f]{40} # v\d+\.\d+\.\d+\n`)
	limited = regexp.MustCompile(`TIMEOUT=(\w+), minutes: (\d+)`)
	asked   = regexp.MustCompile(`playwright@([\w.]+)`)
)

// wrong says what no linter of workflows knows of: what this project demands.
func wrong(text string) []string {
	var w workflow
	if err := yaml.Unmarshal([]byte(text), &w); err != nil {
		return []string{err.Error()}
	}
	var all []string
	say := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	steps := w.Runs.Steps
	if len(steps) == 0 && !maps.Equal(w.Permissions, map[string]string{"contents": "read"}) {
		say("the workflow may do more than read its contents: %v", w.Permissions)
	}
	for name, j := range w.Jobs {
		steps = append(steps, j.Steps...)
		for what, may := range j.Permissions {
			if may == "write" && what != "issues" && what != "statuses" {
				say("job %s may write %s", name, what)
			}
		}
		limit, isNumber := j.Minutes.(uint64)
		if j.Minutes == nil {
			say("job %s has no limit", name)
		}
		if d, err := time.ParseDuration(j.Env["TIMEOUT"]); isNumber && err == nil && time.Duration(limit)*time.Minute < d+15*time.Minute {
			say("job %s is ended before its run can end by itself: %d min, TIMEOUT=%s", name, limit, d)
		}
	}
	for _, m := range limited.FindAllStringSubmatch(text, -1) {
		d, err := time.ParseDuration(m[1])
		minutes, err2 := time.ParseDuration(m[2] + "m")
		if err != nil || err2 != nil || minutes < d+15*time.Minute {
			say("a job is ended before its run can end by itself: %s", m[0])
		}
	}
	uses := 0
	for _, s := range steps {
		if s.Uses != "" {
			uses++
			if !pinned.MatchString(s.Uses) {
				say("%s is not pinned by its commit", s.Uses)
			}
		}
		if strings.HasPrefix(s.Uses, "actions/checkout@") && s.With["persist-credentials"] != false {
			say("a checkout leaves its credentials behind")
		}
		if s.Continue != nil {
			say("a step may fail unseen: %s%s", s.Uses, s.Run)
		}
		if strings.Contains(s.Run, "${{") {
			say("an expression stands in a script, where its text becomes code: %s", s.Run)
		}
	}
	if n := len(said.FindAllString(text, -1)); n != uses {
		say("%d of %d actions do not say which release their commit is", uses-n, uses)
	}
	for _, m := range asked.FindAllStringSubmatch(text, -1) {
		if m[1] != playwright.DriverVersion() {
			say("%s is installed, and the driver is %s", m[0], playwright.DriverVersion())
		}
	}
	return all
}

func TestWorkflowsKeepToTheRules(t *testing.T) {
	root := filepath.Join("..", ".github")
	flows, _ := filepath.Glob(filepath.Join(root, "workflows", "*.yml"))
	actions, _ := filepath.Glob(filepath.Join(root, "actions", "*", "action.yml"))
	if len(flows) < 3 || len(actions) < 1 {
		t.Errorf("only %v and %v were found", flows, actions)
	}
	for _, path := range slices.Concat(flows, actions) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, what := range wrong(string(text)) {
			t.Errorf("%s: %s", path, what)
		}
	}
}

func TestAWrongWorkflowIsSeen(t *testing.T) {
	good, err := os.ReadFile(filepath.Join("..", ".github", "workflows", "e2e.yml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ from, to, says string }{
		{"contents: read", "contents: write", "may do more than read"},
		{"timeout-minutes: 60", "timeout-minutes: 31", "ended before its run can end"},
		{"    timeout-minutes: 60\n", "", "has no limit"},
		{"persist-credentials: false", "persist-credentials: true", "leaves its credentials"},
		{"actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1", "actions/checkout@v7", "not pinned"},
		{" # v7.0.1", "", "do not say which release"},
		{"- run: make e2e", "- run: make e2e\n        continue-on-error: true", "may fail unseen"},
		{"- run: make e2e", "- run: make e2e ENGINE=${{ matrix.engine }}", "becomes code"},
		{"- run: make e2e", "- run: npx playwright@1.0.0 install", "the driver is"},
	} {
		if all := wrong(strings.Replace(string(good), c.from, c.to, 1)); len(all) == 0 || !strings.Contains(strings.Join(all, "\n"), c.says) {
			t.Errorf("%q in place of %q: %v", c.to, c.from, all)
		}
	}
}
