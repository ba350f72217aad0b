package page

import (
	"fmt"
	"path/filepath"
	"strings"

	"crossing/reports"
)

// view is what stands on the page before anything is opened.
type view struct {
	Run      *reports.Run
	Headline string
	// Outcome is "passed", "failed" or "unjudged".
	Outcome string
	Facts   []fact
	Tallies []fact
	Matrix  reports.Matrix
	Reasons []string
	Causes  []reports.Cause
	Parts   []part
	Held    []reports.Spec
	Past    *past
	Waits   []wait
	Title   string
}

// past is what earlier runs tell.
type past struct {
	Runs  int
	Green string
	New   []reports.Spec
	Rates []reports.Rate
}

func lookBack(r *reports.Run) *past {
	if len(r.Earlier) == 0 {
		return nil
	}
	p := &past{Runs: len(r.Earlier), New: r.New(), Rates: r.Rates(), Green: "In none of them did everything pass that fails now."}
	if green, since, found := r.Green(); found {
		p.Green = "The last green run began on " + green.Started.UTC().Format("2006-01-02 15:04 UTC")
		if green.Commit != "" {
			p.Green += ", of commit " + green.Commit[:min(len(green.Commit), 10)]
		}
		p.Green += map[bool]string{true: ": the one before this.", false: fmt.Sprintf("; %d runs lie between.", since)}[since == 0]
	}
	return p
}

// fact is a term and what it is.
type fact struct{ Term, Text string }

// wait is how long a person waited, in words.
type wait struct {
	Profile, Kind, Median, Budget string
	Samples                       int
	Over                          bool
}

func waits(all []reports.Wait) []wait {
	var out []wait
	for _, w := range all {
		one := wait{Profile: w.Profile, Kind: w.Kind, Median: Seconds(w.Median), Budget: "not judged", Samples: len(w.Samples)}
		if w.Budget > 0 {
			one.Budget, one.Over = Seconds(w.Budget), w.Median > w.Budget
		}
		out = append(out, one)
	}
	return out
}

// part is a share of the run's time.
type part struct {
	Name    string
	Seconds float64
	Share   float64 // in a hundred
}

func look(r *reports.Run) view {
	v := view{Run: r, Headline: r.Headline(), Outcome: "failed", Matrix: r.Matrix(), Causes: r.Causes(), Reasons: r.Reasons(), Waits: waits(r.Waits), Held: r.InQuarantine(), Past: lookBack(r)}
	switch {
	case !r.Judged():
		v.Outcome = "unjudged"
	case r.Passed:
		v.Outcome = "passed"
	}
	v.Title = fmt.Sprintf("%s · %s", r.Target.Name, v.Headline)
	v.Facts = facts(r)
	for _, t := range []struct {
		name string
		n    int
	}{{"passed", r.Counts.Passed}, {"failed", r.Counts.Failed}, {"not applicable", r.Counts.NotApplicable}, {"not run", r.Counts.NotRun}, {"quarantined", r.Counts.Quarantined}, {"infrastructure", r.Counts.Infrastructure}} {
		if t.n > 0 || t.name == "passed" || t.name == "failed" {
			v.Tallies = append(v.Tallies, fact{t.name, fmt.Sprint(t.n)})
		}
	}
	v.Parts = parts(r.Timings)
	return v
}

// facts say which run this was.
func facts(r *reports.Run) []fact {
	all := []fact{
		{"application", r.Target.Name},
		{"described in", filepath.Base(r.Target.Config)},
		{"runtime", strings.TrimSuffix(r.Runtime+": "+r.Why, ": ")},
		{"started", r.Started.UTC().Format("2006-01-02 15:04:05 UTC")},
		{"took", Seconds(r.Timings.Total)},
		{"seed", fmt.Sprint(r.Seed)},
	}
	if r.Commit != "" {
		commit := strings.TrimSuffix(r.Commit, "+")
		if commit != r.Commit {
			commit += ", with changes that are not committed"
		}
		all = append(all, fact{"commit", commit})
	}
	return all
}

// parts are where the time went. The stack's start is a part of the suites'.
func parts(t reports.Timings) []part {
	all := []part{{Name: "set-up", Seconds: t.Setup}, {Name: "compiling the suites", Seconds: t.Compile},
		{Name: "starting the services", Seconds: t.StackReady}, {Name: "specs", Seconds: max(0, t.Specs-t.StackReady)}}
	sum := 0.0
	for _, p := range all {
		sum += p.Seconds
	}
	if rest := t.Total - sum; rest > 0.05 {
		all, sum = append(all, part{Name: "the rest", Seconds: rest}), t.Total
	}
	for i := range all {
		all[i].Share = 100 * all[i].Seconds / max(sum, 0.001)
	}
	return all
}

// Seconds writes a duration as a person says it.
func Seconds(s float64) string {
	switch {
	case s >= 60:
		return fmt.Sprintf("%d min %.0f s", int(s)/60, s-float64(int(s)/60*60))
	case s >= 10:
		return fmt.Sprintf("%.0f s", s)
	case s >= 1:
		return fmt.Sprintf("%.1f s", s)
	}
	return fmt.Sprintf("%.0f ms", s*1000)
}

// Time is the part's duration in words.
func (p part) Time() string { return Seconds(p.Seconds) }
