package page

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"crossing/harness/trace"
	"crossing/reports"
)

var wide = window{width: 1280}

func TestARedRunShowsAStoryForEachCause(t *testing.T) {
	r, folder := red(t, 20)
	p := open(t, r, folder, wide)
	p.is("Failed: 3 of 23 specs: 1 because of cookie-not-partitioned, 1 because of cors-refused, 1 because of signature-refused.", `document.querySelector("h1").innerText.trim()`)
	p.is(3, `document.querySelectorAll(".story").length`)
	p.is(true, `document.querySelector("#failure-0").open`)
	for i, cause := range order {
		p.eval(`(i) => { location.hash = "failure-" + i }`, i)
		if _, err := p.WaitForFunction(`(i) => document.querySelector("#failure-" + i).open`, i); err != nil {
			t.Fatal(err)
		}
		said := fmt.Sprint(p.eval(`(i) => document.querySelector("#failure-" + i).innerText`, i))
		d := r.Diagnoses[i]
		for _, want := range []string{cause, d.Sentence, d.Findings[0].Evidence[0], d.Findings[0].Mend[0], "Here it was lost", r.Specs[i].Reproduce, "The whole trace"} {
			if !strings.Contains(said, want) {
				t.Errorf("the story of %s says nothing of %q", cause, want)
			}
		}
		for _, other := range order {
			if other != cause && strings.Contains(strings.Split(said, "ruled out")[0], other) {
				t.Errorf("the story of %s tells of %s", cause, other)
			}
		}
		p.is(320, `(i) => document.querySelector("#failure-" + i + " img").naturalWidth`, i)
	}
	// The markup in messages is text, and nothing of it acts.
	p.is(3, `document.querySelectorAll("img").length`)
	p.is(true, `document.title.includes("reference")`)
	p.eval(`document.querySelectorAll("#failure-0 details").forEach((d) => { d.open = true })`)
	if _, err := p.WaitForFunction(`(want) => document.querySelector("#failure-0").innerText.includes(want)`, hostile); err != nil {
		t.Error("the message is not shown as it is:", err)
	}
	p.quiet()
}

func TestAnAgreedCookieIsExplainedByItsAttributes(t *testing.T) {
	r, folder := red(t, 1)
	p := open(t, r, folder, wide)
	// The first link of the evidence leads to the exchange that set it.
	if err := p.Locator("#failure-0 .finding a").First().Click(); err != nil {
		t.Fatal(err)
	}
	if _, err := p.WaitForFunction(`document.activeElement.closest(".proof")?.open`, nil); err != nil {
		t.Fatal(err)
	}
	said := fmt.Sprint(p.eval(`document.activeElement.closest(".proof").innerText`))
	for _, want := range []string{"__Secure-better-auth.session_token=hmac:", "✗ absent: a third party's cookie without it is refused", "sent with requests of other sites' pages, too", "for 7 days", "✗ refused to store it: ThirdPartyPhaseout", "What the service logged"} {
		if !strings.Contains(said, want) {
			t.Errorf("the exchange says nothing of %q:\n%s", want, said)
		}
	}
	p.quiet()
}

func TestSpecsAndExchangesAreFiltered(t *testing.T) {
	r, folder := red(t, 40)
	p := open(t, r, folder, wide)
	const shown = `[...document.querySelectorAll("#rows tr")].filter((r) => !r.hidden).length`
	p.is(44, shown)
	if err := p.Locator("[name=words]").Fill("CASE 39"); err != nil {
		t.Fatal(err)
	}
	p.is(1, shown)
	p.is("1 of 44 specs", `document.querySelector("[name=shown]").value`)
	if err := p.Locator("button[type=reset]").Click(); err != nil {
		t.Fatal(err)
	}
	if _, err := p.WaitForFunction(`document.querySelector("[name=shown]").value === "44 of 44 specs"`, nil); err != nil {
		t.Fatal(err)
	}
	if err := p.Locator(".cell.failed").Click(); err != nil {
		t.Fatal(err)
	}
	if _, err := p.WaitForFunction(`document.querySelector("[name=shown]").value === "3 of 44 specs · persistence"`, nil); err != nil {
		t.Error("a cell does not choose its specs:", p.eval(`document.querySelector("[name=shown]").value`))
	}

	const exchanges = `[...document.querySelectorAll("#failure-0 .traffic details[id]")].filter((r) => !r.hidden).length`
	own := p.eval(exchanges).(int)
	all := p.eval(`document.querySelectorAll("#failure-0 .traffic details[id]").length`).(int)
	if own == 0 || own >= all {
		t.Errorf("%d of %d exchanges are shown at first", own, all)
	}
	if err := p.Locator("#failure-0 .traffic input[type=search]").Fill("sign-up post"); err != nil {
		t.Fatal(err)
	}
	p.is(1, exchanges)
	if err := p.Locator("#failure-0 .traffic input[type=search]").Fill(""); err != nil {
		t.Fatal(err)
	}
	if err := p.Locator("#failure-0 .traffic input[type=checkbox]").Check(); err != nil {
		t.Fatal(err)
	}
	p.is(all, exchanges)
	p.quiet()
}

