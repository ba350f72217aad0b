package reports

import (
	"cmp"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"crossing/harness/headroom"
	"crossing/harness/journey"
	"crossing/harness/trace"
)

// Verdict is what a terminal shows at the end of a run: what was measured of
// each profile, the matrix behaviour × profile, every failure with its
// diagnosis above the assertion, and one sentence. Traces are named as they
// stand in folder.
func (r *Run) Verdict(folder string) string {
	var b strings.Builder
	b.WriteByte('\n')
	for _, p := range r.Profiles {
		fmt.Fprintf(&b, "  %-*s %s (%s): %s\n", r.margin(), p.Name, p.Version.Browser, p.Version.Found, measured(p.Capability))
	}
	r.waited(&b)
	r.room(&b)
	r.people(&b)
	r.matrix(&b)
	for _, reason := range r.Reasons() {
		fmt.Fprintf(&b, "  – n/a: %s\n", reason)
	}
	for _, s := range r.InQuarantine() {
		fmt.Fprintf(&b, "  ~ quarantined: %s · %s · %s: %s\n", s.Profile, s.Behaviour, s.Text, s.Quarantine)
	}
	told := map[string]bool{}
	for _, s := range r.Specs {
		if s.red() {
			s.Message = r.shortened(s, told)
			failure(&b, s, folder)
		}
	}
	fmt.Fprintf(&b, "\n%s\n", r.Sentence())
	return b.String()
}

// margin is how wide the first column is: names of profiles stand there.
func (r *Run) margin() int {
	width := len("headroom") + 2
	for _, p := range r.Profiles {
		width = max(width, len(p.Name))
	}
	return width
}

// Sentence is the verdict alone.
func (r *Run) Sentence() string {
	c := r.Counts
	text := "PASSED"
	switch {
	case c.Infrastructure > 0 && !r.Judged():
		text = "NOT JUDGED"
	case !r.Passed:
		text = "FAILED"
	}
	switch {
	case c.Infrastructure > 0:
	case c.Passed+c.Failed > 0:
	case c.NotApplicable > 0:
		return fmt.Sprintf("NOT JUDGED: none of the %d specs chosen applies to these profiles; choose others by ENGINE, SUITE or ONE", c.NotApplicable)
	default:
		return "NOT JUDGED: no spec ran; look at ENGINE, SUITE and ONE"
	}
	text += fmt.Sprintf(": %d passed, %d failed%s", c.Passed, c.Failed, r.blamed())
	if c.Infrastructure > 0 {
		text += fmt.Sprintf(", %d kept from being judged by the platform", c.Infrastructure)
	}
	if c.NotApplicable > 0 {
		text += fmt.Sprintf(", %d not applicable", c.NotApplicable)
	}
	if c.NotRun > 0 {
		text += fmt.Sprintf(", %d not run", c.NotRun)
	}
	if c.Quarantined > 0 {
		text += fmt.Sprintf(", %d quarantined", c.Quarantined)
	}
	return text + fmt.Sprintf(" · %.0f s (stack %.1f s, specs %.0f s) · %s · seed %d",
		r.Timings.Total, r.Timings.StackReady, r.Timings.Specs-r.Timings.StackReady, r.Runtime, r.Seed)
}

func measured(c trace.Capability) string {
	return fmt.Sprintf("third-party cookie kept: %s, Partitioned kept: %s, isolated: %s, outlives a restart: %s",
		c.ThirdParty, c.Partitioned, c.Isolated, c.Restart)
}

// waited tells how long a person waited, a line for each profile.
func (r *Run) waited(b *strings.Builder) {
	lines := map[string][]string{}
	for _, w := range r.Waits {
		budget := "not judged"
		if w.Budget > 0 {
			budget = fmt.Sprintf("budget %g s", w.Budget)
		}
		lines[w.Profile] = append(lines[w.Profile], fmt.Sprintf("%s %.2f s (median of %d; %s)", w.Kind, w.Median, len(w.Samples), budget))
	}
	for _, profile := range slices.Sorted(maps.Keys(lines)) {
		fmt.Fprintf(b, "  %-*s until the page shows a session: %s\n", r.margin(), profile, strings.Join(lines[profile], ", "))
	}
}

// room tells which limit is nearest, and warns of each that is half used.
func (r *Run) room(b *strings.Builder) {
	nearest, found := headroom.Nearest(r.Headroom)
	if !found {
		return
	}
	if !nearest.Near() {
		fmt.Fprintf(b, "  %-*s nearest is %s\n", r.margin(), "headroom", nearest)
	}
	for _, u := range r.Headroom {
		switch {
		case u.Reached():
			fmt.Fprintf(b, "  ✗ no room left: %s\n", u)
		case u.Near():
			fmt.Fprintf(b, "  ⚠ half is used: %s\n", u)
		}
	}
}

