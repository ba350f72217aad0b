package target

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
)

// shape compares what is written with the types that it is read into, before
// it is read: the decoder stops at the first thing that does not fit, knows
// not where it stands below a type with a reader of its own, and speaks of Go.
type shape struct {
	path     string
	problems Problems
}

func (s *shape) add(node ast.Node, field, why string, args ...any) {
	p := Problem{File: s.path, Line: 1, Field: field, Why: fmt.Sprintf(why, args...)}
	if p.Field == "" {
		p.Field = "(the file)"
	}
	if tok := node.GetToken(); tok != nil {
		p.Line = tok.Position.Line
	}
	s.problems = append(s.problems, p)
}

var (
	durationType  = reflect.TypeFor[time.Duration]()
	instancesType = reflect.TypeFor[Instances]()
	budgetType    = reflect.TypeFor[Budget]()
)

// walk adds a problem for each part of node that t has no place for. field is
// the path so far.
func (s *shape) walk(node ast.Node, t reflect.Type, field string) {
	switch n := node.(type) {
	case *ast.AnchorNode:
		node = n.Value
	case *ast.NullNode, *ast.AliasNode, *ast.TagNode, nil:
		return // nothing is written, or it is the decoder's to resolve
	}
	switch {
	case t.Kind() == reflect.Pointer:
		s.walk(node, t.Elem(), field)
	case t == durationType:
		s.duration(node, field)
	case t == budgetType:
		s.budget(node, field)
	case t == instancesType:
		s.instances(node, field)
	case t.Kind() == reflect.Struct:
		s.fields(node, t, field)
	case t.Kind() == reflect.Map:
		for _, entry := range s.entries(node, field) {
			s.walk(entry.Value, t.Elem(), below(field, key(entry)))
		}
	case t.Kind() == reflect.Slice:
		s.list(node, t, field)
	default:
		s.scalar(node, t, field)
	}
}

// fields are those of a struct, by its tags.
func (s *shape) fields(node ast.Node, t reflect.Type, field string) {
	known := map[string]reflect.Type{}
	var names []string // in the order of the type, which is that of its page
	for i := range t.NumField() {
		name := t.Field(i).Tag.Get("yaml")
		known[name] = t.Field(i).Type
		names = append(names, name)
	}
	for _, entry := range s.entries(node, field) {
		name := key(entry)
		if of, ok := known[name]; ok {
			s.walk(entry.Value, of, below(field, name))
			continue
		}
		meant := ""
		if guess := nearest(name, names); guess != "" {
			meant = "did you mean " + guess + "? "
		}
		s.add(entry.Key, below(field, name), "there is no such field; %sallowed: %s", meant, strings.Join(names, ", "))
	}
}

// entries are those of a mapping, each key once.
func (s *shape) entries(node ast.Node, field string) []*ast.MappingValueNode {
	var all []*ast.MappingValueNode
	switch n := node.(type) {
	case *ast.MappingNode:
		all = n.Values
	case *ast.MappingValueNode:
		all = []*ast.MappingValueNode{n}
	default:
		s.add(node, field, "%s where fields are expected; write NAME: VALUE, a line each, further to the right", kind(node))
		return nil
	}
	lines := map[string]int{}
	var once []*ast.MappingValueNode
	for _, entry := range all {
		if entry.Key.IsMergeKey() {
			continue
		}
		name := key(entry)
		if line, twice := lines[name]; twice {
			s.add(entry.Key, below(field, name), "written twice, first in line %d; keep one", line)
			continue
		}
		lines[name] = entry.Key.GetToken().Position.Line
		once = append(once, entry)
	}
	return once
}

func (s *shape) list(node ast.Node, t reflect.Type, field string) {
	n, ok := node.(*ast.SequenceNode)
	if !ok {
		s.add(node, field, "%s where a list is expected; write [A, B]", kind(node))
		return
	}
	for i, entry := range n.Values {
		s.walk(entry, t.Elem(), fmt.Sprintf("%s[%d]", field, i))
	}
}

func (s *shape) instances(node ast.Node, field string) {
	switch n := node.(type) {
	case *ast.IntegerNode:
		if count := fmt.Sprint(n.Value); len(count) != 1 || count == "0" {
			s.add(node, field, "%s is out of range; allowed: 1 to 9, or a list of what each has of its own", count)
		}
	case *ast.SequenceNode:
		s.list(node, reflect.TypeFor[[]Instance](), field)
	default:
		s.add(node, field, "%s where a number is expected, 1 to 9, or a list of what each has of its own", kind(node))
	}
}

// budget is a duration, or 0 for none, which needs no unit.
func (s *shape) budget(node ast.Node, field string) {
	if n, ok := node.(*ast.IntegerNode); ok && fmt.Sprint(n.Value) == "0" {
		return
	}
	s.duration(node, field)
}

func (s *shape) duration(node ast.Node, field string) {
	n, ok := node.(*ast.StringNode)
	if ok {
		if _, err := time.ParseDuration(n.Value); err == nil {
			return
		}
	}
	s.add(node, field, "%s is no duration; write a number with its unit, such as 30s or 2m", kind(node))
}

func (s *shape) scalar(node ast.Node, t reflect.Type, field string) {
	_, mapping := node.(ast.MapNode)
	_, list := node.(*ast.SequenceNode)
	_, whole := node.(*ast.IntegerNode)
	_, truth := node.(*ast.BoolNode)
	switch {
	case t.Kind() == reflect.Int && !whole:
		s.add(node, field, "%s is no whole number; write digits alone", kind(node))
	case t.Kind() == reflect.Bool && !truth:
		s.add(node, field, "%s is neither true nor false; write one of them, without quotes", kind(node))
	case mapping || list:
		s.add(node, field, "%s where one value is expected; put it into quotes if it is one", kind(node))
	}
}

// kind says what is written, the value itself where it is short.
func kind(node ast.Node) string {
	switch n := node.(type) {
	case ast.MapNode:
		return "fields"
	case *ast.SequenceNode:
		return "a list"
	case *ast.LiteralNode:
		return "a text of several lines"
	case *ast.StringNode:
		return fmt.Sprintf("%q", brief(n.Value))
	default:
		return brief(node.String())
	}
}

// brief keeps a message within its line.
func brief(text string) string {
	const most = 40
	if long := []rune(text); len(long) > most {
		return string(long[:most]) + "…"
	}
	return text
}

func key(entry *ast.MappingValueNode) string {
	if s, ok := entry.Key.(*ast.StringNode); ok {
		return s.Value
	}
	return entry.Key.String()
}

func below(field, name string) string {
	if field == "" {
		return name
	}
	return field + "." + name
}

// nearest is the name that a person may have meant: the same but for capitals
// and dashes, or not more than a third of its letters away. Empty: none.
func nearest(name string, names []string) string {
	plain := func(s string) string {
		return strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(s))
	}
	best := slices.MinFunc(names, func(a, b string) int {
		return distance(plain(name), plain(a)) - distance(plain(name), plain(b))
	})
	if distance(plain(name), plain(best)) > max(1, len(best)/3) {
		return ""
	}
	return best
}

// distance is Levenshtein's: how many letters must be put in, taken out or
// changed.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0] // the row above, one to the left
		row[0] = i + 1
		for j := range len(b) {
			change := before
			if a[i] != b[j] {
				change++
			}
			before = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
