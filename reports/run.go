// Package reports is what a run leaves behind for people and programs, beside
// what Ginkgo itself writes: run.json, and the verdict that a terminal shows.
// It reads results; it judges nothing.
package reports

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"crossing/harness/browser"
	"crossing/harness/diagnose"
	"crossing/harness/headroom"
	"crossing/harness/trace"
)

// Version is the version of run.json's format.
const Version = 1

// RunFile is the name of run.json, Files are the names of all that a run
// leaves: reports in a folder are replaced by these names, and nothing else.
const RunFile = "run.json"

// The pages for people.
const (
	PageFile    = "index.html"
	SummaryFile = "summary.md"
	ChatFile    = "chat.txt"
)

// Files see RunFile.
var Files = []string{RunFile, "report.json", "junit.xml", PageFile, SummaryFile, ChatFile, "traces", "screenshots"}

// Run is run.json.
type Run struct {
	Version int `json:"version"`
	// Target is the application's name, its origins and its file.
	Target Target `json:"target"`
	// Runtime is "containers", "processes" or "remote", and Why says how it
	// came to be chosen.
	Runtime string    `json:"runtime"`
	Why     string    `json:"why"`
	Started time.Time `json:"started"`
	// Seed of the random order.
	Seed int64 `json:"seed"`
	// Shard is set where the run was one of several.
	Shard *Shard `json:"shard,omitempty"`
	// Commit of the sources that ran; a "+" follows it where tracked files
	// differed from it. Empty where they are no git checkout.
	Commit string `json:"commit,omitempty"`
	// Versions of what the run was made with, browsers aside.
	Versions []Tool  `json:"versions"`
	Timings  Timings `json:"timings"`
	// Profiles that ran, with exact versions and measured capabilities.
	Profiles  []Profile   `json:"profiles"`
	Specs     []Spec      `json:"specs"`
	Diagnoses []Diagnosis `json:"diagnoses"`
	// Earlier are the runs before this one that the history tells of, the
	// oldest first.
	Earlier []Past `json:"earlier,omitempty"`
	// Waits are how long a person waited, by profile and kind.
	Waits []Wait `json:"waits"`
	// Headroom is how much of each limit cookies and headers used at most, of
	// all visitors.
	Headroom []headroom.Use `json:"headroom"`
	// People are those whom the run signed up where they stay: on a deployment.
	People People `json:"people"`
	Counts Counts `json:"counts"`
	// Passed: at least one spec passed, and nothing failed.
	Passed bool `json:"passed"`
	// Root is the folder of the sources: paths below it are written without it.
	Root string `json:"-"`
	// NotBegun is why no spec could run, such as a stack that did not start;
	// such a run is never written.
	NotBegun string `json:"-"`
	// Unjudged is why the run was given up, such as a browser that crashed;
	// such a run is never written.
	Unjudged string `json:"-"`
}

// Tool is something that a run was made with.
type Tool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// Target is the application that was run.
type Target struct {
	Name    string        `json:"name"`
	Config  string        `json:"config"`
	Origins trace.Origins `json:"origins"`
}

// Timings are in seconds.
type Timings struct {
	Setup      float64 `json:"setup"`
	Compile    float64 `json:"compile"`
	StackReady float64 `json:"stackReady"`
	Specs      float64 `json:"specs"`
	Total      float64 `json:"total"`
}

// Profile is a profile as it was measured.
type Profile struct {
	browser.Profile
	Version    browser.Version  `json:"version"`
	Capability trace.Capability `json:"capability"`
}

// Spec is one result.
type Spec struct {
	Suite     string  `json:"suite"`
	Behaviour string  `json:"behaviour"`
	Profile   string  `json:"profile"`
	Text      string  `json:"text"`
	State     State   `json:"state"`
	Seconds   float64 `json:"seconds"`
	Message   string  `json:"message,omitempty"`
	// Where it failed, Line where the spec stands: file and line.
	Where     string   `json:"where,omitempty"`
	Line      string   `json:"line,omitempty"`
	Reproduce string   `json:"reproduce,omitempty"`
	Traces    []string `json:"traces,omitempty"`
	// Earlier has a letter for each of the run's Earlier: p passed, f failed,
	// n not applicable or not run, q and Q failed and passed in quarantine,
	// - no part of it. Empty where it was never seen before.
	Earlier string `json:"earlier,omitempty"`
	// Quarantine is that of a spec whose failures are known.
	Quarantine *Quarantine `json:"quarantine,omitempty"`
}

// State of a spec.
type State string

// The states. A spec that measuring found not applicable is never a pass.
const (
	Passed        State = "passed"
	Failed        State = "failed"
	NotApplicable State = "not applicable"
	NotRun        State = "not run"
	// Quarantined specs ran, and decide nothing.
	Quarantined State = "quarantined"
	// Infrastructure: the platform answered in the application's place.
	Infrastructure State = "infrastructure"
)

