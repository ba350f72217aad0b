package diagnose

import "slices"

// CauseInfo describes a cause; the reference of causes is generated from it.
type CauseInfo struct {
	Slug string `json:"slug"`
	// Hops are where it may first show.
	Hops []Hop `json:"hops"`
	// Means is what is wrong; Shows how it looks from outside.
	Means string   `json:"means"`
	Shows string   `json:"shows"`
	Mend  []string `json:"mend"`
	// Platform says that it is no fault of the application: what it was
	// deployed on kept it from answering.
	Platform bool `json:"platform,omitempty"`
}

// rule proves or disproves one cause. judge reads the scene alone, never
// another rule's result, so that a changed rule changes no other's verdict.
// It returns a finding, or how the cause is disproved; nil and "" where the
// trace cannot tell.
type rule struct {
	CauseInfo
	judge func(*scene) (*Finding, string)
}

// rules returns all rules in the order of the hops.
func rules() []rule {
	return slices.Concat(browserRules, jarRules, pageRules, passageRules, edgeRules, authRules, serverRules, databaseRules, apiRules)
}

// Causes lists every cause that Explain can name, in the order of the hops.
func Causes() []CauseInfo {
	var all []CauseInfo
	for _, r := range rules() {
		info := r.CauseInfo
		info.Mend = mendsOf("", info.Slug)
		all = append(all, info)
	}
	return all
}

// OfPlatform says whether a cause is the platform's and not the application's.
func OfPlatform(slug string) bool {
	return slices.ContainsFunc(rules(), func(r rule) bool { return r.Slug == slug && r.Platform })
}
