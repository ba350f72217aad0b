package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"crossing/harness/stack"
	"crossing/harness/stack/owner"
)

// downCommand takes a kept stack down.
type downCommand struct{}

// leaving is how long a keeper may take: a stack has 30 s to be taken down.
const leaving = 40 * time.Second

// Run is kong's entry.
func (downCommand) Run(ctx context.Context) error {
	home, err := findCheckout()
	if err != nil {
		return err
	}
	kept, err := stack.ReadKept(home.keptFile())
	if err != nil {
		return err
	}
	keeper, alive := home.keeper()
	if !alive && kept != nil {
		keeper, alive = kept.Keeper, !kept.Keeper.Dead()
	}
	show := newProgress(os.Stdout)
	defer show.Close()
	began := time.Now()
	if alive {
		show.Begin("take the stack down")
		if err := end(ctx, keeper); err != nil {
			return err
		}
	}
	// What a killed keeper has left has no owner any more.
	removed, err := stack.Sweep(ctx)
	for _, line := range removed {
		show.Say("  swept: %s", line)
	}
	if err := errors.Join(err, home.forget()); err != nil {
		return err
	}
	show.Close()
	switch {
	case kept != nil:
		fmt.Printf("The stack is down: %s (%.1f s).\n", told(kept), time.Since(began).Seconds())
	case alive:
		fmt.Printf("The stack that was being started is down (%.1f s).\n", time.Since(began).Seconds())
	default:
		fmt.Println("Nothing is up: no stack is kept.")
	}
	return nil
}

// end asks a keeper to take its stack down, and waits until it has; one that
// does not is killed, and the sweep takes the rest.
func end(ctx context.Context, keeper owner.Owner) error {
	if err := syscall.Kill(keeper.PID, syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("end the stack's keeper, process %d: %w", keeper.PID, err)
	}
	killed := false
	limit := time.Now().Add(leaving)
	for !keeper.Dead() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().Before(limit) {
			continue
		}
		if killed {
			return fmt.Errorf("process %d, the stack's keeper, cannot be ended", keeper.PID)
		}
		killed, limit = true, time.Now().Add(dying)
		_ = syscall.Kill(keeper.PID, syscall.SIGKILL)
	}
	return nil
}
