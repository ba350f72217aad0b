package target

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"

	"crossing/harness/trace"
)

// Settings are what a person chose for one run, by flags or the environment.
// The command writes them to a file that the suites' processes read.
type Settings struct {
	// Config is the path of crossing.yaml.
	Config string
	// Engines are the names of the profiles to run.
	Engines []string
	// Deployed are the origins of a deployment that has the contract of Config;
	// none: what Config describes is run.
	Deployed trace.Origins
	// Resolve and CA are how it is reached, Bypasses what opens it.
	Resolve  []string
	CA       string
	Bypasses Bypasses
	// Account is what people sign in with where nobody can sign up; none: each
	// is somebody new.
	Account Account
	// Pace is a file by which processes keep to a deployment's limit together.
	Pace string
	// Runtime is "auto", "containers" or "processes".
	Runtime string
	// Executables are browsers that the user named, by engine.
	Executables map[string]string
	// Elsewhere is where the browsers run, if not here.
	Elsewhere RemoteBrowsers
	// StateDir is where set-up put things; OutDir takes this run's artefacts.
	StateDir, OutDir string
	// BaseImage that Dockerfiles are built from; empty: chosen by the stack.
	BaseImage string
	// Set changes environments for this run: service or instance → variable →
	// value.
	Set map[string]map[string]string
	// Kept is the file that tells of a kept stack (stack.Kept) to run on;
	// empty: the run starts one of its own.
	Kept string
	// Headed shows the browsers; SlowMo waits after each action, in ms.
	Headed bool
	SlowMo float64
	// Journeys is how many a soak walks on each profile.
	Journeys int
	// Owner is the process that started the run, as owner.Owner writes itself:
	// when it dies, the run ends. Empty: a person runs the suite by hand.
	Owner string
	// Run is the id of that process's run, of which those of the suites'
	// processes are parts. Empty: there is none.
	Run string
	// Events is the file that the suites' processes append what they do to,
	// for the command to show.
	Events string
	// Secrets is a folder for this account's eyes only, in which the suites'
	// processes leave their secrets: the command searches all that was written
	// for them, and removes it. Empty: each process searches for its own.
	Secrets string
	// Reproduce is the command that a failure prints, without what differs
	// from spec to spec.
	Reproduce string
}

// Account is one that exists.
type Account struct{ Email, Password string }

// Runtimes that can be asked for.
var Runtimes = []string{"auto", "containers", "processes"}

// comma is where a person has put one between two settings.
var comma = regexp.MustCompile(`,\s*([a-z][a-z0-9-]*)\.\w+=`)

// ParseSet reads "auth.NAME=value auth-2.NAME=value" into Settings.Set, and
// says which part is wrong. The services must be the target's.
func (t *Target) ParseSet(words []string) (map[string]map[string]string, error) {
	set := map[string]map[string]string{}
	for _, word := range words {
		where, value, found := strings.Cut(word, "=")
		service, name, dotted := strings.Cut(where, ".")
		if !found || !dotted || service == "" || name == "" {
			// The value may be a secret: it is left out.
			return nil, fmt.Errorf("SET: %q is not of the form SERVICE.VARIABLE=VALUE, such as auth.COOKIE_PARTITIONED=false", where)
		}
		if !slices.Contains(t.instanceNames(), service) {
			return nil, fmt.Errorf("SET: %q names no service or instance of %s; there are: %s", service, t.Path, strings.Join(t.instanceNames(), ", "))
		}
		if why := t.unknown(value, true); why != "" {
			return nil, fmt.Errorf("SET: %s.%s: %s", service, name, why)
		}
		if comma.MatchString(value) && slices.Contains(t.instanceNames(), comma.FindStringSubmatch(value)[1]) {
			return nil, fmt.Errorf("SET: %s.%s holds a comma and then a setting of %s; put a space between settings", service, name, comma.FindStringSubmatch(value)[1])
		}
		if set[service] == nil {
			set[service] = map[string]string{}
		}
		set[service][name] = value
	}
	return set, nil
}

// instanceNames are the services and, where there are several, their instances.
func (t *Target) instanceNames() []string {
	var names []string
	for name, s := range t.Services {
		names = append(names, name)
		for i := range s.Instances {
			if len(s.Instances) > 1 {
				names = append(names, fmt.Sprintf("%s-%d", name, i+1))
			}
		}
	}
	slices.Sort(names)
	return names
}

// Environment is what crossing.yaml gives a service, or one instance of it;
// nil where there is no such.
func (t *Target) Environment(where string) map[string]string {
	for name, s := range t.Services {
		if name == where {
			return s.Environment
		}
		for i, instance := range s.Instances {
			if len(s.Instances) > 1 && where == fmt.Sprintf("%s-%d", name, i+1) {
				all := map[string]string{}
				maps.Copy(all, s.Environment)
				maps.Copy(all, instance.Environment)
				return all
			}
		}
	}
	return nil
}

// Target is what the settings aim at, and how it is reached.
func (s Settings) Target() (*Target, Access, error) {
	t, err := Load(s.Config)
	if err != nil || s.Deployed == (trace.Origins{}) {
		return t, Access{}, err
	}
	if t, err = At(s.Deployed, t); err != nil {
		return nil, Access{}, err
	}
	access, err := ParseAccess(s.Resolve, s.CA)
	if err == nil {
		access.Bypass, err = s.Bypasses.For(t)
	}
	return t, access, err
}

// Write saves the settings, for this account's eyes only.
func (s Settings) Write(path string) error {
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o600)
}

// ReadSettings reads what Write saved.
func ReadSettings(path string) (Settings, error) {
	var s Settings
	data, err := os.ReadFile(path)
	if err != nil {
		return s, fmt.Errorf("read the run's settings: %w", err)
	}
	if err := json.Unmarshal(data, &s); err != nil {
		return s, fmt.Errorf("read the run's settings in %s: %w", path, err)
	}
	return s, nil
}