// people tells who was signed up on a deployment, and who is still there.
func (r *Run) people(b *strings.Builder) {
	p := r.People
	if p.SignedUp == 0 {
		return
	}
	fmt.Fprintf(b, "  %-*s %d were signed up, and %d of them removed", r.margin(), "people", p.SignedUp, p.Removed)
	switch {
	case p.Removed == p.SignedUp:
	case p.Removed == 0:
		b.WriteString(": contract.paths.deleteAccount would have them removed; their addresses end with @" + journey.Domain)
	default:
		b.WriteString("; left: " + strings.Join(p.Left, ", "))
	}
	if p.CameAgain > 0 {
		fmt.Fprintf(b, "; %d visits by somebody who had come before", p.CameAgain)
	}
	b.WriteByte('\n')
}

// matrix has a row for each behaviour and a column for each profile.
func (r *Run) matrix(b *strings.Builder) {
	m := r.Matrix()
	width := 26
	for _, row := range m.Rows {
		width = max(width, utf8.RuneCountInString(row.Behaviour)+2)
	}
	line := fmt.Sprintf("  %-*s", width, "")
	for _, column := range m.Profiles {
		line += fmt.Sprintf("%-20s", column)
	}
	fmt.Fprintf(b, "\n%s\n", strings.TrimRight(line, " "))
	for _, row := range m.Rows {
		line = fmt.Sprintf("  %-*s", width, row.Behaviour)
		for _, cell := range row.Cells {
			line += fmt.Sprintf("%-20s", cell)
		}
		fmt.Fprintln(b, strings.TrimRight(line, " "))
	}
}

// String is a cell: "✓ 4", "✗ 1 of 5", "– 3 n/a", "✓ 4 · 3 n/a".
func (c Counts) String() string {
	var parts []string
	switch {
	case c.Failed > 0:
		parts = append(parts, fmt.Sprintf("✗ %d of %d", c.Failed, c.Failed+c.Passed))
	case c.Passed > 0:
		parts = append(parts, fmt.Sprintf("✓ %d", c.Passed))
	}
	if c.NotApplicable > 0 {
		sign := "– "
		if len(parts) > 0 {
			sign = ""
		}
		parts = append(parts, fmt.Sprintf("%s%d n/a", sign, c.NotApplicable))
	}
	if c.NotRun > 0 {
		parts = append(parts, fmt.Sprintf("%d not run", c.NotRun))
	}
	if c.Quarantined > 0 {
		parts = append(parts, fmt.Sprintf("~ %d quarantined", c.Quarantined))
	}
	if c.Infrastructure > 0 {
		parts = append(parts, fmt.Sprintf("! %d infrastructure", c.Infrastructure))
	}
	return strings.Join(parts, " · ")
}

// Reasons say, once each, why specs were not applicable.
func (r *Run) Reasons() []string {
	var told []string
	for _, s := range r.Specs {
		if s.State == NotApplicable && !slices.Contains(told, s.Message) {
			told = append(told, s.Message)
		}
	}
	slices.Sort(told)
	return told
}

// Of returns the diagnoses of a spec's visitors.
func (r *Run) Of(s Spec) []Diagnosis {
	var all []Diagnosis
	for _, d := range r.Diagnoses {
		if slices.Contains(s.Traces, d.Trace) {
			all = append(all, d)
		}
	}
	return all
}

// shortened is the spec's message, in which a diagnosis that has been told of
// an earlier spec, with its evidence and mend, is its sentence alone.
func (r *Run) shortened(s Spec, told map[string]bool) string {
	text := s.Message
	for _, d := range r.Of(s) {
		key := s.Profile + " " + strings.Join(causes(d), " ")
		if len(d.Findings) > 0 && told[key] {
			again := fmt.Sprintf("%s\n  cause        %s: mended as above; the evidence is in the trace", d.Sentence, strings.Join(causes(d), ", "))
			text = strings.Replace(text, d.String(), again, 1)
		}
		told[key] = true
	}
	return text
}

func causes(d Diagnosis) []string {
	var all []string
	for _, f := range d.Findings {
		all = append(all, f.Cause)
	}
	return all
}

// blamed counts the failed specs by the first cause that was named in each.
func (r *Run) blamed() string {
	const none = "without a cause named"
	counts := map[string]int{}
	for _, c := range r.Causes() {
		counts[cmp.Or(c.Slug, none)] = len(c.Specs)
	}
	if len(counts) == 0 || counts[none] == r.Counts.Failed+r.Counts.Infrastructure {
		return ""
	}
	var parts []string
	for _, cause := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%d %s", counts[cause], cause))
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

func failure(b *strings.Builder, s Spec, folder string) {
	fmt.Fprintf(b, "\n%s %s · %s · %s\n", map[State]string{Failed: "✗", Infrastructure: "!"}[s.State], s.Profile, s.Behaviour, s.Text)
	for line := range strings.SplitSeq(strings.TrimSpace(s.Message), "\n") {
		fmt.Fprintln(b, strings.TrimRight("    "+line, " "))
	}
	fmt.Fprintf(b, "    at %s\n", s.Where)
	for _, t := range s.Traces {
		fmt.Fprintf(b, "    trace: %s\n", filepath.Join(folder, t))
	}
	fmt.Fprintf(b, "    again: %s\n", s.Reproduce)
}
