package reports

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
	"time"
)

// Past is an earlier run.
type Past struct {
	Started time.Time `json:"started"`
	Commit  string    `json:"commit,omitempty"`
	Seed    int64     `json:"seed"`
	Runtime string    `json:"runtime"`
}

// record is a line of the history: one spec of one run.
type record struct {
	Past
	Target    string  `json:"target"`
	Suite     string  `json:"suite"`
	Behaviour string  `json:"behaviour"`
	Profile   string  `json:"profile"`
	Text      string  `json:"text"`
	Outcome   string  `json:"outcome"`
	Seconds   float64 `json:"seconds"`
}

// Bounds of the history: runs that its file keeps, and those that run.json and
// the page tell of.
const (
	mostKept  = 100
	mostShown = 20
)

// The letters that stand for what became of a spec in an earlier run.
const (
	letterPassed = 'p'
	letterFailed = 'f'
	letterNot    = 'n' // not applicable, or not run
	letterHeld   = 'q' // failed in quarantine
	letterFree   = 'Q' // passed in quarantine
	letterNone   = '-' // it was no part of that run
)

func (s Spec) letter() rune {
	switch {
	case s.Quarantine != nil && s.Quarantine.Outcome == Failed:
		return letterHeld
	case s.Quarantine != nil:
		return letterFree
	case s.State == Passed:
		return letterPassed
	case s.State == Failed:
		return letterFailed
	}
	return letterNot
}

// Recall reads the history of a file, which need not exist, and tells each spec
// what became of it before. A spec whose quarantine is over fails the run then.
func (r *Run) Recall(path string) error {
	all, err := readHistory(path)
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(one record) bool { return one.Target != r.Target.Name || !one.Started.Before(r.Started) })
	runs, by := sorted(all)
	r.Earlier = slices.Clone(runs[max(0, len(runs)-mostShown):])
	for i := range r.Specs {
		s := &r.Specs[i]
		was := letters(runs, by[s.key()])
		s.Earlier = was[max(0, len(was)-mostShown):]
		if strings.Trim(s.Earlier, string(letterNone)) == "" {
			s.Earlier = ""
		}
		if q := s.Quarantine; q != nil && q.Outcome == Passed {
			seen := strings.ReplaceAll(was, string(letterNone), "")
			q.Streak = 1 + len(seen) - len(strings.TrimRight(seen, string(letterFree)))
		}
	}
	r.release()
	return nil
}

// sorted returns the runs, the oldest first, and each spec's letters by run.
func sorted(all []record) ([]Past, map[string]map[time.Time]rune) {
	var runs []Past
	by := map[string]map[time.Time]rune{}
	for _, one := range all {
		if !slices.Contains(runs, one.Past) {
			runs = append(runs, one.Past)
		}
		key := Spec{Suite: one.Suite, Behaviour: one.Behaviour, Profile: one.Profile, Text: one.Text}.key()
		if by[key] == nil {
			by[key] = map[time.Time]rune{}
		}
		by[key][one.Started] = []rune(one.Outcome + string(letterNone))[0]
	}
	slices.SortStableFunc(runs, func(a, b Past) int { return a.Started.Compare(b.Started) })
	return runs, by
}

func letters(runs []Past, of map[time.Time]rune) string {
	var b strings.Builder
	for _, run := range runs {
		letter, ran := of[run.Started]
		if !ran {
			letter = letterNone
		}
		b.WriteRune(letter)
	}
	return b.String()
}

func readHistory(path string) ([]record, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("HISTORY=%s cannot be read (%w); name a file", path, err)
	}
	var all []record
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		var one record
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil || one.Started.IsZero() || len(one.Outcome) != 1 {
			return nil, fmt.Errorf("HISTORY=%s: line %d is not a spec's line as a run writes it; remove the line, or name another file", path, n)
		}
		all = append(all, one)
	}
	return all, lines.Err()
}

