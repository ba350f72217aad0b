package lint

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"crossing/harness/trace"
)

// ready judges what each instance says of itself.
func ready(a *Answers) outcome {
	asked := a.all(qHealth)
	if len(asked) == 0 {
		return unable("the contract names no readiness of a deployment")
	}
	var o outcome
	var names []string
	for _, x := range asked {
		names = append(names, x.To)
		switch {
		case x.silent():
			o.find("upstream-gone", x.To, x.who()+" did not answer when it was asked whether it is ready", x.line())
		case x.Status != 200:
			o.unready(x)
		}
	}
	o.said = list(names)
	return o
}

// unready names the cause by the word that the service has for it.
func (o *outcome) unready(x Answer) {
	causes := problemsOf(x)
	for _, p := range causes {
		title := fmt.Sprintf("%s is not ready: %s", x.who(), orElse(p.code, fmt.Sprint(x.Status)))
		o.find(p.cause, x.To, title, x.line(), p.message)
	}
}

type problem struct{ cause, code, message string }

// problemsOf reads a readiness: one code, or a list of problems.
func problemsOf(x Answer) []problem {
	var body struct {
		Code     string    `json:"code"`
		Message  string    `json:"message"`
		Problems []finding `json:"problems"`
	}
	_ = json.Unmarshal([]byte(x.Response.Body), &body) // what cannot be read has no word
	if len(body.Problems) == 0 {
		body.Problems = []finding{{body.Code, body.Message}}
	}
	var out []problem
	for _, p := range body.Problems {
		cause := "auth-misconfigured"
		switch {
		case x.Role == trace.RoleAPI:
			cause = orElse(refusalCause(p.Code+" "+p.Message), "api-misconfigured")
		case p.Code == structureWord:
			cause = "database-structure"
		case databaseWord(p.Code):
			cause = "database-fault"
		}
		out = append(out, problem{cause, p.Code, p.Message})
	}
	return out
}

type finding struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// structureWord is the auth service's word for tables that are missing.
const structureWord = "STRUCTURE_INCOMPLETE"

var databaseCode = regexp.MustCompile(`DATABASE_[A-Z_]+`)

// databaseWord: a code about the database itself; those that begin with the
// setting's name are about the configuration.
func databaseWord(text string) bool {
	return slices.ContainsFunc(databaseCode.FindAllString(text, -1), func(code string) bool {
		return !strings.HasPrefix(code, "DATABASE_URL")
	})
}

// refusals are PyJWT's exceptions by cause, the longer names first.
var refusals = []struct{ word, cause string }{
	{"InvalidIssuerError", "token-issuer"}, {"InvalidAudienceError", "token-audience"},
	{"ExpiredSignatureError", "token-expired"}, {"ImmatureSignatureError", "token-not-yet-valid"},
	{"PyJWKClientConnectionError", "token-keys-unreachable"}, {"PyJWKSetError", "token-keys-unreachable"},
	{"Fail to fetch", "token-keys-unreachable"}, {"InvalidKeyError", "token-keys-unreachable"},
	{"PyJWKClientError", "token-key-unknown"}, {"InvalidSignatureError", "token-signature"},
	{"InvalidAlgorithmError", "token-algorithm"}, {"DecodeError", "token-unreadable"},
}

func refusalCause(reason string) string {
	for _, r := range refusals {
		if strings.Contains(reason, r.word) {
			return r.cause
		}
	}
	return ""
}

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

// frontend judges the page, and the settings that it reads at run time.
func frontend(a *Answers) outcome {
	var o outcome
	for _, x := range a.all(qHome) {
		switch {
		case x.silent():
			o.find("upstream-gone", "", "the frontend did not answer", x.line())
		case x.Status >= 400 || !html(x.Exchange) && x.Status < 300:
			o.find("frontend-elsewhere", "", fmt.Sprintf("the frontend's home page is no page: %d %s", x.Status, kind(x.Exchange)), x.line())
		}
	}
	o.said = "the page is there"
	settings := a.all(qSetting)
	if len(settings) == 0 {
		o.said += "; the contract names no run-time settings (contract.fallbackSetting)"
	}
	for _, x := range settings {
		o.settings(a, x)
	}
	return o
}

