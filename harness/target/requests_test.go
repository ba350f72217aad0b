package target

import (
	"net/http"
	"strings"
	"testing"
)

func TestRequestsFollowThePresetAndTheFile(t *testing.T) {
	got, err := parseText(t, minimal)
	if err != nil {
		t.Fatal(err)
	}
	in := got.Contract.Requests.SignIn
	if in.Method != http.MethodPost || in.Answered != 200 || in.Refused != 401 {
		t.Errorf("the usual sign-in is %+v", in)
	}
	kind, body, err := in.Content(Blanks{Email: "ada@x.example", Password: `"p"`})
	if err != nil || kind != "application/json" || string(body) != `{"email":"ada@x.example","password":"\"p\""}` {
		t.Errorf("%s %s, %v", kind, body, err)
	}

	got, err = parseText(t, minimal+"contract: {preset: auth-js, requests: {signOut: {method: DELETE}, signIn: {answered: 204}}}\n")
	if err != nil {
		t.Fatal(err)
	}
	q := got.Contract.Requests
	if q.SignOut.Method != http.MethodDelete || q.SignIn.Refused != 200 || q.SignIn.Answered != 204 || q.CSRF.Field != "csrfToken" {
		t.Errorf("the file does not stand over the preset field by field: %+v", q)
	}
	kind, body, err = q.SignIn.Content(Blanks{Email: "a&b", Password: "p", CSRF: "c"})
	if err != nil || kind != "application/x-www-form-urlencoded" || string(body) != "csrfToken=c&email=a%26b&password=p" {
		t.Errorf("%s %s, %v", kind, body, err)
	}
	if _, err := parseText(t, minimal+"contract: {requests: {signIn: {body: {login: \"${person.email}\"}}}}\n"); err != nil {
		t.Fatal(err)
	}
	if again, _ := parseText(t, minimal); len(again.Contract.Requests.SignIn.Body) != 2 {
		t.Errorf("one file has changed the preset for the next: %v", again.Contract.Requests.SignIn.Body)
	}
}

func TestWrongRequestsAreNamed(t *testing.T) {
	for text, want := range map[string]string{
		"requests: {signIn: {method: GET}}":                  "contract.requests.signIn.method: \"GET\" is not known; allowed: POST, PUT, PATCH, DELETE",
		"requests: {signOut: {type: xml}}":                   "contract.requests.signOut.type: \"xml\" is not known; allowed: json, form",
		"requests: {signIn: {refused: 40}}":                  "contract.requests.signIn.refused: 40 is no status",
		"requests: {signUp: {body: {a: \"${person.age}\"}}}": "contract.requests.signUp.body.a: ${person.age} is unknown; allowed: ${person.name}",
		"requests: {signUp: {body: {a: \"${csrf}\"}}}":       "contract.requests.signUp.body.a: ${csrf} is asked for",
		"requests: {csrf: {path: /csrf}}":                    "contract.requests.csrf: write both path and field",
		"requests: {csrf: {path: csrf, field: a}}":           "contract.requests.csrf.path: \"csrf\" does not begin with a slash",
		"signedIn: {person: user..email}":                    "contract.signedIn.person: \"user..email\" is no path",
		"signature: md5":                                     "contract.signature: \"md5\" is not known; allowed: better-auth, express-session, auth-js, none",
	} {
		_, err := parseText(t, minimal+"contract: {"+text+"}\n")
		if err == nil || !strings.Contains(err.Error(), "crossing.yaml:5: "+want) {
			t.Errorf("%s: got %v", text, err)
		}
	}
}

func TestOneSiteIsMeasuredByTheStrangers(t *testing.T) {
	apart, err := parseText(t, minimal)
	if err != nil || apart.OneSite() || apart.Measured() != apart.Origins {
		t.Fatalf("%v: %+v", err, apart)
	}
	one, err := parseText(t, strings.Replace(minimal, "auth.example.net", "auth.example.com", 1)+"contract: {preset: auth-js}\n")
	if err != nil {
		t.Fatal(err)
	}
	m := one.Measured()
	if !one.OneSite() || m.Frontend != one.Origins.Stranger || m.Auth != one.Origins.Auth || m.Stranger == one.Origins.Stranger {
		t.Errorf("measured by %+v", m)
	}
}