// Counts of specs by state.
type Counts struct {
	Passed        int `json:"passed"`
	Failed        int `json:"failed"`
	NotApplicable int `json:"notApplicable"`
	NotRun        int `json:"notRun"`
	Quarantined   int `json:"quarantined"`
	// Infrastructure are those that the platform kept from being judged.
	Infrastructure int `json:"infrastructure"`
}

// People are how many were signed up, and how many of them were removed again.
// Left are the addresses of the others. CameAgain counts the visits of those who
// had been signed up for an earlier spec.
type People struct {
	SignedUp  int      `json:"signedUp"`
	Removed   int      `json:"removed"`
	CameAgain int      `json:"cameAgain,omitempty"`
	Left      []string `json:"left,omitempty"`
}

func (p *People) add(o People) {
	p.SignedUp += o.SignedUp
	p.Removed += o.Removed
	p.CameAgain += o.CameAgain
	p.Left = append(p.Left, o.Left...)
}

// Wait is how long a person waited on a profile, in seconds, as their page timed
// it.
type Wait struct {
	Profile string `json:"profile"`
	// Kind is "sign-in" or "reload": what the wait begins with.
	Kind    string    `json:"kind"`
	Median  float64   `json:"median"`
	Samples []float64 `json:"samples"`
	// Budget is the contract's; 0: the wait was not judged.
	Budget float64 `json:"budget"`
}

// Diagnosis is one visitor's, of a spec that failed.
type Diagnosis struct {
	Spec    string `json:"spec"`
	Visitor string `json:"visitor"`
	Profile string `json:"profile"`
	// Trace is the path of the trace, beside run.json.
	Trace string `json:"trace"`
	// Screenshot is that of the page when the spec failed; "" where none could
	// be taken.
	Screenshot string `json:"screenshot,omitempty"`
	// Steps are what was seen after each step of the journey.
	Steps []Seen `json:"steps,omitempty"`
	// Sentence is the diagnosis in one sentence.
	Sentence string `json:"sentence"`
	diagnose.Diagnosis
}

// Seen is what a visitor's browser showed and kept once a step was over.
type Seen struct {
	Step string    `json:"step"`
	Time time.Time `json:"time"`
	// Screenshot is the path of the picture; "" where there is none, and Note
	// says why.
	Screenshot string `json:"screenshot,omitempty"`
	Note       string `json:"note,omitempty"`
	// Scope and Cookies are the jar's: see trace.Jar.
	Scope   string         `json:"scope,omitempty"`
	Cookies []trace.Cookie `json:"cookies,omitempty"`
}

// Part is what one process of a run learnt.
type Part struct {
	Suite      string         `json:"suite"`
	Runtime    string         `json:"runtime,omitempty"`
	StackReady float64        `json:"stackReady,omitempty"`
	Profiles   []Profile      `json:"profiles"`
	Diagnoses  []Diagnosis    `json:"diagnoses"`
	People     People         `json:"people"`
	Waits      []Wait         `json:"waits"`
	Headroom   []headroom.Use `json:"headroom"`
}

// Write saves the part.
func (p Part) Write(path string) error { return save(path, p) }

// Write saves run.json. Its lists are lists, even if empty.
func (r Run) Write(path string) error {
	r.Versions = append([]Tool{}, r.Versions...)
	r.Profiles = append([]Profile{}, r.Profiles...)
	r.Specs = append([]Spec{}, r.Specs...)
	r.Diagnoses = append([]Diagnosis{}, r.Diagnoses...)
	r.Waits = append([]Wait{}, r.Waits...)
	r.Headroom = append([]headroom.Use{}, r.Headroom...)
	return save(path, r)
}

func save(path string, what any) error {
	data, err := json.MarshalIndent(what, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, append(data, '\n'), 0o644); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// Gather merges the parts that the processes of a run left in dir, and removes
// them.
func (r *Run) Gather(dir string) error {
	parts, err := filepath.Glob(filepath.Join(dir, "part-*.json"))
	if err != nil {
		return err
	}
	for _, path := range parts {
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var p Part
		if err := json.Unmarshal(data, &p); err != nil {
			return fmt.Errorf("read %s: %w", path, err)
		}
		r.Timings.StackReady = max(r.Timings.StackReady, p.StackReady)
		for _, profile := range p.Profiles {
			if !slices.ContainsFunc(r.Profiles, func(o Profile) bool { return o.Name == profile.Name }) {
				r.Profiles = append(r.Profiles, profile)
			}
		}
		r.Diagnoses = append(r.Diagnoses, p.Diagnoses...)
		r.Waits = append(r.Waits, p.Waits...)
		r.People.add(p.People)
		r.Headroom = headroom.Merge(r.Headroom, p.Headroom)
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	slices.SortFunc(r.Profiles, func(a, b Profile) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(r.Waits, func(a, b Wait) int {
		return strings.Compare(a.Profile+" "+a.Kind, b.Profile+" "+b.Kind)
	})
	r.setApart()
	return nil
}
