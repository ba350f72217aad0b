package rig

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"crossing/harness/browser"
	"crossing/harness/diagnose"
	"crossing/harness/journey"
	"crossing/harness/match"
	"crossing/harness/observe"
	"crossing/harness/trace"
	"crossing/harness/visit"
)

// Visitor is a visit.Visitor within a spec: what it cannot do fails the spec.
type Visitor struct {
	*visit.Visitor

	rig      *Rig
	expected []string
	oversize bool
	looked   bool
	closed   bool
	steps    []seen
}

// Option changes how a visitor comes.
type Option func(*coming)

// coming is a visitor before they are there.
type coming struct {
	visit.Guest
	expected []string
	oversize bool
	refused  bool
}

// As is an earlier person, in another browser session.
func As(p journey.Person) Option { return func(c *coming) { c.Person, c.Known = p, true } }

// Keeping keeps the browser's profile, so that Restart can be acted out.
func Keeping() Option { return func(c *coming) { c.Keep = true } }

// Expecting declares invariants that this visitor's spec breaks on purpose.
func Expecting(violations ...string) Option {
	return func(c *coming) { c.expected = append(c.expected, violations...) }
}

// Oversize declares that this visitor's spec makes cookies or headers too large
// on purpose: they are not judged, and are no part of what the run reports.
func Oversize() Option { return func(c *coming) { c.oversize = true } }

// Refused declares that this visitor's spec is about a browser that refuses the
// session cookie, with nothing to stand in for it.
func Refused() Option { return func(c *coming) { c.refused = true } }

// needsASession makes a spec not applicable where nobody can be signed in: the
// profile refuses the session cookie, and the application has no fallback.
func (r *Rig) needsASession(ctx SpecContext, p browser.Profile) {
	GinkgoHelper()
	if c := r.measured(ctx, p); !r.ground.Keeps(c) && !r.HasFallback() {
		NotApplicable("%s refuses the session cookie (measured: %s), and the contract names no fallback that could stand in for it (contract.fallbackSetting)", p.Name, told(c))
	}
}

// Visit opens a browser session for a person, and proves its cookie
// policy by a control before anything that it says is believed.
func (r *Rig) Visit(ctx SpecContext, p browser.Profile, name string, options ...Option) *Visitor {
	GinkgoHelper()
	r.browser(ctx, p)
	c := coming{Guest: visit.Guest{Name: name, Spec: CurrentSpecReport().FullText()}}
	for _, change := range options {
		change(&c)
	}
	if c.Person == (journey.Person{}) {
		c.Person, c.Known = r.comes(name)
	}
	if !c.refused {
		r.needsASession(ctx, p)
	}
	if r.settings.Elsewhere.WebDriver() {
		// Only a browser that was started here is kept from calls of its own; and
		// what else a machine sends uses its proxy, too.
		c.expected = append(c.expected, diagnose.UnknownHost)
	}
	opened, err := r.ground.Visitor(ctx, p, c.Guest)
	Expect(err).NotTo(HaveOccurred())
	v := &Visitor{Visitor: opened, rig: r, expected: c.expected, oversize: c.oversize}
	r.arrived(v)
	DeferCleanup(v.leave)
	err = v.Open(ctx)
	if errors.Is(err, browser.ErrOneSession) {
		NotApplicable("%s: %v", p.Name, browser.ErrOneSession)
	}
	Expect(err).NotTo(HaveOccurred())
	return v
}

// leave ends the session, once the invariants have been checked. It is no
// helper: what calls it is Ginkgo itself, which is no place to point at.
func (v *Visitor) leave(ctx SpecContext) {
	defer v.rig.left(v)
	defer v.part()
	if CurrentSpecReport().Failed() {
		v.explain()
	}
	v.closed = true
	if v.Session != nil && !CurrentSpecReport().Failed() {
		_, _ = v.Jar(ctx) // a browser that the spec has ended has none to show
		seen := v.Recorder.Snapshot()
		if !v.oversize {
			v.rig.facts.room(seen)
			Expect(seen).To(match.KeepHeadroom())
		}
		Expect(seen).To(match.KeepInvariants(v.expected...))
	}
	Expect(v.Close(ctx)).To(Succeed())
}

