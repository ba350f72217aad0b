// Package journey holds the steps that a visitor walks through an application:
// sign up, sign in, reload, follow a link, go away and come back, call the
// api, sign out. They are driven by the contract, so that another application
// needs another contract and no other code. A step acts and waits for what it
// set off; whether the result is right is for others to judge.
package journey

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"time"

	"crossing/harness/browser"
	"crossing/harness/target"
	"crossing/harness/trace"
)

// Step is one thing that a person does.
type Step struct {
	Name string
	Do   func(ctx context.Context, p browser.Page) error
}

// Person is who visits. A fresh one for every visitor keeps specs apart.
type Person struct {
	Name     string
	Email    string
	Password string
}

// Domain is that of every new person's address.
const Domain = "crossing.example"

// NewPerson makes a person that no run has seen before. The address is under
// a domain that is reserved for examples (RFC 2606), and says where it is from.
func NewPerson(name string) Person {
	return Person{
		Name:     name,
		Email:    fmt.Sprintf("%s.%s@%s", name, random(6), Domain),
		Password: "pw-" + random(12),
	}
}

// blanks are what a request's body may hold of a person.
func (p Person) blanks() target.Blanks {
	return target.Blanks{Name: p.Name, Email: p.Email, Password: p.Password}
}

func random(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // never fails (crypto/rand, since Go 1.24)
	return hex.EncodeToString(b)
}

// Way is how a person uses one application: its origins, its contract, and
// the recorder of the visitor who walks.
type Way struct {
	Origins  trace.Origins
	Contract target.Contract
	Recorder *trace.Recorder
	// Known: whoever comes has an account already, and signs in.
	Known bool
	// Pace waits until a path may be asked once more, where an application
	// limits that; nil: it may be asked at once.
	Pace func(ctx context.Context, path string) error
}

// Names of the steps that a Pace is kept for.
const (
	signingUp = "sign up"
	signingIn = "sign in"
)

// paced waits for a step's turn, before its own limit begins.
func (w Way) paced(ctx context.Context, s Step) error {
	paths := w.Contract.Paths
	path := map[string]string{signingUp: paths.SignUp, signingIn: paths.SignIn, posting(paths.SignIn): paths.SignIn}[s.Name]
	if w.Pace == nil || path == "" {
		return nil
	}
	return w.Pace(ctx, path)
}

// Walk takes the steps one after the other, and marks each in the trace. It
// stops at the first that fails.
func (w Way) Walk(ctx context.Context, p browser.Page, steps ...Step) error {
	for _, s := range steps {
		err := w.paced(ctx, s)
		m := trace.Mark{Step: s.Name, Begin: time.Now()}
		if err == nil {
			err = limited(ctx, p, s)
		}
		m.End = time.Now()
		if err != nil {
			err = fmt.Errorf("%s: %w", s.Name, err)
			m.Err = w.Recorder.Redactor().Scrub(err.Error())
		}
		w.Recorder.Mark(m)
		if err != nil {
			return err
		}
	}
	return nil
}

// patience is how long one step may take, so that a step that waits for what
// never comes says so, and not the limit of everything around it.
const patience = 20 * time.Second

func limited(ctx context.Context, p browser.Page, s Step) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("a step may take %s", patience))
	defer cancel()
	return s.Do(ctx, p)
}

// Standing reads off the open page who it takes the visitor for, and records
// it. A page that shows no standing at all is an error.
func (w Way) Standing(ctx context.Context, p browser.Page) (trace.Standing, error) {
	look := w.Contract.Pages.Standing
	at, err := p.URL(ctx)
	if err != nil {
		return trace.Standing{}, fmt.Errorf("read who the page takes the visitor for: %w", err)
	}
	shown, err := p.Attributes(ctx, look.Selector)
	if err != nil {
		return trace.Standing{}, fmt.Errorf("read who the page at %s takes the visitor for: %w", at, err)
	}
	s := trace.Standing{Time: time.Now(), Source: "page", TopLevel: originOf(at), Person: shown[look.Person], By: shown[look.By]}
	switch shown[look.State] {
	case look.SignedIn:
		s.SignedIn = true
		if look.By == "" && w.Contract.FallbackSetting.Path == "" {
			s.By = "cookie" // there is nothing else
		}
	case look.SignedOut:
	default:
		s.Undecided, s.Detail = true, shown[look.State]
	}
	if text := shown[""]; !s.SignedIn && text != "" {
		s.Detail = fmt.Sprintf("%s: %s", shown[look.State], text)
	}
	s.Detail = w.Recorder.Redactor().Scrub(s.Detail)
	w.Recorder.Standing(s)
	return s, nil
}
