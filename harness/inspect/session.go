package inspect

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"crossing/harness/target"
	"crossing/harness/trace"
)

// names says whether an answer names the person, and where in its JSON.
func (s Seen) names(e trace.Exchange) (field string, named bool) {
	if e.Method != http.MethodGet || e.Status != http.StatusOK {
		return "", false
	}
	return fieldOf(e.Response.Body, s.Person.Email)
}

// fieldOf finds the field that holds a text in a JSON object, by its path with
// dots. One that is called after an e-mail address goes first, then the one
// that lies least deep. Members of lists have no such path.
func fieldOf(body, text string) (path string, found bool) {
	var value any
	if json.Unmarshal([]byte(body), &value) != nil {
		return "", false
	}
	var all []string
	var walk func(at string, value any)
	walk = func(at string, value any) {
		fields, _ := value.(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(fields)) {
			below := strings.TrimPrefix(at+"."+name, ".")
			if held, ok := fields[name].(string); ok && strings.EqualFold(held, text) && !strings.Contains(name, ".") {
				all = append(all, below)
			}
			walk(below, fields[name])
		}
	}
	walk("", value)
	if len(all) == 0 {
		return "", false
	}
	rank := func(path string) int {
		deep := strings.Count(path, ".")
		if !strings.HasSuffix(strings.ToLower(path), "email") {
			deep += 100
		}
		return deep
	}
	return slices.MinFunc(all, func(a, b string) int { return rank(a) - rank(b) }), true
}

// session finds the endpoint that tells a page who is signed in, and what it
// tells nobody.
func (i *inference) session() {
	c := &i.found.Contract
	telling := i.of(trace.RoleAuth, func(e trace.Exchange) bool { _, named := i.names(e); return named })
	if len(telling) == 0 {
		why := "no GET of the auth service answered with the e-mail address of the person who had signed in"
		if len(i.candidates()) == 0 {
			why = "nobody was seen to be signed in"
		}
		i.doubt("contract.paths.session", why,
			"what the frontend asks after a sign-in (the browser's developer tools, Network)", "session: /session")
		return
	}
	own, asked := 0, map[string]int{}
	for _, e := range telling {
		if !e.Outside {
			own++
			asked[e.Path]++
		}
	}
	paths := slices.SortedFunc(maps.Keys(asked), func(a, b string) int {
		if asked[a] != asked[b] {
			return asked[b] - asked[a]
		}
		return strings.Compare(a, b)
	})
	i.told = telling[0]
	switch {
	case own == 0:
		i.doubt("contract.paths.session", fmt.Sprintf("%s names the person when it is asked from outside, and no page was seen to be told so", i.told.Path),
			"whether the browser kept the session cookie (crossing diagnose says why not); ENGINE=chromium-allow keeps every one, so that the rest can be found", "")
	default:
		at := slices.IndexFunc(telling, func(e trace.Exchange) bool { return e.Path == paths[0] })
		i.told = telling[at]
	}
	if len(paths) > 1 {
		i.doubt("contract.paths.session", fmt.Sprintf("%s name the person; %s was asked most", strings.Join(paths, " and "), paths[0]),
			"which of them the frontend takes for the session", "")
	}
	c.Paths.Session = i.told.Path
	c.SignedIn.Person, _ = i.names(i.told)
	i.evidence(fmt.Sprintf("session    GET %s names the person in %s", i.told.Path, c.SignedIn.Person))
	i.nobody()
}

// nobody looks at what the session's endpoint answers to one who is not signed
// in: a contract knows that by a 200 without a person.
func (i *inference) nobody() {
	c := i.found.Contract
	other := i.of(trace.RoleAuth, func(e trace.Exchange) bool {
		_, named := i.names(e)
		return e.Method == http.MethodGet && e.Path == c.Paths.Session && !named
	})
	if len(other) == 0 {
		i.doubt("contract.paths.session", "what it answers to nobody was not seen", "its answer without a cookie: a 200 that names no person is expected", "")
		return
	}
	for _, e := range other {
		if _, nobody := c.SignedIn.Of(e.Status, e.Response.Body); nobody {
			i.evidence(fmt.Sprintf("nobody     GET %s answers %d %s", e.Path, e.Status, brief(e.Response.Body)))
			return
		}
	}
	i.doubt("contract.paths.session", fmt.Sprintf("it answers %d to nobody, where a 200 that names no person is expected", other[0].Status),
		"specs about signed-out people, which take that answer for an error", "")
}

