// Package browser says what the harness wants of a browser. Two drivers
// implement it: playwright (Chromium, Firefox, Playwright's WebKit) and
// webdriver (WebKitGTK). It knows nothing of applications or of Ginkgo.
package browser

import (
	"context"
	"errors"

	"crossing/harness/trace"
)

// Errors that a caller tells apart with errors.Is.
var (
	// ErrDead: the browser or its driver has gone; nothing more will work.
	ErrDead = errors.New("the browser is gone")
	// ErrNotArrived: a navigation ended on another page than the one asked
	// for, such as the engine's own error page.
	ErrNotArrived = errors.New("the page asked for did not open")
	// ErrNoElement: no element fits the selector within the time given.
	ErrNoElement = errors.New("no such element")
	// ErrOneSession: the browser holds one session at a time, and has one.
	ErrOneSession = errors.New("the browser holds one session at a time")
)

// Policy is what a profile asks its engine to do with third-party cookies.
// What the engine then does is measured, never assumed.
type Policy string

// Policies.
const (
	// PolicyBlock refuses ordinary third-party cookies.
	PolicyBlock Policy = "third-party cookies blocked"
	// PolicyAllow keeps them.
	PolicyAllow Policy = "third-party cookies allowed"
	// PolicyTrackingPrevention is WebKit's ITP, the nearest to Safari.
	PolicyTrackingPrevention Policy = "tracking prevention on"
	// PolicyFirstParty is WebKitGTK's own default: third parties set nothing,
	// and what a site set as first party is sent to it as third party too.
	PolicyFirstParty Policy = "cookies set by first parties only"
	// PolicyPartition is Firefox's Total Cookie Protection: third parties keep
	// cookies, in a jar for each top-level site.
	PolicyPartition Policy = "third-party cookies kept apart by top-level site"
)

// Profile is an engine with a cookie policy.
type Profile struct {
	Name   string `json:"name"`
	Engine string `json:"engine"`
	Policy Policy `json:"policy"`
}

// The profiles.
var (
	Chromium      = Profile{Name: "chromium", Engine: "chromium", Policy: PolicyBlock}
	ChromiumAllow = Profile{Name: "chromium-allow", Engine: "chromium", Policy: PolicyAllow}
	WebKit        = Profile{Name: "webkit", Engine: "webkit", Policy: PolicyTrackingPrevention}
	WebKitDefault = Profile{Name: "webkit-default", Engine: "webkit", Policy: PolicyFirstParty}
	WebKitAllow   = Profile{Name: "webkit-allow", Engine: "webkit", Policy: PolicyAllow}
	Firefox       = Profile{Name: "firefox", Engine: "firefox", Policy: PolicyPartition}
)

// Profiles lists every profile in the order in which reports show them.
func Profiles() []Profile {
	return []Profile{Chromium, ChromiumAllow, WebKit, WebKitDefault, WebKitAllow, Firefox}
}

// Defaults are the profiles of a run that names none: the two that are hardest
// on a session.
func Defaults() []Profile { return []Profile{Chromium, WebKit} }

// Launch is how a browser is started. Its zero value is a headless browser
// that the driver finds by itself.
type Launch struct {
	Profile Profile
	// Executable is the browser that the user named; empty: the driver looks
	// for one and says in Version how it was found.
	Executable string
	// SPKI is the base64 SHA-256 of the subject public key info that the
	// edge's leaves share: the one key that the browser has to trust.
	SPKI string
	// DriverDir is where set-up put the driver's files (Playwright's).
	DriverDir string
	// Headed shows the window; SlowMoMillis waits after each action.
	Headed       bool
	SlowMoMillis float64
	// WorkDir is a folder for everything temporary; the caller removes it.
	WorkDir string
	// Frugal spares the processor, where nobody looks at the pages and each is
	// left in a moment. What is done with cookies is the same.
	Frugal bool
	// OnDemand has the browser that sessions share start with the first of them,
	// for those who may need none but with kept profiles. What is wrong with it
	// is said then, and Version().Browser is known from the first session on.
	OnDemand bool
	// Endpoint has browsers that run elsewhere; its zero value: none, and the
	// browser is started here.
	Endpoint Endpoint
}

