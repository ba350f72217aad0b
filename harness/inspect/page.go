package inspect

import (
	"regexp"
	"slices"
	"strings"
)

// Page is what a page showed at one moment: its elements that a person could
// mean, in the order of the document.
type Page struct {
	Path     string    `json:"path"`
	Elements []Element `json:"elements"`
}

// Element is one of them.
type Element struct {
	// Selector fits it alone. A fragile one tells where it stands and not what
	// it is, so that another layout breaks it.
	Selector string `json:"selector"`
	Fragile  bool   `json:"fragile"`
	Tag      string `json:"tag"`
	Text     string `json:"text"`
	// Label is the words beside a field.
	Label      string            `json:"label"`
	Attributes map[string]string `json:"attributes"`
	Visible    bool              `json:"visible"`
	// Main: it stands in the page's main part.
	Main bool `json:"main"`
	// Form is the number of the form that it belongs to, counted from 1; 0: none.
	Form int `json:"form"`
}

// Form is a form that asks for a password.
type Form struct {
	Path                          string
	Name, Email, Password, Submit *Element
	// Others are what must be filled in besides, which no contract has words
	// for: a second password, a box to tick.
	Others []Element
	// New: it makes an account.
	New bool
}

var (
	mail     = regexp.MustCompile(`(?i)e-?mail|user-?name|\blogin\b`)
	fullName = regexp.MustCompile(`(?i)\bname\b|full-?name|display-?name|first-?name`)
	// up and in are the words of links, headings and buttons.
	up       = regexp.MustCompile(`(?i)sign[ -]?up|regist|create (an |your )?account|new account|join|get started`)
	in       = regexp.MustCompile(`(?i)sign[ -]?in|log[ -]?in|\blogin\b`)
	out      = regexp.MustCompile(`(?i)\b(sign|log)[ -]?(out|off)\b|\blogout\b|\bsignout\b`)
	every    = regexp.MustCompile(`(?i)everywhere|all (devices|sessions|browsers)|other (devices|sessions)`)
	callsAPI = regexp.MustCompile(`(?i)\bapi\b`)
)

// kind is an input's, as browsers take it.
func (e Element) kind() string {
	if e.Tag == "input" && e.Attributes["type"] == "" {
		return "text"
	}
	return strings.ToLower(e.Attributes["type"])
}

// words are all that an element says of itself.
func (e Element) words() string {
	a := e.Attributes
	return strings.Join([]string{e.Text, e.Label, a["aria-label"], a["title"], a["value"], a["placeholder"]}, " ")
}

// names are those that its author has given it.
func (e Element) names() string {
	a := e.Attributes
	return strings.Join([]string{a["name"], a["id"], a["autocomplete"], a["data-testid"]}, " ")
}

func (e Element) pressable() bool {
	role := e.Attributes["role"]
	return e.Tag == "button" || e.Tag == "a" || role == "button" || role == "menuitem" || role == "link" ||
		e.Tag == "input" && (e.kind() == "submit" || e.kind() == "button")
}

// element finds one by its selector.
func (p Page) element(selector string) *Element {
	at := slices.IndexFunc(p.Elements, func(e Element) bool { return e.Selector == selector })
	if at < 0 {
		return nil
	}
	return &p.Elements[at]
}

// FindForm finds the form that asks for a password; nil: the page has none.
func (p Page) FindForm() *Form {
	for _, e := range p.Elements {
		if e.Tag == "input" && e.kind() == "password" && e.Visible {
			return p.form(e.Form)
		}
	}
	return nil
}

