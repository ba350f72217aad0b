package engines

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"crossing/harness/browser"
	"crossing/harness/browser/behaviour"
)

// Entry is one line of the ledger: what a profile is expected to show.
type Entry struct {
	Behaviour string `json:"behaviour"`
	Profile   string `json:"profile"`
	Outcome   string `json:"outcome"`
	// Measured is the browser that this was measured on.
	Measured string `json:"measured"`
	// Source is the specification, test or bug that says what there is to
	// know: the behaviour's, until somebody finds a better one.
	Source string `json:"source"`

	line int
}

// Ledger is what is expected, a line of JSON each, in the order of the table.
type Ledger struct {
	Path    string
	Entries []Entry
}

// Deviation is an outcome that is not the ledger's, an unexpected pass too.
type Deviation struct {
	Behaviour string `json:"behaviour"`
	Profile   string `json:"profile"`
	Got       string `json:"got"`
	// Want is empty where the ledger has no line for it.
	Want string `json:"want"`
	// Line of the ledger, 0 where it has none.
	Line int `json:"line"`
	// Text is the whole sentence, with the line to look at.
	Text string `json:"text"`
}

// ReadLedger reads a ledger; a file that is not there is an empty one.
func ReadLedger(path string) (Ledger, error) {
	l := Ledger{Path: path}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return l, nil
	}
	if err != nil {
		return l, fmt.Errorf("read the ledger: %w", err)
	}
	lines := bufio.NewScanner(bytes.NewReader(data))
	for n := 1; lines.Scan(); n++ {
		e := Entry{line: n}
		d := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		d.DisallowUnknownFields()
		if err := d.Decode(&e); err != nil {
			return l, fmt.Errorf("%s:%d: %w; write it as the others are, or have it written by UPDATE=1", path, n, err)
		}
		if first := l.find(e.Behaviour, e.Profile); first != nil {
			return l, fmt.Errorf("%s:%d: %s on %s stands in line %d already; keep one", path, n, e.Behaviour, e.Profile, first.line)
		}
		l.Entries = append(l.Entries, e)
	}
	return l, lines.Err()
}

func (l *Ledger) find(behaviour, profile string) *Entry {
	i := slices.IndexFunc(l.Entries, func(e Entry) bool { return e.Behaviour == behaviour && e.Profile == profile })
	if i < 0 {
		return nil
	}
	return &l.Entries[i]
}

// unasked says that a browser elsewhere could not be asked: that is no news of
// its profile.
func unasked(p Profile, got Result) bool {
	return p.Version.Elsewhere && strings.HasPrefix(got.Outcome, behaviour.NotApplicable)
}

// Unasked is how many outcomes of a report are such: neither the ledger's nor
// deviations.
func Unasked(r *Report) (n int) {
	for _, p := range r.Profiles {
		for _, got := range p.Results {
			if unasked(p, got) {
				n++
			}
		}
	}
	return n
}

// Compare holds a report against the ledger. What was not measured, such as a
// profile that was not chosen, is left alone, and so is what a browser elsewhere
// could not be asked.
func (l *Ledger) Compare(r *Report) []Deviation {
	var all []Deviation
	for _, p := range r.Profiles {
		for _, got := range p.Results {
			want := l.find(got.Name, p.Name)
			switch {
			case unasked(p, got):
			case want == nil:
				all = append(all, Deviation{Behaviour: got.Name, Profile: p.Name, Got: got.Outcome,
					Text: fmt.Sprintf("%s on %s: %q, and the ledger %s has no line for it: add it by UPDATE=1", got.Name, p.Name, got.Outcome, filepath.Base(l.Path))})
			case want.Outcome != got.Outcome:
				all = append(all, Deviation{Behaviour: got.Name, Profile: p.Name, Got: got.Outcome, Want: want.Outcome, Line: want.line,
					Text: fmt.Sprintf("%s on %s: %q on %s, where line %d of the ledger expects %q, as measured on %s (%s): look at %s:%d",
						got.Name, p.Name, got.Outcome, p.Version.Browser, want.line, want.Outcome, want.Measured, want.Source, l.Path, want.line)})
			}
		}
	}
	return all
}

// Update writes what was measured into the ledger, in the order of the table.
// A line whose outcome stands is left as it is, and so are lines of profiles
// that were not measured; those of behaviours that are no more go.
func (l *Ledger) Update(r *Report) error {
	var out bytes.Buffer
	write := func(e Entry) error {
		enc := json.NewEncoder(&out)
		enc.SetEscapeHTML(false)
		return enc.Encode(e)
	}
	for _, what := range r.Behaviours {
		for _, name := range columns() {
			old := l.find(what.Name, name)
			got, on, measured := r.result(what.Name, name)
			switch {
			case old != nil && (!measured || got.Outcome == old.Outcome):
				if err := write(*old); err != nil {
					return err
				}
			case measured:
				e := Entry{Behaviour: what.Name, Profile: name, Outcome: got.Outcome, Measured: on, Source: what.Source}
				if old != nil {
					e.Source = old.Source
				}
				if err := write(e); err != nil {
					return err
				}
			}
		}
	}
	if err := os.WriteFile(l.Path, out.Bytes(), 0o644); err != nil {
		return fmt.Errorf("write the ledger: %w", err)
	}
	return nil
}

// columns are the names of every profile, in the order of the table.
func columns() []string {
	var names []string
	for _, p := range browser.Profiles() {
		names = append(names, p.Name)
	}
	return names
}

// result is a cell of the table and, with it, what it was measured on.
func (r *Report) result(behaviour, profile string) (got Result, on string, found bool) {
	for _, p := range r.Profiles {
		if p.Name == profile {
			got, found = p.Find(behaviour)
			return got, p.Version.Browser, found && !unasked(p, got)
		}
	}
	return got, "", false
}
