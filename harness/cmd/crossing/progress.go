package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// progress tells a person what is being done: a line when something begins,
// and while it takes longer than a second, how long it has taken so far. On a
// terminal that line is rewritten; elsewhere it comes every ten seconds.
type progress struct {
	out      io.Writer
	terminal bool

	mu    sync.Mutex
	doing string
	since time.Time
	told  int
	stop  chan struct{}
	once  sync.Once
	wait  sync.WaitGroup
}

// widest is how much of what is being done is told again, in characters: a
// line that a terminal has wrapped cannot be rewritten.
const widest = 64

func newProgress(out *os.File) *progress {
	info, err := out.Stat()
	p := &progress{out: out, terminal: err == nil && info.Mode()&os.ModeCharDevice != 0, stop: make(chan struct{})}
	p.wait.Go(p.tick)
	return p
}

func (p *progress) tick() {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-p.stop:
			return
		case <-ticker.C:
			p.still()
		}
	}
}

func (p *progress) still() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.doing == "" {
		return
	}
	seconds := int(time.Since(p.since).Seconds())
	doing := p.doing
	if long := []rune(doing); len(long) > widest {
		doing = string(long[:widest-1]) + "…"
	}
	switch {
	case p.terminal:
		fmt.Fprintf(p.out, "\r\x1b[K  … %s (%d s)", doing, seconds)
	case seconds >= p.told+10:
		p.told = seconds
		fmt.Fprintf(p.out, "  … %s (%d s)\n", doing, seconds)
	}
}

// Begin says what is being done from now on.
func (p *progress) Begin(what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
	fmt.Fprintf(p.out, "  · %s\n", what)
	p.doing, p.since, p.told = what, time.Now(), 0
}

// Note says what is going on by the word of something that tells by itself how
// long it takes: on a terminal it ticks all the same.
func (p *progress) Note(what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
	fmt.Fprintf(p.out, "  · %s\n", what)
	p.doing = ""
	if p.terminal {
		p.doing, p.since, p.told = what, time.Now(), 0
	}
}

// Say prints a line of its own.
func (p *progress) Say(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
	fmt.Fprintf(p.out, format+"\n", args...)
}

// Wait sets what is being waited for, and since when, without a line of its
// own; nothing: "".
func (p *progress) Wait(what string, since time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
	if p.doing != what || p.since != since {
		p.doing, p.since, p.told = what, since, 0
	}
}

func (p *progress) clear() {
	if p.terminal && p.doing != "" {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}

// Close ends the ticking; once is enough.
func (p *progress) Close() {
	p.once.Do(func() { close(p.stop) })
	p.wait.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
	p.doing = ""
}
