package stack

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"crossing/harness/stack/containers"
	"crossing/harness/stack/processes"
	"crossing/harness/stack/unit"
	"crossing/harness/trace"
)

// Handover lets another process use a running stack. It holds secrets: it is
// passed in memory, or stands in a Kept, which one account alone can read.
type Handover struct {
	Runtime   string                       `json:"runtime"`
	Secrets   map[string]string            `json:"secrets"`
	Database  string                       `json:"database"`
	Instances []HandedInstance             `json:"instances"`
	Env       map[string]map[string]string `json:"environment"`
}

// HandedInstance is one instance of a Handover.
type HandedInstance struct {
	Name    string      `json:"name"`
	Service string      `json:"service"`
	Address string      `json:"address"`
	Logs    unit.Source `json:"logs"`
}

// Handover describes the stack for Adopt.
func (s *Stack) Handover() Handover {
	h := Handover{Runtime: s.kind, Secrets: s.Secrets(), Database: s.database, Env: maps.Clone(s.env)}
	for _, service := range s.Services() {
		for _, i := range s.instances[service] {
			h.Instances = append(h.Instances, HandedInstance{Name: i.Name(), Service: service, Address: i.Address(), Logs: i.Source()})
		}
	}
	return h
}

// Adopt makes a Stack of a Handover. Its instances can be asked and read, not
// stopped or restarted (errors.ErrUnsupported): that is the owner's. redactor
// learns the secrets; nil makes a new one.
func Adopt(h Handover, redactor *trace.Redactor) *Stack {
	if redactor == nil {
		redactor = trace.NewRedactor(nil)
	}
	s := &Stack{options: Options{Runtime: h.Runtime, Redactor: redactor}, kind: h.Runtime,
		secrets: maps.Clone(h.Secrets), database: h.Database, env: maps.Clone(h.Env), instances: map[string][]Instance{}}
	for _, secret := range h.Secrets {
		redactor.Learn(secret)
	}
	for _, name := range slices.Sorted(maps.Keys(h.Env)) {
		for setting, value := range h.Env[name] {
			if sensitive.MatchString(setting) {
				redactor.Learn(value)
			}
		}
	}
	for _, i := range h.Instances {
		s.instances[i.Service] = append(s.instances[i.Service], adopted{i})
	}
	return s
}

// adopted is another process's instance.
type adopted struct{ handed HandedInstance }

func (a adopted) Name() string        { return a.handed.Name }
func (a adopted) Address() string     { return a.handed.Address }
func (a adopted) Source() unit.Source { return a.handed.Logs }

func (a adopted) Logs(ctx context.Context) ([]byte, error) {
	if a.handed.Logs.Container != "" {
		return containers.ReadLog(ctx, a.handed.Logs.Container)
	}
	return processes.ReadLog(a.handed.Logs.File)
}

// Ended is never closed: only the owner sees how its instances end.
func (a adopted) Ended() <-chan struct{} { return nil }
func (a adopted) Fate() string           { return "its owner knows" }

func (a adopted) Stop(context.Context) error    { return a.refuse("stop") }
func (a adopted) Restart(context.Context) error { return a.refuse("restart") }

func (a adopted) refuse(what string) error {
	return fmt.Errorf("%s %s: another process of this run started it; let a serial spec do this, which runs on that process: %w", what, a.handed.Name, errors.ErrUnsupported)
}
