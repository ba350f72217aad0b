package trace

import "testing"

func TestReadingTellsAPersonNobodyAndNeither(t *testing.T) {
	for _, c := range []struct {
		at     string
		status int
		body   string
		person string
		nobody bool
	}{
		{"", 200, `{"user":{"email":"ada@x.example"}}`, "ada@x.example", false},
		{"", 200, `null`, "", true},
		{"", 200, `{"user":null}`, "", true},
		{"", 200, `{"user":{"email":7}}`, "", true},
		{"", 200, ``, "", false},
		{"", 200, `<html>`, "", false},
		{"", 401, `null`, "", false},
		{"", 500, `{"user":{"email":"ada@x.example"}}`, "", false},
		{"account", 200, `{"account":"ada@x.example"}`, "ada@x.example", false},
		{"a.b.c", 200, `{"a":{"b":{"c":"ada@x.example"}}}`, "ada@x.example", false},
		{"a.b.c", 200, `{"a":{"b":"ada@x.example"}}`, "", true},
	} {
		person, nobody := Reading{Person: c.at}.Of(c.status, c.body)
		if person != c.person || nobody != c.nobody {
			t.Errorf("%q of %d %s: %q, nobody %v", c.at, c.status, c.body, person, nobody)
		}
	}
}
