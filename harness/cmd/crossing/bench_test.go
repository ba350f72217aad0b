package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestLanesAreChosenByName(t *testing.T) {
	for names, want := range map[string]int{"": len(lanes), "edge": 1, "edge, memory": 2} {
		if chosen, err := chooseLanes(names); err != nil || len(chosen) != want {
			t.Errorf("%q: %d lanes, want %d (%v)", names, len(chosen), want, err)
		}
	}
	_, err := chooseLanes("edge,egde")
	if err == nil || !strings.Contains(err.Error(), `BENCH=edge,egde: there is no lane "egde"; allowed: stack, journey`) {
		t.Errorf("the error is %v", err)
	}
}

func TestBenchTellsWhichGoalsAreMet(t *testing.T) {
	b := &bench{show: newProgress(os.Stdout)}
	defer b.show.Close()
	b.add("edge", "quick", 0.5, "ms", 0.5, []float64{0.4, 0.5, 0.9}, "")
	b.add("edge", "slow", 0.51, "ms", 0.5, nil, "")
	b.add("edge", "no goal", 7, "ms", 0, nil, "")
	b.absent("stack", "compose", "it is not here")
	rows := strings.Split(strings.TrimSpace(b.report.table()), "\n")
	for i, want := range []string{"goal", " met", " missed", "7.00 ms", "not measured: it is not here"} {
		if len(rows) != 5 || !strings.HasSuffix(rows[i], want) {
			t.Errorf("row %d does not end in %q:\n%s", i, want, strings.Join(rows, "\n"))
		}
	}
	path := filepath.Join(t.TempDir(), benchFile)
	if err := b.report.write(path); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var back benchReport
	if err := json.Unmarshal(data, &back); err != nil || len(back.Results) != 4 || *back.Results[0].Goal != 0.5 || back.Results[2].Goal != nil {
		t.Errorf("read back %+v, %v", back, err)
	}
}

func TestRatiosAreOfPairs(t *testing.T) {
	// The machine was busy in the second round: it is no news.
	if r := ratios([]float64{1.2, 12, 1.3}, []float64{1, 10, 1}); median(r) != 1.2 {
		t.Errorf("median of %v is %v, want 1.2", r, median(r))
	}
	if median(nil) != 0 || median([]float64{3, 1}) != 2 {
		t.Error("the median of none, or of two, is wrong")
	}
}
