package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"crossing/harness/secrets"
	"crossing/harness/stack"
	"crossing/harness/stack/owner"
	"crossing/harness/target"
	"crossing/reports"
)

// ginkgo compiles and runs the suites, shows what happens, and reads the
// results. Its error means that they could not be judged.
func (p *plan) ginkgo(ctx context.Context, show *progress, r *reports.Run) error {
	show.Begin("compile the suites")
	began := time.Now()
	if err := p.compileAll(ctx); err != nil {
		return err
	}
	r.Timings.Compile = time.Since(began).Seconds()
	// A run of the command's own: the folder with the settings, which may hold
	// secrets, is swept by the next run where this one is killed.
	own, err := stack.NewRun()
	if err != nil {
		return err
	}
	defer func() { _ = own.Close() }()
	private := filepath.Join(own.Dir, "settings")
	if err := os.Mkdir(private, 0o700); err != nil {
		return fmt.Errorf("make a folder for the run's settings: %w", err)
	}
	settings := p.settings(own.ID, private)
	if err := settings.Write(filepath.Join(private, "settings.json")); err != nil {
		return err
	}
	if err := p.takeShare(ctx, private); err != nil {
		return err
	}
	r.Shard = p.shard
	if p.kept == nil {
		show.Wait("start the stack", time.Now())
	}
	done := follow(settings.Events, show)
	began = time.Now()
	out, ended := p.execute(ctx, show, private)
	done()
	r.Timings.Specs = time.Since(began).Seconds()
	if err := secrets.Learn(private, p.secrets.Learn); err != nil {
		return err
	}
	read := r.Read(filepath.Join(p.work, "report.json"), settings.Reproduce, p.suites...)
	if ended == nil && read == nil {
		return nil
	}
	return p.judgeEnd(ctx, r, own.ID, out, ended, read)
}

// judgeEnd says whether the results of suites that ended with an error can be
// judged: specs that failed can, a run that was cut short cannot.
func (p *plan) judgeEnd(ctx context.Context, r *reports.Run, run, out string, ended, read error) error {
	// What a killed process has left, such as browsers, the next run would
	// sweep; there may be none.
	removed, err := stack.Sweep(context.WithoutCancel(ctx))
	// Others may have been killed meanwhile: what they left says nothing of
	// these suites.
	removed = slices.DeleteFunc(removed, func(line string) bool { return !strings.Contains(line, run) })
	switch {
	case err != nil:
		err = fmt.Errorf("take down what is left: %w", err)
	case len(removed) > 0 && ctx.Err() == nil:
		err = fmt.Errorf("the suites ended without taking down: %s", strings.Join(removed, ", "))
	}
	switch {
	case ctx.Err() != nil && err == nil:
		return errInterrupted
	case ctx.Err() != nil:
		return fmt.Errorf("interrupted: %w", err)
	case read != nil:
		return errors.Join(fmt.Errorf("the suites ended (%s) and left no report (%w); what they printed last:\n%s",
			fmt.Sprint(ended), plain(read), p.secrets.Scrub(tail(out, 40))), err)
	case r.Passed && r.Counts.Quarantined == 0: // such as focus left in a spec's source: others were not run
		return errors.Join(fmt.Errorf("no spec failed, and yet the suites ended with %w; what they printed last:\n%s",
			ended, p.secrets.Scrub(tail(out, 40))), err)
	case r.Unjudged != "":
		return errors.Join(errors.New(r.Unjudged), err)
	case r.NotBegun != "":
		return errors.Join(errors.New(r.NotBegun), err)
	}
	return err
}

// binary is in a folder of its own: Ginkgo names a suite's report by the folder
// that its binary stands in, and one would take the other's place.
func (p *plan) binary(suite string) string {
	return filepath.Join(p.home.state(), "suites", suite, suite+".test")
}

// compileAll compiles one run at a time: runs side by side share the results.
func (p *plan) compileAll(ctx context.Context) error {
	unlock, err := p.home.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	for _, suite := range p.suites {
		if err := p.compile(ctx, suite); err != nil {
			return err
		}
	}
	return nil
}

