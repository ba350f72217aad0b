package engines

import (
	"fmt"
	"html/template"
	"os"
	"strings"
)

// Page writes engines.html: one file that needs nothing else, for light and
// dark, wide and narrow.
func (r *Report) Page(path string) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := page.Execute(file, r); err != nil {
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

// Group is a heading with its rows.
type Group struct {
	Name string
	Rows []Row
}

// Row is a behaviour as the page shows it.
type Row struct {
	Behaviour
	Cells []Cell
}

// Cell is one profile's outcome.
type Cell struct {
	Profile, Text, Class, Note string
}

// classes colour the outcomes that most of the table consists of.
var classes = map[string]string{
	"kept": "yes", "sent": "yes", "allowed": "yes", "granted": "yes", "shared": "yes",
	"dropped": "no", "not sent": "no", "refused": "no", "denied": "no", "gone": "no", "apart": "no", "cleared": "no",
}

func (r *Report) row(what Behaviour) Row {
	row := Row{Behaviour: what}
	for _, p := range r.Profiles {
		result, found := p.Find(what.Name)
		if !found {
			row.Cells = append(row.Cells, Cell{Profile: p.Name, Text: "not measured", Class: "none"})
			continue
		}
		c := Cell{Profile: p.Name, Text: short(result.Outcome), Class: classes[result.Outcome], Note: strings.Join(result.Reasons, ", ")}
		if why, not := strings.CutPrefix(result.Outcome, "n/a: "); not {
			c.Class, c.Note = "none", why
		}
		if d := r.Deviates(what.Name, p.Name); d != nil {
			c.Class, c.Note = "off", d.Text
		}
		row.Cells = append(row.Cells, c)
	}
	return row
}

var page = template.Must(template.New("engines").Parse(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>What browsers do with cookies that cross sites</title>
<style>
:root { color-scheme: light dark; --ink: #1d2329; --soft: #57606a; --line: #d8dee4; --page: #fff; --head: #f3f5f7; --yes: #0b6b3a; --no: #8a4b08; --off: #b3171c; --link: #0a58ca }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaee; --soft: #9aa5b1; --line: #353c45; --page: #14181c; --head: #1e242a; --yes: #5fd38d; --no: #f0b064; --off: #ff7b7b; --link: #7cb4ff } }
* { box-sizing: border-box }
body { margin: 0 auto; padding: 1.5rem; max-width: 100rem; font: 15px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--page) }
h1 { font-size: 1.5rem; margin: 0 0 .3rem } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem }
p { max-width: 60rem } .soft { color: var(--soft) } a { color: var(--link) }
.wide { overflow-x: auto }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem; border-bottom: 1px solid var(--line) }
thead th { background: var(--head); position: sticky; top: 0 }
tbody th { font-weight: normal } #table tbody th { min-width: 15rem } tr.group th { font-weight: 600; padding-top: 1.1rem }
.yes { color: var(--yes) } .no { color: var(--no) } .none { color: var(--soft) } .off { color: var(--off); font-weight: 600 }
small { display: block; color: var(--soft); overflow-wrap: anywhere } .off small { color: var(--off); font-weight: normal }
@media (max-width: 44rem) {
	body { padding: 1rem }
	#table thead { display: none } #table tr, #table th, #table td { display: block; border: 0; padding: .1rem 0 }
	#table tr { border-bottom: 1px solid var(--line); padding: .6rem 0 } #table tbody th { min-width: 0; font-weight: 600 }
	#table td { display: grid; grid-template-columns: 8.5rem 1fr } #table td::before { content: attr(data-profile); color: var(--soft) }
	#table td small { grid-column: 2 } #table tr.group th { font-size: 1.05rem; color: var(--soft) }
}
</style>
</head>
<body>
<h1>What browsers do with cookies that cross sites</h1>
<p class="soft">Measured {{.Started.Format "2 January 2006, 15:04 MST"}} in {{printf "%.0f" .Seconds}} s, each behaviour in a fresh session whose cookie policy was proved by a control first.
{{if .Deviations}}<strong class="off">{{len .Deviations}} outcomes are not the ledger's.</strong>{{else}}Every outcome is as the ledger expects.{{end}}</p>
<div class="wide"><table>
<thead><tr><th>Profile</th><th>Asks for</th><th>Browser</th><th>Driver</th><th>Lever</th></tr></thead>
<tbody>{{range .Profiles}}<tr><th>{{.Name}}</th><td>{{.Policy}}</td><td>{{.Version.Browser}}</td><td>{{.Version.Driver}}</td><td>{{.Version.Lever}}</td></tr>{{end}}</tbody>
</table></div>
{{with .Deviations}}<h2>Not as expected</h2><ul>{{range .}}<li>{{.Text}}</li>{{end}}</ul>{{end}}
<h2>The table</h2>
<table id="table">
<thead><tr><th>Behaviour</th>{{range .Profiles}}<th>{{.Name}}</th>{{end}}</tr></thead>
{{range .Groups}}<tbody>
<tr class="group"><th colspan="7">{{.Name}}</th></tr>
{{range .Rows}}<tr id="{{.Name}}"><th><a href="{{.Source}}">{{.Text}}</a></th>{{range .Cells}}<td data-profile="{{.Profile}}" class="{{.Class}}">{{.Text}}{{with .Note}}<small>{{.}}</small>{{end}}</td>{{end}}</tr>
{{end}}</tbody>{{end}}
</table>
</body>
</html>
`))
