package reports

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/onsi/ginkgo/v2/types"
)

// planned are specs with these times, and the run that recorded them.
func planned(t *testing.T, seconds ...float64) ([]Planned, *Run) {
	t.Helper()
	var specs []types.SpecReport
	earlier := &Run{}
	for i, s := range seconds {
		spec := it(types.SpecStatePassed, fmt.Sprintf("takes (%d)", i))
		specs = append(specs, spec)
		if s > 0 {
			earlier.Specs = append(earlier.Specs, Spec{Suite: "session", Behaviour: "persistence", Profile: "chromium", Text: spec.LeafNodeText, State: Passed, Seconds: s})
		}
	}
	all, err := Plan(wrote(t, true, append(specs, it(types.SpecStateSkipped, "was not chosen"))...))
	if err != nil || len(all) != len(seconds) {
		t.Fatalf("%d of %d specs: %v", len(all), len(seconds), err)
	}
	return all, earlier
}

func TestShardsRunEverySpecOnceAndTakeAsLong(t *testing.T) {
	all, earlier := planned(t, 8, 1, 1, 1, 1, 4, 4, 4, 0)
	var ran []string
	var plans []string
	for i := range 3 {
		shuffled := slices.Clone(all) // Ginkgo's order is random
		rand.Shuffle(len(shuffled), func(a, b int) { shuffled[a], shuffled[b] = shuffled[b], shuffled[a] })
		s := &Shard{Index: i + 1, Of: 3}
		own := s.Share(shuffled, earlier)
		ran, plans = append(ran, own...), append(plans, s.Plan)
		sum := 0.0
		for _, p := range timed(all, earlier) {
			if slices.Contains(own, p.focus) {
				sum += p.seconds
			}
		}
		if sum < 7 || sum > 11 { // 24 seconds and one of the mean, 3
			t.Errorf("shard %d takes %g seconds", i+1, sum)
		}
	}
	slices.Sort(ran)
	if len(ran) != len(all) || len(slices.Compact(ran)) != len(all) {
		t.Errorf("%d specs, run %d times: %q", len(all), len(ran), ran)
	}
	if plans[0] != plans[1] || plans[1] != plans[2] {
		t.Errorf("the plans differ: %q", plans)
	}
	if want := `^session persistence chromium takes \(0\)$`; !slices.Contains(ran, want) {
		t.Errorf("%q is not among %q", want, ran)
	}
	other := &Shard{Index: 1, Of: 3}
	if other.Share(all, nil); other.Plan == plans[0] {
		t.Error("other times make no other plan")
	}
}

func TestOnlyAllShardsOfOnePlanMakeAVerdict(t *testing.T) {
	one := func(index int, plan string) Saved {
		return Saved{Run: Run{Shard: &Shard{Index: index, Of: 3, Plan: plan}}, Path: fmt.Sprintf("%d%s.json", index, plan)}
	}
	for want, all := range map[string][]Saved{
		"":                   {one(1, "a"), one(3, "a"), one(2, "a")},
		"missing: 2/3":       {one(1, "a"), one(3, "a")},
		"of different plans": {one(1, "a"), one(2, "b"), one(3, "a")},
		"the same shard":     {one(1, "a"), one(1, "a"), one(3, "a")},
		"one is not":         {one(1, "a"), {Path: "whole.json"}},
	} {
		err := complete(all)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}
