package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os"
	"time"
)

// event is a line that a suite's process appends; package rig writes it.
type event struct {
	Kind, Text, State, Why string
	Took                   time.Duration
}

// follow shows the events of a file as they come. The function that it returns
// shows the rest and ends it.
func follow(path string, show *progress) (done func()) {
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		r := &reader{path: path, show: show}
		defer r.close()
		for {
			select {
			case <-stop:
				r.read()
				return
			case <-tick.C:
				r.read()
			}
		}
	}()
	return func() {
		close(stop)
		<-ended
	}
}

type reader struct {
	path    string
	show    *progress
	file    *os.File
	lines   *bufio.Reader
	partial []byte
	why     string // what was told of the last failure: not again of the next
}

func (r *reader) close() {
	if r.file != nil {
		_ = r.file.Close()
	}
}

// read shows all whole lines that have been written since the last time.
func (r *reader) read() {
	if r.file == nil {
		file, err := os.Open(r.path)
		if err != nil {
			return // nothing has happened yet
		}
		r.file, r.lines = file, bufio.NewReader(file)
	}
	for {
		line, err := r.lines.ReadBytes('\n')
		r.partial = append(r.partial, line...)
		if errors.Is(err, io.EOF) || err != nil {
			return
		}
		var e event
		if json.Unmarshal(r.partial, &e) == nil {
			r.tell(e)
		}
		r.partial = nil
	}
}

func (r *reader) tell(e event) {
	sign := map[string]string{"passed": "✓", "not applicable": "–", "quarantined": "~", "skipped": "", "interrupted": "", "aborted": ""}
	switch e.Kind {
	case "progress":
		r.show.Say("  · %s", e.Text)
	case "begin":
		r.show.Wait(e.Text)
	case "end":
		mark, known := sign[e.State]
		if !known {
			mark = "✗"
		}
		if mark != "" {
			r.show.Say("  %s %s (%.1f s)", mark, e.Text, e.Took.Seconds())
		}
		if mark == "✗" && e.Why != "" && e.Why != r.why {
			r.show.Say("      %s", e.Why)
			r.why = e.Why
		}
	}
}
