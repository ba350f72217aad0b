package webdriver

import (
	"context"
	"strings"
	"testing"

	"crossing/harness/browser"
	"crossing/harness/browser/capability"
	"crossing/harness/trace"
)

// TestTheLeverForTheCookiePolicy shows what the argument for tracking
// prevention does, by the one that undoes it: the same build, pages and
// cookies. Under neither does this engine have partitions.
func TestTheLeverForTheCookiePolicy(t *testing.T) {
	for p, c := range map[browser.Profile]struct {
		thirdParty, partitioned string
		// visited: are cookies of a site that was visited itself sent from
		// pages of other sites?
		visited string
	}{
		browser.WebKit:        {trace.MeasuredNo, trace.MeasuredNo, trace.MeasuredNo},
		browser.WebKitDefault: {trace.MeasuredNo, trace.MeasuredNo, trace.MeasuredYes},
		browser.WebKitAllow:   {trace.MeasuredYes, trace.MeasuredYes, trace.MeasuredYes},
	} {
		t.Run(p.Name, func(t *testing.T) {
			b := newBench(t)
			args, err := policyArgs(p)
			if err != nil {
				t.Fatal(err)
			}
			w := b.start(args...)
			open := func(ctx context.Context, keep string) (browser.Session, error) {
				recorder := trace.NewRecorder(b.redactor, trace.Trace{})
				line, err := b.edge.Open(recorder)
				if err != nil {
					return nil, err
				}
				t.Cleanup(func() { _ = line.Close() })
				return w.NewSession(ctx, browser.Options{Proxy: line.Proxy(), Keep: keep, Recorder: recorder})
			}
			got, err := capability.Measure(b.ctx, open, origins, b.dir)
			if err != nil {
				t.Fatal(err)
			}
			if got.ThirdParty != c.thirdParty || got.Partitioned != c.partitioned {
				t.Errorf("an ordinary third-party cookie is kept: %s, want %s; a Partitioned one: %s, want %s\n%q",
					got.ThirdParty, c.thirdParty, got.Partitioned, c.partitioned, got.Evidence)
			}
			if got.Isolated == trace.MeasuredYes {
				t.Errorf("the Partitioned cookie is kept apart: this engine partitions after all\n%q", got.Evidence)
			}
			if got.Visited != c.visited {
				t.Errorf("after a visit to its own site, its cookie is sent from another one: %s, want %s\n%q", got.Visited, c.visited, got.Evidence)
			}
			if err := capability.Believe(p, w.Version(), got); err != nil {
				t.Error(err)
			}
			for _, other := range []browser.Profile{browser.WebKit, browser.WebKitDefault, browser.WebKitAllow} {
				err := capability.Believe(other, w.Version(), got)
				if other != p && (err == nil || !strings.Contains(err.Error(), args[0])) {
					t.Errorf("taken for %s, with the lever %s, it was believed, or the lever was not named: %v", other.Name, args[0], err)
				}
			}
		})
	}
}
