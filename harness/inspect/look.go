package inspect

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"crossing/harness/browser"
	"crossing/harness/journey"
	"crossing/harness/target"
	"crossing/harness/trace"
	"crossing/harness/visit"
)

// Options of a look.
type Options struct {
	// Account: the visitor's person has an account, and is not signed up.
	Account bool
	// Tell is told of each step.
	Tell func(string)
}

// Limits of what is waited for.
const (
	// patience is how long one page, and one answer, may take.
	patience = 15 * time.Second
	// settling is how long a page may go on changing, and quiet how long it must
	// have been the same, with nothing having passed on the wire.
	settling = 10 * time.Second
	quiet    = time.Second
	// showing is how long a form may take to appear on a page that has loaded.
	showing = 4 * time.Second
	glance  = 100 * time.Millisecond
	// mostForms is how many pages are looked at for forms.
	mostForms = 14
)

// looker is a look on its way.
type looker struct {
	v    *visit.Visitor
	o    Options
	seen Seen
	// asked: the harness has asked from outside.
	asked bool
}

// Look drives an open visitor through the application: as nobody, up, out, in
// with a wrong password, and in. What a page does not let it do becomes a note;
// an error is a frontend that does not open, or a browser that has gone.
func Look(ctx context.Context, v *visit.Visitor, t *target.Target, o Options) (Seen, error) {
	l := &looker{v: v, o: o, seen: Seen{Target: t, Person: v.Person, Values: map[string]string{}}}
	l.seen.Password = v.Recorder.Redactor().Learn(v.Person.Password)
	err := l.walk(ctx)
	if err == nil && !l.asked {
		err = l.ask(ctx)
	}
	l.seen.Trace = v.Recorder.Snapshot()
	for _, c := range l.seen.candidates() {
		if value, known := v.Recorder.Redactor().Reveal(c.Digest); known {
			l.seen.Values[c.Digest] = Signed(value)
		}
	}
	return l.seen, err
}

// walk takes every step through the pages.
func (l *looker) walk(ctx context.Context) error {
	l.o.Tell("open the frontend as nobody")
	var err error
	if l.seen.Nobody, err = l.open(ctx, "/"); err != nil {
		return fmt.Errorf("the frontend does not open: %w", err)
	}
	l.o.Tell("look for forms to sign up and in by")
	if err := l.forms(ctx); err != nil {
		return err
	}
	steps := []func(context.Context) error{l.up, l.around, l.leave, l.wrong, l.in, l.landed}
	if l.o.Account || l.seen.SignUp.Form == nil {
		steps[0] = l.in
	}
	switch {
	case l.seen.SignUp.Form == nil && (!l.o.Account || l.seen.SignIn.Form == nil):
		return nil // nobody can come in: a new person has no account
	case l.seen.SignIn.Form == nil: // there is no second session to ask about
		steps = slices.Insert(steps, 2, l.ask)
	}
	for _, step := range steps {
		switch err := step(ctx); {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, browser.ErrDead):
			return err
		case err != nil:
			l.seen.Notes = append(l.seen.Notes, l.v.Recorder.Redactor().Scrub(strings.Join(strings.Fields(err.Error()), " ")))
		}
	}
	return nil
}

// open goes to a path of the frontend and returns what it shows.
func (l *looker) open(ctx context.Context, path string) (Page, error) {
	within, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := l.v.Page.Goto(within, l.v.Way.Origins.Frontend+path); err != nil {
		return Page{}, err
	}
	return l.settled(ctx)
}

// settled waits until the page has stopped changing, or has had its time to,
// and returns what it shows then.
func (l *looker) settled(ctx context.Context) (Page, error) {
	within, cancel := context.WithTimeout(ctx, settling)
	defer cancel()
	var r rest
	for {
		if err := l.rests(within, &r); errors.Is(err, browser.ErrDead) {
			return Page{}, err
		}
		if r.over() || !pause(within) {
			return l.page(ctx)
		}
	}
}

// rest is how long a page has been the same.
type rest struct {
	last  string
	since time.Time
}

func (r rest) over() bool { return time.Since(r.since) >= quiet }

// rests looks whether the page is still the same, and nothing on its way.
func (l *looker) rests(ctx context.Context, r *rest) error {
	var now string
	err := l.v.Page.Eval(ctx, pulse, nil, &now)
	if now += fmt.Sprint(" ", len(l.v.Recorder.Snapshot().Exchanges)); err != nil || now != r.last || l.v.Line.Pending() > 0 {
		r.last, r.since = now, time.Now()
	}
	return err
}

// pause waits for a moment; false: there is no time left.
func pause(ctx context.Context) bool {
	select {
	case <-time.After(glance):
		return true
	case <-ctx.Done():
		return false
	}
}

func (l *looker) page(ctx context.Context) (Page, error) {
	within, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var p Page
	if err := l.v.Page.Eval(within, look, []string{l.v.Person.Email, l.v.Person.Name}, &p); err != nil {
		return p, fmt.Errorf("look at the page: %w", err)
	}
	return p, nil
}

// forms finds the pages with the two forms.
func (l *looker) forms(ctx context.Context) error {
	paths := l.seen.Nobody.FormPaths()
	for n := 0; n < len(paths) && n < mostForms && (l.seen.SignUp.Form == nil || l.seen.SignIn.Form == nil); n++ {
		p, err := l.formAt(ctx, paths[n])
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, browser.ErrDead):
			return err
		case err != nil:
			continue // it leads elsewhere, or there is none
		}
		form := p.FindForm()
		switch {
		case form == nil:
		case form.New && l.seen.SignUp.Form == nil:
			l.seen.SignUp.Form = form
		case !form.New && l.seen.SignIn.Form == nil:
			l.seen.SignIn.Form = form
		}
		if form != nil { // a sign-in page often has the link to the other one
			for _, path := range p.FormPaths() {
				if !slices.Contains(paths, path) {
					paths = slices.Insert(paths, n+1, path)
				}
			}
		}
	}
	return nil
}

