package journey

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"crossing/harness/browser"
)

// Kinds of waits: what a person did, until the page showed who is signed in.
const (
	// WaitSignIn begins with the click that sends the sign-in form.
	WaitSignIn = "sign-in"
	// WaitReload begins with the reload of a page.
	WaitReload = "reload"
)

// Waits are all of one kind that a profile's visitors had in a run.
type Waits struct {
	Kind    string
	Profile string
	Samples []time.Duration
	// Slowest is the request that took longest meanwhile, in one line.
	Slowest string
}

// Median of the samples, the mean of the middle two where there is no middle
// one; 0 where there is no sample at all.
func (w Waits) Median() time.Duration {
	s := slices.Sorted(slices.Values(w.Samples))
	if len(s) == 0 {
		return 0
	}
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// stopwatch runs in the head of a page, before anything of the page's own. It
// leaves each wait as a mark among the page's performance entries (User
// Timing), its milliseconds the detail. A click is kept across a full load.
const stopwatch = `(([path, submit, selector, attribute, signedIn]) => {
	const clicked = "crossing-clicked";
	const bare = (path) => path.replace(/\/$/, "");
	const shown = () => document.querySelector(selector)?.getAttribute(attribute) === signedIn;
	const mark = (kind, millis) => performance.mark("crossing-" + kind, {detail: millis});
	addEventListener("click", (e) => {
		if (e.isTrusted && bare(location.pathname) === bare(path) && e.target.closest?.(submit)) {
			sessionStorage.setItem(clicked, performance.timeOrigin + e.timeStamp);
		}
	}, true);
	let first = performance.getEntriesByType("navigation")[0]?.type === "reload";
	new MutationObserver(() => {
		if (!shown()) return;
		const since = sessionStorage.getItem(clicked);
		sessionStorage.removeItem(clicked);
		if (since) mark("sign-in", performance.timeOrigin + performance.now() - Number(since));
		else if (first) mark("reload", performance.now());
		first = false;
	}).observe(document, {subtree: true, childList: true, attributes: true, attributeFilter: [attribute]});
})`

// Stopwatch is a script that times, within the page, how long a person waits.
// It must run before the page's own scripts, on every page.
func (w Way) Stopwatch() (string, error) {
	form, look := w.Contract.Pages.SignIn, w.Contract.Pages.Standing
	given, err := json.Marshal([]string{form.Path, form.Submit, look.Selector, look.State, look.SignedIn}) // escapes </script>
	if err != nil {
		return "", err
	}
	return stopwatch + "(" + string(given) + ")", nil
}

// Waited returns what the stopwatch of the open page says of a wait, once it is
// over.
func (w Way) Waited(ctx context.Context, p browser.Page, kind string) (time.Duration, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("a wait may take %s", patience))
	defer cancel()
	const script = `(name) => new Promise((done) => {
		const seen = new PerformanceObserver(() => look());
		const look = () => {
			const mark = performance.getEntriesByName(name, "mark").at(-1);
			if (!mark) return;
			seen.disconnect();
			performance.clearMarks(name);
			done(mark.detail);
		};
		seen.observe({type: "mark", buffered: true});
		look();
	})`
	var millis float64
	if err := p.Eval(ctx, script, "crossing-"+kind, &millis); err != nil {
		shown, _ := p.Attributes(ctx, w.Contract.Pages.Standing.Selector)
		return 0, fmt.Errorf("await that the page shows a session after the %s; its standing was last %v: %w", kind, shown, err)
	}
	return time.Duration(millis * float64(time.Millisecond)), nil
}
