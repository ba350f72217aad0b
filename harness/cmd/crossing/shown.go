package main

import (
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"crossing/harness/target"
)

// hidden stands for a secret in what is shown.
const hidden = "***"

// sensitive are variables whose value is a secret wherever it came from.
var sensitive = regexp.MustCompile(`(?i)(secret|password|token|private_?key|api_?key)$`)

// wholly is a setting of crossing.yaml that is one secret and nothing else.
var wholly = regexp.MustCompile(`^\$\{(secret|env)\.[^}]*\}$`)

// show returns what may be shown of a value that a person set, and the secret
// that was taken out of it, if any.
func (p *plan) show(where, name, value string) (text, secret string) {
	if sensitive.MatchString(name) || wholly.MatchString(p.target.Environment(where)[name]) {
		return hidden, value
	}
	password := passwordOf(value)
	if password == "" {
		return value, ""
	}
	return strings.Replace(value, ":"+password+"@", ":"+hidden+"@", 1), password
}

// passwordOf is the password of a URL as it is written there.
func passwordOf(value string) string {
	u, err := url.Parse(value)
	if err != nil || u.User == nil {
		return ""
	}
	_, rest, _ := strings.Cut(value, "://")
	authority, _, _ := strings.Cut(rest, "/")
	_, password, _ := strings.Cut(authority[:max(0, strings.LastIndexByte(authority, '@'))], ":")
	return password
}

// shownSet is what a person changed for this run, as "SERVICE.NAME=VALUE" with
// secrets hidden, in a fixed order.
func (p *plan) shownSet() []string {
	var words []string
	for _, where := range slices.Sorted(maps.Keys(p.set)) {
		for _, name := range slices.Sorted(maps.Keys(p.set[where])) {
			text, _ := p.show(where, name, p.set[where][name])
			words = append(words, where+"."+name+"="+text)
		}
	}
	return words
}

// changes tells what SET changes, and from what: a mistyped name shows here.
func (p *plan) changes() []string {
	var lines []string
	for _, word := range p.shownSet() {
		setting, _, _ := strings.Cut(word, "=")
		where, name, _ := strings.Cut(setting, ".")
		was, known := p.target.Environment(where)[name]
		switch {
		case !known:
			lines = append(lines, fmt.Sprintf("%s (crossing.yaml sets no %s there)", word, name))
		default:
			before, _ := p.show(where, name, was)
			lines = append(lines, fmt.Sprintf("%s (crossing.yaml: %s)", word, before))
		}
	}
	return lines
}

// learnSecrets makes the secrets known that a person set.
func (p *plan) learnSecrets() {
	for where, variables := range p.set {
		for name, value := range variables {
			if _, secret := p.show(where, name, value); secret != "" {
				p.secrets.Learn(secret)
			}
		}
	}
}

// quoted is a word as a shell reads it back.
func quoted(word string) string {
	if word != "" && !strings.ContainsAny(word, " \t\n'\"$`\\&;|<>()*?[]#~!{}") {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// reproduce is the command that runs as this run did, from wherever the person
// is; what chooses a spec is added for each failure. A hidden secret has to be
// put back by hand.
func (p *plan) reproduce() string {
	words := []string{"make e2e"}
	if here, err := os.Getwd(); err != nil || here != string(p.home) {
		words[0] = "make -C " + quoted(string(p.home)) + " e2e"
	}
	switch d := p.command.deployed; {
	case d != nil && d.emulated != nil:
		words = append(words, "RUNTIME="+d.emulated.runtime)
		p = d.emulated
	case d != nil:
		words[0] = strings.TrimSuffix(words[0], "e2e") + "preview"
		words = append(words, d.words()...)
	default:
		words = append(words, "RUNTIME="+p.runtime)
	}
	// A description may have been found in this folder without being named.
	if p.target.Path != filepath.Join(string(p.home), "fixtures", target.DefaultName) {
		words = append(words, "CONFIG="+quoted(p.target.Path))
	}
	if len(p.set) > 0 {
		words = append(words, "SET='"+strings.ReplaceAll(strings.Join(p.shownSet(), " "), "'", `'\''`)+"'")
	}
	c := p.command
	for _, named := range []struct{ setting, value string }{{"CHROMIUM", c.Chromium}, {"WEBKIT", c.WebKit}, {"FIREFOX", c.Firefox}, {"BASE_IMAGE", c.BaseImage}} {
		if named.value != "" {
			words = append(words, named.setting+"="+quoted(named.value))
		}
	}
	if c.Suite != "" {
		words = append(words, "SUITE="+c.Suite)
	}
	words = append(words, c.shown()...)
	if c.Headed {
		words = append(words, "HEADED=1")
	}
	if c.SlowMo > 0 {
		words = append(words, fmt.Sprintf("SLOWMO=%g", c.SlowMo))
	}
	if c.Procs != usualProcs(c.Suite) {
		words = append(words, fmt.Sprintf("PROCS=%d", c.Procs))
	}
	// Make expands what it is given.
	return strings.ReplaceAll(strings.Join(append(words, fmt.Sprintf("SEED=%d", p.seed)), " "), "$", "$$")
}

// usualProcs is what a suite is fastest with on two cores (make bench, lane
// workers). Journeys that are broken on purpose wait more than others.
func usualProcs(suite string) int {
	if suite == "diagnosis" {
		return 3
	}
	return 2
}
