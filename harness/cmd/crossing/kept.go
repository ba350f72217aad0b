package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"crossing/harness/stack"
	"crossing/harness/stack/owner"
)

// keptVariable names a folder for what tells of a kept stack, in place of the
// checkout's own: tests have one each, and leave a person's stack alone.
const keptVariable = "CROSSING_KEPT"

func (c checkout) keptDir() string {
	if dir := os.Getenv(keptVariable); dir != "" {
		return dir
	}
	return c.state()
}

// keptFile tells of the kept stack, keeperFile who keeps it or is starting it,
// and keeperLog what that process says.
func (c checkout) keptFile() string   { return filepath.Join(c.keptDir(), stack.KeptFile) }
func (c checkout) keeperFile() string { return filepath.Join(c.keptDir(), "keeper") }
func (c checkout) keeperLog() string  { return filepath.Join(c.keptDir(), "keeper.log") }

// keeper is the living process that keeps a stack, or is starting one.
func (c checkout) keeper() (owner.Owner, bool) {
	text, err := os.ReadFile(c.keeperFile())
	if err != nil {
		return owner.Owner{}, false
	}
	o, ok := owner.Parse(string(text))
	return o, ok && !o.Dead()
}

// readKept reads of the kept stack, nil where there is none. What a killed
// keeper wrote is removed: the stack itself is the sweep's.
func (c checkout) readKept() (*stack.Kept, error) {
	kept, err := stack.ReadKept(c.keptFile())
	if err != nil || kept == nil || !kept.Keeper.Dead() {
		return kept, err
	}
	return nil, c.forget()
}

// forget removes what tells of a stack whose keeper has ended.
func (c checkout) forget() error {
	if _, alive := c.keeper(); alive {
		return nil // another is starting one meanwhile
	}
	var errs []error
	for _, path := range []string{c.keptFile(), c.keeperFile(), c.keeperLog()} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// errOtherSources: what is kept is not what stands here.
func errOtherSources(kept *stack.Kept) error {
	return fmt.Errorf("the stack kept since %s was made from other sources than those that stand here now; type\n  make down && make up",
		kept.Ready.Local().Format("15:04"))
}

// digest is that of the sources as they stand, for a stack of a runtime.
func (p *plan) digest(ctx context.Context, c choices, runtime string) (string, error) {
	o := stack.Options{Dir: p.target.Dir, File: p.target.File}
	if runtime == stack.Containers {
		o.BaseImage = c.BaseImage
	}
	return stack.Digest(ctx, p.target.Path, o)
}

// adopt decides whether the run uses the kept stack. Where it has to start one
// of its own beside it, it says why. A kept stack of other sources is refused
// before anything is built: building would change the files that it runs on.
func (p *plan) adopt(ctx context.Context, c choices, show *progress) error {
	if p.target.Remote() {
		return nil
	}
	kept, err := p.home.readKept()
	if err != nil || kept == nil {
		return err
	}
	if kept.Config != p.target.Path {
		show.Say("  the kept stack is that of %s: this run starts its own", kept.Config)
		return nil
	}
	now, err := p.digest(ctx, c, kept.Handover.Runtime)
	switch {
	case err != nil:
		return err
	case now != kept.Digest:
		return errOtherSources(kept)
	case len(p.set) > 0:
		show.Say("  SET changes environments: this run starts a stack of its own beside the kept one")
		return nil
	case c.Runtime != "auto" && c.Runtime != kept.Handover.Runtime:
		show.Say("  the kept stack runs as %s: this run starts its own, as %s", kept.Handover.Runtime, c.Runtime)
		return nil
	}
	if err := kept.Answers(ctx); err != nil {
		return fmt.Errorf("%w; type\n  make down && make up", err)
	}
	p.kept = kept
	return nil
}

// told is the kept stack in words.
func told(kept *stack.Kept) string {
	var names []string
	for _, i := range kept.Handover.Instances {
		names = append(names, i.Name)
	}
	return fmt.Sprintf("%s as %s, up since %s", strings.Join(names, ", "), kept.Handover.Runtime, kept.Ready.Local().Format(time.TimeOnly))
}
