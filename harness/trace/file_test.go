package trace

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func written(t *testing.T) (Trace, string) {
	t.Helper()
	r := NewRedactor(nil)
	rec := NewRecorder(r, Trace{Run: "r1", Visitor: "ada", Subject: Subject{Origins: Origins{Auth: "https://auth.x.org"}}})
	line := ParseSetCookie("s=1234567890; Max-Age=60; Secure", r)
	rec.Exchange(Exchange{ID: "1", Time: noon, Millis: 1.5, Role: RoleAuth, Status: 200,
		Response: Message{Header: []Field{{"Date", "<now> & then"}}, SetCookies: []SetCookie{line}}})
	rec.Jar(Jar{Time: noon, Scope: JarWhole, Cookies: []Cookie{{Name: "s", Expires: noon.Add(time.Hour)}}})
	rec.Capability(Capability{ThirdParty: MeasuredNo})
	path := filepath.Join(t.TempDir(), "trace.json")
	if err := Write(path, rec.Snapshot()); err != nil {
		t.Fatal(err)
	}
	return rec.Snapshot(), path
}

func TestAFileComesBackAsItWas(t *testing.T) {
	want, path := written(t)
	got, err := Read(path)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("error %v\n got %+v\nwant %+v", err, got, want)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("beside the file: %v, error %v", entries, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("mode %v, error %v", info.Mode(), err)
	}
}

func TestAFailedWriteLeavesTheOldFile(t *testing.T) {
	want, path := written(t)
	bad := want
	bad.Exchanges = []Exchange{{Time: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}} // RFC 3339 has no such year
	if err := Write(path, bad); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v", err)
	}
	if got, err := Read(path); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("the old file is gone: %v", err)
	}
	missing := filepath.Join(t.TempDir(), "no", "such", "folder", "trace.json")
	if err := Write(missing, want); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder that is not there: %v", err)
	}
}

func TestReadSaysWhatIsWrong(t *testing.T) {
	_, good := written(t)
	data, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	whole := string(data)
	for name, c := range map[string]struct {
		text string
		is   error
		says string
	}{
		"empty":          {"", ErrCut, "empty"},
		"blank":          {" \n", ErrCut, "empty"},
		"truncated":      {whole[:len(whole)/2], ErrCut, "ends halfway"},
		"one byte short": {strings.TrimSuffix(whole, "}\n"), ErrCut, "ends halfway"},
		"no JSON":        {"<html>", ErrForeign, "no JSON"},
		"two documents":  {whole + whole, ErrForeign, "more after"},
		"other JSON":     {`{"name":"x","version":1}`, ErrForeign, "visitor"},
		"a package.json": {`{"name":"x","version":"1.0.0"}`, ErrForeign, "version"},
		"a list":         {`[1]`, ErrForeign, "array"},
		"a wrong field":  {strings.Replace(whole, `"run"`, `"runs"`, 1), ErrForeign, `"runs"`},
		"older":          {strings.Replace(whole, `"version": 1`, `"version": 0`, 1), ErrVersion, "record the trace again"},
		"newer":          {strings.Replace(whole, `"version": 1`, `"version": 2`, 1), ErrVersion, "update Crossing"},
	} {
		path := filepath.Join(t.TempDir(), "trace.json")
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Read(path)
		if !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Read(filepath.Join(t.TempDir(), "none.json")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}
