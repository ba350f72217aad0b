package reports

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/onsi/ginkgo/v2/reporters"
	"github.com/onsi/ginkgo/v2/types"

	"crossing/harness/headroom"
)

// Saved is a run that was read back, and the folder that its files stand in.
type Saved struct {
	Run
	Path, Folder string
}

// Load reads a run.json, or that of a folder.
func Load(path string) (Saved, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, RunFile)
	}
	s := Saved{Path: path, Folder: filepath.Dir(path)}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, fmt.Errorf("%s does not exist; name a run.json that a run wrote, or its folder", path)
	}
	if err != nil {
		return s, fmt.Errorf("read a saved run: %w", err)
	}
	var head struct {
		Version *int             `json:"version"`
		Specs   *json.RawMessage `json:"specs"`
	}
	if err := json.Unmarshal(data, &head); err != nil || head.Version == nil || head.Specs == nil {
		return s, fmt.Errorf("%s is no run.json that a run wrote; name one, or its folder", path)
	}
	if *head.Version != Version {
		return s, fmt.Errorf("%s has version %d of run.json, and this command reads %d; use the Crossing that wrote it", path, *head.Version, Version)
	}
	if err := json.Unmarshal(data, &s.Run); err != nil {
		return s, fmt.Errorf("read %s: %w", path, err)
	}
	// Results come from other machines: no name in them may lead elsewhere.
	for _, name := range s.files() {
		if !filepath.IsLocal(name) {
			return s, fmt.Errorf("%s names a file %q outside its own folder; no run has written that", path, name)
		}
	}
	return s, nil
}

// files are the names of all that stands beside a run.json.
func (r *Run) files() []string {
	var all []string
	for _, s := range r.Specs {
		all = append(all, s.Traces...)
	}
	for _, d := range r.Diagnoses {
		all = append(all, d.Trace)
		if d.Screenshot != "" {
			all = append(all, d.Screenshot)
		}
		for _, s := range d.Steps {
			if s.Screenshot != "" {
				all = append(all, s.Screenshot)
			}
		}
	}
	return all
}

// Merge makes one run of several, such as the shards of one, and puts all of
// their files into folder, which is empty. Runs of different applications or
// sources are an error: one verdict cannot be given on them. Of times, the
// longest counts, since shards run side by side.
func Merge(all []Saved, folder string) (Run, error) {
	if err := alike(all); err != nil {
		return Run{}, err
	}
	if err := complete(all); err != nil {
		return Run{}, err
	}
	merged := all[0].Run
	merged.Shard = nil
	merged.Specs, merged.Diagnoses, merged.Profiles, merged.Waits, merged.Headroom = nil, nil, nil, nil, nil
	merged.People = People{}
	taken := map[string]bool{}
	for i, s := range all {
		moved, err := s.move(folder, i, taken)
		if err != nil {
			return Run{}, err
		}
		merged.take(moved)
	}
	if err := mergeGinkgo(all, folder); err != nil {
		return Run{}, err
	}
	return merged, merged.Write(filepath.Join(folder, RunFile))
}

// key names a spec as no other is named.
func (s Spec) key() string {
	return strings.Join([]string{s.Suite, s.Behaviour, s.Profile, s.Text}, " · ")
}

// take adds another run's results.
func (r *Run) take(o Run) {
	r.align(&o)
	for _, s := range o.Specs {
		at := slices.IndexFunc(r.Specs, func(t Spec) bool { return t.key() == s.key() && s.Profile == everyProfile })
		switch {
		case at < 0:
			r.Specs = append(r.Specs, s)
		case s.red(): // a pass elsewhere does not undo it
			r.Specs[at] = s
		}
	}
	r.Diagnoses = append(r.Diagnoses, o.Diagnoses...)
	for _, p := range o.Profiles {
		if !slices.ContainsFunc(r.Profiles, func(q Profile) bool { return q.Name == p.Name }) {
			r.Profiles = append(r.Profiles, p)
		}
	}
	r.count()
	r.Waits = append(r.Waits, o.Waits...)
	r.People.add(o.People)
	r.Headroom = headroom.Merge(r.Headroom, o.Headroom)
	r.Passed = r.Passed && o.Passed
	if o.Started.Before(r.Started) {
		r.Started = o.Started
	}
	t, u := &r.Timings, o.Timings
	t.Setup, t.Compile, t.StackReady = max(t.Setup, u.Setup), max(t.Compile, u.Compile), max(t.StackReady, u.StackReady)
	t.Specs, t.Total = max(t.Specs, u.Specs), max(t.Total, u.Total)
}

