package engines

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"crossing/harness/browser"
)

// measured is a report of two behaviours on two profiles.
func measured(outcomes ...string) *Report {
	r := &Report{Behaviours: []Behaviour{{Name: "first", Group: "g", Text: "the first", Source: "https://spec.example/1"}, {Name: "second", Group: "g", Text: "the second", Source: "https://spec.example/2"}}}
	for i, p := range []browser.Profile{browser.Chromium, browser.WebKit} {
		r.Profiles = append(r.Profiles, Profile{Profile: p, Version: browser.Version{Browser: "Model 2"},
			Results: []Result{{Name: "first", Outcome: outcomes[2*i]}, {Name: "second", Outcome: outcomes[2*i+1]}}})
	}
	return r
}

const ledger = `{"behaviour":"first","profile":"chromium","outcome":"dropped","measured":"Model 1","source":"https://bug.example/7"}
{"behaviour":"first","profile":"webkit","outcome":"dropped","measured":"Model 1","source":"https://spec.example/1"}
{"behaviour":"first","profile":"firefox","outcome":"kept","measured":"Model 1","source":"https://spec.example/1"}
{"behaviour":"second","profile":"chromium","outcome":"kept","measured":"Model 1","source":"https://spec.example/2"}
`

func opened(t *testing.T, text string) Ledger {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	l, err := ReadLedger(path)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestADeviationInEitherDirectionNamesItsLine(t *testing.T) {
	l := opened(t, ledger)
	all := l.Compare(measured("kept", "dropped", "dropped", "kept"))
	if len(all) != 3 {
		t.Fatalf("got %+v", all)
	}
	for i, words := range [][]string{
		{"first on chromium", `"kept" on Model 2`, `expects "dropped"`, "https://bug.example/7", l.Path + ":1"},
		{"second on chromium", `"dropped" on Model 2`, `expects "kept"`, "Model 1", l.Path + ":4"},
		{"second on webkit", "no line", "UPDATE=1"},
	} {
		for _, word := range words {
			if !strings.Contains(all[i].Text, word) {
				t.Errorf("%q is not said: %s", word, all[i].Text)
			}
		}
	}
	if all := l.Compare(measured("dropped", "kept", "dropped", "kept")); len(all) != 1 {
		t.Errorf("what is as expected was called a deviation: %+v", all)
	}
}

func TestUpdateChangesTheLinesThatDeviateAlone(t *testing.T) {
	l := opened(t, ledger)
	if err := l.Update(measured("kept", "kept", "dropped", "dropped")); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(l.Path)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Replace(ledger, `"outcome":"dropped","measured":"Model 1","source":"https://bug`, `"outcome":"kept","measured":"Model 2","source":"https://bug`, 1) +
		`{"behaviour":"second","profile":"webkit","outcome":"dropped","measured":"Model 2","source":"https://spec.example/2"}` + "\n"
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	again := opened(t, string(got))
	if all := again.Compare(measured("kept", "kept", "dropped", "dropped")); len(all) != 0 {
		t.Errorf("after the update: %+v", all)
	}
}

func TestALedgerThatCannotBeReadIsNamedByItsLine(t *testing.T) {
	for text, word := range map[string]string{
		ledger + "{\n":                               ":5:",
		ledger + `{"behavior":"first"}`:              ":5:",
		ledger + strings.SplitAfter(ledger, "\n")[1]: "line 2 already",
	} {
		path := filepath.Join(t.TempDir(), "ledger.jsonl")
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadLedger(path); err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("want %q: %v", word, err)
		}
	}
}

func TestTableAndPageShowEveryCell(t *testing.T) {
	r := measured("kept", "n/a: it is always ephemeral", "dropped", "<b>odd</b>")
	r.Profiles[1].Results[0].Reasons = []string{"UserPreferences"}
	l := opened(t, ledger)
	r.Deviations = l.Compare(r)
	table := r.Table()
	for _, word := range []string{"the first", "kept *", "n/a", "not applicable, it is always ephemeral: second", "webkit: refused as UserPreferences: first", "Model 2"} {
		if !strings.Contains(table, word) {
			t.Errorf("the table does not say %q:\n%s", word, table)
		}
	}
	path := filepath.Join(t.TempDir(), PageFile)
	if err := r.Page(path); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"the first", "https://spec.example/2", "UserPreferences", "&lt;b&gt;odd", "Not as expected"} {
		if !strings.Contains(string(data), word) {
			t.Errorf("the page does not say %q", word)
		}
	}
	for _, word := range []string{"<b>odd", "src=\"http", "<script"} {
		if strings.Contains(string(data), word) {
			t.Errorf("the page holds %q", word)
		}
	}
}

func TestWhatABrowserElsewhereCannotBeAskedIsNoDeviation(t *testing.T) {
	l := opened(t, ledger)
	r := measured("n/a: its profile is kept elsewhere", "kept", "dropped", "n/a: its profile is kept elsewhere")
	if all := l.Compare(r); len(all) != 2 {
		t.Fatalf("of a browser that was started here: %+v", all)
	}
	for i := range r.Profiles {
		r.Profiles[i].Version.Elsewhere = true
	}
	if all := l.Compare(r); len(all) != 0 {
		t.Errorf("of one elsewhere: %+v", all)
	}
	if n := Unasked(r); n != 2 {
		t.Errorf("%d could not be asked, want 2", n)
	}
	if err := l.Update(r); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(l.Path); err != nil || string(got) != ledger {
		t.Errorf("the ledger was changed to\n%s %v", got, err)
	}
	r.Profiles[0].Results[1].Outcome = "dropped"
	if all := l.Compare(r); len(all) != 1 || all[0].Got != "dropped" {
		t.Errorf("what it does otherwise is a deviation still: %+v", all)
	}
}
