// Package trace holds what was seen on one visitor's way through an
// application: exchanges, cookies, jars, standings, marks and observations.
// It is plain data with a file format, imports the standard library only, and
// judges nothing: package diagnose does. Secrets stand in it as digests.
package trace

import (
	"strings"
	"time"
)

// Version is the version of the file format that this package writes.
const Version = 1

// Trace is all that was seen of one visitor.
type Trace struct {
	Version      int           `json:"version"`
	Run          string        `json:"run"`
	Spec         string        `json:"spec,omitempty"`
	Visitor      string        `json:"visitor"`
	Profile      string        `json:"profile"`
	Browser      string        `json:"browser"`
	Subject      Subject       `json:"subject"`
	Capability   *Capability   `json:"capability,omitempty"`
	Exchanges    []Exchange    `json:"exchanges"`
	Jars         []Jar         `json:"jars"`
	Standings    []Standing    `json:"standings"`
	Marks        []Mark        `json:"marks"`
	Observations []Observation `json:"observations"`
	Refusals     []Refusal     `json:"refusals"`
	PageErrors   []PageError   `json:"pageErrors"`
	Logs         []LogLine     `json:"logs"`
	// Hosts are those that the pages asked for something, where the engine
	// tells; nil where it does not. The edge alone cannot tell a page's request
	// from one of the browser's own (updates, autofill).
	Hosts []string `json:"hosts"`
	// Gaps names what this engine cannot report, so that its absence here is
	// never taken for its absence in the browser.
	Gaps []string `json:"gaps,omitempty"`
}

// ReservedPath is answered by the edge on every origin and is never forwarded:
// the browser's cookie policy is proved there, by the application's own sites.
// Exchanges below it are no part of the application.
const ReservedPath = "/.well-known/crossing/"

// Role is the part that an origin plays in an application.
type Role string

// The roles. RoleUnknown marks a host that no target names: a request to it
// breaks an invariant.
const (
	RoleFrontend Role = "frontend"
	RoleAuth     Role = "auth"
	RoleAPI      Role = "api"
	RoleStranger Role = "stranger"
	RoleUnknown  Role = "unknown"
)

// Exchange is one request with its answer, as the browser saw it: after
// whatever the edge broke on purpose.
type Exchange struct {
	// ID is also sent to the service as X-Request-Id, so that its log lines
	// can be found.
	ID     string    `json:"id"`
	Time   time.Time `json:"time"`
	Millis float64   `json:"millis"`
	Role   Role      `json:"role"`
	// Instance is the upstream that answered, "auth-2"; empty where the edge
	// itself answered.
	Instance string `json:"instance,omitempty"`
	Method   string `json:"method"`
	// Origin is scheme://host of the request's own target.
	Origin string `json:"origin"`
	Path   string `json:"path"`
	Query  string `json:"query,omitempty"`
	// PageOrigin is the request's Origin header: who asked.
	PageOrigin string `json:"pageOrigin,omitempty"`
	// Preflight is a CORS preflight (Fetch, "CORS-preflight fetch").
	Preflight bool    `json:"preflight,omitempty"`
	Request   Message `json:"request"`
	Status    int     `json:"status"`
	Response  Message `json:"response"`
	// Err says why there is no answer: refused, reset, timed out, or
	// ErrAbandoned.
	Err string `json:"err,omitempty"`
	// Fault names the deliberate break that touched this exchange.
	Fault string `json:"fault,omitempty"`
	// Leak says where a secret stands that only the edge may put on what it
	// forwards, such as a preview's bypass.
	Leak string `json:"leak,omitempty"`
	// Outside marks an exchange that the harness made itself, not the browser.
	Outside bool `json:"outside,omitempty"`
}

// NoBrowser is the Profile of a trace of what the harness itself has asked,
// over a line of its own.
const NoBrowser = "none"

// ErrAbandoned is the Err of a request that the browser itself gave up, as it
// does when a page is left or closed. It is nobody's fault.
const ErrAbandoned = "the browser gave the request up"

