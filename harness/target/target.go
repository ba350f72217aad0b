// Package target turns crossing.yaml, flags and the environment into a
// validated Target: the application as a browser sees it, and the services
// behind it. It starts nothing.
package target

import (
	"time"

	"crossing/harness/trace"
)

// File is crossing.yaml.
type File struct {
	// Name is what reports call the application.
	Name string `yaml:"name"`
	// Origins are the addresses that browsers use. Locally they exist inside
	// the edge only; any name under a listed top-level domain will do.
	Origins trace.Origins `yaml:"origins"`
	// Previews are patterns of hosts that are previews, besides Vercel's own
	// names: "*.preview.example.com".
	Previews []string `yaml:"previews"`
	// Projects are the names that the platform knows the parts by, by which
	// events of deployments are told apart.
	Projects Projects `yaml:"projects"`
	// Services are started in the order of their needs. None: the origins
	// are reached as they are.
	Services map[string]Service `yaml:"services"`
	// Serves says which service stands behind which origin.
	Serves Serves `yaml:"serves"`
	// Secrets are names; each run makes a random value for each.
	Secrets  []string `yaml:"secrets"`
	Contract Contract `yaml:"contract"`
	// Database lets the harness look up a session's row.
	Database *Database `yaml:"database"`
}

// Serves names the service behind each origin.
type Serves struct {
	Frontend string `yaml:"frontend"`
	Auth     string `yaml:"auth"`
	API      string `yaml:"api"`
}

// Service is one part of the stack. It runs as a container from Image or
// Dockerfile, or as a process by Command, whichever the runtime is.
//
// Strings of Environment, Command, Migrate and Database.URL may hold
// ${origin.ROLE}, ${secret.NAME}, ${address.SERVICE} (host:port as this
// service reaches it), ${url.SERVICE} ("http://" and that address), ${port},
// ${host} (what to listen on), ${data} (a folder of its own), ${instance}
// (its name, "auth-2") and ${env.NAME} (from the run's own environment).
type Service struct {
	// Image is a ready image; Dockerfile one that is built, with Directory as
	// its context. Both are paths below crossing.yaml's folder.
	Image      string `yaml:"image"`
	Dockerfile string `yaml:"dockerfile"`
	Directory  string `yaml:"directory"`
	// Build are commands run in Directory on this machine before the service
	// or its image is made; they run again when a file that Inputs (globs
	// below Directory, default: all that git would track) names has changed.
	Build  []string `yaml:"build"`
	Inputs []string `yaml:"inputs"`
	// Command starts the service as a process, in Directory. A container
	// runs its image's own command.
	Command string `yaml:"command"`
	// Migrate is run to its end once before the first instance starts: as a
	// process in Directory, or in a container of the same image.
	Migrate string `yaml:"migrate"`
	// Environment of every instance.
	Environment map[string]string `yaml:"environment"`
	// Needs are services that must be ready first.
	Needs []string `yaml:"needs"`
	// Instances share nothing but what Needs gives them; default one. Each
	// entry may change the environment.
	Instances Instances `yaml:"instances"`
	// Port that the container listens on; a process gets a free one.
	Port  int   `yaml:"port"`
	Ready Ready `yaml:"ready"`
	// Packages are Debian's packages that the process form needs; set-up
	// installs them when services run as processes.
	Packages []string `yaml:"packages"`
	// Unprivileged runs the process under another account when the run is
	// root's, as PostgreSQL demands.
	Unprivileged bool `yaml:"unprivileged"`
}

// Instances is written as a number or as a list of differences.
type Instances []Instance

// Instance is what one instance has of its own.
type Instance struct {
	Environment map[string]string `yaml:"environment"`
}

// Ready says when a service can be used. One of Path and SQL is set.
type Ready struct {
	// Path is asked over HTTP until it answers 200.
	Path string `yaml:"path"`
	// SQL is a PostgreSQL URL that is asked SELECT 1.
	SQL string `yaml:"sql"`
	// Within is the limit; default 30 s.
	Within time.Duration `yaml:"within"`
}

// Database is where sessions are kept.
type Database struct {
	URL string `yaml:"url"`
	// Session selects (user_email text, expires_at timestamptz) of the
	// session whose token is $1; no row: no session.
	Session string `yaml:"session"`
	// Revoke deletes that session; Age sets its expiry $2 seconds from now.
	Revoke string `yaml:"revoke"`
	Age    string `yaml:"age"`
	// User selects 1 where there is a person of the e-mail address $1; empty:
	// it is not looked up whether the person is still there.
	User string `yaml:"user"`
}

