package main

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"crossing/harness/stack"
)

// small is an application that starts at once: no suite could judge it, and
// keeping it needs none.
const small = `name: small
origins: {frontend: https://docs.small-front.com, auth: https://auth.small-back.net, stranger: https://www.small-stranger.org}
serves: {frontend: web, auth: web}
services:
  web:
    directory: web
    dockerfile: Dockerfile
    command: python3 -m http.server --bind 127.0.0.1 ${port}
    port: 8000
    ready: {path: /}
` + pagesOfNone

// keepSmall has it kept, and returns what tells of it.
func keepSmall(t *testing.T) (up *started, config string) {
	t.Helper()
	dir, temp := t.TempDir(), tempFolder(t)
	config = filepath.Join(dir, "crossing.yaml")
	fill(t, config, small)
	fill(t, filepath.Join(dir, "web", "index.html"), "one")
	fill(t, filepath.Join(dir, "web", "Dockerfile"), "FROM scratch")
	t.Cleanup(func() { begin(t, temp, "", "down").finished(0) })
	up = begin(t, temp, "", "up", "--runtime=processes", "--config="+config)
	if said := up.finished(0); !strings.Contains(said, "no test person could be signed up") {
		t.Errorf("nobody can sign up there, and up does not say so:\n%s", said)
	}
	return up, config
}

func keptIn(t *testing.T, temp string) stack.Kept {
	t.Helper()
	var kept stack.Kept
	data, err := os.ReadFile(filepath.Join(temp, stack.KeptFile))
	if err == nil {
		err = json.Unmarshal(data, &kept)
	}
	if err != nil {
		t.Fatal(err)
	}
	return kept
}

func TestAStackOfOtherSourcesIsRefusedAndStays(t *testing.T) {
	t.Parallel()
	up, config := keepSmall(t)
	page := filepath.Join(filepath.Dir(config), "web", "index.html")
	fill(t, page, "two")
	for _, command := range [][]string{
		{"up", "--config=" + config},
		{"run", "--config=" + config, "--out=" + t.TempDir()},
		{"run", "--config=" + config, "--set=web.LOG=debug", "--out=" + t.TempDir()}, // which would build in the same folders
	} {
		said := begin(t, up.temp, "", command...).finished(exitUnready)
		if !strings.Contains(said, "made from other sources") || !strings.Contains(said, "make down && make up") {
			t.Errorf("%q says:\n%s", command, said)
		}
	}
	if err := keptIn(t, up.temp).Answers(t.Context()); err != nil {
		t.Errorf("what was refused is down: %v", err)
	}
	fill(t, page, "one")
	if said := begin(t, up.temp, "", "up", "--config="+config).finished(0); !strings.Contains(said, "is up already") {
		t.Errorf("with the sources as they were it says:\n%s", said)
	}
}

func TestAKeptStackIsSweptOnceItsKeeperIsKilled(t *testing.T) {
	t.Parallel()
	up, _ := keepSmall(t)
	ids, kept := up.ids(), keptIn(t, up.temp)
	up.sweep()
	if err := kept.Answers(t.Context()); err != nil || len(up.left(ids)) == 0 {
		t.Fatalf("a living keeper's stack was swept: %v", err)
	}
	if err := syscall.Kill(kept.Keeper.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for limit := time.Now().Add(5 * time.Second); !kept.Keeper.Dead(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatalf("the keeper, process %d, still lives after SIGKILL", kept.Keeper.PID)
		}
	}
	if len(up.left(ids)) == 0 {
		t.Fatal("the killed keeper left nothing: this test proves nothing")
	}

	said := begin(t, up.temp, "", "down").finished(0)

	up.gone(ids, 0)
	if !strings.Contains(said, ids[0]) {
		t.Errorf("down does not say what it swept:\n%s", said)
	}
	if left, err := os.ReadDir(up.temp); err != nil || len(left) > 0 {
		t.Errorf("there stays: %v %v", left, err)
	}
}

func TestAStackThatDoesNotStartIsNotKept(t *testing.T) {
	t.Parallel()
	dir, temp := t.TempDir(), tempFolder(t)
	config := filepath.Join(dir, "crossing.yaml")
	fill(t, config, strings.Replace(small, "-m http.server", "-m no_such_module", 1))
	fill(t, filepath.Join(dir, "web", "Dockerfile"), "FROM scratch")

	up := begin(t, temp, "", "up", "--runtime=processes", "--config="+config)
	said := up.finished(exitUnready)

	if _, why, _ := strings.Cut(said, "\ncrossing: "); !strings.Contains(why, "web") || !strings.Contains(why, "no_such_module") {
		t.Errorf("it says:\n%s", said)
	}
	up.gone(up.ids(), 0)
	if _, err := os.Stat(filepath.Join(temp, stack.KeptFile)); err == nil {
		t.Error("it is told of as kept")
	}
}

func TestAWindowNeedsADisplayAndOneBrowser(t *testing.T) {
	t.Parallel()
	temp := tempFolder(t)
	for wanted, args := range map[string][]string{
		"DISPLAY": {"open"},
		"allowed: chromium, chromium-allow, webkit": {"open", "--engine=chromium,webkit"},
	} {
		said := begin(t, temp, "", args...).finished(exitUnready)
		if !strings.Contains(said, wanted) || strings.Count(strings.TrimSpace(said), "\n") > 1 {
			t.Errorf("%q says:\n%s", args, said)
		}
	}
}

// Whoever started make up and waits until a pipe or a lock is let go must not
// wait for make down.
func TestAKeeperHoldsOnToNothingThatItWasHanded(t *testing.T) {
	t.Parallel()
	dir, temp := t.TempDir(), tempFolder(t)
	config := filepath.Join(dir, "crossing.yaml")
	fill(t, config, small)
	fill(t, filepath.Join(dir, "web", "Dockerfile"), "FROM scratch")
	t.Cleanup(func() { begin(t, temp, "", "down").finished(0) })
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = read.Close() }()
	cmd := command(t, temp, "up", "--runtime=processes", "--config="+config)
	cmd.ExtraFiles = []*os.File{write}
	text, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	_ = write.Close()
	if err := read.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := read.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("up has ended, and its pipe has not: %v", err)
	}
}
