package reports

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/onsi/ginkgo/v2/types"
)

// inapplicable begins the message of a spec that measuring found to have no
// meaning on its profile; package rig writes it.
const inapplicable = "not applicable: "

// unjudged begins the message of a run that was given up because this machine
// keeps it from being judged; package rig writes it.
const unjudged = "could not be judged: "

// everyProfile is the profile of specs that concern no browser.
const everyProfile = "all"

// Behaviours that stand for what happens around a suite's specs.
const (
	setUp   = "set-up of the suite"
	setDown = "taking the suite down"
)

func aroundSuite(node types.NodeType) string {
	if node.Is(types.NodeTypeBeforeSuite | types.NodeTypeSynchronizedBeforeSuite) {
		return setUp
	}
	return setDown
}

// Read takes the specs out of Ginkgo's JSON report. reproduce is the command
// that runs as this run did.
func (r *Run) Read(path, reproduce string, suites ...string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var all []types.Report
	if err := json.Unmarshal(data, &all); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	for _, name := range suites {
		if !slices.ContainsFunc(all, func(one types.Report) bool { return one.SuiteDescription == name }) {
			return fmt.Errorf("%s holds nothing of suite %s", path, name)
		}
	}
	r.Passed = len(all) > 0
	for _, suite := range all {
		r.Passed = r.Passed && succeeded(suite)
		for _, s := range suite.SpecReports {
			if why, gaveUp := strings.CutPrefix(s.Failure.Message, unjudged); gaveUp && s.State == types.SpecStateAborted && r.Unjudged == "" {
				r.Unjudged = why
			}
			if spec, counted := r.read(suite.SuiteDescription, s, reproduce); counted {
				r.Specs = append(r.Specs, spec)
			}
		}
	}
	r.count()
	// A run that chose nothing has shown nothing.
	r.Passed = r.Passed && r.Counts.Passed > 0
	r.notBegun()
	return nil
}

// notBegun tells a set-up that failed before any spec could say something.
func (r *Run) notBegun() {
	for _, s := range r.Specs {
		switch {
		case s.Behaviour != setUp && s.Behaviour != setDown && (s.State == Passed || s.State == Failed || s.State == Quarantined):
			r.NotBegun = ""
			return
		case s.Behaviour == setUp && s.State == Failed && r.NotBegun == "":
			r.NotBegun = s.Message
		}
	}
}

// succeeded says whether nothing but specs in quarantine has failed.
func succeeded(suite types.Report) bool {
	if suite.SuiteSucceeded || len(suite.SpecialSuiteFailureReasons) > 0 {
		return suite.SuiteSucceeded
	}
	failed := 0
	for _, s := range suite.SpecReports {
		if !s.State.Is(types.SpecStateFailureStates) {
			continue
		}
		failed++
		if known, _ := quarantineOf(s.Labels()); known == nil || s.State.Is(types.SpecStateAborted|types.SpecStateInterrupted) {
			return false
		}
	}
	return failed > 0
}

// count sums the states up.
func (r *Run) count() {
	r.Counts = Counts{}
	for _, s := range r.Specs {
		r.Counts.add(s.State)
	}
}

func (c *Counts) add(s State) {
	switch s {
	case Passed:
		c.Passed++
	case Failed:
		c.Failed++
	case NotApplicable:
		c.NotApplicable++
	case NotRun:
		c.NotRun++
	case Quarantined:
		c.Quarantined++
	case Infrastructure:
		c.Infrastructure++
	}
}

// place is a file and a line, the file below the sources' folder where it is.
func (r *Run) place(l types.CodeLocation) string {
	if below, err := filepath.Rel(r.Root, l.FileName); r.Root != "" && err == nil && filepath.IsLocal(below) {
		l.FileName = filepath.ToSlash(below)
	}
	return l.String()
}

// read makes a Spec; false for what the command line filtered out, and for
// nodes around specs that went well.
func (r *Run) read(suite string, s types.SpecReport, reproduce string) (Spec, bool) {
	spec := Spec{Suite: suite, Text: s.LeafNodeText, Seconds: s.RunTime.Seconds(), Message: s.Failure.Message}
	isSpec := s.LeafNodeType == types.NodeTypeIt
	switch {
	case s.State == types.SpecStatePassed && isSpec:
		spec.State = Passed
	case s.State.Is(types.SpecStateFailureStates):
		spec.State = Failed
	case s.State == types.SpecStateSkipped && strings.HasPrefix(s.Failure.Message, inapplicable):
		spec.State, spec.Message = NotApplicable, strings.TrimPrefix(s.Failure.Message, inapplicable)
	case s.State == types.SpecStateSkipped && s.Failure.Message != "":
		spec.State = NotRun
	default:
		return spec, false
	}
	// Ginkgo labels what must run alone, too.
	labels := slices.DeleteFunc(s.Labels(), func(label string) bool { return label == "Serial" })
	spec.Quarantine, labels = quarantineOf(labels)
	spec.Profile = everyProfile // it concerns no browser
	if len(labels) == 1 {
		spec.Profile = labels[0]
	}
	if len(s.ContainerHierarchyTexts) > 0 {
		spec.Behaviour = s.ContainerHierarchyTexts[0]
	}
	if !isSpec {
		spec.Behaviour, spec.Text = aroundSuite(s.LeafNodeType), s.LeafNodeType.String()
	}
	if isSpec && s.LeafNodeLocation.FileName != "" {
		spec.Line = r.place(s.LeafNodeLocation)
	}
	if spec.State == Failed {
		spec.Where = r.place(s.Failure.Location)
		spec.Reproduce = reproduce
		if isSpec {
			spec.Reproduce += fmt.Sprintf(" ENGINE=%s ONE='%s'", spec.Profile, strings.ReplaceAll(s.FullText(), "'", `'\''`))
		}
		for _, extra := range s.AdditionalFailures {
			spec.Message += "\n" + extra.Failure.Message
		}
	}
	for _, entry := range s.ReportEntries {
		switch text := entry.StringRepresentation(); {
		case entry.Name == "trace":
			spec.Traces = append(spec.Traces, text)
		case entry.Name == "diagnosis" && !strings.Contains(spec.Message, text):
			// The spec ended by a time-out, whose message cannot hold it.
			spec.Message = text + "\n\n" + spec.Message
		}
	}
	if spec.Quarantine != nil {
		spec.apart()
	}
	return spec, true
}
