package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"crossing/reports"
)

func TestFlakeSaysHowOftenWhatFailed(t *testing.T) {
	spec := func(text string, state reports.State) reports.Spec {
		s := reports.Spec{Behaviour: "persistence", Profile: "chromium", Text: text, State: state}
		if state == reports.Failed {
			s.Reproduce = "make e2e SEED=3 ONE='" + text + "'"
		}
		return s
	}
	var f flakes
	f.add(&reports.Run{Seed: 1, Passed: true, Specs: []reports.Spec{spec("holds", reports.Passed), spec("wavers", reports.Passed), spec("is no matter", reports.NotApplicable)}})
	if said := f.String(); !strings.HasPrefix(said, "NO FLAKE: 1 runs") || strings.Contains(said, "✗") {
		t.Errorf("after a run that passed:\n%s", said)
	}
	held := spec("is known to fail", reports.Quarantined)
	held.Quarantine = &reports.Quarantine{Outcome: reports.Failed}
	f.add(&reports.Run{Seed: 3, Specs: []reports.Spec{spec("holds", reports.Passed), spec("wavers", reports.Failed), held}})
	said := f.String()
	for _, want := range []string{"FAILED: run 2 of 2, whose seed was 3", "1 of 2: chromium · persistence · wavers\n    again: make e2e SEED=3 ONE='wavers'", "1 of 1: chromium · persistence · is known to fail"} {
		if !strings.Contains(said, want) {
			t.Errorf("nothing is said of %q:\n%s", want, said)
		}
	}
	if strings.Contains(said, "holds") || strings.Contains(said, "no matter") {
		t.Errorf("what never failed is told of:\n%s", said)
	}
}

func TestAMachineIsKeptBusyUntilItIsToldToStop(t *testing.T) {
	stop := busy(context.Background(), 2)
	ended := make(chan struct{})
	go func() { stop(); close(ended) }()
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Fatal("it is still busy")
	}
}

func TestFlakeRefusesWhatCannotBeMeant(t *testing.T) {
	for want, c := range map[string]flakeCommand{"N=0: ": {N: 0, Load: 1}, "LOAD=-7: ": {N: 1, Load: -7}, "LOAD=5000: ": {N: 1, Load: 5000}} {
		if err := c.Run(t.Context()); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
