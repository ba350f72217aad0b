package inspect

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"crossing/harness/target"
	"crossing/harness/trace"
)

// libraries are those with a preset: what their endpoints end in, below the
// path that an application has put them under.
var libraries = map[string]struct{ session, signUp, signIn string }{
	target.BetterAuth: {"/get-session", "/sign-up/", "/sign-in/"},
	target.AuthJS:     {"/session", "/callback/", "/callback/"},
}

// bases are the paths that a library's endpoints may begin with: by where the
// person entered, and by each preset.
func (s Seen) bases() []string {
	var all []string
	add := func(base string) {
		for _, known := range all {
			if known == base {
				return
			}
		}
		all = append(all, base)
	}
	for _, step := range []string{stepSignIn, stepSignUp} {
		e, entered := s.entering(step)
		if !entered {
			continue
		}
		for _, l := range libraries {
			if base, _, cut := strings.Cut(e.Path, l.signIn); cut {
				add(base)
			}
			if base, _, cut := strings.Cut(e.Path, l.signUp); cut {
				add(base)
			}
		}
	}
	add("/api/auth")
	add("/auth")
	return all
}

// preset recognises the library by what its endpoints answer, never by a name
// alone, and fills in what was not seen.
func (i *inference) preset() {
	c := &i.found.Contract
	name, why := i.recognised()
	if name == "" {
		// Its paths are nobody's, and it has no tokens: what is written stands
		// over it, and nothing else is taken for granted.
		name = target.ExpressSession
		i.doubt("contract.preset", "no library was recognised by its answers; what is left out below is this preset's, and mends are told in the words of its library",
			"which library the auth service is made with: better-auth, express-session, auth-js", "")
	} else {
		i.evidence(fmt.Sprintf("preset     %s: %s", name, why))
	}
	like, _ := target.Preset(name)
	found := *c
	*c = like
	c.Preset = name
	if l, known := libraries[name]; known && found.Paths.Session != "" {
		if base, is := strings.CutSuffix(found.Paths.Session, l.session); is {
			i.base = base
			rebase(&c.Paths, strings.TrimSuffix(like.Paths.Session, l.session), base)
		}
	}
	if found.Paths.Session != "" {
		c.Paths.Session, c.SignedIn = found.Paths.Session, found.SignedIn
	}
	if found.Cookie.Name != "" {
		c.Cookie = found.Cookie
		i.signature()
	} else if i.Target.OneSite() {
		c.Cookie.Partitioned = false
	}
	if name == target.BetterAuth {
		i.list()
		i.doubt("contract.updateAge", fmt.Sprintf("how old a session becomes before it is lengthened cannot be seen at once: %d seconds is the preset's", c.UpdateAge),
			"session.updateAge in the auth service", fmt.Sprintf("updateAge: %d", c.UpdateAge))
		i.doubt("contract.limit", fmt.Sprintf("how often one address may sign in was not tried out: %d in %s is the preset's", c.Limit.Most, c.Limit.Within),
			"rateLimit in the auth service", fmt.Sprintf("limit: {most: %d, within: %s}", c.Limit.Most, c.Limit.Within))
	} else {
		i.doubt("contract.limit", "how often one address may sign in was not tried out, and none is taken for granted", "the auth service's rate limiter, if it has one", "limit: {most: 3, within: 10s}")
	}
}

// list looks whether a person's own sessions are listed where the library does;
// those of them that end sessions are not tried out.
func (i *inference) list() {
	path := i.found.Contract.Paths.List
	listed := i.of(trace.RoleAuth, func(e trace.Exchange) bool {
		return e.Method == http.MethodGet && e.Path == path && e.Status == http.StatusOK && strings.HasPrefix(e.Response.Body, "[")
	})
	if len(listed) == 0 {
		i.doubt("contract.paths.list", fmt.Sprintf("%s was not seen to list the person's sessions: this path, and those to end them by, are the preset's", path), "the endpoints of the auth service", "")
	}
}

func (i *inference) signature() {
	c := &i.found.Contract
	kind := i.Values[i.set.Digest]
	if kind == "" || kind == c.Signature {
		return
	}
	i.doubt("contract.signature", fmt.Sprintf("the cookie's value does not look signed as the preset's are (%s)", c.Signature), "how the auth service signs it", "")
	c.Signature = kind
}

// recognised is the preset of the library, and what it was recognised by.
func (i *inference) recognised() (name, why string) {
	answer := func(suffix string, fits func(map[string]any) bool) (string, bool) {
		for _, e := range i.of(trace.RoleAuth, func(e trace.Exchange) bool {
			return e.Method == http.MethodGet && e.Status == http.StatusOK && strings.HasSuffix(e.Path, suffix)
		}) {
			var fields map[string]any
			if json.Unmarshal([]byte(e.Response.Body), &fields) == nil && fits(fields) {
				return e.Path, true
			}
		}
		return "", false
	}
	has := func(names ...string) func(map[string]any) bool {
		return func(fields map[string]any) bool {
			for _, name := range names {
				if fields[name] == nil {
					return false
				}
			}
			return true
		}
	}
	session := func(fields map[string]any) bool {
		s, _ := fields["session"].(map[string]any)
		return s["userId"] != nil && s["expiresAt"] != nil && fields["user"] != nil
	}
	if path, is := answer("/get-session", session); is {
		return target.BetterAuth, fmt.Sprintf("GET %s answers with its session and user", path)
	}
	if path, is := answer("/ok", func(f map[string]any) bool { return f["ok"] == true }); is && i.told.Path == "" {
		return target.BetterAuth, fmt.Sprintf("GET %s answers as it does", path)
	}
	csrf, is := answer("/csrf", has("csrfToken"))
	if is {
		if path, is := answer("/session", has("user", "expires")); is {
			return target.AuthJS, fmt.Sprintf("GET %s answers with user and expires, and GET %s with csrfToken", path, csrf)
		}
		if path, is := answer("/providers", func(f map[string]any) bool { return len(f) > 0 }); is && i.told.Path == "" {
			return target.AuthJS, fmt.Sprintf("GET %s answers with csrfToken, and GET %s with providers", csrf, path)
		}
	}
	if i.Values[i.set.Digest] == target.ExpressSession {
		return target.ExpressSession, fmt.Sprintf("the value of %s is signed as its are", i.set.Name)
	}
	return "", ""
}

// rebase puts a preset's paths under another one.
func rebase(p *trace.Paths, from, to string) {
	for _, path := range []*string{&p.SignUp, &p.SignIn, &p.SignOut, &p.Session, &p.List, &p.Revoke, &p.RevokeAll, &p.Token, &p.Keys} {
		if rest, below := strings.CutPrefix(*path, from+"/"); below {
			*path = to + "/" + rest
		}
	}
}

func unescaped(value string) string {
	if plain, err := url.PathUnescape(value); err == nil {
		return plain
	}
	return value
}
