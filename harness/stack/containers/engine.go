// Package containers runs services as containers of a local Docker engine:
// testcontainers-go starts them, the engine's own interface does the rest. It
// needs no docker command. All that it makes carries labels that name the run
// and its owner, by which the next run sweeps what a killed one left.
package containers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/log"

	"crossing/harness/stack/owner"
)

// answering is how long all engines together may take to answer a ping.
const answering = 2 * time.Second

// Engine is a Docker engine that has answered.
type Engine struct {
	host    string
	version string
	client  *client.Client
	bases   bases
}

// Find asks the engines that may be there and describes the first that
// answers: "Docker engine (API 1.41) at unix:///var/run/docker.sock". Where
// DOCKER_HOST is set, only that one counts.
func Find(ctx context.Context) (string, error) {
	e, err := Connect(ctx)
	if err != nil {
		return "", err
	}
	defer e.Close()
	return e.String(), nil
}

// Connect returns the first engine that answers. Close it.
func Connect(ctx context.Context) (*Engine, error) {
	limited, cancel := context.WithTimeoutCause(ctx, answering, fmt.Errorf("no answer within %s", answering))
	defer cancel()
	if host := os.Getenv("DOCKER_HOST"); host != "" {
		e, err := connect(limited, host)
		if err != nil {
			return nil, fmt.Errorf("the Docker engine that DOCKER_HOST=%s names can't be used: %w", host, err)
		}
		return e, nil
	}
	var errs []error
	for _, socket := range sockets() {
		if _, err := os.Stat(socket); err != nil {
			continue
		}
		e, err := connect(limited, "unix://"+socket)
		if err == nil {
			return e, nil
		}
		errs = append(errs, err)
	}
	if len(errs) == 0 {
		return nil, fmt.Errorf("no Docker engine answers: DOCKER_HOST is not set, and there is no socket %s", strings.Join(sockets(), ", "))
	}
	return nil, fmt.Errorf("no Docker engine answers: %w", errors.Join(errs...))
}

// sockets are where engines listen: Docker's own, rootless, and the usual
// products of a desktop.
func sockets() []string {
	all := []string{"/var/run/docker.sock"}
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" {
		all = append(all, filepath.Join(dir, "docker.sock"))
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return all
	}
	for _, below := range []string{".docker/run", ".docker/desktop", ".colima/default", ".orbstack/run", ".rd"} {
		all = append(all, filepath.Join(home, below, "docker.sock"))
	}
	return all
}

func connect(ctx context.Context, host string) (*Engine, error) {
	if err := local(host); err != nil {
		return nil, err
	}
	c, err := client.New(client.FromEnv, client.WithHost(host))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", host, err)
	}
	ping, err := c.Ping(ctx, client.PingOptions{})
	if err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			err = context.Cause(ctx)
		}
		return nil, errors.Join(fmt.Errorf("%s: %w", host, err), c.Close())
	}
	return &Engine{host: host, version: ping.APIVersion, client: c, bases: usual}, nil
}

// local refuses engines of other machines: they publish ports on their own
// loopback, where nothing here reaches them.
func local(host string) error {
	u, err := url.Parse(host)
	if err != nil || u.Scheme == "" {
		return fmt.Errorf("%q is no address; write one such as unix:///var/run/docker.sock", host)
	}
	if u.Scheme == "unix" {
		return nil
	}
	ip := net.ParseIP(u.Hostname())
	if (u.Scheme == "tcp" || u.Scheme == "http") && (u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()) {
		return nil
	}
	return fmt.Errorf("%s is another machine's, whose services can't be reached on this one's loopback; name a local one, such as unix:///var/run/docker.sock", host)
}

// String says which engine it is.
func (e *Engine) String() string {
	return fmt.Sprintf("Docker engine (API %s) at %s", e.version, e.host)
}

// Close ends the connection.
func (e *Engine) Close() { _ = e.client.Close() }

// pin makes testcontainers-go use this very engine, and leave removal to this
// package. It reads its settings once per process, from the environment only.
func (e *Engine) pin() error {
	self := owner.Self()
	for name, value := range map[string]string{
		// Else it may fall back to another engine without a word.
		"DOCKER_HOST": e.host,
		// Inside a container it would look for published ports on a gateway.
		"TESTCONTAINERS_HOST_OVERRIDE": "127.0.0.1",
		// Ryuk, its reaper, needs an image from a public registry and a
		// privileged look at the engine. Labels and Sweep do its work.
		"TESTCONTAINERS_RYUK_DISABLED": "true",
		// Its default is shared by all that one shell starts: another
		// project's reaper would take these containers for its own.
		"TESTCONTAINERS_SESSION_ID": fmt.Sprintf("crossing-%d-%s", self.PID, self.Start),
	} {
		if err := os.Setenv(name, value); err != nil {
			return fmt.Errorf("set %s: %w", name, err)
		}
	}
	log.SetDefault(log.NewNoopLogger())
	return nil
}

// provider is testcontainers-go on this very engine.
func (e *Engine) provider() (*testcontainers.DockerProvider, error) {
	if err := e.pin(); err != nil {
		return nil, err
	}
	p, err := testcontainers.NewDockerProvider()
	if err != nil {
		return nil, fmt.Errorf("use the engine at %s: %w", e.host, err)
	}
	if used := p.Client().DaemonHost(); used != e.host {
		return nil, errors.Join(fmt.Errorf("%s answered, but testcontainers-go insists on %s; remove tc.host from ~/.testcontainers.properties or set DOCKER_HOST=%s", e.host, used, used), p.Close())
	}
	return p, nil
}
