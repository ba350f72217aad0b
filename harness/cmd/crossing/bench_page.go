package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"crossing/harness/browser"
	"crossing/harness/visit"
	"crossing/reports"
	"crossing/reports/page"
)

// filtering is what a person's key in the field does, to the end of the layout,
// and how many specs are shown then.
const filtering = `async (words) => {
	const field = document.querySelector("[name=words]");
	const began = performance.now();
	field.value = words;
	field.dispatchEvent(new Event("input", {bubbles: true}));
	document.body.offsetHeight;
	const took = performance.now() - began;
	return {took, shown: [...document.querySelectorAll("#rows tr")].filter((row) => !row.hidden).length};
}`

// pageLane filters the page of a thousand specs, of which half have failed.
func (b *bench) pageLane(ctx context.Context) (err error) {
	const specs, goal = 1000, 200.0
	folder, err := os.MkdirTemp("", "crossing-page-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	if err := page.Write(many(specs), folder); err != nil {
		return err
	}
	g, err := b.ground(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, g.Close()) }()
	v, err := g.Visitor(ctx, browser.Chromium, visit.Guest{Name: "reader", Person: b.person, Spec: "bench"})
	if v != nil {
		defer func() { err = errors.Join(err, v.Close(context.WithoutCancel(ctx))) }()
	}
	if err == nil {
		err = v.Open(ctx)
	}
	if err != nil {
		return err
	}
	if err := v.Page.Goto(ctx, "file://"+filepath.ToSlash(filepath.Join(folder, reports.PageFile))); err != nil {
		return err
	}
	var took []float64
	for range b.command.Rounds {
		for words, want := range map[string]int{"": specs, "case 77": 19, "chromium failed": specs / 2, "nowhere": 0} {
			var seen struct {
				Took  float64 `json:"took"`
				Shown int     `json:"shown"`
			}
			if err := v.Page.Eval(ctx, filtering, words, &seen); err != nil {
				return err
			}
			if seen.Shown != want {
				return fmt.Errorf("the words %q show %d specs, and should show %d", words, seen.Shown, want)
			}
			took = append(took, seen.Took)
		}
	}
	b.add("page", fmt.Sprintf("the page's filter of %d specs, to the end of the layout", specs), median(took), "ms", goal, took, "")
	return nil
}

// many is a run of so many specs, every second of which has failed, with a
// history.
func many(specs int) *reports.Run {
	r := &reports.Run{Version: reports.Version, Started: time.Now(), Target: reports.Target{Name: "bench"}}
	for i := range 20 {
		r.Earlier = append(r.Earlier, reports.Past{Started: r.Started.AddDate(0, 0, i-20)})
	}
	for i := range specs {
		s := reports.Spec{Suite: "session", Behaviour: fmt.Sprintf("behaviour %d", i%12), Profile: "webkit", Text: fmt.Sprintf("holds in case %d", i),
			State: reports.Passed, Seconds: float64(i%50) / 10, Earlier: "pppppfppppppppfppppp"}
		if i%2 == 0 {
			s.Profile, s.State, s.Message, s.Reproduce = "chromium", reports.Failed, "Expected this and that", "make e2e ONE='holds'"
		}
		r.Specs = append(r.Specs, s)
		if s.State == reports.Failed {
			r.Counts.Failed++
		} else {
			r.Counts.Passed++
		}
	}
	return r
}
