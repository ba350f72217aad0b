package diagnose

import (
	"fmt"
	"strings"
)

// opening is how the first sentence begins, up to the "because".
func (d Diagnosis) opening() string {
	switch {
	case d.Verdict == VerdictNever:
		return "Nobody was signed in"
	case d.Lost == "" && d.Findings[0].opens != "":
		return d.Findings[0].opens
	case d.Lost != "":
		return "The session was lost"
	case d.Verdict == VerdictLost:
		return "The session cookie was lost"
	case d.Findings[0].Hop == HopAPI:
		return "The call to the api failed"
	case d.Unread:
		return "The session could not be retrieved"
	}
	return "The session stands but cannot be relied on"
}

// Sentence is the verdict in one sentence.
func (d Diagnosis) Sentence() string {
	switch n := len(d.Findings); {
	case n == 1:
		return d.opening() + " because " + d.Findings[0].Title + "."
	case n > 1:
		more := "one more reason"
		if n > 2 {
			more = fmt.Sprintf("%d more reasons", n-1)
		}
		return fmt.Sprintf("%s because %s, and for %s.", d.opening(), d.Findings[0].Title, more)
	}
	switch d.Verdict {
	case VerdictHealthy:
		return "The session held: nothing was lost and nothing was refused."
	case VerdictUnjudged:
		return "There is nothing to judge: nobody tried to sign in."
	}
	return "Unknown: something went wrong, and no known cause is proved."
}

// String is what a terminal shows: the sentence, then each cause with its
// evidence and mend. It has no colours and no trailing newline.
func (d Diagnosis) String() string {
	var b strings.Builder
	b.WriteString(d.Sentence())
	b.WriteByte('\n')
	for i, f := range d.Findings {
		if i > 0 {
			fmt.Fprintf(&b, "\nAlso because %s.\n", f.Title)
		}
		f.write(&b)
	}
	section(&b, "unexplained", d.Unexplained)
	section(&b, "certain", d.Certain)
	section(&b, "next", d.Next)
	if d.Verdict == VerdictUnknown {
		var how []string
		for _, r := range d.RuledOut {
			how = append(how, r.Cause+": "+r.How)
		}
		section(&b, "ruled out", how)
	} else if len(d.Findings) > 0 && len(d.RuledOut) > 0 {
		causes := "causes"
		if len(d.RuledOut) == 1 {
			causes = "cause"
		}
		section(&b, "ruled out", []string{fmt.Sprintf("%d other %s", len(d.RuledOut), causes)})
	}
	return strings.TrimRight(b.String(), "\n")
}

func (f Finding) write(b *strings.Builder) {
	where := string(f.Hop)
	if f.Instance != "" && f.Instance != where {
		where += ", " + f.Instance
	}
	section(b, "cause", []string{f.Cause + " (" + where + ")"})
	section(b, "evidence", f.Evidence)
	section(b, "mend", f.Mend)
	section(b, "followed by", f.Consequences)
}

// section writes lines under a label that stands beside the first of them.
func section(b *strings.Builder, label string, lines []string) {
	for i, l := range lines {
		if i > 0 {
			label = ""
		}
		fmt.Fprintf(b, "  %-12s %s\n", label, l)
	}
}
