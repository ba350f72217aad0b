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

	"github.com/fsnotify/fsnotify"
)

// watchCommand runs the specs of each file that is saved, on a kept stack.
type watchCommand struct {
	choices
	SlowMo float64 `env:"SLOWMO" name:"slowmo" placeholder:"MS" help:"Wait after each action of a browser."`
	Out    string  `env:"OUT" default:"reports/out" placeholder:"DIR" help:"Where reports are written."`
}

// settling is how long an editor may take to save one file: it writes, renames
// and sets modes, each of which is an event.
const settling = 60 * time.Millisecond

// Run is kong's entry.
func (c *watchCommand) Run(ctx context.Context) (err error) {
	p, err := planned(&c.choices)
	if err != nil {
		return err
	}
	if _, err := c.profiles(p.home); err != nil {
		return err
	}
	files, err := watchFolder(filepath.Join(string(p.home), "suites"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, files.Close()) }()
	if !p.target.Remote() {
		show := newProgress(os.Stdout)
		_, already, err := p.up(ctx, c.choices, show)
		show.Close()
		if err != nil {
			return err
		}
		if !already { // what it started goes with it
			defer func() { _ = downCommand{}.Run(context.WithoutCancel(ctx)) }()
		}
	}
	fmt.Println("Save a file of suites, and its specs run. Ctrl-C ends this.")
	c.serve(ctx, p.home, files)
	return nil
}

// watchFolder watches all folders below dir.
func watchFolder(dir string) (*fsnotify.Watcher, error) {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("watch %s: %w", dir, err)
	}
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		return w.Add(path)
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("watch %s: %w", dir, err), w.Close())
	}
	return w, nil
}

// serve runs what was saved last, until ctx ends.
func (c *watchCommand) serve(ctx context.Context, home checkout, files *fsnotify.Watcher) {
	settled := time.NewTimer(0)
	<-settled.C
	var saved, last string
	for {
		select {
		case <-ctx.Done():
			return
		case err := <-files.Errors:
			fmt.Fprintln(os.Stderr, "crossing: watch:", err)
		case e := <-files.Events:
			if strings.HasSuffix(e.Name, ".go") && e.Has(fsnotify.Write|fsnotify.Create|fsnotify.Rename) {
				saved = e.Name
				settled.Reset(settling)
			}
		case <-settled.C:
			if strings.HasSuffix(saved, "_test.go") && !strings.Contains(saved, "/internal/") {
				last = saved
			}
			if last == "" {
				fmt.Printf("%s holds no specs, and none were run before: save a file that does\n", filepath.Base(saved))
				continue
			}
			fmt.Printf("\n%s was saved\n", filepath.Base(saved))
			c.again(ctx, last)
		}
	}
}

// again runs a file's specs; a suite's bootstrap stands for all of its own.
func (c *watchCommand) again(ctx context.Context, file string) {
	r := runCommand{choices: c.choices, Suite: filepath.Base(filepath.Dir(file)), One: filepath.Base(file),
		N: 1, Procs: 1, SlowMo: c.SlowMo, Out: c.Out, Timeout: "20m", Quick: true}
	if strings.HasSuffix(file, "_suite_test.go") {
		r.One = ""
	}
	if err := r.Run(ctx); err != nil && ctx.Err() == nil && !errors.Is(err, errFailed) {
		fmt.Fprintln(os.Stderr, "crossing:", err)
	}
}
