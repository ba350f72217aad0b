package rig

import (
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	"crossing/harness/journey"
	"crossing/harness/observe"
	"crossing/harness/trace"
	"crossing/harness/visit"
)

// Question is one request without a browser.
type Question = visit.Question

// Caller is a visit.Caller within a spec: what it cannot ask fails the spec.
type Caller struct {
	*visit.Caller
	rig    *Rig
	name   string
	looked bool
}

// Caller asks by HTTP, from an address of their own, what concerns no browser.
func (r *Rig) Caller(name string) *Caller {
	GinkgoHelper()
	opened, err := r.ground.Caller(CurrentSpecReport().FullText(), name)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(opened.Close)
	c := &Caller{Caller: opened, rig: r, name: name}
	r.asking(c)
	DeferCleanup(r.asked, c)
	return c
}

// Outside asks by this visitor's own line, and yet out of no browser.
func (v *Visitor) Outside() *Caller { return &Caller{Caller: v.Visitor.Outside(), rig: v.rig} }

// Ask sends one request and returns what the edge recorded of it.
func (c *Caller) Ask(ctx SpecContext, q Question) trace.Exchange {
	GinkgoHelper()
	e, err := c.Caller.Ask(ctx, q)
	Expect(err).NotTo(HaveOccurred())
	return e
}

// SignUp makes a new person, and returns the session cookie's plain value.
func (c *Caller) SignUp(ctx SpecContext, who journey.Person) string {
	GinkgoHelper()
	value, err := c.Caller.SignUp(ctx, who)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(c.rig.remove, who, value)
	return value
}

// SignIn opens one more session of a person, and returns its cookie's plain
// value.
func (c *Caller) SignIn(ctx SpecContext, who journey.Person) string {
	GinkgoHelper()
	value, err := c.Caller.SignIn(ctx, who)
	Expect(err).NotTo(HaveOccurred())
	return value
}

// Replayed is what one instance made of a session cookie's value that was
// shown to it again.
type Replayed struct {
	Instance string
	By       string // "cookie" or "bearer"
	Person   string // whom it was taken for; empty: for nobody
	Token    int    // the status of the call for a token; 0: the contract has none
}

// Replay shows a session cookie's plain value to every instance of the auth
// service, from outside, as whoever got hold of it would: as the cookie and,
// where the application has that fallback, as a bearer token.
func (r *Rig) Replay(ctx SpecContext, value string) []Replayed {
	GinkgoHelper()
	thief := r.Caller("thief")
	shown := []Question{{Session: value}}
	if r.target.Contract.FallbackSetting.Path != "" {
		shown = append(shown, Question{Bearer: value})
	}
	var all []Replayed
	for _, instance := range thief.Instances(trace.RoleAuth) {
		for _, q := range shown {
			q.Instance = instance
			all = append(all, r.replay(ctx, thief, q))
		}
	}
	return all
}

func (r *Rig) replay(ctx SpecContext, thief *Caller, q Question) Replayed {
	GinkgoHelper()
	one := Replayed{Instance: q.Instance, By: "cookie"}
	if q.Bearer != "" {
		one.By = "bearer"
	}
	origins, paths := r.target.Origins, r.target.Contract.Paths
	q.Origin, q.URL = origins.Frontend, origins.Auth+paths.Session
	answer := thief.Ask(ctx, q)
	if answer.Status != http.StatusOK {
		Fail("a replayed session was answered neither by a person nor by nobody: " + answer.Response.Body)
	}
	one.Person, _ = r.PersonIn(answer)
	if paths.Token != "" {
		q.URL = origins.Auth + paths.Token
		one.Token = thief.Ask(ctx, q).Status
	}
	return one
}

// BeRefused matches replays all of which were taken for nobody.
func BeRefused() types.GomegaMatcher {
	return And(Not(BeEmpty()), HaveEach(And(HaveField("Person", ""), HaveField("Token", BeElementOf(0, http.StatusUnauthorized)))))
}

// BeTakenFor matches replays all of which were taken for this person.
func BeTakenFor(who journey.Person) types.GomegaMatcher {
	return And(Not(BeEmpty()), HaveEach(And(HaveField("Person", who.Email), HaveField("Token", BeElementOf(0, http.StatusOK)))))
}

// Signed is a session cookie's value for a token of the spec's own, signed as
// the auth service signs.
func (r *Rig) Signed(token string) string {
	GinkgoHelper()
	signature := observe.SignatureOf(r.target.Contract)
	for _, instance := range r.Auth() {
		if secret := instance.Environment[r.target.Contract.SigningSecret]; secret != "" && signature.Signs() {
			return signature.Sign(token, secret)
		}
	}
	NotApplicable("a session cookie cannot be signed here: that needs contract.signingSecret, a contract.signature that is stored in rows, and services of the run's own")
	return ""
}

// TokenOf is what the session of a cookie's plain value is stored under.
func (r *Rig) TokenOf(value string) string {
	return observe.SignatureOf(r.target.Contract).Token(value)
}

// PersonIn reads an answer on the session: whom it names, or that nobody is
// signed in.
func (r *Rig) PersonIn(e trace.Exchange) (person string, nobody bool) {
	return r.target.Contract.SignedIn.Of(e.Status, e.Response.Body)
}

// ToSignIn is the question by which a person signs in, ToSignOut the one by
// which a session is ended.
func (c *Caller) ToSignIn(ctx SpecContext, who journey.Person) Question {
	GinkgoHelper()
	q, err := c.Caller.ToSignIn(ctx, who)
	Expect(err).NotTo(HaveOccurred())
	return q
}

// ToSignOut is ToSignIn's counterpart.
func (c *Caller) ToSignOut(ctx SpecContext) Question {
	GinkgoHelper()
	q, err := c.Caller.ToSignOut(ctx)
	Expect(err).NotTo(HaveOccurred())
	return q
}

// SessionValue is the plain value of the session cookie that this person was
// given last. It must not be printed; failures are scrubbed all the same.
func (v *Visitor) SessionValue() string {
	GinkgoHelper()
	digest := v.SessionDigest()
	Expect(digest).NotTo(BeEmpty(), "%s was never given a session cookie", v.Person.Name)
	return v.rig.Reveal(digest)
}
