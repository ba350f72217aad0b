package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"crossing/harness/secrets"
	"crossing/harness/stack/owner"
	"crossing/reports"
)

// working begins the name of the folder that a run writes into, within that of
// the reports; the rest names the process that writes.
const working = ".run-"

// writable makes the folder that the run writes into. It stands within that of
// the reports, which may be a mount that nothing can be moved onto.
func (p *plan) writable() error {
	if err := p.harmless(); err != nil {
		return err
	}
	if err := os.MkdirAll(p.out, 0o755); err != nil {
		return fmt.Errorf("OUT=%s: the folder for reports cannot be made (%w); name one that can be written", p.command.Out, plain(err))
	}
	// What killed runs have left here nobody will ever read.
	olds, _ := filepath.Glob(filepath.Join(p.out, working+"*"))
	for _, old := range olds {
		name := strings.TrimPrefix(filepath.Base(old), working)
		if o, ok := owner.Parse(strings.ReplaceAll(name, "-", ":")); ok && o.Dead() {
			_ = os.RemoveAll(old)
		}
	}
	work := filepath.Join(p.out, working+strings.ReplaceAll(owner.Self().String(), ":", "-"))
	if err := os.Mkdir(work, 0o755); err != nil {
		return fmt.Errorf("OUT=%s: reports cannot be written there (%w); name a folder that can be written", p.command.Out, plain(err))
	}
	p.work = work
	if why := crowded(p.out, 16<<20); why != "" {
		p.remove()
		return fmt.Errorf("OUT=%s: %s for the reports; free some, or name another folder", p.command.Out, why)
	}
	if why := crowded(os.TempDir(), 256<<20); why != "" {
		p.remove()
		return fmt.Errorf("TMPDIR=%s: %s for databases and browsers' profiles; free some, or set TMPDIR to another folder", os.TempDir(), why)
	}
	return nil
}

// crowded says why a folder cannot take so many bytes, or nothing. What a disk
// that fills up in the middle of a run makes of databases and browsers is no
// error that a person would understand.
func crowded(dir string, need uint64) string {
	var s syscall.Statfs_t
	switch err := syscall.Statfs(dir, &s); {
	case err != nil:
		return fmt.Sprintf("it cannot be used (%v)", err)
	case s.Bavail*uint64(s.Bsize) < need:
		return fmt.Sprintf("only %d MiB are free there, and %d are needed", s.Bavail*uint64(s.Bsize)>>20, need>>20)
	case s.Files > 0 && s.Ffree == 0:
		return "no more files can be made there"
	}
	return ""
}

// harmless refuses a folder in which something would be replaced that no run
// has written, such as a person's own folder named "traces".
func (p *plan) harmless() error {
	if strings.TrimSpace(p.command.Out) == "" {
		return errors.New("OUT is empty; name a folder for the reports, such as reports/out")
	}
	if info, err := os.Stat(p.out); err == nil && !info.IsDir() {
		return fmt.Errorf("OUT=%s is a file; name a folder for the reports", p.command.Out)
	}
	if _, err := os.Stat(filepath.Join(p.out, reports.RunFile)); err == nil {
		return nil
	}
	for _, name := range reports.Files {
		if _, err := os.Lstat(filepath.Join(p.out, name)); err == nil {
			return fmt.Errorf("OUT=%s holds %s and no %s: no run has written that, and reports would replace it; name another folder", p.command.Out, name, reports.RunFile)
		}
	}
	return nil
}

// remove takes away what was not published, and the folder that it stood in
// where nothing ever was.
func (p *plan) remove() {
	_ = os.RemoveAll(p.work)
	_ = os.Remove(p.out) // fails where it holds reports, as it should
}

// publish writes run.json and the pages, and puts the new reports in place of
// the old. What else stands in the folder stays.
func (p *plan) publish(r *reports.Run) error {
	if err := r.Gather(p.work); err != nil {
		return err
	}
	if err := r.Write(filepath.Join(p.work, reports.RunFile)); err != nil {
		return err
	}
	if err := pages(r, p.work); err != nil {
		return err
	}
	if err := p.discreet(); err != nil {
		return err
	}
	return p.replace()
}

// replace puts the new reports in place of the old.
func (p *plan) replace() error {
	// run.json first: a folder that has it is known for one of reports, even
	// if this very moment is the command's last.
	names := slices.Concat([]string{reports.RunFile}, reports.Files)
	for _, name := range slices.Compact(names) {
		to := filepath.Join(p.out, name)
		if name != reports.RunFile {
			if err := os.RemoveAll(to); err != nil {
				return fmt.Errorf("take away the earlier reports: %w", err)
			}
		}
		err := os.Rename(filepath.Join(p.work, name), to)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("put the new reports in place: %w", err)
		}
	}
	return nil
}

// discreet fails if a secret stands in what is about to be published: one that
// a person set for this run, or one that a suite came to know.
func (p *plan) discreet() error {
	found, err := secrets.Search(p.work, p.secrets.Leaks)
	if len(found) > 0 {
		return fmt.Errorf("a secret of this run stands in what it wrote: nothing was published\n%w", secrets.Error(found))
	}
	return err
}

// plain is an error without the path that the sentence names already.
func plain(err error) error {
	if path := new(fs.PathError); errors.As(err, &path) {
		return path.Err
	}
	return err
}
