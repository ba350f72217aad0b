package journey

import (
	"strings"
	"testing"
	"time"

	"crossing/harness/target"
)

func TestMedian(t *testing.T) {
	for want, samples := range map[time.Duration][]time.Duration{
		0: nil, 7: {7}, 3: {9, 1, 3}, 5: {8, 1, 4, 6}, 451: {2, 900},
	} {
		if got := (Waits{Samples: samples}).Median(); got != want {
			t.Errorf("%v: %v, want %v", samples, got, want)
		}
	}
	samples := []time.Duration{3, 1, 2}
	if got := (Waits{Samples: samples}).Median(); got != 2 || samples[0] != 3 {
		t.Errorf("the median is %v, and the samples are no longer as they came: %v", got, samples)
	}
}

func TestTheStopwatchCannotEndItsOwnScript(t *testing.T) {
	w := Way{Contract: target.Contract{Pages: target.Pages{Standing: target.Standing{Selector: "[data-x='</script>']"}}}}
	text, err := w.Stopwatch()
	if err != nil || strings.Contains(text, "</script>") {
		t.Errorf("%v: %s", err, text)
	}
}
