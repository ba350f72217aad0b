package webdriver

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"crossing/harness/trace"
)

//go:embed page.js
var head string

// task is a script of the harness. Its code is a JavaScript function
// expression of one argument, its input; script is what it evaluates for a
// caller, another such expression, or empty.
type task struct {
	code, script string
	// once: it must not be run again where its document was left meanwhile.
	once bool
}

func (t task) source() string {
	script := t.script
	if script == "" {
		script = "null"
	}
	return "return (function (call, input, script) {\n" + head +
		"return (async () => answer(await (" + t.code + ")(input)))();\n" +
		"})(arguments[0], arguments[1], " + script + "\n);"
}

// reply is what every script answers.
type reply struct {
	// Astray: the driver was in another document than was meant, and nothing
	// was run.
	Astray bool `json:"astray"`
	// Document is the id of the first script that was run in this document.
	Document int64           `json:"document"`
	URL      string          `json:"url"`
	Value    json.RawMessage `json:"value"`
	Errors   []struct {
		Time float64 `json:"time"` // milliseconds since 1970
		Page string  `json:"page"`
		Text string  `json:"text"`
	} `json:"errors"`
}

// run runs a task in a document and decodes what it returns into out, which
// may be nil. The turn is the caller's. Page
// errors that have gathered are recorded on the way.
func (s *session) run(ctx context.Context, at place, t task, input, out any) (reply, error) {
	r, err := s.attempt(ctx, at, t, input)
	if r.Astray || lost(err) {
		// The frame, or its parent, has been replaced since it was entered.
		s.leave()
		r, err = s.attempt(ctx, at, t, input)
	}
	for interrupted(err) && !t.once {
		r, err = s.attempt(ctx, at, t, input)
	}
	if err != nil {
		return r, err
	}
	if r.Astray {
		return r, errors.New("the driver does not enter the document that was meant")
	}
	if at.frame == "" {
		at.page.document = r.Document
	}
	for _, e := range r.Errors {
		s.recorder.PageError(trace.PageError{
			Time: time.UnixMilli(int64(e.Time)), Page: s.scrub(e.Page), Kind: trace.ErrorUncaught, Text: e.Text,
		})
	}
	if out == nil {
		return r, nil
	}
	return r, json.Unmarshal(r.Value, out)
}

func (s *session) attempt(ctx context.Context, at place, t task, input any) (r reply, err error) {
	if err := s.enter(ctx, at); err != nil {
		return r, err
	}
	call := map[string]any{"framed": at.frame != "", "id": s.scripts.Add(1)}
	return r, s.remote.execute(ctx, t.source(), []any{call, input}, &r)
}

// lost says that a command found no document and did nothing. A script that
// had begun when its page was left has a message with its code.
func lost(err error) bool {
	c := code(err)
	return (c == codeNoFrame || c == codeNoWindow) && !interrupted(err)
}

// interrupted says that the document was left while a script ran in it.
func interrupted(err error) bool {
	var e *wireError
	return errors.As(err, &e) && strings.Contains(e.Message, "unload")
}
