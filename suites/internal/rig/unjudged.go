package rig

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"

	"crossing/harness/browser"
	"crossing/harness/visit"
)

// unjudged begins the message of a run that was given up because this machine,
// not the application, keeps it from being judged; reports know it by that.
const unjudged = "could not be judged: "

// answering is how long a browser may take, after a spec has failed, to open
// and close a session: one that takes longer hangs.
const answering = 15 * time.Second

// giveUp ends the run, on every process.
func (r *Rig) giveUp(format string, args ...any) {
	AbortSuite(unjudged+r.redactor.Scrub(fmt.Sprintf(format, args...)), 1)
}

// browser returns the running browser of a profile. One that does not start,
// or cannot be measured, judges no application: the run is given up.
func (r *Rig) browser(ctx SpecContext, p browser.Profile) *visit.Started {
	GinkgoHelper()
	started, err := r.ground.Browser(ctx, p)
	switch {
	case err == nil:
		return started
	case ctx.Err() == nil:
		r.giveUp("%v; %s", err, r.another(p))
	}
	r.fail(err.Error(), 1) // the spec was interrupted meanwhile, or its time was up
	return nil
}

// another is the mend where a browser is no good.
func (r *Rig) another(p browser.Profile) string {
	if r.settings.Elsewhere.URL != "" {
		return "write PROCS=1 if its driver holds one session at a time; see what its endpoint has written, and whether WEBDRIVER_CAPABILITIES ask for what it wants (a Chromium that root runs wants {\"goog:chromeOptions\": {\"args\": [\"--no-sandbox\"]}})"
	}
	name := strings.ToUpper(p.Engine)
	if named := r.settings.Executables[p.Engine]; named != "" {
		return fmt.Sprintf("%s=%s chose it: name another browser there, or leave %s out", name, named, name)
	}
	return fmt.Sprintf("install it anew, or name another browser by %s=", name)
}

// outlived gives the run up where the browser has gone or hangs: a spec that
// failed then says nothing about the application. seen is what asking the
// spec's page gave.
func (r *Rig) outlived(v *Visitor, seen error) {
	if seen == nil || v.closed {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), answering)
	defer cancel()
	// A browser of one session has it still, and says so.
	if err := v.Fresh(ctx); err != nil && !errors.Is(err, browser.ErrOneSession) {
		r.giveUp("%s went away or hangs while a spec ran (%v), which says nothing about the application; run it again, and if that lasts, see whether this machine has memory left, or %s",
			v.Profile.Name, err, r.another(v.Profile))
	}
	if errors.Is(seen, browser.ErrDead) {
		r.giveUp("%s ended while a spec ran: it crashed or was killed, which says nothing about the application; run it again, and if that lasts, see whether this machine has memory left, or %s",
			v.Profile.Name, r.another(v.Profile))
	}
}
