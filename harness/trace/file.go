package trace

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Write writes t to the file at path as indented JSON. The file is whole or
// not there: it is written beside its place and then moved into it. Its
// folder must exist.
func Write(path string, t Trace) error {
	data, err := json.Marshal(t)
	if err != nil {
		return fmt.Errorf("write trace %s: %w", path, err)
	}
	return write(path, data)
}

func write(path string, data []byte) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("write trace %s: %w", path, err)
		}
	}()
	var out bytes.Buffer
	if err := json.Indent(&out, data, "", "  "); err != nil {
		return err
	}
	out.WriteByte('\n')
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name()) // gone already, where it was moved
	_, err = file.Write(out.Bytes())
	// CreateTemp keeps others from reading; a report is there to be read.
	if err = errors.Join(err, file.Chmod(0o644), file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}

// Errors of Read, told apart with errors.Is.
var (
	// ErrCut: the file is empty or ends halfway.
	ErrCut = errors.New("the file was cut off: record the trace again")
	// ErrForeign: the file holds something else than a trace.
	ErrForeign = errors.New("this is no trace: give a file that a run wrote")
	// ErrVersion: another version of Crossing wrote the file.
	ErrVersion = errors.New("another version of Crossing wrote this file")
)

// Read reads a file that Write wrote.
func Read(path string) (Trace, error) {
	t, err := read(path)
	if err != nil {
		return Trace{}, fmt.Errorf("read trace %s: %w", path, err)
	}
	return t, nil
}

func read(path string) (t Trace, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return t, err
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return t, fmt.Errorf("it is empty: %w", ErrCut)
	}
	if err := recognise(data); err != nil {
		return t, err
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields() // within one version there are none
	if err := dec.Decode(&t); err != nil {
		return t, fmt.Errorf("%w: %w", ErrForeign, err)
	}
	return t, nil
}

// recognise says whether data is one whole document that this version wrote.
func recognise(data []byte) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	var raw json.RawMessage
	switch err := dec.Decode(&raw); {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("it ends halfway, after %d bytes: %w", len(data), ErrCut)
	case err != nil:
		return fmt.Errorf("%w: it is no JSON: %w", ErrForeign, err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return fmt.Errorf("%w: there is more after the document's end", ErrForeign)
	}
	var head struct {
		Version   *int             `json:"version"`
		Visitor   *string          `json:"visitor"`
		Exchanges *json.RawMessage `json:"exchanges"`
	}
	if err := json.Unmarshal(raw, &head); err != nil {
		return fmt.Errorf("%w: %w", ErrForeign, err)
	}
	switch {
	case head.Version == nil || head.Visitor == nil || head.Exchanges == nil:
		return fmt.Errorf("%w: it has not all of version, visitor and exchanges", ErrForeign)
	case *head.Version < Version:
		return fmt.Errorf("%w: version %d, and this one reads %d: record the trace again", ErrVersion, *head.Version, Version)
	case *head.Version > Version:
		return fmt.Errorf("%w: version %d, and this one reads up to %d: update Crossing", ErrVersion, *head.Version, Version)
	}
	return nil
}
