package rig

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/net/publicsuffix"

	"crossing/harness/diagnose"
	"crossing/harness/edge"
	"crossing/harness/observe"
	"crossing/harness/trace"
)

// Limits of nodes: what a spec may take, and what starting a stack may.
const (
	Limit    = time.Minute
	Starting = 5 * time.Minute
)

// HasFallback says whether the application has a bearer fallback.
func (r *Rig) HasFallback() bool { return r.target.Contract.FallbackSetting.Path != "" }

// NeedsFallback makes the spec not applicable to an application without a
// bearer fallback.
func (r *Rig) NeedsFallback() {
	if !r.HasFallback() {
		NotApplicable("the contract names no bearer fallback (contract.fallbackSetting)")
	}
}

// NeedsLink makes the spec not applicable to pages without a link between two
// of them that loads nothing anew.
func (r *Rig) NeedsLink() {
	if r.target.Contract.Pages.OtherLink == "" {
		NotApplicable("the contract names no link that is followed without a load (contract.pages.otherLink)")
	}
}

// SwitchFallback changes, for this visitor alone, the run-time setting of the
// frontend that switches its bearer fallback.
func (v *Visitor) SwitchFallback(on bool) {
	GinkgoHelper()
	v.rig.NeedsFallback()
	setting := v.Way.Contract.FallbackSetting
	v.Line.Break(edge.Fault{
		Name: fmt.Sprintf("%s set to %v", setting.Field, on),
		When: func(r *http.Request) bool {
			return "https://"+r.Host == v.Way.Origins.Frontend && r.URL.Path == setting.Path
		},
		Response: func(res *http.Response) error { return changeField(res, setting.Field, on) },
	})
}

// AwaitSession waits until the page has asked for the session after the last
// sign-up or sign-in.
func (v *Visitor) AwaitSession(ctx SpecContext) {
	GinkgoHelper()
	path := v.Way.Contract.Paths.Session
	_, err := v.Recorder.Await(ctx, v.signedInAt(), "the page's question for the session", func(e trace.Exchange) bool {
		return e.Role == trace.RoleAuth && e.Method == http.MethodGet && e.Path == path && !e.Outside
	})
	Expect(err).NotTo(HaveOccurred())
}

// signedInAt is when the last sign-up or sign-in was answered.
func (v *Visitor) signedInAt() time.Time {
	GinkgoHelper()
	var last time.Time
	paths, as := v.Way.Contract.Paths, v.Way.Contract.Requests
	for _, e := range append(v.Exchanges(trace.RoleAuth, as.SignUp.Method, paths.SignUp), v.Exchanges(trace.RoleAuth, as.SignIn.Method, paths.SignIn)...) {
		end := e.Time.Add(time.Duration(e.Millis * float64(time.Millisecond)))
		if e.Status < 300 && end.After(last) {
			last = end
		}
	}
	Expect(last).NotTo(BeZero(), "%s has not signed in", v.Person.Name)
	return last
}

// SessionsSinceSignIn are the answers on the session since the last sign-in to
// questions that carried credentials. On a browser that refuses the cookie,
// the page first asks without any, to find that out: that one is left out.
func (v *Visitor) SessionsSinceSignIn() []trace.Exchange {
	GinkgoHelper()
	since := v.signedInAt()
	var found []trace.Exchange
	for _, e := range v.Exchanges(trace.RoleAuth, http.MethodGet, v.Way.Contract.Paths.Session) {
		if !e.Time.Before(since) && (v.KeepsCookie() || e.Request.Get("Authorization") != "") {
			found = append(found, e)
		}
	}
	Expect(found).NotTo(BeEmpty(), "the page never asked for the session after sign-in")
	return found
}

// ToAuth are all of this person's own requests to the auth service, preflights
// left out.
func (v *Visitor) ToAuth() []trace.Exchange {
	var found []trace.Exchange
	for _, e := range v.Recorder.Snapshot().Exchanges {
		if e.Role == trace.RoleAuth && !e.Outside && !e.Preflight && !strings.HasPrefix(e.Path, trace.ReservedPath) {
			found = append(found, e)
		}
	}
	return found
}

