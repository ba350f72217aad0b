package stack

import (
	"context"
	"fmt"

	"crossing/harness/stack/containers"
)

// Choose picks a runtime by name: "containers", "processes", or "" and "auto"
// for containers where a Docker engine answers and processes where none does.
// why is one sentence for the user. A runtime that was named is never replaced
// by the other.
func Choose(ctx context.Context, name string) (kind, why string, err error) {
	switch name {
	case Processes:
		return Processes, "services run as processes, as asked", nil
	case Containers:
		engine, err := containers.Find(ctx)
		if err != nil {
			return "", "", fmt.Errorf("run services as containers: %w; start an engine (make setup DOCKER=1 installs and starts one where it can), point DOCKER_HOST at one, or run with the processes runtime (RUNTIME=processes)", err)
		}
		return Containers, fmt.Sprintf("services run as containers, as asked: %s answered", engine), nil
	case "", "auto":
		engine, err := containers.Find(ctx)
		if err != nil {
			return Processes, fmt.Sprintf("services run as processes: %v", err), nil
		}
		return Containers, fmt.Sprintf("services run as containers: %s answered", engine), nil
	}
	return "", "", fmt.Errorf("unknown runtime %q; allowed: auto, containers, processes", name)
}