// align makes the letters of both stand for the same earlier runs.
func (r *Run) align(o *Run) {
	runs := slices.Clone(r.Earlier)
	for _, p := range o.Earlier {
		if !slices.Contains(runs, p) {
			runs = append(runs, p)
		}
	}
	slices.SortStableFunc(runs, func(a, b Past) int { return a.Started.Compare(b.Started) })
	for _, one := range []*Run{r, o} {
		for i := range one.Specs {
			was := map[time.Time]rune{}
			for n, letter := range one.Specs[i].Earlier {
				was[one.Earlier[n].Started] = letter
			}
			if len(was) > 0 {
				one.Specs[i].Earlier = letters(runs, was)
			}
		}
		one.Earlier = runs
	}
}

// alike says why runs cannot be merged.
func alike(all []Saved) error {
	first := all[0]
	for _, s := range all[1:] {
		for _, c := range []struct{ what, a, b string }{
			{"applications", first.Target.Name, s.Target.Name}, {"commits", first.Commit, s.Commit},
		} {
			if c.a != c.b {
				return fmt.Errorf("%s and %s are runs of different %s (%s and %s); name those of one", first.Path, s.Path, c.what, c.a, c.b)
			}
		}
	}
	seen := map[string]string{}
	for _, s := range all {
		for _, spec := range s.Specs {
			// What concerns no browser is run by every job of a matrix.
			if spec.Behaviour == setUp || spec.Behaviour == setDown || spec.Profile == everyProfile {
				continue
			}
			key := spec.key()
			if was, found := seen[key]; found && was != s.Path {
				return fmt.Errorf("%s and %s have both run %q; name runs of different specs, such as the shards of one", was, s.Path, key)
			}
			seen[key] = s.Path
		}
	}
	return nil
}

// move copies the traces and screenshots of a run into folder, under names
// that no other has taken, and returns the run with these.
func (s Saved) move(folder string, i int, taken map[string]bool) (Run, error) {
	names := map[string]string{}
	move := func(path string) (string, error) {
		if path == "" || names[path] != "" {
			return names[path], nil
		}
		to := path
		if taken[to] {
			to = filepath.Join(filepath.Dir(path), fmt.Sprintf("%d-%s", i+1, filepath.Base(path)))
		}
		taken[to], names[path] = true, to
		return to, copyFile(filepath.Join(s.Folder, path), filepath.Join(folder, to))
	}
	r := s.Run
	r.Specs, r.Diagnoses = slices.Clone(r.Specs), slices.Clone(r.Diagnoses)
	var err error
	for n := range r.Specs {
		r.Specs[n].Traces = slices.Clone(r.Specs[n].Traces)
		for m, path := range r.Specs[n].Traces {
			if r.Specs[n].Traces[m], err = move(path); err != nil {
				return r, err
			}
		}
	}
	for n := range r.Diagnoses {
		d := &r.Diagnoses[n]
		if d.Trace, err = move(d.Trace); err != nil {
			return r, err
		}
		if d.Screenshot, err = move(d.Screenshot); err != nil {
			return r, err
		}
		d.Steps = slices.Clone(d.Steps)
		for m := range d.Steps {
			if d.Steps[m].Screenshot, err = move(d.Steps[m].Screenshot); err != nil {
				return r, err
			}
		}
	}
	return r, nil
}

// copyFile copies a file of saved results; one that is missing is said on the
// page.
func copyFile(from, to string) error {
	data, err := os.ReadFile(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read saved results: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o644)
}

// mergeGinkgo makes one report.json and one junit.xml.
func mergeGinkgo(all []Saved, folder string) error {
	var suites []types.Report
	for _, s := range all {
		data, err := os.ReadFile(filepath.Join(s.Folder, "report.json"))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		var some []types.Report
		if err := json.Unmarshal(data, &some); err != nil {
			return fmt.Errorf("read the report.json beside %s: %w", s.Path, err)
		}
		suites = append(suites, some...)
	}
	if len(suites) == 0 {
		return nil
	}
	if err := save(filepath.Join(folder, "report.json"), suites); err != nil {
		return err
	}
	var parts []string
	for i, suite := range suites {
		part := filepath.Join(folder, fmt.Sprintf("junit-%d.xml", i))
		if err := reporters.GenerateJUnitReport(suite, part); err != nil {
			return fmt.Errorf("write junit.xml: %w", err)
		}
		parts = append(parts, part)
	}
	messages, err := reporters.MergeAndCleanupJUnitReports(parts, filepath.Join(folder, "junit.xml"))
	if err != nil || len(messages) > 0 {
		return fmt.Errorf("write junit.xml: %w %s", err, strings.Join(messages, "; "))
	}
	return nil
}
