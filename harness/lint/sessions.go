package lint

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"crossing/harness/trace"
)

// instances judges whether each instance takes the others' cookies.
func instances(a *Answers) outcome {
	var made []string
	for _, i := range a.Auth {
		if x, ok := a.entry(i); ok && len(a.lines(x)) > 0 {
			made = append(made, i)
		}
	}
	switch {
	case a.Remote:
		return unable("the instances of a deployment cannot be asked one by one")
	case len(a.Auth) < 2:
		return unable("there is one instance only (services, instances)")
	case len(made) == 0:
		return unable("no instance made a session")
	}
	var o outcome
	for _, of := range made {
		for _, to := range a.Auth {
			if x, asked := a.one(qSession, to, of); asked && to != of && x.person() == "" {
				o.apart(a, of, to, x)
			}
		}
	}
	o.said = fmt.Sprintf("%s take each other's sessions", list(a.Auth))
	return o
}

// apart names why an instance does not take another's cookie. One that looked
// for a row and found none clears the cookie; one that does not believe the
// signature, or does not read the name, leaves it alone.
func (o *outcome) apart(a *Answers, of, to string, x Answer) {
	signed, known := a.seen(trace.ObserveSignature, to, of)
	mine, theirs := a.cookieName(to), a.cookieName(of)
	evidence := []string{x.line() + ", sent with the cookie of " + of}
	if known {
		evidence = append(evidence, fmt.Sprintf("signature of the cookie of %s made with the secret of %s: %s", of, to, signed.Answer))
	}
	pair := of + ", " + to
	if to < of {
		pair = to + ", " + of
	}
	switch {
	case !x.null():
		o.unreadable(a, to, x)
	case mine != "" && mine != theirs:
		o.find("cookie-name-differs", pair, fmt.Sprintf("%s names the session cookie %s and %s %s, so that neither reads the other's", to, mine, of, theirs), evidence...)
	case known && signed.Answer == trace.AnswerNo:
		o.find("signature-refused", pair, fmt.Sprintf("%s refuses the cookie that %s signed: their secrets differ", to, of), evidence...)
	case len(a.removals(x)) > 0:
		o.find("stores-differ", pair, fmt.Sprintf("%s looks for sessions in another place than %s, and clears its cookie", to, of), append(evidence, a.rowOf(of))...)
	case known:
		o.find("cookie-name-differs", pair, fmt.Sprintf("%s does not read the cookie %s: it looks for another name", to, theirs), evidence...)
	default:
		o.find("instances-disagree", pair, fmt.Sprintf("%s takes for nobody's the cookie of %s: their secrets or cookie prefixes differ", to, of), evidence...)
	}
}

func (a *Answers) cookieName(instance string) string {
	if x, ok := a.entry(instance); ok {
		for _, l := range a.lines(x) {
			return l.Name
		}
	}
	return ""
}

// rowOf quotes what the database has for an instance's session.
func (a *Answers) rowOf(of string) string {
	for _, o := range a.Observed {
		if o.Name == trace.ObserveRow && o.Of == of {
			return strings.TrimSpace("session row of the cookie of " + of + ": " + o.Answer + " " + o.Detail)
		}
	}
	return ""
}

// session judges whom each instance takes its own cookie for, and nobody.
func session(a *Answers) outcome {
	var o outcome
	var at []string
	for _, i := range a.Auth {
		x, asked := a.one(qSession, i, i)
		switch {
		case !asked:
		case x.person() == "":
			o.lost(a, i, x)
		case a.Person != "" && !strings.EqualFold(x.person(), a.Person):
			o.find("session-cached", i, fmt.Sprintf("%s names %s to the cookie of %s", x.who(), x.person(), a.Person), x.line())
		default:
			at = append(at, x.who())
		}
	}
	for _, x := range a.all(qNobody) {
		if x.person() != "" {
			o.find("session-cached", x.To, "an answer for nobody names a person: it came out of a cache", x.line()+", sent without any cookie", cacheLines(x))
		}
	}
	if len(o.findings) == 0 && len(at) == 0 {
		return unable("no instance made a session")
	}
	o.said = "known at " + list(at) + "; nobody is known without a cookie"
	return o
}

// lost names why an instance does not know a session that it made itself.
func (o *outcome) lost(a *Answers, i string, x Answer) {
	switch {
	case !x.null():
		o.unreadable(a, i, x)
	case len(a.removals(x)) > 0:
		o.find("session-row-missing", i, fmt.Sprintf("%s does not find the session that it has just made", x.who()), x.line()+", cookie cleared", a.rowOf(i))
	default:
		o.find("signature-refused", i, fmt.Sprintf("%s refuses the cookie that it has just signed: another instance answers with another secret, or its secret changes", x.who()), x.line())
	}
}

// unreadable names a server error on the session. BetterAuth signs a token
// with this answer: 500 here and on the token mark a key that it cannot read.
func (o *outcome) unreadable(a *Answers, i string, x Answer) {
	token, asked := a.one(qToken, i, i)
	row := a.rowOf(i)
	switch {
	case x.silent():
		o.find("upstream-gone", i, x.who()+" did not answer on the session", x.line())
	case x.Status == 429:
		o.find("rate-limited", i, x.who()+" limited the calls for a session at the first ones", x.line())
	case x.Status == 503:
		o.failed(x)
	case asked && token.Status == 500:
		o.find("keys-undecryptable", i, x.who()+" cannot sign tokens: it cannot read its private key in the jwks table", x.line(), token.line(), row)
	case x.Status >= 500:
		o.find("database-fault", i, x.who()+" cannot use its database", x.line(), row)
	default:
		o.find("session-refused", i, fmt.Sprintf("%s answered %d to its own session", x.who(), x.Status), x.line())
	}
}

