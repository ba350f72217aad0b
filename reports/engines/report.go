// Package engines is what is left of measuring browsers: the truth table, the
// ledger of what is expected, and the page that shows both. It reads results;
// what browsers do is asked by harness/browser/behaviour.
package engines

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"crossing/harness/browser"
	"crossing/harness/browser/behaviour"
	"crossing/harness/trace"
)

// Version is the version of engines.json's format.
const Version = 1

// Files are the names of what is left in the folder of the reports.
const (
	JSONFile = "engines.json"
	PageFile = "engines.html"
)

// Report is engines.json.
type Report struct {
	Version int       `json:"version"`
	Started time.Time `json:"started"`
	Seconds float64   `json:"seconds"`
	// Behaviours are the rows, Profiles the columns.
	Behaviours []Behaviour `json:"behaviours"`
	Profiles   []Profile   `json:"profiles"`
	// Deviations are the outcomes that are not the ledger's.
	Deviations []Deviation `json:"deviations"`
}

// Behaviour is a row.
type Behaviour struct {
	Name   string `json:"name"`
	Group  string `json:"group"`
	Text   string `json:"text"`
	Source string `json:"source"`
}

// Profile is a column.
type Profile struct {
	browser.Profile
	Version    browser.Version  `json:"version"`
	Capability trace.Capability `json:"capability"`
	Results    []Result         `json:"results"`
	Seconds    float64          `json:"seconds"`
}

// Result is a cell.
type Result struct {
	Name    string   `json:"name"`
	Outcome string   `json:"outcome"`
	Reasons []string `json:"reasons,omitempty"`
	Seconds float64  `json:"seconds"`
}

// Find returns the cell of a behaviour.
func (p Profile) Find(name string) (Result, bool) {
	i := slices.IndexFunc(p.Results, func(r Result) bool { return r.Name == name })
	if i < 0 {
		return Result{}, false
	}
	return p.Results[i], true
}

// Deviates says whether the cell is not what the ledger expects.
func (r *Report) Deviates(behaviour, profile string) *Deviation {
	for i, d := range r.Deviations {
		if d.Behaviour == behaviour && d.Profile == profile {
			return &r.Deviations[i]
		}
	}
	return nil
}

// Write saves engines.json.
func (r *Report) Write(path string) error {
	r.Deviations = append([]Deviation{}, r.Deviations...)
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, append(data, '\n'), 0o644); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// Table is the truth table for a terminal: rows are behaviours, columns are
// profiles; a star marks what is not the ledger's.
func (r *Report) Table() string {
	var b strings.Builder
	for _, p := range r.Profiles {
		fmt.Fprintf(&b, "  %-15s %s, %s (%s; lever: %s)\n", p.Name, p.Version.Browser, p.Version.Driver, p.Version.Found, p.Version.Lever)
	}
	left := 0
	for _, what := range r.Behaviours {
		left = max(left, len([]rune(what.Text)))
	}
	widths := make([]int, len(r.Profiles))
	cells := map[[2]string]string{}
	for i, p := range r.Profiles {
		widths[i] = len(p.Name)
		for _, what := range r.Behaviours {
			text := r.cell(what, p)
			cells[[2]string{what.Name, p.Name}] = text
			widths[i] = max(widths[i], len([]rune(text)))
		}
	}
	line := func(head string, cell func(p Profile) string) {
		text := "  " + padded(head, left+2)
		for i, p := range r.Profiles {
			text += "  " + padded(cell(p), widths[i])
		}
		fmt.Fprintln(&b, strings.TrimRight(text, " "))
	}
	b.WriteByte('\n')
	line("", func(p Profile) string { return p.Name })
	group := ""
	for _, what := range r.Behaviours {
		if what.Group != group {
			group = what.Group
			fmt.Fprintf(&b, "  %s\n", group)
		}
		line("  "+what.Text, func(p Profile) string { return cells[[2]string{what.Name, p.Name}] })
	}
	r.notes(&b)
	return b.String()
}

// short is an outcome without its reason.
func short(outcome string) string {
	if strings.HasPrefix(outcome, behaviour.NotApplicable) {
		return "n/a"
	}
	return outcome
}

func (r *Report) cell(what Behaviour, p Profile) string {
	result, found := p.Find(what.Name)
	if !found {
		return ""
	}
	text := short(result.Outcome)
	if r.Deviates(what.Name, p.Name) != nil {
		text += " *"
	}
	return text
}

func padded(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-len([]rune(text))))
}

// notes tells, below the table, why cells are not applicable, and what engines
// said of what they refused.
func (r *Report) notes(b *strings.Builder) {
	b.WriteByte('\n')
	for _, p := range r.Profiles {
		told := map[string][]string{}
		var order []string
		add := func(why, what string) {
			if told[why] == nil {
				order = append(order, why)
			}
			told[why] = append(told[why], what)
		}
		for _, result := range p.Results {
			if why, not := strings.CutPrefix(result.Outcome, behaviour.NotApplicable); not {
				add("not applicable, "+why, result.Name)
			}
			if len(result.Reasons) > 0 {
				add("refused as "+strings.Join(result.Reasons, ", "), result.Name)
			}
		}
		for _, why := range order {
			fmt.Fprintf(b, "  %s: %s: %s\n", p.Name, why, strings.Join(told[why], ", "))
		}
	}
}