// formAt opens a page, and waits until it shows a form or has had its time to.
func (l *looker) formAt(ctx context.Context, path string) (Page, error) {
	within, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	began := time.Now()
	if err := l.v.Page.Goto(within, l.v.Way.Origins.Frontend+path); err != nil {
		return Page{}, err
	}
	for _, e := range l.v.Recorder.Snapshot().Exchanges {
		if e.Role == trace.RoleFrontend && !e.Time.Before(began) && e.Path == path && e.Status >= http.StatusBadRequest {
			return Page{}, fmt.Errorf("%s answers %d", path, e.Status)
		}
	}
	limited, end := context.WithTimeout(ctx, showing)
	defer end()
	var r rest
	for {
		p, err := l.page(limited)
		if err == nil && p.FindForm() != nil || errors.Is(err, browser.ErrDead) {
			return p, err
		}
		if _ = l.rests(limited, &r); r.over() || !pause(limited) { // whether it can be looked at, page has said
			return p, err
		}
	}
}

// up signs the person up, and in where that does not do so by itself.
func (l *looker) up(ctx context.Context) error {
	l.o.Tell("sign up as " + l.v.Person.Email)
	err := l.enter(ctx, stepSignUp, &l.seen.SignUp, l.v.Person)
	if err != nil || l.known() || l.seen.SignIn.Form == nil {
		return err
	}
	return l.in(ctx)
}

// in signs the person in.
func (l *looker) in(ctx context.Context) error {
	if l.seen.SignIn.Form == nil {
		return nil // it is doubted already
	}
	l.o.Tell("sign in")
	return l.enter(ctx, stepSignIn, &l.seen.SignIn, l.v.Person)
}

// wrong tries to sign in with a wrong password, in a browser session that
// nobody is signed in to.
func (l *looker) wrong(ctx context.Context) error {
	if l.seen.SignIn.Form == nil {
		return nil
	}
	if l.seen.SignOut == nil {
		if err := l.afresh(ctx); err != nil {
			return err
		}
	}
	l.o.Tell("sign in with a wrong password")
	other := l.v.Person
	other.Password = journey.NewPerson("other").Password
	l.v.Recorder.Redactor().Learn(other.Password)
	e := Entry{Form: l.seen.SignIn.Form}
	err := l.enter(ctx, stepRefused, &e, other)
	l.seen.Refused = e.Landing
	l.seen.SignIn.Page = e.Page
	return err
}

// afresh goes on in a browser session of its own.
func (l *looker) afresh(ctx context.Context) error {
	within, cancel := context.WithTimeout(ctx, 2*patience)
	defer cancel()
	if err := l.v.Session.Close(within); err != nil {
		return err
	}
	return l.v.Open(within)
}

// enter fills a form and sends it, and waits until the auth service has
// answered what it set off and the page has settled.
func (l *looker) enter(ctx context.Context, step string, e *Entry, who journey.Person) (err error) {
	m := trace.Mark{Step: step, Begin: time.Now()}
	defer func() {
		m.End = time.Now()
		l.v.Recorder.Mark(m)
		if err != nil {
			err = fmt.Errorf("%s by the form at %s: %w", step, e.Form.Path, err)
		}
	}()
	if _, err = l.formAt(ctx, e.Form.Path); err != nil {
		return err
	}
	// A form may be there before the script that sends it.
	if e.Page, err = l.settled(ctx); err != nil {
		return err
	}
	if now := e.Page.FindForm(); now == nil {
		return errors.New("the form is not there")
	}
	if err := l.fill(ctx, *e.Form, who); err != nil {
		return err
	}
	began := time.Now()
	within, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if e.Form.Submit == nil {
		return errors.New("it has no button to send it by")
	}
	if err := l.v.Page.Click(within, e.Form.Submit.Selector); err != nil {
		return err
	}
	_, awaited := l.v.Recorder.Await(within, began, "an answer of the auth service to the form", func(x trace.Exchange) bool {
		return x.Role == trace.RoleAuth && !x.Preflight && !x.Outside && x.Method != http.MethodGet && x.Method != http.MethodHead
	})
	if e.Landing, err = l.settled(ctx); err != nil {
		return err
	}
	return awaited
}

// fill fills every field of a form.
func (l *looker) fill(ctx context.Context, f Form, who journey.Person) error {
	within, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for _, field := range []struct {
		of   *Element
		text string
	}{{f.Name, who.Name}, {f.Email, who.Email}, {f.Password, who.Password}} {
		if field.of == nil {
			continue
		}
		if err := l.v.Page.Fill(within, field.of.Selector, field.text); err != nil {
			return err
		}
	}
	for _, other := range f.Others {
		var err error
		switch other.kind() {
		case "checkbox":
			err = l.v.Page.Click(within, other.Selector)
		case "password":
			err = l.v.Page.Fill(within, other.Selector, who.Password)
		default:
			err = l.v.Page.Fill(within, other.Selector, who.Name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// known says whether an answer has named the person so far.
func (l *looker) known() bool {
	s := l.seen
	s.Trace = l.v.Recorder.Snapshot()
	return len(s.of(trace.RoleAuth, func(e trace.Exchange) bool { _, named := s.names(e); return named })) > 0
}
