// Package unit holds the words that the stack and its runtimes share: what is
// to be started, and what then runs. It starts nothing itself.
package unit

import (
	"bytes"
	"context"
	"strings"

	"crossing/harness/target"
)

// Runtime is where services run. Containers and processes are the two.
type Runtime interface {
	// Name is "containers" or "processes".
	Name() string
	// Seen says how an instance will see itself and how its fellows will see
	// it, before anything runs; port is the one on loopback.
	Seen(name string, spec target.Service, port int) Seen
	// Start starts one instance and returns once it exists. Whether it can be
	// used is for the caller to ask.
	Start(ctx context.Context, l Launch) (Instance, error)
	// Run runs a command of a service to its end, such as its migrations. Its
	// error holds how it ended and the last lines of its output.
	Run(ctx context.Context, l Launch, command string) error
	// Close ends all that the runtime started, however far it had come.
	Close(ctx context.Context) error
}

// Seen is what templates are filled in with.
type Seen struct {
	Host    string // to listen on
	Port    int    // to listen on
	Address string // host:port for fellow services
	Data    string // a folder for its data
}

// Launch is one instance of a service with its templates filled in.
type Launch struct {
	// Name is the instance's name: "auth-2", or "api" where there is one.
	Name    string
	Service string
	Spec    target.Service
	// Directory is the service's folder, absolute; Image the image to run.
	Directory string
	Image     string
	// Command starts a process. A container runs its image's own.
	Command string
	// Environment is complete: the service's and the instance's own.
	Environment map[string]string
	// Port on loopback that the harness reaches the instance by. Release
	// gives it free, as late as possible; nil if it is free.
	Port    int
	Release func()
}

// What names the launch in an error: service, and image or command.
func (l Launch) What() string {
	if l.Image != "" {
		return l.Name + " (image " + l.Image + ")"
	}
	return l.Name + " (" + l.Command + ")"
}

// Instance is what a runtime has started.
type Instance interface {
	Name() string
	// Address is host:port on loopback.
	Address() string
	// Logs returns what it has written so far, at most the last LogLimit bytes.
	Logs(ctx context.Context) ([]byte, error)
	// Source says where another process of the run finds these logs: a file,
	// or a container's id.
	Source() Source
	// Ended is closed once it has ended; Fate then says how.
	Ended() <-chan struct{}
	Fate() string
	// Stop ends it; Restart ends and starts it with the same address.
	Stop(ctx context.Context) error
	Restart(ctx context.Context) error
}

// Source is where logs are: one of the two.
type Source struct {
	File      string `json:"file,omitempty"`
	Container string `json:"container,omitempty"`
}

// LogLimit is how much of an instance's output is ever returned, in bytes.
const LogLimit = 4 << 20

// Tail returns the last lines of an output, each indented, for an error.
func Tail(output []byte, lines int) string {
	text := strings.TrimRight(string(bytes.ToValidUTF8(output, []byte("?"))), "\n\r \t")
	if text == "" {
		return "\n  (it wrote nothing)"
	}
	all := strings.Split(text, "\n")
	if len(all) > lines {
		all = all[len(all)-lines:]
	}
	return "\n  | " + strings.Join(all, "\n  | ")
}
