package main

import (
	"fmt"

	"crossing/harness/diagnose"
	"crossing/harness/trace"
)

// explainCommand reads a trace that a failed run left among its artefacts.
type explainCommand struct {
	File string `arg:"" help:"The trace, such as reports/out/traces/….json."`
}

// Run is kong's entry.
func (c *explainCommand) Run() error {
	t, err := trace.Read(c.File)
	if err != nil {
		return err
	}
	d := diagnose.Explain(t)
	fmt.Println(d)
	switch d.Verdict {
	case diagnose.VerdictHealthy:
		return nil
	case diagnose.VerdictUnknown, diagnose.VerdictUnjudged:
		return fmt.Errorf("%s could not be judged", c.File)
	}
	return errFailed
}