// Endpoint is where browsers run that somebody else has started.
type Endpoint struct {
	// URL is a W3C WebDriver endpoint's, "http://grid:4444/wd/hub", which may
	// hold a name and a password, or a Playwright server's, "ws://host:3000/".
	URL string
	// Capabilities are a JSON object of what a WebDriver endpoint is asked for
	// beside the browser's name.
	Capabilities string
	// Port of this machine's loopback at which its browsers look for their
	// proxy, since no session of theirs can be told of one; 0: each session is.
	Port int
}

// Version is what a browser says of itself.
type Version struct {
	// Browser is name and version, "Chromium 156.0.8078.79".
	Browser string `json:"browser"`
	// Driver is name and version, "playwright 1.61.1".
	Driver string `json:"driver"`
	// Executable is the file that runs, and Found how it was chosen: "named
	// by CHROMIUM", "Playwright's own build", "the system's".
	Executable string `json:"executable"`
	Found      string `json:"found"`
	// Elsewhere: somebody else has started it, and it keeps no profile here.
	Elsewhere bool `json:"elsewhere,omitempty"`
	// Lever is what was done to have the profile's cookie policy; a control
	// that fails names it.
	Lever string `json:"lever"`
}

// Browser is a running engine, or what starts one per session where the
// engine has one session per process.
type Browser interface {
	Profile() Profile
	Version() Version
	// NewSession opens a session that shares no state with any other.
	NewSession(ctx context.Context, o Options) (Session, error)
	// Close ends the browser, its driver and all their processes.
	Close() error
}

// Options of a session.
type Options struct {
	// Proxy is the visitor's edge listener, "http://127.0.0.1:4711". It is
	// required: no session reaches the network but by an edge.
	Proxy string
	// Keep is the folder of a browser profile that outlives the session, so
	// that a restart can be acted out; empty for an ephemeral session.
	// Drivers that cannot keep one return errors.ErrUnsupported.
	Keep string
	// Recorder takes page errors, refusals and the gaps of this engine.
	Recorder *trace.Recorder
}

// Session is one person's browser: its own cookies and storage.
type Session interface {
	NewPage(ctx context.Context) (Page, error)
	// Tabs counts the pages that are open, those included that a person or a
	// page has opened. A window that was closed leaves none, or ErrDead.
	Tabs(ctx context.Context) (int, error)
	// Cookies returns the jar. Where the engine shows the cookies of the
	// current page's host only, the jar says so in its Scope.
	Cookies(ctx context.Context) (trace.Jar, error)
	Close(ctx context.Context) error
}

// Page is a tab.
type Page interface {
	Scope
	// Goto navigates and returns once the page has loaded; ErrNotArrived if
	// it ended on another address than url (redirects within the same origin
	// are an arrival) or on an error page of the engine.
	Goto(ctx context.Context, url string) error
	Reload(ctx context.Context) error
	// Frame returns the inside of the first frame that fits the selector.
	Frame(ctx context.Context, selector string) (Scope, error)
	// Screenshot returns a PNG of what is visible.
	Screenshot(ctx context.Context) ([]byte, error)
	Close(ctx context.Context) error
}

// Scope is a document: a page's own or a frame's.
type Scope interface {
	URL(ctx context.Context) (string, error)
	// Eval runs script, a JavaScript function expression of one argument
	// that may be async, with arg, and decodes its JSON result into out
	// (which may be nil). A rejection is an error with the page's words.
	Eval(ctx context.Context, script string, arg, out any) error
	// Click and Fill wait for the element to be there, visible and enabled,
	// within ctx: ErrNoElement, with the selector, otherwise. Their events
	// are trusted ones.
	Click(ctx context.Context, selector string) error
	Fill(ctx context.Context, selector, text string) error
	// Attributes returns the attributes of the first element that fits, and
	// its text under the key "". It waits for the element within ctx.
	Attributes(ctx context.Context, selector string) (map[string]string, error)
}
