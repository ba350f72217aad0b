package reports

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// fieldsOf lists the paths of all that run.json may hold, as encoding/json
// names them: "specs[].text".
func fieldsOf(t reflect.Type, path string) []string {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return []string{path}
	case t.Kind() == reflect.Pointer:
		return fieldsOf(t.Elem(), path)
	case t.Kind() == reflect.Slice:
		return fieldsOf(t.Elem(), path+"[]")
	case t.Kind() != reflect.Struct:
		return []string{path}
	}
	var all []string
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "":
			all = append(all, fieldsOf(f.Type, path)...)
		case f.IsExported() && name != "-":
			if name == "" {
				name = f.Name
			}
			all = append(all, fieldsOf(f.Type, strings.TrimPrefix(path+"."+name, "."))...)
		}
	}
	return all
}

// A row of README's table begins with the field's path.
var row = regexp.MustCompile("(?m)^\\| `([a-zA-Z.\\[\\]]+)` \\|")

func TestReadmeDescribesEveryFieldOfRunJSON(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(text), "\n## run.json\n")
	if !found {
		t.Fatal("README.md has no part on run.json")
	}
	var described []string
	for _, match := range row.FindAllStringSubmatch(table, -1) {
		described = append(described, match[1])
	}
	fields := fieldsOf(reflect.TypeFor[Run](), "")
	for _, f := range fields {
		if !slices.Contains(described, f) {
			t.Errorf("README.md does not describe %s", f)
		}
	}
	for _, d := range described {
		if !slices.Contains(fields, d) {
			t.Errorf("README.md describes %s, and run.json has no such field", d)
		}
	}
	if len(fields) < 40 || !slices.Contains(fields, "profiles[].version.browser") || !slices.Contains(fields, "diagnoses[].findings[].cause") {
		t.Errorf("the fields were not found: %q", fields)
	}
}
