// Package secrets searches what a run has written for the run's own secrets:
// every byte of every file, what is packed unpacked first. In which forms a
// secret may stand (plain, URL-encoded, JSON, HTML, base64) package trace
// knows; this package knows where to look. It removes nothing.
package secrets

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"compress/zlib"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// Bounds on what is unpacked: an archive that holds more cannot be searched,
// which is an error and no pass.
const (
	mostBytes = 512 << 20
	mostDepth = 6
)

// Found is one secret where it must not be.
type Found struct {
	// Where is the file below the folder, and within it the packed file:
	// "trace.zip: resources/1.txt".
	Where string
	// Digest names the secret.
	Digest string
}

// String is one line.
func (f Found) String() string { return fmt.Sprintf("%s holds the secret %s", f.Where, f.Digest) }

// Error is that of what was found; nil where nothing was.
func Error(found []Found) error {
	var all []error
	for _, f := range found {
		all = append(all, errors.New(f.String()))
	}
	return errors.Join(all...)
}

// Save writes secrets to a file of this account alone, for a process that
// searches; whoever made its folder removes it.
func Save(path string, all []string) error {
	data, err := json.Marshal(all)
	if err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o600)
}

// Learn reads what was saved in a folder, and has it learnt.
func Learn(folder string, learn func(secret string) string) error {
	paths, err := filepath.Glob(filepath.Join(folder, "secrets-*.json"))
	if err != nil {
		return err
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var all []string
		if err := json.Unmarshal(data, &all); err != nil {
			return fmt.Errorf("read what a suite left for the search for secrets: %w", err)
		}
		for _, secret := range all {
			learn(secret)
		}
	}
	return nil
}

// Search looks through every file below folder, their names included. leaks
// returns the digests of the secrets that stand in data, each once, as
// trace.Redactor.Leaks does. What cannot be read, or unpacked whole, is an
// error.
func Search(folder string, leaks func(data []byte) []string) ([]Found, error) {
	s := &search{leaks: leaks}
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		s.look(name, []byte(name))
		if !entry.Type().IsRegular() {
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return s.file(name, data, 0)
	})
	if err != nil {
		return s.found, fmt.Errorf("search %s for secrets: %w", folder, err)
	}
	return s.found, nil
}

type search struct {
	leaks    func([]byte) []string
	found    []Found
	unpacked int64
}

func (s *search) look(where string, data []byte) {
	for _, digest := range s.leaks(data) {
		if f := (Found{where, digest}); !slices.Contains(s.found, f) {
			s.found = append(s.found, f)
		}
	}
}

// file looks at data as it is, and at what is packed in it. What a file is
// shows in its first bytes, whatever it is called.
func (s *search) file(where string, data []byte, depth int) error {
	s.look(where, data)
	var unpack func(string, []byte, int) error
	switch {
	case bytes.HasPrefix(data, []byte("PK\x03\x04")): // APPNOTE.TXT, 4.3.7
		unpack = s.zip
	case bytes.HasPrefix(data, []byte{0x1f, 0x8b}): // RFC 1952, 2.3.1
		unpack = s.stream(func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) })
	case bytes.HasPrefix(data, []byte("BZh")):
		unpack = s.stream(func(r io.Reader) (io.Reader, error) { return bzip2.NewReader(r), nil })
	case bytes.HasPrefix(data, []byte("\x89PNG\r\n\x1a\n")):
		unpack = s.png
	case len(data) > 262 && string(data[257:262]) == "ustar": // POSIX.1, pax
		unpack = s.tar
	default:
		return nil
	}
	if depth == mostDepth {
		return fmt.Errorf("%s is packed more than %d times over and cannot be searched", where, mostDepth)
	}
	if err := unpack(where, data, depth+1); err != nil {
		return fmt.Errorf("%s cannot be unpacked and searched: %w", where, err)
	}
	return nil
}

// read reads what is unpacked, within the bounds.
func (s *search) read(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, mostBytes-s.unpacked+1))
	s.unpacked += int64(len(data))
	if err == nil && s.unpacked > mostBytes {
		err = fmt.Errorf("more than %d MiB are packed", mostBytes>>20)
	}
	return data, err
}

func (s *search) zip(where string, data []byte, depth int) error {
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return err
	}
	s.look(where, []byte(archive.Comment))
	for _, f := range archive.File {
		name := where + ": " + f.Name
		s.look(name, []byte(f.Name+"\n"+f.Comment+"\n"+string(f.Extra)))
		r, err := f.Open()
		if err != nil {
			return err
		}
		inside, err := s.read(r)
		if err != nil {
			return err
		}
		if err := s.file(name, inside, depth); err != nil {
			return err
		}
	}
	return nil
}

func (s *search) tar(where string, data []byte, depth int) error {
	archive := tar.NewReader(bytes.NewReader(data))
	for {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		inside, err := s.read(archive)
		if err != nil {
			return err
		}
		if err := s.file(where+": "+h.Name, inside, depth); err != nil {
			return err
		}
	}
}

// stream unpacks what is one packed file.
func (s *search) stream(opener func(io.Reader) (io.Reader, error)) func(string, []byte, int) error {
	return func(where string, data []byte, depth int) error {
		r, err := opener(bytes.NewReader(data))
		if err != nil {
			return err
		}
		inside, err := s.read(r)
		if err != nil {
			return err
		}
		return s.file(where+": unpacked", inside, depth)
	}
}

// png unpacks the texts of an image; plain ones (tEXt) have been seen as they
// stand (PNG, third edition, 11.3.3: zTXt is keyword, 0, method, data; iTXt is
// keyword, 0, flag, method, language, 0, keyword, 0, data).
func (s *search) png(where string, data []byte, depth int) error {
	for rest := data[8:]; len(rest) >= 12; {
		size := int64(binary.BigEndian.Uint32(rest))
		kind := string(rest[4:8])
		if size > int64(len(rest))-12 {
			return fmt.Errorf("its part %s is cut off", kind)
		}
		body := rest[8 : 8+size]
		rest = rest[12+size:]
		var packed []byte
		_, text, _ := bytes.Cut(body, []byte{0})
		switch {
		case kind == "zTXt" && len(text) > 1:
			packed = text[1:]
		case kind == "iTXt" && len(text) > 2 && text[0] == 1:
			_, after, _ := bytes.Cut(text[2:], []byte{0})
			_, packed, _ = bytes.Cut(after, []byte{0})
		default:
			continue
		}
		unpack := s.stream(func(r io.Reader) (io.Reader, error) { return zlib.NewReader(r) })
		if err := unpack(where+": "+kind, packed, depth); err != nil {
			return err
		}
	}
	return nil
}
