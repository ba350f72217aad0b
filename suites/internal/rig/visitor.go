package rig

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"crossing/harness/browser"
	"crossing/harness/browser/capability"
	"crossing/harness/edge"
	"crossing/harness/journey"
	"crossing/harness/match"
	"crossing/harness/observe"
	"crossing/harness/trace"
)

// Visitor is one person in one browser session, with an edge listener of
// their own and a trace of all that is seen.
type Visitor struct {
	Person  journey.Person
	Profile browser.Profile
	// Way are the steps that this person can take.
	Way journey.Way
	// Page is the tab in use.
	Page browser.Page
	// Line is the person's way through the edge: break it here.
	Line *edge.Line
	// Recorder is the trace so far.
	Recorder *trace.Recorder

	name       string // of the visitor; one person may come as several
	rig        *Rig
	browser    browser.Browser
	capability trace.Capability
	session    browser.Session
	keep       string
	expected   []string
	looked     bool
}

// Option changes how a visitor comes.
type Option func(*Visitor)

// As is an earlier person, in another browser session.
func As(p journey.Person) Option { return func(v *Visitor) { v.Person = p } }

// Keeping keeps the browser's profile, so that Restart can be acted out.
func Keeping() Option {
	return func(v *Visitor) { v.keep = filepath.Join(v.rig.run.Dir, "keep-"+v.Person.Email) }
}

// Expecting declares invariants that this visitor's spec breaks on purpose.
func Expecting(violations ...string) Option {
	return func(v *Visitor) { v.expected = append(v.expected, violations...) }
}

// Visit opens a browser session for a fresh person, and proves its cookie
// policy by a control before anything that it says is believed.
func (r *Rig) Visit(ctx SpecContext, p browser.Profile, name string, options ...Option) *Visitor {
	GinkgoHelper()
	started, err := r.browsers.get(ctx, p)
	Expect(err).NotTo(HaveOccurred())
	v := &Visitor{
		Person: journey.NewPerson(name), Profile: p, name: name, rig: r, browser: started.browser, capability: started.capability,
	}
	for _, change := range options {
		change(v)
	}
	head := trace.Trace{
		Run: r.run.ID, Spec: CurrentSpecReport().FullText(), Visitor: name, Profile: p.Name,
		Browser: started.browser.Version().Browser, Subject: r.target.Subject(),
	}
	v.Recorder = trace.NewRecorder(r.redactor, head)
	v.Recorder.Capability(started.capability)
	v.Way = journey.Way{Origins: r.target.Origins, Contract: r.target.Contract, Recorder: v.Recorder}
	v.Line, err = r.edge.Open(v.Recorder)
	Expect(err).NotTo(HaveOccurred())
	r.arrived(v)
	DeferCleanup(v.leave)
	v.open(ctx)
	return v
}

// open starts the browser session, and proves it.
func (v *Visitor) open(ctx context.Context) {
	GinkgoHelper()
	var err error
	v.session, err = v.browser.NewSession(ctx, browser.Options{Proxy: v.Line.Proxy(), Keep: v.keep, Recorder: v.Recorder})
	Expect(err).NotTo(HaveOccurred())
	v.Page, err = v.session.NewPage(ctx)
	Expect(err).NotTo(HaveOccurred())
	seen, err := capability.Control(ctx, v.Page, v.rig.target.Origins)
	Expect(err).NotTo(HaveOccurred())
	Expect(seen.Holds(v.Profile)).To(Succeed())
}

// leave ends the session, once the invariants have been checked. It is no
// helper: what calls it is Ginkgo itself, which is no place to point at.
func (v *Visitor) leave(ctx SpecContext) {
	defer v.rig.left(v)
	if CurrentSpecReport().Failed() {
		v.explain()
	}
	if v.session != nil && !CurrentSpecReport().Failed() {
		if jar, err := v.session.Cookies(ctx); err == nil {
			v.Recorder.Jar(jar)
		}
		Expect(v.Recorder.Snapshot()).To(match.KeepInvariants(v.expected...))
	}
	if v.session != nil {
		Expect(v.session.Close(ctx)).To(Succeed())
	}
	Expect(v.Line.Close()).To(Succeed())
	if v.keep != "" {
		Expect(os.RemoveAll(v.keep)).To(Succeed())
	}
}

