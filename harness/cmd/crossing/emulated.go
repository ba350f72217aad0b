package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"crossing/harness/stack"
	"crossing/harness/target"
	"crossing/harness/trace"
)

// previewSuites are what is run on previews.
var previewSuites = []string{"preview", "session"}

// onEmulation runs on previews that are emulated here: the application's
// services are started as ever, and fixtures/vercel, a process of its own,
// stands before them as the platform's edge stands before deployments. From
// there on the run is that of make preview.
func (c *runCommand) onEmulation(ctx context.Context) (err error) {
	home, err := findCheckout()
	if err != nil {
		return err
	}
	local := *c
	local.suites = previewSuites
	p, err := local.plan(ctx, home)
	if err != nil {
		return err
	}
	p.remove() // the run on the previews writes the reports
	if p.target.Remote() {
		return fmt.Errorf("SUITE=preview runs on an emulated platform, and %s describes no services that could stand behind it: make preview runs on addresses", p.target.Path)
	}
	show := newProgress(os.Stdout)
	defer show.Close()
	if err := prepare(ctx, home, c.choices, p, show, false); err != nil {
		return err
	}
	show.Begin("start the services as " + p.runtime + ", and the emulated platform")
	e, err := p.emulate(ctx, show)
	defer func() { err = errors.Join(err, e.close()) }()
	if err != nil {
		return err
	}
	show.Close()
	remote := *c
	remote.suites, remote.Set, remote.Seed = previewSuites, nil, p.seed
	remote.Config = p.target.Path
	remote.deployed = &deployed{aim: e.aim(), warmUp: time.Minute, emulated: p}
	if remote.deployed.at, err = e.aim().check(remote.choices, home); err != nil {
		return err
	}
	return remote.Run(ctx)
}

// emulation is an application on emulated previews.
type emulation struct {
	origins trace.Origins
	address string // where the platform listens
	ca      string // the file with its authority
	bypass  string // what opens its wall
	undoing
}

// emulate starts the plan's services and the platform before them. What was
// started is to be closed even where it failed.
func (p *plan) emulate(ctx context.Context, show *progress) (*emulation, error) {
	file := p.target.File
	file.Origins = previewsOf(file)
	e := &emulation{origins: file.Origins}
	run, err := stack.NewRun()
	if err != nil {
		return e, err
	}
	e.later(run.Close)
	s, err := stack.Up(ctx, stack.Options{
		Dir: p.target.Dir, File: file, Runtime: p.runtime, StateDir: p.home.state(), BaseImage: p.command.BaseImage,
		Run: run, Redactor: trace.NewRedactor(nil), Environment: p.set, Progress: show.Note,
	})
	if err != nil {
		return e, err
	}
	e.later(func() error { return s.Down(context.WithoutCancel(ctx)) })
	serves := file.Serves
	return e, e.start(ctx, p.home, run.Dir, backends(s, serves.Frontend), backends(s, serves.Auth), backends(s, serves.API))
}

// backends are the addresses of a service's instances.
func backends(s *stack.Stack, service string) (all []string) {
	for _, i := range s.Instances(service) {
		all = append(all, "http://"+i.Address())
	}
	return all
}

// previewsOf are addresses as the platform gives them to one build of each
// project.
func previewsOf(f target.File) trace.Origins {
	at := func(project, part, hash string) string {
		if project == "" {
			project = part
		}
		return "https://" + project + "-" + hash + "-" + emulatedScope + ".vercel.app"
	}
	o := trace.Origins{
		Frontend: at(f.Projects.Frontend, "frontend", "a1b2c3d4e"), Auth: at(f.Projects.Auth, "auth", "f5g6h7i8j"), Stranger: f.Origins.Stranger,
	}
	if f.Serves.API != "" {
		o.API = at(f.Projects.API, "api", "k1l2m3n4o")
	}
	return o
}

// emulatedScope is the team whose previews they are.
const emulatedScope = "team"

// start starts the platform before backends, all of it protected.
func (e *emulation) start(ctx context.Context, home checkout, dir string, frontend, auth, api []string) error {
	secret := make([]byte, 16)
	_, _ = rand.Read(secret) // never fails (crypto/rand, since Go 1.24)
	e.bypass = hex.EncodeToString(secret)
	var deployments []map[string]any
	for _, part := range []struct {
		origin   string
		backends []string
	}{{e.origins.Frontend, frontend}, {e.origins.Auth, auth}, {e.origins.API, api}} {
		if len(part.backends) == 0 {
			continue
		}
		label := strings.TrimSuffix(strings.TrimPrefix(part.origin, "https://"), "-"+emulatedScope+".vercel.app")
		cut := strings.LastIndex(label, "-")
		deployments = append(deployments, map[string]any{
			"project": label[:cut], "scope": emulatedScope, "hash": label[cut+1:], "commit": "c1", "backends": part.backends,
			"coldStart": 300, "protected": true, "secrets": []string{e.bypass},
		})
	}
	config, err := json.Marshal(deployments)
	if err != nil {
		return err
	}
	path := filepath.Join(dir, "deployments.json")
	if err := os.WriteFile(path, config, 0o600); err != nil {
		return fmt.Errorf("write what the emulated platform serves: %w", err)
	}
	binary, err := buildVercel(ctx, home)
	if err != nil {
		return err
	}
	e.ca = filepath.Join(dir, "ca.pem")
	// It ends with its standard input, and so with this process, killed or not.
	cmd := exec.Command(binary, "--config", path, "--ca", e.ca, "--attached")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for the suites first
	held, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	var words strings.Builder
	cmd.Stderr = &words
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the emulated platform: %w", err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		_ = held.Close()
		return fmt.Errorf("the emulated platform did not start: %w: %s", errors.Join(err, cmd.Wait()), words.String())
	}
	e.address = strings.TrimSpace(line)
	e.later(func() error { return errors.Join(held.Close(), cmd.Wait()) })
	return nil
}

// buildVercel builds the platform; runs side by side share it.
func buildVercel(ctx context.Context, home checkout) (string, error) {
	unlock, err := home.lock(ctx)
	if err != nil {
		return "", err
	}
	defer unlock()
	binary := filepath.Join(home.state(), "bin", "vercel")
	if err := home.goTool(ctx, "build", "-o", binary, "./fixtures/vercel"); err != nil {
		return "", fmt.Errorf("build the emulated platform: %w", err)
	}
	return binary, nil
}

// aim is what make preview would be given.
func (e *emulation) aim() aim {
	a := aim{FrontendURL: e.origins.Frontend, AuthURL: e.origins.Auth, APIURL: e.origins.API, CA: e.ca, Bypass: e.bypass}
	for _, origin := range []string{a.FrontendURL, a.AuthURL, a.APIURL} {
		if origin != "" {
			a.Resolve = append(a.Resolve, strings.TrimPrefix(origin, "https://")+"="+e.address)
		}
	}
	return a
}
