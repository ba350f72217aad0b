package lint

import (
	"fmt"
	"strings"

	"crossing/harness/trace"
)

// trusted judges in whose name a POST that carries a cookie is taken.
func trusted(a *Answers) outcome {
	var o outcome
	judged := 0
	for _, i := range a.Auth {
		own, asked := a.one(qOrigin, i, ofFrontend)
		if !asked || own.silent() || own.Status >= 500 {
			continue
		}
		judged++
		slash, _ := a.one(qOrigin, i, ofSlash)
		front := a.Subject.Origins.Frontend
		switch word := originWord(own); {
		case word == "MISSING_OR_NULL_ORIGIN":
			o.find("origin-missing", i, own.who()+" was asked without an Origin, though one was sent", own.line()+", Origin: "+front)
		case word != "" && slash.ok():
			o.find("origin-not-trusted", i, fmt.Sprintf("%s does not trust the origin %s, but %s/ with a slash, which no browser sends", own.who(), front, front), own.line()+", Origin: "+front, slash.line()+", Origin: "+front+"/")
		case word != "":
			o.find("origin-not-trusted", i, fmt.Sprintf("%s does not trust the origin %s", own.who(), front), own.line()+", Origin: "+front)
		}
		for _, of := range []string{ofStranger, ofNull} {
			if x, asked := a.one(qOrigin, i, of); asked && x.ok() {
				o.find("stranger-trusted", i, fmt.Sprintf("%s takes a POST that carries a cookie in the name of %s: any site can act for whoever visits it", x.who(), orElse(x.PageOrigin, of)), x.line()+", Origin: "+x.PageOrigin)
			}
		}
	}
	if judged == 0 {
		return unable("no instance of the auth service works")
	}
	o.said = fmt.Sprintf("%s is trusted; %s and null are not", a.Subject.Origins.Frontend, a.Subject.Origins.Stranger)
	return o
}

// cors judges, answer by answer, whether a page of the frontend could have
// sent the request and read the answer, and that a stranger's could not.
func cors(a *Answers) outcome {
	var o outcome
	seen := 0
	for _, x := range a.Asked {
		role := x.Role == trace.RoleAuth || x.Role == trace.RoleAPI
		if !role || x.silent() || x.Status >= 500 || x.Question == qHealth || a.unready(x.To) || a.distrusts(x.To) && x.Role == trace.RoleAuth {
			continue
		}
		seen++
		switch {
		case x.PageOrigin == a.Subject.Origins.Frontend:
			o.refused(a, x)
		case x.PageOrigin == a.Subject.Origins.Stranger, x.PageOrigin == "null":
			o.open(x)
		}
	}
	if seen == 0 {
		return unable("no answer of a trusted origin was there to read")
	}
	o.said = fmt.Sprintf("%d answers, errors and preflights among them", seen)
	return o
}

// unready: what such an instance says of origins was said before it looked.
func (a *Answers) unready(instance string) bool {
	x, asked := a.one(qHealth, instance, "")
	return asked && x.Status >= 500
}

// distrusts: such an origin gets no CORS lines either, which is no fault of
// its own.
func (a *Answers) distrusts(instance string) bool {
	x, asked := a.one(qOrigin, instance, ofFrontend)
	return asked && originWord(x) != ""
}

// refused notes why a page could not send, or read, this.
func (o *outcome) refused(a *Answers, x Answer) {
	why := corsFault(a, x)
	if why == "" {
		return
	}
	verb := "read its answer to " + x.Method
	if x.Preflight {
		verb = "send " + x.Request.Get("Access-Control-Request-Method")
	}
	o.find("cors-refused", x.To, fmt.Sprintf("%s does not let %s %s %s: %s", x.who(), x.PageOrigin, verb, x.Path, why), x.line()+", "+why)
}

// corsFault is Fetch's "CORS check", and of a preflight its "CORS-preflight
// fetch". Calls to the auth service carry credentials; a call to the api
// carries a token, which needs none.
func corsFault(a *Answers, x Answer) string {
	credentialed := x.Role == trace.RoleAuth
	switch allowed := x.Response.Get("Access-Control-Allow-Origin"); {
	case allowed == "":
		return "no Access-Control-Allow-Origin"
	case allowed == "*" && credentialed:
		return "Access-Control-Allow-Origin: * beside credentials"
	case allowed != "*" && allowed != x.PageOrigin:
		return "Access-Control-Allow-Origin: " + allowed
	case credentialed && x.Response.Get("Access-Control-Allow-Credentials") != "true":
		return "no Access-Control-Allow-Credentials: true"
	}
	if x.Preflight {
		return preflightFault(x)
	}
	if x.Role == trace.RoleAuth {
		return unexposed(x, a.Contract.CORS.Auth.Exposed)
	}
	return unexposed(x, a.Contract.CORS.API.Exposed)
}

func preflightFault(x Answer) string {
	if !x.ok() {
		return fmt.Sprintf("the preflight was answered %d", x.Status)
	}
	method := x.Request.Get("Access-Control-Request-Method")
	methods := x.Response.Get("Access-Control-Allow-Methods")
	if simple := method == "GET" || method == "HEAD" || method == "POST"; !simple && methods != "*" && !lists(methods, method) {
		return "Access-Control-Allow-Methods: " + methods + " lacks " + method
	}
	headers := x.Response.Get("Access-Control-Allow-Headers")
	for name := range strings.SplitSeq(x.Request.Get("Access-Control-Request-Headers"), ",") {
		name = strings.TrimSpace(name)
		// The wildcard does not cover Authorization, nor anything beside
		// credentials (Fetch, "CORS-preflight fetch").
		wild := headers == "*" && x.Role == trace.RoleAPI && !strings.EqualFold(name, "authorization")
		if name != "" && !wild && !lists(headers, name) {
			return fmt.Sprintf("Access-Control-Allow-Headers: %s lacks %s", headers, name)
		}
	}
	return ""
}

// unexposed finds a header that is there and that the page must read, but may
// not.
func unexposed(x Answer, wanted []string) string {
	exposed := x.Response.Get("Access-Control-Expose-Headers")
	for _, name := range wanted {
		if x.Response.Get(name) != "" && !lists(exposed, name) {
			return "Access-Control-Expose-Headers lacks " + name
		}
	}
	return ""
}

// open notes a stranger who may read what carries a person's cookie.
func (o *outcome) open(x Answer) {
	allowed := x.Response.Get("Access-Control-Allow-Origin")
	if allowed == "" || allowed != x.PageOrigin || x.Response.Get("Access-Control-Allow-Credentials") != "true" {
		return
	}
	cause := "stranger-trusted"
	if x.Role == trace.RoleAPI {
		cause = "cors-open" // where no cookie goes
	}
	o.find(cause, x.To, fmt.Sprintf("%s lets every site read a person's answers: it allows %s with credentials", x.who(), x.PageOrigin), x.line()+", Access-Control-Allow-Origin: "+allowed+", Access-Control-Allow-Credentials: true")
}

func lists(header, word string) bool {
	for part := range strings.SplitSeq(header, ",") {
		if strings.EqualFold(strings.TrimSpace(part), word) {
			return true
		}
	}
	return false
}
