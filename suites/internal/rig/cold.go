package rig

import (
	"context"
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"crossing/harness/observe"
	"crossing/harness/stack"
	"crossing/harness/target"
	"crossing/harness/visit"
)

// Cold starts a second, wholly separate auth service with what it needs, that
// nobody has asked anything yet, and returns its instances.
func (r *Rig) Cold(ctx SpecContext) []observe.Instance {
	GinkgoHelper()
	if r.stack == nil {
		NotApplicable("a deployed target cannot be started anew")
	}
	run, err := stack.NewPart(r.settings.Run)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(run.Close)
	o := r.stackOptions(run)
	o.Runtime = r.stack.Runtime()
	o.File = r.target.Only(r.target.Serves.Auth)
	o.Progress = nil
	o.Environment = only(o.Environment, o.File)
	s, err := stack.Up(ctx, o)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(s.Down)
	cold, err := visit.Observer(ctx, r.target, s)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(cold.Close)
	DeferCleanup(func(ctx SpecContext) {
		if CurrentSpecReport().Failed() {
			r.say(lastLogged(ctx, s, cold.Auth))
		}
	})
	return cold.Auth
}

// lastLines is how much of each log stands above a failure that no visitor met.
const lastLines = 5

// lastLogged is what instances have logged last: of those that no edge stands
// before there is no trace.
func lastLogged(ctx context.Context, s *stack.Stack, all []observe.Instance) string {
	var text []string
	for _, i := range all {
		log, err := s.Logs(ctx, i.Name)
		lines := strings.Split(strings.TrimSpace(string(log)), "\n")
		text = append(text, fmt.Sprintf("log of %s, started cold:", i.Name))
		for _, line := range lines[max(0, len(lines)-lastLines):] {
			text = append(text, "  "+line)
		}
		if err != nil {
			text = append(text, fmt.Sprintf("  (%v)", err))
		}
	}
	return strings.Join(text, "\n")
}

// only keeps the changes of services that a file has.
func only(all map[string]map[string]string, f target.File) map[string]map[string]string {
	kept := map[string]map[string]string{}
	for name, changes := range all {
		for service := range f.Services {
			if name == service || len(name) > len(service) && name[:len(service)+1] == service+"-" {
				kept[name] = changes
			}
		}
	}
	return kept
}
