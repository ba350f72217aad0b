package inspect

import (
	"encoding/json"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"crossing/harness/target"
	"crossing/harness/trace"
)

// Blanks of a request's body, as target has them.
const (
	blankName     = "${person.name}"
	blankEmail    = "${person.email}"
	blankPassword = "${person.password}"
	blankCSRF     = "${csrf}"
)

// forged is how a token against forged requests is called.
var forged = regexp.MustCompile(`(?i)csrf|xsrf`)

// requests reads off the wire how a person signs up, in and out.
func (i *inference) requests() {
	c := &i.found.Contract
	i.csrf()
	for _, r := range []struct {
		name, step string
		path       *string
		request    *target.Request
		form       *Form
	}{
		{"signUp", stepSignUp, &c.Paths.SignUp, &c.Requests.SignUp, i.SignUp.Form},
		{"signIn", stepSignIn, &c.Paths.SignIn, &c.Requests.SignIn, i.SignIn.Form},
		{"signOut", stepSignOut, &c.Paths.SignOut, &c.Requests.SignOut, nil},
	} {
		e, seen := i.entering(r.step)
		if !seen {
			i.doubt("contract.paths."+r.name, fmt.Sprintf("no request was seen by which a person would %s", r.step), "the endpoints of the auth service", "")
			continue
		}
		*r.path = e.Path
		i.request(r.name, e, r.request, r.form)
		if e.Status >= http.StatusBadRequest {
			i.doubt("contract.requests."+r.name+".answered", strings.TrimSpace(fmt.Sprintf("it was answered %d %s", e.Status, brief(e.Response.Body))),
				"what that person lacks (a confirmed address, a password of another kind); EMAIL and PASSWORD name an account that may come in", "")
		}
		i.evidence(fmt.Sprintf("%-10s %s %s answers %d", r.step, e.Method, e.Path, e.Status))
	}
	refused, seen := i.entering(stepRefused)
	switch {
	case seen && refused.Path == c.Paths.SignIn:
		c.Requests.SignIn.Refused = refused.Status
		i.evidence(fmt.Sprintf("refused    a wrong password is answered %d", refused.Status))
	case i.SignIn.Form != nil:
		i.doubt("contract.requests.signIn.refused", "the answer to a wrong password was not seen", "its status", "")
	}
}

// csrf finds a token that is fetched before what changes a session.
func (i *inference) csrf() {
	c := &i.found.Contract
	c.Requests.CSRF = target.CSRF{}
	for _, step := range []string{stepSignIn, stepSignUp, stepSignOut} {
		for _, e := range i.during(step, trace.RoleAuth) {
			var fields map[string]any
			if e.Method != http.MethodGet || e.Status != http.StatusOK || json.Unmarshal([]byte(e.Response.Body), &fields) != nil {
				continue
			}
			for _, name := range slices.Sorted(maps.Keys(fields)) {
				if _, text := fields[name].(string); text && forged.MatchString(name) {
					c.Requests.CSRF = target.CSRF{Path: e.Path, Field: name}
					return
				}
			}
		}
	}
}

// request reads one request: its method, its kind, what its body holds, what
// it was answered. The trace keeps no body of a form: there its fields are the
// preset's, or those of the page's.
func (i *inference) request(name string, e trace.Exchange, r *target.Request, form *Form) {
	field := "contract.requests." + name
	like := *r
	r.Method = e.Method
	if e.Status < http.StatusBadRequest { // what is refused tells nothing of success
		r.Answered = e.Status
	}
	kind, _, _ := mime.ParseMediaType(e.Request.Get("Content-Type"))
	switch {
	case kind == "application/json":
		r.Type = target.TypeJSON
		i.body(field, e, r)
	case kind == "application/x-www-form-urlencoded":
		r.Type = target.TypeForm
		if like.Type == target.TypeForm {
			break
		}
		r.Body = i.fieldsOf(form)
		i.doubt(field+".body", "its fields are those of the page's form: what a script sent was not read", "the body of that request", "")
	case e.Request.Bytes > 0:
		i.doubt(field, fmt.Sprintf("its body is %q, which a contract cannot describe", kind), "whether the endpoint takes JSON or a form, too", "")
	default:
		r.Body = nil
	}
	r.Headers = custom(e.Request)
	if held := slices.IndexFunc(e.Request.Header, func(f trace.Field) bool { return forged.MatchString(f.Name) }); held >= 0 {
		i.doubt(field+".headers", fmt.Sprintf("%s carries a token against forged requests, which a contract can put into the body alone", e.Request.Header[held].Name),
			"whether it may stand in the body; pages that are driven need none of this", "")
	}
}

