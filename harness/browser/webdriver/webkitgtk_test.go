package webdriver

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"crossing/harness/browser"
	"crossing/harness/browser/conformance"
)

// TestConformance, like all tests here that open a browser, fails where
// WebKitGTK is not installed, with the mend in its message: the set-up
// installs it.
func TestConformance(t *testing.T) {
	conformance.Run(t, conformance.Driver{
		Start: func(ctx context.Context, spki, workDir string) (browser.Browser, error) {
			return StartWebKit(ctx, launch(spki, workDir))
		},
		Kill: func(s browser.Session) error {
			pid, err := miniBrowserOf(s.(*session))
			if err != nil {
				return err
			}
			return syscall.Kill(pid, syscall.SIGKILL)
		},
	})
}

func launch(spki, workDir string) browser.Launch {
	return browser.Launch{Profile: browser.WebKit, Executable: os.Getenv("WEBKIT"), SPKI: spki, WorkDir: workDir}
}

// miniBrowserOf returns the driver's one child.
func miniBrowserOf(s *session) (int, error) {
	driver := s.far.(*process).cmd.Process.Pid
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", driver, driver))
	if err != nil {
		return 0, err
	}
	children := strings.Fields(string(data))
	if len(children) != 1 {
		return 0, fmt.Errorf("driver %d has children %v, want one", driver, children)
	}
	return strconv.Atoi(children[0])
}