// Contract is what frontend, auth and api have agreed on.
type Contract struct {
	// Preset fills what is left out: "better-auth", the default,
	// "express-session" or "auth-js".
	Preset string               `yaml:"preset"`
	Cookie trace.CookieContract `yaml:"cookie"`
	Paths  trace.Paths          `yaml:"paths"`
	// Requests are how what changes a session is asked for.
	Requests Requests `yaml:"requests"`
	// SignedIn is how an answer on the session tells who is signed in.
	SignedIn trace.Reading `yaml:"signedIn"`
	Pages    Pages         `yaml:"pages"`
	// UpdateAge is how old a session may become, in seconds, before the auth
	// service lengthens it, whichever endpoint is asked; 0: it never does.
	UpdateAge int `yaml:"updateAge"`
	// CORS is what the frontend's pages may send and read across origins.
	CORS CORS `yaml:"cors"`
	// Issuer and Audience of tokens; default: the auth origin.
	Issuer   string `yaml:"issuer"`
	Audience string `yaml:"audience"`
	// Signature is how a session cookie's value is signed: "better-auth",
	// "express-session", "auth-js" (a JWE), or "none".
	Signature string `yaml:"signature"`
	// SigningSecret names the environment variable of the auth service whose
	// value signs cookies, so that signatures can be recomputed.
	SigningSecret string `yaml:"signingSecret"`
	// FallbackSetting is the run-time setting (a path of the frontend and the
	// name of a JSON field) that switches the bearer fallback.
	FallbackSetting Setting `yaml:"fallbackSetting"`
	Budgets         Budgets `yaml:"budgets"`
	// Limit is how often one address may sign up, and sign in. Deployments see
	// all visitors of a run under one address, so that it is kept to there.
	Limit Limit `yaml:"limit"`
}

// Limit is a rate, Most within a time; 0: none is known.
type Limit struct {
	Most   int           `yaml:"most"`
	Within time.Duration `yaml:"within"`
}

// CORS is what auth and api let the frontend's pages do (Fetch, "CORS
// protocol"), and no other origin's.
type CORS struct {
	Auth Reach `yaml:"auth"`
	API  Reach `yaml:"api"`
}

// Reach of a page into another origin, by names of headers.
type Reach struct {
	// Allowed are those that its requests may carry, Exposed those of answers
	// that its script must be able to read.
	Allowed []string `yaml:"allowed"`
	Exposed []string `yaml:"exposed"`
}

// Budgets are how long a person may wait, in the median of a run; default one
// second each. A run beyond it fails; 0 switches the judgement off.
type Budgets struct {
	// SignIn is from the click in the sign-in form, Reload from the reload of
	// a page, until the page shows who is signed in.
	SignIn Budget `yaml:"signIn"`
	Reload Budget `yaml:"reload"`
}

// Budget is a duration; 0 may be written without a unit.
type Budget time.Duration

// String writes it as a duration.
func (b Budget) String() string { return time.Duration(b).String() }

// Setting is one field of a JSON document that the frontend reads at run time.
type Setting struct {
	Path  string `yaml:"path"`
	Field string `yaml:"field"`
}

// Pages is how a person uses the frontend; the strings are CSS selectors,
// those named Path paths.
type Pages struct {
	SignUp    Form     `yaml:"signUp"`
	SignIn    Form     `yaml:"signIn"`
	Home      string   `yaml:"home"`
	Other     string   `yaml:"other"`
	OtherLink string   `yaml:"otherLink"`
	Standing  Standing `yaml:"standing"`
	CallAPI   Call     `yaml:"callAPI"`
	SignOut   string   `yaml:"signOut"`
	// SignOutEverywhere ends this person's sessions in every browser.
	SignOutEverywhere string `yaml:"signOutEverywhere"`
}

// Form is a page with a form.
type Form struct {
	Path     string `yaml:"path"`
	Name     string `yaml:"name"`
	Email    string `yaml:"email"`
	Password string `yaml:"password"`
	Submit   string `yaml:"submit"`
	// Landing is the path to which a person is led on success, Error the
	// element that then appears instead where it failed. Without a Landing a
	// step is over when the auth service has answered.
	Landing string `yaml:"landing"`
	// Landed is an element of the landing page: the address may change while
	// the page is still on its way.
	Landed string `yaml:"landed"`
	Error  string `yaml:"error"`
}

// Standing is the element that shows who is signed in.
type Standing struct {
	Selector string `yaml:"selector"`
	// State is an attribute with the values SignedIn, SignedOut, and others
	// while the page has not decided yet.
	State     string `yaml:"state"`
	SignedIn  string `yaml:"signedIn"`
	SignedOut string `yaml:"signedOut"`
	// Person and By are attributes: the e-mail address, and "cookie" or
	// "bearer".
	Person string `yaml:"person"`
	By     string `yaml:"by"`
}

// Call is a button, and the element that then shows the answer.
type Call struct {
	Click  string `yaml:"click"`
	Answer string `yaml:"answer"`
	// Status is an attribute of Answer: the HTTP status, empty while waiting.
	Status string `yaml:"status"`
}
