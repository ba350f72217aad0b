package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"crossing/harness/browser"
	"crossing/harness/journey"
	"crossing/harness/stack"
	"crossing/harness/target"
	"crossing/harness/trace"
	"crossing/harness/visit"
)

// benchCommand measures Crossing itself. What is compared takes turns within
// one run, so that a busy machine slows both; no number of one run is worth
// comparing with another's.
type benchCommand struct {
	choices
	Lanes  string `env:"BENCH" placeholder:"NAMES" help:"Lanes, separated by commas: stack, journey, whole, workers, edge, specs, memory, page. Default: all of them, which takes minutes."`
	Rounds int    `env:"ROUNDS" default:"5" placeholder:"N" help:"How often what is compared takes turns."`
	One    string `env:"ONE" placeholder:"WHAT" help:"Of the lane specs: only the specs of a file, or those whose text holds WHAT."`
	Out    string `env:"OUT" default:"reports/out" placeholder:"DIR" help:"Where bench.json is written."`
}

// benchFile is the name of what is written.
const benchFile = "bench.json"

// lane is one thing that is measured.
type lane struct {
	name string
	run  func(*bench, context.Context) error
}

var lanes = []lane{
	{"stack", (*bench).stackLane}, {"journey", (*bench).journeyLane}, {"whole", (*bench).wholeLane},
	{"workers", (*bench).workersLane}, {"edge", (*bench).edgeLane}, {"specs", (*bench).specsLane}, {"memory", (*bench).memoryLane}, {"page", (*bench).pageLane},
}

