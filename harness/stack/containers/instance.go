package containers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"

	"crossing/harness/stack/unit"
)

// patience is how long a service may take to end once asked to; then the
// engine kills it.
const patience = 5 * time.Second

// instance is one container.
type instance struct {
	launch    unit.Launch
	runtime   *Runtime
	container testcontainers.Container

	turn sync.Mutex // one Stop or Restart at a time

	mu    sync.Mutex
	ended chan struct{}
}

func (i *instance) Name() string { return i.launch.Name }

func (i *instance) Address() string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(i.launch.Port))
}

func (i *instance) id() string { return i.container.GetContainerID() }

func (i *instance) Source() unit.Source { return unit.Source{Container: i.id()} }

func (i *instance) Logs(ctx context.Context) ([]byte, error) {
	return i.runtime.engine.logs(ctx, i.id())
}

// ReadLog returns what a container has written so far, at most unit.LogLimit
// bytes, from any process.
func ReadLog(ctx context.Context, id string) ([]byte, error) {
	e, err := Connect(ctx)
	if err != nil {
		return nil, err
	}
	defer e.Close()
	return e.logs(ctx, id)
}

func (e *Engine) logs(ctx context.Context, id string) ([]byte, error) {
	stream, err := e.client.ContainerLogs(ctx, id, client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true})
	if err != nil {
		return nil, fmt.Errorf("read a container's output: %w", err)
	}
	defer stream.Close()
	var end window
	if _, err := stdcopy.StdCopy(&end, &end, stream); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read a container's output: %w", err)
	}
	return end.Bytes(), nil
}

// window keeps the last unit.LogLimit bytes.
type window struct{ bytes.Buffer }

func (w *window) Write(p []byte) (int, error) {
	n, err := w.Buffer.Write(p)
	if over := w.Len() - unit.LogLimit; over > 0 {
		w.Next(over)
	}
	return n, err
}

func (i *instance) Ended() <-chan struct{} {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.ended
}

// Fate says how the container ended.
func (i *instance) Fate() string {
	_, text := i.state()
	return text
}

func (i *instance) state() (status int, text string) {
	ctx, cancel := uncut(context.Background())
	defer cancel()
	seen, err := i.runtime.engine.client.ContainerInspect(ctx, i.id(), client.ContainerInspectOptions{})
	if err != nil {
		return -1, "its container is gone: " + err.Error()
	}
	state := seen.Container.State
	text = fmt.Sprintf("it ended with exit status %d", state.ExitCode)
	if state.OOMKilled {
		text += ", killed for want of memory"
	}
	if state.Error != "" {
		text += ": " + state.Error
	}
	return state.ExitCode, text
}

func (i *instance) start(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	limited, cancel := uncut(ctx)
	defer cancel()
	if err := i.container.Start(limited); err != nil {
		return err
	}
	ended := make(chan struct{})
	i.mu.Lock()
	i.ended = ended
	i.mu.Unlock()
	// The wait is a request that stays open; it ends with the container.
	wait := i.runtime.engine.client.ContainerWait(context.WithoutCancel(ctx), i.id(), client.ContainerWaitOptions{Condition: container.WaitConditionNotRunning})
	go func() {
		select {
		case <-wait.Result:
		case <-wait.Error: // the container was removed, or the engine has ended
		}
		close(ended)
	}()
	return nil
}

// Stop asks the container to end; the engine kills it when it does not in time.
func (i *instance) Stop(ctx context.Context) error {
	i.turn.Lock()
	defer i.turn.Unlock()
	limit := patience
	if err := i.container.Stop(ctx, &limit); err != nil {
		return fmt.Errorf("stop %s: %w", i.launch.What(), err)
	}
	return nil
}

// Restart ends the container and starts it again on the same port.
func (i *instance) Restart(ctx context.Context) error {
	if err := i.Stop(ctx); err != nil {
		return err
	}
	i.turn.Lock()
	defer i.turn.Unlock()
	if err := i.start(ctx); err != nil {
		return fmt.Errorf("restart %s: %w", i.launch.What(), err)
	}
	return nil
}

func (i *instance) remove(ctx context.Context) error {
	ctx, cancel := uncut(ctx)
	defer cancel()
	if err := i.container.Terminate(ctx, testcontainers.StopTimeout(0)); err != nil {
		return fmt.Errorf("remove the container of %s: %w", i.launch.What(), err)
	}
	return nil
}
