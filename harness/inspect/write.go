package inspect

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"crossing/harness/target"
)

// Heading is what stands above a file.
type Heading struct {
	// Schema is the path of the JSON schema, by which editors complete.
	Schema string
	// Name is what reports call the application.
	Name string
	// By says how the file came to be.
	By string
}

// YAML writes a crossing.yaml: what was found, and at each field that is
// doubted a comment that says why.
func (f Found) YAML(h Heading) string {
	w := &writer{doubts: slices.Clone(f.Doubts)}
	like, _ := target.Preset(f.Contract.Preset)
	c := f.Contract
	w.line(0, "# yaml-language-server: $schema="+h.Schema)
	w.line(0, "# "+h.By)
	if len(f.Doubts) > 0 {
		w.line(0, "# What it could not tell for certain stands below as \"unsure\": look there, correct the field, take the comment away.")
	}
	w.line(0, "name: "+scalar(h.Name))
	w.line(0, "")
	w.line(0, "origins:")
	w.field(1, "origins.frontend", f.Origins.Frontend)
	w.field(1, "origins.auth", f.Origins.Auth)
	w.field(1, "origins.api", f.Origins.API)
	w.line(0, "")
	w.line(0, "# The origins are reached as they are. To have Crossing start the application itself, describe its services here.")
	w.line(0, "")
	w.line(0, "contract:")
	w.field(1, "contract.preset", c.Preset)
	w.under(1, "contract.cookie")
	w.line(1, "cookie: "+flow(
		"name", scalar(c.Cookie.Name), "secure", strconv.FormatBool(c.Cookie.Secure), "httpOnly", strconv.FormatBool(c.Cookie.HTTPOnly),
		"sameSite", c.Cookie.SameSite, "partitioned", strconv.FormatBool(c.Cookie.Partitioned), "path", scalar(c.Cookie.Path), "lifetime", strconv.Itoa(c.Cookie.Lifetime)))
	w.paths(c, like)
	w.requests(c.Requests, like.Requests)
	if c.SignedIn != like.SignedIn {
		w.line(1, "signedIn: "+flow("person", scalar(c.SignedIn.Person)))
	}
	w.differing(1, "contract.signature", c.Signature, like.Signature)
	w.differing(1, "contract.issuer", c.Issuer, "")
	w.differing(1, "contract.audience", c.Audience, "")
	if !reflect.DeepEqual(c.CORS, like.CORS) {
		w.line(1, "cors:")
		w.line(2, "auth: "+flow("allowed", list(c.CORS.Auth.Allowed), "exposed", list(c.CORS.Auth.Exposed)))
		w.line(2, "api: "+flow("allowed", list(c.CORS.API.Allowed), "exposed", list(c.CORS.API.Exposed)))
	}
	w.under(1, "contract.updateAge")
	w.under(1, "contract.limit")
	w.under(1, "contract.fallbackSetting")
	w.pages(c.Pages)
	w.under(1, "") // whatever has found no place above
	return w.text.String()
}

// writer writes lines, and the doubts about a field above it.
type writer struct {
	text   strings.Builder
	doubts []Doubt
}

func (w *writer) line(depth int, text string) {
	if text != "" {
		text = strings.Repeat("  ", depth) + text
	}
	w.text.WriteString(text + "\n")
}

// under writes the doubts about a field and all below it that are not written
// yet, each once.
func (w *writer) under(depth int, field string) {
	w.doubts = slices.DeleteFunc(w.doubts, func(d Doubt) bool {
		if field != "" && d.Field != field && !strings.HasPrefix(d.Field, field+".") {
			return false
		}
		w.line(depth, fmt.Sprintf("# unsure: %s: %s", d.Field, oneLine(d.String())))
		if d.Sketch != "" {
			w.line(depth, "# "+oneLine(d.Sketch))
		}
		return true
	})
}

// field writes a field of one value, where it has one.
func (w *writer) field(depth int, field, value string) {
	w.under(depth, field)
	if value != "" {
		w.line(depth, field[strings.LastIndexByte(field, '.')+1:]+": "+scalar(value))
	}
}

// differing writes a field that is not what the preset has.
func (w *writer) differing(depth int, field, value, preset string) {
	w.under(depth, field)
	if value != preset {
		w.line(depth, field[strings.LastIndexByte(field, '.')+1:]+": "+scalar(value))
	}
}

// paths are those that were found, and those that the preset's must not stand
// in for.
func (w *writer) paths(c, like target.Contract) {
	p, q := c.Paths, like.Paths
	w.line(1, "paths:")
	for _, path := range []struct{ name, value, preset string }{
		{"signUp", p.SignUp, q.SignUp}, {"signIn", p.SignIn, q.SignIn}, {"signOut", p.SignOut, q.SignOut}, {"session", p.Session, q.Session},
		{"list", p.List, q.List}, {"revoke", p.Revoke, q.Revoke}, {"revokeAll", p.RevokeAll, q.RevokeAll},
		{"token", p.Token, q.Token}, {"keys", p.Keys, q.Keys}, {"api", p.API, q.API},
	} {
		w.under(2, "contract.paths."+path.name)
		switch {
		case path.value != "":
			w.line(2, path.name+": "+scalar(path.value))
		case path.preset != "":
			w.line(2, path.name+`: ""`)
		}
	}
}