// brief keeps an answer within its line.
func brief(body string) string {
	const most = 120
	if long := []rune(oneLine(body)); len(long) > most {
		return string(long[:most]) + "…"
	}
	return oneLine(body)
}

// entering is the request by which a step has entered or left: it holds the
// person where its body can be read, else it sets or removes a cookie, else it
// is the first that changes something.
func (s Seen) entering(step string) (trace.Exchange, bool) {
	var best trace.Exchange
	most := -1
	for _, e := range s.during(step, trace.RoleAuth) {
		if e.Method == http.MethodGet || e.Method == http.MethodHead || e.Method == http.MethodOptions {
			continue
		}
		worth := 0
		if len(e.Response.SetCookies) > 0 {
			worth++
		}
		if _, holds := fieldOf(e.Request.Body, s.Person.Email); holds {
			worth += 2
		}
		if worth > most {
			best, most = e, worth
		}
	}
	return best, most >= 0
}

// candidates are the cookies that an entry has set and kept, each once. Those
// of a redirect that the entry's answer led through are among them.
func (s Seen) candidates() []trace.SetCookie {
	for _, step := range []string{stepSignIn, stepSignUp} {
		last := map[string]trace.SetCookie{}
		var order []string
		for _, e := range s.during(step, trace.RoleAuth) {
			for _, c := range e.Response.SetCookies {
				if last[c.Name].Name == "" {
					order = append(order, c.Name)
				}
				last[c.Name] = c
			}
		}
		var all []trace.SetCookie
		for _, name := range order {
			if c := last[name]; !c.Removes() && c.Name != "" {
				all = append(all, c)
			}
		}
		if len(all) > 0 {
			return all
		}
	}
	return nil
}

// proven are the cookies that bring the session by themselves: the harness has
// asked with each alone.
func (i *inference) proven() map[string]bool {
	all := map[string]bool{}
	for _, e := range i.of(trace.RoleAuth, func(e trace.Exchange) bool { return e.Outside && len(e.Request.Cookies) == 1 }) {
		if _, named := i.names(e); named {
			all[e.Request.Cookies[0].Name] = true
		}
	}
	return all
}

// cookie finds the session's among those that an entry has set.
func (i *inference) cookie() {
	all := i.candidates()
	proven := i.proven()
	var names []string
	var alone []trace.SetCookie
	for _, c := range all {
		names = append(names, c.Name)
		if proven[c.Name] {
			alone = append(alone, c)
		}
	}
	switch {
	case len(all) == 0:
		i.doubt("contract.cookie.name", "the auth service set no cookie when the person signed in", "Set-Cookie in the answer to the sign-in", "")
		return
	case len(alone) == 1:
		i.set = alone[0]
		i.evidence(fmt.Sprintf("cookie     %s, set on entry, brings the session by itself", i.set.Name))
	default:
		from := all
		if len(alone) > 0 {
			from = alone
		}
		i.set = slices.MaxFunc(from, func(a, b trace.SetCookie) int { return likely(a) - likely(b) })
		i.evidence(fmt.Sprintf("cookie     %s, set on entry", i.set.Name))
		why := fmt.Sprintf("%s is set on entry, and no answer has proved that it is the session's", i.set.Name)
		if len(names) > 1 {
			why = fmt.Sprintf("%s are set on entry, and no answer has told them apart: %s was chosen by its name and attributes", strings.Join(names, " and "), i.set.Name)
		}
		i.doubt("contract.cookie.name", why, "which of the cookies the auth service reads the session from", "")
	}
	i.attributes()
}

