package webdriver

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"crossing/harness/browser"
)

// slice is how long one command waits for a promise. Between slices others
// may have their turn, so that a script that waits for something does not keep
// the very call from running that would bring it about.
const slice = 100 * time.Millisecond

// lookEvery is how often an element is looked for that is not ready.
const lookEvery = 30 * time.Millisecond

// scope is what can be done in one document.
type scope struct {
	session *session
	at      place
}

// URL returns the address as the document itself knows it.
func (sc *scope) URL(ctx context.Context) (string, error) {
	var r reply
	err := sc.session.do(ctx, func(ctx context.Context) (err error) {
		r, err = sc.session.run(ctx, sc.at, nothing, nil, nil)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("ask for the URL: %w", err)
	}
	return r.URL, nil
}

// outcome is what has become of an evaluation. Result is JSON text, absent
// for undefined.
type outcome struct {
	Pending bool    `json:"pending"`
	Gone    bool    `json:"gone"`
	Result  *string `json:"result"`
	Error   *string `json:"error"`
}

// The two tasks of an evaluation: the first begins it, both wait for one slice. What still runs then
// is kept with the document.
const (
	settle = `const later = new Promise((r) => setTimeout(() => r({pending: true}), input.slice));
	const seen = await Promise.race([run, later]);
	if (seen.pending) state.pending.set(input.id, run); else state.pending.delete(input.id);
	return seen;`
	begin = `async () => {
	const run = (async () => script(JSON.parse(input.arg)))().then((v) => ({result: JSON.stringify(v)})).catch((e) => ({error: words(e)}));
	` + settle + `
}`
	resume = `async () => {
	const run = state.pending.get(input.id);
	if (!run) return {gone: true};
	` + settle + `
}`
)

// Eval runs script in the document. While it waits for a promise, other calls
// to the session are served.
func (sc *scope) Eval(ctx context.Context, script string, arg, out any) error {
	data, err := json.Marshal(arg)
	if err != nil {
		return fmt.Errorf("evaluate: encode the argument: %w", err)
	}
	input := map[string]any{
		"arg": string(data), "slice": slice.Milliseconds(), "id": sc.session.scripts.Add(1),
	}
	t := task{code: begin, script: script, once: true}
	for {
		var o outcome
		err := sc.session.do(ctx, func(ctx context.Context) error {
			_, err := sc.session.run(ctx, sc.at, t, input, &o)
			return err
		})
		switch {
		case interrupted(err) || o.Gone:
			return errors.New("evaluate: the page was left while the script ran")
		case code(err) == codeJavaScript:
			return fmt.Errorf("evaluate: %s", sc.session.scrub(err.Error()))
		case err != nil:
			return fmt.Errorf("evaluate: %w", err)
		case o.Error != nil:
			return fmt.Errorf("evaluate: the page says: %s", sc.session.scrub(*o.Error))
		case !o.Pending:
			return o.into(out)
		}
		t = task{code: resume, once: true}
		delete(input, "arg")
	}
}

func (o outcome) into(out any) error {
	if out == nil || o.Result == nil {
		return nil
	}
	if err := json.Unmarshal([]byte(*o.Result), out); err != nil {
		return fmt.Errorf("evaluate: decode the result: %w", err)
	}
	return nil
}

//go:embed find.js
var findCode string

var find = task{code: findCode}

// found is what a look for an element came to.
type found struct {
	// Wrong says why no waiting will help; State what it still lacks.
	Wrong      string            `json:"wrong"`
	State      string            `json:"state"`
	Element    element           `json:"element"`
	Attributes map[string]string `json:"attributes"`
	// Blank: a frame that has no page of its own to load.
	Blank bool `json:"blank"`
	// Lines: a field that holds more than one line.
	Lines bool `json:"lines"`
}

// await looks for the first element that fits selector until it is ready for
// what is wanted, and then has act act on it, all in one turn. act may say
// that the element lacks something still, or fail in a way that passes.
func (sc *scope) await(ctx context.Context, selector, want string, act func(ctx context.Context, f found) (string, error)) error {
	last, acting := "", false
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		var f found
		acting = false
		err := sc.session.do(ctx, func(ctx context.Context) error {
			input := map[string]string{"selector": selector, "want": want}
			if _, err := sc.session.run(ctx, sc.at, find, input, &f); err != nil || f.Wrong != "" || f.State != "" {
				return err
			}
			acting = want != "frame" // which only looks once more
			state, err := act(ctx, f)
			f.State = state
			return err
		})
		switch {
		case ctx.Err() != nil && errors.Is(err, ctx.Err()) && acting && last == "":
			return fmt.Errorf("%s was ready and acted on, but: %w", selector, err)
		case ctx.Err() != nil && errors.Is(err, ctx.Err()):
			return unready(ctx, selector, last)
		case passing(err):
			last = "was seen, but: " + sc.session.scrub(err.Error())
		case err != nil:
			return err
		case f.Wrong != "":
			return fmt.Errorf("%s: %s", selector, f.Wrong)
		case f.State == "":
			return nil
		default:
			last = f.State
		}
		select {
		case <-ctx.Done():
			return unready(ctx, selector, last)
		case <-tick.C:
		}
	}
}