func (w *writer) requests(q, like target.Requests) {
	var lines []string
	for _, r := range []struct {
		name        string
		found, like target.Request
	}{{"signUp", q.SignUp, like.SignUp}, {"signIn", q.SignIn, like.SignIn}, {"signOut", q.SignOut, like.SignOut}} {
		if text := request(r.found, r.like); text != "" {
			lines = append(lines, r.name+": "+text)
		}
	}
	if q.CSRF != like.CSRF {
		lines = append(lines, "csrf: "+flow("path", scalar(q.CSRF.Path), "field", scalar(q.CSRF.Field)))
	}
	w.under(1, "contract.requests")
	if len(lines) == 0 {
		return
	}
	w.line(1, "requests:")
	for _, line := range lines {
		w.line(2, line)
	}
}

// request is what differs of a request from the preset's.
func request(r, like target.Request) string {
	var parts []string
	add := func(name, value, preset string) {
		if value != preset {
			parts = append(parts, name, value)
		}
	}
	add("method", r.Method, like.Method)
	add("type", r.Type, like.Type)
	add("answered", strconv.Itoa(r.Answered), strconv.Itoa(like.Answered))
	add("refused", strconv.Itoa(r.Refused), strconv.Itoa(like.Refused))
	add("body", texts(r.Body), texts(like.Body))
	add("headers", texts(r.Headers), texts(like.Headers))
	if len(parts) == 0 {
		return ""
	}
	return flow(parts...)
}

func (w *writer) pages(p target.Pages) {
	w.line(1, "pages:")
	w.field(2, "contract.pages.home", p.Home)
	w.field(2, "contract.pages.other", p.Other)
	w.field(2, "contract.pages.otherLink", p.OtherLink)
	for _, f := range []struct {
		name string
		form target.Form
	}{{"signUp", p.SignUp}, {"signIn", p.SignIn}} {
		w.under(2, "contract.pages."+f.name)
		if f.form.Path != "" {
			w.line(2, f.name+": "+given("path", f.form.Path, "name", f.form.Name, "email", f.form.Email, "password", f.form.Password,
				"submit", f.form.Submit, "landing", f.form.Landing, "landed", f.form.Landed, "error", f.form.Error))
		}
	}
	w.under(2, "contract.pages.standing")
	if s := p.Standing; s.Selector != "" {
		w.line(2, "standing: "+given("selector", s.Selector, "state", s.State, "signedIn", s.SignedIn, "signedOut", s.SignedOut, "person", s.Person, "by", s.By))
	}
	w.under(2, "contract.pages.callAPI")
	if p.CallAPI.Click != "" {
		w.line(2, "callAPI: "+given("click", p.CallAPI.Click, "answer", p.CallAPI.Answer, "status", p.CallAPI.Status))
	}
	w.field(2, "contract.pages.signOut", p.SignOut)
	w.under(2, "contract.pages")
}

// plain are texts that YAML takes for texts without quotes (YAML 1.2, section
// 7.3.3) and for nothing else, in a flow, too.
var plain = regexp.MustCompile(`^(https?://)?[A-Za-z/_][A-Za-z0-9/_.-]*$`)

// scalar writes one text; JSON's strings are YAML's, too.
func scalar(text string) string {
	if plain.MatchString(text) && !slices.Contains([]string{"true", "false", "null", "yes", "no", "on", "off", "y", "n"}, strings.ToLower(text)) {
		return text
	}
	var out strings.Builder
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(text) // texts encode
	return strings.TrimSpace(out.String())
}

// flow writes names and values that are written already.
func flow(parts ...string) string {
	var fields []string
	for i := 0; i+1 < len(parts); i += 2 {
		fields = append(fields, parts[i]+": "+parts[i+1])
	}
	return "{" + strings.Join(fields, ", ") + "}"
}

// given writes names and those of the texts that there are.
func given(parts ...string) string {
	var all []string
	for i := 0; i+1 < len(parts); i += 2 {
		if parts[i+1] != "" {
			all = append(all, parts[i], scalar(parts[i+1]))
		}
	}
	return flow(all...)
}

func texts(all map[string]string) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		parts = append(parts, scalar(name), scalar(all[name]))
	}
	return flow(parts...)
}

func list(all []string) string {
	var out []string
	for _, text := range all {
		out = append(out, scalar(text))
	}
	return "[" + strings.Join(out, ", ") + "]"
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
