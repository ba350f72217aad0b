package target

import (
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
)

// fault is one thing wrong, by its field in the file.
type fault struct{ field, why string }

// hostName is a name of two or more labels (RFC 1123, section 2.1).
var hostName = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// imageName is what the engine takes for an image: small letters, with a tag
// or a digest (the grammar of the OCI distribution specification).
var imageName = regexp.MustCompile(`^[a-z0-9]+([._:/-]+[a-z0-9]+)*(:[\w][\w.-]{0,127})?(@sha256:[0-9a-f]{64})?$`)

var plainName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,30}$`)

// validate returns all faults, in the order of the file's sections.
func (t *Target) validate() []fault {
	var all []fault
	add := func(field, why string, args ...any) { all = append(all, fault{field, fmt.Sprintf(why, args...)}) }
	t.validateOrigins(add)
	t.validatePreviews(add)
	for _, name := range slices.Sorted(maps.Keys(t.Services)) {
		t.validateService(name, t.Services[name], add)
	}
	if cycle := t.cycle(); cycle != "" {
		add("services", "services need each other in a circle: %s; take one need out", cycle)
	}
	t.validateServes(add)
	t.validateContract(add)
	t.validateReferences(add)
	t.validateDatabase(add)
	return all
}

type adder func(field, why string, args ...any)

// role is a part of the application and its origin.
type role struct{ role, value string }

func (t *Target) roles() []role {
	return []role{{"frontend", t.Origins.Frontend}, {"auth", t.Origins.Auth}, {"api", t.Origins.API}, {"stranger", t.Origins.Stranger}}
}

func (t *Target) validateOrigins(add adder) {
	sites := map[string]string{}
	for _, o := range t.roles() {
		field := "origins." + o.role
		if o.value == "" {
			if o.role != "api" {
				add(field, "missing; write an origin such as https://%s.example.com", o.role)
			}
			continue
		}
		why, site := originFault(o.value)
		if why != "" {
			add(field, "%q %s", o.value, why)
			continue
		}
		sites[o.role] = site
	}
	if s := sites["stranger"]; s != "" && (s == sites["frontend"] || s == sites["auth"]) {
		add("origins.stranger", "%q is of the same site as the application (%s); the stranger must be of another", t.Origins.Stranger, s)
	}
	if sites["frontend"] != "" && sites["frontend"] == sites["auth"] && t.Contract.Cookie.Partitioned {
		add("origins.auth", "frontend and auth are of one site (%s), where a Partitioned session cookie has no purpose; use different registrable domains, or set contract.cookie.partitioned: false", sites["auth"])
	}
}

// originFault says what is wrong with an origin, or gives its site (HTML,
// "site": scheme and registrable domain by the public suffix list).
func originFault(value string) (why, site string) {
	u, err := url.Parse(value)
	switch {
	case err != nil || u.Host == "":
		return "is no origin; write scheme and host, such as https://docs.example.com", ""
	case u.Scheme != "https":
		return "is not https; a Secure cookie needs https", ""
	case strings.HasSuffix(value, "/"):
		return "ends in a slash; an origin has none: take it off", ""
	case u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		return "has more than scheme and host; an origin has no path, query or user", ""
	case u.Port() != "" || strings.HasSuffix(u.Host, ":"):
		return "names a port; the edge serves port 443 only: leave it out", ""
	case value != strings.ToLower(value):
		return "has capitals; browsers write origins in small letters: " + strings.ToLower(value), ""
	}
	if _, err := netip.ParseAddr(u.Hostname()); err == nil {
		return "is an address; cookies of sites need a name: use one under a listed top-level domain", ""
	}
	if ascii, err := idna.Lookup.ToASCII(u.Hostname()); err == nil && ascii != u.Hostname() {
		return "has letters other than a to z; write it as browsers send it: https://" + ascii, ""
	}
	if !hostName.MatchString(u.Hostname()) {
		return "is no name of a host; allowed: two or more words of letters, digits and hyphens, with dots between them, such as docs.example.com", ""
	}
	domain, err := publicsuffix.EffectiveTLDPlusOne(u.Hostname())
	if err != nil {
		return "is itself a public suffix; use a name below it", ""
	}
	// WebKit treats subdomains of unlisted top-level domains as third party
	// to each other, which would make auth and api strangers.
	if suffix, icann := publicsuffix.PublicSuffix(u.Hostname()); !icann && !strings.Contains(suffix, ".") {
		return fmt.Sprintf("is under %q, which is not on the public suffix list, so that WebKit would take its subdomains for different sites; use a name under .com, .net, .org ...", "."+suffix), ""
	}
	return "", u.Scheme + "://" + domain
}

func (t *Target) validateService(name string, s Service, add adder) {
	field := "services." + name
	if !plainName.MatchString(name) {
		add(field, "%q is no name for a service; allowed: small letters, digits and hyphens, at most 31", name)
	}
	if s.Image == "" && s.Dockerfile == "" && s.Command == "" {
		add(field, "nothing to run; give image or dockerfile (for containers) or command (for processes)")
	}
	if s.Image != "" && s.Dockerfile != "" {
		add(field+".image", "both image and dockerfile are given; keep one")
	}
	if s.Image != "" && !imageName.MatchString(s.Image) {
		add(field+".image", "%q is no name of an image; write one such as docker.io/library/postgres:17, in small letters", s.Image)
	}
	if s.Port < 1 || s.Port > 65535 {
		add(field+".port", "%d is no port; write the one that the container listens on, 1 to 65535", s.Port)
	}
	if (s.Ready.Path == "") == (s.Ready.SQL == "") {
		add(field+".ready", "write one of path (asked over HTTP until it answers 200) and sql (a PostgreSQL URL)")
	}
	if s.Ready.Path != "" && !strings.HasPrefix(s.Ready.Path, "/") {
		add(field+".ready.path", "%q does not begin with a slash", s.Ready.Path)
	}
	if s.Ready.Within < 0 {
		add(field+".ready.within", "%s is negative; write a limit such as 30s", s.Ready.Within)
	}
	folder := filepath.Join(t.Dir, s.Directory)
	if (s.Dockerfile != "" || s.Command != "") && !isDir(folder) {
		add(field+".directory", "%q is no folder beside %s", s.Directory, filepath.Base(t.Path))
	} else if s.Dockerfile != "" && !isFile(filepath.Join(folder, s.Dockerfile)) {
		add(field+".dockerfile", "%q is no file in %q", s.Dockerfile, s.Directory)
	}
	for i, need := range s.Needs {
		if _, known := t.Services[need]; !known {
			add(fmt.Sprintf("%s.needs[%d]", field, i), "%q is no service; there are: %s", need, strings.Join(slices.Sorted(maps.Keys(t.Services)), ", "))
		}
	}
}

// cycle names a circle of needs, "a → b → a", or nothing.
func (t *Target) cycle() string {
	const walking, done = 1, 2
	state := map[string]int{}
	var walk func(name string, path []string) string
	walk = func(name string, path []string) string {
		path = append(path, name)
		if state[name] == walking {
			return strings.Join(path[slices.Index(path, name):], " → ")
		}
		if state[name] == done {
			return ""
		}
		state[name] = walking
		for _, need := range t.Services[name].Needs {
			if found := walk(need, path); found != "" {
				return found
			}
		}
		state[name] = done
		return ""
	}
	for _, name := range slices.Sorted(maps.Keys(t.Services)) {
		if found := walk(name, nil); found != "" {
			return found
		}
	}
	return ""
}

func (t *Target) validateServes(add adder) {
	for _, s := range []struct{ role, service, origin string }{
		{"frontend", t.Serves.Frontend, t.Origins.Frontend}, {"auth", t.Serves.Auth, t.Origins.Auth}, {"api", t.Serves.API, t.Origins.API},
	} {
		field := "serves." + s.role
		_, known := t.Services[s.service]
		switch {
		case t.Remote() && s.service != "":
			add(field, "%q is no service: the file describes none", s.service)
		case t.Remote() || s.origin == "" && s.service == "":
		case s.service == "":
			add(field, "missing; name the service behind %s: %s", s.origin, strings.Join(slices.Sorted(maps.Keys(t.Services)), ", "))
		case !known:
			add(field, "%q is no service; there are: %s", s.service, strings.Join(slices.Sorted(maps.Keys(t.Services)), ", "))
		}
	}
}

func (t *Target) validateContract(add adder) {
	c := t.Contract
	if !slices.Contains(sameSites, c.Cookie.SameSite) {
		add("contract.cookie.sameSite", "%q is not known; allowed: %s", c.Cookie.SameSite, strings.Join(sameSites, ", "))
	}
	if c.Cookie.Name == "" {
		add("contract.cookie.name", "missing; write the session cookie's whole name")
	}
	for _, p := range []struct{ name, value string }{
		{"signUp", c.Paths.SignUp}, {"signIn", c.Paths.SignIn}, {"signOut", c.Paths.SignOut}, {"session", c.Paths.Session},
		{"list", c.Paths.List}, {"revoke", c.Paths.Revoke}, {"revokeAll", c.Paths.RevokeAll}, {"deleteAccount", c.Paths.DeleteAccount},
		{"token", c.Paths.Token}, {"keys", c.Paths.Keys}, {"api", c.Paths.API},
	} {
		if p.value != "" && !strings.HasPrefix(p.value, "/") {
			add("contract.paths."+p.name, "%q does not begin with a slash", p.value)
		}
	}
	if !slices.Contains(signatures, c.Signature) {
		add("contract.signature", "%q is not known; allowed: %s", c.Signature, strings.Join(signatures, ", "))
	}
	for name := range strings.SplitSeq(c.SignedIn.Person, ".") {
		if name == "" {
			add("contract.signedIn.person", "%q is no path into an answer; write names of fields with dots between them, such as user.email", c.SignedIn.Person)
			break
		}
	}
	t.validateRequests(add)
	if (c.Limit.Most == 0) != (c.Limit.Within == 0) || c.Limit.Most < 0 || c.Limit.Within < 0 {
		add("contract.limit", "write both most and within, such as {most: 3, within: 10s}, or neither")
	}
	if c.UpdateAge < 0 {
		add("contract.updateAge", "%d is no age; write seconds, or 0 where sessions are not lengthened", c.UpdateAge)
	}
	for _, b := range []struct {
		name  string
		value Budget
	}{{"signIn", c.Budgets.SignIn}, {"reload", c.Budgets.Reload}} {
		if b.value < 0 {
			add("contract.budgets."+b.name, "%s is negative; write a duration such as 1s, or 0 to judge none", b.value)
		}
	}
	if c.SigningSecret != "" && !t.Remote() {
		if auth, ok := t.Services[t.Serves.Auth]; ok {
			if _, set := auth.Environment[c.SigningSecret]; !set {
				add("contract.signingSecret", "%q is not in the environment of service %q", c.SigningSecret, t.Serves.Auth)
			}
		}
	}
}

// validateDatabase: without its address and the one question, rows cannot be
// looked up; the two changes are asked for by some specs only.
func (t *Target) validateDatabase(add adder) {
	if t.Database == nil {
		return
	}
	if u := t.Database.URL; !strings.HasPrefix(u, "postgres://") && !strings.HasPrefix(u, "postgresql://") && !strings.HasPrefix(u, "${") {
		add("database.url", "not the address of a PostgreSQL database; write postgres://USER:PASSWORD@${address.SERVICE}/NAME") // it may hold a password
	}
	if t.Database.Session == "" {
		add("database.session", "missing; write the SELECT of e-mail address and expiry for the session whose token is $1")
	}
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir()
}
