package match

import (
	"testing"

	"crossing/harness/trace"
)

func TestKeepHeadroom(t *testing.T) {
	with := func(bytes int) trace.Trace {
		e := trace.Exchange{Response: trace.Message{SetCookies: []trace.SetCookie{{Name: "session", PairBytes: bytes}}}}
		return trace.Trace{Visitor: "ada", Profile: "webkit", Exchanges: []trace.Exchange{e}}
	}
	judge(t, []judged{
		{"slender", KeepHeadroom(), with(136), true, []string{"ada (webkit)", "136 of 4096 bytes (3 %), session"}},
		{"near", KeepHeadroom(), with(4095), true, nil},
		{"at the limit", KeepHeadroom(), with(4096), false, []string{"ada (webkit)", "a cookie's name and value: 4096 of 4096 bytes (100 %), session; the limit of browsers"}},
	})
	refuses(t, KeepHeadroom(), trace.Jar{}, "KeepHeadroom", "trace.Trace")
}
