package match

import (
	"testing"

	"crossing/harness/trace"
)

func TestStandings(t *testing.T) {
	in := trace.Standing{Source: "page", TopLevel: "https://docs.crossing-front.com", SignedIn: true, Person: "ada@example.com", By: "cookie"}
	bearer := in
	bearer.By = "bearer"
	out := trace.Standing{Source: "page", TopLevel: in.TopLevel, Detail: "signed-out: Signed out"}
	loading := trace.Standing{Source: "page", TopLevel: in.TopLevel, Undecided: true, Detail: "loading"}
	ada := BeSignedInAs("ada@example.com")
	judge(t, []judged{
		{"in", ada, in, true, []string{"not to be"}},
		{"in by cookie", ada.ByCookie(), in, true, nil},
		{"in by bearer", ada.ByBearer(), bearer, true, nil},
		{"by the other way", ada.ByCookie(), bearer, false, []string{"signed in as ada@example.com by cookie", "signed in as ada@example.com by bearer"}},
		{"and the other", ada.ByBearer(), in, false, nil},
		{"someone else", BeSignedInAs("bob@example.com"), in, false, []string{"signed in as bob@example.com", "signed in as ada@example.com by cookie", "docs.crossing-front.com"}},
		{"out", ada, out, false, []string{"signed out"}},
		{"loading is not in", ada, loading, false, []string{"undecided", "loading"}},
		{"signed out", BeSignedOut(), out, true, nil},
		{"in is not out", BeSignedOut(), in, false, []string{"signed in as ada@example.com"}},
		{"loading is not out", BeSignedOut(), loading, false, []string{"undecided"}},
	})
	refuses(t, ada, true, "BeSignedInAs", "trace.Standing", "bool")
	refuses(t, BeSignedOut(), 1, "BeSignedOut")
	refuses(t, BeSignedOut().ByCookie(), out, "ByCookie")
	refuses(t, BeSignedInAs(""), in, "e-mail")
}
