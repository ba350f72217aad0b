package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"crossing/harness/stack"
)

// upCommand starts a stack that stays.
type upCommand struct {
	Config    string `env:"CONFIG" placeholder:"PATH" help:"crossing.yaml of the application; default: the one in this folder, else the reference application's."`
	Runtime   string `env:"RUNTIME" default:"auto" help:"Where services run: containers, processes, or auto (containers where a Docker engine answers)."`
	BaseImage string `env:"BASE_IMAGE" placeholder:"IMAGE" help:"Image that Dockerfiles build from; default: Debian's, pulled, or made from its packages."`
}

func (c upCommand) choices() choices {
	return choices{Config: c.Config, Runtime: c.Runtime, BaseImage: c.BaseImage}
}

// Run is kong's entry.
func (c *upCommand) Run(ctx context.Context) error {
	chosen := c.choices()
	p, err := planned(&chosen)
	if err != nil {
		return err
	}
	show := newProgress(os.Stdout)
	defer show.Close()
	kept, already, err := p.up(ctx, chosen, show)
	show.Close()
	if err != nil {
		return err
	}
	fmt.Print(p.standing(kept, already))
	return nil
}

// planned is a plan for what needs no suites.
func planned(c *choices) (*plan, error) {
	home, err := findCheckout()
	if err != nil {
		return nil, err
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	p := &plan{home: home}
	p.target, err = c.load(home)
	return p, err
}

// up returns the kept stack, and starts it where there is none.
func (p *plan) up(ctx context.Context, c choices, show *progress) (kept *stack.Kept, already bool, err error) {
	if p.target.Remote() {
		return nil, false, fmt.Errorf("%s describes no services: its origins are reached as they are, and there is nothing to keep up", p.target.Path)
	}
	if kept, err = p.home.readKept(); err != nil {
		return nil, false, err
	}
	if kept == nil {
		kept, err = p.keep(ctx, c, show)
		return kept, false, err
	}
	if kept.Config != p.target.Path || c.Runtime != "auto" && c.Runtime != kept.Handover.Runtime {
		return nil, false, fmt.Errorf("a stack of %s is kept already, as %s; one can be kept at a time: make down, then make up",
			kept.Config, kept.Handover.Runtime)
	}
	now, err := p.digest(ctx, c, kept.Handover.Runtime)
	if err != nil {
		return nil, false, err
	}
	if now != kept.Digest {
		return nil, false, errOtherSources(kept)
	}
	if err := kept.Answers(ctx); err != nil {
		return nil, false, fmt.Errorf("%w; type\n  make down && make up", err)
	}
	return kept, true, nil
}

// keep prepares everything here, where a person looks on, and has a process of
// its own start the stack and keep it.
func (p *plan) keep(ctx context.Context, c choices, show *progress) (*stack.Kept, error) {
	if _, starting := p.home.keeper(); starting {
		return nil, errors.New("another make up is starting a stack just now; wait for it, or type make down")
	}
	if err := prepare(ctx, p.home, c, p, show, false); err != nil {
		return nil, err
	}
	// Builds may rewrite what git tracks: the digest is of what they have left.
	digest, err := p.digest(ctx, c, p.runtime)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(p.home.keptDir(), 0o755); err != nil {
		return nil, err
	}
	log, err := os.OpenFile(p.home.keeperLog(), os.O_CREATE|os.O_TRUNC|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("make a file for what the keeper says: %w", err)
	}
	defer func() { _ = log.Close() }()
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(program, "keep", "--config="+p.target.Path, "--runtime="+p.runtime, "--base-image="+c.BaseImage, "--digest="+digest)
	cmd.Dir = string(p.home)
	cmd.Stdout, cmd.Stderr = log, log
	// A session of its own: neither Ctrl-C here nor the terminal's end reach it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	show.Begin("start the stack that is to stay")
	loosen()
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the stack's keeper: %w", err)
	}
	return p.awaitKeeper(ctx, cmd, show)
}