// Message is one side of an exchange.
type Message struct {
	// Header is in the order of names; secrets are digested. Cookie and
	// Set-Cookie are left to the fields below.
	Header []Field `json:"header"`
	// Cookies are the pairs of the Cookie header in the order sent.
	Cookies    []Pair      `json:"cookies,omitempty"`
	SetCookies []SetCookie `json:"setCookies,omitempty"`
	// Body is a JSON body of at most 16 KiB, its secrets digested; other
	// kinds are left out.
	Body  string `json:"body,omitempty"`
	Bytes int64  `json:"bytes"`
	// HeaderBytes are those of all header lines, names included, Cookie and
	// Set-Cookie among them; Largest is the longest of the lines. Zero in
	// traces of before they were counted.
	HeaderBytes int        `json:"headerBytes,omitempty"`
	Largest     HeaderSize `json:"largest,omitzero"`
	// Token is the JWT that was carried: as Bearer credentials in a request,
	// as "token" of a JSON body in a response.
	Token *Token `json:"token,omitempty"`
}

// HeaderSize is how long a header line is: its name and its value, in bytes.
type HeaderSize struct {
	Name  string `json:"name"`
	Bytes int    `json:"bytes"`
}

// Field is one header line.
type Field struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Pair is one cookie of a Cookie header.
type Pair struct {
	Name   string `json:"name"`
	Digest string `json:"digest"`
	// Bytes are those of name and value.
	Bytes int `json:"bytes,omitempty"`
}

// Token is what may be read off a JWT without its signature (RFC 7519).
type Token struct {
	Digest    string    `json:"digest"`
	Algorithm string    `json:"alg"`
	KeyID     string    `json:"kid"`
	Issuer    string    `json:"iss"`
	Audience  []string  `json:"aud"`
	Subject   string    `json:"sub"`
	IssuedAt  time.Time `json:"iat"`
	Expires   time.Time `json:"exp"`
	// Opaque is set where the credentials were no JWT at all; only Digest is
	// filled then.
	Opaque bool `json:"opaque,omitempty"`
}

// Get returns the first value of the named header line, "" where absent.
// Names are compared without case.
func (m Message) Get(name string) string {
	for _, f := range m.Header {
		if strings.EqualFold(f.Name, name) {
			return f.Value
		}
	}
	return ""
}

// Jar is what a browser kept at one moment.
type Jar struct {
	Time  time.Time `json:"time"`
	Label string    `json:"label"`
	Page  string    `json:"page,omitempty"`
	// Scope is JarWhole, or JarHost where the engine shows the cookies of the
	// current page's host only.
	Scope   string   `json:"scope"`
	Cookies []Cookie `json:"cookies"`
}

// Values of Jar.Scope.
const (
	JarWhole = "whole"
	JarHost  = "host"
)

// Cookie is one cookie of a jar.
type Cookie struct {
	Name     string `json:"name"`
	Digest   string `json:"digest"`
	Domain   string `json:"domain"`
	HostOnly bool   `json:"hostOnly"`
	Path     string `json:"path"`
	// Expires is zero for a session cookie.
	Expires  time.Time `json:"expires"`
	Secure   bool      `json:"secure"`
	HTTPOnly bool      `json:"httpOnly"`
	SameSite string    `json:"sameSite"`
	// PartitionKey is the top-level site, "https://example.com"; empty for an
	// unpartitioned cookie, and where the engine shows no key.
	PartitionKey string `json:"partitionKey,omitempty"`
	// Ancestor is the cross-site ancestor bit of the partition key, where the
	// engine shows it.
	Ancestor bool `json:"ancestor,omitempty"`
	Bytes    int  `json:"bytes"`
}

// Standing is who a page, or an answer, took the visitor for.
type Standing struct {
	Time time.Time `json:"time"`
	Step string    `json:"step,omitempty"`
	// Source is where it was read: "page", or the endpoint that was asked.
	Source string `json:"source"`
	// TopLevel is the origin of the page that was open.
	TopLevel string `json:"topLevel"`
	SignedIn bool   `json:"signedIn"`
	// Person is the e-mail address that was named; empty when signed out.
	Person string `json:"person,omitempty"`
	// By is how the page is signed in: "cookie", "bearer" or "".
	By string `json:"by,omitempty"`
	// Undecided is set where the page said neither: it was loading, or showed
	// an error. SignedIn is false then, which does not mean signed out.
	Undecided bool `json:"undecided,omitempty"`
	// Detail is what else was seen, such as the state "loading" or an error.
	Detail string `json:"detail,omitempty"`
}

// Mark is the beginning and the end of a step.
type Mark struct {
	Step  string    `json:"step"`
	Begin time.Time `json:"begin"`
	End   time.Time `json:"end"`
	Err   string    `json:"err,omitempty"`
}

