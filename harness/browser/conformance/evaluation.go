package conformance

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

func (b *bench) evaluation(t *testing.T) {
	v := b.visit(t)
	v.goTo(front + "/plain")
	on := func(t *testing.T) *visitor { w := *v; w.t = t; return &w }

	t.Run("values come back as JSON", func(t *testing.T) {
		v := on(t)
		type value struct {
			Text  string   `json:"text"`
			Count int      `json:"count"`
			Half  float64  `json:"half"`
			Yes   bool     `json:"yes"`
			List  []string `json:"list"`
			None  *string  `json:"none"`
		}
		got := eval[value](v, v.page, `() => ({text: 'a "b" \\ <c>\n', count: 9007199254740991,
			half: 0.5, yes: true, list: ['x', 'y'], none: null})`, nil)
		want := value{Text: "a \"b\" \\ <c>\n", Count: 9007199254740991, Half: 0.5, Yes: true, List: []string{"x", "y"}}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
	t.Run("an async function is awaited", func(t *testing.T) {
		v := on(t)
		got := eval[int](v, v.page, `async n => { await new Promise(r => setTimeout(r, 50)); return n + 1 }`, 41)
		if got != 42 {
			t.Errorf("got %d, want 42", got)
		}
	})
	t.Run("a promise that is returned is awaited", func(t *testing.T) {
		v := on(t)
		if got := eval[string](v, v.page, `() => Promise.resolve('kept')`, nil); got != "kept" {
			t.Errorf("got %q, want kept", got)
		}
	})
	t.Run("a function expression of the older kind", func(t *testing.T) {
		v := on(t)
		if got := eval[int](v, v.page, "function (n) { return n * 2 }", 21); got != 42 {
			t.Errorf("got %d, want 42", got)
		}
	})
	t.Run("an argument arrives whole", func(t *testing.T) {
		v := on(t)
		arg := map[string]any{
			"quote": `it's "quoted" \n`, "unicode": "Zoë 日本 🙂", "separators": "a\u2028b\u2029c",
			"nested": map[string]any{"list": []any{1.0, nil, false}}, "markup": "</script><!--",
		}
		if got := eval[map[string]any](v, v.page, `x => x`, arg); !reflect.DeepEqual(got, arg) {
			t.Errorf("got %#v, want %#v", got, arg)
		}
		if !eval[bool](v, v.page, `x => x === null`, nil) {
			t.Error("no argument did not arrive as null")
		}
	})
	t.Run("undefined leaves out alone", func(t *testing.T) {
		v := on(t)
		for _, script := range []string{`() => {}`, `async () => undefined`} {
			out := "untouched"
			if err := v.page.Eval(v.ctx, script, nil, &out); err != nil || out != "untouched" {
				t.Errorf("%s: got %q, %v", script, out, err)
			}
		}
		if err := v.page.Eval(v.ctx, `() => 'unwanted'`, nil, nil); err != nil {
			t.Errorf("with no out: %v", err)
		}
	})
	t.Run("a large result", func(t *testing.T) {
		v := on(t)
		const size = 4 << 20
		got := eval[string](v, v.page, `n => 'ab'.repeat(n / 2)`, size)
		if len(got) != size || strings.Trim(got, "ab") != "" {
			t.Errorf("got %d bytes, want %d", len(got), size)
		}
	})
	t.Run("a large argument", func(t *testing.T) {
		v := on(t)
		const size = 1 << 20
		if got := eval[int](v, v.page, `s => s.length`, strings.Repeat("x", size)); got != size {
			t.Errorf("%d characters arrived, want %d", got, size)
		}
	})
	t.Run("failures are errors with the page's words", func(t *testing.T) {
		for name, c := range map[string]struct{ script, word string }{
			"rejection":            {`async () => { throw new TypeError('no-such-thing') }`, "no-such-thing"},
			"exception":            {`() => { throw new Error('thrown-at-once') }`, "thrown-at-once"},
			"rejected with a text": {`() => Promise.reject('plain-words')`, "plain-words"},
			"the engine's own":     {`() => absent.property`, "absent"},
			"no function":          {`() => {`, ""},
		} {
			t.Run(name, func(t *testing.T) {
				v := on(t)
				var out json.RawMessage
				err := v.page.Eval(v.ctx, c.script, nil, &out)
				if err == nil {
					t.Fatalf("no error, but %s", out)
				}
				if !strings.Contains(err.Error(), c.word) {
					t.Errorf("the error lacks %q: %v", c.word, err)
				}
			})
		}
	})
	t.Run("a result that does not fit out is an error", func(t *testing.T) {
		v := on(t)
		var out int
		if err := v.page.Eval(v.ctx, `() => 'words'`, nil, &out); err == nil {
			t.Errorf("a text went into an int as %d", out)
		}
	})
	t.Run("under a content security policy", func(t *testing.T) {
		v := b.visit(t)
		v.goTo(front + "/strict")
		if got := eval[string](v, v.page, `async x => document.title + x`, "!"); got != "strict!" {
			t.Errorf("got %q, want strict!", got)
		}
	})
}
