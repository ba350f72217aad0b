package webdriver

import (
	"context"
	"fmt"
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
	tracking, err := policyArgs(browser.WebKit)
	if err != nil {
		t.Fatal(err)
	}
	blocking, err := policyArgs(browser.Profile{Engine: "webkit", Policy: browser.PolicyBlock})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args                    []string
		thirdParty, partitioned string
		// afterVisit: are cookies of a site that was visited itself sent from
		// pages of other sites?
		afterVisit bool
	}{
		string(browser.PolicyTrackingPrevention): {tracking, trace.MeasuredNo, trace.MeasuredNo, false},
		string(browser.PolicyBlock):              {blocking, trace.MeasuredNo, trace.MeasuredNo, true},
		"the control: all cookies allowed":       {[]string{"--cookies-policy=always"}, trace.MeasuredYes, trace.MeasuredYes, true},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			w := b.start(c.args...)
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
			v := b.visit(w)
			v.goTo(v.page, back+trace.ReservedPath+"page")
			if cookies := v.read(v.page, ask("set", "cookies")); cookies == "{}" {
				t.Errorf("the control failed: no cookie is kept on its own site")
			}
			v.goTo(v.page, front+trace.ReservedPath+"page")
			if cookies := v.read(v.page, ask("cookies")); (cookies != "{}") != c.afterVisit {
				t.Errorf("after a visit to its own site, %s is sent from another one; want any: %v", cookies, c.afterVisit)
			}
		})
	}
}

// ask is a script that calls endpoints of the reserved path and returns the
// last answer, compact.
func ask(endpoints ...string) string {
	var calls strings.Builder
	for _, e := range endpoints {
		fmt.Fprintf(&calls, "answer = await fetch(%q, {credentials: 'include', cache: 'no-store'});", back+trace.ReservedPath+e)
	}
	return "async () => { let answer; " + calls.String() + " return JSON.stringify(await answer.json()) }"
}
