// Package stack starts and ends the services behind a target: as containers,
// as processes, or not at all where the target is remote. It knows nothing of
// browsers. Only this package and those below it know containers.
package stack

import (
	"context"

	"crossing/harness/target"
)

// Runtime is where services run. Containers and processes are the two.
type Runtime interface {
	// Name is "containers" or "processes".
	Name() string
	// Start runs one instance and returns once its port answers on loopback,
	// or with an error that holds the service's name, its image or command
	// and its last log lines.
	Start(ctx context.Context, l Launch) (Instance, error)
	// Run runs a command of a service to its end, such as its migrations.
	Run(ctx context.Context, l Launch, command string) error
	// Close ends all that the runtime started.
	Close(ctx context.Context) error
}

// Launch is one instance of a service with its templates filled in.
type Launch struct {
	// Name is the instance's name: "auth-2", or "api" where there is one.
	Name    string
	Service string
	Spec    target.Service
	// Environment is complete: the service's and the instance's own.
	Environment map[string]string
	// Port on loopback that the harness reaches the instance by.
	Port int
}

// Instance is a running instance.
type Instance interface {
	Name() string
	// Address is host:port on loopback.
	Address() string
	// Logs returns all that it has written so far.
	Logs(ctx context.Context) ([]byte, error)
	// Stop ends it, Restart ends and starts it with the same address.
	Stop(ctx context.Context) error
	Restart(ctx context.Context) error
}
