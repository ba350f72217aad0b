package main

import (
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"
)

// forgetEmpty takes settings out of the environment that are there and empty,
// as a CI job's unset inputs are: they mean the default.
func forgetEmpty(app *kong.Application) {
	for _, flag := range flags(app.Node) {
		for _, name := range flag.Envs {
			if value, set := os.LookupEnv(name); set && strings.TrimSpace(value) == "" {
				_ = os.Unsetenv(name) // fails for names that no environment holds
			}
		}
	}
}

// got is where the parser quotes the value that it could not read.
var got = regexp.MustCompile(`but got ("(?:[^"\\]|\\.)*")`)

// mistake says what is wrong with the command line. The parser's own words are
// kept but for values of another type than the flag's: those it speaks of as a
// programmer would.
func mistake(app *kong.Application, err error) string {
	text := err.Error()
	value := ""
	if found := got.FindStringSubmatch(text); found != nil {
		value, _ = strconv.Unquote(found[1])
	}
	for _, flag := range flags(app.Node) {
		if !strings.HasPrefix(text, "--"+flag.Name+": ") || value == "" || len(flag.Envs) == 0 {
			continue
		}
		setting, help := flag.Envs[0], strings.ToLower(flag.Help[:1])+strings.TrimSuffix(flag.Help[1:], ".")
		switch flag.Target.Kind() {
		case reflect.Int, reflect.Int64:
			return fmt.Sprintf("%s=%s is no whole number, or too large a one; write digits, or leave it out (%s)", setting, value, help)
		case reflect.Float64:
			return fmt.Sprintf("%s=%s is no number; write digits, or leave it out (%s)", setting, value, help)
		case reflect.Bool:
			return fmt.Sprintf("%s=%s is neither yes nor no; write 1 or 0, or leave it out (%s)", setting, value, help)
		}
	}
	return text + " (crossing --help lists what there is)"
}

// flags are those of a command and of all below it.
func flags(node *kong.Node) []*kong.Flag {
	all := node.Flags
	for _, child := range node.Children {
		all = append(all, flags(child)...)
	}
	return all
}
