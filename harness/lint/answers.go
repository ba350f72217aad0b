package lint

import (
	"time"

	"crossing/harness/target"
	"crossing/harness/trace"
)

// Answers are all that was answered to the questions of one target. They are
// plain data with digests in the place of secrets, so that what was recorded
// can be judged again.
type Answers struct {
	Name     string          `json:"name"`
	Subject  trace.Subject   `json:"subject"`
	Contract target.Contract `json:"contract"`
	Remote   bool            `json:"remote"`
	// Auth and API are the names of the instances that were asked, each by
	// itself; of a deployment there is one of each, whoever answered.
	Auth []string `json:"auth"`
	API  []string `json:"api"`
	// Person is whose session was asked about.
	Person       string              `json:"person"`
	Asked        []Answer            `json:"asked"`
	Observed     []trace.Observation `json:"observed"`
	Certificates []Certificate       `json:"certificates"`
	// Begun is when the asking began.
	Begun time.Time `json:"begun"`
}

// Answer is one exchange, with what it was asked for.
type Answer struct {
	Question string `json:"question"`
	// Of is what the question was about: the instance whose cookie or token
	// was shown, or the origin in whose name it was asked.
	Of string `json:"of,omitempty"`
	// To is the instance that was to answer. Where the edge answered in its
	// place, Exchange.Response has its header.
	To string `json:"to"`
	trace.Exchange
}

// Certificate is what a deployed origin shows.
type Certificate struct {
	Origin string    `json:"origin"`
	Issuer string    `json:"issuer"`
	Until  time.Time `json:"until"`
	// TLS is the version that was agreed on, as crypto/tls names it.
	TLS string `json:"tls"`
	Err string `json:"err,omitempty"`
}

// Questions. What is asked of every instance is asked of each by itself.
const (
	qHome       = "home"              // the frontend's page
	qSetting    = "setting"           // its run-time settings
	qHealth     = "health"            // an instance's readiness
	qSignUp     = "sign-up"           // Of: whose name it was asked in
	qSignIn     = "sign-in"           // likewise
	qSession    = "session"           // Of: the instance that made the cookie
	qNobody     = "session of nobody" // without a cookie, right after
	qBearer     = "session by bearer"
	qStranger   = "session for a stranger" // with the cookie, in a stranger's name
	qToken      = "token"
	qNoToken    = "token of nobody"
	qKeys       = "keys"
	qOrigin     = "origin"             // a POST in the name of Of
	qPreflight  = "preflight"          // of a sign-in, in the name of Of
	qAuthorized = "preflight of token" // a GET with Authorization, in the name of Of
	qAPI        = "api"                // Of: the instance that made the token, or what was sent in its place
	qAPIAllowed = "preflight of api"   // in the name of Of
	qRenew      = "renewal"            // the session, shortly before its end
	qSignOut    = "sign-out"
	qAfter      = "session after sign-out"
	qLimit      = "sign-in with a wrong password"
	qNeighbour  = "sign-in from another address"
)

// What stands in a question's Of beside instances.
const (
	ofFrontend = "frontend"
	ofSlash    = "frontend with a slash"
	ofStranger = "stranger"
	ofNull     = "null"
	ofNone     = "no origin"
	ofOwn      = "own origin"
	ofNobody   = "nobody"
	ofSession  = "session token"
	ofTampered = "tampered token"
)

// Observations of lint's own, beside those of package trace.
const (
	// observeHost: does the token's issuer stay when the Host is another?
	observeHost = "issuer holds"
)

// all answers to a question, in the order asked.
func (a *Answers) all(question string) []Answer {
	var out []Answer
	for _, x := range a.Asked {
		if x.Question == question {
			out = append(out, x)
		}
	}
	return out
}

// one is the last answer of an instance to a question about of.
func (a *Answers) one(question, to, of string) (Answer, bool) {
	for i := len(a.Asked) - 1; i >= 0; i-- {
		if x := a.Asked[i]; x.Question == question && x.To == to && x.Of == of {
			return x, true
		}
	}
	return Answer{}, false
}

// seen returns the observation of a name about an instance's cookie or token.
func (a *Answers) seen(name, instance, of string) (trace.Observation, bool) {
	for _, o := range a.Observed {
		if o.Name == name && o.Instance == instance && o.Of == of {
			return o, true
		}
	}
	return trace.Observation{}, false
}

// entry is the answer that gave an instance's session: its sign-in or, where
// that failed, the sign-up.
func (a *Answers) entry(instance string) (Answer, bool) {
	for _, question := range []string{qSignIn, qSignUp} {
		for _, x := range a.all(question) {
			if x.To == instance && x.ok() {
				return x, true
			}
		}
	}
	return Answer{}, false
}

func (x Answer) ok() bool { return x.Status >= 200 && x.Status < 300 }
