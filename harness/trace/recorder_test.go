package trace

import (
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func TestSnapshotIsInTheOrderOfTimeAndStays(t *testing.T) {
	rec := NewRecorder(NewRedactor(nil), Trace{Visitor: "ada"})
	later, earlier := noon.Add(time.Second), noon
	for _, at := range []time.Time{later, earlier} {
		rec.Exchange(Exchange{Time: at})
		rec.Jar(Jar{Time: at})
		rec.Standing(Standing{Time: at})
		rec.Mark(Mark{Begin: at})
		rec.Observe(Observation{Time: at})
		rec.Refusal(Refusal{Time: at})
		rec.PageError(PageError{Time: at})
	}
	s := rec.Snapshot()
	for name, first := range map[string]time.Time{"exchanges": s.Exchanges[0].Time, "jars": s.Jars[0].Time,
		"standings": s.Standings[0].Time, "marks": s.Marks[0].Begin, "observations": s.Observations[0].Time,
		"refusals": s.Refusals[0].Time, "page errors": s.PageErrors[0].Time} {
		if !first.Equal(earlier) {
			t.Errorf("%s are not in the order of time", name)
		}
	}
	rec.Exchange(Exchange{Time: earlier.Add(-time.Hour)})
	rec.Gap("console")
	rec.Gap("console")
	if len(s.Exchanges) != 2 || !s.Exchanges[0].Time.Equal(earlier) || len(s.Gaps) != 0 {
		t.Error("a snapshot changed afterwards")
	}
	if got := rec.Snapshot(); len(got.Exchanges) != 3 || len(got.Gaps) != 1 || got.Version != Version || got.Visitor != "ada" {
		t.Errorf("the next snapshot: %+v", got)
	}
}

func TestAnEmptyTraceHasListsNotNulls(t *testing.T) {
	rec := NewRecorder(NewRedactor(nil), Trace{})
	rec.Hosts() // null says that the engine does not tell, which is no list
	data, err := json.Marshal(rec.Snapshot())
	text := strings.Replace(string(data), `"hosts":null`, "", 1) // there, null says that the engine does not tell
	if err != nil || strings.Contains(text, "null") {
		t.Errorf("error %v: %s", err, data)
	}
}

func TestWhatIsRecordedIsScrubbed(t *testing.T) {
	r := NewRedactor(nil)
	const canary = "canary-12345678"
	r.Learn(canary)
	rec := NewRecorder(r, Trace{})
	rec.Jar(Jar{Page: "https://x.org/?q=" + canary + "&token=other-secret"})
	rec.Standing(Standing{Detail: canary})
	rec.Mark(Mark{Err: canary})
	rec.Observe(Observation{Detail: canary})
	rec.Refusal(Refusal{URL: "https://x.org/" + canary})
	rec.PageError(PageError{Page: "https://x.org/#token=other-secret", Text: canary})
	rec.Log(LogLine{Text: canary})
	s := rec.Snapshot()
	data, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{canary, "other-secret"} {
		if strings.Contains(string(data), secret) {
			t.Errorf("%s stands in %s", secret, data)
		}
	}
	if strings.Count(string(data), r.Digest(canary)) != 7 {
		t.Errorf("not every mention has its digest: %s", data)
	}
	if s.Observations[0].Time.IsZero() {
		t.Error("an observation without a date was not dated")
	}
}

func TestSaveScrubsWhatWasLearntLater(t *testing.T) {
	r := NewRedactor(nil)
	rec := NewRecorder(r, Trace{Visitor: "ada"})
	rec.Log(LogLine{Text: "odd exchanges with canary-12345678"})
	rec.Exchange(Exchange{ID: "1", Response: Message{Token: &Token{Digest: "hmac:0", Issuer: "i"}}})
	r.Learn("canary-12345678")
	r.Learn("exchanges") // a secret that is also one of the format's names
	path := filepath.Join(t.TempDir(), "trace.json")
	if err := rec.Save(path); err != nil {
		t.Fatal(err)
	}
	got, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	want := "odd " + r.Digest("exchanges") + " with " + r.Digest("canary-12345678")
	if got.Logs[0].Text != want || len(got.Exchanges) != 1 || got.Exchanges[0].Response.Token.Issuer != "i" {
		t.Errorf("saved %+v", got)
	}
	if err := rec.Save(filepath.Join(path, "below-a-file")); err == nil {
		t.Error("a path that cannot be written was taken")
	}
}

func TestAwaitWakesAndGivesUp(t *testing.T) {
	rec := NewRecorder(NewRedactor(nil), Trace{})
	rec.Exchange(Exchange{Time: noon.Add(-time.Second), Path: "/before"})
	var all sync.WaitGroup
	all.Go(func() {
		rec.Exchange(Exchange{Time: noon, Path: "/other"})
		rec.Exchange(Exchange{Time: noon, Path: "/token"})
	})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	e, err := rec.Await(ctx, noon, "a token call", func(e Exchange) bool { return e.Path != "/other" })
	all.Wait()
	if err != nil || e.Path != "/token" {
		t.Errorf("awaited %+v, error %v", e, err)
	}
	over, end := context.WithCancel(ctx)
	end()
	_, err = rec.Await(over, noon, "a call that never comes", func(Exchange) bool { return false })
	if err == nil || !strings.Contains(err.Error(), "a call that never comes") || !strings.Contains(err.Error(), "/token") {
		t.Errorf("the error does not say what was wanted and what came: %v", err)
	}
}

func TestRecorderServesManyAtOnce(t *testing.T) {
	rec := NewRecorder(NewRedactor(nil), Trace{})
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 50 {
				rec.Exchange(Exchange{Time: time.Now()})
				rec.Snapshot()
			}
		})
	}
	all.Wait()
	if n := len(rec.Snapshot().Exchanges); n != 400 {
		t.Errorf("%d of 400 exchanges", n)
	}
}

func TestFollowTellsEachThingOnceAndInItsOrder(t *testing.T) {
	rec := NewRecorder(NewRedactor(nil), Trace{})
	rec.Exchange(Exchange{ID: "before"})
	ctx, stop := context.WithCancel(t.Context())
	told := make(chan string, 10)
	ended := make(chan struct{})
	go func() {
		rec.Follow(ctx, func(e Exchange) { told <- e.ID }, func(f Refusal) { told <- f.Cookie })
		close(ended)
	}()
	next := func(want string) {
		t.Helper()
		select {
		case got := <-told:
			if got != want {
				t.Errorf("told %q, want %q", got, want)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%q is never told", want)
		}
	}
	next("before")
	rec.Refusal(Refusal{Cookie: "refused"})
	next("refused")
	rec.Exchange(Exchange{ID: "after", Time: noon.Add(-time.Hour)}) // late to come, early by its time
	next("after")
	stop()
	<-ended
	if len(told) > 0 {
		t.Errorf("told again: %q", <-told)
	}
}
