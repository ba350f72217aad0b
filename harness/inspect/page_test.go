package inspect

import (
	"slices"
	"strings"
	"testing"

	"crossing/harness/target"
)

// input is a field of form 1, its attributes written as in HTML.
func input(attributes ...string) Element {
	e := Element{Tag: "input", Visible: true, Form: 1, Attributes: map[string]string{}, Selector: strings.Join(attributes, ",")}
	for _, a := range attributes {
		name, value, _ := strings.Cut(a, "=")
		e.Attributes[name] = value
	}
	return e
}

func submit(text string) Element {
	return Element{Tag: "button", Text: text, Visible: true, Form: 1, Selector: "submit"}
}

func TestAFormIsTakenApart(t *testing.T) {
	password := input("type=password")
	for name, c := range map[string]struct {
		path     string
		elements []Element
		isNew    bool
		email    string
		others   int
	}{
		"by autocomplete":      {"/x", []Element{input("type=text", "autocomplete=username"), input("type=password", "autocomplete=current-password"), submit("Go")}, false, "type=text,autocomplete=username", 0},
		"new by autocomplete":  {"/x", []Element{input("type=email"), input("type=password", "autocomplete=new-password"), submit("Go")}, true, "type=email", 0},
		"new by a name":        {"/x", []Element{input("name=name"), input("name=email"), password, submit("Go")}, true, "name=email", 0},
		"new by a second one":  {"/x", []Element{input("type=email"), password, input("type=password", "name=again"), submit("Go")}, true, "type=email", 1},
		"new by the button":    {"/x", []Element{input("type=email"), password, submit("Create an account")}, true, "type=email", 0},
		"new by the address":   {"/register", []Element{input("type=email"), password, submit("Go")}, true, "type=email", 0},
		"in by the button":     {"/register", []Element{input("type=email"), password, submit("Log in")}, false, "type=email", 0},
		"a box to tick":        {"/x", []Element{input("name=email"), password, input("type=checkbox", "required"), submit("Sign up")}, true, "name=email", 1},
		"a box left alone":     {"/x", []Element{input("name=email"), password, input("type=checkbox"), submit("Sign in")}, false, "name=email", 0},
		"a search beside":      {"/x", []Element{{Tag: "input", Visible: true, Form: 2, Selector: "search"}, input("name=email"), password, submit("Sign in")}, false, "name=email", 0},
		"a user name":          {"/x", []Element{input("name=username"), password, submit("Sign in")}, false, "name=username", 0},
		"something else, too":  {"/x", []Element{input("name=email"), input("name=company", "required"), password, submit("Sign up")}, true, "name=email", 1},
		"no address":           {"/x", []Element{password, submit("Sign in")}, false, "", 0},
		"by the field's label": {"/x", []Element{{Tag: "input", Label: "E-mail", Visible: true, Form: 1, Selector: "labelled"}, password, submit("Sign in")}, false, "labelled", 0},
	} {
		t.Run(name, func(t *testing.T) {
			f := (Page{Path: c.path, Elements: c.elements}).FindForm()
			if f == nil || f.Submit == nil {
				t.Fatalf("not found, or no button: %+v", f)
			}
			got := ""
			if f.Email != nil {
				got = f.Email.Selector
			}
			if f.New != c.isNew || got != c.email || len(f.Others) != c.others {
				t.Errorf("new %v, e-mail %q, others %v", f.New, got, f.Others)
			}
		})
	}
}

func TestAPageWithoutAPasswordHasNoForm(t *testing.T) {
	hidden := input("type=password")
	hidden.Visible = false
	for _, p := range []Page{{}, {Elements: []Element{input("type=email"), submit("Subscribe")}}, {Elements: []Element{hidden, submit("Sign in")}}} {
		if f := p.FindForm(); f != nil {
			t.Errorf("found %+v", f)
		}
	}
	loose := []Element{input("type=email"), input("type=password"), {Tag: "button", Text: "Sign in", Attributes: map[string]string{"type": "button"}, Visible: true, Selector: "go"}}
	loose[0].Form, loose[1].Form = 0, 0
	if f := (Page{Elements: loose}).FindForm(); f == nil || f.Submit == nil || f.Submit.Selector != "go" {
		t.Errorf("fields without a form: %+v", f)
	}
}

