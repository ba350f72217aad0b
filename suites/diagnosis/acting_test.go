package diagnosis_test

import (
	"context"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"crossing/fixtures/faults"
	"crossing/harness/browser"
	"crossing/harness/diagnose"
	"crossing/harness/journey"
	"crossing/harness/trace"
	"crossing/suites/internal/rig"
)

// suffers has a fresh visitor meet the faults on the common walk: sign up, ask
// for the session of every instance, call the api. The walk ends where a step
// cannot be taken any more: how far it came is in the trace.
func suffers(ctx SpecContext, profile browser.Profile, all ...faults.Fault) diagnose.Diagnosis {
	GinkgoHelper()
	for _, f := range all {
		app.NeedsInstances(f.Auth...)
		app.NeedsInstances(f.API...)
	}
	ada := app.Visit(ctx, profile, "ada", rig.Expecting(diagnose.InvariantSlugs()...), rig.Oversize())
	p := place(ctx, ada)
	for _, f := range all {
		begin(ctx, ada, p, f)
	}
	enter := []journey.Step{ada.Way.SignUp(ada.Person)}
	for _, f := range all {
		if f.Enter != nil {
			enter = f.Enter(p)
		}
	}
	if !goes(ctx, ada, enter) {
		return diagnosed(ctx, ada)
	}
	for _, f := range all {
		if f.SignedIn != nil {
			Expect(f.SignedIn(ctx, p)).To(Succeed())
		}
	}
	// The page has asked for the session once by now: the reload asks the other
	// of two instances.
	then := []journey.Step{ada.Way.Reload(), ada.Way.CallAPI()}
	for _, f := range all {
		if f.Then != nil {
			then = f.Then(p)
		}
	}
	for _, step := range then {
		if !goes(ctx, ada, []journey.Step{step}) {
			break
		}
	}
	return diagnosed(ctx, ada)
}

// begin causes what a fault breaks from the beginning on.
func begin(ctx SpecContext, ada *rig.Visitor, p *faults.Place, f faults.Fault) {
	GinkgoHelper()
	if f.Exclusive != "" {
		unlock, err := p.Alone(ctx, f.Exclusive)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(unlock)
	}
	if f.Auth != nil {
		ada.ServedBy(trace.RoleAuth, f.Auth...)
	}
	if f.API != nil {
		ada.ServedBy(trace.RoleAPI, f.API...)
	}
	if f.Unseen {
		ada.Unseen()
	}
	if f.NoFallback {
		ada.SwitchFallback(false)
	}
	if f.Line != nil {
		for _, broken := range f.Line(p) {
			ada.Line.Break(broken)
		}
	}
}

// goes walks, and says whether there is a way on: the steps were taken and the
// page has decided that the person is signed in.
func goes(ctx SpecContext, ada *rig.Visitor, steps []journey.Step) bool {
	GinkgoHelper()
	if ada.Way.Walk(ctx, ada.Page, steps...) != nil {
		return false
	}
	if at, err := ada.Page.URL(ctx); err != nil || !strings.HasPrefix(at, ada.Way.Origins.Frontend+"/") {
		return err == nil // a page that is not the frontend's shows no standing
	}
	var last trace.Standing
	Eventually(ctx, func(ctx context.Context) (string, error) {
		var err error
		last, err = ada.Standing(ctx)
		return last.Detail, err
	}).ShouldNot(HavePrefix("loading"), "the page must decide")
	return last.SignedIn
}

func diagnosed(ctx SpecContext, ada *rig.Visitor) diagnose.Diagnosis {
	GinkgoHelper()
	d, notes := ada.Explain(ctx)
	Expect(notes).To(BeEmpty())
	app.Keep(ada)
	return d
}

func place(ctx SpecContext, ada *rig.Visitor) *faults.Place {
	p := &faults.Place{
		Target: app.Target(), Way: ada.Way, Person: ada.Person, Line: ada.Line, Page: ada.Page, Recorder: ada.Recorder,
		DatabaseURL: app.DatabaseURL(), AuthURLs: rig.URLs(app.Auth()), Kept: ada.KeepsSessionCookie,
		URL:    app.URL,
		Reveal: ada.Recorder.Redactor().Reveal,
		Serve:  func(role trace.Role, names ...string) { ada.ServedBy(role, names...) },
		Mend:   func(mend func(ctx context.Context) error) { DeferCleanup(mend) },
	}
	return p
}

func causes(d diagnose.Diagnosis) []string {
	found := []string{}
	for _, f := range d.Findings {
		if !slices.Contains(found, f.Cause) {
			found = append(found, f.Cause)
		}
	}
	return found
}
