package rig

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"crossing/harness/browser"
	"crossing/harness/headroom"
	"crossing/harness/journey"
	"crossing/harness/stack"
	"crossing/harness/stack/owner"
	"crossing/harness/trace"
	"crossing/reports"
)

// facts are what this process learnt for run.json.
type facts struct {
	rig *Rig

	mu   sync.Mutex
	part reports.Part
}

func newFacts(r *Rig) *facts { return &facts{rig: r, part: reports.Part{Suite: r.name}} }

func (f *facts) change(what func(p *reports.Part)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	what(&f.part)
}

func (f *facts) stack(runtime string, took time.Duration) {
	f.change(func(p *reports.Part) { p.Runtime, p.StackReady = runtime, took.Seconds() })
}

func (f *facts) profile(b browser.Browser, c trace.Capability) {
	f.change(func(p *reports.Part) {
		p.Profiles = append(p.Profiles, reports.Profile{Profile: b.Profile(), Version: b.Version(), Capability: c})
	})
}

func (f *facts) diagnosis(d reports.Diagnosis) {
	d.Spec = CurrentSpecReport().FullText()
	f.change(func(p *reports.Part) {
		p.Diagnoses = append(p.Diagnoses, d)
	})
}

// waited notes how long a person waited; a budget of 0 judges nothing.
func (f *facts) waited(w journey.Waits, budget time.Duration) {
	wait := reports.Wait{Profile: w.Profile, Kind: w.Kind, Median: w.Median().Seconds(), Budget: budget.Seconds()}
	for _, s := range w.Samples {
		wait.Samples = append(wait.Samples, s.Seconds())
	}
	f.change(func(p *reports.Part) { p.Waits = append(p.Waits, wait) })
}

// room notes how much of each limit a visitor used.
func (f *facts) room(t trace.Trace) {
	f.change(func(p *reports.Part) { p.Headroom = headroom.Merge(p.Headroom, headroom.Measure(t)) })
}

// write leaves the facts for the command, which merges those of all processes.
func (f *facts) write() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.part.Write(filepath.Join(f.rig.settings.OutDir, fmt.Sprintf("part-%s-%d.json", strings.ToLower(f.rig.name), GinkgoParallelProcess())))
}

func randomise(b []byte) error {
	_, err := rand.Read(b)
	return err
}

func markerOf(r stack.Run) (name, value string) {
	name, value, _ = strings.Cut(r.Environment(), "=")
	return name, value
}

// sweepAfter removes what a command that was killed has left: its folder holds
// the run's settings.
func sweepAfter(ctx context.Context, command string) error {
	if o, ok := owner.Parse(command); !ok || !o.Dead() {
		return nil
	}
	_, err := stack.Sweep(ctx)
	return err
}

// watchOwner interrupts this process when the one that started the run has
// died: then the suite ends as on Ctrl-C, and everything is taken down.
func watchOwner(text string) {
	if text == "" {
		return
	}
	command, ok := owner.Parse(text)
	Expect(ok).To(BeTrue(), "the run's settings name its owner as %q", text)
	go func() {
		for range time.Tick(250 * time.Millisecond) {
			if command.Dead() {
				_ = syscall.Kill(os.Getpid(), syscall.SIGINT)
				return
			}
		}
	}()
}