func TestFormsAreLookedForWhereLinksLead(t *testing.T) {
	link := func(text, href string) Element {
		return Element{Tag: "a", Text: text, Visible: true, Attributes: map[string]string{"href": href}}
	}
	paths := Page{Elements: []Element{link("Guide", "/docs"), link("Enter", "/konto/login#form"), link("Sign up", "/konto/neu"), link("Sign in", "https://elsewhere.example.com/login"),
		link("Log in", "//elsewhere.example.com"), link("Log out", "/konto/login-out"), link("Again", "/konto/neu")}}.FormPaths()
	if want := []string{"/konto/login", "/konto/neu", "/sign-up", "/sign-in"}; !slices.Equal(paths[:4], want) {
		t.Errorf("got %v", paths)
	}
	if slices.Contains(paths, "/docs") || slices.Contains(paths, "/konto/login-out") {
		t.Errorf("got %v", paths)
	}
}

func TestTheControlThatSignsOutIsFound(t *testing.T) {
	button := func(text, selector string, visible, fragile bool) Element {
		return Element{Tag: "button", Text: text, Selector: selector, Visible: visible, Fragile: fragile}
	}
	icon := Element{Tag: "button", Selector: "icon", Visible: true, Attributes: map[string]string{"aria-label": "Logout"}}
	for name, c := range map[string]struct {
		elements []Element
		want     string
	}{
		"by its text":       {[]Element{button("Sign in", "in", true, false), button("Sign out", "out", true, false)}, "out"},
		"by its label":      {[]Element{icon}, "icon"},
		"not everywhere":    {[]Element{button("Log out everywhere", "all", true, false), button("Log out", "out", true, false)}, "out"},
		"not what is shut":  {[]Element{button("Sign out", "out", false, false)}, ""},
		"rather what stays": {[]Element{button("Sign out", "div > button", true, true), button("Log out", "#out", true, false)}, "#out"},
		"no text":           {[]Element{{Tag: "p", Text: "Sign out", Visible: true}, button("Outlook", "outlook", true, false)}, ""},
	} {
		got := ""
		if e := (Page{Elements: c.elements}).FindSignOut(false); e != nil {
			got = e.Selector
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestAButtonThatCallsTheAPISaysSo(t *testing.T) {
	p := Page{Elements: []Element{
		{Tag: "a", Text: "API reference", Visible: true, Selector: "docs"},
		{Tag: "button", Text: "Delete account", Visible: true, Selector: "delete"},
		{Tag: "button", Text: "Ask", Visible: true, Selector: "ask", Attributes: map[string]string{"data-testid": "call-api"}},
	}}
	if e := p.FindCall(); e == nil || e.Selector != "ask" {
		t.Errorf("got %+v", e)
	}
	p.Elements = p.Elements[:2]
	if e := p.FindCall(); e != nil {
		t.Errorf("%s would be pressed", e.Selector)
	}
}

func TestNoFormIsToldAndTheFileStillLoads(t *testing.T) {
	w := newWorld(front, auth, api)
	w.SignUp, w.SignIn, w.SignOut, w.Refused, w.Signed, w.Left = Entry{}, Entry{}, nil, Page{}, Page{}, Page{}
	f := Infer(w.Seen)
	_, text := loaded(t, f)
	for field, word := range map[string]string{
		"contract.pages.signUp": "no page with such a form", "contract.pages.signIn": "no page with such a form", "contract.paths.session": "nobody was seen to be signed in",
		"contract.cookie.name": "set no cookie", "contract.pages.standing": "no element", "contract.pages.signOut": "no control", "contract.paths.signIn": "no request",
	} {
		doubted(t, f, field, word)
	}
	if !strings.Contains(text, "# signIn: {path: /…") {
		t.Errorf("what is missing is not sketched:\n%s", text)
	}
}

func TestTheStandingIsAnAttributeThatChanges(t *testing.T) {
	seen := func(change func(nobody, signed, left *Page)) Found {
		w := betterAuth()
		change(&w.Nobody, &w.Signed, &w.Left)
		f := Infer(w.Seen)
		loaded(t, f)
		return f
	}
	const field = "contract.pages.standing"
	f := seen(func(_, signed, _ *Page) {
		signed.Elements[1].Attributes = map[string]string{"data-testid": "who"}
	})
	if doubted(t, f, field, "names the person", "no element has an attribute"); f.Contract.Pages.Standing.Selector != "" {
		t.Errorf("found %+v", f.Contract.Pages.Standing)
	}
	f = seen(func(_, signed, _ *Page) { delete(signed.Elements[1].Attributes, "data-person") })
	if doubted(t, f, field+".person", "its text is read"); f.Contract.Pages.Standing.State != "data-state" {
		t.Errorf("found %+v", f.Contract.Pages.Standing)
	}
	f = seen(func(nobody, _, _ *Page) { nobody.Elements[1].Attributes["data-state"] = "loading" })
	doubted(t, f, field+".signedOut", "signed-out")
	f = seen(func(_, signed, _ *Page) { signed.Elements[1].Attributes["data-by"] = "cookie" })
	if f.Contract.Pages.Standing.By != "data-by" {
		t.Errorf("found %+v", f.Contract.Pages.Standing)
	}
	doubted(t, f, "contract.fallbackSetting", "another way than the cookie")
	f = seen(func(nobody, signed, left *Page) {
		for p, id := range map[*Page]string{nobody: "anonymous", signed: "42", left: "anonymous"} {
			p.Elements[1].Attributes["data-id"] = id
		}
	})
	if f.Contract.Pages.Standing.State != "data-state" {
		t.Errorf("found %+v", f.Contract.Pages.Standing)
	}
	f = seen(func(nobody, signed, left *Page) { // the class alone changes, and nobody is named
		for _, p := range []*Page{nobody, signed, left} {
			p.Elements = slices.Delete(p.Elements, 1, 2)
		}
	})
	doubted(t, f, field, "no element of the home page")
}

func TestTheCallOfTheAPIIsDescribed(t *testing.T) {
	answer := func(status string) Page {
		return Page{Path: "/account", Elements: []Element{{Selector: "#answer", Attributes: map[string]string{"data-status": status}, Visible: true}}}
	}
	w := betterAuth()
	w.Call = Pressed{Click: "#call", Before: answer(""), After: answer("200")}
	if got, want := Infer(w.Seen).Contract.Pages.CallAPI, (target.Call{Click: "#call", Answer: "#answer", Status: "data-status"}); got != want {
		t.Errorf("got %+v", got)
	}
	w.Call.After = answer("ok")
	doubted(t, Infer(w.Seen), "contract.pages.callAPI", "no element's attribute shows the status")
	w.Call = Pressed{}
	doubted(t, Infer(w.Seen), "contract.pages.callAPI", "no button")
}

func TestEveryDoubtStandsInTheFile(t *testing.T) {
	w := newWorld(front, auth, api)
	w.SignUp.Landing, w.SignIn.Form.Others = Page{}, []Element{input("name=code")}
	w.SignIn.Form.Email = &Element{Selector: `div:nth-of-type(2) > input`, Fragile: true}
	w.SignOut = &Element{Selector: `[title="\"on\""]`}
	w.Notes = []string{"press: it went\nwrong"}
	f := Infer(w.Seen)
	got, text := loaded(t, f)
	if got.Contract.Pages.SignOut != `[title="\"on\""]` || got.Contract.Pages.SignIn.Email != "div:nth-of-type(2) > input" {
		t.Errorf("read back as %+v", got.Contract.Pages)
	}
	for _, d := range f.Doubts {
		if !strings.Contains(text, "# unsure: "+d.Field+": "+oneLine(d.String())+"\n") {
			t.Errorf("not in the file: %s: %s", d.Field, d)
		}
	}
	if got, want := strings.Count(text, "# unsure:"), len(f.Doubts); got != want {
		t.Errorf("%d doubts are written, %d there are:\n%s", got, want, text)
	}
	for text, want := range map[string]string{"on": `"on"`, "/sign-in": "/sign-in", "a: b": `"a: b"`, "": `""`, "<&>": `"<&>"`, "7": `"7"`, "https://a.example.com": "https://a.example.com"} {
		if got := scalar(text); got != want {
			t.Errorf("%q is written %s, want %s", text, got, want)
		}
	}
}
