package capability

import (
	"fmt"

	"crossing/harness/browser"
	"crossing/harness/trace"
)

// keeps says whether a policy keeps an ordinary third-party cookie.
func keeps(p browser.Policy) bool {
	return p == browser.PolicyAllow || p == browser.PolicyPartition
}

// Holds says what a session's control must show for its profile to be
// believed. The error, for a person, says what it means that it was not shown,
// and names the lever that has no effect.
func (s Seen) Holds(p browser.Profile, v browser.Version) error {
	switch {
	case s.Plain && !keeps(p.Policy):
		return ineffective(p, v, "an ordinary third-party cookie was kept")
	case !s.Plain && keeps(p.Policy):
		return ineffective(p, v, "an ordinary third-party cookie was dropped")
	case s.Elsewhere && p.Policy == browser.PolicyPartition:
		return ineffective(p, v, "an ordinary third-party cookie was sent under another top-level site, too")
	case s.Plain && !s.Elsewhere && p.Policy == browser.PolicyAllow:
		return ineffective(p, v, "an ordinary third-party cookie was not sent under another top-level site")
	}
	return nil
}

// expected is what a policy must be measured to do. MeasuredUnknown: either
// will do.
type expected struct{ thirdParty, visited, storage string }

const (
	yes    = trace.MeasuredYes
	no     = trace.MeasuredNo
	either = trace.MeasuredUnknown
)

var policies = map[browser.Policy]expected{
	browser.PolicyBlock:              {no, no, either},
	browser.PolicyAllow:              {yes, yes, either},
	browser.PolicyTrackingPrevention: {no, no, either},
	browser.PolicyFirstParty:         {no, yes, either},
	browser.PolicyPartition:          {yes, no, yes},
}

// Believe holds what was measured of a browser against what its profile asks
// for, as Holds does for a session: it tells apart what a session's short
// control cannot.
func Believe(p browser.Profile, v browser.Version, c trace.Capability) error {
	want, known := policies[p.Policy]
	if !known {
		return fmt.Errorf("profile %s has the policy %q, of which nothing is known", p.Name, p.Policy)
	}
	if p.Engine == browser.Chromium.Engine {
		want.storage = yes // as in a person's browser; Playwright's defaults undo it
	}
	for _, f := range []struct{ got, want, no, yes string }{
		{c.ThirdParty, want.thirdParty, "an ordinary third-party cookie was kept", "an ordinary third-party cookie was dropped"},
		{c.Visited, want.visited, "a cookie that a site set as first party is sent from another site's page", "a cookie that a site set as first party is not sent from another site's page"},
		{c.Storage, want.storage, "", "the storage of third-party frames is not partitioned"},
	} {
		switch {
		case f.want == either || f.got == f.want:
		case f.want == no:
			return ineffective(p, v, f.no)
		default:
			return ineffective(p, v, f.yes)
		}
	}
	return nil
}

func ineffective(p browser.Profile, v browser.Version, what string) error {
	return fmt.Errorf("this run proves nothing: profile %s asks for %q, yet %s: its lever for that (%s) has no effect on %s (%s)",
		p.Name, p.Policy, what, v.Lever, v.Browser, v.Executable)
}
