// Package owner says to which run a process, a container or a folder belongs,
// and whether the process that started that run is still alive. It ends what
// the dead have left; it never touches what a living owner has.
package owner

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Variable is the environment variable that marks every process of a run.
const Variable = "CROSSING_RUN"

// prefix begins the name of every run's folder.
const prefix = "crossing-"

// Owner is the process that a run belongs to. A number alone would not do:
// systems give the numbers of dead processes away again.
type Owner struct {
	PID int
	// Start is when it started, in a form that only this system compares.
	Start string
	// Place is the process namespace that PID counts in. What another place
	// owns (a container that shares this machine's engine or its temp folder)
	// can't be judged from here.
	Place string
}

// Self is this process.
func Self() Owner {
	start, _ := started(os.Getpid())
	return Owner{PID: os.Getpid(), Start: start, Place: place()}
}

// String is the form that Parse reads.
func (o Owner) String() string { return fmt.Sprintf("%d:%s:%s", o.PID, o.Start, o.Place) }

// Parse reads what String wrote.
func Parse(text string) (Owner, bool) {
	fields := strings.Split(text, ":")
	if len(fields) != 3 {
		return Owner{}, false
	}
	pid, err := strconv.Atoi(fields[0])
	if err != nil || pid <= 0 || fields[1] == "" {
		return Owner{}, false
	}
	return Owner{PID: pid, Start: fields[1], Place: fields[2]}, true
}

// Dead says that the owner is known to have ended. An owner that can't be
// judged from here is not dead.
func (o Owner) Dead() bool {
	if o.Place != place() {
		return false
	}
	start, alive := started(o.PID)
	return !alive || start != o.Start
}

// Run is one run of the harness: what it starts carries its marker, what it
// writes for itself stands in its folder.
type Run struct {
	ID    string
	Owner Owner
	// Marker is the value of the environment variable CROSSING_RUN that every
	// process of the run has, browsers included.
	Marker string
	// Dir is a folder of the run's own in the system's temp folder. Other
	// accounts may pass through it, since a database may run under one:
	// folders in it that hold anything private are made with 0700.
	Dir string
}

// NewRun begins a run of this process. Close ends it.
func NewRun() (Run, error) { return NewPart("") }

// NewPart begins a run that is a part of another, such as that of a process
// which the other's owner started: its id begins with the other's id, so that
// what it leaves behind can be told from what strangers left.
func NewPart(of string) (Run, error) {
	raw := make([]byte, 4)
	_, _ = rand.Read(raw) // never fails (crypto/rand, since Go 1.24)
	r := Run{ID: of + hex.EncodeToString(raw), Owner: Self()}
	if r.Owner.Start == "" {
		return Run{}, errors.New("begin a run: this system does not say when a process started (/proc or ps)")
	}
	r.Marker = r.ID + ":" + r.Owner.String()
	r.Dir = filepath.Join(os.TempDir(), prefix+strings.ReplaceAll(r.Marker, ":", "-"))
	if err := os.Mkdir(r.Dir, 0o711); err != nil {
		return Run{}, fmt.Errorf("begin a run: %w", err)
	}
	// Mkdir's mode is cut by the umask.
	if err := os.Chmod(r.Dir, 0o711); err != nil {
		return Run{}, fmt.Errorf("begin a run: %w", err)
	}
	return r, nil
}

// Environment is the marker in the form that exec.Cmd.Env takes.
func (r Run) Environment() string { return Variable + "=" + r.Marker }

// Close removes the run's folder. Its processes must have ended.
func (r Run) Close() error {
	if r.Dir == "" {
		return nil
	}
	if err := os.RemoveAll(r.Dir); err != nil {
		return fmt.Errorf("remove the run's folder: %w", err)
	}
	return nil
}

// marked reads a marker: the run's id and its owner.
func marked(marker string) (id string, o Owner, ok bool) {
	id, rest, _ := strings.Cut(marker, ":")
	o, ok = Parse(rest)
	return id, o, ok
}

// Note records that the group led by pid belongs to the run, for systems that
// don't show a process's environment, and for processes that wrote over theirs.
func (r Run) Note(pid int) error {
	start, alive := started(pid)
	if !alive {
		return nil
	}
	dir := filepath.Join(r.Dir, "groups")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("note a process: %w", err)
	}
	return os.WriteFile(filepath.Join(dir, strconv.Itoa(pid)), []byte(start), 0o600)
}
