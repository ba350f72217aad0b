package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"crossing/reports"
)

// The waiting specs alone, and what a changed budget makes of them. The file
// stands beside the reference application's, whose folders it names.
func TestAWaitBeyondTheBudgetFailsTheRun(t *testing.T) {
	t.Parallel()
	home, err := findCheckout()
	if err != nil {
		t.Fatal(err)
	}
	fixtures := filepath.Join(string(home), "fixtures")
	text, err := os.ReadFile(filepath.Join(fixtures, "crossing.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	with := func(budgets string) finished {
		file, err := os.CreateTemp(fixtures, "budgets-*.yaml")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.Remove(file.Name()) })
		changed := strings.Replace(string(text), "  preset: better-auth\n", "  preset: better-auth\n  budgets: "+budgets+"\n", 1)
		if _, err := file.WriteString(changed); err != nil {
			t.Fatal(err)
		}
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
		return runOneOf(t, file.Name(), "waiting chromium is short")
	}

	f := with("{signIn: 30s, reload: 1ms}")
	if f.status != exitFailed || f.run.Counts.Failed != 1 {
		t.Fatalf("want status %d and one failed spec: %s", exitFailed, f)
	}
	for _, want := range []string{"to wait no longer than 1ms, from the reload until the page shows who is signed in (contract.budgets.reload)", "The median of 5 was"} {
		if !strings.Contains(f.run.Specs[0].Message, want) || !strings.Contains(f.stdout, want) {
			t.Errorf("nothing says %q: %s", want, f)
		}
	}
	checkWaits(t, f, 30, 0.001)

	f = with("{signIn: 0, reload: 0}")
	if f.status != exitUnready || f.run.Counts.NotApplicable != 1 || !strings.Contains(f.stdout, "contract.budgets are 0") {
		t.Fatalf("want a spec that judges nothing: %s", f)
	}
	checkWaits(t, f, 0, 0)
}

// checkWaits wants both waits in run.json, with these budgets in seconds.
func checkWaits(t *testing.T, f finished, signIn, reload float64) {
	t.Helper()
	if len(f.run.Waits) != 2 {
		t.Fatalf("the waits are %+v", f.run.Waits)
	}
	for i, want := range []reports.Wait{{Kind: "reload", Budget: reload}, {Kind: "sign-in", Budget: signIn}} {
		got := f.run.Waits[i]
		if got.Profile != "chromium" || got.Kind != want.Kind || got.Budget != want.Budget || len(got.Samples) < 3 || got.Median < 0.01 || got.Median > 20 {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}
