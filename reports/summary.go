package reports

import (
	"fmt"
	"os"
	"strings"
)

// Summary is the run in Markdown, as the summary of a CI job's step shows it:
// the verdict, the matrix, and every failure with its cause.
func (r *Run) Summary() string {
	var b strings.Builder
	sign := "✅"
	switch {
	case !r.Judged():
		sign = "❔"
	case !r.Passed:
		sign = "❌"
	}
	fmt.Fprintf(&b, "## %s %s\n\n", sign, markdown(r.Headline()))
	fmt.Fprintf(&b, "%s · %s · %.0f s · seed %d\n\n", markdown(r.Target.Name), r.Runtime, r.Timings.Total, r.Seed)
	r.summaryMatrix(&b)
	for _, reason := range r.Reasons() {
		fmt.Fprintf(&b, "- not applicable: %s\n", markdown(reason))
	}
	for _, s := range r.InQuarantine() {
		fmt.Fprintf(&b, "- quarantined: **%s** · %s · %s: %s\n", markdown(s.Text), markdown(s.Behaviour), s.Profile, markdown(s.Quarantine.String()))
	}
	r.summaryHistory(&b)
	for _, c := range r.Causes() {
		c.summary(&b)
	}
	if len(r.Profiles) > 0 {
		b.WriteString("\n| profile | browser | third-party cookie stays | Partitioned stays | isolated | outlives a restart |\n|---|---|---|---|---|---|\n")
		for _, p := range r.Profiles {
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", p.Name, markdown(p.Version.Browser), p.Capability.ThirdParty, p.Capability.Partitioned, p.Capability.Isolated, p.Capability.Restart)
		}
	}
	return b.String()
}

// summaryHistory says what is new, and how often specs fail.
func (r *Run) summaryHistory(b *strings.Builder) {
	if green, since, found := r.Green(); found && r.Counts.Failed > 0 {
		fmt.Fprintf(b, "- last green run: %s, seed %d, %d runs ago\n", markdown(strings.TrimSpace(green.Started.Format("2006-01-02 15:04")+" "+short(green.Commit))), green.Seed, since+1)
	}
	for _, s := range r.New() {
		fmt.Fprintf(b, "- new: **%s** · %s · %s\n", markdown(s.Text), markdown(s.Behaviour), s.Profile)
	}
	for _, rate := range r.Rates() {
		for _, f := range rate.First(5) {
			fmt.Fprintf(b, "- unsteady: **%s** · %s · %s: failed in %d of %d runs\n", markdown(f.Spec.Text), markdown(f.Spec.Behaviour), rate.Profile, f.Failed, f.Ran)
		}
	}
}

// short is a commit as people write it.
func short(commit string) string { return commit[:min(len(commit), 10)] }

func (r *Run) summaryMatrix(b *strings.Builder) {
	m := r.Matrix()
	if len(m.Rows) == 0 {
		return
	}
	fmt.Fprintf(b, "| | %s |\n|---%s|\n", strings.Join(m.Profiles, " | "), strings.Repeat("|---", len(m.Profiles)))
	for _, row := range m.Rows {
		fmt.Fprintf(b, "| %s ", markdown(row.Behaviour))
		for _, cell := range row.Cells {
			fmt.Fprintf(b, "| %s ", cell)
		}
		b.WriteString("|\n")
	}
	b.WriteString("\n")
}

// most is how many failures of one cause are listed: a step's summary may have
// 1 MiB, and nobody reads a thousand.
const most = 30