// loosen keeps what this process was handed (a lock of flock(1)'s, make's pipes)
// from a process that stays: whoever waits for its end would wait for make down.
func loosen() {
	entries, _ := os.ReadDir("/dev/fd") // what cannot be listed is handed on
	for _, e := range entries {
		if fd, err := strconv.Atoi(e.Name()); err == nil && fd > 2 {
			syscall.CloseOnExec(fd)
		}
	}
}

// awaitKeeper shows what the keeper says until the stack is up.
func (p *plan) awaitKeeper(ctx context.Context, cmd *exec.Cmd, show *progress) (*stack.Kept, error) {
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	shown := 0
	said := func() string {
		text, _ := os.ReadFile(p.home.keeperLog()) // its end is told below
		return string(text)
	}
	for {
		whole := strings.Split(said(), "\n")
		for _, line := range whole[min(shown, len(whole)-1) : len(whole)-1] {
			if !strings.HasPrefix(line, "crossing: ") {
				show.Say("  · %s", line)
			}
		}
		shown = max(shown, len(whole)-1)
		kept, err := stack.ReadKept(p.home.keptFile())
		if err != nil {
			return nil, err
		}
		if kept != nil && kept.Keeper.PID == cmd.Process.Pid {
			return kept, nil
		}
		select {
		case <-ended:
			return nil, keeperEnded(said())
		case <-ctx.Done():
			show.Begin("interrupted: the stack is being taken down")
			_ = cmd.Process.Signal(syscall.SIGTERM)
			<-ended
			return nil, errors.Join(ctx.Err(), p.home.forget())
		case <-tick.C:
		}
	}
}

// keeperEnded is why a keeper could not start a stack: its own error, which
// stands last and may have several lines.
func keeperEnded(said string) error {
	if at := strings.LastIndex("\n"+said, "\ncrossing: "); at >= 0 {
		return errors.New(strings.TrimSpace(said[at+len("crossing: "):]))
	}
	return fmt.Errorf("the stack's keeper ended before the stack was up; what it said last:\n%s", tail(said, 20))
}

// standing tells a person where everything is, and what to type next.
func (p *plan) standing(kept *stack.Kept, already bool) string {
	var b strings.Builder
	if already {
		fmt.Fprintf(&b, "The stack is up already, since %s, as %s.\n", kept.Ready.Local().Format(time.TimeOnly), kept.Handover.Runtime)
	} else {
		fmt.Fprintf(&b, "The stack is up, as %s, and stays until make down.\n", kept.Handover.Runtime)
	}
	b.WriteString("\n  services, by the addresses of this machine\n")
	for _, i := range kept.Handover.Instances {
		fmt.Fprintf(&b, "    %-10s %s\n", i.Name, i.Address)
	}
	b.WriteString("  origins, which exist behind the edge only (make open)\n")
	o := p.target.Origins
	for _, origin := range []struct{ role, address string }{{"frontend", o.Frontend}, {"auth", o.Auth}, {"api", o.API}, {"stranger", o.Stranger}} {
		if origin.address != "" {
			fmt.Fprintf(&b, "    %-10s %s\n", origin.role, origin.address)
		}
	}
	if kept.Person != nil {
		fmt.Fprintf(&b, "  a test person, who can sign in\n    %-10s %s\n    %-10s %s\n", "e-mail", kept.Person.Email, "password", kept.Person.Password)
	}
	b.WriteString(`
Next
  make open ENGINE=chromium     a window on it, with every exchange told here
  make e2e ENGINE=chromium      a run that uses it
  make down                     take it down
`)
	return b.String()
}

// relative is a path as a person would type it from here.
func relative(path string) string {
	here, err := os.Getwd()
	if err != nil {
		return path
	}
	short, err := filepath.Rel(here, path)
	if err != nil || strings.HasPrefix(short, "..") {
		return path
	}
	return short
}
