package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"crossing/harness/browser"
	"crossing/harness/journey"
	"crossing/harness/stack"
	"crossing/harness/target"
	"crossing/harness/trace"
	"crossing/harness/visit"
)

// openCommand opens a window on the application for a person to click in, and
// tells in the terminal what passes.
type openCommand struct {
	Config    string `env:"CONFIG" placeholder:"PATH" help:"crossing.yaml of the application; default: the one in this folder, else the reference application's."`
	Engine    string `env:"ENGINE" default:"chromium" placeholder:"NAME" help:"The browser: chromium, chromium-allow, webkit, webkit-default, webkit-allow or firefox."`
	Runtime   string `env:"RUNTIME" default:"auto" help:"Where services run, if no stack is kept: containers, processes, or auto."`
	Chromium  string `env:"CHROMIUM" placeholder:"FILE" help:"Chromium to use; default: Playwright's own build where installed, else the system's."`
	WebKit    string `env:"WEBKIT" name:"webkit" placeholder:"FILE" help:"MiniBrowser to use; default: Playwright's own WebKit where installed, else the system's WebKitGTK."`
	Firefox   string `env:"FIREFOX" placeholder:"FILE" help:"Firefox to use; default: the system's."`
	BaseImage string `env:"BASE_IMAGE" placeholder:"IMAGE" help:"Image that Dockerfiles build from, if no stack is kept."`
	Out       string `env:"OUT" default:"reports/out" placeholder:"DIR" help:"Where the trace is saved, in its folder visits."`
}

func (c openCommand) choices() choices {
	return choices{Config: c.Config, Engine: c.Engine, Runtime: c.Runtime, Chromium: c.Chromium, WebKit: c.WebKit,
		Firefox: c.Firefox, BaseImage: c.BaseImage, Headed: true}
}

// Run is kong's entry.
func (c *openCommand) Run(ctx context.Context) error {
	profile, err := c.profile()
	if err != nil {
		return err
	}
	if err := needDisplay(); err != nil {
		return err
	}
	chosen := c.choices()
	p, err := planned(&chosen)
	if err != nil {
		return err
	}
	p.profiles = []browser.Profile{profile}
	folder := filepath.Join(c.Out, "visits")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("OUT=%s: the trace cannot be saved there (%w); name a folder that can be written", c.Out, plain(err))
	}
	show := newProgress(os.Stdout)
	defer show.Close()
	show.Say("Crossing · %s · %s in a window", p.target.Name, profile.Name)
	if err := p.adopt(ctx, chosen, show); err != nil {
		return err
	}
	if err := prepare(ctx, p.home, chosen, p, show, false); err != nil {
		return err
	}
	show.Say("  %s", p.why)
	w := &window{plan: p, choices: chosen, profile: profile, show: show, redactor: trace.NewRedactor(nil),
		file: filepath.Join(folder, profile.Name+"-"+time.Now().UTC().Format("20060102T150405")+".json")}
	return w.serve(ctx)
}

// profile is the one that ENGINE names.
func (c openCommand) profile() (browser.Profile, error) {
	var names []string
	for _, p := range browser.Profiles() {
		if p.Name == c.Engine {
			return p, nil
		}
		names = append(names, p.Name)
	}
	return browser.Profile{}, fmt.Errorf("ENGINE=%s: a window shows one browser; allowed: %s", c.Engine, strings.Join(names, ", "))
}

// needDisplay says so where no window could be seen.
func needDisplay() error {
	if runtime.GOOS != "linux" || os.Getenv("DISPLAY") != "" || os.Getenv("WAYLAND_DISPLAY") != "" {
		return nil
	}
	return errors.New("a window needs a display, and neither DISPLAY nor WAYLAND_DISPLAY is set: type it in a desktop session or, to look on from elsewhere, start one (Xvfb :7 & export DISPLAY=:7)")
}

// window is a person's browser while it is open.
type window struct {
	plan     *plan
	choices  choices
	profile  browser.Profile
	show     *progress
	redactor *trace.Redactor
	file     string

	run     stack.Run
	stack   *stack.Stack
	visitor *visit.Visitor
}