// Restart ends the browser and opens it again with the profile that it kept.
func (v *Visitor) Restart(ctx SpecContext) {
	GinkgoHelper()
	Expect(v.keep).NotTo(BeEmpty(), "a visitor who restarts must come with rig.Keeping()")
	Expect(v.session.Close(ctx)).To(Succeed())
	v.open(ctx)
}

// Walk takes steps; a step that cannot be taken fails the spec.
func (v *Visitor) Walk(ctx SpecContext, steps ...journey.Step) {
	GinkgoHelper()
	Expect(v.Way.Walk(ctx, v.Page, steps...)).To(Succeed())
}

// NewTab opens a second tab and goes on there.
func (v *Visitor) NewTab(ctx SpecContext) {
	GinkgoHelper()
	p, err := v.session.NewPage(ctx)
	Expect(err).NotTo(HaveOccurred())
	v.Page = p
}

// Standing is who the open page takes this person for, at this moment.
func (v *Visitor) Standing(ctx context.Context) (trace.Standing, error) {
	return v.Way.Standing(ctx, v.Page)
}

// Jar is what the browser keeps now.
func (v *Visitor) Jar(ctx context.Context) (trace.Jar, error) {
	jar, err := v.session.Cookies(ctx)
	if err == nil {
		v.Recorder.Jar(jar)
	}
	return jar, err
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

// SignUpAnswer is the auth service's answer to the sign-up form.
func (v *Visitor) SignUpAnswer() trace.Exchange {
	GinkgoHelper()
	return v.Last(trace.RoleAuth, http.MethodPost, v.Way.Contract.Paths.SignUp)
}

// SignInAnswer is the auth service's answer to the sign-in form.
func (v *Visitor) SignInAnswer() trace.Exchange {
	GinkgoHelper()
	return v.Last(trace.RoleAuth, http.MethodPost, v.Way.Contract.Paths.SignIn)
}

// SessionToken is the plain token of the session that this person was given
// last: what the row's token is.
func (v *Visitor) SessionToken() string {
	GinkgoHelper()
	digest := observe.LastSession(v.Recorder.Snapshot())
	Expect(digest).NotTo(BeEmpty(), "%s was never given a session cookie", v.Person.Name)
	return observe.SessionToken(v.rig.Reveal(digest))
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

// NeedsPartitions makes the spec not applicable where the profile was measured
// to keep no Partitioned cookie.
func (r *Rig) NeedsPartitions(ctx SpecContext, p browser.Profile) {
	GinkgoHelper()
	if c := r.measured(ctx, p); c.Partitioned != trace.MeasuredYes {
		NotApplicable("%s keeps no Partitioned cookie (measured: %s)", p.Name, told(c))
	}
}

// NeedsNoThirdPartyCookies makes the spec not applicable where the profile was
// measured to keep some third-party cookie.
func (r *Rig) NeedsNoThirdPartyCookies(ctx SpecContext, p browser.Profile) {
	GinkgoHelper()
	if c := r.measured(ctx, p); c.Partitioned != trace.MeasuredNo || c.ThirdParty != trace.MeasuredNo {
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
	started, err := r.browsers.get(ctx, p)
	Expect(err).NotTo(HaveOccurred())
	return started.capability
}

func told(c trace.Capability) string {
	return fmt.Sprintf("third-party cookie kept: %s, Partitioned kept: %s", c.ThirdParty, c.Partitioned)
}

// KeepsCookie says whether the profile was measured to keep a Partitioned
// cookie, so that a person there is signed in by it.
func (v *Visitor) KeepsCookie() bool { return v.capability.Partitioned == trace.MeasuredYes }

func lastOf(lines []string) string {
	if len(lines) == 0 {
		return "not measured"
	}
	return lines[len(lines)-1]
}
