package main

import (
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestTheDoctorSaysWhatIsMissingAndTheMend(t *testing.T) {
	t.Parallel()
	temp := tempFolder(t)
	cmd := command(t, temp, "doctor", "--runtime=processes", "--engine=chromium")
	if healthy := finish(t, limit, cmd); healthy.status != 0 || !strings.Contains(healthy.stdout, "A run can start.") || !strings.Contains(healthy.stdout, "✓ Go ") {
		t.Errorf("where the tests run, a run can start: %s", healthy)
	}
	// A machine without anything.
	cmd = command(t, temp, "doctor", "--runtime=processes", "--engine=webkit")
	cmd.Env = append(cmd.Env, "PATH="+t.TempDir())
	o := finish(t, limit, cmd)
	for _, want := range []string{"✗ Go ", "✗ git ", "https://go.dev/dl", "A run could not start"} {
		if !strings.Contains(o.stdout, want) {
			t.Errorf("%q is not said: %s", want, o)
		}
	}
	if o.status != exitUnready {
		t.Errorf("status %d, want %d", o.status, exitUnready)
	}
}

// A socket at which nobody ever answers.
func TestADeadDockerSocketDoesNotHoldUpTheDoctor(t *testing.T) {
	t.Parallel()
	temp := tempFolder(t)
	socket := filepath.Join(temp, "docker.sock")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	cmd := command(t, temp, "doctor", "--runtime=containers", "--engine=chromium")
	cmd.Env = append(cmd.Env, "DOCKER_HOST=unix://"+socket)
	o := finish(t, limit, cmd)
	if o.status != exitUnready || !strings.Contains(o.stdout, socket) || !strings.Contains(o.stdout, "RUNTIME=processes") {
		t.Errorf("it says: %s", o)
	}
	if o.took > doctorLimit+5*time.Second {
		t.Errorf("it took %s", o.took)
	}
}
