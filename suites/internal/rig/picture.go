package rig

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"crossing/reports"
)

// seen is what the browser showed and kept once a step was over. The picture
// stays in memory: it is written if the spec fails.
type seen struct {
	reports.Seen
	picture []byte
	// text is what stood on the page, by which a picture is judged: pixels
	// cannot be searched for secrets.
	text string
}

// Bounds of what is looked at on the way: pictures in memory, and how long
// looking may hold a journey up.
const (
	mostPictures = 8
	looking      = 2 * time.Second
)

// errShows keeps a picture from being written.
var errShows = errors.New("the page shows a secret, and a picture of it would, too")

// look notes the jar and the picture of the page. What cannot be looked at is no
// matter here: the step has said what it has to say.
func (v *Visitor) look(ctx context.Context, step string) {
	ctx, cancel := context.WithTimeout(ctx, looking)
	defer cancel()
	s := seen{Seen: reports.Seen{Step: step, Time: time.Now()}}
	if jar, err := v.Session.Cookies(ctx); err == nil {
		s.Scope, s.Cookies = jar.Scope, jar.Cookies
	}
	if err := v.picture(ctx, &s); err != nil {
		s.Note = v.rig.redactor.Scrub(err.Error())
	}
	v.steps = append(v.steps, s)
	if old := len(v.steps) - 1 - mostPictures; old >= 0 && v.steps[old].picture != nil {
		v.steps[old].picture, v.steps[old].Note = nil, fmt.Sprintf("pictures of the last %d steps are kept", mostPictures)
	}
}

// shown is the text of a page, and that of its fields but for those whose text
// the browser hides.
const shown = `() => [document.documentElement.innerText, ...[...document.querySelectorAll("input:not([type=password]), textarea")].map((field) => field.value)].join("\n")`

// picture takes one, and the text of its page.
func (v *Visitor) picture(ctx context.Context, s *seen) error {
	// Asked before and after: the page may change by itself meanwhile.
	var before, after string
	if err := v.Page.Eval(ctx, shown, nil, &before); err != nil {
		return err
	}
	picture, err := v.Page.Screenshot(ctx)
	if err != nil {
		return err
	}
	if err := v.Page.Eval(ctx, shown, nil, &after); err != nil {
		return err
	}
	s.picture, s.text = picture, before+"\n"+after
	return nil
}

// keep writes a picture that shows no secret.
func (v *Visitor) keep(s seen, path string) (string, error) {
	if len(v.rig.redactor.Leaks([]byte(s.text))) > 0 {
		return "", errShows
	}
	return path, write(filepath.Join(v.rig.settings.OutDir, path), s.picture)
}

// kept are the steps, their pictures written; one that shows what the one before
// shows is not written again.
func (v *Visitor) kept(name string) ([]reports.Seen, error) {
	var all []reports.Seen
	var errs []error
	var last []byte
	for i, s := range v.steps {
		if s.picture != nil && !bytes.Equal(s.picture, last) {
			path, err := v.keep(s, filepath.Join("screenshots", fmt.Sprintf("%s-%d.png", name, i+1)))
			switch {
			case errors.Is(err, errShows):
				s.Note = err.Error()
			default:
				errs = append(errs, err)
			}
			s.Screenshot, last = path, s.picture
		}
		all = append(all, s.Seen)
	}
	return all, errors.Join(errs...)
}
