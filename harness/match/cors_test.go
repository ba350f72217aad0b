package match

import (
	"testing"

	"crossing/harness/trace"
)

const page = "https://docs.crossing-front.com"

// reachable is an answer with all that a page with credentials needs, its
// fields over that.
func reachable(status int, fields ...string) trace.Exchange {
	e := headed(append(fields, "Access-Control-Allow-Origin", page, "Access-Control-Allow-Credentials", "true")...)
	e.Status = status
	return e
}

func TestBeReadableBy(t *testing.T) {
	m := BeReadableBy(page)
	judge(t, []judged{
		{"named exactly", m, reachable(200), true, []string{"Access-Control-Allow-Origin: " + page}},
		{"an error, too", m, reachable(500), true, nil},
		{"nothing said", m, headed(), false, []string{"no Access-Control-Allow-Origin", "no Access-Control-Allow-Credentials", "get-session"}},
		{"everybody", m, headed("Access-Control-Allow-Origin", "*", "Access-Control-Allow-Credentials", "true"), false, []string{"Access-Control-Allow-Origin: *"}},
		{"everybody, without credentials", m.WithoutCredentials(), headed("Access-Control-Allow-Origin", "*"), false, nil},
		{"another", BeReadableBy(page + ".example"), reachable(200), false, []string{page + ".example exactly"}},
		{"no credentials", m, headed("Access-Control-Allow-Origin", page), false, []string{"no Access-Control-Allow-Credentials"}},
		{"none wanted", m.WithoutCredentials(), headed("Access-Control-Allow-Origin", page), true, nil},
		{"exposed", m.Exposing("set-auth-jwt", "X-B"), reachable(200, "Access-Control-Expose-Headers", "x-b , Set-Auth-Jwt"), true, nil},
		{"exposed on two lines", m.Exposing("a", "b"), reachable(200, "Access-Control-Expose-Headers", "a", "Access-Control-Expose-Headers", "b"), true, nil},
		{"not exposed", m.Exposing("a", "b"), reachable(200, "Access-Control-Expose-Headers", "a"), false, []string{"it must name b"}},
		{"a wildcard with credentials", m.Exposing("a"), reachable(200, "Access-Control-Expose-Headers", "*"), false, nil},
		{"a wildcard without", m.WithoutCredentials().Exposing("a"), reachable(200, "Access-Control-Expose-Headers", "*"), true, nil},
		{"no answer", m, trace.Exchange{Err: "reset"}, false, []string{"no answer: reset"}},
	})
	refuses(t, m, "*", "BeReadableBy", "trace.Exchange")
}

func TestAllowingTo(t *testing.T) {
	post := BeReadableBy(page).AllowingTo("POST", "content-type", "authorization")
	headers := []string{"Access-Control-Allow-Headers", "Content-Type, Authorization"}
	judge(t, []judged{
		{"all of it", post, reachable(204, headers...), true, nil},
		{"refused", post, reachable(403, headers...), false, []string{"status 403"}},
		{"a header too few", post, reachable(204, headers[0], "content-type"), false, []string{"it must name authorization"}},
		{"a wildcard with credentials", post, reachable(204, headers[0], "*"), false, nil},
		{"a wildcard never covers Authorization", post.WithoutCredentials(), reachable(204, headers[0], "*"), false, []string{"it must name authorization"}},
		{"a method that is named", BeReadableBy(page).AllowingTo("PUT"), reachable(204, "Access-Control-Allow-Methods", "PUT"), true, nil},
		{"a method that is not", BeReadableBy(page).AllowingTo("PUT"), reachable(204, "Access-Control-Allow-Methods", "GET, POST"), false, []string{"it must name PUT"}},
		{"another origin's", BeReadableBy("null").AllowingTo("POST"), reachable(204), false, nil},
	})
}

func TestVaryBy(t *testing.T) {
	m := VaryBy("Origin")
	judge(t, []judged{
		{"named", m, headed("Vary", "Accept-Encoding, origin"), true, []string{"not to be told"}},
		{"everything", m, headed("vary", "*"), true, nil},
		{"another", m, headed("Vary", "Cookie"), false, []string{"Vary: Cookie"}},
		{"nothing", m, headed(), false, []string{"no Vary"}},
	})
	refuses(t, m, "Origin", "VaryBy", "trace.Exchange")
}
