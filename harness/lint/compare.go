package lint

import (
	"fmt"
	"slices"
	"strings"

	"crossing/harness/trace"
)

// comparison is one thing that two targets must not share, or must do alike.
type comparison struct {
	name, about string
	judge       func(*Pair) outcome
}

var comparisons = []comparison{
	{"cookie", "both set the session cookie with the same attributes", sameCookie},
	{"secret", "neither's secret signs the other's cookies", ownSecret},
	{"cookie refused", "neither knows the other's session, by cookie or bearer token", ownSessions},
	{"keys", "no key signs tokens of both", ownKeys},
	{"issuer", "each has an issuer of its own", ownIssuer},
	{"audience", "each has an audience of its own", ownAudience},
	{"token refused", "neither's api takes the other's token", ownTokens},
}

// Compare says what two targets share, and what they must not. Unlike Judge it
// tells consequences, too: that a cookie is refused is what is to be shown.
func Compare(p *Pair) Report {
	r := Report{Target: p.A.Name + " and " + p.B.Name}
	for _, c := range comparisons {
		o := c.judge(p)
		result := Result{Name: c.name, About: c.about, State: OK, Said: o.said}
		for _, f := range o.findings {
			f.Mend = mendOf(f.Cause)
			result.Findings = append(result.Findings, f)
		}
		switch {
		case len(result.Findings) > 0:
			result.State = Found
		case o.unable != "":
			result.State, result.Said = NotCheckable, o.unable
		}
		r.Results = append(r.Results, result)
	}
	return r
}

// each calls f for both directions: other's session was shown to side.
func (p *Pair) each(f func(side, other Side)) {
	f(p.A, p.B)
	f(p.B, p.A)
}

func (s Side) asked(question string) (Answer, bool) {
	for _, x := range s.Asked {
		if x.Question == question {
			return x, true
		}
	}
	return Answer{}, false
}

func (x Answer) clears() bool {
	return slices.ContainsFunc(x.Response.SetCookies, trace.SetCookie.Removes)
}

func sameCookie(p *Pair) outcome {
	a, b := p.A.Cookie, p.B.Cookie
	if a == nil || b == nil {
		return unable("a sign-in sets no session cookie")
	}
	var o outcome
	// Names may differ: each is read by whoever set it.
	if what := slices.DeleteFunc(different(*a, *b), func(w string) bool { return w == "name" }); len(what) > 0 {
		o.find("cookie-drift", "", fmt.Sprintf("%s and %s set the session cookie with different attributes (%s): what holds on one is lost on the other", p.A.Name, p.B.Name, list(what)),
			p.A.Name+": Set-Cookie: "+a.Line, p.B.Name+": Set-Cookie: "+b.Line)
	}
	o.said = strings.Replace(a.Line, a.Digest, "…", 1)
	if a.Name != b.Name {
		o.said += "; of the other: " + b.Name
	}
	return o
}

// ownSecret: whoever looks for the row of a cookie and clears it, believed its
// signature first (BetterAuth leaves alone what it does not believe).
func ownSecret(p *Pair) outcome {
	var o outcome
	known := false
	p.each(func(side, other Side) {
		x, asked := side.asked(qForeignCookie)
		if !asked || x.silent() || x.Status != 200 {
			return
		}
		known = true
		evidence := x.line() + ", sent with a cookie of " + other.Name
		switch {
		case side.Signed == trace.AnswerYes:
			o.find("shared-secret", "", fmt.Sprintf("one secret signs the cookies of %s and %s", p.A.Name, p.B.Name), "signature of a cookie of "+other.Name+" made with the secret of "+side.Name+": yes", evidence)
		case x.person() != "" || x.clears():
			o.find("shared-secret", "", fmt.Sprintf("one secret signs the cookies of %s and %s", p.A.Name, p.B.Name), evidence+map[bool]string{true: ", cookie cleared: its signature was believed"}[x.clears()])
		}
	})
	if !known {
		return unable("neither answered to the other's cookie")
	}
	o.said = "each leaves the other's cookie alone: it does not believe its signature"
	return o
}

func ownSessions(p *Pair) outcome {
	var o outcome
	refused := 0
	p.each(func(side, other Side) {
		for _, question := range []string{qForeignCookie, qForeignBearer} {
			x, asked := side.asked(question)
			switch {
			case !asked || x.silent():
			case x.person() != "":
				o.find("shared-store", "", fmt.Sprintf("%s takes %s of %s for %s: they share secret and sessions", side.Name, strings.TrimPrefix(question, "the other's "), other.Name, x.person()), x.line())
			default:
				refused++
			}
		}
	})
	if refused == 0 && len(o.findings) == 0 {
		return unable("neither answered to the other's cookie")
	}
	o.said = fmt.Sprintf("%d answers named nobody", refused)
	return o
}

func ownKeys(p *Pair) outcome {
	if len(p.A.Kids) == 0 || len(p.B.Kids) == 0 {
		return unable("one of them has no keys")
	}
	var o outcome
	for _, kid := range p.A.Kids {
		if slices.Contains(p.B.Kids, kid) {
			o.find("shared-keys", "", fmt.Sprintf("the key %s stands in the key sets of both", kid), p.A.Name+": kids "+list(p.A.Kids), p.B.Name+": kids "+list(p.B.Kids))
		}
	}
	o.said = fmt.Sprintf("%s: %s; %s: %s", p.A.Name, list(p.A.Kids), p.B.Name, list(p.B.Kids))
	return o
}

func ownIssuer(p *Pair) outcome {
	return apart(p, "issuer", func(t *trace.Token) string { return t.Issuer })
}

func ownAudience(p *Pair) outcome {
	return apart(p, "audience", func(t *trace.Token) string { return strings.Join(t.Audience, " ") })
}

func apart(p *Pair, what string, of func(*trace.Token) string) outcome {
	if p.A.Token == nil || p.B.Token == nil {
		return unable("one of them gives no tokens")
	}
	var o outcome
	a, b := of(p.A.Token), of(p.B.Token)
	if a == b {
		o.find("shared-issuer", "", fmt.Sprintf("the tokens of both have the %s %s", what, a), p.A.Name+": "+claims(p.A.Token), p.B.Name+": "+claims(p.B.Token))
	}
	o.said = fmt.Sprintf("%s: %s; %s: %s", p.A.Name, a, p.B.Name, b)
	return o
}

func ownTokens(p *Pair) outcome {
	var o outcome
	var refused []string
	p.each(func(side, other Side) {
		switch x, asked := side.asked(qForeignToken); {
		case !asked || x.silent():
		case x.ok():
			o.find("token-accepted-elsewhere", "", fmt.Sprintf("the api of %s takes a token of %s", side.Name, other.Name), x.line(), claims(other.Token))
		default:
			refused = append(refused, fmt.Sprintf("%s: %d %s", side.Name, x.Status, x.code()))
		}
	})
	if len(refused) == 0 && len(o.findings) == 0 {
		return unable("there was no token, or no api, to show it to")
	}
	o.said = list(refused)
	return o
}