func (p *plan) compile(ctx context.Context, suite string) error {
	if err := os.MkdirAll(filepath.Dir(p.binary(suite)), 0o755); err != nil {
		return fmt.Errorf("make a folder for suite %s: %w", suite, err)
	}
	args := []string{"test", "-c", "-o", p.binary(suite)}
	if p.command.Quick {
		args = append(args, "-ldflags=-s -w")
	}
	if err := p.home.goTool(ctx, append(args, "./suites/"+suite)...); err != nil {
		return fmt.Errorf("compile suite %s: %w", suite, err)
	}
	return nil
}

func (p *plan) settings(run, private string) target.Settings {
	s := target.Settings{
		Config: p.target.Path, Runtime: p.runtime, Executables: p.command.executables(), Elsewhere: p.command.found, StateDir: p.home.state(),
		OutDir: p.work, BaseImage: p.command.BaseImage, Set: p.set, Headed: p.command.Headed, Journeys: p.command.N, SlowMo: p.command.SlowMo,
		Owner: owner.Self().String(), Run: run, Events: filepath.Join(private, "events"), Secrets: private, Reproduce: p.reproduce(),
	}
	if p.command.deployed != nil {
		p.command.deployed.put(&s, p.home.pace(p.command.deployed.at.target).File)
	}
	if p.kept != nil {
		s.Kept = p.home.keptFile()
	}
	for _, profile := range p.profiles {
		s.Engines = append(s.Engines, profile.Name)
	}
	return s
}

// execute runs Ginkgo's command in a process group of its own. When ctx ends
// the group is interrupted, as Ctrl-C would, and given time to take the stack
// down.
func (p *plan) execute(ctx context.Context, show *progress, private string) (string, error) {
	args := []string{"run", "--no-color", "--succinct", "--keep-going", "--randomize-all",
		"--seed", strconv.FormatInt(p.seed, 10), "--timeout", p.command.Timeout, "--procs", strconv.Itoa(p.command.Procs),
		"--output-dir", p.work, "--json-report", "report.json", "--junit-report", "junit.xml"}
	args = append(args, p.filter()...)
	for _, suite := range p.suites {
		args = append(args, p.binary(suite))
	}
	args = append(args, "--", "-crossing.settings="+filepath.Join(private, "settings.json"))
	cmd := exec.Command(filepath.Join(p.home.state(), "bin", "ginkgo"), args...)
	cmd.Dir = string(p.home)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	// A file, no pipe: when this command is killed, what the suites say while
	// they take everything down must not end them by SIGPIPE.
	file, err := os.OpenFile(filepath.Join(private, "output"), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return "", fmt.Errorf("make a file for what the suites print: %w", err)
	}
	defer func() { _ = file.Close() }()
	cmd.Stdout, cmd.Stderr = file, file
	if err := cmd.Start(); err != nil {
		return "", fmt.Errorf("start Ginkgo: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		outlived(cmd.Process.Pid) // where Ginkgo itself was killed
		return printed(file), err
	case <-ctx.Done():
	}
	return "", p.interrupt(cmd.Process.Pid, show, ended)
}

// patience is how long the suites may take to take everything down.
const patience = 30 * time.Second

// interrupt ends a group as Ctrl-C would; it is killed when it takes too long,
// and when a person asks again.
func (p *plan) interrupt(group int, show *progress, ended <-chan error) error {
	again := make(chan os.Signal, 1)
	signal.Notify(again, endings...)
	defer signal.Stop(again)
	show.Begin("interrupted: everything is being taken down (again: at once)")
	_ = syscall.Kill(-group, syscall.SIGINT)
	select {
	case err := <-ended:
		return err
	case <-again:
	case <-time.After(patience):
	}
	_ = syscall.Kill(-group, syscall.SIGKILL)
	err := <-ended
	outlived(group)
	return err
}

// outlived ends what is left of a group, and waits until it has gone: a sweep
// leaves alone what belongs to the living, and the suites may outlive Ginkgo,
// their parent.
func outlived(group int) {
	_ = syscall.Kill(-group, syscall.SIGKILL) // most often there is nobody left
	for limit := time.Now().Add(dying); syscall.Kill(-group, 0) == nil && time.Now().Before(limit); {
		time.Sleep(10 * time.Millisecond)
	}
}

// dying is how long a killed process may take to be gone on a busy machine.
const dying = 5 * time.Second

// printed is what a file holds; one that cannot be read holds the reason.
func printed(file *os.File) string {
	text, err := os.ReadFile(file.Name())
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func tail(text string, lines int) string {
	all := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