// body takes a JSON body apart into what stands for the person in it.
func (i *inference) body(field string, e trace.Exchange, r *target.Request) {
	var fields map[string]any
	if json.Unmarshal([]byte(e.Request.Body), &fields) != nil {
		return // {} or nothing that was kept: the preset's
	}
	r.Body = map[string]string{}
	var other []string
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		text, is := fields[name].(string)
		switch {
		case is && strings.EqualFold(text, i.Person.Email):
			r.Body[name] = blankEmail
		case is && text == i.Password:
			r.Body[name] = blankPassword
		case is && text == i.Person.Name:
			r.Body[name] = blankName
		case is && forged.MatchString(name):
			r.Body[name] = blankCSRF
		case is && !strings.HasPrefix(text, "hmac:"):
			r.Body[name] = text
		default:
			other = append(other, name)
		}
	}
	if len(r.Body) == 0 {
		r.Body = nil
	}
	if len(other) > 0 {
		i.doubt(field+".body", fmt.Sprintf("%s stood in it, too, and is left out: secrets and what is no text cannot be written there", strings.Join(other, ", ")),
			"whether the endpoint can do without", "")
	}
}

// fieldsOf are the fields of a page's form by their names.
func (i *inference) fieldsOf(form *Form) map[string]string {
	if form == nil {
		return nil
	}
	all := map[string]string{}
	for _, f := range []struct {
		field *Element
		blank string
	}{{form.Name, blankName}, {form.Email, blankEmail}, {form.Password, blankPassword}} {
		if f.field != nil && f.field.Attributes["name"] != "" {
			all[f.field.Attributes["name"]] = f.blank
		}
	}
	if csrf := i.found.Contract.Requests.CSRF; csrf.Path != "" {
		all[csrf.Field] = blankCSRF
	}
	return all
}

// custom are the headers that a page's own script has added: no browser sends
// one that begins so. Those that hold a secret are left out.
func custom(m trace.Message) map[string]string {
	var all map[string]string
	for _, f := range m.Header {
		name := strings.ToLower(f.Name)
		if !strings.HasPrefix(name, "x-") || strings.Contains(f.Value, "hmac:") || forged.MatchString(name) ||
			strings.HasPrefix(name, "x-forwarded-") || name == "x-request-id" {
			continue
		}
		if all == nil {
			all = map[string]string{}
		}
		all[name] = f.Value
	}
	return all
}

// reach narrows what pages may send and read across origins to what the auth
// service was seen to let them.
func (i *inference) reach() {
	cors := &i.found.Contract.CORS
	known := func(role trace.Role, header string, preflight bool) (all []string, seen bool) {
		for _, e := range i.Trace.Exchanges {
			if e.Role != role || e.Preflight != preflight || reserved(e.Path) {
				continue
			}
			for name := range strings.SplitSeq(e.Response.Get(header), ",") {
				if name = strings.ToLower(strings.TrimSpace(name)); name != "" {
					all, seen = append(all, name), true
				}
			}
			seen = seen || preflight
		}
		return all, seen
	}
	narrow := func(of []string, role trace.Role, header string, preflight bool) []string {
		let, seen := known(role, header, preflight)
		if !seen || slices.Contains(let, "*") {
			return of
		}
		return slices.DeleteFunc(slices.Clone(of), func(name string) bool { return !slices.Contains(let, name) })
	}
	cors.Auth.Allowed = narrow(cors.Auth.Allowed, trace.RoleAuth, "Access-Control-Allow-Headers", true)
	exposed, _ := known(trace.RoleAuth, "Access-Control-Expose-Headers", false)
	cors.Auth.Exposed = slices.DeleteFunc(slices.Clone(cors.Auth.Exposed), func(name string) bool { return !slices.Contains(exposed, name) })
}
