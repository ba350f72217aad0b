package page

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"crossing/harness/diagnose"
	"crossing/harness/trace"
	"crossing/reports"
)

// Bounds of what is embedded, in bytes where nothing else is said: a page has
// to open on a phone. What is left out is counted on the page, which links to
// the trace that holds all of it.
const (
	mostTraces    = 12 << 20 // of all stories, as JSON
	mostPictures  = 8 << 20  // of all screenshots
	mostPicture   = 1 << 20  // of one
	mostFile      = 64 << 20 // of a trace that is read at all
	mostExchanges = 150      // of one visitor
	mostMoments   = 200
	mostLogs      = 300
	mostJars      = 12
	mostCookies   = 60 // of one jar
	mostErrors    = 50
	mostText      = 2 << 10 // of one body or log line
	mostValue     = 500     // of one header line or error
)

// data is embedded in the page, as JSON and once; the scripts draw from it
// what a person opens.
type data struct {
	Specs []reports.Spec `json:"specs"`
	// Earlier says whether there is a history.
	Earlier bool    `json:"earlier"`
	Stories []story `json:"stories"`
}

// story is what became of one failed spec.
type story struct {
	// Spec is its index among data.Specs.
	Spec     int       `json:"spec"`
	Visitors []visitor `json:"visitors"`
	Commit   string    `json:"commit,omitempty"`
}

// visitor is one visitor's part of a story.
type visitor struct {
	Name       string             `json:"name"`
	Profile    string             `json:"profile"`
	Browser    string             `json:"browser,omitempty"`
	Trace      string             `json:"trace"`
	Sentence   string             `json:"sentence"`
	Diagnosis  diagnose.Diagnosis `json:"diagnosis"`
	Screenshot string             `json:"screenshot,omitempty"` // a path
	Picture    string             `json:"picture,omitempty"`    // the same as a data: URL
	Moments    []moment           `json:"moments"`
	Exchanges  []exchange         `json:"exchanges"`
	Jars       []jar              `json:"jars"`
	// Errors are the pages' own; Gaps what this engine cannot report.
	Errors []trace.PageError `json:"errors"`
	Gaps   []string          `json:"gaps,omitempty"`
	// Left says what was left out, a line each.
	Left []string `json:"left,omitempty"`

	seen []reports.Seen
	// pictures are those of steps that there is room for, as data: URLs.
	pictures map[string]string
}

// collector fills the data within the bounds.
type collector struct {
	folder   string
	traces   int
	pictures int
}

func collect(r *reports.Run, folder string) data {
	c := &collector{folder: folder}
	d := data{Specs: slices.Clone(r.Specs), Earlier: len(r.Earlier) > 0, Stories: []story{}}
	if d.Specs == nil {
		d.Specs = []reports.Spec{}
	}
	for i, s := range r.Specs {
		if s.State != reports.Failed && s.State != reports.Infrastructure {
			continue
		}
		told := story{Spec: i, Visitors: []visitor{}, Commit: r.Commit}
		for _, diagnosis := range r.Of(s) {
			told.Visitors = append(told.Visitors, c.visitor(diagnosis))
		}
		d.Stories = append(d.Stories, told)
	}
	return d
}

func (c *collector) visitor(d reports.Diagnosis) visitor {
	v := visitor{
		Name: d.Visitor, Profile: d.Profile, Trace: filepath.ToSlash(d.Trace), Sentence: d.Sentence, Diagnosis: d.Diagnosis,
		Moments: []moment{}, Exchanges: []exchange{}, Jars: []jar{}, Errors: []trace.PageError{}, Screenshot: filepath.ToSlash(d.Screenshot),
		seen: d.Steps, pictures: map[string]string{},
	}
	c.picture(&v)
	c.steps(&v)
	path := filepath.Join(c.folder, filepath.FromSlash(d.Trace))
	info, err := os.Stat(path)
	switch {
	case err != nil:
		v.Left = append(v.Left, "the trace is not beside the page")
		return v
	case info.Size() > mostFile:
		v.Left = append(v.Left, fmt.Sprintf("the trace has %d MiB and is not shown; crossing explain reads it", info.Size()>>20))
		return v
	case c.traces > mostTraces:
		v.Left = append(v.Left, "the way of this visitor: the page holds as much of other traces as it can; open the trace")
		return v
	}
	t, err := trace.Read(path)
	if err != nil {
		v.Left = append(v.Left, fmt.Sprintf("the trace: %v", err))
		return v
	}
	v.fill(t)
	c.traces += v.size()
	return v
}

// fill takes out of the trace what a story needs.
func (v *visitor) fill(t trace.Trace) {
	v.Browser, v.Gaps = t.Browser, t.Gaps
	v.Exchanges = v.exchanges(t)
	v.Moments = v.moments(t)
	v.Jars = v.jars(t)
	v.Errors = bound(v, "page errors", mostErrors, t.PageErrors)
	for i := range v.Errors {
		v.Errors[i].Text = cut(v.Errors[i].Text, mostText)
	}
}

// bound keeps the first n, and says how many were left out.
func bound[T any](v *visitor, what string, n int, all []T) []T {
	if len(all) > n {
		v.left(len(all)-n, len(all), what)
		all = all[:n]
	}
	return append([]T{}, all...)
}

func (v *visitor) left(n, of int, what string) {
	v.Left = append(v.Left, fmt.Sprintf("%d of %d %s", n, of, what))
}

// cut shortens a text to n bytes, at a character, and says so.
func cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	end := n
	for end > 0 && text[end]&0xC0 == 0x80 {
		end--
	}
	return fmt.Sprintf("%s… (%d bytes more)", text[:end], len(text)-end)
}

// picture embeds the screenshot where there is room for it.
func (c *collector) picture(v *visitor) {
	if v.Screenshot == "" {
		return
	}
	picture, err := c.embed(v.Screenshot)
	switch {
	case err != nil:
		v.Left = append(v.Left, "the screenshot is not beside the page")
		v.Screenshot = ""
	case picture == "":
		v.Left = append(v.Left, "the screenshot is too large to be shown here; open its file")
	}
	v.Picture = picture
}

// steps embeds the pictures of steps.
func (c *collector) steps(v *visitor) {
	missing, large := 0, 0
	for _, s := range v.seen {
		if s.Screenshot == "" {
			continue
		}
		picture, err := c.embed(s.Screenshot)
		switch {
		case err != nil:
			missing++
		case picture == "":
			large++
		}
		v.pictures[s.Screenshot] = picture
	}
	if missing > 0 {
		v.Left = append(v.Left, fmt.Sprintf("%d pictures of steps are not beside the page", missing))
	}
	if large > 0 {
		v.Left = append(v.Left, fmt.Sprintf("%d pictures of steps, for which there is no room here; open their files", large))
	}
}

// embed makes a data: URL of a picture, "" where there is no room for it.
func (c *collector) embed(path string) (string, error) {
	data, err := os.ReadFile(filepath.Join(c.folder, filepath.FromSlash(path)))
	if err != nil || len(data) > mostPicture || c.pictures+len(data) > mostPictures {
		return "", err
	}
	c.pictures += len(data)
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString(data), nil
}
