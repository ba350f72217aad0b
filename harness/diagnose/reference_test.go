package diagnose

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var rewrite = flag.Bool("write", false, "write the page of causes anew")

func TestTheReferenceOfCausesIsTrue(t *testing.T) {
	page := filepath.Join("causes", "README.md")
	if *rewrite {
		if err := os.WriteFile(page, []byte(Reference()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(page)
	if err != nil || string(text) != Reference() {
		t.Errorf("%s is not what the rules say (%v): go test ./harness/diagnose -run Reference -write", page, err)
	}
}
