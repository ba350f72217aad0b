package target

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"crossing/harness/trace"
)

// DefaultName is the file that a user writes.
const DefaultName = "crossing.yaml"

// Target is an application as a browser sees it, validated.
type Target struct {
	File
	// Path is the file that it was read from, Dir its folder: both absolute.
	Path string
	Dir  string
}

// Remote says that there are no services to start: the origins are reached as
// they are.
func (t *Target) Remote() bool { return len(t.Services) == 0 }

// Elsewhere is a site of the harness's own beside the stranger's: a top-level
// site to compare it with where the application has one site alone.
const Elsewhere = "https://www.crossing-elsewhere.org"

// OneSite says that frontend and auth service are of one site, where the
// session cookie is no third party's.
func (t *Target) OneSite() bool {
	_, front := originFault(t.Origins.Frontend)
	_, auth := originFault(t.Origins.Auth)
	return front != "" && front == auth
}

// Measured are the origins by which a browser is measured: the target's own
// or, where frontend and auth service are of one site, between which no cookie
// is a third party's, the stranger's pages in place of the frontend's.
func (t *Target) Measured() trace.Origins {
	o := t.Origins
	if t.OneSite() {
		o.Frontend, o.Stranger = o.Stranger, Elsewhere
	}
	return o
}

// Only is the file with one service and all that it needs.
func (t *Target) Only(service string) File {
	f := t.File
	f.Services = map[string]Service{}
	var add func(name string)
	add = func(name string) {
		f.Services[name] = t.Services[name]
		for _, need := range t.Services[name].Needs {
			add(need)
		}
	}
	add(service)
	return f
}

// Subject is what a trace keeps of the target.
func (t *Target) Subject() trace.Subject {
	c, q := t.Contract, t.Contract.Requests
	s := trace.Subject{
		Name: t.Name, Origins: t.Origins, Cookie: c.Cookie, Paths: c.Paths, Issuer: c.Issuer, Audience: c.Audience,
		SignedIn: c.SignedIn, Preset: c.Preset,
		Methods: trace.Methods{SignUp: q.SignUp.Method, SignIn: q.SignIn.Method, SignOut: q.SignOut.Method},
		Refused: q.SignIn.Refused,
	}
	if c.Preset == BetterAuth { // what a trace takes for granted
		s.Preset = ""
	}
	return s
}

// Load reads and validates a crossing.yaml. Its error lists every problem, a
// line each, with file, line and field.
func Load(path string) (*Target, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("find %s: %w", path, err)
	}
	if info, err := os.Stat(absolute); err == nil && info.IsDir() {
		absolute = filepath.Join(absolute, DefaultName)
	}
	text, err := read(absolute)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("there is no %s: name the file that describes your application with --config (CONFIG= for make)", shown(path, absolute))
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return Parse(absolute, text)
}

// most is how long a crossing.yaml may be, in bytes: one that is longer is
// something else, such as a device that never ends.
const most = 1 << 20

// read reads a text, from a pipe, too.
func read(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	text, err := io.ReadAll(io.LimitReader(file, most+1))
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")) // the mark that some editors of Windows put first
	switch {
	case err != nil:
		return nil, err
	case len(text) > most:
		return nil, fmt.Errorf("it is longer than %d MiB, which no description of an application is", most>>20)
	case !utf8.Valid(text) || bytes.IndexByte(text, 0) >= 0:
		return nil, errors.New("it is no text; a crossing.yaml is YAML in UTF-8")
	}
	return text, nil
}

// shown is the path as it was given, with what was looked for in a folder.
func shown(path, absolute string) string {
	if filepath.Base(absolute) == filepath.Base(path) {
		return path
	}
	return filepath.Join(path, filepath.Base(absolute))
}

