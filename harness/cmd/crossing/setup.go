package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"crossing/harness/setup"
	"crossing/harness/stack"
	"crossing/harness/target"
	"crossing/harness/trace"
)

// setupCommand installs and builds, and starts nothing but, when asked, a
// Docker engine.
type setupCommand struct {
	choices
	Docker bool `env:"DOCKER" help:"Install and start a Docker engine where none answers."`
}

// Run is kong's entry.
func (c *setupCommand) Run(ctx context.Context) error {
	began := time.Now()
	home, err := findCheckout()
	if err != nil {
		return err
	}
	if err := c.check(); err != nil {
		return err
	}
	p := &plan{home: home}
	if p.target, err = c.load(home); err != nil {
		return err
	}
	if p.profiles, err = c.profiles(home); err != nil {
		return err
	}
	show := newProgress(os.Stdout)
	defer show.Close()
	if err := prepare(ctx, home, c.choices, p, show, c.Docker); err != nil {
		return err
	}
	show.Say("  all is in place after %.1f s; %s", time.Since(began).Seconds(), p.why)
	return nil
}

// install chooses the runtime and puts in place what it and the profiles need.
func install(ctx context.Context, home checkout, c choices, p *plan, show *progress, docker bool) error {
	o := setup.Options{
		StateDir: home.state(), Executables: c.named(), Headed: c.Headed, Progress: show.Begin,
		Builds: slices.ContainsFunc(values(p.target.Services), func(s target.Service) bool { return len(s.Build) > 0 }),
	}
	for _, profile := range p.profiles {
		if !slices.Contains(o.Engines, profile.Engine) {
			o.Engines = append(o.Engines, profile.Engine)
		}
	}
	if docker {
		if err := setup.Engine(ctx, o); err != nil {
			return err
		}
	}
	if err := p.choose(ctx, c); err != nil {
		return err
	}
	// A kept stack is there already, with all that it needs.
	o.Processes = p.runtime == stack.Processes && p.kept == nil
	o.Builds = o.Builds && p.kept == nil
	for _, s := range p.target.Services {
		o.Packages = append(o.Packages, s.Packages...)
	}
	slices.Sort(o.Packages)
	if err := setup.Ensure(ctx, o); err != nil {
		return err
	}
	if p.target.Remote() || p.kept != nil {
		return nil
	}
	services := stack.Options{
		Dir: p.target.Dir, File: p.target.File, Runtime: p.runtime, StateDir: home.state(), BaseImage: c.BaseImage,
		Redactor: trace.NewRedactor(nil), Progress: show.Note,
	}
	err := stack.Prepare(ctx, services)
	if !errors.Is(err, stack.ErrNoMaker) {
		return err
	}
	// Only trying tells that no registry has a base: then it has to be made.
	if err := setup.Packages(ctx, o, []string{"mmdebstrap", "debian-archive-keyring"}); err != nil {
		return fmt.Errorf("%w\n(no base image could be pulled)", err)
	}
	return stack.Prepare(ctx, services)
}

// choose says where the services run, and why.
func (p *plan) choose(ctx context.Context, c choices) (err error) {
	switch {
	case p.target.Remote():
		p.runtime, p.why = "remote", "the target has no services of its own; its origins are reached as they are"
	case p.kept != nil:
		p.runtime, p.why = p.kept.Handover.Runtime, "the kept stack is used: "+told(p.kept)
	default:
		p.runtime, p.why, err = stack.Choose(ctx, c.Runtime)
	}
	return err
}

func values(all map[string]target.Service) []target.Service {
	var list []target.Service
	for _, s := range all {
		list = append(list, s)
	}
	return list
}

// sweepCommand removes what killed runs have left behind; every run does the
// same before it starts.
type sweepCommand struct{}

// Run is kong's entry.
func (sweepCommand) Run(ctx context.Context) error {
	removed, err := stack.Sweep(ctx)
	for _, line := range removed {
		fmt.Println("removed", line)
	}
	return err
}
