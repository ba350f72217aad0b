package reports

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Quarantine keeps a spec whose failures are known from failing a run, until an
// end that stands in its source. It runs all the same, and is shown apart.
type Quarantine struct {
	// Issue is the address at which the failure is dealt with.
	Issue string `json:"issue"`
	// Until is the last day, as 2006-01-02, in UTC.
	Until string `json:"until"`
	// Outcome is how the spec ended: "passed" or "failed".
	Outcome State `json:"outcome"`
	// Streak is how often in a row it has passed, this run's pass among them.
	Streak int `json:"streak"`
}

// Enough is the streak after which a spec has to leave its quarantine: one that
// fails in a tenth of its runs passes so often in a row in every eighth case.
const Enough = 20

// A label may hold no slash and, but between a key and its value, no colon:
// they are written with signs that look alike.
var (
	toLabel   = strings.NewReplacer("/", "∕", ":", "∶", ",", "‚", "(", "❨", ")", "❩", "!", "ǃ", "&", "＆", "|", "ǀ")
	fromLabel = strings.NewReplacer("∕", "/", "∶", ":", "‚", ",", "❨", "(", "❩", ")", "ǃ", "!", "＆", "&", "ǀ", "|")
)

const quarantined = "quarantined until "

// QuarantineLabel is the label of a spec in quarantine. Package rig puts it on.
func QuarantineLabel(issue, until string) (string, error) {
	u, err := url.Parse(issue)
	if err != nil || u.Scheme != "https" || u.Host == "" || strings.Trim(u.Path, "/") == "" || strings.ContainsAny(issue, " \t\n") {
		return "", fmt.Errorf("Quarantined(%q, %q): the first is no issue's address; write one such as https://github.com/owner/name/issues/7", issue, until)
	}
	if _, err := time.Parse(time.DateOnly, until); err != nil {
		return "", fmt.Errorf("Quarantined(%q, %q): the second is no day; write the last one of the quarantine, such as 2027-01-31", issue, until)
	}
	return toLabel.Replace(quarantined + until + " for " + issue), nil
}

// quarantineOf finds the quarantine among a spec's labels, and returns the
// others.
func quarantineOf(labels []string) (*Quarantine, []string) {
	at := slices.IndexFunc(labels, func(l string) bool { return strings.HasPrefix(l, quarantined) })
	if at < 0 {
		return nil, labels
	}
	until, issue, _ := strings.Cut(strings.TrimPrefix(fromLabel.Replace(labels[at]), quarantined), " for ")
	return &Quarantine{Issue: issue, Until: until}, slices.Delete(slices.Clone(labels), at, at+1)
}

// IsQuarantined says whether these are labels of a spec in quarantine.
func IsQuarantined(labels []string) bool {
	q, _ := quarantineOf(labels)
	return q != nil
}

// apart takes the spec out of those that decide on the run, if it is one that
// ran.
func (s *Spec) apart() {
	if s.State != Passed && s.State != Failed {
		s.Quarantine = nil
		return
	}
	s.Quarantine.Outcome = s.State
	if s.State == Passed {
		s.Quarantine.Streak = 1
	}
	s.State = Quarantined
}

// over says why a quarantine has to end, or nothing.
func (q *Quarantine) over(now time.Time) string {
	switch {
	case now.UTC().Format(time.DateOnly) > q.Until:
		return fmt.Sprintf("its quarantine ended on %s", q.Until)
	case q.Streak >= Enough:
		return fmt.Sprintf("it has passed %d times in a row in its quarantine", q.Streak)
	}
	return ""
}

// release fails each spec whose quarantine is over.
func (r *Run) release() {
	for i := range r.Specs {
		s := &r.Specs[i]
		if s.Quarantine == nil || s.State != Quarantined {
			continue
		}
		if why := s.Quarantine.over(r.Started); why != "" {
			s.State = Failed
			s.Message = strings.TrimSpace(fmt.Sprintf("%s: see %s, mend what it tells of, and take Quarantined away, at %s\n\n%s", why, s.Quarantine.Issue, s.Line, s.Message))
			r.Passed = false
		}
	}
	r.count()
}

// String is a line on a spec in quarantine.
func (q Quarantine) String() string {
	said := string(q.Outcome)
	if q.Streak > 1 {
		said += fmt.Sprintf(", %d times in a row", q.Streak)
	}
	return fmt.Sprintf("%s; until %s: %s", said, q.Until, q.Issue)
}

// InQuarantine are the specs that are shown apart.
func (r *Run) InQuarantine() []Spec {
	return slices.DeleteFunc(slices.Clone(r.Specs), func(s Spec) bool { return s.State != Quarantined })
}
