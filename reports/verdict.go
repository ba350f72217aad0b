package reports

import (
	"fmt"
	"slices"
	"strings"

	"crossing/harness/trace"
)

// Verdict is what a terminal shows at the end of a run: what was measured of
// each profile, the matrix behaviour × profile, every failure with its
// diagnosis above the assertion, and one sentence.
func (r *Run) Verdict() string {
	var b strings.Builder
	b.WriteByte('\n')
	for _, p := range r.Profiles {
		fmt.Fprintf(&b, "  %-10s %s (%s): %s\n", p.Name, p.Version.Browser, p.Version.Found, measured(p.Capability))
	}
	r.matrix(&b)
	r.reasons(&b)
	for _, s := range r.Specs {
		if s.State == Failed {
			failure(&b, s)
		}
	}
	fmt.Fprintf(&b, "\n%s\n", r.Sentence())
	return b.String()
}

// Sentence is the verdict alone.
func (r *Run) Sentence() string {
	c := r.Counts
	text := "PASSED"
	if !r.Passed {
		text = "FAILED"
	}
	if c.Passed+c.Failed == 0 {
		return text + ": no spec ran; look at ENGINE, SUITE and ONE"
	}
	text += fmt.Sprintf(": %d passed, %d failed", c.Passed, c.Failed)
	if c.NotApplicable > 0 {
		text += fmt.Sprintf(", %d not applicable", c.NotApplicable)
	}
	if c.NotRun > 0 {
		text += fmt.Sprintf(", %d not run", c.NotRun)
	}
	return text + fmt.Sprintf(" · %.0f s (stack %.1f s, specs %.0f s) · %s · seed %d",
		r.Timings.Total, r.Timings.StackReady, r.Timings.Specs-r.Timings.StackReady, r.Runtime, r.Seed)
}

func measured(c trace.Capability) string {
	return fmt.Sprintf("third-party cookie kept: %s, Partitioned kept: %s, isolated: %s, outlives a restart: %s",
		c.ThirdParty, c.Partitioned, c.Isolated, c.Restart)
}

// matrix has a row for each behaviour and a column for each profile.
func (r *Run) matrix(b *strings.Builder) {
	var rows, columns []string
	cells := map[[2]string]Counts{}
	for _, s := range r.Specs {
		if !slices.Contains(rows, s.Behaviour) {
			rows = append(rows, s.Behaviour)
		}
		if !slices.Contains(columns, s.Profile) {
			columns = append(columns, s.Profile)
		}
		key := [2]string{s.Behaviour, s.Profile}
		c := cells[key]
		c.add(s.State)
		cells[key] = c
	}
	slices.Sort(rows)
	slices.Sort(columns)
	fmt.Fprintf(b, "\n  %-26s", "")
	for _, column := range columns {
		fmt.Fprintf(b, "%-20s", column)
	}
	for _, row := range rows {
		fmt.Fprintf(b, "\n  %-26s", row)
		for _, column := range columns {
			fmt.Fprintf(b, "%-20s", cells[[2]string{row, column}])
		}
	}
	b.WriteByte('\n')
}

// String is a cell: "✓ 4", "✗ 1 of 5", "– 3 n/a".
func (c Counts) String() string {
	var parts []string
	switch {
	case c.Failed > 0:
		parts = append(parts, fmt.Sprintf("✗ %d of %d", c.Failed, c.Failed+c.Passed))
	case c.Passed > 0:
		parts = append(parts, fmt.Sprintf("✓ %d", c.Passed))
	}
	if c.NotApplicable > 0 {
		parts = append(parts, fmt.Sprintf("– %d n/a", c.NotApplicable))
	}
	if c.NotRun > 0 {
		parts = append(parts, fmt.Sprintf("%d not run", c.NotRun))
	}
	return strings.Join(parts, " ")
}

// reasons tells, once each, why specs were not applicable.
func (r *Run) reasons(b *strings.Builder) {
	var told []string
	for _, s := range r.Specs {
		if s.State == NotApplicable && !slices.Contains(told, s.Message) {
			told = append(told, s.Message)
		}
	}
	slices.Sort(told)
	for _, reason := range told {
		fmt.Fprintf(b, "  – n/a: %s\n", reason)
	}
}

func failure(b *strings.Builder, s Spec) {
	fmt.Fprintf(b, "\n✗ %s · %s · %s\n", s.Profile, s.Behaviour, s.Text)
	for line := range strings.SplitSeq(strings.TrimSpace(s.Message), "\n") {
		fmt.Fprintf(b, "    %s\n", line)
	}
	fmt.Fprintf(b, "    at %s\n", s.Where)
	for _, t := range s.Traces {
		fmt.Fprintf(b, "    trace: %s\n", t)
	}
	fmt.Fprintf(b, "    again: %s\n", s.Reproduce)
}
