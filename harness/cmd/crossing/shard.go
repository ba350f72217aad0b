package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"crossing/reports"
)

// share reads SHARD and TIMES; both are nil where the run is one of all specs.
func (c *runCommand) share() (*reports.Shard, *reports.Run, error) {
	if c.Shard == "" {
		if c.Times != "" {
			return nil, nil, fmt.Errorf("TIMES=%s balances shards, and there is no SHARD; leave it out, or write one such as SHARD=1/4", c.Times)
		}
		return nil, nil, nil
	}
	var s reports.Shard
	if _, err := fmt.Sscanf(c.Shard, "%d/%d", &s.Index, &s.Of); err != nil || s.Index < 1 || s.Of < s.Index || fmt.Sprintf("%d/%d", s.Index, s.Of) != c.Shard {
		return nil, nil, fmt.Errorf("SHARD=%s is no share; write which of how many, such as 2/4", c.Shard)
	}
	if c.Times == "" {
		return &s, nil, nil
	}
	earlier, err := reports.Load(c.Times)
	if err != nil {
		return nil, nil, fmt.Errorf("TIMES: %w", err)
	}
	return &s, &earlier.Run, nil
}

// filter is what chooses specs, as Ginkgo's flags.
func (p *plan) filter() []string {
	labels := make([]string, len(p.profiles))
	for i, profile := range p.profiles {
		labels[i] = profile.Name
	}
	args := []string{"--label-filter", strings.Join(labels, " || ")}
	switch one := p.command.One; {
	case len(p.own) > 0:
		for _, focus := range p.own {
			args = append(args, "--focus", focus)
		}
	case strings.HasSuffix(one, ".go"):
		args = append(args, "--focus-file", regexp.QuoteMeta(one))
	case one != "":
		args = append(args, "--focus", regexp.QuoteMeta(one))
	}
	return args
}

// takeShare finds the specs of the shard by a dry run, which starts nothing.
func (p *plan) takeShare(ctx context.Context, private string) error {
	if p.shard == nil {
		return nil
	}
	args := append([]string{"run", "--dry-run", "--no-color", "--succinct", "--output-dir", private, "--json-report", "planned.json"}, p.filter()...)
	for _, suite := range p.suites {
		args = append(args, p.binary(suite))
	}
	args = append(args, "--", "-crossing.settings="+filepath.Join(private, "settings.json"))
	cmd := exec.CommandContext(ctx, filepath.Join(p.home.state(), "bin", "ginkgo"), args...)
	cmd.Dir = string(p.home)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("list the specs for SHARD=%s: %w; what Ginkgo printed last:\n%s", p.command.Shard, err, p.secrets.Scrub(tail(string(out), 20)))
	}
	all, err := reports.Plan(filepath.Join(private, "planned.json"))
	if err != nil {
		return err
	}
	if p.own = p.shard.Share(all, p.earlier); len(p.own) == 0 {
		return fmt.Errorf("SHARD=%s has no spec to run: %d are chosen in all; ask for fewer shards", p.command.Shard, len(all))
	}
	return nil
}
