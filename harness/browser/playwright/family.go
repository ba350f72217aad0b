package playwright

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// processes are process ids.
type processes []int

// family is a process and all that descend from it (Linux, proc(5)); elsewhere
// it is the process alone, and a browser ends when the driver's pipe does.
func family(pid int) processes {
	all := processes{pid}
	for i := 0; i < len(all); i++ {
		paths, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", all[i]))
		if err != nil {
			continue
		}
		for _, path := range paths {
			// A process may end between the listing and the reading.
			data, err := os.ReadFile(path)
			if err != nil {
				continue
			}
			for field := range strings.FieldsSeq(string(data)) {
				if child, err := strconv.Atoi(field); err == nil {
					all = append(all, child)
				}
			}
		}
	}
	return all
}

// kill ends them all at once, the eldest first, so that none starts another.
func (ps processes) kill() error {
	var failed error
	for _, pid := range ps {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			failed = errors.Join(failed, fmt.Errorf("kill process %d: %w", pid, err))
		}
	}
	return failed
}
