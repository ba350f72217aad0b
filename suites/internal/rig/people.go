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

// tidy removes this visitor's person, if it was them who signed up.
func (v *Visitor) tidy() {
	if v.signedUp() {
		value, _ := v.rig.redactor.Reveal(v.SessionDigest())
		v.rig.remove(v.Person, value)
	}
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
