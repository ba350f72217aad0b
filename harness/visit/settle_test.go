package visit

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	settledList = "00000000000000000000000000000001 01 80 10 80       lo\nfe80000000000000041bfffffeca38f7 12 40 20 80 veth2814e6e\n"
	trialLine   = "fe80000000000000041bfffffeca38f8 13 40 20 c0 vethe845c81\n"
	refusedLine = "fe80000000000000041bfffffeca38f9 14 40 20 c8 veth5d96dcc\n"
)

// An address on trial is waited for; one that was refused, and one that
// counts, is not.
func TestSettleWaitsForAddressesOnTrial(t *testing.T) {
	list := filepath.Join(t.TempDir(), "if_inet6")
	write := func(text string) {
		t.Helper()
		whole := list + ".new"
		if err := os.WriteFile(whole, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(whole, list); err != nil {
			t.Fatal(err)
		}
	}

	write(settledList + refusedLine)
	if left := settle(t.Context(), list, time.Minute); left != "" {
		t.Errorf("nothing is on trial, and it names %s", left)
	}

	write(settledList + trialLine)
	if left := settle(t.Context(), list, 50*time.Millisecond); !strings.Contains(left, "vethe845c81") {
		t.Errorf("want what was last seen on trial, got %q", left)
	}

	ended := make(chan string)
	go func() {
		left := settle(context.Background(), list, time.Minute)
		ended <- left
	}()
	select {
	case <-ended:
		t.Fatal("it did not wait for the address on trial")
	case <-time.After(100 * time.Millisecond):
	}
	write(settledList)
	select {
	case left := <-ended:
		if left != "" {
			t.Errorf("all count now, and it names %s", left)
		}
	case <-time.After(10 * time.Second):
		t.Error("it goes on waiting when all addresses count")
	}
}

func TestSettleWithoutAList(t *testing.T) {
	if left := settle(t.Context(), filepath.Join(t.TempDir(), "none"), time.Minute); left != "" {
		t.Errorf("without a list there is nothing to wait for, and it names %q", left)
	}
}
