package visit

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"
)

// addresses lists this machine's IPv6 addresses (Linux; proc_net(5)).
const addresses = "/proc/net/if_inet6"

// Flags of an address (linux/if_addr.h): on trial, and found to be another's,
// which ends its trial without success.
const (
	tentative = 0x40
	refused   = 0x08
)

// trialLimit is how long addresses may be on trial: one to two seconds, more
// where the machine is busy; without end where a cable was pulled meanwhile.
const trialLimit = 4 * time.Second

// settle waits until the machine has the last address that containers brought
// it: the host's end of each gets one by IPv6, which counts only after a trial
// of up to two seconds (RFC 4862, section 5.4), often when the service inside is
// long ready. A Chromium that is at work then gives up the requests that it has
// under way (net::ERR_NETWORK_CHANGED). It returns what is still on trial when
// the limit is over.
func settle(ctx context.Context, list string, limit time.Duration) string {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		held, err := os.ReadFile(list)
		if errors.Is(err, fs.ErrNotExist) {
			return "" // another system, or no IPv6 here
		}
		if err != nil {
			return err.Error()
		}
		trial := onTrial(held)
		if len(trial) == 0 {
			return ""
		}
		select {
		case <-ctx.Done():
			return strings.Join(trial, ", ")
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// onTrial names the interfaces that have an address on trial.
func onTrial(list []byte) []string {
	var out []string
	lines := bufio.NewScanner(bytes.NewReader(list))
	for lines.Scan() {
		// address, interface's number, prefix, scope, flags, interface's name
		f := strings.Fields(lines.Text())
		if len(f) != 6 {
			continue
		}
		flags, err := strconv.ParseUint(f[4], 16, 32)
		if err == nil && flags&tentative != 0 && flags&refused == 0 {
			out = append(out, fmt.Sprintf("%s of %s", f[0], f[5]))
		}
	}
	return out
}
