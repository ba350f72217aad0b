package target

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Requests is how the endpoints that change a session are asked: by a script
// in the frontend's page, and by the harness from outside. Pages that the
// contract describes ask by themselves.
type Requests struct {
	SignUp  Request `yaml:"signUp"`
	SignIn  Request `yaml:"signIn"`
	SignOut Request `yaml:"signOut"`
	// DeleteAccount is how contract.paths.deleteAccount is asked, from outside.
	DeleteAccount Request `yaml:"deleteAccount"`
	// CSRF is a token that is fetched before each of them.
	CSRF CSRF `yaml:"csrf"`
}

// Request is one of them.
type Request struct {
	// Method is POST where it is left out.
	Method string `yaml:"method"`
	// Type is "json", the default, or "form" (application/x-www-form-urlencoded).
	Type string `yaml:"type"`
	// Body are its fields. Strings may hold ${person.name}, ${person.email},
	// ${person.password} and ${csrf}.
	Body map[string]string `yaml:"body"`
	// Headers are added to it, beside those that follow from Type.
	Headers map[string]string `yaml:"headers"`
	// Answered is the status of success, 200 where it is left out, and Refused
	// that of a sign-in with a wrong password, 401 where it is left out.
	Answered int `yaml:"answered"`
	Refused  int `yaml:"refused"`
}

// CSRF is where a token against forged requests is had: its path, and the
// field of the JSON answer. Cookies that come with it are sent back.
type CSRF struct {
	Path  string `yaml:"path"`
	Field string `yaml:"field"`
}

// Bodies of requests.
const (
	TypeJSON = "json"
	TypeForm = "form"
)

// Blanks are what the strings of a request's body may hold.
type Blanks struct {
	Name, Email, Password, CSRF string
}

var blanks = []string{"${person.name}", "${person.email}", "${person.password}", "${csrf}"}

// Content writes a request's body, and says what its Content-Type is.
func (r Request) Content(b Blanks) (kind string, body []byte, err error) {
	fill := strings.NewReplacer(blanks[0], b.Name, blanks[1], b.Email, blanks[2], b.Password, blanks[3], b.CSRF)
	fields, form := map[string]string{}, url.Values{}
	for name, text := range r.Body {
		fields[name] = fill.Replace(text)
		form.Set(name, fields[name])
	}
	if r.Type == TypeForm {
		return "application/x-www-form-urlencoded", []byte(form.Encode()), nil
	}
	body, err = json.Marshal(fields)
	return "application/json", body, err
}

// filled has the defaults where nothing is written.
func (r Request) filled() Request {
	if r.Method == "" {
		r.Method = http.MethodPost
	}
	if r.Type == "" {
		r.Type = TypeJSON
	}
	if r.Answered == 0 {
		r.Answered = http.StatusOK
	}
	if r.Refused == 0 {
		r.Refused = http.StatusUnauthorized
	}
	return r
}

// fill gives each its defaults.
func (q *Requests) fill() {
	for _, r := range []*Request{&q.SignUp, &q.SignIn, &q.SignOut, &q.DeleteAccount} {
		*r = r.filled()
	}
}

func (t *Target) validateRequests(add adder) {
	q := t.Contract.Requests
	for _, r := range []struct {
		name string
		Request
	}{{"signUp", q.SignUp}, {"signIn", q.SignIn}, {"signOut", q.SignOut}, {"deleteAccount", q.DeleteAccount}} {
		field := "contract.requests." + r.name
		if !slices.Contains(changing, r.Method) {
			add(field+".method", "%q is not known; allowed: %s", r.Method, strings.Join(changing, ", "))
		}
		if r.Type != TypeJSON && r.Type != TypeForm {
			add(field+".type", "%q is not known; allowed: %s, %s", r.Type, TypeJSON, TypeForm)
		}
		for _, s := range []struct {
			name   string
			status int
		}{{".answered", r.Answered}, {".refused", r.Refused}} {
			if s.status < 200 || s.status > 599 {
				add(field+s.name, "%d is no status of an answer; write one such as 200 or 401", s.status)
			}
		}
		for name, text := range r.Body {
			if why := q.unknownBlank(text); why != "" {
				add(field+".body."+name, "%s", why)
			}
		}
	}
	if (q.CSRF.Path == "") != (q.CSRF.Field == "") {
		add("contract.requests.csrf", "write both path and field, or neither")
	}
	if q.CSRF.Path != "" && !strings.HasPrefix(q.CSRF.Path, "/") {
		add("contract.requests.csrf.path", "%q does not begin with a slash", q.CSRF.Path)
	}
}

// unknownBlank says why a string can never be filled in, or nothing.
func (q Requests) unknownBlank(text string) string {
	for _, found := range Reference.FindAllString(text, -1) {
		switch {
		case !slices.Contains(blanks, found):
			return fmt.Sprintf("%s is unknown; allowed: %s", found, strings.Join(blanks, ", "))
		case found == blanks[3] && q.CSRF.Path == "":
			return "${csrf} is asked for, and contract.requests.csrf does not say where it is had"
		}
	}
	return ""
}
