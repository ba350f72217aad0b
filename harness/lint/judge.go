package lint

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"crossing/harness/edge"
	"crossing/harness/trace"
)

// check is one thing that must be true. judge reads the answers alone; what a
// check says does not depend on what another one said.
type check struct {
	name, about string
	judge       func(*Answers) outcome
}

// checks in the order in which they must be mended.
func checks() []check {
	return []check{
		{"ready", "every instance answers and is ready", ready},
		{"frontend", "the frontend's page is there, and its settings name this target", frontend},
		{"sign-in", "a person can be signed up and in from the frontend's pages", signIn},
		{"cookie", "every instance sets the session cookie as agreed", cookie},
		{"instances", "a session of one instance is one of all: secret, cookie name, store", instances},
		{"session", "whoever shows a session is named, and nobody else", session},
		{"bearer", "the bearer token stands in where a browser keeps no cookie", bearer},
		{"trusted origins", "the frontend's origin may act, a stranger's and null may not", trusted},
		{"cors", "the frontend's pages may call and read, a stranger's may not", cors},
		{"keys", "the key set can be fetched, parsed, and is one for all instances", keys},
		{"token", "a session gets a token that verifies and lives long enough", token},
		{"issuer", "the token's issuer is the agreed one, whatever the Host", issuer},
		{"audience", "the token is for the agreed audience", audience},
		{"api", "the api takes the token, and nothing in its place", api},
		{"clock", "the services' clocks agree with this machine's", clock},
		{"caching", "no cache may keep a session or a token", caching},
		{"database", "every instance's session is in the database", database},
		{"renewal", "the cookie is set anew before it ends, just as it was set", renewal},
		{"sign-out", "signing out takes the cookie away and ends the session", signOut},
		{"rate limits", "a limiter of sign-ins keeps visitors apart", limits},
		{"tls", "certificates verify and do not end soon", certificates},
	}
}

// Judge holds every check against the answers. A cause that an earlier check
// has found already is told once: what follows from it is not checkable.
func Judge(a *Answers) Report {
	r := Report{Target: a.Name, Origins: a.Subject.Origins}
	told := map[string]string{}
	for _, c := range checks() {
		o := c.judge(a)
		result := Result{Name: c.name, About: c.about, State: OK, Said: o.said}
		var follows []string
		for _, f := range o.findings {
			if cause, by := explained(f.Cause, told); cause != "" {
				follows = append(follows, cause+" ("+by+")")
				continue
			}
			f.Mend = mendOf(f.Cause)
			result.Findings = append(result.Findings, f)
		}
		switch {
		case len(result.Findings) > 0:
			result.State = Found
		case len(follows) > 0:
			result.State, result.Said = NotCheckable, "follows from "+strings.Join(unique(follows), ", ")
		case o.unable != "":
			result.State, result.Said = NotCheckable, o.unable
		}
		for _, f := range result.Findings {
			told[f.Cause] = c.name
		}
		r.Results = append(r.Results, result)
	}
	return r
}

// consequences are causes that another one brings about by itself.
var consequences = map[string][]string{
	"token-key-unknown": {"stores-differ"},
	"stores-differ":     {"database-fault"},
	// One secret signs cookies and encrypts the keys that instances share.
	"keys-undecryptable": {"signature-refused"},
}

// explained returns the cause that was told before and that explains this one,
// and the check that told it.
func explained(cause string, told map[string]string) (by, check string) {
	for _, c := range append([]string{cause}, consequences[cause]...) {
		if check, before := told[c]; before {
			return c, check
		}
	}
	return "", ""
}

// outcome of one check: findings, or what was seen, or why it was unable to.
type outcome struct {
	said, unable string
	findings     []Finding
}

func unable(format string, args ...any) outcome { return outcome{unable: fmt.Sprintf(format, args...)} }

// find notes a finding, once per cause and instance; later evidence of the
// same is added to it.
func (o *outcome) find(cause, instance, title string, evidence ...string) {
	for i := range o.findings {
		if f := &o.findings[i]; f.Cause == cause && f.Instance == instance {
			f.Evidence = unique(append(f.Evidence, evidence...))
			return
		}
	}
	o.findings = append(o.findings, Finding{Cause: cause, Instance: instance, Title: title, Evidence: unique(evidence)})
}

func unique(lines []string) []string {
	var out []string
	for _, l := range lines {
		if l != "" && !slices.Contains(out, l) {
			out = append(out, l)
		}
	}
	return out
}

// code is a service's own word for what went wrong, in a JSON body.
func (x Answer) code() string {
	var body struct {
		Code  string `json:"code"`
		Error string `json:"error"`
	}
	if json.Unmarshal([]byte(x.Response.Body), &body) != nil {
		return ""
	}
	if body.Code == "" {
		return body.Error
	}
	return body.Code
}

// person is whom an answer on the session names.
func (x Answer) person() string {
	var body struct {
		User struct {
			Email string `json:"email"`
		} `json:"user"`
	}
	if json.Unmarshal([]byte(x.Response.Body), &body) != nil {
		return ""
	}
	return body.User.Email
}

func (x Answer) null() bool { return x.Status == 200 && strings.TrimSpace(x.Response.Body) == "null" }

// silent: the edge answered in the service's place.
func (x Answer) silent() bool { return x.Err != "" || x.Response.Get(edge.Header) != "" }

// who is what to call the instance that was asked.
func (x Answer) who() string {
	if x.To == "" || x.To == string(x.Role) {
		return map[trace.Role]string{trace.RoleAuth: "the auth service", trace.RoleAPI: "the api", trace.RoleFrontend: "the frontend"}[x.Role]
	}
	return x.To
}

// line quotes an answer as package diagnose does.
func (x Answer) line() string {
	outcome := fmt.Sprint(x.Status)
	switch {
	case x.Err != "":
		outcome = "no answer: " + x.Err
	case x.null():
		outcome = "200 null"
	case x.person() != "" && x.Question != qSignIn && x.Question != qSignUp:
		outcome += " " + x.person()
	case x.code() != "":
		outcome += " " + x.code()
	}
	text := fmt.Sprintf("%s %s %s%s → %s", x.ID, x.Method, x.Origin, x.Path, outcome)
	if x.To != "" && x.To != string(x.Role) {
		text += " (" + x.To + ")"
	}
	return text
}

// lines are the Set-Cookie lines that set the session cookie, under its agreed
// name or under one that differs in its prefix alone.
func (a *Answers) lines(x Answer) []trace.SetCookie {
	var out []trace.SetCookie
	for _, l := range x.Response.SetCookies {
		if !l.Removes() && sameStem(l.Name, a.Subject.Cookie.Name) {
			out = append(out, l)
		}
	}
	return out
}

// removals are those that take it away.
func (a *Answers) removals(x Answer) []trace.SetCookie {
	var out []trace.SetCookie
	for _, l := range x.Response.SetCookies {
		if l.Removes() && sameStem(l.Name, a.Subject.Cookie.Name) {
			out = append(out, l)
		}
	}
	return out
}

// sameStem compares what BetterAuth puts behind the prefix ("session_token").
func sameStem(a, b string) bool { return stem(a) == stem(b) }

func stem(name string) string {
	name = strings.TrimPrefix(strings.TrimPrefix(name, "__Secure-"), "__Host-")
	return name[strings.LastIndexByte(name, '.')+1:]
}

func list(names []string) string { return strings.Join(names, ", ") }