// benchResult is one line of the table.
type benchResult struct {
	Lane  string  `json:"lane"`
	What  string  `json:"what"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
	// Goal is the most that Value should be; absent: it is there for the
	// others to be seen by.
	Goal *float64 `json:"goal,omitempty"`
	// Of are the samples that Value is the median of.
	Of []float64 `json:"of,omitempty"`
	// Note says what the number rests on, or why there is none.
	Note string `json:"note,omitempty"`
}

// benchReport is bench.json.
type benchReport struct {
	Version int           `json:"version"`
	Started time.Time     `json:"started"`
	CPUs    int           `json:"cpus"`
	Results []benchResult `json:"results"`
}

// bench is a run of the benchmark: its own stack, edge and browsers.
type bench struct {
	command  *benchCommand
	home     checkout
	target   *target.Target
	runtime  string
	show     *progress
	stack    *stack.Stack
	run      stack.Run
	redactor *trace.Redactor
	person   journey.Person
	report   benchReport
}

// Run is kong's entry.
func (c *benchCommand) Run(ctx context.Context) (err error) {
	began := time.Now()
	b := &bench{command: c, redactor: trace.NewRedactor(nil), report: benchReport{Version: 1, Started: began.UTC(), CPUs: runtime.NumCPU()}}
	chosen, err := c.prepare(b)
	if err != nil {
		return err
	}
	b.show = newProgress(os.Stdout)
	defer b.show.Close()
	b.show.Say("Crossing · bench · %d rounds", c.Rounds)
	if b.runtime, err = ready(ctx, b.home, c.choices, b.target, []browser.Profile{browser.Chromium}, b.show); err != nil {
		return err
	}
	if err := b.up(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.down(ctx)) }()
	for _, l := range chosen {
		b.show.Begin("lane " + l.name)
		if err := l.run(b, ctx); err != nil {
			return fmt.Errorf("lane %s: %w", l.name, err)
		}
	}
	b.show.Close()
	fmt.Print(b.report.table())
	path := filepath.Join(c.Out, benchFile)
	if err := b.report.write(path); err != nil {
		return err
	}
	fmt.Printf("\n%.0f s; written to %s\n", time.Since(began).Seconds(), path)
	return nil
}

// prepare checks everything that was given.
func (c *benchCommand) prepare(b *bench) (chosen []lane, err error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if chosen, err = chooseLanes(c.Lanes); err != nil {
		return nil, err
	}
	if c.Rounds < 1 {
		return nil, fmt.Errorf("ROUNDS=%d: write how often what is compared takes turns, 1 or more", c.Rounds)
	}
	if strings.TrimSpace(c.Out) == "" {
		return nil, errors.New("OUT is empty; name a folder for bench.json, such as reports/out")
	}
	if b.home, err = findCheckout(); err != nil {
		return nil, err
	}
	if b.target, err = c.load(b.home); err != nil {
		return nil, err
	}
	if b.target.Remote() {
		return nil, fmt.Errorf("%s describes no services: bench starts some, and measures Crossing and not a deployment", b.target.Path)
	}
	return chosen, os.MkdirAll(c.Out, 0o755)
}

func chooseLanes(names string) ([]lane, error) {
	if names == "" {
		return lanes, nil
	}
	var all []string
	for _, l := range lanes {
		all = append(all, l.name)
	}
	var chosen []lane
	for name := range strings.SplitSeq(names, ",") {
		i := slices.Index(all, strings.TrimSpace(name))
		if i < 0 {
			return nil, fmt.Errorf("BENCH=%s: there is no lane %q; allowed: %s, or several with commas", names, strings.TrimSpace(name), strings.Join(all, ", "))
		}
		chosen = append(chosen, lanes[i])
	}
	return chosen, nil
}

// up starts the stack that all lanes share, and signs up the one person who
// walks in them.
func (b *bench) up(ctx context.Context) (err error) {
	if b.run, err = stack.NewRun(); err != nil {
		return err
	}
	// Browsers inherit it: by it a later run finds what a killed one has left.
	name, value, _ := strings.Cut(b.run.Environment(), "=")
	if err := os.Setenv(name, value); err != nil {
		return errors.Join(err, b.run.Close())
	}
	b.show.Begin("start the services as " + b.runtime)
	if b.stack, err = stack.Up(ctx, b.options(b.run)); err != nil {
		return errors.Join(err, b.run.Close())
	}
	known, err := signUp(ctx, b.target, b.stack)
	if err != nil {
		return errors.Join(fmt.Errorf("sign up the person who walks: %w", err), b.down(ctx))
	}
	b.person = journey.Person{Name: known.Name, Email: known.Email, Password: known.Password}
	return nil
}

func (b *bench) down(ctx context.Context) error {
	return errors.Join(b.stack.Down(context.WithoutCancel(ctx)), b.run.Close())
}

func (b *bench) options(run stack.Run) stack.Options {
	return stack.Options{
		Dir: b.target.Dir, File: b.target.File, Runtime: b.runtime, StateDir: b.home.state(),
		BaseImage: b.command.BaseImage, Run: run, Redactor: b.redactor,
	}
}

// ground is an edge before the stack, with browsers of its own.
func (b *bench) ground(ctx context.Context) (*visit.Ground, error) {
	return visit.New(ctx, visit.Options{
		Target: b.target, Stack: b.stack, Redactor: b.redactor, Run: b.run,
		Settings: target.Settings{StateDir: b.home.state(), Executables: b.command.executables(), Headed: b.command.Headed},
	})
}

// add notes a number; goal 0: it has none.
func (b *bench) add(lane, what string, value float64, unit string, goal float64, of []float64, note string) {
	r := benchResult{Lane: lane, What: what, Value: value, Unit: unit, Of: of, Note: note}
	if goal > 0 {
		r.Goal = &goal
	}
	b.report.Results = append(b.report.Results, r)
	b.show.Say("  %s", strings.TrimSpace(r.line()))
}

// absent notes why there is no number.
func (b *bench) absent(lane, what, why string) {
	b.report.Results = append(b.report.Results, benchResult{Lane: lane, What: what, Note: why})
	b.show.Say("  %s: not measured: %s", what, why)
}

// line is a row of the table.
func (r benchResult) line() string {
	if r.Unit == "" {
		return fmt.Sprintf("  %-8s  %-62s  not measured: %s", r.Lane, r.What, r.Note)
	}
	goal, met := "", ""
	if r.Goal != nil {
		goal, met = fmt.Sprintf("%g", *r.Goal), "missed"
		if r.Value <= *r.Goal {
			met = "met"
		}
	}
	return strings.TrimRight(fmt.Sprintf("  %-8s  %-62s  %8.2f %-3s  %5s  %s", r.Lane, r.What, r.Value, r.Unit, goal, met), " ")
}

func (r benchReport) table() string {
	var t strings.Builder
	fmt.Fprintf(&t, "\n  %-8s  %-62s  %12s  %5s\n", "lane", "what", "median", "goal")
	for _, result := range r.Results {
		fmt.Fprintln(&t, result.line())
	}
	return t.String()
}

func (r benchReport) write(path string) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, append(data, '\n'), 0o644); err != nil {
		return fmt.Errorf("write %s: %w", path, plain(err))
	}
	return nil
}

// median of samples; what is compared is compared by it.
func median(samples []float64) float64 {
	s := slices.Sorted(slices.Values(samples))
	if len(s) == 0 {
		return 0
	}
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// ratios of pairs that were measured one after the other.
func ratios(of, to []float64) []float64 {
	var all []float64
	for i := range of {
		all = append(all, of[i]/to[i])
	}
	return all
}