// Restart ends the browser and opens it again with the profile that it kept.
func (v *Visitor) Restart(ctx SpecContext) {
	GinkgoHelper()
	Expect(v.Visitor.Restart(ctx)).To(Succeed())
}

// Walk takes steps; a step that cannot be taken fails the spec.
func (v *Visitor) Walk(ctx SpecContext, steps ...journey.Step) {
	GinkgoHelper()
	for _, s := range steps {
		err := v.Way.Walk(ctx, v.Page, s)
		v.look(ctx, s.Name)
		Expect(err).NotTo(HaveOccurred())
	}
}

// NewTab opens a second tab and goes on there.
func (v *Visitor) NewTab(ctx SpecContext) {
	GinkgoHelper()
	Expect(v.Visitor.NewTab(ctx)).To(Succeed())
}

// Exchanges are this person's own with a path of a role, in order: the
// harness's own questions and preflights left out.
func (v *Visitor) Exchanges(role trace.Role, method, path string) []trace.Exchange {
	var found []trace.Exchange
	for _, e := range v.Recorder.Snapshot().Exchanges {
		if e.Role == role && e.Method == method && e.Path == path && !e.Outside && !e.Preflight {
			found = append(found, e)
		}
	}
	return found
}

// Last is the last of Exchanges; none is a failure.
func (v *Visitor) Last(role trace.Role, method, path string) trace.Exchange {
	GinkgoHelper()
	all := v.Exchanges(role, method, path)
	Expect(all).NotTo(BeEmpty(), "%s never asked %s %s", v.Person.Name, method, path)
	return all[len(all)-1]
}

// EntryAnswer is the auth service's answer to the form of Way.Enter.
func (v *Visitor) EntryAnswer() trace.Exchange {
	GinkgoHelper()
	if v.Way.Known {
		return v.SignInAnswer()
	}
	return v.SignUpAnswer()
}

// SignUpAnswer is the auth service's answer to the sign-up form.
func (v *Visitor) SignUpAnswer() trace.Exchange {
	GinkgoHelper()
	return v.Last(trace.RoleAuth, v.Way.Contract.Requests.SignUp.Method, v.Way.Contract.Paths.SignUp)
}

// SignInAnswer is the auth service's answer to the sign-in form.
func (v *Visitor) SignInAnswer() trace.Exchange {
	GinkgoHelper()
	return v.Last(trace.RoleAuth, v.Way.Contract.Requests.SignIn.Method, v.Way.Contract.Paths.SignIn)
}

// SessionToken is the plain token of the session that this person was given
// last: what the row's token is.
func (v *Visitor) SessionToken() string {
	GinkgoHelper()
	digest := observe.LastSession(v.Recorder.Snapshot())
	Expect(digest).NotTo(BeEmpty(), "%s was never given a session cookie", v.Person.Name)
	return v.rig.TokenOf(v.rig.Reveal(digest))
}

// AskForSession makes the open page ask who is signed in, as its own script
// would, n times, one after the other, and returns the exchanges.
func (v *Visitor) AskForSession(ctx SpecContext, n int) []trace.Exchange {
	GinkgoHelper()
	began := time.Now()
	const script = `async ([url, n]) => { for (let i = 0; i < n; i++) await (await fetch(url, {credentials: "include"})).text() }`
	url := v.Way.Origins.Auth + v.Way.Contract.Paths.Session
	Expect(v.Page.Eval(ctx, script, []any{url, n}, nil)).To(Succeed())
	var since []trace.Exchange
	for _, e := range v.Exchanges(trace.RoleAuth, http.MethodGet, v.Way.Contract.Paths.Session) {
		if !e.Time.Before(began) {
			since = append(since, e)
		}
	}
	// The page may have asked for itself meanwhile, which must agree.
	Expect(len(since)).To(BeNumerically(">=", n), "the edge must have seen every question")
	return since
}

