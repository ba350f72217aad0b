package inspect

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"crossing/harness/target"
)

// pages writes down how a person uses the frontend.
func (i *inference) pages() {
	p := &i.found.Contract.Pages
	*p = target.Pages{Home: cmp.Or(i.Nobody.Path, "/")} // it may lead on, to /docs
	p.SignUp = i.entry("signUp", i.SignUp)
	p.SignIn = i.entry("signIn", i.SignIn)
	if e := i.failure(); e != nil {
		p.SignIn.Error = e.Selector
		if p.SignUp.Path != "" {
			p.SignUp.Error = e.Selector
		}
	} else if p.SignIn.Path != "" {
		i.doubt("contract.pages.signIn.error", "no element was seen to appear when the password was wrong", "what the page shows then", `error: "[role=alert]"`)
	}
	for _, landing := range []string{p.SignIn.Landing, p.SignUp.Landing} {
		if p.Other == "" && landing != "" && landing != p.Home {
			p.Other = landing
		}
	}
	if p.Other == "" {
		i.doubt("contract.pages.other", "no second page was found on which a signed-in person would be", "the frontend's pages", "other: /account")
	}
	p.OtherLink = i.Link
	i.standing()
	i.leaving()
	i.calling()
}

// entry is a form with where it leads.
func (i *inference) entry(name string, e Entry) target.Form {
	field := "contract.pages." + name
	if e.Form == nil {
		i.doubt(field, "no page with such a form was found: those that the home page links to were looked at, and the usual paths", "the frontend's pages",
			name+`: {path: /…, email: "input[name=email]", password: "input[name=password]", submit: "button[type=submit]"}`)
		return target.Form{}
	}
	f := target.Form{Path: e.Form.Path}
	for _, part := range []struct {
		what string
		of   *Element
		to   *string
	}{{"name", e.Form.Name, &f.Name}, {"email", e.Form.Email, &f.Email}, {"password", e.Form.Password, &f.Password}, {"submit", e.Form.Submit, &f.Submit}} {
		switch {
		case part.of != nil:
			*part.to = part.of.Selector
			i.fragile(field+"."+part.what, *part.of)
		case part.what != "name":
			i.doubt(field+"."+part.what, "the form at "+e.Form.Path+" shows no such field", "the form", "")
		}
	}
	for _, other := range e.Form.Others {
		i.doubt(field, fmt.Sprintf("the form also wants %s to be filled in, which a contract cannot say", other.Selector), "whether a person can do without it", "")
	}
	if e.Landing.Path == "" || e.Landing.Path == e.Form.Path {
		i.doubt(field+".landing", "the form was not seen to lead to another page", "where a person is after the form was sent", "landing: /account")
		return f
	}
	f.Landing = e.Landing.Path
	if landed := i.landed(e); landed != nil {
		f.Landed = landed.Selector
	} else {
		i.doubt(field+".landed", "no element tells the landing page from the one before", "an element that only the page at "+f.Landing+" has", `landed: "#account"`)
	}
	return f
}

func (i *inference) fragile(field string, e Element) {
	if e.Fragile {
		i.doubt(field, fmt.Sprintf("%s is where the element stands, not what it is", e.Selector), "giving it a data-testid", "")
	}
}

// landed is an element that the landing page has and the form's page had not:
// one that names the person, or a heading, rather than another.
func (i *inference) landed(e Entry) *Element {
	return likeliest(e.Landing, e.Page, func(found Element) int {
		worth := 0
		if strings.Contains(strings.ToLower(found.Text), strings.ToLower(i.Person.Email)) {
			worth += 4
		}
		if regexp.MustCompile(`^h[1-3]$`).MatchString(found.Tag) {
			worth += 2
		}
		if found.Main {
			worth++
		}
		if found.pressable() || found.Tag == "input" || found.Tag == "form" || found.Text == "" {
			worth = -1
		}
		return worth
	})
}

// failure is the element that appears when a sign-in was refused.
func (i *inference) failure() *Element {
	if i.SignIn.Form == nil || i.Refused.Path != i.SignIn.Form.Path {
		return nil
	}
	return likeliest(i.Refused, i.SignIn.Page, func(found Element) int {
		worth := 0
		if found.Attributes["role"] == "alert" {
			worth += 4
		}
		if regexp.MustCompile(`(?i)error|alert|fail|invalid`).MatchString(found.Selector) {
			worth += 2
		}
		if found.pressable() || found.Tag == "input" || found.Tag == "form" || found.Text == "" {
			worth = -1
		}
		return worth
	})
}

// likeliest is the most worthy of the elements that one page has and another
// has not; none of less than nothing, none that only its place describes.
func likeliest(has, hasNot Page, worth func(Element) int) *Element {
	var best *Element
	most := -1
	for n := range has.Elements {
		e := &has.Elements[n]
		if !e.Visible || e.Fragile {
			continue
		}
		if before := hasNot.element(e.Selector); before != nil && before.Visible {
			continue
		}
		if w := worth(*e); w > most {
			best, most = e, w
		}
	}
	return best
}