// Parse reads and validates the text of a crossing.yaml that stands, or is to
// stand, at an absolute path.
func Parse(path string, text []byte) (*Target, error) {
	t := &Target{Path: path, Dir: filepath.Dir(path)}
	tree, err := parser.ParseBytes(text, 0, parser.AllowDuplicateMapKey()) // shape knows the fields by their paths
	if err != nil {
		return nil, malformed(path, text, err)
	}
	switch {
	case len(tree.Docs) == 0 || tree.Docs[0].Body == nil:
		return nil, fmt.Errorf("%s is empty: it must at least name origins.frontend and origins.auth", path)
	case len(tree.Docs) > 1:
		return nil, fmt.Errorf("%s holds %d documents; write one, without lines of ---", path, len(tree.Docs))
	}
	written := shape{path: path}
	written.walk(tree.Docs[0].Body, reflect.TypeFor[File](), "")
	if len(written.problems) > 0 {
		return nil, written.problems
	}
	// The preset comes first, so that what the file says stands over it.
	var first struct {
		Contract struct {
			Preset string `yaml:"preset"`
		} `yaml:"contract"`
	}
	if err := yaml.Unmarshal(text, &first); err != nil {
		return nil, malformed(path, text, err)
	}
	name := first.Contract.Preset
	if name == "" {
		name = BetterAuth
	}
	preset, known := presets[name]
	if !known {
		return nil, Problems{at(path, tree, "contract.preset", fmt.Sprintf("unknown preset %q; allowed: %s", name, strings.Join(presetNames(), ", ")))}
	}
	t.Contract = preset
	if err := yaml.NewDecoder(bytes.NewReader(text), yaml.DisallowUnknownField()).Decode(&t.File); err != nil {
		return nil, malformed(path, text, err)
	}
	t.fill()
	var problems Problems
	for _, f := range t.validate() {
		problems = append(problems, at(path, tree, f.field, f.why))
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return t, nil
}

// fill sets what follows from the rest of the file.
func (t *Target) fill() {
	if t.Name == "" {
		t.Name = filepath.Base(t.Dir)
	}
	if t.Origins.Stranger == "" {
		t.Origins.Stranger = "https://www.crossing-stranger.org"
	}
	if t.Contract.Issuer == "" {
		t.Contract.Issuer = t.Origins.Auth
	}
	if t.Contract.Audience == "" {
		t.Contract.Audience = t.Origins.Auth
	}
	t.Contract.Requests.fill()
	for name, s := range t.Services {
		if len(s.Instances) == 0 {
			s.Instances = Instances{{}}
		}
		t.Services[name] = s
	}
}

// Problem is one thing wrong with a crossing.yaml.
type Problem struct {
	File  string
	Line  int
	Field string
	Why   string
}

// Error is "FILE:LINE: FIELD: WHY".
func (p Problem) Error() string {
	return fmt.Sprintf("%s:%d: %s: %s", p.File, p.Line, p.Field, p.Why)
}

// Problems are all that is wrong with a crossing.yaml.
type Problems []Problem

// Error lists them, a line each.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i := range p {
		lines[i] = p[i].Error()
	}
	return strings.Join(lines, "\n")
}

// at finds the line of field, or of its nearest parent that the file has.
func at(path string, tree *ast.File, field, why string) Problem {
	p := Problem{File: path, Line: 1, Field: field, Why: why}
	for rest := field; rest != ""; {
		query, err := yaml.PathString("$." + rest)
		if err == nil {
			if node, err := query.FilterFile(tree); err == nil && node != nil && node.GetToken() != nil {
				p.Line = node.GetToken().Position.Line
				return p
			}
		}
		i := strings.LastIndexByte(rest, '.')
		if i < 0 {
			break
		}
		rest = rest[:i]
	}
	return p
}

// malformed turns the YAML library's error into a Problem, keeping its words.
func malformed(path string, text []byte, err error) error {
	var y yaml.Error
	p := Problem{File: path, Line: 1, Field: "(syntax)"}
	if !errors.As(err, &y) {
		// A value's own parser (a duration, instances) knows no position, but
		// quotes the value: the first line that holds it is the place.
		p.Why = err.Error()
		if quoted := strings.Split(p.Why, `"`); len(quoted) > 2 {
			before, _, found := bytes.Cut(text, []byte(quoted[1]))
			if found {
				p.Line, p.Field = 1+bytes.Count(before, []byte("\n")), quoted[1]
			}
		}
		return Problems{p}
	}
	p.Why = y.GetMessage()
	if tok := y.GetToken(); tok != nil {
		p.Line = tok.Position.Line
		if near := strings.TrimSpace(tok.Value); near != "" {
			p.Why += fmt.Sprintf(", near %q", brief(near))
		}
	}
	if strings.Contains(p.Why, "'\t'") {
		p.Why = "a tab stands before the field; YAML is indented with spaces"
	}
	return Problems{p}
}

// UnmarshalYAML reads a number ("instances: 2") or a list of differences.
func (i *Instances) UnmarshalYAML(data []byte) error {
	var n int
	if yaml.Unmarshal(data, &n) == nil {
		if n < 1 || n > 9 {
			return fmt.Errorf("instances: %d is out of range; allowed: 1 to 9, or a list", n)
		}
		*i = make(Instances, n)
		return nil
	}
	var list []Instance
	if err := yaml.UnmarshalWithOptions(data, &list, yaml.DisallowUnknownField()); err != nil {
		return err
	}
	*i = list
	return nil
}

// UnmarshalYAML reads a duration ("800ms") or 0.
func (b *Budget) UnmarshalYAML(data []byte) error {
	var text string
	if err := yaml.Unmarshal(data, &text); err != nil {
		return err
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return fmt.Errorf("budgets: %q is no duration; write one such as 1s, or 0 to judge none", text)
	}
	*b = Budget(d)
	return nil
}
