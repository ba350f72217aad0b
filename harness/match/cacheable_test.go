package match

import (
	"testing"

	"crossing/harness/trace"
)

func headed(fields ...string) trace.Exchange {
	e := trace.Exchange{ID: "e4", Method: "GET", Origin: "https://auth.crossing-back.net", Path: "/api/auth/get-session", Status: 200}
	for i := 0; i < len(fields); i += 2 {
		e.Response.Header = append(e.Response.Header, trace.Field{Name: fields[i], Value: fields[i+1]})
	}
	return e
}

func TestNotBeCacheable(t *testing.T) {
	m := NotBeCacheable()
	judge(t, []judged{
		{"no-store", m, headed("Cache-Control", "No-Store"), true, []string{"Cache-Control: No-Store"}},
		{"private", m, headed("cache-control", "max-age=60, private"), true, nil},
		{"on a second line", m, headed("Cache-Control", "max-age=60", "Cache-Control", "no-store"), true, nil},
		{"a CDN told so too", m, headed("Cache-Control", "no-store", "CDN-Cache-Control", "no-store"), true, nil},
		{"a miss", m, headed("Cache-Control", "no-store", "X-Vercel-Cache", "MISS"), true, nil},
		{"nothing said", m, headed(), false, []string{"no Cache-Control: it says neither", "get-session"}},
		{"no-cache may be stored", m, headed("Cache-Control", "no-cache"), false, []string{"Cache-Control: no-cache"}},
		{"private for a field", m, headed("Cache-Control", `private="set-cookie"`), false, nil},
		{"a CDN told otherwise", m, headed("Cache-Control", "no-store", "Vercel-CDN-Cache-Control", "max-age=60"), false, []string{"Vercel-CDN-Cache-Control: max-age=60"}},
		{"an age", m, headed("Cache-Control", "no-store", "Age", "12"), false, []string{"Age: 12"}},
		{"a hit", m, headed("Cache-Control", "no-store", "X-Vercel-Cache", "HIT"), false, []string{"X-Vercel-Cache: HIT"}},
		{"no answer", m, trace.Exchange{Err: "reset"}, false, []string{"no answer: reset"}},
	})
	refuses(t, m, "no-store", "NotBeCacheable", "trace.Exchange")
}
