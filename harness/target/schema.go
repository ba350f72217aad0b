package target

import (
	"net/http"
	"reflect"
	"strings"
)

// SchemaFile is the published JSON schema of crossing.yaml, beside this source,
// by which editors complete and check.
const SchemaFile = "crossing.schema.json"

// Words are the values that a field may have where they are few, by its path.
func Words() map[string][]string {
	requests := map[string][]string{"method": changing, "type": {TypeJSON, TypeForm}}
	all := map[string][]string{
		"contract.preset":          presetNames(),
		"contract.cookie.sameSite": sameSites,
		"contract.signature":       signatures,
	}
	for _, name := range []string{"signUp", "signIn", "signOut", "deleteAccount"} {
		for field, words := range requests {
			all["contract.requests."+name+"."+field] = words
		}
	}
	return all
}

// sameSites are the attribute's values (RFC 6265bis, section 5.6.7).
var sameSites = []string{"None", "Lax", "Strict"}

// changing are the methods of requests that change something (RFC 9110).
var changing = []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

// Schema makes the schema (JSON Schema, draft 2020-12) of the types that a file
// is read into. told says what the documentation has of a field of a type.
func Schema(told func(owner reflect.Type, field string) string) map[string]any {
	schema := schemer{told: told, words: Words()}.of(reflect.TypeFor[File](), "")
	schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	schema["title"] = "crossing.yaml"
	schema["description"] = "An application as Crossing tests it: its services or addresses, its origins, its contract."
	schema["required"] = []string{"origins"}
	return schema
}

type schemer struct {
	told  func(owner reflect.Type, field string) string
	words map[string][]string
}

// of is the schema of what shape.walk takes for a type.
func (s schemer) of(t reflect.Type, path string) map[string]any {
	const duration = `^[-+]?([0-9.]+(ns|us|µs|ms|s|m|h))+$|^0$`
	switch {
	case t.Kind() == reflect.Pointer:
		return s.of(t.Elem(), path)
	case t == durationType:
		return map[string]any{"type": "string", "pattern": duration}
	case t == budgetType:
		return map[string]any{"anyOf": []any{map[string]any{"const": 0}, map[string]any{"type": "string", "pattern": duration}}}
	case t == instancesType:
		return map[string]any{"anyOf": []any{
			map[string]any{"type": "integer", "minimum": 1, "maximum": 9},
			s.of(reflect.TypeFor[[]Instance](), path),
		}}
	}
	switch t.Kind() {
	case reflect.Struct:
		return s.object(t, path)
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": s.of(t.Elem(), below(path, "*"))}
	case reflect.Slice:
		return map[string]any{"type": "array", "items": s.of(t.Elem(), path+"[]")}
	case reflect.Int:
		return map[string]any{"type": "integer"}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	}
	if words := s.words[path]; words != nil {
		return map[string]any{"enum": words}
	}
	// A text may be written without quotes where it looks like a number.
	return map[string]any{"type": []string{"string", "number", "boolean", "null"}}
}

func (s schemer) object(t reflect.Type, path string) map[string]any {
	fields := map[string]any{}
	for i := range t.NumField() {
		name := t.Field(i).Tag.Get("yaml")
		field := s.of(t.Field(i).Type, below(path, name))
		if text := strings.Join(strings.Fields(s.told(t, t.Field(i).Name)), " "); text != "" {
			field["description"] = text
		}
		fields[name] = field
	}
	return map[string]any{"type": "object", "properties": fields, "additionalProperties": false}
}
