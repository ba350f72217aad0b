package containers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/pkg/authconfig"
	"github.com/moby/moby/api/types/jsonstream"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"

	"crossing/harness/stack/processes"
)

const (
	// DefaultBase is pulled where nothing else was asked for.
	DefaultBase = "debian:trixie-slim"
	// MadeBase is the image of the same release that is made from packages.
	MadeBase = "crossing-base:trixie"
	release  = "trixie"
)

// ErrNoMaker: a base image has to be made, and the tool for it is not here.
var ErrNoMaker = errors.New("mmdebstrap is not installed")

// making is the limit for making a base from packages.
const making = 10 * time.Minute

// bases are the names and limits of getting a base image.
type bases struct {
	made string
	// answering is how long a registry may take to begin a download: behind a
	// network that swallows packets the engine alone would wait for minutes.
	answering time.Duration
	// stalled is how long a download may stand still.
	stalled time.Duration
}

var usual = bases{made: MadeBase, answering: 15 * time.Second, stalled: 60 * time.Second}

// EnsureBase returns the image that Dockerfiles are to start from: wanted (""
// means DefaultBase) where it is present or can be pulled, else one made from
// Debian's packages. It says which way was taken and why.
func (e *Engine) EnsureBase(ctx context.Context, wanted string, r Report) (string, error) {
	name := wanted
	if name == "" {
		name = DefaultBase
	}
	if present, err := e.present(ctx, name); present || err != nil {
		return name, err
	}
	made, err := e.present(ctx, e.bases.made)
	if err != nil {
		return "", err
	}
	// One made earlier serves as well as the default, and spares every run the
	// wait for a registry that was out of reach before.
	if made && wanted == "" {
		return e.bases.made, nil
	}
	why := e.pull(ctx, name, r)
	if why == nil {
		r.Say("base image: pulled " + name)
		return name, nil
	}
	if err := ctx.Err(); err != nil {
		return "", fmt.Errorf("pull %s: %w", name, err)
	}
	if made {
		r.Say(fmt.Sprintf("base image: %s, made earlier from Debian's packages, since %v", e.bases.made, why))
		return e.bases.made, nil
	}
	r.Say(fmt.Sprintf("base image: %s is made from Debian's packages, since %v", e.bases.made, why))
	if err := e.makeBase(ctx, r); err != nil {
		return "", fmt.Errorf("no base image: %w; and %w", why, err)
	}
	return e.bases.made, nil
}

// EnsureImage pulls an image that is absent.
func (e *Engine) EnsureImage(ctx context.Context, name string, r Report) error {
	if present, err := e.present(ctx, name); present || err != nil {
		return err
	}
	return e.pull(ctx, name, r)
}

func (e *Engine) present(ctx context.Context, name string) (bool, error) {
	_, err := e.imageID(ctx, name)
	if errdefs.IsNotFound(err) {
		return false, nil
	}
	return err == nil, err
}

// pull gives up on a registry that does not begin, or stands still.
func (e *Engine) pull(ctx context.Context, name string, r Report) (err error) {
	var output transcript
	done := r.Watch("pull image "+name, output.last)
	defer func() { done(err) }()
	limited, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	timer := time.AfterFunc(e.bases.answering, func() {
		cancel(fmt.Errorf("its registry did not begin to send within %s", e.bases.answering))
	})
	defer func() { timer.Stop() }()
	err = func() error {
		if err := e.pin(); err != nil {
			return err
		}
		var options client.ImagePullOptions
		// No credentials are known for most registries: that is no error.
		if _, auth, err := testcontainers.DockerImageAuth(limited, name); err == nil {
			if options.RegistryAuth, err = authconfig.Encode(auth); err != nil {
				return err
			}
		}
		stream, err := e.client.ImagePull(limited, name, options)
		if err != nil {
			return err
		}
		defer stream.Close()
		begun := false
		return output.read(stream, func(jsonstream.Message) {
			if !begun {
				begun = true
				timer.Stop()
				timer = time.AfterFunc(e.bases.stalled, func() { cancel(fmt.Errorf("the download stood still for %s", e.bases.stalled)) })
			}
			timer.Reset(e.bases.stalled)
		})
	}()
	if err == nil {
		return nil
	}
	if limited.Err() != nil {
		err = context.Cause(limited)
	}
	return fmt.Errorf("%s can't be pulled (%w)", name, err)
}

// makeBase makes a minimal Debian of the release and streams it to the engine.
func (e *Engine) makeBase(ctx context.Context, r Report) (err error) {
	tool, err := exec.LookPath("mmdebstrap")
	if err != nil {
		return fmt.Errorf("none can be made from Debian's packages, since %w; install it (make setup does where apt is), or name an image that is present in BASE_IMAGE", ErrNoMaker)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, making, fmt.Errorf("it was not made within %s", making))
	defer cancel()
	reader, writer := io.Pipe()
	defer reader.Close()
	b := &processes.Build{
		Program: []string{tool, "--variant=apt", "--include=ca-certificates", release, "-"},
		Output:  writer,
	}
	done := r.Watch("make "+e.bases.made+" with mmdebstrap", b.Last)
	defer func() { done(err) }()
	made := make(chan error, 1)
	go func() {
		err := b.Run(ctx)
		// An archive that was cut short must not become an image.
		writer.CloseWithError(err)
		made <- err
	}()
	result, err := e.client.ImageImport(ctx, client.ImageImportSource{Source: reader, SourceName: "-"}, e.bases.made, client.ImageImportOptions{
		Changes: []string{"ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", `CMD ["/bin/bash"]`},
		Message: "made from Debian's packages",
	})
	if err == nil {
		var output transcript
		err = errors.Join(output.read(result, nil), result.Close())
	}
	reader.CloseWithError(err)
	if failed := <-made; failed != nil {
		err = failed
	}
	if err != nil {
		return fmt.Errorf("make %s from Debian's packages: %w", e.bases.made, err)
	}
	return nil
}
