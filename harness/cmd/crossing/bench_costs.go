package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"crossing/harness/browser"
	"crossing/harness/diagnose"
	"crossing/harness/journey"
	"crossing/harness/trace"
	"crossing/harness/visit"
	"crossing/reports"
)

// edgeLane asks the frontend's instance with and without the edge, in turns.
func (b *bench) edgeLane(ctx context.Context) (err error) {
	const requests = 200
	g, err := b.ground(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, g.Close()) }()
	line, err := g.Edge.Open(trace.NewRecorder(b.redactor, trace.Trace{}))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, line.Close()) }()
	// The frontend: an auth service has more to do where the edge's headers tell
	// it of an address, which is no doing of the edge's.
	service := b.target.Serves.Frontend
	address, err := b.stack.Address(service)
	if err != nil {
		return err
	}
	path := b.target.Contract.Pages.Home
	var added, direct, dialled []float64
	near := &http.Client{Transport: &http.Transport{DisableCompression: true}}
	anew := &http.Client{Transport: &http.Transport{DisableCompression: true, DisableKeepAlives: true}}
	for round := range b.command.Rounds + 1 {
		var with, without, fresh []float64
		for range requests / b.command.Rounds {
			for _, ask := range []struct {
				client *http.Client
				url    string
				into   *[]float64
			}{{line.Client(), b.target.Origins.Frontend + path, &with}, {near, "http://" + address + path, &without}, {anew, "http://" + address + path, &fresh}} {
				took, err := timed(1, func() error { return get(ctx, ask.client, ask.url) })
				if err != nil {
					return err
				}
				*ask.into = append(*ask.into, 1000*took[0])
			}
		}
		if round > 0 {
			added, direct = append(added, median(with)-median(without)), append(direct, median(without))
			dialled = append(dialled, median(fresh)-median(without))
		}
	}
	b.add("edge", "a request without the edge", median(direct), "ms", 0, direct, service+", "+path)
	b.add("edge", "added by a connection of its own, without the edge", median(dialled), "ms", 0, dialled, "what the service makes of a new connection")
	b.add("edge", "added by the edge: TLS, recording, a connection of its own", median(added), "ms", 0.5, added, "")
	return nil
}

// get reads an answer to its end; any status will do.
func get(ctx context.Context, client *http.Client, url string, header ...string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, res.Body)
	return errors.Join(err, res.Body.Close())
}

// specsLane runs the suites as a person does, for each engine in one process
// and in two.
func (b *bench) specsLane(ctx context.Context) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	profiles, err := b.command.profiles(b.home)
	if err != nil {
		return err
	}
	for _, profile := range profiles {
		took := map[int]float64{}
		for _, processes := range []int{1, 2} {
			if took[processes], err = b.secondsPerSpec(ctx, program, profile, processes); err != nil {
				return err
			}
			goal := 0.0
			if processes == 2 { // the default
				goal = 1.0
			}
			b.add("specs", fmt.Sprintf("a spec on %s, PROCS=%d", profile.Name, processes), took[processes], "s", goal, nil, "the suites' time by the number of specs")
		}
		b.add("specs", fmt.Sprintf("PROCS=2 : PROCS=1 on %s", profile.Name), took[2]/took[1], "×", 0, nil, "")
	}
	return nil
}

func (b *bench) secondsPerSpec(ctx context.Context, program string, profile browser.Profile, processes int) (float64, error) {
	out := filepath.Join(b.run.Dir, fmt.Sprintf("specs-%s-%d", profile.Name, processes))
	cmd := exec.CommandContext(ctx, program, "run", "--engine="+profile.Name, "--procs="+strconv.Itoa(processes), "--seed=1",
		"--runtime="+b.runtime, "--out="+out, "--config="+b.target.Path, "--one="+b.command.One)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	text, err := cmd.CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("the suites on %s: %w\n%s", profile.Name, err, tail(string(text), 20))
	}
	data, err := os.ReadFile(filepath.Join(out, reports.RunFile))
	if err != nil {
		return 0, err
	}
	var r reports.Run
	if err := json.Unmarshal(data, &r); err != nil {
		return 0, err
	}
	return (r.Timings.Specs - r.Timings.StackReady) / float64(r.Counts.Passed), nil
}

// memoryLane has visitors come and go, and looks at what they leave in the
// harness's process. Those of the growth have no browser: the same exchanges,
// recorded and explained, are made by the edge's own client.
func (b *bench) memoryLane(ctx context.Context) (err error) {
	const few, many = 50, 500
	g, err := b.ground(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, g.Close()) }()
	for range b.command.Rounds {
		if err := b.walk(ctx, g); err != nil {
			return err
		}
	}
	if rss, err := resident(); err != nil {
		b.absent("memory", "the harness's process, after journeys in a browser", err.Error())
	} else {
		b.add("memory", "the harness's process, after journeys in a browser", rss, "MB", 150, nil, "without driver, browser and services")
	}
	var at [2]float64
	for n := 1; n <= many; n++ {
		if err := b.guest(ctx, g); err != nil {
			return err
		}
		switch n {
		case few:
			at[0] = heap()
		case many:
			at[1] = heap()
		}
	}
	b.add("memory", fmt.Sprintf("live heap after %d visitors", few), at[0], "MB", 0, nil, "")
	b.add("memory", fmt.Sprintf("its growth up to %d visitors", many), at[1]-at[0], "MB", noGrowth, nil,
		fmt.Sprintf("%.1f KB for each visitor: the secrets that no report may hold", 1000*(at[1]-at[0])/(many-few)))
	return nil
}

// noGrowth is what the collector's own moods come to, in MB.
const noGrowth = 1.0

// guest is a visitor without a browser, with a secret of its own in each request.
func (b *bench) guest(ctx context.Context, g *visit.Ground) (err error) {
	rec := trace.NewRecorder(b.redactor, trace.Trace{Subject: b.target.Subject()})
	line, err := g.Edge.Open(rec)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, line.Close()) }()
	for range 8 {
		secret := journey.NewPerson("x").Password
		if err := get(ctx, line.Client(), b.target.Origins.Auth+b.target.Contract.Paths.Session, "Cookie", b.target.Contract.Cookie.Name+"="+secret); err != nil {
			return err
		}
	}
	diagnose.Explain(rec.Snapshot())
	return nil
}

// heap is what lives after a collection, in MB.
func heap() float64 {
	runtime.GC()
	runtime.GC() // finalizers of the first have run
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc) / 1e6
}

// resident is the memory of this process that is in RAM, in MB.
func resident() (float64, error) {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, errors.New("this system tells no process its memory by /proc/self/status")
	}
	for line := range strings.SplitSeq(string(text), "\n") {
		if value, found := strings.CutPrefix(line, "VmRSS:"); found {
			kb, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(value, "kB")), 64)
			return kb / 1000, err
		}
	}
	return 0, errors.New("/proc/self/status has no VmRSS")
}
