package reports

import "crossing/harness/diagnose"

// setApart tells specs that the platform kept from being judged from those that
// failed: a wall, a build that has gone or a limit of the platform's is no fault
// of the application's, and no proof of its health either. One such finding does
// not excuse another, nor what follows from none.
func (r *Run) setApart() {
	for i, s := range r.Specs {
		if s.State == Failed && r.ofPlatform(s) {
			r.Specs[i].State = Infrastructure
		}
	}
	r.count()
}

func (r *Run) ofPlatform(s Spec) bool {
	found := 0
	for _, d := range r.Of(s) {
		for _, f := range d.Findings {
			if !diagnose.OfPlatform(f.Cause) {
				return false
			}
			found++
		}
		if len(d.Unexplained) > 0 {
			return false
		}
	}
	return found > 0
}

// red says that a spec has a story to be told.
func (s Spec) red() bool { return s.State == Failed || s.State == Infrastructure }

// Judged says whether the run says anything of the application: specs passed or
// failed, and the platform was not all that was met.
func (r *Run) Judged() bool {
	c := r.Counts
	return c.Failed > 0 || c.Passed > 0 && c.Infrastructure == 0
}
