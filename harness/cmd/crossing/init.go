package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"crossing/harness/browser"
	"crossing/harness/inspect"
	"crossing/harness/journey"
	"crossing/harness/lint"
	"crossing/harness/target"
	"crossing/harness/trace"
	"crossing/harness/visit"
)

// initCommand writes a first crossing.yaml for an application that runs.
type initCommand struct {
	choices
	aim
	AllowProduction []string `env:"ALLOW_PRODUCTION" sep:" " placeholder:"HOST" help:"A host that is no preview by its name, and is meant all the same: a new person is signed up there."`
	Out             string   `env:"OUT" default:"crossing.yaml" placeholder:"FILE" help:"Where the file is written; one that is there already is never overwritten."`
}

// initLimit is how long the whole look may take.
const initLimit = 5 * time.Minute

// Run is kong's entry.
func (c *initCommand) Run(ctx context.Context) (err error) {
	home, err := findCheckout()
	if err != nil {
		return err
	}
	if c.Engine == "" {
		c.Engine = browser.Chromium.Name
	}
	if err := c.choices.check(); err != nil {
		return err
	}
	profiles, err := c.profiles(home)
	if err != nil {
		return err
	}
	if len(profiles) != 1 {
		return fmt.Errorf("ENGINE=%s: init looks with one browser; name one profile, such as chromium", c.Engine)
	}
	out, err := c.place()
	if err != nil {
		return err
	}
	at, err := c.aimed()
	if err != nil {
		return err
	}
	show := newProgress(os.Stdout)
	defer show.Close()
	show.Say("Crossing · init %s", at.target.Origins.Frontend)
	if _, err := ready(ctx, home, c.choices, at.target, profiles, show); err != nil {
		return err
	}
	limited, cancel := context.WithTimeoutCause(ctx, initLimit, fmt.Errorf("looking at an application may take %s, and this one took longer", initLimit))
	defer cancel()
	g, err := at.open(limited, home, c.choices, show, "", trace.NewRedactor(nil), nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, g.close()) }()
	found, looked, err := c.look(limited, g, profiles[0], show)
	if err != nil {
		if ctx.Err() == nil && limited.Err() != nil {
			err = context.Cause(limited)
		}
		return err
	}
	text, err := c.text(home, g, found, looked, out)
	if err != nil {
		return err
	}
	if err := keepNew(out, text); err != nil {
		return err
	}
	show.Close()
	fmt.Print(g.redactor.Scrub(c.told(found, looked)))
	return nil
}

// place is where the file goes, once it is known that it can.
func (c *initCommand) place() (string, error) {
	if strings.TrimSpace(c.Out) == "" {
		return "", errors.New("OUT is empty; name the file to write, such as crossing.yaml")
	}
	out, err := filepath.Abs(c.Out)
	if err != nil {
		return "", err
	}
	if info, err := os.Stat(out); err == nil && info.IsDir() {
		out = filepath.Join(out, target.DefaultName)
	}
	if _, err := os.Lstat(out); err == nil {
		return "", fmt.Errorf("OUT=%s is there already, and init overwrites nothing: move it away, or name another file by OUT", c.Out)
	}
	probe, err := os.CreateTemp(filepath.Dir(out), ".crossing-*")
	if err != nil {
		return "", fmt.Errorf("OUT=%s cannot be written (%w); name a file in a folder that is there and can be written", c.Out, plain(err))
	}
	return out, errors.Join(probe.Close(), os.Remove(probe.Name()))
}

// aimed checks the settings. Whatever crossing.yaml may lie about describes
// another application, and is not read.
func (c *initCommand) aimed() (aimed, error) {
	var out aimed
	var err error
	switch {
	case c.Config != "":
		return out, errors.New("CONFIG names a crossing.yaml, and init is to write one: leave CONFIG out; crossing diagnose looks at what a file describes")
	case len(c.Set) > 0:
		return out, errors.New("SET changes services that are started, and init starts none: leave SET out")
	case c.FrontendURL == "" || c.AuthURL == "":
		return out, errors.New("FRONTEND_URL and AUTH_URL are needed: give the addresses of an application that runs, and API_URL where there is an api")
	case (c.Email == "") != (c.Password == ""):
		return out, errors.New("EMAIL and PASSWORD belong together: give both for an account that exists, or neither to sign a new person up")
	}
	if out.access, err = target.ParseAccess(c.Resolve, c.CA); err != nil {
		return out, err
	}
	// A contract that says nothing but what every contract must.
	blank := &target.Target{File: target.File{Contract: target.Contract{Pages: target.Pages{Home: "/"}, Signature: target.SignatureNone}}}
	if out.target, err = target.At(trace.Origins{Frontend: c.FrontendURL, Auth: c.AuthURL, API: c.APIURL}, blank); err != nil {
		return out, err
	}
	out.target.Name = strings.TrimPrefix(out.target.Origins.Frontend, "https://")
	if c.Email == "" { // nobody is signed up otherwise
		if err := out.target.GuardProduction(c.AllowProduction); err != nil {
			return out, err
		}
	}
	if out.access.Bypass, err = c.bypasses().For(out.target); err != nil {
		return out, err
	}
	return out, out.access.Check(out.target)
}

