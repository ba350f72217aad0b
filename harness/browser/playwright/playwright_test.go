package playwright

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"crossing/harness/browser"
	"crossing/harness/browser/conformance"
)

// driverDir holds the driver for all tests of this package: the one that the
// library's own variable names, or one that is fetched for the run.
var driverDir = os.Getenv("PLAYWRIGHT_DRIVER_PATH")

func TestMain(m *testing.M) {
	if harness := os.Getenv(victimDir); harness != "" {
		victim(harness) // does not return
	}
	temp, err := os.MkdirTemp("", "crossing-driver-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if driverDir == "" {
		driverDir = filepath.Join(temp, "driver")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	code := 1
	if err := InstallDriver(ctx, driverDir, "node", os.Stderr); err == nil {
		code = m.Run()
	} else {
		fmt.Fprintln(os.Stderr, err)
	}
	cancel()
	if err := os.RemoveAll(temp); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func TestConformance(t *testing.T) {
	conformance.Run(t, conformance.Driver{
		Start: func(ctx context.Context, spki, workDir string) (browser.Browser, error) {
			return Start(ctx, browser.Launch{
				Profile: browser.Chromium, Executable: os.Getenv("CHROMIUM"),
				SPKI: spki, DriverDir: driverDir, WorkDir: workDir,
			})
		},
		Kill: func(s browser.Session) error { return family(s.(*session).engine.driver.Pid())[1:].kill() },
	})
}

// browserPID asks the browser for its main process (CDP,
// SystemInfo.getProcessInfo).
func browserPID(e *engine) (int, error) {
	cdp, err := e.shared.NewBrowserCDPSession()
	if err != nil {
		return 0, err
	}
	answer, err := cdp.Send("SystemInfo.getProcessInfo", map[string]any{})
	if err != nil {
		return 0, err
	}
	data, err := json.Marshal(answer)
	if err != nil {
		return 0, err
	}
	var all struct {
		Processes []struct {
			Type string `json:"type"`
			ID   int    `json:"id"`
		} `json:"processInfo"`
	}
	if err := json.Unmarshal(data, &all); err != nil {
		return 0, err
	}
	for _, p := range all.Processes {
		if p.Type == "browser" {
			return p.ID, nil
		}
	}
	return 0, fmt.Errorf("no browser process in %s", data)
}
