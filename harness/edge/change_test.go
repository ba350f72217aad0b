package edge

import (
	"net/http"
	"slices"
	"testing"
)

func TestAttributesOfOneCookieAreChanged(t *testing.T) {
	for _, c := range []struct{ attribute, value, want string }{
		{"Partitioned", "-", "s=1; Path=/; SameSite=None"},
		{"SameSite", "Lax", "s=1; Path=/; Partitioned; SameSite=Lax"},
		{"samesite", "-", "s=1; Path=/; Partitioned"},
		{"Secure", "", "s=1; Path=/; SameSite=None; Partitioned; Secure"},
	} {
		resp := &http.Response{Header: http.Header{"Set-Cookie": {"other=2; Path=/", "s=1; Path=/; SameSite=None; Partitioned", "s2=3"}}}
		ChangeCookie(resp, "s", c.attribute, c.value)
		if got, want := resp.Header.Values("Set-Cookie"), []string{"other=2; Path=/", c.want, "s2=3"}; !slices.Equal(got, want) {
			t.Errorf("%s to %q: %q, want %q", c.attribute, c.value, got, want)
		}
	}
}

func TestSetCookieLinesAreDroppedAndDoubled(t *testing.T) {
	resp := &http.Response{Header: http.Header{"Set-Cookie": {"s=1", "o=2"}}}
	ChangeSetCookie(resp, "s", func(line string) []string { return []string{line, line + "; Path=/x"} })
	if got := resp.Header.Values("Set-Cookie"); !slices.Equal(got, []string{"s=1", "s=1; Path=/x", "o=2"}) {
		t.Errorf("doubled: %q", got)
	}
	ChangeSetCookie(resp, "s", func(string) []string { return nil })
	if got := resp.Header.Values("Set-Cookie"); !slices.Equal(got, []string{"o=2"}) {
		t.Errorf("dropped: %q", got)
	}
}
