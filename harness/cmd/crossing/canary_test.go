package main

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"crossing/harness/diagnose"
	"crossing/harness/secrets"
	"crossing/harness/trace"
	"crossing/reports"
)

// canaries are secrets of every kind that passes through a run.
var canaries = map[string]string{
	"session cookie": "canarySession01.c2ln/bmF0+Y2FuYXJ5=", "password": `canary+pass/"word" <1>`, "token": "canary-token-0001",
	"authorization": "canary-authorization-01", "bypass secret": "canary-bypass-0001", "SET value": "canary+set&value/01",
}

// canaryRun is a run in whose every part a canary was seen, recorded as the
// edge and the rig do it.
func canaryRun(t *testing.T, p *plan) *reports.Run {
	t.Helper()
	r := p.secrets
	for _, c := range canaries {
		r.Learn(c)
	}
	rec := trace.NewRecorder(r, trace.Trace{Visitor: "ada", Profile: "chromium", Subject: trace.Subject{Cookie: trace.CookieContract{Name: "session"}}})
	body, err := r.JSON(fmt.Appendf(nil, `{"password": %q, "nested": [{"token": %q}]}`, canaries["password"], canaries["token"]))
	if err != nil {
		t.Fatal(err)
	}
	everything := "an error that quotes everything:"
	for _, c := range canaries {
		everything += " " + c + " " + url.QueryEscape(c) + " " + base64.StdEncoding.EncodeToString([]byte("ada:"+c))
	}
	now := time.Now()
	rec.Exchange(trace.Exchange{
		ID: "0123456789abcdef", Time: now, Role: trace.RoleAuth, Method: "POST", Origin: "https://auth.example", Path: "/sign-in", Status: 200,
		Request: trace.Message{Body: body, Cookies: trace.ParseCookies("session="+canaries["session cookie"], r), Header: []trace.Field{
			{Name: "Authorization", Value: r.Conceal(canaries["authorization"])}, {Name: "X-Vercel-Protection-Bypass", Value: r.Conceal(canaries["bypass secret"])}}},
		Response: trace.Message{SetCookies: []trace.SetCookie{trace.ParseSetCookie("session="+canaries["session cookie"]+"; Path=/; Secure", r)}},
	})
	rec.Mark(trace.Mark{Step: "sign in", Begin: now, End: now, Err: everything})
	rec.Standing(trace.Standing{Time: now, Source: "page", Detail: everything})
	rec.PageError(trace.PageError{Time: now, Page: "https://auth.example/?token=" + url.QueryEscape(canaries["token"]), Kind: trace.ErrorUncaught, Text: everything})
	rec.Log(trace.LogLine{Instance: "auth-1", Request: "0123456789abcdef", Text: everything})
	rec.Observe(trace.Observation{Name: trace.ObserveSession, Detail: everything})
	path := filepath.Join("traces", "a.json")
	fill(t, filepath.Join(p.work, path), "")
	if err := rec.Save(filepath.Join(p.work, path)); err != nil {
		t.Fatal(err)
	}
	fill(t, filepath.Join(p.work, "junit.xml"), "<failure>"+r.Scrub(everything)+"</failure>")
	d := diagnose.Explain(rec.Snapshot())
	return &reports.Run{Version: reports.Version, Counts: reports.Counts{Failed: 1},
		Specs:     []reports.Spec{{Behaviour: "sign-in", Profile: "chromium", Text: "works", State: reports.Failed, Message: r.Scrub(everything), Traces: []string{path}}},
		Diagnoses: []reports.Diagnosis{{Visitor: "ada", Trace: path, Steps: []reports.Seen{{Step: "sign in", Time: now, Note: r.Scrub(everything)}}, Sentence: d.Sentence(), Diagnosis: d}}}
}

func TestNoCanaryStandsInAnyArtefact(t *testing.T) {
	p := reportsIn(t)
	if err := p.writable(); err != nil {
		t.Fatal(err)
	}
	if err := p.publish(canaryRun(t, p)); err != nil {
		t.Fatal(err)
	}
	p.remove()
	// A search of its own: it knows the canaries and nothing else.
	own := trace.NewRedactor(nil)
	for _, c := range canaries {
		own.Learn(c)
	}
	found, err := secrets.Search(p.out, own.Leaks)
	if err != nil || len(found) != 0 {
		t.Errorf("%v, %v", found, err)
	}
	archive, err := os.ReadFile(filepath.Join(p.out, "traces", "a.har"))
	if err != nil || strings.Count(string(archive), "hmac:") < 4 || !strings.Contains(string(archive), "session=hmac:") {
		t.Errorf("the HAR shows no digests where secrets stood: %v", err)
	}
	page, err := os.ReadFile(filepath.Join(p.out, reports.PageFile))
	if err != nil || strings.Count(string(page), "hmac:") < 10 {
		t.Errorf("the page shows no digests where secrets stood: %v", err)
	}
}

// The twin: planted in any artefact, in any form, a canary keeps everything
// from being published.
func TestACanaryInAnyArtefactIsFound(t *testing.T) {
	for _, name := range []string{"junit.xml", "report.json", "traces/a.json", "traces/a.har", "screenshots/a.png", "a.bin"} {
		for kind, c := range canaries {
			for form, text := range map[string]string{"plain": c, "URL-encoded": url.QueryEscape(c), "base64": base64.StdEncoding.EncodeToString([]byte("x" + c))} {
				p := reportsIn(t, "run.json")
				if err := p.writable(); err != nil {
					t.Fatal(err)
				}
				p.secrets.Learn(c)
				fill(t, filepath.Join(p.work, filepath.FromSlash(name)), "before "+text+" after")
				if err := p.discreet(); err == nil || !strings.Contains(err.Error(), filepath.FromSlash(name)) || strings.Contains(err.Error(), c) {
					t.Errorf("%s, %s, in %s: %v", kind, form, name, err)
				}
				p.remove()
			}
		}
	}
	// And in what the command itself writes after the suites. What Markdown
	// escapes would not be found in summary.md, and is in run.json.
	p := reportsIn(t, "run.json")
	if err := p.writable(); err != nil {
		t.Fatal(err)
	}
	p.secrets.Learn(canaries["bypass secret"])
	r := &reports.Run{Version: reports.Version, Specs: []reports.Spec{{Profile: "chromium", State: reports.Failed, Message: canaries["bypass secret"], Text: "fails"}}, Counts: reports.Counts{Failed: 1}}
	err := p.publish(r)
	for _, file := range []string{reports.RunFile, reports.PageFile, reports.SummaryFile} {
		if err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: %v", file, err)
		}
	}
}
