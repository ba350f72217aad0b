package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"crossing/harness/journey"
	"crossing/harness/lint"
	"crossing/harness/stack"
)

// lintCommand checks a target by HTTP alone.
type lintCommand struct {
	choices
	aim
	JSON string `env:"JSON" name:"json" placeholder:"FILE" help:"Write what was found to FILE, too."`
}

// Run is kong's entry.
func (c *lintCommand) Run(ctx context.Context) (err error) {
	home, err := findCheckout()
	if err != nil {
		return err
	}
	if err := c.choices.check(); err != nil {
		return err
	}
	at, err := c.aim.check(c.choices, home)
	if err != nil {
		return err
	}
	show := newProgress(os.Stdout)
	defer show.Close()
	show.Say("Crossing · lint %s", at.target.Name)
	runtime, err := ready(ctx, home, c.choices, at.target, nil, show)
	if err != nil {
		return err
	}
	g, err := at.open(ctx, home, c.choices, show, runtime, answering)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, g.close()) }()
	report, err := c.look(ctx, at, g, show)
	if err != nil {
		return err
	}
	show.Close()
	fmt.Printf("\n%s\n", g.redactor.Scrub(report.String()))
	if c.JSON != "" {
		if err := lint.Write(c.JSON, report); err != nil {
			return fmt.Errorf("JSON=%s: %w", c.JSON, plain(err))
		}
	}
	if len(report.Findings()) > 0 {
		return errFailed
	}
	return nil
}

// answering takes a service for started that refuses to work, as long as it
// answers: it says why, and that is what lint is for.
func answering(o *stack.Options) { o.Answering = true }

func (c *lintCommand) look(ctx context.Context, at aimed, g *grounds, show *progress) (lint.Report, error) {
	show.Begin("ask whether this is the application that the contract describes")
	if err := lint.Fit(ctx, g.Edge, at.target, g.redactor); err != nil {
		return lint.Report{}, err
	}
	o := lint.Options{Target: at.target, Edge: g.Edge, Observer: g.Observer, Redactor: g.redactor, Access: at.access, Progress: show.Begin}
	if c.Email != "" {
		o.Account = journey.Person{Name: "Lint", Email: c.Email, Password: c.Password}
	}
	return lint.Run(ctx, o)
}
