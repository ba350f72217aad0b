package trace

import (
	"encoding/json"
	"net/http"
	"strings"
)

// Subject is the application that a trace is about, as far as Explain must
// know it: where its parts are and what was agreed of its cookie.
type Subject struct {
	Name     string         `json:"name"`
	Origins  Origins        `json:"origins"`
	Cookie   CookieContract `json:"cookie"`
	Paths    Paths          `json:"paths"`
	Issuer   string         `json:"issuer,omitempty"`
	Audience string         `json:"audience,omitempty"`
	// SignedIn is how an answer on the session is read, Methods how what
	// changes a session is asked for.
	SignedIn Reading `json:"signedIn,omitzero"`
	Methods  Methods `json:"methods,omitzero"`
	// Refused is the status of a sign-in with a wrong password; 0: 401.
	Refused int `json:"refused,omitempty"`
	// Preset is the library whose words mends are told in; empty: BetterAuth.
	Preset string `json:"preset,omitempty"`
}

// Methods of the endpoints that change a session; empty: POST.
type Methods struct {
	SignUp  string `json:"signUp,omitempty"`
	SignIn  string `json:"signIn,omitempty"`
	SignOut string `json:"signOut,omitempty"`
}

// Reading is how an answer on the session tells who is signed in.
type Reading struct {
	// Person is where the e-mail address stands in the JSON of the answer,
	// names of fields with dots between them; empty: "user.email".
	Person string `json:"person,omitempty" yaml:"person"`
}

// Of reads an answer: the person whom it names or, of a 200 in JSON that names
// none, that nobody is signed in. Neither holds of any other answer.
func (r Reading) Of(status int, body string) (person string, nobody bool) {
	var value any
	if status != http.StatusOK || json.Unmarshal([]byte(body), &value) != nil {
		return "", false
	}
	path := r.Person
	if path == "" {
		path = "user.email"
	}
	for name := range strings.SplitSeq(path, ".") {
		fields, _ := value.(map[string]any)
		value = fields[name]
	}
	person, _ = value.(string)
	return person, person == ""
}

// Origins of a target: scheme://host, no trailing slash.
type Origins struct {
	Frontend string `json:"frontend" yaml:"frontend"`
	Auth     string `json:"auth" yaml:"auth"`
	API      string `json:"api,omitempty" yaml:"api"`
	// Stranger is a site of the harness's own, of neither frontend nor auth.
	Stranger string `json:"stranger" yaml:"stranger"`
}

// Role returns the part that origin plays, RoleUnknown for none.
func (o Origins) Role(origin string) Role {
	switch origin {
	case "":
		return RoleUnknown
	case o.Frontend:
		return RoleFrontend
	case o.Auth:
		return RoleAuth
	case o.API:
		return RoleAPI
	case o.Stranger:
		return RoleStranger
	}
	return RoleUnknown
}

// CookieContract is what the session cookie must look like.
type CookieContract struct {
	// Name is the whole name, prefix included.
	Name        string `json:"name" yaml:"name"`
	Secure      bool   `json:"secure" yaml:"secure"`
	HTTPOnly    bool   `json:"httpOnly" yaml:"httpOnly"`
	SameSite    string `json:"sameSite" yaml:"sameSite"`
	Partitioned bool   `json:"partitioned" yaml:"partitioned"`
	Path        string `json:"path" yaml:"path"`
	// Lifetime is the Max-Age that sign-in sets, in seconds.
	Lifetime int `json:"lifetime" yaml:"lifetime"`
}

// Paths are where the endpoints of a contract stand, below their origin.
type Paths struct {
	SignUp  string `json:"signUp" yaml:"signUp"`
	SignIn  string `json:"signIn" yaml:"signIn"`
	SignOut string `json:"signOut" yaml:"signOut"`
	Session string `json:"session" yaml:"session"`
	// List shows a person's own sessions, Revoke ends the one that it is told,
	// RevokeAll every one: in whichever browser they are.
	List      string `json:"list,omitempty" yaml:"list"`
	Revoke    string `json:"revoke,omitempty" yaml:"revoke"`
	RevokeAll string `json:"revokeAll,omitempty" yaml:"revokeAll"`
	// DeleteAccount removes the person whose session it is; empty: people whom
	// a run has signed up on a deployment stay there.
	DeleteAccount string `json:"deleteAccount,omitempty" yaml:"deleteAccount"`
	Token         string `json:"token,omitempty" yaml:"token"`
	Keys          string `json:"keys,omitempty" yaml:"keys"`
	// API is the api's call that needs a token.
	API string `json:"api,omitempty" yaml:"api"`
}
