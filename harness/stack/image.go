package stack

import (
	"context"
	"fmt"
	"os"

	"crossing/harness/stack/containers"
	"crossing/harness/target"
)

// DefaultBase is the image that Dockerfiles start from unless the environment
// variable BASE_IMAGE or Options.BaseImage names another.
const DefaultBase = containers.DefaultBase

// EnsureBase makes sure of the base image and returns its name: the one that
// was asked for, where it is present or can be pulled, else one made from
// Debian's packages. It tells Progress which way was taken, and why.
func EnsureBase(ctx context.Context, o Options) (string, error) {
	o.Runtime = Containers
	o, err := o.complete(ctx)
	if err != nil {
		return "", err
	}
	engine, err := containers.Connect(ctx)
	if err != nil {
		return "", err
	}
	defer engine.Close()
	name, err := ensureBase(ctx, o, engine)
	return name, scrub(o.Redactor, err)
}

// ErrNoMaker: no base image could be pulled, and mmdebstrap, which makes one
// from Debian's packages, is not installed.
var ErrNoMaker = containers.ErrNoMaker

func ensureBase(ctx context.Context, o Options, engine *containers.Engine) (string, error) {
	wanted := o.BaseImage
	if wanted == "" {
		wanted = os.Getenv("BASE_IMAGE")
	}
	return engine.EnsureBase(ctx, wanted, reporter(o))
}

// reporter shows long work of the engine as progress.
func reporter(o Options) containers.Report {
	return containers.Report{Say: o.Progress, Watch: func(what string, last func() string) func(error) {
		return watch(o.Progress, what, last)
	}}
}

// ensureImage returns the image that a service runs, pulled or built where it
// is absent.
func ensureImage(ctx context.Context, o Options, engine *containers.Engine, name string, spec target.Service, base func() (string, error)) (string, error) {
	if spec.Image != "" {
		if err := engine.EnsureImage(ctx, spec.Image, reporter(o)); err != nil {
			return "", fmt.Errorf("image of %s: %w", name, err)
		}
		return spec.Image, nil
	}
	image, err := engine.EnsureBuilt(ctx, containers.Source{
		Service: name, Directory: o.directory(spec), Dockerfile: spec.Dockerfile, Base: base,
	}, reporter(o))
	if err != nil {
		return "", fmt.Errorf("image of %s: %w", name, err)
	}
	return image, nil
}
