// Package page renders the results of a run as one self-contained HTML page:
// run.json, the traces and the screenshots that stand beside it. It needs no
// run and no network, neither to be rendered nor to be read; rendering saved
// results again gives the same page. It judges nothing: package diagnose did.
package page

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"os"
	"path/filepath"
	"strings"

	"crossing/reports"
)

//go:embed page.html
var layout string

//go:embed style.css
var style string

// The scripts, in their order: drawing, cookies and exchanges, stories, the
// lists that stand on the page at once.
var (
	//go:embed draw.js
	drawJS string
	//go:embed exchange.js
	exchangeJS string
	//go:embed story.js
	storyJS string
	//go:embed list.js
	listJS string
)

// Style is the page's style sheet, for other pages that should look alike. It
// knows dark and light, narrow windows and paper.
func Style() template.CSS { return template.CSS(style) }

// whole is what the template gets.
type whole struct {
	view
	Style  template.CSS
	Script template.JS
	// Policy lets only this very script run, and lets nothing be fetched:
	// should a service's answer ever hold markup that gets through, it cannot
	// act (Content Security Policy Level 3, section 6.7.2.4: a hash of the
	// script's text).
	Policy string
	Data   template.JS
}

var parsed = template.Must(template.New(reports.PageFile).Parse(layout))

// Render makes the page of a run whose traces and screenshots stand in folder.
// What is missing there is said on the page, and is no error.
func Render(run *reports.Run, folder string) ([]byte, error) {
	script := strings.Join([]string{"\"use strict\";", drawJS, exchangeJS, storyJS, listJS}, "\n")
	hash := sha256.Sum256([]byte(script))
	data, err := json.Marshal(collect(run, folder)) // it escapes <, > and &
	if err != nil {
		return nil, fmt.Errorf("render the page: %w", err)
	}
	var out bytes.Buffer
	err = parsed.Execute(&out, whole{
		view: look(run), Style: Style(), Script: template.JS(script), Data: template.JS(data),
		Policy: fmt.Sprintf("default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-%s'; base-uri 'none'; form-action 'none'",
			base64.StdEncoding.EncodeToString(hash[:])),
	})
	if err != nil {
		return nil, fmt.Errorf("render the page: %w", err)
	}
	return out.Bytes(), nil
}

// Write renders the page into the folder of the results themselves.
func Write(run *reports.Run, folder string) error {
	data, err := Render(run, folder)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(folder, reports.PageFile), data, 0o644); err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	return nil
}