// standing finds the element that shows who is signed in: one whose attribute
// has another value for a person than for nobody. An attribute with the
// person's e-mail address says whose it is.
func (i *inference) standing() {
	p := &i.found.Contract.Pages
	var best target.Standing
	most, named := 0, false
	for _, e := range i.Signed.Elements {
		left, nobody := i.Left.element(e.Selector), i.Nobody.element(e.Selector)
		if left == nil {
			left = nobody
		}
		if left == nil || e.Fragile {
			named = named || i.holds(e.Text)
			continue
		}
		s, worth := i.stands(e, *left)
		named = named || i.holds(e.Text) || s.Person != ""
		if worth > most {
			best, most = s, worth
		}
	}
	switch {
	case most == 0 && named:
		i.doubt("contract.pages.standing", "a page names the person, and no element has an attribute with one value for a person and another for nobody",
			"giving that element such an attribute (data-state) and one with the e-mail address (data-person)", `standing: {selector: "[data-testid=standing]", state: data-state, signedIn: signed-in, signedOut: signed-out, person: data-person}`)
		return
	case most == 0:
		i.doubt("contract.pages.standing", "no element of the home page was seen to show who is signed in", "an element that does, with an attribute for the state and one for the e-mail address",
			`standing: {selector: "[data-testid=standing]", state: data-state, signedIn: signed-in, signedOut: signed-out, person: data-person}`)
		return
	}
	p.Standing = best
	if best.By != "" {
		i.doubt("contract.fallbackSetting", fmt.Sprintf("%s says by what the person is signed in, so that there is another way than the cookie; what switches that was not seen", best.By),
			"whether a JSON document of the frontend's settings does", "fallbackSetting: {path: /config.json, field: bearerFallback}")
	}
	if best.Person == "" {
		i.doubt("contract.pages.standing.person", best.Selector+" has no attribute with the e-mail address, so that its text is read in place of it", "giving it one, such as data-person", "person: data-person")
	}
	if before := i.Nobody.element(best.Selector); before == nil || before.Attributes[best.State] != best.SignedOut {
		i.doubt("contract.pages.standing.signedOut", fmt.Sprintf("%s was %q after the person had left, and not so before they came", best.State, best.SignedOut), "its values for nobody", "")
	}
	i.evidence(fmt.Sprintf("standing   %s: %s is %s for a person and %s for nobody", best.Selector, best.State, best.SignedIn, best.SignedOut))
}

// stateName is how attributes for a state are called.
var stateName = regexp.MustCompile(`(?i)^data-.*(state|status|standing|auth|signed|logged|session)`)

// stands reads an element's attributes for a person, and for nobody. Its worth
// is 0 where none tells the two apart.
func (i *inference) stands(signed, left Element) (target.Standing, int) {
	s := target.Standing{Selector: signed.Selector}
	// One that is called so goes first, then the author's own before those with
	// another purpose: data-id tells two people apart as well.
	rank := func(name string) int {
		switch {
		case stateName.MatchString(name):
			return 0
		case strings.HasPrefix(name, "data-"):
			return 1
		}
		return 2
	}
	for _, name := range slices.SortedFunc(maps.Keys(signed.Attributes), func(a, b string) int {
		return cmp.Or(rank(a)-rank(b), strings.Compare(a, b))
	}) {
		now, then := signed.Attributes[name], left.Attributes[name]
		switch {
		case name == "class" || name == "style" || now == then:
		case strings.EqualFold(now, i.Person.Email):
			s.Person = name
		case now == "cookie" || now == "bearer":
			s.By = name
		case now != "" && then != "" && !i.holds(now) && s.State == "":
			s.State, s.SignedIn, s.SignedOut = name, now, then
		}
	}
	named := s.Person != "" || i.holds(signed.Text)
	if s.State == "" || !named {
		return s, 0
	}
	worth := 1
	if s.Person != "" {
		worth += 4
	}
	if strings.Contains(signed.Selector, "data-test") {
		worth++
	}
	return s, worth
}

// holds says whether a text has the person in it.
func (i *inference) holds(text string) bool {
	return strings.Contains(strings.ToLower(text), strings.ToLower(i.Person.Email))
}

func (i *inference) leaving() {
	p := &i.found.Contract.Pages
	if i.SignOut == nil {
		i.doubt("contract.pages.signOut", "no control was found on the home page that ends the session by its words (sign out, log out)", "a control that every page has", `signOut: "[data-testid=sign-out]"`)
		return
	}
	p.SignOut = i.SignOut.Selector
	i.fragile("contract.pages.signOut", *i.SignOut)
	if e := i.Signed.FindSignOut(true); e != nil {
		i.doubt("contract.pages.signOutEverywhere", e.Selector+" ends every session by its words, and was not pressed", "whether it asks contract.paths.revokeAll",
			"signOutEverywhere: "+scalar(e.Selector))
	}
}

// calling writes down the button that calls the api, where the page then shows
// the status.
func (i *inference) calling() {
	p := &i.found.Contract.Pages
	if i.found.Contract.Paths.API == "" || i.found.Origins.API == "" {
		return
	}
	sketch := `callAPI: {click: "[data-testid=call-api]", answer: "[data-testid=api-answer]", status: data-status}`
	if i.Call.Click == "" {
		i.doubt("contract.pages.callAPI", "no button was found that calls the api by its words", "a button that does, and the element that shows the status then", sketch)
		return
	}
	for _, e := range i.Call.After.Elements {
		for _, name := range slices.Sorted(maps.Keys(e.Attributes)) {
			before := i.Call.Before.element(e.Selector)
			if e.Attributes[name] == "200" && !e.Fragile && (before == nil || before.Attributes[name] != "200") {
				p.CallAPI = target.Call{Click: i.Call.Click, Answer: e.Selector, Status: name}
				return
			}
		}
	}
	i.doubt("contract.pages.callAPI", fmt.Sprintf("%s calls the api, and no element's attribute shows the status then", i.Call.Click), "the element that shows the answer", sketch)
}