// serve opens the window and stays until it is closed. Everything that it
// started is down when it returns.
func (w *window) serve(ctx context.Context) (err error) {
	if w.run, err = stack.NewRun(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.run.Close()) }()
	// Browsers inherit the marker, by which a later run finds what is left of
	// this one if it is killed.
	name, value, _ := strings.Cut(w.run.Environment(), "=")
	if err := os.Setenv(name, value); err != nil {
		return err
	}
	if err := w.services(ctx); err != nil {
		return err
	}
	if w.stack != nil {
		defer func() { err = errors.Join(err, w.stack.Down(ctx)) }()
	}
	w.show.Begin("start " + w.profile.Name + ", and measure what it does with cookies")
	ground, err := visit.New(ctx, visit.Options{
		Target: w.plan.target, Settings: w.settings(), Stack: w.stack, Redactor: w.redactor, Run: w.run, Started: w.started,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ground.Close()) }()
	w.visitor, err = ground.Visitor(ctx, w.profile, visit.Guest{Name: "you", Person: w.person(), Spec: "crossing open"})
	if w.visitor != nil {
		// The browser may have gone before: a window that was closed is no error.
		defer func() { _ = w.visitor.Close(context.WithoutCancel(ctx)) }()
	}
	if err != nil {
		return err
	}
	if err := w.visitor.Open(ctx); err != nil {
		return err
	}
	return w.look(ctx)
}

func (w *window) settings() target.Settings {
	return target.Settings{
		Config: w.plan.target.Path, Executables: w.choices.executables(), StateDir: w.plan.home.state(),
		Headed: true,
	}
}

// services adopts the kept stack, or starts one for as long as the window is
// open; a deployed target has none.
func (w *window) services(ctx context.Context) (err error) {
	switch p := w.plan; {
	case p.target.Remote():
	case p.kept != nil:
		w.stack = stack.Adopt(p.kept.Handover, w.redactor)
	default:
		w.show.Wait("start the stack", time.Now())
		w.stack, err = stack.Up(ctx, stack.Options{
			Dir: p.target.Dir, File: p.target.File, Runtime: p.runtime, StateDir: p.home.state(), BaseImage: w.choices.BaseImage,
			Run: w.run, Redactor: w.redactor, Progress: func(text string) { w.show.Say("  · %s", text) },
		})
	}
	return err
}

// person is the kept stack's, or one who has not signed up yet.
func (w *window) person() journey.Person {
	if w.plan.kept == nil || w.plan.kept.Person == nil {
		return journey.NewPerson("you")
	}
	kept := w.plan.kept.Person
	w.redactor.Learn(kept.Password)
	return journey.Person{Name: kept.Name, Email: kept.Email, Password: kept.Password}
}

func (w *window) started(b browser.Browser, c trace.Capability) {
	v := b.Version()
	w.show.Say("  %s (%s): third-party cookie kept: %s, Partitioned kept: %s, isolated: %s", v.Browser, v.Found, c.ThirdParty, c.Partitioned, c.Isolated)
}

// closed says how often is asked whether the window is still open.
const closed = 300 * time.Millisecond

// look tells what passes until the window is closed, or Ctrl-C; neither is an
// error.
func (w *window) look(ctx context.Context) error {
	w.welcome()
	telling, stop := context.WithCancel(context.Background())
	live := newLive(w.show, w.plan.target.Contract, w.visitor)
	told := make(chan struct{})
	go func() {
		defer close(told)
		live.follow(telling)
	}()
	home := w.plan.target.Origins.Frontend + w.plan.target.Contract.Pages.Home
	err := w.visitor.Page.Goto(ctx, home)
	if err == nil || errors.Is(err, browser.ErrNotArrived) {
		err = w.stay(ctx)
	}
	stop()
	<-told
	if ctx.Err() != nil || errors.Is(err, browser.ErrDead) {
		err = nil
	}
	if saving := w.visitor.Recorder.Save(w.file); saving != nil {
		return errors.Join(err, saving)
	}
	w.show.Say("The window is closed. Its trace is %s; to explain it again:\n  %s explain %s",
		relative(w.file), relative(filepath.Join(w.plan.home.state(), "bin", "crossing")), relative(w.file))
	return err
}

// stay waits for the window's end.
func (w *window) stay(ctx context.Context) error {
	tick := time.NewTicker(closed)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if n, err := w.visitor.Session.Tabs(ctx); err != nil || n == 0 {
			return err
		}
	}
}

func (w *window) welcome() {
	o := w.plan.target.Origins
	w.show.Say("\n  The window shows %s; auth is %s, the api %s. Its cookie policy (%s) was proved by a control.", o.Frontend, o.Auth, o.API, w.profile.Policy)
	who := w.visitor.Person
	if w.plan.kept != nil && w.plan.kept.Person != nil {
		w.show.Say("  Sign in as %s, password %s, or sign up.", who.Email, who.Password)
	} else {
		w.show.Say("  Sign up as whoever you like.")
	}
	w.show.Say("  Close the window, or type Ctrl-C here, to end.\n")
	w.show.Wait("", time.Now()) // the person is not waited for
}
