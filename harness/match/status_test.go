package match

import (
	"testing"

	"crossing/harness/trace"
)

func TestBeStatus(t *testing.T) {
	e := trace.Exchange{ID: "e9", Method: "GET", Origin: "https://api.crossing-back.net", Path: "/me", Query: "x=1", Status: 401, Instance: "api",
		Response: trace.Message{Body: `{"code":"InvalidIssuerError"}`, Header: []trace.Field{{Name: "Www-Authenticate", Value: `Bearer error="invalid_token"`}}}}
	none := e
	none.Status, none.Err = 0, "reset"
	judge(t, []judged{
		{"as expected", BeStatus(401), e, true, []string{"another answer than 401", "GET https://api.crossing-back.net/me?x=1 → 401 by api (e9)"}},
		{"another", BeStatus(200), e, false, []string{"the answer 200", "GET https://api.crossing-back.net/me?x=1 → 401 by api (e9)", "InvalidIssuerError", `Bearer error="invalid_token"`}},
		{"no answer", BeStatus(0), none, false, []string{"no answer: reset"}},
	})
	refuses(t, BeStatus(200), 200, "BeStatus", "trace.Exchange", "int")
}
