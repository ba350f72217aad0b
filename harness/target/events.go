package target

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"crossing/harness/trace"
)

// Projects are the names that a platform knows the parts by.
type Projects struct {
	Frontend string `yaml:"frontend"`
	Auth     string `yaml:"auth"`
	API      string `yaml:"api"`
}

// State of a deployment, as an event tells it.
type State string

// States.
const (
	StateReady    State = "ready"
	StateComing   State = "coming up"
	StateFailed   State = "failed"
	StateCanceled State = "cancelled"
	StateReplaced State = "superseded"
)

// Event is what one file says of one deployment.
type Event struct {
	File, Project, Environment, URL, Commit string
	State                                   State
}

// states are the words of GitHub (deployment_status.state) and of Vercel
// (client_payload.state.type, and what follows vercel.deployment. in a type).
var states = map[string]State{
	"success": StateReady, "ready": StateReady, "promoted": StateReady,
	"pending": StateComing, "queued": StateComing, "in_progress": StateComing, "building": StateComing, "initializing": StateComing, "waiting": StateComing,
	"failure": StateFailed, "error": StateFailed, "failed": StateFailed,
	"canceled": StateCanceled, "cancelled": StateCanceled, "skipped": StateCanceled, "ignored": StateCanceled,
	"inactive": StateReplaced,
}

// ParseEvent reads the payload of GitHub's deployment_status, or of Vercel's
// repository_dispatch (vercel.deployment.*), from a file's text.
func ParseEvent(file string, text []byte) (Event, error) {
	var said struct {
		Status *struct {
			State          string `json:"state"`
			EnvironmentURL string `json:"environment_url"`
		} `json:"deployment_status"`
		Deployment struct {
			SHA         string `json:"sha"`
			Environment string `json:"environment"`
		} `json:"deployment"`
		Action  string `json:"action"`
		Payload *struct {
			Environment string `json:"environment"`
			Git         struct {
				SHA string `json:"sha"`
			} `json:"git"`
			Project struct {
				Name string `json:"name"`
			} `json:"project"`
			State struct {
				Type string `json:"type"`
			} `json:"state"`
			URL string `json:"url"`
		} `json:"client_payload"`
	}
	if err := json.Unmarshal(text, &said); err != nil {
		return Event{}, fmt.Errorf("EVENTS: %s is no JSON of an event: %w", file, err)
	}
	e, word := Event{File: file}, ""
	switch {
	case said.Status != nil:
		e.URL, e.Commit, e.Environment, word = said.Status.EnvironmentURL, said.Deployment.SHA, said.Deployment.Environment, said.Status.State
		// In a monorepo: "Preview – docs".
		if kind, project, several := strings.Cut(e.Environment, " – "); several {
			e.Environment, e.Project = kind, project
		}
	case said.Payload != nil:
		p := said.Payload
		e.URL, e.Commit, e.Environment, e.Project = p.URL, p.Git.SHA, p.Environment, p.Project.Name
		if word = p.State.Type; word == "" {
			word = strings.TrimPrefix(said.Action, "vercel.deployment.")
		}
	default:
		return e, fmt.Errorf("EVENTS: %s is neither a deployment_status nor a repository_dispatch of Vercel's: it has no deployment_status and no client_payload", file)
	}
	var known bool
	if e.State, known = states[strings.ToLower(word)]; !known {
		return e, fmt.Errorf("EVENTS: %s has the state %q, which says nothing of whether the deployment is there", file, word)
	}
	if e.URL = strings.TrimSuffix(e.URL, "/"); e.URL != "" && !strings.Contains(e.URL, "://") {
		e.URL = "https://" + e.URL
	}
	if e.Commit == "" {
		return e, fmt.Errorf("EVENTS: %s names no commit, by which deployments are paired", file)
	}
	return e, nil
}

// ReadEvents reads the files of a folder, or one file, in the order of names.
func ReadEvents(path string) ([]Event, error) {
	files := []string{path}
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		files, err = filepath.Glob(filepath.Join(path, "*.json"))
	}
	if err != nil {
		return nil, fmt.Errorf("EVENTS=%s: there is no such file or folder; name the file with the event's payload (GITHUB_EVENT_PATH), or a folder of them", path)
	}
	slices.Sort(files)
	var all []Event
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("EVENTS: read %s: %w", file, err)
		}
		e, err := ParseEvent(file, text)
		if err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	return all, nil
}

// Pairing is what events come to for one commit.
type Pairing struct {
	Commit  string
	Origins trace.Origins
	// Waiting says of the parts that are not there yet what they wait for.
	Waiting []string
}

// Pair finds the deployments of one commit. An empty commit is that of the
// events, which must then all be of one. Its error says what will never come.
func (p Projects) Pair(all []Event, commit string) (Pairing, error) {
	if commit == "" {
		var commits []string
		for _, e := range all {
			if !slices.Contains(commits, e.Commit) {
				commits = append(commits, e.Commit)
			}
		}
		if len(commits) > 1 {
			return Pairing{}, fmt.Errorf("the events are of %d commits (%s): a session between builds of different commits proves nothing of either; choose one by COMMIT", len(commits), strings.Join(commits, ", "))
		}
		if len(commits) == 1 {
			commit = commits[0]
		}
	}
	paired := Pairing{Commit: commit}
	for _, part := range []struct {
		name, project string
		origin        *string
	}{{"frontend", p.Frontend, &paired.Origins.Frontend}, {"auth", p.Auth, &paired.Origins.Auth}, {"api", p.API, &paired.Origins.API}} {
		if part.project == "" {
			continue
		}
		e, found := p.last(all, part.project, commit)
		switch {
		case !found:
			paired.Waiting = append(paired.Waiting, fmt.Sprintf("%s: no event of project %s for commit %s yet", part.name, part.project, commit))
		case e.State == StateComing:
			paired.Waiting = append(paired.Waiting, fmt.Sprintf("%s: %s is %s", part.name, part.project, e.State))
		case e.State != StateReady:
			return paired, fmt.Errorf("the deployment of %s (%s) for commit %s was %s, so that there is nothing to run on: %s", part.name, part.project, commit, e.State, mendOf(e.State))
		case e.URL == "":
			return paired, fmt.Errorf("EVENTS: %s says that %s is ready, and gives no address", e.File, part.project)
		default:
			*part.origin = e.URL
		}
	}
	return paired, nil
}

func mendOf(s State) string {
	switch s {
	case StateReplaced:
		return "run on the newer commit's, by COMMIT"
	case StateCanceled:
		return "deploy the commit again"
	}
	return "read the build's log"
}

// last is the newest word on a project's deployment of a commit.
func (p Projects) last(all []Event, project, commit string) (Event, bool) {
	for _, e := range slices.Backward(all) {
		if e.Commit == commit && p.of(e) == project {
			return e, true
		}
	}
	return Event{}, false
}

// of is the project that an event is of: as it says, or by the longest name
// that its address begins with.
func (p Projects) of(e Event) string {
	if e.Project != "" {
		return e.Project
	}
	longest := ""
	for _, name := range []string{p.Frontend, p.Auth, p.API} {
		if name != "" && strings.HasPrefix(hostOf(e.URL), name+"-") && len(name) > len(longest) {
			longest = name
		}
	}
	return longest
}
