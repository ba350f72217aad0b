package reports

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/onsi/ginkgo/v2/types"
)

// Shard is the share of a run's specs that one job runs.
type Shard struct {
	// Index counts from 1.
	Index int `json:"index"`
	Of    int `json:"of"`
	// Plan is a digest of how all specs were shared out: shards whose plans
	// differ do not make up one run.
	Plan string `json:"plan"`
}

// Planned is a spec that is to run.
type Planned struct {
	key, focus string
	seconds    float64
}

// Plan reads which specs a dry run of Ginkgo's has chosen.
func Plan(path string) ([]Planned, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("list the specs: %w", err)
	}
	var suites []types.Report
	if err := json.Unmarshal(data, &suites); err != nil {
		return nil, fmt.Errorf("list the specs: read %s: %w", path, err)
	}
	var all []Planned
	for _, suite := range suites {
		for _, s := range suite.SpecReports {
			if spec, counted := (&Run{}).read(suite.SuiteDescription, s, ""); counted && s.LeafNodeType == types.NodeTypeIt {
				// Ginkgo matches a focus with the suite's name and the text.
				all = append(all, Planned{key: spec.key(), focus: "^" + regexp.QuoteMeta(suite.SuiteDescription+" "+s.FullText()) + "$"})
			}
		}
	}
	return all, nil
}

// Share returns what shard s of a plan runs, as regular expressions for
// Ginkgo's focus, and completes s. Specs are balanced by the times that an
// earlier run recorded, the longest first to whoever has least to do; one that
// it did not know counts as the mean. Every shard must be given the same.
func (s *Shard) Share(all []Planned, earlier *Run) []string {
	all = timed(all, earlier)
	slices.SortFunc(all, func(a, b Planned) int {
		return cmp.Or(cmp.Compare(b.seconds, a.seconds), strings.Compare(a.key, b.key))
	})
	load, own := make([]float64, s.Of), []string{}
	digest := sha256.New()
	for _, p := range all {
		least := 0
		for i := range load {
			if load[i] < load[least] {
				least = i
			}
		}
		load[least] += p.seconds
		fmt.Fprintf(digest, "%d %s\n", least, p.key)
		if least == s.Index-1 {
			own = append(own, p.focus)
		}
	}
	s.Plan = hex.EncodeToString(digest.Sum(nil)[:8])
	return own
}

// timed adds the recorded times.
func timed(all []Planned, earlier *Run) []Planned {
	known, sum := map[string]float64{}, 0.0
	if earlier != nil {
		for _, s := range earlier.Specs {
			if s.State == Passed || s.State == Failed || s.State == NotApplicable {
				known[s.key()] = s.Seconds
				sum += s.Seconds
			}
		}
	}
	mean := 1.0
	if sum > 0 {
		mean = sum / float64(len(known))
	}
	all = slices.Clone(all)
	for i := range all {
		seconds, found := known[all[i].key]
		if !found {
			seconds = mean
		}
		// What takes no time at all still has to be shared out.
		all[i].seconds = max(seconds, 0.01)
	}
	return all
}

// complete says why shards do not make up one run.
func complete(all []Saved) error {
	first := all[0]
	have := map[int]string{}
	for _, s := range all {
		switch {
		case (s.Shard == nil) != (first.Shard == nil):
			return fmt.Errorf("of %s and %s, one is a shard and one is not", first.Path, s.Path)
		case s.Shard == nil:
			continue
		case s.Shard.Of != first.Shard.Of || s.Shard.Plan != first.Shard.Plan:
			return fmt.Errorf("%s and %s are shards of different plans: give every shard the same ENGINE, SUITE, ONE and TIMES", first.Path, s.Path)
		case have[s.Shard.Index] != "":
			return fmt.Errorf("%s and %s are the same shard", have[s.Shard.Index], s.Path)
		}
		have[s.Shard.Index] = s.Path
	}
	if first.Shard == nil || len(have) == first.Shard.Of {
		return nil
	}
	var missing []string
	for i := 1; i <= first.Shard.Of; i++ {
		if have[i] == "" {
			missing = append(missing, fmt.Sprintf("%d/%d", i, first.Shard.Of))
		}
	}
	return fmt.Errorf("shards are missing: %s; a verdict on the others alone would say more than was run", strings.Join(missing, ", "))
}
