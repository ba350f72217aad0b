package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"

	"crossing/reports"
)

// flakeCommand runs the same specs again and again, until they fail.
type flakeCommand struct {
	choices
	N       int    `env:"N" default:"10" placeholder:"N" help:"Runs at most, each in another random order; the first that fails is the last."`
	Load    int    `env:"LOAD" default:"-1" placeholder:"N" help:"Processors to keep busy meanwhile; default: as many as this machine has; 0: none."`
	Suite   string `env:"SUITE" default:"session" placeholder:"NAME" help:"The suite."`
	One     string `env:"ONE" placeholder:"WHAT" help:"Only the specs of a file (persistence_test.go), or those whose text holds WHAT."`
	Procs   int    `env:"PROCS" default:"0" placeholder:"N" help:"Processes to run specs in; 0: what the suite is fastest with on two cores."`
	Out     string `env:"OUT" default:"reports/out" placeholder:"DIR" help:"Where reports are written: those of the last run stay."`
	Timeout string `env:"TIMEOUT" default:"20m" placeholder:"DURATION" help:"Limit of each run."`
	History string `env:"HISTORY" placeholder:"FILE" help:"Where runs are remembered; default: .crossing/history.jsonl."`
}

// mostLoad is more than any machine can be kept busy with.
const mostLoad = 1024

// Run is kong's entry.
func (c *flakeCommand) Run(ctx context.Context) error {
	if c.N < 1 {
		return fmt.Errorf("N=%d: write how many runs there may be, 1 or more", c.N)
	}
	if c.Load < -1 || c.Load > mostLoad {
		return fmt.Errorf("LOAD=%d: write how many processors to keep busy, 0 to %d", c.Load, mostLoad)
	}
	if c.Load < 0 {
		c.Load = runtime.NumCPU()
	}
	defer busy(ctx, c.Load)()
	var seen flakes
	for i := 1; i <= c.N; i++ {
		fmt.Printf("\n== run %d of %d, %d processors kept busy\n", i, c.N, c.Load)
		one := runCommand{choices: c.choices, Suite: c.Suite, One: c.One, Procs: c.Procs, Out: c.Out, Timeout: c.Timeout, History: c.History, N: 1}
		ran := one.Run(ctx)
		if ran != nil && !errors.Is(ran, errFailed) {
			return ran // it could not be judged
		}
		saved, err := reports.Load(c.Out)
		if err != nil {
			return err
		}
		seen.add(&saved.Run)
		if ran != nil {
			fmt.Print("\n" + seen.String())
			return errFailed
		}
	}
	fmt.Print("\n" + seen.String())
	return nil
}

// busy keeps so many processors at work until it is told to stop.
func busy(ctx context.Context, n int) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			for ctx.Err() == nil {
				for i := range 1 << 16 {
					_ = i * i
				}
			}
		})
	}
	return func() { cancel(); all.Wait() }
}

// flakes count how often what has failed, over several runs.
type flakes struct {
	runs, failed int
	ran          map[string]int
	names        []string
	fell         map[string]int
	seed         int64
	again        map[string]string
}

func (f *flakes) add(r *reports.Run) {
	if f.ran == nil {
		f.ran, f.fell, f.again = map[string]int{}, map[string]int{}, map[string]string{}
	}
	f.runs++
	if !r.Passed {
		f.failed++
		f.seed = r.Seed
	}
	for _, s := range r.Specs {
		held := s.State == reports.Quarantined && s.Quarantine.Outcome == reports.Failed
		if s.State != reports.Passed && s.State != reports.Failed && s.State != reports.Quarantined {
			continue
		}
		name := fmt.Sprintf("%s · %s · %s", s.Profile, s.Behaviour, s.Text)
		if !slices.Contains(f.names, name) {
			f.names = append(f.names, name)
		}
		f.ran[name]++
		if s.State == reports.Failed || held {
			f.fell[name]++
			f.again[name] = s.Reproduce
		}
	}
}

// String says how often what failed.
func (f *flakes) String() string {
	var b strings.Builder
	if f.failed == 0 {
		fmt.Fprintf(&b, "NO FLAKE: %d runs, each in another order, and none failed\n", f.runs)
	} else {
		fmt.Fprintf(&b, "FAILED: run %d of %d, whose seed was %d\n", f.runs, f.runs, f.seed)
	}
	for _, name := range f.names {
		if f.fell[name] > 0 {
			fmt.Fprintf(&b, "  ✗ %d of %d: %s\n    again: %s\n", f.fell[name], f.ran[name], name, f.again[name])
		}
	}
	return b.String()
}
