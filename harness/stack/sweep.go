package stack

import (
	"context"
	"errors"

	"crossing/harness/stack/containers"
	"crossing/harness/stack/owner"
)

// Sweep removes what runs left whose owner was killed: processes, temp
// folders, containers and networks. What a living owner has is not touched.
// Call it before a run starts anything; removed says what went, a line each.
func Sweep(ctx context.Context) (removed []string, err error) {
	removed, err = owner.Sweep(ctx)
	swept, engineErr := containers.Sweep(ctx)
	return append(removed, swept...), errors.Join(err, engineErr)
}

// Left says what Sweep would remove, and touches nothing.
func Left(ctx context.Context) ([]string, error) {
	found, err := owner.Left()
	engines, engineErr := containers.Left(ctx)
	return append(found, engines...), errors.Join(err, engineErr)
}
