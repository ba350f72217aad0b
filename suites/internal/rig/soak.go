package rig

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"

	"crossing/harness/browser"
	"crossing/harness/diagnose"
	"crossing/harness/journey"
	"crossing/harness/visit"
)

// Journeys is how many a soak walks on each profile.
func (r *Rig) Journeys() int { return max(1, r.settings.Journeys) }

// HealthyJourney has a fresh person sign up, reload, call the api and sign out,
// in a browser session that ends with it. Its error says which cause was named,
// or what broke an invariant; the trace is left among the artefacts then.
func (r *Rig) HealthyJourney(ctx context.Context, p browser.Profile) (err error) {
	limited, cancel := context.WithTimeout(ctx, Limit)
	defer cancel()
	v, err := r.ground.Visitor(limited, p, visit.Guest{Name: "ada", Person: journey.NewPerson("ada"), Spec: CurrentSpecReport().FullText()})
	if v == nil {
		return err
	}
	defer func() { err = errors.Join(err, v.Close(context.WithoutCancel(ctx))) }()
	if err == nil {
		err = v.Open(limited)
	}
	if err == nil {
		err = v.Way.Walk(limited, v.Page, v.Way.SignUp(v.Person), v.Way.Reload(), v.Way.CallAPI(), v.Way.SignOut())
	}
	d, notes := v.Explain(context.WithoutCancel(ctx))
	broken := diagnose.Invariants(v.Recorder.Snapshot())
	if err == nil && d.Verdict == diagnose.VerdictHealthy && len(d.Findings) == 0 && len(broken) == 0 {
		return nil
	}
	one := &Visitor{Visitor: v, rig: r}
	path := filepath.Join(r.settings.OutDir, "traces", artefact(one.Name)+"-"+v.Person.Email+".json")
	return errors.Join(err, errors.Join(notes...), fmt.Errorf("%s\nbroken invariants: %v\ntrace: %s", d, broken, path), save(one.Recorder, path))
}