// unready is the end of a wait: a cancelled one says no more than that.
func unready(ctx context.Context, selector, last string) error {
	if last == "" {
		last = "was not seen: the page did not answer"
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("%w: %s %s: %w", browser.ErrNoElement, selector, last, ctx.Err())
	}
	return fmt.Errorf("%s %s: %w", selector, last, ctx.Err())
}

// passing says that an error may be over at the next look: the element, its
// frame or its document changed between two commands.
func passing(err error) bool {
	switch code(err) {
	case codeIntercepted, codeNoElement, codeNotInteractable, codeStale, codeNoFrame:
		return true
	}
	return errors.Is(err, browser.ErrNoElement)
}

// met says what a click has met in place of the element that was aimed at. In
// another document than that one it met its element: that led there.
var met = task{code: `() => {
	const missed = state.aim?.missed;
	state.aim?.done.abort();
	delete state.aim;
	return missed ? "was no longer where it had been, and the click met " + missed : "";
}`}

// metLimit is for that question alone: WebKitGTK's driver answers it never where
// the click made the page around a frame leave at that moment (2.50.6, measured:
// one time in twelve), and goes on with what it is asked next.
const metLimit = 3 * time.Second

// Click clicks as a person would, with the driver's own hit test, and again
// where the element had moved from under the click.
func (sc *scope) Click(ctx context.Context, selector string) error {
	err := sc.await(ctx, selector, "click", func(ctx context.Context, f found) (missed string, err error) {
		err = sc.session.remote.click(ctx, f.Element)
		limited, cancel := context.WithTimeout(ctx, metLimit)
		defer cancel()
		if _, gone := sc.session.run(limited, sc.at, met, nil, &missed); gone != nil {
			missed = "" // the click has closed the window, or replaced the frame
		}
		return missed, err
	})
	if err != nil {
		return fmt.Errorf("click: %w", err)
	}
	return sc.session.rest(ctx)
}

// Fill empties a field and types into it.
func (sc *scope) Fill(ctx context.Context, selector, text string) error {
	err := sc.await(ctx, selector, "fill", func(ctx context.Context, f found) (string, error) {
		for _, stroke := range strokes(text, f.Lines) {
			if stroke.typed {
				if err := sc.session.remote.sendKeys(ctx, f.Element, stroke.text); err != nil {
					return "", err
				}
				continue
			}
			var focused bool
			input := map[string]string{"selector": selector, "text": stroke.text}
			if _, err := sc.session.run(ctx, sc.at, insert, input, &focused); err != nil {
				return "", err
			}
			if !focused {
				return "lost the focus while it was typed into", nil
			}
		}
		return "", nil
	})
	if err != nil {
		return fmt.Errorf("fill: %w", err)
	}
	return sc.session.rest(ctx)
}

// insert gives a field text as an input method does: by one trusted event.
var insert = task{code: `({selector, text}) => {
	if (document.activeElement !== document.querySelector(selector)) return false;
	document.execCommand("insertText", false, text);
	return true;
}`, once: true}

// Attributes returns the attributes and, under "", the text content.
func (sc *scope) Attributes(ctx context.Context, selector string) (map[string]string, error) {
	var attributes map[string]string
	err := sc.await(ctx, selector, "attributes", func(_ context.Context, f found) (string, error) {
		attributes = f.Attributes
		return "", nil
	})
	if err != nil {
		return nil, fmt.Errorf("read attributes: %w", err)
	}
	return attributes, nil
}
