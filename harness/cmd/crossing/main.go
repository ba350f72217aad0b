// Command crossing runs the suites on an application, and sets up what they
// need. Exit status: 0 passed, 1 a session was lost or a spec failed, 2 it
// could not be judged: bad input, missing parts, a stack that does not start.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// Exit statuses.
const (
	exitFailed  = 1
	exitUnready = 2
)

// endings are the signals that ask a run to end: Ctrl-C, kill, a terminal that
// was closed.
var endings = []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP}

// errInterrupted ends the command with exitUnready.
var errInterrupted = errors.New("interrupted; everything was taken down, and earlier reports are as they were")

// errNothingJudged ends the command with exitUnready; why has been printed.
var errNothingJudged = errors.New("nothing was judged")

// errFailed ends the command with exitFailed; what failed has been printed.
var errFailed = errors.New("failed")

// commands are what a person can type; the environment stands in for flags, so
// that make can hand its variables on.
type commands struct {
	Run      runCommand      `cmd:"" default:"withargs" help:"Run the suites on an application: set up, start its services, drive the browsers, judge, take everything down."`
	Flake    flakeCommand    `cmd:"" help:"Run the same specs again and again, in random order and on a busy machine, until they fail."`
	Up       upCommand       `cmd:"" help:"Start the services and leave them up, for open, watch and later runs."`
	Down     downCommand     `cmd:"" help:"Take down what up has started."`
	Open     openCommand     `cmd:"" help:"Open a window on the application, and tell every exchange, and why a session is lost, as a person clicks."`
	Watch    watchCommand    `cmd:"" help:"Run the specs of each file that is saved, on services that stay up."`
	Doctor   doctorCommand   `cmd:"" help:"Say what a run would find on this machine, what is missing, and the command that mends it."`
	Keep     keepCommand     `cmd:"" hidden:""`
	Setup    setupCommand    `cmd:"" help:"Install what is missing on this machine, build the services, make their images."`
	Preview  previewCommand  `cmd:"" help:"Run the session suite on deployed previews, by their addresses; nothing is started."`
	Init     initCommand     `cmd:"" help:"Write a first crossing.yaml by looking at an application that runs, and say what could not be told for certain."`
	Diagnose diagnoseCommand `cmd:"" help:"Walk the journeys once on an application, or a deployment, and say what became of the session."`
	Lint     lintCommand     `cmd:"" help:"Check an application, or a deployment, by HTTP alone, before any browser starts."`
	Engines  enginesCommand  `cmd:"" help:"Measure what each browser really does with cookies that cross sites; no service is started."`
	Explain  explainCommand  `cmd:"" help:"Explain a saved trace again, offline."`
	Report   reportCommand   `cmd:"" help:"Render saved results again as a page, and merge those of several runs."`
	Test     testCommand     `cmd:"" help:"Run the project's own tests (for those who change Crossing)."`
	Bench    benchCommand    `cmd:"" help:"Measure Crossing itself: its speed and memory, against goals (for those who change Crossing)."`
	Sweep    sweepCommand    `cmd:"" help:"Remove what killed runs have left behind."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), endings...)
	defer stop()
	os.Exit(run(ctx, os.Args[1:]))
}

func run(ctx context.Context, args []string) int {
	var c commands
	parser, err := kong.New(&c, kong.Name("crossing"), kong.UsageOnError(),
		kong.Description("End-to-end tests of sessions that cross domains. When a session is lost, it names the cause."),
		kong.BindTo(ctx, (*context.Context)(nil)))
	if err != nil {
		fmt.Fprintln(os.Stderr, "crossing:", err)
		return exitUnready
	}
	forgetEmpty(parser.Model)
	chosen, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintln(os.Stderr, "crossing:", mistake(parser.Model, err))
		return exitUnready
	}
	err = chosen.Run(ctx)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errFailed):
		return exitFailed
	case errors.Is(err, errNothingJudged):
		return exitUnready
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		err = errInterrupted
	}
	fmt.Fprintln(os.Stderr, "crossing:", err)
	return exitUnready
}
