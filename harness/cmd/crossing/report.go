package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"crossing/harness/trace"
	"crossing/reports"
	"crossing/reports/har"
	"crossing/reports/page"
)

// reportCommand renders saved results again, and merges those of several runs.
type reportCommand struct {
	Files []string `arg:"" optional:"" help:"run.json files, or their folders; default: OUT. Several, such as the shards of a run, are merged into OUT."`
	Out   string   `env:"OUT" default:"reports/out" placeholder:"DIR" help:"Where merged reports are written."`
	Open  bool     `env:"OPEN" help:"Open the page."`
}

// Run is kong's entry. Its exit status is the verdict's of the saved run.
func (c *reportCommand) Run(ctx context.Context) error {
	files := c.Files
	if len(files) == 0 {
		files = []string{c.Out}
	}
	var all []reports.Saved
	for _, f := range files {
		s, err := reports.Load(f)
		if err != nil {
			return err
		}
		all = append(all, s)
	}
	run, folder, err := c.render(all)
	if err != nil {
		return err
	}
	fmt.Println(run.Headline())
	fmt.Printf("Reports: %s\n", folder)
	if c.Open {
		if err := openPage(ctx, filepath.Join(folder, reports.PageFile)); err != nil {
			return err
		}
	}
	switch {
	case run.Passed:
		return nil
	case run.Judged():
		return errFailed
	}
	return errNothingJudged
}

// render writes one run's pages beside it, and several runs into OUT.
func (c *reportCommand) render(all []reports.Saved) (reports.Run, string, error) {
	if len(all) == 1 {
		return all[0].Run, all[0].Folder, pages(&all[0].Run, all[0].Folder)
	}
	p := &plan{command: &runCommand{Out: c.Out}, secrets: trace.NewRedactor(nil)}
	var err error
	if p.out, err = filepath.Abs(c.Out); err != nil {
		return reports.Run{}, "", err
	}
	if err := p.writable(); err != nil {
		return reports.Run{}, "", err
	}
	defer p.remove()
	run, err := reports.Merge(all, p.work)
	if err != nil {
		return run, "", err
	}
	if err := pages(&run, p.work); err != nil {
		return run, "", err
	}
	return run, c.Out, p.replace()
}

// pages renders what people read, beside the results.
func pages(r *reports.Run, folder string) error {
	for _, d := range r.Diagnoses {
		path := filepath.Join(folder, d.Trace)
		if _, err := os.Stat(path); err != nil {
			continue // the page says so
		}
		if err := har.Write(path, strings.TrimSuffix(path, ".json")+".har"); err != nil {
			return err
		}
	}
	if err := page.Write(r, folder); err != nil {
		return err
	}
	return r.WriteTexts(folder)
}

// openPage shows a page where a person sits before a screen; elsewhere, where
// the page stands has been said.
func openPage(ctx context.Context, path string) error {
	opener := "xdg-open"
	if runtime.GOOS == "darwin" {
		opener = "open"
	}
	found, err := exec.LookPath(opener)
	screen := runtime.GOOS == "darwin" || slices.ContainsFunc([]string{"DISPLAY", "WAYLAND_DISPLAY"}, func(name string) bool { return os.Getenv(name) != "" })
	if err != nil || !screen {
		abs, err := filepath.Abs(path)
		fmt.Printf("No screen was found; open file://%s\n", filepath.ToSlash(abs))
		return err
	}
	if err := exec.CommandContext(ctx, found, path).Run(); err != nil {
		return fmt.Errorf("open %s with %s: %w", path, opener, err)
	}
	return nil
}