// form takes a form apart by types, names, autocomplete tokens (HTML, "Autofill")
// and labels, in that order.
func (p Page) form(number int) *Form {
	f := &Form{Path: p.Path}
	var texts []*Element
	for i := range p.Elements {
		e := &p.Elements[i]
		if e.Form != number || !e.Visible {
			continue
		}
		_, required := e.Attributes["required"]
		switch kind := e.kind(); {
		case e.Tag == "input" && kind == "password" && f.Password == nil:
			f.Password = e
		case e.Tag == "input" && kind == "password", e.Tag == "input" && kind == "checkbox" && required:
			f.Others = append(f.Others, *e)
		case e.Tag == "input" && kind == "email" && f.Email == nil:
			f.Email = e
		case e.Tag == "input" && (kind == "text" || kind == "email"):
			texts = append(texts, e)
		case f.Password != nil && f.Submit == nil && (e.Tag == "button" && kind != "button" && kind != "reset" || e.Tag == "input" && kind == "submit"):
			f.Submit = e
		}
	}
	if f.Submit == nil && number == 0 { // no form: the first button after the password
		at := slices.IndexFunc(p.Elements, func(e Element) bool { return e.Selector == f.Password.Selector })
		for i := at + 1; i < len(p.Elements) && f.Submit == nil; i++ {
			if e := &p.Elements[i]; e.Tag == "button" && e.Visible && e.Form == 0 {
				f.Submit = e
			}
		}
	}
	for _, e := range texts {
		_, required := e.Attributes["required"]
		says := e.names() + " " + e.Label + " " + e.Attributes["placeholder"]
		switch {
		case f.Email == nil && mail.MatchString(says):
			f.Email = e
		case f.Name == nil && fullName.MatchString(says):
			f.Name = e
		case required:
			f.Others = append(f.Others, *e)
		}
	}
	f.New = p.makesAccount(f)
	return f
}

// makesAccount tells a sign-up form from one to sign in.
func (p Page) makesAccount(f *Form) bool {
	switch token := f.Password.Attributes["autocomplete"]; {
	case token == "new-password":
		return true
	case token == "current-password":
		return false
	case f.Name != nil || len(f.Others) > 0:
		return true
	case f.Submit != nil && up.MatchString(f.Submit.words()):
		return true
	case f.Submit != nil && in.MatchString(f.Submit.words()):
		return false
	}
	return up.MatchString(strings.ReplaceAll(p.Path, "/", " "))
}

// likelyUp and likelyIn are where forms usually stand.
var (
	likelyUp = []string{"/sign-up", "/signup", "/register", "/auth/sign-up", "/auth/signup", "/auth/register"}
	likelyIn = []string{"/sign-in", "/signin", "/login", "/auth/sign-in", "/auth/signin", "/auth/login"}
)

// FormPaths are the paths of this site where forms may stand: those that links
// of the page lead to by their words or addresses first.
func (p Page) FormPaths() []string {
	var all []string
	add := func(path string) {
		if path != "" && !slices.Contains(all, path) {
			all = append(all, path)
		}
	}
	for _, e := range p.Elements {
		path := e.Attributes["href"]
		if e.Tag != "a" || !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") {
			continue
		}
		path, _, _ = strings.Cut(path, "#")
		said := e.words() + " " + strings.ReplaceAll(path, "/", " ")
		if (up.MatchString(said) || in.MatchString(said)) && !out.MatchString(said) {
			add(path)
		}
	}
	for i := range likelyUp {
		add(likelyUp[i])
		add(likelyIn[i])
	}
	return all
}

// FindSignOut finds the control that signs out here, or, with everywhere, in
// every browser; nil: the page shows none.
func (p Page) FindSignOut(everywhere bool) *Element {
	var best *Element
	for i := range p.Elements {
		e := &p.Elements[i]
		said := e.words() + " " + e.Attributes["data-testid"]
		if !e.pressable() || !e.Visible || !out.MatchString(said) || every.MatchString(strings.ReplaceAll(said, "-", " ")) != everywhere {
			continue
		}
		if best == nil || best.Fragile && !e.Fragile {
			best = e
		}
	}
	return best
}

// FindCall finds a button that calls the api by its own words; nil: none does.
func (p Page) FindCall() *Element {
	at := slices.IndexFunc(p.Elements, func(e Element) bool {
		return e.Visible && e.pressable() && e.Tag != "a" && callsAPI.MatchString(e.words()+" "+e.Attributes["data-testid"])
	})
	if at < 0 {
		return nil
	}
	return &p.Elements[at]
}

// LinkTo finds a link to a path of this site.
func (p Page) LinkTo(path string) *Element {
	var best *Element
	for i := range p.Elements {
		e := &p.Elements[i]
		if e.Tag == "a" && e.Visible && e.Attributes["href"] == path && (best == nil || best.Fragile && !e.Fragile) {
			best = e
		}
	}
	return best
}