// Observation is what only a plain value could tell, asked while recording
// and stored as an answer.
type Observation struct {
	Time time.Time `json:"time"`
	// Name is one of the Observe constants.
	Name string `json:"name"`
	// Of is the digest of what was asked about: a cookie, a token.
	Of string `json:"of,omitempty"`
	// Instance is the service instance that was asked, or whose secret was
	// used.
	Instance string `json:"instance,omitempty"`
	// Answer is one of the Answer constants, or a status code with a word.
	Answer string `json:"answer"`
	Detail string `json:"detail,omitempty"`
}

// Names of observations.
const (
	// ObserveSignature: was the cookie signed with this instance's secret?
	ObserveSignature = "signature"
	// ObserveRow: is there a session row for the cookie's token?
	ObserveRow = "row"
	// ObserveSession: what does this instance answer on get-session with the
	// cookie, asked from outside the browser?
	ObserveSession = "session"
	// ObserveHealth: what does this instance's readiness answer?
	ObserveHealth = "health"
	// ObserveDatabase: does the database answer the harness?
	ObserveDatabase = "database"
	// ObserveToken: does the token verify against the key set outside the
	// browser?
	ObserveToken = "token"
	// ObserveUser: is there a row for the person that the sign-in named?
	ObserveUser = "user"
	// ObserveClock: does the browser's clock agree with the harness's? Detail
	// says how far it is ahead, "+3600 s".
	ObserveClock = "clock"
	// ObserveWorker: does a service worker answer the page's requests?
	ObserveWorker = "service-worker"
)

// Answers of observations.
const (
	AnswerYes     = "yes"
	AnswerNo      = "no"
	AnswerAbsent  = "absent"
	AnswerPresent = "present"
	AnswerExpired = "expired"
	AnswerFailed  = "failed"
)

// Refusal is a browser's own word that it did not store or send a cookie.
type Refusal struct {
	Time   time.Time `json:"time"`
	URL    string    `json:"url"`
	Cookie string    `json:"cookie"`
	// Direction is "store" or "send".
	Direction string `json:"direction"`
	// Reasons are the engine's own words, such as UserPreferences (CDP
	// Network.SetCookieBlockedReason).
	Reasons []string `json:"reasons"`
}

// PageError is an uncaught exception, an unhandled rejection, or what the
// browser said of a failed load (Kind "cors", with CDP's CorsError word).
type PageError struct {
	Time time.Time `json:"time"`
	Page string    `json:"page"`
	Kind string    `json:"kind"`
	Text string    `json:"text"`
	// Leak is as that of an Exchange.
	Leak string `json:"leak,omitempty"`
}

// Kinds of page errors.
const (
	ErrorUncaught = "uncaught"
	ErrorCORS     = "cors"
	// ErrorNetwork is a load that failed below HTTP, with the engine's own
	// word for it (Chromium: net_error_list.h).
	ErrorNetwork = "network"
)

// LogLine is one line of a service's log that bears on this visitor, found by
// the request's ID; its secrets are digested.
type LogLine struct {
	Instance string `json:"instance"`
	Request  string `json:"request,omitempty"`
	Text     string `json:"text"`
	// Leak is as that of an Exchange.
	Leak string `json:"leak,omitempty"`
}

// LeakIn is a Leak's words.
func LeakIn(where string) string {
	return "a secret that the edge alone puts on requests stands in " + where
}

// Capability is what a profile was measured to do with cookies. Each value is
// one of the Measured constants.
type Capability struct {
	// ThirdParty: does an ordinary third-party cookie stay?
	ThirdParty string `json:"thirdParty"`
	// Partitioned: does a Partitioned third-party cookie stay?
	Partitioned string `json:"partitioned"`
	// Isolated: is it invisible under another top-level site?
	Isolated string `json:"isolated"`
	// Restart: does it survive a restart with a kept profile?
	Restart string `json:"restart"`
	// Visited: is an ordinary cookie that a site set as first party sent to it
	// from a page of another site?
	Visited string `json:"visited"`
	// Storage: is the localStorage of a third-party frame another one than
	// the first party's?
	Storage string `json:"storage"`
	// Jar: does the jar that the driver shows, on one site's page, hold a cookie
	// that was kept for another site?
	Jar string `json:"jar"`
	// Keys: does it tell that cookie's partition key?
	Keys string `json:"keys"`
	// Evidence is what was seen, a line each.
	Evidence []string `json:"evidence,omitempty"`
}

// Values of Capability.
const (
	MeasuredYes     = "yes"
	MeasuredNo      = "no"
	MeasuredUnknown = "not measured"
)