// look sends a visitor through the application, and reads off what was seen.
func (c *initCommand) look(ctx context.Context, g *grounds, p browser.Profile, show *progress) (found inspect.Found, looked string, err error) {
	show.Begin("ask whether the parts are there")
	if err := lint.There(ctx, g.Edge, g.Target, g.redactor); err != nil {
		return found, "", err
	}
	show.Begin(p.Name + ": start the browser and measure what it does with cookies")
	guest := visit.Guest{Name: "init", Person: journey.NewPerson("crossing-init"), Spec: "init"}
	if c.Email != "" {
		guest.Person = journey.Person{Name: "crossing-init", Email: c.Email, Password: c.Password}
	}
	g.redactor.Learn(guest.Person.Password)
	v, err := g.Visitor(ctx, p, guest)
	if err != nil {
		return found, "", err
	}
	defer func() { err = errors.Join(err, v.Close(context.WithoutCancel(ctx))) }()
	if err := v.Open(ctx); err != nil {
		return found, "", err
	}
	seen, err := inspect.Look(ctx, v, g.Target, inspect.Options{Account: c.Email != "", Tell: func(step string) { show.Begin(p.Name + ": " + step) }})
	if err != nil {
		return found, "", err
	}
	return inspect.Infer(seen), v.Recorder.Snapshot().Browser, nil
}

// text is the file, read back as whoever uses it will read it.
func (c *initCommand) text(home checkout, g *grounds, found inspect.Found, looked, out string) (string, error) {
	schema := filepath.Join(string(home), "harness", "target", target.SchemaFile)
	if near, err := filepath.Rel(filepath.Dir(out), schema); err == nil {
		schema = near
	}
	text := g.redactor.Scrub(found.YAML(inspect.Heading{
		Schema: filepath.ToSlash(schema), Name: g.Target.Name,
		By: fmt.Sprintf("Written by crossing init, which has looked at the application with %s.", looked),
	}))
	if _, err := target.Parse(out, []byte(text)); err != nil {
		return "", fmt.Errorf("what was found makes no crossing.yaml that can be read, and nothing was written: %w", err)
	}
	return text, nil
}

// keepNew writes a file that is not there yet.
func keepNew(path, text string) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("OUT=%s has come to be there meanwhile, and init overwrites nothing: move it away, or name another file by OUT", path)
	}
	if err != nil {
		return fmt.Errorf("OUT=%s cannot be written (%w); name another file", path, plain(err))
	}
	_, err = file.WriteString(text)
	return errors.Join(err, file.Close())
}

// told is what a person reads at the end.
func (c *initCommand) told(f inspect.Found, looked string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\nFound with %s:\n", looked)
	for _, line := range f.Evidence {
		fmt.Fprintf(&b, "  %s\n", line)
	}
	if len(f.Doubts) > 0 {
		fmt.Fprintf(&b, "\nUnsure of, and marked so in the file:\n")
		for _, d := range f.Doubts {
			fmt.Fprintf(&b, "  %s: %s\n", d.Field, d)
		}
	}
	fmt.Fprintf(&b, "\nWritten: %s. Next: make diagnose CONFIG=%s", c.Out, quoted(c.Out))
	for _, named := range []struct{ setting, value string }{{"CA", c.CA}, {"RESOLVE", strings.Join(c.Resolve, " ")}} {
		if named.value != "" {
			fmt.Fprintf(&b, " %s=%s", named.setting, quoted(named.value))
		}
	}
	b.WriteString("\n")
	return b.String()
}