// FoundBy asks every instance of the auth service, past the edge and the
// browser, whether it finds this person's session; a remote target has none
// that could be asked.
func (v *Visitor) FoundBy(ctx SpecContext) []string {
	GinkgoHelper()
	if len(v.rig.ground.Observer.Auth) == 0 {
		NotApplicable("the instances of a deployed target cannot be asked one by one")
	}
	digest := v.SessionDigest()
	var answers []string
	for _, o := range v.rig.ground.Observer.Sessions(ctx, digest, v.rig.Reveal(digest)) {
		answers = append(answers, o.Answer)
	}
	return answers
}

// Fetch makes the open page call a URL, as its own script would with these
// credentials ("include", "omit"), and returns the exchange that the edge
// recorded.
func (v *Visitor) Fetch(ctx SpecContext, url, credentials string) trace.Exchange {
	GinkgoHelper()
	began := time.Now()
	const script = `async ([url, credentials]) => { await (await fetch(url, {credentials})).text() }`
	Expect(v.Page.Eval(ctx, script, []string{url, credentials}, nil)).To(Succeed())
	e, err := v.Recorder.Await(ctx, began, url, func(e trace.Exchange) bool { return e.Origin+e.Path == url && !e.Preflight })
	Expect(err).NotTo(HaveOccurred())
	return e
}

// Diagnose observes and explains this person's trace, as a failure would.
func (v *Visitor) Diagnose(ctx context.Context) (diagnose.Diagnosis, error) {
	if err := v.rig.ground.Observer.Look(ctx, v.Recorder); err != nil {
		return diagnose.Diagnosis{}, err
	}
	return diagnose.Explain(v.Recorder.Snapshot()), nil
}

// NeedsTokens makes the spec not applicable to an application without tokens.
func (r *Rig) NeedsTokens() {
	paths := r.target.Contract.Paths
	if r.target.Origins.API == "" || paths.Token == "" || paths.Keys == "" || paths.API == "" {
		NotApplicable("the contract names no api that is called with a token (origins.api, contract.paths.token, keys, api)")
	}
}

// NeedsRefresh makes the spec not applicable to an application that never
// lengthens its sessions. It returns how much of its life a session has left
// that is due, by a minute, and one that is not, by an hour.
func (r *Rig) NeedsRefresh() (due, early time.Duration) {
	c := r.target.Contract
	if c.UpdateAge == 0 || c.UpdateAge >= c.Cookie.Lifetime {
		NotApplicable("the contract lengthens no session (contract.updateAge %d, contract.cookie.lifetime %d)", c.UpdateAge, c.Cookie.Lifetime)
	}
	left := time.Duration(c.Cookie.Lifetime-c.UpdateAge) * time.Second
	return left - time.Minute, left + min(time.Hour, time.Duration(c.UpdateAge)*time.Second/2)
}

// URLs of instances, past the edge.
func URLs(all []observe.Instance) []string {
	urls := make([]string, len(all))
	for i := range all {
		urls[i] = all[i].URL
	}
	return urls
}

// InstancesOf are the instances that answered, each once.
func InstancesOf(all []trace.Exchange) []string {
	var names []string
	for _, e := range all {
		if !slices.Contains(names, e.Instance) {
			names = append(names, e.Instance)
		}
	}
	return names
}

// SiteOf an origin: scheme and registrable domain, as browsers write partition
// keys.
func SiteOf(origin string) string {
	GinkgoHelper()
	scheme, host, _ := strings.Cut(origin, "://")
	domain, err := publicsuffix.EffectiveTLDPlusOne(host)
	Expect(err).NotTo(HaveOccurred())
	return scheme + "://" + domain
}

// Tampered is a token whose claims were changed by one bit and whose signature
// was not.
func Tampered(token string) string {
	GinkgoHelper()
	parts := strings.Split(token, ".")
	Expect(parts).To(HaveLen(3))
	claims := []byte(parts[1])
	middle := len(claims) / 2
	claims[middle] = map[bool]byte{true: 'B', false: 'A'}[claims[middle] == 'A']
	return parts[0] + "." + string(claims) + "." + parts[2]
}
