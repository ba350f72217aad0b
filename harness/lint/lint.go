// Package lint checks a target by HTTP alone, before any browser starts: what
// the services say on the wire, each instance by itself, held against the
// contract. It asks through an edge, as a page of the frontend would, and
// judges afterwards: Collect asks, Judge is pure. What only a browser can tell,
// such as whether a cookie is kept, it leaves to the suites.
package lint

import (
	"context"

	"crossing/harness/diagnose"
	"crossing/harness/edge"
	"crossing/harness/journey"
	"crossing/harness/observe"
	"crossing/harness/target"
	"crossing/harness/trace"
)

// Options say whom to ask.
type Options struct {
	Target *target.Target
	// Edge stands before every instance of the target.
	Edge *edge.Edge
	// Observer knows the instances that can be asked past the edge, their
	// secrets and their database; of a deployment it knows none.
	Observer *observe.Observer
	// Redactor digests what is secret; the edge has the same.
	Redactor *trace.Redactor
	// Access is how certificates of a deployment are looked at.
	Access target.Access
	// Account signs in; its zero value: a new person is signed up.
	Account journey.Person
	// Progress is told what is being asked; nil: nobody is.
	Progress func(string)
}

// State is what a check came to.
type State string

// States.
const (
	OK           State = "ok"
	Found        State = "finding"
	NotCheckable State = "not checkable"
)

// Finding is one thing that is wrong, in the words of package diagnose: it has
// its slug where a lost session would have the same cause.
type Finding struct {
	Cause string `json:"cause"`
	// Title is a clause with the very names involved.
	Title    string   `json:"title"`
	Instance string   `json:"instance,omitempty"`
	Evidence []string `json:"evidence"`
	Mend     []string `json:"mend"`
}

// Result is what one check came to.
type Result struct {
	Name string `json:"name"`
	// About is what must be true.
	About string `json:"about"`
	State State  `json:"state"`
	// Said is what was seen where nothing is wrong, or why there was nothing
	// to see.
	Said     string    `json:"said,omitempty"`
	Findings []Finding `json:"findings,omitempty"`
}

// Report is what all checks of one target came to.
type Report struct {
	Target  string        `json:"target"`
	Origins trace.Origins `json:"origins"`
	Results []Result      `json:"results"`
}

// Findings are those of all checks, in their order.
func (r Report) Findings() []Finding {
	var all []Finding
	for _, result := range r.Results {
		all = append(all, result.Findings...)
	}
	return all
}

// Run asks a target everything, and judges.
func Run(ctx context.Context, o Options) (Report, error) {
	a, err := Collect(ctx, o)
	if err != nil {
		return Report{}, err
	}
	return Judge(a), nil
}

// mendOf prefers the words that a failed spec would use for the same cause.
func mendOf(slug string) []string {
	if words := diagnose.Mends(slug); len(words) > 0 {
		return words
	}
	return mends[slug]
}
