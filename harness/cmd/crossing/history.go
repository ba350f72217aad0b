package main

import (
	"context"
	"path/filepath"

	"crossing/reports"
)

// history is the file in which runs are remembered.
func (p *plan) history() string {
	if p.command.History != "" {
		return p.command.History
	}
	return filepath.Join(p.home.state(), "history.jsonl")
}

// remember adds the run to the history. A run that was changed by SET says
// nothing about the application as it is, and a file that was just saved
// nothing about its specs.
func (p *plan) remember(ctx context.Context, r *reports.Run) error {
	if len(p.set) > 0 || p.command.Quick {
		return nil
	}
	unlock, err := p.home.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	return r.Remember(p.history())
}
