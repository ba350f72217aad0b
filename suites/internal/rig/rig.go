// Package rig is the one place where Ginkgo meets the harness: it brings the
// stack up for a suite, hands it to the other processes of a parallel run,
// opens visitors whose cookie policy has been proved, and puts a diagnosis
// above the assertion that failed. It holds no behaviour of its own to test.
package rig

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/format"

	"crossing/harness/browser"
	"crossing/harness/observe"
	"crossing/harness/secrets"
	"crossing/harness/stack"
	"crossing/harness/target"
	"crossing/harness/trace"
	"crossing/harness/visit"
)

var settingsFile = flag.String("crossing.settings", "", "file with the run's settings, as the command crossing writes it; without it the reference application is run with defaults")

// Rig serves one suite.
type Rig struct {
	name     string
	settings target.Settings
	target   *target.Target
	access   target.Access
	run      stack.Run
	redactor *trace.Redactor
	stack    *stack.Stack
	ground   *visit.Ground
	facts    *facts
	besides  Beside
	beside   *beside

	mu       sync.Mutex
	visitors []*Visitor // of the spec that is running
	callers  []*Caller  // likewise
	fresh    bool       // whether that spec brings people of its own
	regulars map[string]regular
}

// New makes the rig of a suite; Up and Join fill it.
func New() *Rig { return &Rig{regulars: map[string]regular{}} }

// Run runs the suite under go test.
func (r *Rig) Run(t *testing.T, name string) {
	r.name = name
	RegisterFailHandler(r.fail)
	format.RegisterCustomFormatter(plainError)
	format.RegisterCustomFormatter(plainExchange)
	EnforceDefaultTimeoutsWhenUsingContexts()
	SetDefaultEventuallyTimeout(10 * time.Second)
	SetDefaultEventuallyPollingInterval(visit.Glance)
	SetDefaultConsistentlyDuration(500 * time.Millisecond)
	SetDefaultConsistentlyPollingInterval(100 * time.Millisecond)
	ReportBeforeEach(r.begin)
	ReportAfterEach(r.end)
	RunSpecs(t, name)
}

// handed is what process 1 gives the others.
type handed struct {
	Key    []byte
	Stack  *stack.Handover
	Beside *stack.Handover
	Roles  map[string]trace.Role
}

// Up runs on process 1: it sweeps what killed runs have left, and starts the
// services. What it returns is for Join on every process.
func (r *Rig) Up(ctx SpecContext) []byte {
	GinkgoHelper()
	r.prepare()
	key := make([]byte, 32)
	Expect(randomise(key)).To(Succeed())
	h := handed{Key: key}
	r.redactor = trace.NewRedactor(key)
	r.begun()
	if !r.target.Remote() {
		started := time.Now()
		s, err := r.start(ctx)
		r.must(err)
		DeferCleanup(s.Down) // of an adopted stack: nothing
		r.stack = s
		r.facts.stack(s.Runtime(), time.Since(started))
		handover := s.Handover()
		h.Stack = &handover
		r.beside, err = r.upBeside(ctx)
		r.must(err)
		if r.beside != nil {
			DeferCleanup(r.beside.stack.Down)
			more := r.beside.stack.Handover()
			h.Beside, h.Roles = &more, r.beside.roles
		}
	}
	data, err := json.Marshal(h)
	Expect(err).NotTo(HaveOccurred())
	return data
}

// start starts the services, or adopts those that are kept.
func (r *Rig) start(ctx context.Context) (*stack.Stack, error) {
	if r.settings.Kept == "" {
		return stack.Up(ctx, r.stackOptions(r.run))
	}
	kept, err := stack.ReadKept(r.settings.Kept)
	if err != nil {
		return nil, err
	}
	if kept == nil || kept.Keeper.Dead() {
		return nil, errors.New("the kept stack that this run was to use has gone meanwhile; start again")
	}
	if kept.Person != nil {
		r.redactor.Learn(kept.Person.Password)
	}
	return stack.Adopt(kept.Handover, r.redactor), nil
}

// Join runs on every process, after Up: the edge, the observer and, lazily,
// the browsers are its own.
func (r *Rig) Join(ctx SpecContext, data []byte) {
	GinkgoHelper()
	var h handed
	Expect(json.Unmarshal(data, &h)).To(Succeed())
	if r.target == nil {
		r.prepare()
		r.redactor = trace.NewRedactor(h.Key)
		r.begun()
		if h.Stack != nil {
			r.stack = stack.Adopt(*h.Stack, r.redactor)
		}
		if h.Beside != nil {
			r.beside = &beside{stack.Adopt(*h.Beside, r.redactor), h.Roles}
		}
	}
	var err error
	r.ground, err = visit.New(ctx, visit.Options{
		Target: r.target, Settings: r.settings, Stack: r.stack, Spares: r.beside.spares(), Redactor: r.redactor, Run: r.run, Started: r.facts.profile,
		Access: r.access, Pace: r.pace(),
	})
	r.must(err)
	DeferCleanup(r.ground.Close)
	DeferCleanup(r.searchForSecrets)
	DeferCleanup(r.facts.write)
	DeferCleanup(r.farewell)
}

