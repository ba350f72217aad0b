package diagnose

import (
	"fmt"
	"strings"
)

// Reference is the page of causes, in Markdown: each by what it means, how it
// looks and what mends it, in the order of the hops.
func Reference() string {
	var b strings.Builder
	b.WriteString("# Causes\n\nGenerated from the rules (`go test ./harness/diagnose -run Reference -write`); a test keeps it true. ")
	b.WriteString("Each is caused on purpose by the [catalogue of faults](../../../fixtures/faults/README.md).\n")
	for _, c := range Causes() {
		var at []string
		for _, hop := range c.Hops {
			at = append(at, string(hop))
		}
		fmt.Fprintf(&b, "\n## %s\n%s *First shows at: %s.*\n\n**Looks like** %s\n\n", c.Slug, c.Means, strings.Join(at, ", "), c.Shows)
		for _, m := range c.Mend {
			fmt.Fprintf(&b, "- %s\n", m)
		}
	}
	return b.String()
}