// likely says how much a cookie looks like a session's.
func likely(c trace.SetCookie) int {
	worth, name := 0, strings.ToLower(c.Name)
	if c.HTTPOnly {
		worth += 2
	}
	for _, word := range []string{"sess", "sid", "auth"} {
		if strings.Contains(name, word) {
			worth += 2
		}
	}
	for _, word := range []string{"csrf", "xsrf", "state", "nonce", "pkce", "callback", "_data", "remember"} {
		if strings.Contains(name, word) {
			worth -= 9
		}
	}
	return worth
}

// attributes are the cookie's as it was set. Between two sites they are what
// they have to be: a contract says what must hold, so that what does not is
// named by its cause.
func (i *inference) attributes() {
	set, agreed := i.set, &i.found.Contract.Cookie
	*agreed = trace.CookieContract{Name: set.Name, Secure: set.Secure, HTTPOnly: set.HTTPOnly, Partitioned: set.Partitioned, Path: set.Path, SameSite: sameSite(set.SameSite)}
	if agreed.Path == "" {
		agreed.Path = "/"
		i.doubt("contract.cookie.path", "the cookie is set without Path, and browsers then take that of the request", "the cookie's settings in the auth service", "")
	}
	if set.Domain != "" {
		i.doubt("contract.cookie", fmt.Sprintf("the cookie is set with Domain=%s, so that every host below it is sent it; a contract has no field for that", set.Domain), "whether other hosts need it", "")
	}
	if set.MaxAge != nil {
		agreed.Lifetime = *set.MaxAge
	} else if ends, dated := set.Ends(); dated {
		agreed.Lifetime = int(ends.Sub(i.entryTime()).Round(time.Minute) / time.Second)
	}
	switch crossing := !i.Target.OneSite(); {
	case crossing && (agreed.SameSite != "None" || !set.Secure || !set.Partitioned):
		i.doubt("contract.cookie", fmt.Sprintf("the cookie is set with Secure: %t, SameSite: %s, Partitioned: %t; frontend and auth service are of different sites, where browsers that keep no third-party cookies refuse it so, and what is written here is what it has to be",
			set.Secure, cmp.Or(set.SameSite, "absent"), set.Partitioned), "what crossing diagnose says, and the cookie's settings in the auth service", "")
		agreed.Secure, agreed.SameSite, agreed.Partitioned = true, "None", true
	case !crossing && set.Partitioned:
		agreed.Partitioned = false
		i.doubt("contract.cookie.partitioned", "the cookie is set Partitioned, which has no purpose on one site", "the cookie's settings in the auth service", "")
	}
	if agreed.SameSite == "" {
		agreed.SameSite = "Lax"
		i.doubt("contract.cookie.sameSite", "the cookie is set without SameSite, which browsers take for Lax", "the cookie's settings in the auth service", "")
	}
}

// sameSite writes a value as contracts do; none for what is no value of it.
func sameSite(set string) string {
	for _, value := range []string{"None", "Lax", "Strict"} {
		if strings.EqualFold(set, value) {
			return value
		}
	}
	return ""
}

func (i *inference) entryTime() time.Time {
	for _, e := range i.Trace.Exchanges {
		for _, c := range e.Response.SetCookies {
			if c.Digest == i.set.Digest {
				return e.Time
			}
		}
	}
	return time.Time{}
}

// Signed says how a cookie's value is signed, by its form: one of target's
// signatures. Values are TOKEN.SIGNATURE, s:TOKEN.SIGNATURE or a JWE of five
// parts (package observe says whose is which).
func Signed(value string) string {
	plain := unescaped(value)
	if strings.HasPrefix(plain, "eyJ") && strings.Count(plain, ".") == 4 {
		return target.AuthJS
	}
	at := strings.LastIndexByte(plain, '.')
	if at < 0 {
		return target.SignatureNone
	}
	// Base64 of the 32 bytes of an HMAC-SHA256, with its = and without.
	switch signature := plain[at+1:]; {
	case strings.HasPrefix(plain, "s:") && len(signature) == 43:
		return target.ExpressSession
	case len(signature) == 44 && strings.HasSuffix(signature, "="):
		return target.BetterAuth
	}
	return target.SignatureNone
}
