package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"crossing/harness/stack"
	"crossing/harness/target"
	"crossing/harness/trace"
	"crossing/harness/visit"
)

// aim is what diagnose and lint look at: an application that is started, or
// one that is deployed.
type aim struct {
	FrontendURL string   `env:"FRONTEND_URL" name:"frontend" placeholder:"URL" help:"Frontend of a deployment; with AUTH_URL it is looked at as it is, and nothing is started."`
	AuthURL     string   `env:"AUTH_URL" name:"auth" placeholder:"URL" help:"Auth service of the deployment."`
	APIURL      string   `env:"API_URL" name:"api" placeholder:"URL" help:"Api of the deployment; without one, tokens are not tried out."`
	Email       string   `env:"EMAIL" placeholder:"ADDRESS" help:"Sign in with this account instead of signing new people up."`
	Password    string   `env:"PASSWORD" placeholder:"WORD" help:"The account's password."`
	Resolve     []string `env:"RESOLVE" sep:" " placeholder:"HOST=ADDRESS" help:"Connect to ADDRESS (or ADDRESS:PORT) for HOST, as curl's --resolve."`
	Bypass      string   `env:"VERCEL_AUTOMATION_BYPASS_SECRET" name:"bypass" placeholder:"SECRET" help:"Secret that opens protected deployments; it goes to the deployment's own origins alone. Better in the environment than typed."`
	BypassWeb   string   `env:"FRONTEND_BYPASS_SECRET" name:"frontend-bypass" placeholder:"SECRET" help:"The frontend's, where each project has its own."`
	BypassAuth  string   `env:"AUTH_BYPASS_SECRET" name:"auth-bypass" placeholder:"SECRET" help:"The auth service's."`
	BypassAPI   string   `env:"API_BYPASS_SECRET" name:"api-bypass" placeholder:"SECRET" help:"The api's."`
	CA          string   `env:"CA" name:"ca" placeholder:"FILE" help:"Trust this authority (PEM) instead of the system's, as curl's --cacert. Certificates are always verified."`
	Set         []string `env:"SET" sep:" " placeholder:"SERVICE.NAME=VALUE" help:"Change the environment of a service that is started, such as auth.COOKIE_PARTITIONED=false."`
}

// aimed is an aim that was checked.
type aimed struct {
	target *target.Target
	access target.Access
	set    map[string]map[string]string
}

func (a aim) bypasses() target.Bypasses {
	return target.Bypasses{All: a.Bypass, Frontend: a.BypassWeb, Auth: a.BypassAuth, API: a.BypassAPI}
}

// deployed says whether addresses were given.
func (a aim) deployed() bool { return a.FrontendURL != "" || a.AuthURL != "" || a.APIURL != "" }

// check reads everything, and starts nothing.
func (a aim) check(c choices, home checkout) (aimed, error) {
	out, err := a.read(c, home)
	if err != nil {
		return out, err
	}
	return out, a.accessed(out)
}

// accessed checks RESOLVE and CA, which are for deployments, against all that
// is looked at.
func (a aim) accessed(all ...aimed) error {
	var targets []*target.Target
	started := true
	for _, at := range all {
		targets = append(targets, at.target)
		started = started && !at.target.Remote()
	}
	if started && (len(a.Resolve) > 0 || a.CA != "") {
		return errors.New("RESOLVE and CA are for deployments; services that are started are reached on this machine: leave them out, or give FRONTEND_URL and AUTH_URL")
	}
	return all[0].access.Check(targets...)
}

// read checks each setting but the hosts of RESOLVE, which may be another
// target's.
func (a aim) read(c choices, home checkout) (aimed, error) {
	var out aimed
	var err error
	if (a.Email == "") != (a.Password == "") {
		return out, errors.New("EMAIL and PASSWORD belong together: give both for an account that exists, or neither to sign a new person up")
	}
	if out.access, err = target.ParseAccess(a.Resolve, a.CA); err != nil {
		return out, err
	}
	switch {
	case a.deployed() && len(a.Set) > 0:
		return out, errors.New("SET changes services that are started; a deployment has its own settings: leave SET out, or the addresses")
	case a.deployed():
		out.target, err = a.deployment(c)
	default:
		out.target, err = c.load(home)
	}
	if err != nil {
		return out, err
	}
	if out.set, err = out.target.ParseSet(a.Set); err != nil {
		return out, err
	}
	if out.target.Remote() { // secrets that a CI job has for all of its jobs are nobody's mistake elsewhere
		out.access.Bypass, err = a.bypasses().For(out.target)
	}
	return out, err
}

// deployment has the contract of the file that was named, or of the one in
// this folder; elsewhere the preset's, since the reference application's pages
// are nobody else's.
func (a aim) deployment(c choices) (*target.Target, error) {
	origins := trace.Origins{Frontend: a.FrontendURL, Auth: a.AuthURL, API: a.APIURL}
	path := c.Config
	if path == "" {
		if _, err := os.Stat(target.DefaultName); err != nil {
			return target.At(origins, nil)
		}
		path = target.DefaultName
	}
	like, err := target.Load(path)
	if err != nil {
		return nil, err
	}
	return target.At(origins, like)
}

// grounds are a target that can be visited and asked; close takes everything
// down that was started for it.
type grounds struct {
	*visit.Ground
	redactor *trace.Redactor
	undoing
}

// open starts what is not deployed, and an edge before it. starting changes
// how the stack is started; nil: nothing does.
func (a aimed) open(ctx context.Context, home checkout, c choices, show *progress, runtime string, redactor *trace.Redactor, starting func(*stack.Options)) (g *grounds, err error) {
	g = &grounds{redactor: redactor}
	defer func() {
		if err != nil {
			err = errors.Join(err, g.close())
		}
	}()
	run, err := stack.NewRun()
	if err != nil {
		return g, err
	}
	g.later(run.Close)
	// Drivers that start browsers inherit it: by it a later run finds what a
	// killed command has left.
	name, value, _ := strings.Cut(run.Environment(), "=")
	if err := os.Setenv(name, value); err != nil {
		return g, err
	}
	o := visit.Options{
		Target: a.target, Access: a.access, Redactor: g.redactor, Run: run,
		Settings: target.Settings{StateDir: home.state(), Executables: c.executables(), Elsewhere: c.found, Headed: c.Headed},
	}
	if a.target.Remote() {
		o.Pace = home.pace(a.target)
	} else {
		show.Begin("start the services as " + runtime)
		options := stack.Options{
			Dir: a.target.Dir, File: a.target.File, Runtime: runtime, StateDir: home.state(), BaseImage: c.BaseImage,
			Run: run, Redactor: g.redactor, Environment: a.set, Progress: show.Note,
		}
		if starting != nil {
			starting(&options)
		}
		if o.Stack, err = stack.Up(ctx, options); err != nil {
			return g, err
		}
		g.later(func() error { return o.Stack.Down(context.WithoutCancel(ctx)) })
	}
	if g.Ground, err = visit.New(ctx, o); err != nil {
		return g, fmt.Errorf("open an edge before %s: %w", a.target.Name, err)
	}
	g.later(g.Ground.Close)
	return g, nil
}

// undoing ends what was started, in reverse.
type undoing []func() error

func (u *undoing) later(end func() error) { *u = append(*u, end) }

// close ends all of it, once.
func (u *undoing) close() error {
	var errs []error
	for i := len(*u) - 1; i >= 0; i-- {
		errs = append(errs, (*u)[i]())
	}
	*u = nil
	return errors.Join(errs...)
}