// settings judges the JSON document that the frontend's pages read.
func (o *outcome) settings(a *Answers, x Answer) {
	var document map[string]any
	if err := json.Unmarshal([]byte(x.Response.Body), &document); err != nil {
		o.find("frontend-elsewhere", "", "the frontend's run-time settings cannot be read", x.line())
		return
	}
	origins := a.Subject.Origins
	for name, value := range document {
		text, ok := value.(string)
		if !ok || !strings.Contains(text, "://") {
			continue
		}
		says := fmt.Sprintf("%s: %s is %s", x.Path, name, text)
		switch role := origins.Role(originOf(text)); {
		case strings.HasPrefix(text, "http://"):
			o.find("mixed-content", "", "the frontend calls "+text+", which a browser refuses to a page of https", x.line(), says)
		case role == trace.RoleUnknown || role == trace.RoleStranger:
			o.find("frontend-elsewhere", "", "the frontend's settings name "+text+", which is no part of this target", x.line(), says)
		}
	}
	field := a.Contract.FallbackSetting.Field
	if on, is := document[field].(bool); field != "" && (!is || !on) {
		o.find("third-party-cookies-refused", "", fmt.Sprintf("the frontend's bearer fallback is off (%s: %s), so that nobody stays signed in where a browser keeps no third-party cookie", x.Path, field), x.line())
	}
}

func originOf(text string) string {
	scheme, rest, _ := strings.Cut(text, "://")
	host, _, _ := strings.Cut(rest, "/")
	return scheme + "://" + host
}

// signIn judges whether a person gets in from the frontend's pages.
func signIn(a *Answers) outcome {
	asked := append(a.all(qSignUp), a.all(qSignIn)...)
	var o outcome
	var at []string
	for _, x := range asked {
		switch {
		case x.ok() && x.Of == ofFrontend:
			at = append(at, x.Question+" at "+x.who())
		case x.Of == ofFrontend && originWord(x) == "" && !x.ok():
			o.entryFailed(a, x)
		}
	}
	if len(o.findings) == 0 && len(at) == 0 {
		return unable("the auth service refuses the frontend's origin: see trusted origins")
	}
	o.said = list(at)
	return o
}

// entryFailed tells an account that only one instance knows from one that is
// refused.
func (o *outcome) entryFailed(a *Answers, x Answer) {
	for _, up := range a.all(qSignUp) {
		if up.ok() && up.To != x.To && x.Question == qSignIn && x.Status == 401 {
			o.find("stores-differ", up.To+", "+x.To, fmt.Sprintf("%s does not know the account that was made at %s: it looks in another place", x.who(), up.who()), up.line(), x.line())
			return
		}
	}
	o.failed(x)
}

// failed names the cause of an answer that should have been a success.
func (o *outcome) failed(x Answer) {
	title := fmt.Sprintf("%s answered %s %d %s", x.who(), x.Question, x.Status, x.code())
	switch {
	case x.silent():
		o.find("upstream-gone", x.To, x.who()+" did not answer", x.line())
	case x.Status == 429:
		o.find("rate-limited", x.To, x.who()+" limited the visitor's calls at the first ones", x.line())
	case x.Status == 503 && databaseWord(x.code()):
		o.find("database-fault", x.To, x.who()+" cannot use its database", x.line())
	case x.Status == 503 && x.code() == structureWord:
		o.find("database-structure", x.To, x.who()+" misses tables or columns in its database", x.line())
	case x.Status == 503 && x.code() != "":
		o.find("auth-misconfigured", x.To, x.who()+" refuses to work: "+x.code(), x.line())
	case x.Status >= 500:
		o.find("auth-failed", x.To, strings.TrimSpace(title), x.line())
	default:
		o.find("sign-in-refused", x.To, strings.TrimSpace(title), x.line())
	}
}

// originWord is BetterAuth's word, or a preflight's, for an origin that was
// refused; "" for none.
func originWord(x Answer) string {
	switch w := x.code(); {
	case x.Status != 403:
		return ""
	case w == "INVALID_ORIGIN", w == "ORIGIN_NOT_TRUSTED", w == "MISSING_OR_NULL_ORIGIN":
		return w
	}
	return ""
}
