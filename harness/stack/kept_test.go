package stack

import (
	"net"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"crossing/harness/stack/owner"
	"crossing/harness/target"
)

func TestAKeptStackIsReadAsItWasWrittenByThisAccountAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), KeptFile)
	if k, err := ReadKept(path); k != nil || err != nil {
		t.Errorf("where none is kept: %v, %v", k, err)
	}
	wrote := Kept{Keeper: owner.Self(), Config: "/x/crossing.yaml", Digest: "d", Person: &KeptPerson{Email: "you@crossing.example"},
		Handover: Handover{Runtime: Processes, Secrets: map[string]string{"auth": "s3cret"}}}
	if err := wrote.Write(path); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v: it holds secrets", info.Mode(), err)
	}
	read, err := ReadKept(path)
	if err != nil || !reflect.DeepEqual(*read, wrote) {
		t.Errorf("read %+v (%v), wrote %+v", read, err, wrote)
	}
	if left, _ := filepath.Glob(path + ".new-*"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if err := os.WriteFile(path, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadKept(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("a file of another kind: %v", err)
	}
}

func TestAKeptStackThatLostAnInstanceSaysWhich(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	k := Kept{Handover: Handover{Instances: []HandedInstance{{Name: "auth-2", Address: listener.Addr().String()}}}}
	if err := k.Answers(t.Context()); err != nil {
		t.Errorf("it listens, and yet: %v", err)
	}
	_ = listener.Close()
	if err := k.Answers(t.Context()); err == nil || !strings.Contains(err.Error(), "auth-2") {
		t.Errorf("it has gone, and yet: %v", err)
	}
}

func TestADigestChangesWithWhatAStackIsMadeFrom(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("crossing.yaml", "mail: ${env.MAIL_HOST}")
	write("auth/main.ts", "one")
	write("auth/Dockerfile", "FROM x")
	write("auth/README.md", "read")
	o := Options{Dir: dir, File: target.File{Services: map[string]target.Service{
		"auth": {Directory: "auth", Dockerfile: "Dockerfile", Inputs: []string{"*.ts"}}}}}
	now := func() string {
		t.Helper()
		d, err := Digest(t.Context(), filepath.Join(dir, "crossing.yaml"), o)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	last := now()
	if now() != last {
		t.Fatal("nothing has changed, and the digest has")
	}
	write("auth/README.md", "changed")
	if now() != last {
		t.Error("it changes with what is no input")
	}
	for what, change := range map[string]func(){
		"a source":        func() { write("auth/main.ts", "two") },
		"the Dockerfile":  func() { write("auth/Dockerfile", "FROM y") },
		"crossing.yaml":   func() { write("crossing.yaml", "mail: ${env.MAIL_HOST} # x") },
		"the environment": func() { t.Setenv("MAIL_HOST", "elsewhere") },
		"the base image":  func() { o.BaseImage = "debian:13" },
	} {
		change()
		if now() == last {
			t.Errorf("it stays the same when %s changes", what)
		}
		last = now()
	}
}
