package processes

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"crossing/harness/stack/owner"
	"crossing/harness/stack/unit"
)

func runtimeOf(t *testing.T) *Runtime {
	t.Helper()
	run, err := owner.NewRun()
	if err != nil {
		t.Fatal(err)
	}
	r := New(run, "")
	t.Cleanup(func() {
		if err := r.Close(context.Background()); err != nil {
			t.Error(err)
		}
		if err := run.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

func TestATakenPortNamesItsHolder(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := taken.Addr().(*net.TCPAddr).Port
	i, err := runtimeOf(t).Start(t.Context(), unit.Launch{
		Name: "api", Directory: t.TempDir(), Port: port,
		Command: "echo 'OSError: [Errno 98] Address already in use' >&2; exit 1",
	})
	if err != nil {
		t.Fatal(err)
	}

	<-i.Ended()

	if want := fmt.Sprintf("port %d is held by process %d (", port, os.Getpid()); !strings.Contains(i.Fate(), want) {
		t.Errorf("fate is %q, want %q in it", i.Fate(), want)
	}
}

func TestWhatABuildLeavesInItsTempFolderGoes(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	for command, fails := range map[string]bool{`mktemp && echo kept >"$TMPDIR/cache"`: false, `mktemp; exit 3`: true} {
		b := Build{Directory: t.TempDir(), Command: command}
		err := b.Run(t.Context())
		if (err != nil) != fails {
			t.Errorf("%s: %v", command, err)
		}
		if made := b.Last(); !strings.HasPrefix(made, temp+"/crossing-") {
			t.Errorf("%s: its temp file is %q: want one in a folder of its own below %s", command, made, temp)
		}
		if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
			t.Errorf("%s: there is left %v (%v)", command, left, err)
		}
	}
}

func TestCommandsAreRunAsWritten(t *testing.T) {
	for command, want := range map[string]string{
		"echo plain":               "plain",
		"A=b; echo $A":             "b",
		"GREETING=hallo env":       "GREETING=hallo",
		"true && echo both":        "both",
		"echo 'a b' \"$INSTANCE\"": "a b api",
	} {
		i, err := runtimeOf(t).Start(t.Context(), unit.Launch{
			Name: "api", Directory: t.TempDir(), Command: command, Environment: map[string]string{"INSTANCE": "api"},
		})
		if err != nil {
			t.Fatal(err)
		}
		<-i.Ended()
		if logs, err := i.Logs(t.Context()); err != nil || !strings.Contains(string(logs), want) {
			t.Errorf("%q wrote %q (%v), want %q", command, logs, err, want)
		}
	}
}

func TestLogsAreBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	text := strings.Repeat("x", unit.LogLimit) + "the end"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}

	got, err := ReadLog(path)

	if err != nil || len(got) != unit.LogLimit || !strings.HasSuffix(string(got), "the end") {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

func TestAServiceSurvivesTheContextItWasStartedWith(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	i, err := runtimeOf(t).Start(ctx, unit.Launch{Name: "api", Directory: t.TempDir(), Command: "sleep 60"})
	if err != nil {
		t.Fatal(err)
	}

	cancel()

	select {
	case <-i.Ended():
		t.Errorf("it ended: %s", i.Fate())
	case <-time.After(100 * time.Millisecond):
	}
}
