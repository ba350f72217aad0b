package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"crossing/harness/journey"
	"crossing/harness/lint"
	"crossing/harness/stack"
	"crossing/harness/target"
	"crossing/harness/trace"
)

// lintCommand checks a target by HTTP alone, or compares two.
type lintCommand struct {
	choices
	aim
	Pair []string `arg:"" optional:"" placeholder:"TARGET" help:"Two targets to compare, each a crossing.yaml or FRONTEND,AUTH,API addresses with commas: what they share, and whether each refuses the other's session. One: as --config."`
	JSON string   `env:"JSON" name:"json" placeholder:"FILE" help:"Write what was found to FILE, too."`
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
	targets, err := c.targets(home)
	if err != nil {
		return err
	}
	show := newProgress(os.Stdout)
	defer show.Close()
	secrets := trace.NewRedactor(nil)
	var options []lint.Options
	for _, at := range targets {
		if preset := at.target.Contract.Preset; preset != target.BetterAuth {
			return fmt.Errorf("%s: contract.preset is %s, and lint judges the answers of BetterAuth alone; crossing diagnose and crossing run take every preset", at.target.Path, preset)
		}
		show.Say("Crossing · lint %s", at.target.Name)
		runtime, err := ready(ctx, home, c.choices, at.target, nil, show)
		if err != nil {
			return err
		}
		g, err := at.open(ctx, home, c.choices, show, runtime, secrets, answering)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, g.close()) }()
		show.Begin("ask whether this is the application that the contract describes")
		if err := lint.Fit(ctx, g.Edge, at.target, secrets); err != nil {
			return err
		}
		options = append(options, c.options(at, g, show))
	}
	report, err := judge(ctx, options, show)
	if err != nil {
		return err
	}
	show.Close()
	fmt.Printf("\n%s\n", secrets.Scrub(report.String()))
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

func (c *lintCommand) options(at aimed, g *grounds, show *progress) lint.Options {
	o := lint.Options{Target: at.target, Edge: g.Edge, Observer: g.Observer, Redactor: g.redactor, Access: at.access, Progress: show.Begin}
	if c.Email != "" {
		o.Account = journey.Person{Name: "Lint", Email: c.Email, Password: c.Password}
	}
	return o
}

// judge lints one target, or compares two.
func judge(ctx context.Context, options []lint.Options, show *progress) (lint.Report, error) {
	if len(options) == 1 {
		return lint.Run(ctx, options[0])
	}
	show.Begin("show each the other's session")
	pair, err := lint.CollectPair(ctx, options[0], options[1])
	if err != nil {
		return lint.Report{}, err
	}
	return lint.Compare(pair), nil
}

// targets are those of the arguments, else the one aimed at.
func (c *lintCommand) targets(home checkout) ([]aimed, error) {
	switch n := len(c.Pair); {
	case n == 0:
		at, err := c.aim.check(c.choices, home)
		return []aimed{at}, err
	case n > 2:
		return nil, fmt.Errorf("%d targets are given; lint looks at one, or compares two", n)
	case c.deployed():
		return nil, errors.New("a target is given and FRONTEND_URL, AUTH_URL or API_URL, too: write the addresses as a target, FRONTEND,AUTH,API with commas, or leave one of the two out")
	case n == 2 && len(c.Set) > 0:
		return nil, errors.New("SET changes one target's services; leave it out where two are compared")
	}
	var out []aimed
	for _, word := range c.Pair {
		a, with := c.aim, c.choices
		if strings.HasPrefix(word, "http://") || strings.HasPrefix(word, "https://") {
			origins := append(strings.Split(word, ","), "", "")
			if len(origins) > 5 {
				return nil, fmt.Errorf("%q has more than three addresses; write FRONTEND,AUTH,API", word)
			}
			a.FrontendURL, a.AuthURL, a.APIURL = origins[0], origins[1], origins[2]
		} else {
			with.Config = word
		}
		at, err := a.read(with, home)
		if err != nil {
			return nil, err
		}
		out = append(out, at)
	}
	return out, c.together(out)
}

// together checks what only all targets can tell.
func (c *lintCommand) together(all []aimed) error {
	if len(all) == 2 && all[0].target.Remote() && all[1].target.Remote() && all[0].target.Origins == all[1].target.Origins {
		return fmt.Errorf("both targets are %s: there is nothing to compare", all[0].target.Origins.Auth)
	}
	if len(all) == 2 && all[0].target.Path == all[1].target.Path && !all[0].target.Remote() {
		return fmt.Errorf("both targets are %s: there is nothing to compare", all[0].target.Path)
	}
	return c.accessed(all...)
}
