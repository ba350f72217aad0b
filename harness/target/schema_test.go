package target

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

var rewrite = flag.Bool("write", false, "write the schema of crossing.yaml anew")

// documented reads the comments of the types' fields.
func documented(t *testing.T) func(reflect.Type, string) string {
	t.Helper()
	told := map[string]string{}
	for _, dir := range []string{".", "../trace"} {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range files {
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(file, func(n ast.Node) bool {
				spec, is := n.(*ast.TypeSpec)
				if !is {
					return true
				}
				if fields, is := spec.Type.(*ast.StructType); is {
					for _, f := range fields.Fields.List {
						for _, name := range f.Names {
							told[file.Name.Name+"."+spec.Name.Name+"."+name.Name] = f.Doc.Text()
						}
					}
				}
				return true
			})
		}
	}
	return func(owner reflect.Type, field string) string { return told[owner.String()+"."+field] }
}

func TestThePublishedSchemaIsOfTheTypes(t *testing.T) {
	want, err := json.MarshalIndent(Schema(documented(t)), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	want = append(want, '\n')
	if *rewrite {
		if err := os.WriteFile(SchemaFile, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(SchemaFile)
	if err != nil || string(got) != string(want) {
		t.Errorf("%s is not of the types (%v): go test ./harness/target -run Schema -write", SchemaFile, err)
	}
	if !strings.Contains(string(got), "Origins are the addresses that browsers use.") {
		t.Error("the schema says nothing of what fields are for")
	}
}

func published(t *testing.T) *jsonschema.Schema {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile(SchemaFile)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// valid says whether a file fits the schema, as an editor would.
func valid(t *testing.T, schema *jsonschema.Schema, text string) error {
	t.Helper()
	var document any
	if err := yaml.Unmarshal([]byte(strings.TrimPrefix(text, "\xef\xbb\xbf")), &document); err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := jsonschema.UnmarshalJSON(strings.NewReader(string(data)))
	if err != nil {
		t.Fatal(err)
	}
	return schema.Validate(plain)
}

// What the parser takes, the schema takes, and what is of a wrong shape for one
// is so for the other.
func TestSchemaAndParserAgreeOnFiles(t *testing.T) {
	schema := published(t)
	files, err := filepath.Glob("../../fixtures/*/*/crossing.yaml")
	if err != nil || len(files) < 2 {
		t.Fatalf("the examples are not there: %v, %v", files, err)
	}
	for _, path := range append(files, "../../fixtures/crossing.yaml") {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Load(path); err != nil {
			t.Error(err)
		}
		if err := valid(t, schema, string(text)); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	service := minimal + "serves: {frontend: a, auth: a}\nservices:\n  a:\n    command: ./run\n    port: 80\n    ready: {path: /}\n"
	for _, text := range []string{
		minimal + "orgins: {}\n", minimal + "secrets: {a: b}\n", minimal + "secrets: a\n", minimal + "name: {a: b}\n", "origins: [a]\n", "name: a\n",
		minimal + "contract: {preset: auth0}\n", minimal + "contract: {cookie: {sameSite: none}}\n", minimal + "contract: {signature: md5}\n",
		minimal + "contract: {requests: {signIn: {method: GET}}}\n", minimal + "contract: {requests: {signIn: {type: xml}}}\n", minimal + "contract: {requests: {signIn: {body: a}}}\n",
		minimal + "contract: {updateAge: soon}\n", minimal + "contract: {budgets: {signIn: 2}}\n", minimal + "contract: {budgets: {signIn: swift}}\n", minimal + "contract: {cookie: {secure: \"yes\"}}\n",
		service + "    instances: 0\n", service + "    instances: many\n", service + "    instances: [{env: {}}]\n", service + "    needs: a\n", service + "    unprivileged: \"yes\"\n",
		service + "    enviroment: {A: b}\n", strings.Replace(service, "path: /}", "path: /, within: 5}", 1), strings.Replace(service, "port: 80", "port: http", 1),
	} {
		_, refused := parseText(t, text)
		if err := valid(t, schema, text); err == nil || refused == nil {
			t.Errorf("the schema says %v and the parser %v of\n%s", err, refused, text)
		}
	}
}

// Each field of the schema is one of the parser's, at the same place, and a
// value that the schema allows there is of a shape that the parser takes.
func TestSchemaAndParserAgreeOnEveryField(t *testing.T) {
	data, err := os.ReadFile(SchemaFile)
	if err != nil {
		t.Fatal(err)
	}
	var schema map[string]any
	if err := json.Unmarshal(data, &schema); err != nil {
		t.Fatal(err)
	}
	fields := 0
	var walk func(node map[string]any, path []string)
	walk = func(node map[string]any, path []string) {
		properties, _ := node["properties"].(map[string]any)
		for name, of := range properties {
			fields++
			of := of.(map[string]any)
			here := append(slices.Clone(path), name)
			for value, fits := range map[string]bool{example(t, of): true, "{no-such-field-anywhere: 1}": isMap(of)} {
				problems := shaped(t, here, value)
				if fits != (len(problems) == 0) {
					t.Errorf("%s: %s: the parser says %v", strings.Join(here, "."), value, problems)
				}
			}
			walk(of, here)
		}
		if more, is := node["additionalProperties"].(map[string]any); is {
			walk(more, append(slices.Clone(path), "a"))
		}
	}
	walk(schema, nil)
	if fields < 60 {
		t.Errorf("only %d fields were looked at", fields)
	}
}

func isMap(of map[string]any) bool {
	more, is := of["additionalProperties"].(map[string]any)
	return is && more["type"] != "object"
}

// example is a value that the schema of a field allows.
func example(t *testing.T, of map[string]any) string {
	t.Helper()
	if words, is := of["enum"].([]any); is {
		return fmt.Sprint(words[0])
	}
	if _, several := of["anyOf"]; several {
		return map[bool]string{true: "0", false: "2"}[strings.Contains(fmt.Sprint(of), "const")]
	}
	if of["pattern"] != nil {
		return "30s"
	}
	switch of["type"] {
	case "object":
		return "{}"
	case "array":
		return "[]"
	case "integer":
		return "7"
	case "boolean":
		return "true"
	}
	return "text"
}

// shaped is what the parser says of the shape of a file with one field.
func shaped(t *testing.T, path []string, value string) Problems {
	t.Helper()
	text := value
	for _, name := range slices.Backward(path) {
		text = "{" + name + ": " + text + "}"
	}
	_, err := parseText(t, text+"\n")
	var all, of Problems
	if !errors.As(err, &all) {
		return nil
	}
	field := strings.Join(path, ".")
	for _, p := range all {
		for _, words := range []string{"no such field", "expected", "no whole number", "neither true nor false", "no duration", "out of range", "not known", "unknown preset"} {
			if strings.HasPrefix(p.Field, field) && strings.Contains(p.Why, words) {
				of = append(of, p)
			}
		}
	}
	return of
}