// NeedsTheCookie makes the spec not applicable where the profile was measured
// to drop the session cookie, Partitioned or not.
func (r *Rig) NeedsTheCookie(ctx SpecContext, p browser.Profile) {
	GinkgoHelper()
	if c := r.measured(ctx, p); !r.ground.Keeps(c) {
		NotApplicable("%s keeps no cookie such as the session's (measured: %s)", p.Name, told(c))
	}
}

// NeedsPartitions makes the spec not applicable where the profile was measured
// to keep no Partitioned cookie, or to keep it without a partition: there, that
// it persists says nothing about partitions.
func (r *Rig) NeedsPartitions(ctx SpecContext, p browser.Profile) {
	GinkgoHelper()
	r.NeedsTheCookie(ctx, p)
	if !r.target.Contract.Cookie.Partitioned {
		NotApplicable("the session cookie has no partition (contract.cookie.partitioned: false)")
	}
	if c := r.measured(ctx, p); c.Isolated != trace.MeasuredYes {
		NotApplicable("%s does not partition: what it keeps, another top-level site sees (measured: %s)", p.Name, told(c))
	}
}

// NeedsPartitionKeys makes the spec not applicable where a jar shows none.
func (r *Rig) NeedsPartitionKeys(ctx SpecContext, p browser.Profile) {
	GinkgoHelper()
	r.NeedsPartitions(ctx, p)
	if r.measured(ctx, p).Keys != trace.MeasuredYes {
		NotApplicable("%s shows no partition keys in its jar (measured)", p.Name)
	}
}

// NeedsJar makes the spec not applicable where the session cookie is not kept,
// or cannot be seen in the jar.
func (r *Rig) NeedsJar(ctx SpecContext, p browser.Profile) {
	GinkgoHelper()
	r.NeedsTheCookie(ctx, p)
	if r.measured(ctx, p).Jar != trace.MeasuredYes {
		NotApplicable("%s shows of its jar the cookies of the open page's host only (measured)", p.Name)
	}
}

// ShowsCookie says whether the session cookie is kept, and can be seen in the
// jar while the frontend's page is open.
func (v *Visitor) ShowsCookie() bool { return v.KeepsCookie() && v.Capability.Jar == trace.MeasuredYes }

// ShowsPartitionKeys says whether the jar tells them.
func (v *Visitor) ShowsPartitionKeys() bool { return v.Capability.Keys == trace.MeasuredYes }

// NeedsNoThirdPartyCookies makes the spec not applicable where the profile was
// measured to keep some third-party cookie.
func (r *Rig) NeedsNoThirdPartyCookies(ctx SpecContext, p browser.Profile) {
	GinkgoHelper()
	if c := r.measured(ctx, p); r.ground.Keeps(c) || c.ThirdParty != trace.MeasuredNo {
		NotApplicable("%s keeps the session cookie, so that no fallback is needed (measured: %s)", p.Name, told(c))
	}
}

// NeedsRestart makes the spec not applicable where no restart of the browser
// was measured.
func (r *Rig) NeedsRestart(ctx SpecContext, p browser.Profile) {
	GinkgoHelper()
	if c := r.measured(ctx, p); c.Restart == trace.MeasuredUnknown {
		NotApplicable("%s: %s", p.Name, lastOf(c.Evidence))
	}
}

// measured is what the profile was found to do.
func (r *Rig) measured(ctx SpecContext, p browser.Profile) trace.Capability {
	GinkgoHelper()
	return r.browser(ctx, p).Capability
}

func told(c trace.Capability) string {
	return fmt.Sprintf("third-party cookie kept: %s, Partitioned kept: %s, isolated: %s", c.ThirdParty, c.Partitioned, c.Isolated)
}

func lastOf(lines []string) string {
	if len(lines) == 0 {
		return "not measured"
	}
	return lines[len(lines)-1]
}
