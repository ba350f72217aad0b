package stack

import (
	"fmt"
	"maps"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"

	"crossing/harness/stack/unit"
	"crossing/harness/target"
)

// plan is one instance before it is started.
type plan struct {
	name, service string
	spec          target.Service
	changes       map[string]string // environment of its own
	port          int
	release       func()
	seen          unit.Seen
}

func (p *plan) loopback() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(p.port)) }

// scope fills in templates as one reader sees things: an instance that calls
// its fellows, or the harness on loopback.
type scope struct {
	origins map[string]string
	secrets map[string]string
	plans   []*plan
	self    *plan // nil: no ${port}, ${host}, ${data}, ${instance}
	inside  bool  // addresses as fellow services see them
}

// expand fills in text. where names the setting in an error:
// "services.auth.environment.DATABASE_URL".
func (s scope) expand(where, text string) (string, error) {
	var failed error
	out := target.Reference.ReplaceAllStringFunc(text, func(found string) string {
		if strings.HasPrefix(found, "$$") {
			return found[1:]
		}
		value, ok := s.value(found[2 : len(found)-1])
		if !ok && failed == nil {
			failed = fmt.Errorf("%s: %s is unknown; allowed: %s (and $${X} for a ${X} that is meant for a shell)", where, found, s.allowed())
		}
		return value
	})
	return out, failed
}

func (s scope) value(name string) (string, bool) {
	kind, rest, _ := strings.Cut(name, ".")
	switch kind {
	case "origin":
		value, ok := s.origins[rest]
		return value, ok
	case "secret":
		value, ok := s.secrets[rest]
		return value, ok
	case "env":
		return os.LookupEnv(rest)
	case "address", "url":
		p := s.find(rest)
		if p == nil {
			return "", false
		}
		address := p.loopback()
		if s.inside {
			address = p.seen.Address
		}
		if kind == "url" {
			address = "http://" + address
		}
		return address, true
	}
	if s.self == nil {
		return "", false
	}
	value, ok := map[string]string{
		"port": strconv.Itoa(s.self.seen.Port), "host": s.self.seen.Host,
		"data": s.self.seen.Data, "instance": s.self.name,
	}[name]
	return value, ok
}

// find names an instance; a service's name stands for the reader itself where
// it is one of that service's, else for the first.
func (s scope) find(name string) *plan {
	if s.self != nil && s.self.service == name {
		return s.self
	}
	for _, p := range s.plans {
		if p.name == name || p.service == name {
			return p
		}
	}
	return nil
}

// allowed lists what there is, for an error.
func (s scope) allowed() string {
	var all []string
	if s.self != nil {
		all = append(all, "${port}", "${host}", "${data}", "${instance}")
	}
	for _, role := range slices.Sorted(maps.Keys(s.origins)) {
		all = append(all, "${origin."+role+"}")
	}
	for _, name := range slices.Sorted(maps.Keys(s.secrets)) {
		all = append(all, "${secret."+name+"}")
	}
	var names []string
	for _, p := range s.plans {
		if !slices.Contains(names, p.service) {
			names = append(names, p.service)
		}
		if p.name != p.service {
			names = append(names, p.name)
		}
	}
	if len(names) > 0 {
		all = append(all, "${address.X} and ${url.X} with X one of "+strings.Join(names, ", "))
	}
	return strings.Join(append(all, "${env.NAME} of a variable that is set"), ", ")
}

// environment of one instance: the service's, then its own, then the changes
// that the run asks for.
func (s scope) environment(changes map[string]map[string]string) (map[string]string, error) {
	out := map[string]string{}
	layers := []struct {
		where string
		env   map[string]string
	}{
		{"services." + s.self.service + ".environment", s.self.spec.Environment},
		{"services." + s.self.service + ".instances, environment of " + s.self.name, s.self.changes},
		{"changed environment of " + s.self.service, changes[s.self.service]},
	}
	if s.self.name != s.self.service {
		layers = append(layers, struct {
			where string
			env   map[string]string
		}{"changed environment of " + s.self.name, changes[s.self.name]})
	}
	for _, layer := range layers {
		for _, name := range slices.Sorted(maps.Keys(layer.env)) {
			value, err := s.expand(layer.where+"."+name, layer.env[name])
			if err != nil {
				return nil, err
			}
			out[name] = value
		}
	}
	return out, nil
}