func TestThePageIsWalkedByKeyboard(t *testing.T) {
	r, folder := red(t, 3)
	p := open(t, r, folder, wide)
	p.press("Tab")
	p.is("To the results", `document.activeElement.textContent`)
	p.is(true, `document.activeElement.getBoundingClientRect().width > 50`) // seen once it has the focus
	p.press("Enter")
	// On to the second story, by Tab alone.
	for range 200 {
		p.press("Tab")
		if p.eval(`document.activeElement.parentElement.id`) == "failure-1" {
			break
		}
		p.is(true, `document.activeElement !== document.body && getComputedStyle(document.activeElement).outlineStyle !== "none"`)
	}
	p.is("failure-1", `document.activeElement.parentElement.id`)
	p.press("Enter")
	if _, err := p.WaitForFunction(`document.querySelector("#failure-1").open && document.querySelector("#failure-1 .line")`, nil); err != nil {
		t.Error("Enter does not open a story:", err)
	}
	p.press("Enter")
	p.is(false, `document.querySelector("#failure-1").open`)
	p.quiet()
}

func TestOnPaperStoriesAreOpen(t *testing.T) {
	r, folder := red(t, 3)
	p := open(t, r, folder, wide)
	p.is(1, `document.querySelectorAll(".story[open]").length`)
	p.eval(`dispatchEvent(new Event("beforeprint"))`)
	p.is(3, `document.querySelectorAll(".story[open] .line").length`)
	if _, err := p.PDF(); err != nil {
		t.Error("it cannot be printed:", err)
	}
	p.quiet()
}

// everything opens all that can be opened.
const everything = `async () => {
	for (let round = 0; round < 4; round++) {
		document.querySelectorAll("details:not([open])").forEach((d) => { d.open = true });
		await new Promise((done) => setTimeout(done, 50));
	}
	document.querySelectorAll(".traffic details[hidden]").forEach((d) => { d.hidden = false });
	return document.querySelectorAll("details").length;
}`

func TestNothingKeepsAnybodyOut(t *testing.T) {
	script := axe(t)
	for _, w := range []window{wide, {width: 1280, dark: true}, {width: 360}, {width: 360, dark: true}} {
		t.Run(fmt.Sprintf("%d wide, dark %v", w.width, w.dark), func(t *testing.T) {
			r, folder := red(t, 12)
			p := open(t, r, folder, w)
			p.eval(everything)
			p.is(true, `document.documentElement.scrollWidth <= innerWidth`) // nothing is scrolled sideways but tables
			dark := p.eval(`getComputedStyle(document.body).backgroundColor`) != p.eval(`"rgb(251, 251, 250)"`)
			if dark != w.dark {
				t.Errorf("the page is dark: %v", dark)
			}
			p.eval(script)
			for _, found := range violations(p) {
				t.Error(found)
			}
			// The control: axe sees a violation that is there.
			p.eval(`document.querySelector("h1").after(Object.assign(new Image(), {src: "data:,"}))`)
			if len(violations(p)) == 0 {
				t.Error("axe finds no image without a text")
			}
		})
	}
}

