package trace

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestSetCookieIsTakenApart(t *testing.T) {
	r := NewRedactor(nil)
	line := "__Secure-better-auth.session_token=tok12345.sig%3D; Max-Age=604800; Path=/; HttpOnly; Secure; SameSite=None; Partitioned"
	week := 604800
	got := ParseSetCookie(line, r)
	d := r.Digest("tok12345.sig%3D")
	want := SetCookie{Name: "__Secure-better-auth.session_token", Digest: d,
		Line: strings.Replace(line, "tok12345.sig%3D", d, 1), Path: "/", MaxAge: &week,
		Secure: true, HTTPOnly: true, SameSite: "None", Partitioned: true, Bytes: len(line),
		PairBytes: len("__Secure-better-auth.session_token") + len("tok12345.sig%3D"), AttributeBytes: len("604800")}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("\n got %+v\nwant %+v", got, want)
	}
	if plain, ok := r.Reveal(d); !ok || plain != "tok12345.sig%3D" {
		t.Error("the value was not learnt")
	}
}

func TestSetCookieAttributesAreReadAsTheRFCSays(t *testing.T) {
	number := func(n int) *int { return &n }
	for line, want := range map[string]SetCookie{
		"a=b":                                  {Name: "a"},
		"a=b=c; sEcUrE=no; HTTPONLY":           {Name: "a", Secure: true, HTTPOnly: true},
		" a = b ;Path = /x ; path=/y":          {Name: "a", Path: "/y"},
		"a=b; Domain=.x.org; SameSite=lax":     {Name: "a", Domain: ".x.org", SameSite: "lax"},
		"justvalue; Secure":                    {Secure: true},
		"=b":                                   {},
		"a=b; Max-Age=+5":                      {Name: "a"},
		"a=b; Max-Age=5s":                      {Name: "a"},
		"a=b; Max-Age=":                        {Name: "a"},
		"a=b; Max-Age=-":                       {Name: "a"},
		"a=b; Max-Age=-1":                      {Name: "a", MaxAge: number(-1)},
		"a=b; Max-Age=99999999999999999999":    {Name: "a", MaxAge: number(1<<63 - 1)},
		"a=b; Unknown=x; ; Partitioned=really": {Name: "a", Partitioned: true},
	} {
		got := ParseSetCookie(line, NewRedactor(nil))
		got.Digest, got.Line, got.Bytes, got.PairBytes, got.AttributeBytes = "", "", 0, 0, 0
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%q\n got %+v\nwant %+v", line, got, want)
		}
	}
}

func TestRemovalIsMaxAgeOrAPastDate(t *testing.T) {
	future := time.Now().Add(time.Hour).UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT")
	for line, want := range map[string]bool{
		"a=b":             false,
		"a=b; Max-Age=60": false,
		"a=; Max-Age=0":   true,
		"a=; Max-Age=-9":  true,
		"a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT":             true, // as Express clears
		"a=; Expires=Thu, 01-Jan-1970 00:00:00 GMT":             true,
		"a=; Expires=Thursday, 01-Jan-70 00:00:00 GMT":          true,
		"a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=60": false, // Max-Age goes first
		"a=b; Expires=" + future:                                false,
		"a=b; Expires=" + future + "; Max-Age=0":                true,
		"a=b; Expires=soon":                                     false,
	} {
		if got := ParseSetCookie(line, NewRedactor(nil)); got.Removes() != want {
			t.Errorf("%q: Removes is %v", line, !want)
		}
	}
}

func TestCookiesKeepOrderAndDoubles(t *testing.T) {
	r := NewRedactor(nil)
	d := r.Digest
	got := ParseCookies(`b=2; a=one=more;b=3; nameless-secret; =x;; c=`, r)
	want := []Pair{{"b", d("2"), 2}, {"a", d("one=more"), 9}, {"b", d("3"), 2}, {"", d("nameless-secret"), 15}, {"", d("x"), 1}, {"c", "", 1}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("\n got %+v\nwant %+v", got, want)
	}
	if r.Scrub("nameless-secret") == "nameless-secret" {
		t.Error("a value without a name was not learnt")
	}
	if got := ParseCookies("", r); got != nil {
		t.Errorf("no cookies at all: %+v", got)
	}
}
