package playwright

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"crossing/harness/browser"
)

// victimDir makes the test's own binary a harness to be killed: it starts a
// browser with its work folder there, says which processes it has, and waits.
const victimDir = "CROSSING_VICTIM_DIR"

type victims struct {
	Driver, Browser int
	Err             string
}

func victim(dir string) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	said := json.NewEncoder(os.Stdout)
	e, err := start(ctx, browser.Launch{
		Profile: browser.Chromium, Executable: os.Getenv("CHROMIUM"), DriverDir: driverDir, WorkDir: dir,
	}, true)
	if err != nil {
		_ = said.Encode(victims{Err: err.Error()})
		os.Exit(1)
	}
	pid, err := browserPID(e)
	_ = said.Encode(victims{Driver: e.driver.Pid(), Browser: pid, Err: fmt.Sprint(err)})
	<-ctx.Done()
	os.Exit(1)
}

// TestKilledHarness shows that nothing outlives a harness that was killed
// outright: its end closes the driver's standard input.
func TestKilledHarness(t *testing.T) {
	dir, err := os.MkdirTemp("", "cx")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), victimDir+"="+dir, "PLAYWRIGHT_DRIVER_PATH="+driverDir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill() }()
	var v victims
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err := errors.Join(err, json.Unmarshal(line, &v)); err != nil || v.Driver == 0 || v.Browser == 0 {
		t.Fatalf("the harness to be killed said %q: %v", line, err)
	}
	if syscall.Kill(v.Driver, 0) != nil || syscall.Kill(v.Browser, 0) != nil {
		t.Fatalf("%+v are not both alive to begin with", v)
	}
	begin := time.Now()
	if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for syscall.Kill(v.Driver, 0) == nil || syscall.Kill(v.Browser, 0) == nil {
		if <-tick.C; time.Since(begin) > 10*time.Second {
			t.Fatalf("%v after the kill: driver %v, browser %v", time.Since(begin),
				syscall.Kill(v.Driver, 0) == nil, syscall.Kill(v.Browser, 0) == nil)
		}
	}
	t.Logf("driver and browser had gone %v after the kill", time.Since(begin).Round(time.Millisecond))
	// What the harness itself laid out stays for whoever removes WorkDir; the
	// profile and whatever else driver and browser wrote does not.
	for _, pattern := range []string{"pw-*/playwright*", "pw-*/.org.chromium*"} {
		if left, _ := filepath.Glob(filepath.Join(dir, pattern)); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	}
}
