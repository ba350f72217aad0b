package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"crossing/harness/stack"
)

// composeFile stands beside the crossing.yaml of an application that docker
// compose can start, too. Images are handed to it as IMAGE_<SERVICE>.
const composeFile = "compose.yaml"

// stackLane starts another stack beside the lanes' own, and takes it down; in
// turns with docker compose, where there is one.
func (b *bench) stackLane(ctx context.Context) error {
	other, why := b.compose(ctx)
	var own, theirs []float64
	for range b.command.Rounds {
		took, err := b.ownStack(ctx)
		if err != nil {
			return err
		}
		own = append(own, took)
		if other == nil {
			continue
		}
		if took, err = other.stack(ctx); err != nil {
			return err
		}
		theirs = append(theirs, took)
	}
	b.add("stack", "every service ready, as "+b.runtime, median(own), "s", 0, own, "built before")
	if other == nil {
		b.absent("stack", "containers : docker compose up --wait (goal 0.6)", why)
		return nil
	}
	r := ratios(own, theirs)
	b.add("stack", "docker compose up --wait, of the same images", median(theirs), "s", 0, theirs, other.version)
	b.add("stack", "containers : docker compose up --wait", median(r), "×", 0.6, r, "")
	return nil
}

// ownStack is how many seconds Crossing takes to have all services ready.
func (b *bench) ownStack(ctx context.Context) (float64, error) {
	run, err := stack.NewRun()
	if err != nil {
		return 0, err
	}
	began := time.Now()
	s, err := stack.Up(ctx, b.options(run))
	if err != nil {
		return 0, errors.Join(err, run.Close())
	}
	took := time.Since(began).Seconds()
	return took, errors.Join(s.Down(context.WithoutCancel(ctx)), run.Close())
}

// compose is docker compose with the application's file.
type compose struct {
	program []string
	version string
	file    string
	project string
	env     []string
}

// compose finds it, or says why there is nothing to compare with.
func (b *bench) compose(ctx context.Context) (*compose, string) {
	if b.runtime != stack.Containers {
		return nil, "services run as processes"
	}
	c := &compose{file: filepath.Join(b.target.Dir, composeFile), project: "crossing-bench-" + b.run.ID}
	if _, err := os.Stat(c.file); err != nil {
		return nil, fmt.Sprintf("there is no %s beside crossing.yaml", composeFile)
	}
	for _, program := range [][]string{{"docker", "compose"}, {"docker-compose"}} {
		version, err := exec.CommandContext(ctx, program[0], append(program[1:], "version", "--short")...).Output()
		// The first version, in Python, knows no --wait.
		if err == nil && !strings.HasPrefix(strings.TrimPrefix(string(version), "v"), "1.") {
			c.program, c.version = program, strings.TrimSpace(string(version))
			break
		}
	}
	if c.program == nil {
		return nil, "docker compose, version 2 or later, is not here"
	}
	images, err := stack.Images(ctx, b.options(b.run))
	if err != nil {
		return nil, err.Error()
	}
	for service, image := range images {
		c.env = append(c.env, "IMAGE_"+strings.ToUpper(strings.ReplaceAll(service, "-", "_"))+"="+image)
	}
	// The labels let a later run sweep what a killed one has left.
	c.env = append(os.Environ(), append(c.env, "PASSWORD="+rand.Text(), "SECRET="+rand.Text()+rand.Text(),
		"RUN="+b.run.ID, "OWNER="+b.run.Owner.String())...)
	return c, ""
}

// stack is how many seconds docker compose takes. What it made goes in any case.
func (c *compose) stack(ctx context.Context) (took float64, err error) {
	defer func() {
		err = errors.Join(err, c.do(context.WithoutCancel(ctx), "down", "--volumes", "--timeout", "1"))
	}()
	began := time.Now()
	if err := c.do(ctx, "up", "--wait", "--quiet-pull"); err != nil {
		return 0, err
	}
	return time.Since(began).Seconds(), nil
}

func (c *compose) do(ctx context.Context, words ...string) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	all := append(c.program[1:len(c.program):len(c.program)], append([]string{"--project-name", c.project, "--file", c.file}, words...)...)
	cmd := exec.CommandContext(ctx, c.program[0], all...)
	cmd.Env = c.env
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", strings.Join(c.program, " "), strings.Join(words, " "), err, tail(string(text), 20))
	}
	return nil
}
