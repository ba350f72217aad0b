package rig

import (
	"maps"
	"net/url"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"crossing/harness/edge"
	"crossing/harness/visit"
)

// Protected are the origins of a deployment that a secret opens. A run that was
// given none makes the spec not applicable.
func (r *Rig) Protected() []string {
	if len(r.access.Bypass) == 0 {
		NotApplicable("no secret of a protected deployment was given (VERCEL_AUTOMATION_BYPASS_SECRET)")
	}
	var all []string
	for _, host := range slices.Sorted(maps.Keys(r.access.Bypass)) {
		all = append(all, "https://"+host)
	}
	return all
}

// WithoutBypass asks by HTTP through an edge of its own, which has no secret.
func (r *Rig) WithoutBypass(name string) *Caller {
	GinkgoHelper()
	r.Protected()
	access := r.access
	access.Bypass = nil
	bare, err := edge.New(edge.Options{Routes: visit.Reached(visit.Routes(r.target, nil), access), Redactor: r.redactor})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(bare.Close)
	opened, err := r.ground.CallerBy(bare, CurrentSpecReport().FullText(), name)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(opened.Close)
	return &Caller{Caller: opened, rig: r, name: name}
}

// CallWithBypass makes the open page's script ask for an address that holds the
// secret, as a page would that had got hold of it.
func (v *Visitor) CallWithBypass(ctx SpecContext, address string) {
	GinkgoHelper()
	origins := v.rig.Protected()
	secret := v.rig.access.Bypass[origins[0][len("https://"):]]
	const script = `async (url) => { await (await fetch(url)).text() }`
	Expect(v.Page.Eval(ctx, script, address+"?"+url.Values{"of": {secret}}.Encode(), nil)).To(Succeed())
}