func violations(p *opened) []string {
	p.t.Helper()
	got := p.eval(`async () => (await axe.run(document, {resultTypes: ["violations"]})).violations.map((v) => v.id + ": " + v.help + ": " + v.nodes.slice(0, 3).map((n) => n.html).join(" | "))`)
	var all []string
	for _, one := range got.([]any) {
		all = append(all, fmt.Sprint(one))
	}
	return all
}

// A run of a thousand failures is drawn as they are opened.
func TestAThousandSpecsAreDrawnWhenTheyAreOpened(t *testing.T) {
	r, folder := red(t, 1000)
	for i := range 500 {
		r.Specs[3+i].State = reports.Failed
	}
	p := open(t, r, folder, wide)
	p.is(503, `document.querySelectorAll(".story").length`)
	p.is(1, `document.querySelectorAll(".story .body").length`)
	took := p.eval(`() => {
		const began = performance.now();
		const words = document.querySelector("[name=words]");
		words.value = "case 777";
		words.dispatchEvent(new Event("input", {bubbles: true}));
		document.body.offsetHeight;
		return performance.now() - began;
	}`)
	t.Logf("filtering 1,004 specs took %v ms", took)
	p.is(1, `[...document.querySelectorAll("#rows tr")].filter((r) => !r.hidden).length`)
	p.quiet()
}

func TestStepsShowTheirPicturesAndJars(t *testing.T) {
	r, folder := red(t, 1)
	seen, err := trace.Read(filepath.Join(folder, "traces", "0.json"))
	if err != nil {
		t.Fatal(err)
	}
	last := seen.Marks[len(seen.Marks)-1].End
	seen.Marks = append(seen.Marks, trace.Mark{Step: "reload", Begin: last.Add(time.Second), End: last.Add(2 * time.Second)})
	if err := trace.Write(filepath.Join(folder, "traces", "0.json"), seen); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(folder, "screenshots", "0-1.png"), picture(t))
	before := []trace.Cookie{{Name: "session", Digest: "hmac:0123456789ab", Domain: "auth.example", Path: "/", Secure: true}}
	r.Diagnoses[0].Steps = []reports.Seen{
		{Step: seen.Marks[0].Step, Time: seen.Marks[0].End, Screenshot: "screenshots/0-1.png", Scope: trace.JarWhole, Cookies: before},
		{Step: seen.Marks[1].Step, Time: seen.Marks[1].End, Note: "the page shows a secret", Scope: trace.JarWhole, Cookies: before},
	}
	p := open(t, r, folder, wide)
	p.is(1, `document.querySelectorAll("#failure-0 .thumb img").length`)
	p.is("screenshots/0-1.png", `document.querySelector("#failure-0 .thumb").getAttribute("href")`)
	p.is("traces/0.har", `document.querySelector("#failure-0 a[href$='.har']").getAttribute("href")`)
	said := fmt.Sprint(p.eval(`document.querySelector("#failure-0").innerText`))
	for _, want := range []string{"no picture: the page shows a secret", "after: " + seen.Marks[0].Step, "hmac:0123456789ab"} {
		if !strings.Contains(said, want) {
			t.Errorf("the story says nothing of %q", want)
		}
	}
	// A jar in which nothing is new is not drawn again.
	if strings.Contains(said, "after: "+seen.Marks[1].Step) {
		t.Error("the same jar stands there twice")
	}
	p.eval(everything)
	p.eval(axe(t))
	for _, found := range violations(p) {
		t.Error(found)
	}
	p.quiet()

	// A picture that is not beside the page is missed, and said to be.
	if err := os.Remove(filepath.Join(folder, "screenshots", "0-1.png")); err != nil {
		t.Fatal(err)
	}
	p = open(t, r, folder, wide)
	p.is(0, `document.querySelectorAll("#failure-0 .thumb img").length`)
	p.is(true, `document.querySelector("#failure-0").innerText.includes("1 pictures of steps are not beside the page")`)
}

