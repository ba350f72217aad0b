package secrets

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"html/template"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"crossing/harness/trace"
)

// canary is a secret that every encoding writes differently.
const canary = `canary+0/9="<ö>&` + "`" + `' 7f3a`

func packed(t *testing.T, pack func(b *bytes.Buffer) error) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := pack(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zipped(t *testing.T, name string, data []byte) []byte {
	return packed(t, func(b *bytes.Buffer) error {
		w := zip.NewWriter(b)
		f, err := w.Create(name)
		if err != nil {
			return err
		}
		if _, err := f.Write(data); err != nil {
			return err
		}
		return w.Close()
	})
}

func gzipped(t *testing.T, data []byte) []byte {
	return packed(t, func(b *bytes.Buffer) error {
		w := gzip.NewWriter(b)
		if _, err := w.Write(data); err != nil {
			return err
		}
		return w.Close()
	})
}

func tarred(t *testing.T, data []byte) []byte {
	return packed(t, func(b *bytes.Buffer) error {
		w := tar.NewWriter(b)
		if err := w.WriteHeader(&tar.Header{Name: "a", Size: int64(len(data)), Mode: 0o600}); err != nil {
			return err
		}
		if _, err := w.Write(data); err != nil {
			return err
		}
		return w.Close()
	})
}

// image is a PNG with one part.
func image(t *testing.T, kind, before string, data []byte) []byte {
	body := append([]byte(before), packed(t, func(b *bytes.Buffer) error {
		w := zlib.NewWriter(b)
		if _, err := w.Write(data); err != nil {
			return err
		}
		return w.Close()
	})...)
	out := append([]byte("\x89PNG\r\n\x1a\n"), binary.BigEndian.AppendUint32(nil, uint32(len(body)))...)
	out = append(append(out, kind...), body...)
	return append(out, 0, 0, 0, 0) // nobody looks at the checksum
}

func TestASecretIsFoundInEveryFormWhereverItStands(t *testing.T) {
	quoted, err := json.Marshal(canary)
	if err != nil {
		t.Fatal(err)
	}
	for form, text := range map[string]string{
		"plain":           canary,
		"URL-encoded":     url.QueryEscape(canary),
		"in a path":       url.PathEscape(canary),
		"JSON":            string(quoted[1 : len(quoted)-1]),
		"HTML":            template.HTMLEscapeString(canary),
		"base64":          base64.StdEncoding.EncodeToString([]byte(canary)),
		"base64 for URLs": base64.RawURLEncoding.EncodeToString([]byte("x" + canary)),
		"Basic":           base64.StdEncoding.EncodeToString([]byte("ada:" + canary)),
	} {
		data := []byte("before " + text + " after")
		for place, file := range map[string][]byte{
			"a file":             data,
			"a zip":              zipped(t, "a.txt", data),
			"a zip's names":      zipped(t, strings.ReplaceAll(text, "/", "_")+"/"+text, nil),
			"gzip":               gzipped(t, data),
			"tar":                tarred(t, data),
			"gzip in tar in zip": zipped(t, "a.tar", tarred(t, gzipped(t, data))),
			"an image's zTXt":    image(t, "zTXt", "Comment\x00\x00", data),
			"an image's iTXt":    image(t, "iTXt", "Comment\x00\x01\x00en\x00Comment\x00", data),
		} {
			folder := t.TempDir()
			if err := os.WriteFile(filepath.Join(folder, "artefact.bin"), file, 0o644); err != nil {
				t.Fatal(err)
			}
			r := trace.NewRedactor(nil)
			if found, err := Search(folder, r.Leaks); err != nil || len(found) != 0 {
				t.Fatalf("%s in %s: found before it was a secret: %v, %v", form, place, found, err)
			}
			digest := r.Learn(canary)
			found, err := Search(folder, r.Leaks)
			if err != nil || len(found) == 0 || found[0].Digest != digest || !strings.HasPrefix(found[0].Where, "artefact.bin") {
				t.Errorf("%s in %s: %v, %v", form, place, found, err)
			}
		}
	}
}

func TestANameIsSearchedToo(t *testing.T) {
	folder := t.TempDir()
	r := trace.NewRedactor(nil)
	r.Learn("canary-in-a-name")
	if err := os.Mkdir(filepath.Join(folder, "canary-in-a-name"), 0o755); err != nil {
		t.Fatal(err)
	}
	if found, err := Search(folder, r.Leaks); err != nil || len(found) != 1 {
		t.Errorf("%v, %v", found, err)
	}
}

func TestWhatCannotBeSearchedIsNoPass(t *testing.T) {
	whole := zipped(t, "a.txt", []byte(strings.Repeat("canary", 100)))
	deep := []byte("x")
	for range mostDepth + 1 {
		deep = gzipped(t, deep)
	}
	for name, data := range map[string][]byte{
		"cut off": whole[:len(whole)-10], "too deep": deep, "half a gzip": gzipped(t, []byte(strings.Repeat("abc", 1000)))[:20],
		"an image that is cut off": image(t, "zTXt", "Comment\x00\x00", []byte("text"))[:24],
	} {
		folder := t.TempDir()
		if err := os.WriteFile(filepath.Join(folder, "artefact.bin"), data, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Search(folder, trace.NewRedactor(nil).Leaks); err == nil || !strings.Contains(err.Error(), "artefact.bin") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Search("nowhere", trace.NewRedactor(nil).Leaks); err == nil {
		t.Error("a folder that is not there holds no secrets")
	}
}