func (c Cause) summary(b *strings.Builder) {
	title := "No cause is proved"
	if c.Slug != "" {
		title = "`" + c.Slug + "`"
	}
	fmt.Fprintf(b, "\n### %s\n\n", title)
	if c.Diagnosis != nil {
		f := c.Diagnosis.Findings[0]
		fmt.Fprintf(b, "%s\n\n", markdown(c.Diagnosis.Sentence))
		for _, mend := range f.Mend {
			fmt.Fprintf(b, "- mend: %s\n", markdown(mend))
		}
		fmt.Fprintf(b, "\n<details><summary>Evidence</summary>\n\n%s\n\n</details>\n\n", fenced(strings.Join(f.Evidence, "\n")))
	}
	for i, s := range c.Specs {
		if i == most {
			fmt.Fprintf(b, "- … and %d more\n", len(c.Specs)-most)
			break
		}
		fmt.Fprintf(b, "- ❌ **%s** · %s · %s", markdown(s.Text), markdown(s.Behaviour), s.Profile)
		if c.Slug == "" {
			fmt.Fprintf(b, ": %s", markdown(firstLine(s.Message)))
		}
		fmt.Fprintf(b, "\n  %s\n", strings.ReplaceAll(fenced(s.Reproduce), "\n", "\n  "))
	}
}

// markdown is text that Markdown and HTML leave as it is.
func markdown(text string) string {
	return escaper.Replace(strings.Join(strings.Fields(text), " "))
}

var escaper = strings.NewReplacer(`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "|", `\|`, "<", "&lt;", ">", "&gt;", "&", "&amp;", "[", `\[`, "]", `\]`, "#", `\#`)

// fenced is a block of code whose fence is longer than any within (CommonMark,
// section 4.5).
func fenced(text string) string {
	fence := "```"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	return fence + "\n" + text + "\n" + fence
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line
}

// Annotations are GitHub's workflow commands, one for each failure, that put
// it on its spec's line (Workflow commands for GitHub Actions, "Setting an
// error message"). GitHub shows ten of a step; the first of each cause come
// first.
func (r *Run) Annotations() []string {
	var firsts, others []string
	for _, c := range r.Causes() {
		for i, s := range c.Specs {
			line := annotation(s, c)
			if i == 0 {
				firsts = append(firsts, line)
			} else {
				others = append(others, line)
			}
		}
	}
	return append(firsts, others...)
}

func annotation(s Spec, c Cause) string {
	properties := []string{"title=" + property(fmt.Sprintf("%s · %s · %s", s.Profile, s.Behaviour, s.Text))}
	if file, line, found := cutLast(s.Line, ":"); found {
		properties = append([]string{"file=" + property(file), "line=" + property(line)}, properties...)
	}
	text := firstLine(s.Message)
	if c.Diagnosis != nil {
		text = fmt.Sprintf("%s (%s)", c.Diagnosis.Sentence, c.Slug)
		if mend := c.Diagnosis.Findings[0].Mend; len(mend) > 0 {
			text += "\nMend: " + mend[0]
		}
	}
	return fmt.Sprintf("::error %s::%s", strings.Join(properties, ","), message(text+"\nAgain: "+s.Reproduce))
}

func cutLast(text, by string) (before, after string, found bool) {
	i := strings.LastIndex(text, by)
	if i < 0 {
		return text, "", false
	}
	return text[:i], text[i+len(by):], true
}

// message and property escape what would end the command, as the runner's own
// toolkit does.
func message(text string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(text)
}

func property(text string) string {
	return strings.NewReplacer(":", "%3A", ",", "%2C").Replace(message(text))
}

// Chat is a short text for a chat message: three lines at most, without
// markup, since each chat has another.
func (r *Run) Chat() string {
	sign := "✅"
	if !r.Passed {
		sign = "❌"
	}
	text := fmt.Sprintf("%s %s: %s\n", sign, r.Target.Name, r.Headline())
	for _, c := range r.Causes() {
		if c.Diagnosis == nil {
			continue
		}
		text += c.Diagnosis.Sentence + "\n"
		if mend := c.Diagnosis.Findings[0].Mend; len(mend) > 0 {
			text += "Mend: " + mend[0] + "\n"
		}
		break
	}
	return text
}

// WriteTexts saves summary.md and chat.txt in folder.
func (r *Run) WriteTexts(folder string) error {
	for name, text := range map[string]string{SummaryFile: r.Summary(), ChatFile: r.Chat()} {
		if err := os.WriteFile(folder+string(os.PathSeparator)+name, []byte(text), 0o644); err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
	}
	return nil
}