func TestThePageTellsOfTheRunsBeforeAndOfQuarantine(t *testing.T) {
	r, folder := red(t, 4)
	for i := range 4 {
		r.Earlier = append(r.Earlier, reports.Past{Started: r.Started.AddDate(0, 0, i-4), Commit: fmt.Sprintf("%040d", i)})
	}
	r.Specs[0].Earlier, r.Specs[1].Earlier, r.Specs[2].Earlier = "pppp", "ppff", "p-fp"
	for i := 3; i < 7; i++ {
		r.Specs[i].Earlier = "pppp"
	}
	held := r.Specs[3]
	held.Text, held.State, held.Message, held.Earlier = "outlives "+hostile, reports.Quarantined, "Expected "+hostile, "qQ-Q"
	held.Quarantine = &reports.Quarantine{Issue: "https://github.com/owner/name/issues/7", Until: "2027-01-31", Outcome: reports.Passed, Streak: 3}
	r.Specs = append(r.Specs, held)
	for _, w := range []window{wide, {width: 360, dark: true}} {
		p := open(t, r, folder, w)
		said := fmt.Sprint(p.eval(`document.querySelector("#history").innerText`))
		for _, want := range []string{"The 4 runs before", "The last green run began on 2026-11-19 08:00 UTC, of commit 0000000000; 3 runs lie between", "is not lost to cookie-not-partitioned", "failed in 1 of 5", "failed in 3 of 5"} {
			if !strings.Contains(said, want) {
				t.Errorf("the history says nothing of %q:\n%s", want, said)
			}
		}
		p.is(2, `document.querySelectorAll("#history li").length`) // new: the first and the third
		quarantine := fmt.Sprint(p.eval(`document.querySelector("#quarantine").innerText`))
		for _, want := range []string{"passed", hostile[:20], "2027-01-31", "https://github.com/owner/name/issues/7", "3"} {
			if !strings.Contains(quarantine, want) {
				t.Errorf("the quarantine says nothing of %q:\n%s", want, quarantine)
			}
		}
		p.is("2 passed, 1 failed", `document.querySelector("#rows tr:nth-child(3) .heard").textContent`)
		p.is(4, `document.querySelectorAll("#rows tr:nth-child(3) .past i").length`)
		p.is("new", `document.querySelector("#rows tr:nth-child(8) td:nth-child(4) .soft").textContent`)
		p.is(true, `document.documentElement.scrollWidth <= innerWidth`)
		p.eval(axe(t))
		for _, found := range violations(p) {
			t.Error(found)
		}
		p.quiet()
	}
	// Without a history nothing is said of one.
	r.Earlier = nil
	p := open(t, r, folder, wide)
	p.is(0, `document.querySelectorAll("#history, .past").length`)
}

func TestALargeTraceIsBoundedAndSaysSo(t *testing.T) {
	r, folder := red(t, 1)
	path := filepath.Join(folder, "traces", "0.json")
	seen, err := trace.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	before, err := Render(r, folder)
	if err != nil {
		t.Fatal(err)
	}
	filler := seen.Exchanges[len(seen.Exchanges)-1]
	filler.Response.Body = `"` + strings.Repeat("ä", 2000) + `"`
	for i := range 2000 {
		filler.ID = fmt.Sprintf("%016x", i)
		seen.Exchanges = append(seen.Exchanges, filler)
		seen.Logs = append(seen.Logs, trace.LogLine{Instance: "auth-1", Request: filler.ID, Text: strings.Repeat("x", 3000)})
	}
	if err := trace.Write(path, seen); err != nil {
		t.Fatal(err)
	}
	after, err := Render(r, folder)
	if err != nil {
		t.Fatal(err)
	}
	if grown := len(after) - len(before); grown > 2<<20 {
		t.Errorf("the page grew by %d bytes", grown)
	}
	for _, want := range []string{"exchanges", "log lines", "bytes more"} {
		if !strings.Contains(string(after), want) {
			t.Errorf("nothing is said of %s", want)
		}
	}
	// What the diagnosis quotes is never left out.
	for _, line := range r.Diagnoses[0].Findings[0].Evidence {
		if id := identifier.FindString(line); id != "" && !strings.Contains(string(after), `{"id":"`+id) {
			t.Errorf("the evidence %s is left out", id)
		}
	}
	if err := os.RemoveAll(filepath.Join(folder, "traces")); err != nil {
		t.Fatal(err)
	}
	gone, err := Render(r, folder)
	if err != nil || !strings.Contains(string(gone), "the trace is not beside the page") {
		t.Errorf("without traces: %v", err)
	}
}
