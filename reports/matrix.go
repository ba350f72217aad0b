package reports

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Matrix is behaviour × profile, each in the order of its name.
type Matrix struct {
	Profiles []string
	Rows     []MatrixRow
}

// MatrixRow is one behaviour; Cells stand in the order of Matrix.Profiles. A
// cell without specs has no counts.
type MatrixRow struct {
	Behaviour string
	Cells     []Counts
}

// Matrix sums the specs up.
func (r *Run) Matrix() Matrix {
	cells := map[[2]string]Counts{}
	rows, columns := map[string]bool{}, map[string]bool{}
	for _, s := range r.Specs {
		rows[s.Behaviour], columns[s.Profile] = true, true
		key := [2]string{s.Behaviour, s.Profile}
		c := cells[key]
		c.add(s.State)
		cells[key] = c
	}
	m := Matrix{Profiles: slices.Sorted(maps.Keys(columns))}
	for _, behaviour := range slices.Sorted(maps.Keys(rows)) {
		row := MatrixRow{Behaviour: behaviour}
		for _, profile := range m.Profiles {
			row.Cells = append(row.Cells, cells[[2]string{behaviour, profile}])
		}
		m.Rows = append(m.Rows, row)
	}
	return m
}

// Total is the number of specs.
func (c Counts) Total() int {
	return c.Passed + c.Failed + c.NotApplicable + c.NotRun + c.Quarantined + c.Infrastructure
}

// Words say a cell without signs, for those who hear it: "1 failed, 4 passed".
func (c Counts) Words() string {
	var parts []string
	for _, p := range []struct {
		n    int
		word string
	}{{c.Failed, "failed"}, {c.Passed, "passed"}, {c.NotApplicable, "not applicable"}, {c.NotRun, "not run"}, {c.Quarantined, "quarantined"}, {c.Infrastructure, "infrastructure"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.word))
		}
	}
	return strings.Join(parts, ", ")
}

// Cause is one cause with the failed specs that it was named first in.
type Cause struct {
	// Slug is the cause's; "" for failures in which none was named.
	Slug  string
	Specs []Spec
	// Diagnosis is that of the first of them; nil where nothing was named.
	Diagnosis *Diagnosis
}

// Causes are why specs failed, the most frequent first, and
// those without a name last.
func (r *Run) Causes() []Cause {
	byslug := map[string]*Cause{}
	for _, s := range r.Specs {
		if !s.red() {
			continue
		}
		slug, diagnosis := r.first(s)
		if byslug[slug] == nil {
			byslug[slug] = &Cause{Slug: slug, Diagnosis: diagnosis}
		}
		byslug[slug].Specs = append(byslug[slug].Specs, s)
	}
	var all []Cause
	for _, slug := range slices.Sorted(maps.Keys(byslug)) {
		all = append(all, *byslug[slug])
	}
	slices.SortStableFunc(all, func(a, b Cause) int {
		if named := strings.Compare(b.Slug, a.Slug); named != 0 && (a.Slug == "" || b.Slug == "") {
			return named // those without a name come last
		}
		return len(b.Specs) - len(a.Specs)
	})
	return all
}

// first is the first cause that was named of any of the spec's visitors.
func (r *Run) first(s Spec) (slug string, d *Diagnosis) {
	for _, d := range r.Of(s) {
		if named := causes(d); len(named) > 0 {
			return named[0], &d
		}
	}
	return "", nil
}

// Headline is the verdict in one sentence, for those who have never seen a
// run's output.
func (r *Run) Headline() string {
	c := r.Counts
	switch judged := c.Passed + c.Failed; {
	case judged == 0 && c.Infrastructure == 0:
		return r.Sentence()
	case !r.Judged():
		return fmt.Sprintf("Not judged: %d of %d specs met the platform in the application's place%s", c.Infrastructure, judged+c.Infrastructure, r.because())
	case r.Passed && judged == 1:
		return fmt.Sprintf("Passed: the one spec that was run holds on %s.", r.on())
	case r.Passed:
		return fmt.Sprintf("Passed: all %d specs that apply hold on %s.", judged, r.on())
	case c.Failed == 0:
		return fmt.Sprintf("Failed: %d specs passed and none failed, but the suites did not end well.", c.Passed)
	case judged == 1:
		return "Failed: the one spec that was run" + r.because()
	default:
		return fmt.Sprintf("Failed: %d of %d specs%s", c.Failed+c.Infrastructure, judged+c.Infrastructure, r.because())
	}
}

// on names the profiles that ran.
func (r *Run) on() string {
	var names []string
	for _, p := range r.Profiles {
		names = append(names, p.Name)
	}
	switch last := len(names) - 1; {
	case last < 0:
		return "no browser"
	case last == 0:
		return names[0]
	default:
		return strings.Join(names[:last], ", ") + " and " + names[last]
	}
}

// because ends the headline with what was found to be the cause.
func (r *Run) because() string {
	all := r.Causes()
	named := slices.DeleteFunc(slices.Clone(all), func(c Cause) bool { return c.Slug == "" })
	switch {
	case len(named) == 0:
		return "; no cause is proved."
	case len(all) == 1:
		return ", because of " + named[0].Slug + "."
	}
	var parts []string
	for _, c := range named {
		parts = append(parts, fmt.Sprintf("%d because of %s", len(c.Specs), c.Slug))
	}
	if len(named) < len(all) {
		parts = append(parts, "the rest without a cause named")
	}
	return ": " + strings.Join(parts, ", ") + "."
}
