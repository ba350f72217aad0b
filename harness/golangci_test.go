package harness_test

import (
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// rule is one of depguard's, in .golangci.yml.
type rule struct {
	Files []string `yaml:"files"`
	Deny  []denied `yaml:"deny"`
	Allow []string `yaml:"allow,omitempty"`
	Mode  string   `yaml:"list-mode"`
}

type denied struct {
	Package string `yaml:"pkg"`
	Why     string `yaml:"desc"`
}

// rules are the arrows in depguard's words. It matches the files' names with
// globs and packages by what they begin with; of a denied and an allowed
// beginning the longer one counts, and of allowed ones none may begin another.
// Tests may use what stands beside them.
func rules() map[string]rule {
	all := map[string]rule{}
	for _, a := range arrows {
		glob := func(path string) string {
			return "${base-path}/" + strings.Trim(strings.TrimPrefix(path, "crossing/"), "/") + "/**"
		}
		r := rule{Files: []string{glob(a.from), "!$test"}, Deny: []denied{{a.to, a.why}}, Mode: "lax"}
		if a.to == "crossing/" {
			r.Allow = append(r.Allow, strings.TrimSuffix(a.from, "/"))
		}
		for _, e := range a.except {
			known := slices.ContainsFunc(r.Allow, func(shorter string) bool { return within(e, shorter) })
			if strings.HasPrefix(e, a.to) && !known {
				r.Allow = append(r.Allow, e)
			}
			if within(e, a.from) && !within(a.from, e) {
				r.Files = append(r.Files, "!"+glob(e))
			}
		}
		// golangci-lint takes a dot in a name for a level of its file.
		name, _, _ := strings.Cut(filepath.Base(a.from)+"-"+filepath.Base(a.to), ".")
		all[name] = r
	}
	return all
}

// An editor shows a wrong arrow by .golangci.yml while it is drawn: it has the
// same ones.
func TestTheLinterKnowsTheArrows(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", ".golangci.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Linters struct {
			Enable   []string `yaml:"enable"`
			Settings struct {
				Depguard struct {
					Rules map[string]rule `yaml:"rules"`
				} `yaml:"depguard"`
			} `yaml:"settings"`
		} `yaml:"linters"`
	}
	if err := yaml.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"depguard", "ginkgolinter", "forbidigo"} {
		if !slices.Contains(file.Linters.Enable, name) {
			t.Errorf(".golangci.yml does not enable %s", name)
		}
	}
	want, have := rules(), file.Linters.Settings.Depguard.Rules
	if len(want) != len(arrows) {
		t.Fatalf("%d arrows have %d names", len(arrows), len(want))
	}
	if !reflect.DeepEqual(have, want) {
		text, err := yaml.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		t.Errorf(".golangci.yml has the rules %v; write these:\n%s", slices.Sorted(maps.Keys(have)), text)
	}
}
