package engines

import (
	"cmp"
	_ "embed"
	"fmt"
	"html/template"
	"os"
	"strings"

	"crossing/harness/browser/behaviour"
	"crossing/reports/page"
)

//go:embed page.html
var layout string

//go:embed page.css
var style string

var parsed = template.Must(template.New(PageFile).Parse(layout))

// Page writes engines.html: one file that needs nothing else, for light and
// dark, wide and narrow.
func (r *Report) Page(path string) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	// The sheet of the runs' page, and what only this table needs.
	err = parsed.Execute(file, struct {
		*Report
		Style template.CSS
	}{r, page.Style() + template.CSS(style)})
	if err != nil {
		_ = file.Close()
		return fmt.Errorf("write %s: %w", path, err)
	}
	return file.Close()
}

// Groups are the rows under their headings.
func (r *Report) Groups() []Group {
	var all []Group
	for _, what := range r.Behaviours {
		if len(all) == 0 || all[len(all)-1].Name != what.Group {
			all = append(all, Group{Name: what.Group})
		}
		all[len(all)-1].Rows = append(all[len(all)-1].Rows, r.row(what))
	}
	return all
}

// Columns is how many the table has.
func (r *Report) Columns() int { return len(r.Profiles) + 1 }

// Group is a heading with its rows.
type Group struct {
	Name string
	Rows []Row
}

// ID is the group's name as a fragment of the page's address.
func (g Group) ID() string {
	return strings.Trim(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			return r
		}
		return '-'
	}, strings.ToLower(g.Name)), "-")
}

// Row is a behaviour as the page shows it.
type Row struct {
	Behaviour
	Cells []Cell
}

// Same says whether every profile does the same, as is expected of it.
func (r Row) Same() bool {
	for _, c := range r.Cells {
		if c.Class == off || c.Text != r.Cells[0].Text {
			return false
		}
	}
	return true
}

// Cell is one profile's outcome.
type Cell struct {
	Profile, Text, Class, Note string
}

// The classes of cells: most of the table is yes or no, neither of which is
// good or bad. What the ledger does not expect is off.
const (
	yes  = "chip good"
	no   = "chip"
	none = "none"
	off  = "chip bad"
)

var classes = map[string]string{
	"kept": yes, "sent": yes, "allowed": yes, "granted": yes, "shared": yes,
	"dropped": no, "not sent": no, "refused": no, "denied": no, "gone": no, "apart": no, "cleared": no,
}

func (r *Report) row(what Behaviour) Row {
	row := Row{Behaviour: what}
	for _, p := range r.Profiles {
		result, found := p.Find(what.Name)
		if !found {
			row.Cells = append(row.Cells, Cell{Profile: p.Name, Text: "not measured", Class: none})
			continue
		}
		c := Cell{Profile: p.Name, Text: short(result.Outcome), Class: cmp.Or(classes[result.Outcome], "chip mild"), Note: strings.Join(result.Reasons, ", ")}
		if why, not := strings.CutPrefix(result.Outcome, behaviour.NotApplicable); not {
			c.Class, c.Note = none, why
		}
		if d := r.Deviates(what.Name, p.Name); d != nil {
			c.Class, c.Note = off, d.Text
		}
		row.Cells = append(row.Cells, c)
	}
	return row
}
