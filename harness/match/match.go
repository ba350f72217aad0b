// Package match holds Gomega matchers for what a trace holds: jars, Set-Cookie
// lines, standings, exchanges, whole traces and diagnoses, and for how long a
// person waited. They are pure, so that one matcher serves Expect, Eventually and Consistently alike. What is
// of the wrong type is an error; what does not match is false, with a message
// that lists what was there instead.
package match

import (
	"fmt"
	"strings"

	"crossing/harness/trace"
)

// wrongType is the error of a matcher that got something else than it judges.
func wrongType(matcher, wants string, got any) error {
	return fmt.Errorf("%s judges %s, and got %T", matcher, wants, got)
}

// indented lists lines below a heading; "nothing" where there are none.
func indented(lines []string) string {
	if len(lines) == 0 {
		return "    nothing"
	}
	return "    " + strings.Join(lines, "\n    ")
}

// shown shows a request with its answer: method, URL, status and body.
func shown(e trace.Exchange) string {
	status := fmt.Sprint(e.Status)
	if e.Err != "" {
		status = "no answer: " + e.Err
	}
	text := fmt.Sprintf("%s %s%s → %s", e.Method, e.Origin, e.Path, status)
	if e.Query != "" {
		text = fmt.Sprintf("%s %s%s?%s → %s", e.Method, e.Origin, e.Path, e.Query, status)
	}
	if e.Instance != "" {
		text += " by " + e.Instance
	}
	text += " (" + e.ID + ")"
	if e.Response.Body != "" {
		text += "\n    " + e.Response.Body
	}
	return text
}
