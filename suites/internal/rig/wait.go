package rig

import (
	"fmt"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"crossing/harness/journey"
	"crossing/harness/match"
	"crossing/harness/target"
	"crossing/harness/trace"
)

// TimeWaits puts a stopwatch into every page that this visitor opens from now
// on.
func (v *Visitor) TimeWaits() {
	GinkgoHelper()
	Expect(v.Visitor.TimeWaits()).To(Succeed())
}

// WaitsFor does something n times that ends with a wait of a kind, such as a
// reload, and returns how long the page took each time to show the session.
func (v *Visitor) WaitsFor(ctx SpecContext, kind string, n int, do func()) journey.Waits {
	GinkgoHelper()
	waits := journey.Waits{Kind: kind, Profile: v.Profile.Name}
	began := time.Now()
	for range n {
		do()
		took, err := v.Way.Waited(ctx, v.Page, kind)
		Expect(err).NotTo(HaveOccurred())
		waits.Samples = append(waits.Samples, took)
	}
	waits.Slowest = slowest(v.Recorder.Snapshot(), began)
	return waits
}

// slowest is the request that took longest since a moment, in one line.
func slowest(t trace.Trace, since time.Time) string {
	var most trace.Exchange
	for _, e := range t.Exchanges {
		if !e.Time.Before(since) && !e.Outside && !strings.HasPrefix(e.Path, trace.ReservedPath) && e.Millis > most.Millis {
			most = e
		}
	}
	if most.ID == "" {
		return ""
	}
	return fmt.Sprintf("%s %s%s → %d by %s, %.0f ms", most.Method, most.Origin, most.Path, most.Status, most.Instance, most.Millis)
}

// KeepBudgets reports the waits, and fails the spec if the median of one is
// beyond the contract's budget for it; one without a budget is not judged.
func (r *Rig) KeepBudgets(all ...journey.Waits) {
	GinkgoHelper()
	judged := 0
	for _, waits := range all { // all are reported, before one fails
		budget, _ := budgetOf(waits.Kind, r.target.Contract.Budgets)
		r.facts.waited(waits, budget)
	}
	for _, waits := range all {
		budget, setting := budgetOf(waits.Kind, r.target.Contract.Budgets)
		if budget > 0 {
			Expect(waits).To(match.KeepWithin(budget, setting))
			judged++
		}
	}
	if judged == 0 {
		NotApplicable("contract.budgets are 0: how long a person waits is measured, and not judged")
	}
}

func budgetOf(kind string, b target.Budgets) (budget time.Duration, setting string) {
	if kind == journey.WaitSignIn {
		return time.Duration(b.SignIn), "contract.budgets.signIn"
	}
	return time.Duration(b.Reload), "contract.budgets.reload"
}
