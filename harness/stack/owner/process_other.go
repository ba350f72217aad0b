//go:build !linux

package owner

import (
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// place is one: only Linux counts processes per namespace.
func place() string { return "0" }

// started returns when the process began, in seconds since 1970, as ps(1)
// tells it. A zombie is not alive.
func started(pid int) (start string, alive bool) {
	ps := exec.Command("ps", "-o", "stat=,lstart=", "-p", strconv.Itoa(pid))
	ps.Env = []string{"PATH=/bin:/usr/bin", "LC_ALL=C"} // names of days and months
	out, err := ps.Output()
	state, when, found := strings.Cut(strings.TrimSpace(string(out)), " ")
	if err != nil || !found || strings.HasPrefix(state, "Z") {
		return "", false
	}
	at, err := time.ParseInLocation("Mon Jan _2 15:04:05 2006", strings.TrimSpace(when), time.Local)
	if err != nil {
		return "", false
	}
	return strconv.FormatInt(at.Unix(), 10), true
}

// orphans finds nothing: these systems don't show the environment of a
// process. What a run noted in its folder is found all the same.
func orphans() []orphan { return nil }
