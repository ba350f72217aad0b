package setup

import "strings"

// Lack is one thing that is missing, and what to type to mend it.
type Lack struct {
	What, Mend string
}

// Survey says what Ensure would have to install. It installs nothing.
func Survey(o Options) []Lack {
	o.Progress = func(string) {}
	var lacks []Lack
	_, cannot := installer()
	for _, n := range unmet(append(o.nodeNeeds(), o.needs()...)) {
		mend := n.other
		if cannot == nil {
			mend = "apt-get install " + strings.Join(n.packages, " ") + ", which make setup does"
		}
		lacks = append(lacks, Lack{n.what, mend})
	}
	return lacks
}