// prepare reads the settings and begins the run of this process.
func (r *Rig) prepare() {
	GinkgoHelper()
	var err error
	r.settings, err = readSettings()
	Expect(err).NotTo(HaveOccurred())
	r.target, r.access, err = r.settings.Target()
	Expect(err).NotTo(HaveOccurred())
	// Ginkgo cleans up in reverse: this comes last.
	DeferCleanup(sweepAfter, r.settings.Owner)
	r.run, err = stack.NewPart(r.settings.Run)
	r.must(err)
	DeferCleanup(r.run.Close)
	// Browsers start drivers that start browsers: the marker, by which a later
	// run finds what a killed one has left, is inherited by all of them.
	Expect(os.Setenv(markerOf(r.run))).To(Succeed())
	watchOwner(r.settings.Owner)
}

// pace is kept where all visitors come from one address.
func (r *Rig) pace() *visit.Pace {
	if r.settings.Pace == "" {
		return nil
	}
	return &visit.Pace{File: r.settings.Pace, Limit: r.target.Contract.Limit}
}

// begun makes what needs the redactor.
func (r *Rig) begun() {
	r.redactor.Learn(r.settings.Account.Password)
	r.facts = newFacts(r)
}

// readSettings without a settings file suits a person who runs a suite by hand.
func readSettings() (target.Settings, error) {
	if *settingsFile != "" {
		return target.ReadSettings(*settingsFile)
	}
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		return target.Settings{}, err
	}
	s := target.Settings{
		Config: filepath.Join(root, "fixtures", target.DefaultName), Runtime: "auto",
		StateDir: filepath.Join(root, ".crossing"), OutDir: filepath.Join(root, "reports", "out"),
		Reproduce: "make e2e",
	}
	for _, p := range browser.Profiles() {
		s.Engines = append(s.Engines, p.Name)
	}
	return s, os.MkdirAll(s.OutDir, 0o755)
}

func (r *Rig) stackOptions(run stack.Run) stack.Options {
	return stack.Options{
		Dir: r.target.Dir, File: r.target.File, Runtime: r.settings.Runtime, StateDir: r.settings.StateDir,
		BaseImage: r.settings.BaseImage, Run: run, Redactor: r.redactor, Environment: r.settings.Set,
		Progress: r.event,
	}
}

// Auth are the instances of the auth service, to be asked past the edge.
func (r *Rig) Auth() []observe.Instance { return r.ground.Observer.Auth }

// Instances are the names of those who answer for a role, as they take turns:
// of a deployment, which shows none, there is one.
func (r *Rig) Instances(role trace.Role) []string { return r.ground.Edge.Upstreams(role) }

// Target is the application under test.
func (r *Rig) Target() *target.Target { return r.target }

// Database is where the application keeps its sessions. A target that gives
// no access to it makes the spec not applicable.
func (r *Rig) Database() *observe.Database {
	if r.ground.Observer.Database == nil {
		NotApplicable("crossing.yaml names no database, so that rows cannot be looked up")
	}
	return r.ground.Observer.Database
}

// Reveal gives the plain value behind a digest, for checks that need one. It
// must not be printed; failures are scrubbed all the same.
func (r *Rig) Reveal(digest string) string {
	GinkgoHelper()
	plain, known := r.redactor.Reveal(digest)
	Expect(known).To(BeTrue(), "the digest %q was never seen with its value", digest)
	return plain
}

// searchForSecrets leaves this process's secrets for the command, which searches
// all that every process and it have written, once nobody writes any more.
// Where a person runs a suite by hand, it searches by itself.
func (r *Rig) searchForSecrets() error {
	if r.settings.Secrets != "" {
		path := filepath.Join(r.settings.Secrets, fmt.Sprintf("secrets-%s-%d.json", strings.ToLower(r.name), GinkgoParallelProcess()))
		return secrets.Save(path, r.redactor.Secrets())
	}
	found, err := secrets.Search(r.settings.OutDir, r.redactor.Leaks)
	return errors.Join(secrets.Error(found), err)
}