// bearer judges the way for browsers that keep no third-party cookie.
func bearer(a *Answers) outcome {
	if a.Contract.FallbackSetting.Path == "" && a.Remote {
		return unable("the contract names no bearer fallback (contract.fallbackSetting)")
	}
	var o outcome
	var at []string
	for _, i := range a.Auth {
		entry, in := a.entry(i)
		if !in {
			continue
		}
		if entry.Response.Get("set-auth-token") == "" {
			o.find("bearer-not-offered", i, entry.who()+" hands out no bearer token on signing in, so that nobody stays signed in where a browser keeps no third-party cookie", entry.line()+", no set-auth-token")
			continue
		}
		switch x, asked := a.one(qBearer, i, i); {
		case !asked:
		case x.person() == "" && a.ownKnown(i):
			o.find("bearer-refused", i, x.who()+" does not know the bearer token that it handed out, though it knows the cookie", x.line())
		case x.person() != "":
			at = append(at, x.who())
		}
	}
	if len(o.findings) == 0 && len(at) == 0 {
		return unable("no instance made a session")
	}
	o.said = "set-auth-token is known at " + list(at)
	return o
}

func (a *Answers) ownKnown(i string) bool {
	x, asked := a.one(qSession, i, i)
	return asked && x.person() != ""
}

// renewal judges the cookie that is set anew when a session is nearly over.
func renewal(a *Answers) outcome {
	asked := a.all(qRenew)
	if len(asked) == 0 {
		return unable("a session can be aged by the database only (database.age)")
	}
	var o outcome
	var at []string
	for _, x := range asked {
		entry, _ := a.entry(x.To)
		first := a.lines(entry)
		switch again := a.lines(x); {
		case !x.ok() || x.person() == "":
			return unable("the session is not known: see session")
		case len(first) == 0 || first[0].MaxAge != nil && *first[0].MaxAge < a.Subject.Cookie.Lifetime:
			return unable("the cookie does not live as long as agreed: see cookie")
		case len(again) == 0 && !x.lengthened():
			o.find("session-not-lengthened", x.To, fmt.Sprintf("%s does not lengthen the session in its last minute: whoever stays longer is signed out", x.who()), x.line()+", which names the same end")
		case len(again) == 0:
			o.find("cookie-not-renewed", x.To, fmt.Sprintf("%s lengthens the session in its last minute and does not set its cookie anew: whoever stays longer is signed out", x.who()), x.line()+", no Set-Cookie of the session")
		default:
			o.sameAs("cookie-renewed-differently", x, first[0], again[0])
			at = append(at, x.who())
		}
	}
	o.said = "set anew, with the same attributes, at " + list(at)
	return o
}

// lengthened says whether an answer names a later end of the session than the
// one to which it had been aged.
func (x Answer) lengthened() bool {
	var body struct {
		Session struct {
			ExpiresAt time.Time `json:"expiresAt"`
		} `json:"session"`
	}
	return json.Unmarshal([]byte(x.Response.Body), &body) == nil && body.Session.ExpiresAt.After(x.Time.Add(2*nearly))
}

// sameAs: a cookie set with other attributes does not replace the first one,
// but lies beside it (RFC 6265bis, section 5.7: name, host, path, partition).
func (o *outcome) sameAs(cause string, x Answer, first, again trace.SetCookie) {
	if what := different(first, again); len(what) > 0 {
		o.find(cause, x.To, fmt.Sprintf("%s sets %s on %s with other attributes than on signing in (%s), so that it lies beside the first one", x.who(), again.Name, x.Question, list(what)),
			x.line(), "at first: Set-Cookie: "+first.Line, "then: Set-Cookie: "+again.Line)
	}
}

// different names the attributes in which two lines differ.
func different(first, again trace.SetCookie) []string {
	var out []string
	for _, d := range []struct {
		name    string
		differs bool
	}{
		{"name", first.Name != again.Name},
		{"Partitioned", first.Partitioned != again.Partitioned},
		{"Domain", !strings.EqualFold(first.Domain, again.Domain)},
		{"Path", first.Path != again.Path},
		{"SameSite", !strings.EqualFold(first.SameSite, again.SameSite)},
		{"Secure", first.Secure != again.Secure},
	} {
		if d.differs {
			out = append(out, d.name)
		}
	}
	return out
}

// signOut judges what signing out leaves.
func signOut(a *Answers) outcome {
	asked := a.all(qSignOut)
	if len(asked) == 0 {
		return unable("no instance made a session")
	}
	var o outcome
	for _, x := range asked {
		entry, _ := a.entry(x.To)
		set, gone := a.lines(entry), a.removals(x)
		switch {
		case !x.ok():
			if originWord(x) == "" {
				o.failed(x)
			}
			continue
		case len(gone) == 0:
			o.find("sign-out-left-cookie", x.To, fmt.Sprintf("%s leaves the cookie where it is on signing out", x.who()), x.line()+", "+setNames(x))
		case len(set) > 0:
			o.sameAs("sign-out-left-cookie", x, set[0], gone[0])
		}
	}
	for _, x := range a.all(qAfter) {
		if out, asked := a.one(qSignOut, x.Of, x.Of); asked && out.ok() && x.person() != "" {
			o.find("cookie-cache-stale", x.To, fmt.Sprintf("%s still names the person after %s has signed her out: it answers from a cookie or a cache, not from the row", x.who(), x.Of), out.line(), x.line()+", sent with all cookies of the sign-in")
		}
	}
	o.said = "the cookie is taken away with its own attributes, and nobody knows it afterwards"
	if out := asked[0]; originWord(out) != "" && len(o.findings) == 0 {
		return unable("the auth service refuses the frontend's origin: see trusted origins")
	}
	return o
}
