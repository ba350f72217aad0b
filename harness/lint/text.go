package lint

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// String is what a terminal shows: a line for each check, findings with their
// evidence and mend below it, as a failed spec has them. It has no colours and
// no trailing newline.
func (r Report) String() string {
	var b strings.Builder
	for _, result := range r.Results {
		result.write(&b)
	}
	fmt.Fprintf(&b, "%s: %s.", r.Target, r.Sentence())
	return b.String()
}

// Sentence sums the checks up.
func (r Report) Sentence() string {
	count := map[State]int{}
	for _, result := range r.Results {
		count[result.State]++
	}
	text := "nothing found"
	switch n := len(r.Findings()); {
	case n == 1:
		text = "1 finding"
	case n > 1:
		text = fmt.Sprintf("%d findings", n)
	}
	text += fmt.Sprintf("; %d checks are in order", count[OK])
	if n := count[NotCheckable]; n > 0 {
		text += fmt.Sprintf(", %d could not be made", n)
	}
	return text
}

// marks stand before a check's name.
var marks = map[State]string{OK: "✓", Found: "✗", NotCheckable: "–"}

func (r Result) write(b *strings.Builder) {
	said := r.Said
	switch r.State {
	case Found:
		said = ""
	case NotCheckable:
		said = "not checkable: " + said
	}
	fmt.Fprintf(b, "  %s %-15s %s\n", marks[r.State], r.Name, said)
	for _, f := range r.Findings {
		fmt.Fprintf(b, "      %s.\n", f.Title)
		cause := f.Cause
		if f.Instance != "" {
			cause += " (" + f.Instance + ")"
		}
		for _, part := range []struct {
			label string
			lines []string
		}{{"cause", []string{cause}}, {"evidence", f.Evidence}, {"mend", f.Mend}} {
			for i, line := range part.lines {
				label := part.label
				if i > 0 {
					label = ""
				}
				fmt.Fprintf(b, "        %-10s %s\n", label, line)
			}
		}
	}
}

// Write saves reports as JSON.
func Write(path string, reports any) error {
	data, err := json.MarshalIndent(reports, "", "  ")
	if err != nil {
		return fmt.Errorf("write the findings: %w", err)
	}
	return os.WriteFile(path, append(data, '\n'), 0o644)
}
