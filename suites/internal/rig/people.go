package rig

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"

	"crossing/harness/journey"
	"crossing/harness/trace"
	"crossing/reports"
)

// removing is how long it may take to remove a person, pacing included.
const removing = time.Minute

// regular is somebody whom this process has signed up on a deployment, and who
// comes again in later specs, by signing in: who comes from one address may sign
// up only so often, and whoever cannot be removed stays there.
type regular struct {
	journey.Person
	session string // the plain value of their last session's cookie
}

// comes is who visits by a name, and whether they have an account already: the
// one whose account was given; on a deployment a regular, unless the spec asked
// for people of its own; else somebody new.
func (r *Rig) comes(name string) (who journey.Person, known bool) {
	if a := r.settings.Account; a.Email != "" {
		return journey.Person{Name: name, Email: a.Email, Password: a.Password}, true
	}
	r.mu.Lock()
	again, known := r.regulars[name]
	if r.fresh {
		known = false
	}
	r.mu.Unlock()
	if !known {
		return journey.NewPerson(name), false
	}
	r.facts.change(func(p *reports.Part) { p.People.CameAgain++ })
	return again.Person, true
}

// NeedsSignUp says that the spec is about signing up, or about more than one
// person. It brings people of its own, and is not applicable where nobody can
// sign up, so that the account that was given is the only one there is.
func (r *Rig) NeedsSignUp() {
	GinkgoHelper()
	if r.settings.Account.Email != "" {
		NotApplicable("nobody signs up: EMAIL and PASSWORD name the one account that is used")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fresh = true
}

// part sees this visitor's person off. On a deployment, whoever was signed up
// becomes a regular or, where the spec failed or brought people of its own, is
// removed; so is a regular of a spec that failed, for what it has done to them
// is not known.
func (v *Visitor) part() {
	r := v.rig
	if !r.target.Remote() || r.settings.Account.Email != "" {
		return
	}
	session, _ := r.redactor.Reveal(v.SessionDigest())
	r.mu.Lock()
	was, isRegular := r.regulars[v.Name]
	isRegular = isRegular && was.Email == v.Person.Email
	ours := isRegular || v.signedUp()
	stays := ours && !r.fresh && !CurrentSpecReport().Failed()
	switch {
	case stays && session != "":
		r.regulars[v.Name] = regular{v.Person, session}
	case stays:
		r.regulars[v.Name] = regular{v.Person, was.session}
	case isRegular:
		delete(r.regulars, v.Name)
	}
	r.mu.Unlock()
	if ours && !stays {
		r.remove(v.Person, session)
	}
}

// farewell removes those who came again, once nobody comes any more.
func (r *Rig) farewell() {
	for name, who := range r.regulars {
		r.remove(who.Person, who.session)
		delete(r.regulars, name)
	}
}

// remove deletes the account of somebody who was signed up on a deployment,
// where they would stay. What a stack of the run's own holds goes with it. That
// it cannot be done is told at the end, and fails no spec.
func (r *Rig) remove(who journey.Person, session string) {
	if !r.target.Remote() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), removing)
	defer cancel()
	removed, err := r.removed(ctx, who, session)
	if err != nil {
		GinkgoWriter.Println(r.redactor.Scrub(err.Error()))
	}
	r.facts.change(func(p *reports.Part) {
		p.People.SignedUp++
		if removed {
			p.People.Removed++
			return
		}
		p.People.Left = append(p.People.Left, who.Email)
	})
}

// removed asks by a line of its own: the person's may be broken, or closed.
func (r *Rig) removed(ctx context.Context, who journey.Person, session string) (bool, error) {
	c, err := r.ground.Caller("", "crossing")
	if err != nil {
		return false, err
	}
	defer func() { _ = c.Close() }()
	return c.Remove(ctx, who, session)
}

// signedUp says whether this visitor's person was signed up by this visitor.
func (v *Visitor) signedUp() bool {
	as := v.Way.Contract.Requests.SignUp
	for _, e := range v.Exchanges(trace.RoleAuth, as.Method, v.Way.Contract.Paths.SignUp) {
		if e.Status == as.Answered {
			return true
		}
	}
	return false
}