// Remember adds the run to the history of a file. Runs that are too old leave
// it; whoever calls keeps others from writing meanwhile.
func (r *Run) Remember(path string) error {
	all, err := readHistory(path)
	if err != nil {
		return err
	}
	self := Past{Started: r.Started, Commit: r.Commit, Seed: r.Seed, Runtime: r.Runtime}
	for _, s := range r.Specs {
		all = append(all, record{Past: self, Target: r.Target.Name, Suite: s.Suite, Behaviour: s.Behaviour, Profile: s.Profile, Text: s.Text, Outcome: string(s.letter()), Seconds: s.Seconds})
	}
	if runs, _ := sorted(all); len(runs) > mostKept {
		oldest := runs[len(runs)-mostKept].Started
		all = slices.DeleteFunc(all, func(one record) bool { return one.Started.Before(oldest) })
	}
	var out bytes.Buffer
	write := json.NewEncoder(&out)
	for _, one := range all {
		if err := write.Encode(one); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("HISTORY=%s: %w", path, err)
	}
	// Moved into place: a run that is killed leaves the history whole.
	aside := path + ".new"
	if err := os.WriteFile(aside, out.Bytes(), 0o644); err != nil {
		return fmt.Errorf("HISTORY=%s: %w", path, err)
	}
	return os.Rename(aside, path)
}

// Rate is how often specs of a profile have failed, in the earlier runs and
// this one.
type Rate struct {
	Profile     string
	Failed, Ran int
	// Flaky are the specs that both passed and failed, the most often first.
	Flaky []Flaky
}

// Percent of the specs that ran failed.
func (r Rate) Percent() string { return fmt.Sprintf("%.1f %%", 100*float64(r.Failed)/float64(r.Ran)) }

// First are the n that failed most often.
func (r Rate) First(n int) []Flaky { return r.Flaky[:min(len(r.Flaky), n)] }

// Flaky is a spec that both passed and failed.
type Flaky struct {
	Spec        Spec
	Failed, Ran int
}

// Rates are counted over what Recall has told.
func (r *Run) Rates() []Rate {
	var all []Rate
	for _, s := range r.Specs {
		failed, ran := s.rate()
		if ran == 0 {
			continue
		}
		at := slices.IndexFunc(all, func(one Rate) bool { return one.Profile == s.Profile })
		if at < 0 {
			at = len(all)
			all = append(all, Rate{Profile: s.Profile})
		}
		all[at].Failed += failed
		all[at].Ran += ran
		if failed > 0 && failed < ran {
			all[at].Flaky = append(all[at].Flaky, Flaky{s, failed, ran})
		}
	}
	for _, one := range all {
		slices.SortStableFunc(one.Flaky, func(a, b Flaky) int { return b.Failed*a.Ran - a.Failed*b.Ran })
	}
	slices.SortFunc(all, func(a, b Rate) int { return strings.Compare(a.Profile, b.Profile) })
	return all
}

func (s Spec) rate() (failed, ran int) {
	for _, letter := range s.Earlier + string(s.letter()) {
		switch letter {
		case letterFailed, letterHeld:
			failed++
			ran++
		case letterPassed, letterFree:
			ran++
		}
	}
	return failed, ran
}

// Green is the last run in which nothing failed and every spec that fails now
// has passed, and how many runs there were since; false: none is remembered.
func (r *Run) Green() (green Past, since int, found bool) {
	for i := len(r.Earlier) - 1; i >= 0; i-- {
		good := true
		for _, s := range r.Specs {
			was := letterNone
			if i < len(s.Earlier) {
				was = rune(s.Earlier[i])
			}
			good = good && was != letterFailed && (s.State != Failed || was == letterPassed || was == letterFree)
		}
		if good {
			return r.Earlier[i], len(r.Earlier) - 1 - i, true
		}
	}
	return Past{}, 0, false
}

// New are the specs that fail now and did not when they last ran.
func (r *Run) New() []Spec {
	return slices.DeleteFunc(slices.Clone(r.Specs), func(s Spec) bool {
		seen := strings.Trim(s.Earlier, string(letterNone))
		return s.State != Failed || len(seen) == 0 || seen[len(seen)-1] == letterFailed
	})
}
