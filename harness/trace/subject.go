package trace

// Subject is the application that a trace is about, as far as Explain must
// know it: where its parts are and what was agreed of its cookie.
type Subject struct {
	Name     string         `json:"name"`
	Origins  Origins        `json:"origins"`
	Cookie   CookieContract `json:"cookie"`
	Paths    Paths          `json:"paths"`
	Issuer   string         `json:"issuer,omitempty"`
	Audience string         `json:"audience,omitempty"`
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
	Token     string `json:"token,omitempty" yaml:"token"`
	Keys      string `json:"keys,omitempty" yaml:"keys"`
	// API is the api's call that needs a token.
	API string `json:"api,omitempty" yaml:"api"`
}
