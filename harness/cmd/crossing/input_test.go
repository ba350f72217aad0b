package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// bad is one mistake of a person's, and what must be said of it: the setting,
// the value, and the mend.
type bad struct {
	name string
	env  []string
	args []string
	says []string
}

func TestBadInputIsOneSentenceBeforeAnythingIsDone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	plainFile := filepath.Join(dir, "notes.txt")
	fill(t, plainFile, "notes")
	fill(t, filepath.Join(dir, "own/traces/precious"), "a person's own")
	refuseAll(t, []bad{
		{name: "engine", args: []string{"--engine=netscape"}, says: []string{"ENGINE=netscape", "allowed: chromium, chromium-allow, webkit, webkit-default, webkit-allow, firefox"}},
		{name: "engine by its product", env: []string{"ENGINE=Chrome"}, says: []string{`ENGINE=Chrome`, "allowed: chromium, chromium-allow, webkit, webkit-default, webkit-allow, firefox"}},
		{name: "one of two engines", args: []string{"--engine=chromium,opera"}, says: []string{"ENGINE=chromium,opera", `"opera"`, "allowed: chromium, chromium-allow, webkit, webkit-default, webkit-allow, firefox"}},
		{name: "engines with a space", env: []string{"ENGINE=chromium webkit"}, says: []string{"ENGINE=chromium webkit", "with commas"}},
		{name: "no engine", env: []string{"ENGINE=,"}, says: []string{"ENGINE=,", "names no profile", "chromium, chromium-allow"}},
		{name: "journeys", env: []string{"N=0"}, says: []string{"N=0", "1 or more"}},
		{name: "runtime", args: []string{"--runtime=vm"}, says: []string{"RUNTIME=vm", "allowed: auto, containers, processes"}},
		{name: "suite", args: []string{"--suite=nope"}, says: []string{"SUITE=nope", "allowed: ", "session"}},
		{name: "set without a value", args: []string{"--set=auth.X"}, says: []string{"SET", `"auth.X"`, "auth.COOKIE_PARTITIONED=false"}},
		{name: "set without a service", args: []string{"--set=SECRET=plain-secret"}, says: []string{"SET", `"SECRET"`, "auth.COOKIE_PARTITIONED=false"}},
		{name: "set of nobody", args: []string{"--set=bank.X=1"}, says: []string{"SET", `"bank"`, "auth-1, auth-2"}},
		{name: "set with a comma", env: []string{"SET=auth.A=plain-secret,auth.B=2"}, says: []string{"SET: auth.A", "comma", "put a space"}},
		{name: "set to what is unknown", env: []string{"SET=auth.A=${secret.none}"}, says: []string{"SET: auth.A", "${secret.none}", "${secret.auth}"}},
		{name: "browser is no program", args: []string{"--chromium=" + plainFile}, says: []string{"CHROMIUM=" + plainFile, "leave it out"}},
		{name: "browser is a folder", env: []string{"CHROMIUM=" + dir}, says: []string{"CHROMIUM=" + dir, "leave it out"}},
		{name: "Firefox is not there", env: []string{"FIREFOX=/nowhere/browser"}, says: []string{"FIREFOX=/nowhere/browser", "leave it out"}},
		{name: "browser is not there", args: []string{"--webkit=/nowhere/browser"}, says: []string{"WEBKIT=/nowhere/browser", "leave it out"}},
		{name: "processes", args: []string{"--procs=-1"}, says: []string{"PROCS=-1", "1 to 64"}},
		{name: "processes below none", env: []string{"PROCS=-1"}, says: []string{"PROCS=-1", "1 to 64"}},
		{name: "processes without end", env: []string{"PROCS=100000"}, says: []string{"PROCS=100000", "1 to 64"}},
		{name: "processes in words", env: []string{"PROCS=abc"}, says: []string{"PROCS=abc", "no whole number", "leave it out"}},
		{name: "Safari", env: []string{"ENGINE=safari"}, says: []string{"ENGINE=safari", "ENGINE=webkit", "WEBDRIVER_URL", "EDGE_PORT"}},
		{name: "a machine's proxy for browsers from here", env: []string{"EDGE_PORT=8899"}, says: []string{"EDGE_PORT", "WEBDRIVER_URL"}},
		{name: "a proxy's port that needs root", env: []string{"WEBDRIVER_URL=http://127.0.0.1:4444", "EDGE_PORT=80"}, says: []string{"EDGE_PORT=80", "1024 to 65535"}},
		{name: "a machine's proxy and several processes", env: []string{"WEBDRIVER_URL=http://127.0.0.1:4444", "EDGE_PORT=8899", "PROCS=2"}, says: []string{"PROCS=2", "EDGE_PORT", "leave PROCS out"}},
		{name: "timeout", args: []string{"--timeout=soon"}, says: []string{"TIMEOUT=soon", "20m"}},
		{name: "timeout of nothing", args: []string{"--timeout=0s"}, says: []string{"TIMEOUT=0s", "20m"}},
		{name: "timeout without a unit", env: []string{"TIMEOUT=5"}, says: []string{"TIMEOUT=5", "unit", "20m"}},
		{name: "seed", args: []string{"--seed=x"}, says: []string{"SEED=x", "no whole number", "leave it out"}},
		{name: "seed beyond all", env: []string{"SEED=99999999999999999999"}, says: []string{"SEED=99999999999999999999", "too large"}},
		{name: "slow motion", env: []string{"SLOWMO=x"}, says: []string{"SLOWMO=x", "no number"}},
		{name: "slow motion backwards", env: []string{"SLOWMO=-5"}, says: []string{"SLOWMO=-5", "0 to 10000"}},
		{name: "slow motion of no number", env: []string{"SLOWMO=NaN"}, says: []string{"SLOWMO=NaN", "0 to 10000"}},
		{name: "headed", env: []string{"HEADED=maybe"}, says: []string{"HEADED=maybe", "1 or 0"}},
		{name: "history that is a folder", env: []string{"HISTORY=" + dir}, says: []string{"HISTORY=" + dir, "name a file"}},
		{name: "history that is none", args: []string{"--history=" + plainFile}, says: []string{"HISTORY=" + plainFile, "line 1", "name another file"}},
		{name: "flag", args: []string{"--bogus"}, says: []string{"--bogus", "--help"}},
		{name: "word", args: []string{"session"}, says: []string{"session", "--help"}},
		{name: "reports into a file", args: []string{"--out=" + plainFile}, says: []string{"OUT=" + plainFile, "name a folder"}},
		{name: "reports below a file", args: []string{"--out=" + plainFile + "/out"}, says: []string{"OUT=" + plainFile + "/out", "name "}},
		{name: "reports over a person's own", args: []string{"--out=" + dir + "/own"}, says: []string{"OUT=" + dir + "/own", "traces", "name another folder"}},
		{name: "reports where none can be", env: []string{"OUT=/proc/out"}, says: []string{"OUT=/proc/out", "name "}},
		{name: "no reports", args: []string{"--out="}, says: []string{"OUT", "reports/out"}},
		{name: "config", args: []string{"--config=/nowhere/crossing.yaml"}, says: []string{"CONFIG", "/nowhere/crossing.yaml", "name the file"}},
		{name: "config is a folder without one", env: []string{"CONFIG=" + dir}, says: []string{"CONFIG", dir + "/crossing.yaml", "name the file"}},
		{name: "config is endless", env: []string{"CONFIG=/dev/zero"}, says: []string{"/dev/zero", "longer than 1 MiB"}},
		{name: "engine that no address names", env: []string{"RUNTIME=containers", "DOCKER_HOST=docker"}, says: []string{"DOCKER_HOST=docker", "unix:///var/run/docker.sock"}},
		{name: "engine of another machine", env: []string{"RUNTIME=containers", "DOCKER_HOST=tcp://192.0.2.1:2375"}, says: []string{"DOCKER_HOST=tcp://192.0.2.1:2375", "another machine", "RUNTIME=processes"}},
		{name: "engine that is not there", env: []string{"RUNTIME=containers", "DOCKER_HOST=unix:///nowhere/docker.sock"}, says: []string{"DOCKER_HOST=unix:///nowhere/docker.sock", "DOCKER=1", "RUNTIME=processes"}},
	})
	if data, err := os.ReadFile(filepath.Join(dir, "own", "traces", "precious")); err != nil || string(data) != "a person's own" {
		t.Errorf("what a person had in the folder: %q, %v", data, err)
	}
}

func TestAMistakeInTheFileIsNamedByLineAndField(t *testing.T) {
	t.Parallel()
	const origins = "origins:\n  frontend: https://docs.example.com\n  auth: https://auth.example.net\n"
	const service = origins + "serves: {frontend: a, auth: a}\nservices:\n  a:\n    command: ./run\n    port: 80\n    ready: {path: /}\n"
	var all []bad
	for name, c := range map[string]struct {
		text string
		says []string
	}{
		"nothing":           {"", []string{"is empty", "origins.frontend"}},
		"no text":           {"\x7fELF\x00\x00", []string{"it is no text"}},
		"a tab":             {"origins:\n\tfrontend: x\n", []string{":2:", "tab", "spaces"}},
		"an open quote":     {origins + "name: \"abc\n", []string{":4:", "quoted"}},
		"written twice":     {origins + "name: a\nname: b\n", []string{":5: name:", "line 4", "keep one"}},
		"unknown field":     {service + "    enviroment: {A: b}\n", []string{":10: services.a.enviroment:", "did you mean environment?", "allowed: image"}},
		"a word for a port": {strings.Replace(service, "80", "http", 1), []string{":8: services.a.port:", `"http"`, "digits"}},
		"no instance":       {service + "    instances: 0\n", []string{":10: services.a.instances: 0", "1 to 9"}},
		"unknown template":  {service + "    environment: {A: \"${secret.none}\"}\n", []string{":10: services.a.environment.A:", "${secret.none}", "${address.a}"}},
		"a circle":          {service + "    needs: [a]\n", []string{":6: services:", "a → a", "take one need out"}},
		"no folder":         {service + "    directory: gone\n", []string{":10: services.a.directory:", `"gone"`}},
		"no Dockerfile":     {service + "    dockerfile: Dockerfile\n", []string{":10: services.a.dockerfile:", `"Dockerfile"`}},
		"no image":          {strings.Replace(service, "command: ./run", "image: My App", 1), []string{":7: services.a.image:", `"My App"`}},
		"a path":            {strings.Replace(origins, "example.net", "example.net/api", 1), []string{":3: origins.auth:", "no path"}},
		"http":              {strings.Replace(origins, "https://auth", "http://auth", 1), []string{":3: origins.auth:", "https"}},
		"a port":            {strings.Replace(origins, "example.net", "example.net:8443", 1), []string{":3: origins.auth:", "leave it out"}},
		"an address":        {strings.Replace(origins, "auth.example.net", "127.0.0.1", 1), []string{":3: origins.auth:", "is an address"}},
		"one site twice":    {strings.Replace(origins, "example.net", "example.com", 1), []string{":3: origins.auth:", "one site", "partitioned: false"}},
	} {
		path := filepath.Join(t.TempDir(), "crossing.yaml")
		fill(t, path, c.text)
		all = append(all, bad{name: name, env: []string{"CONFIG=" + path}, says: append(c.says, path)})
	}
	refuseAll(t, all)
}

// refuseAll runs the command with each mistake, and says whether all that it
// does is to say so.
func refuseAll(t *testing.T, all []bad) {
	t.Helper()
	for _, c := range all {
		t.Run(c.name, func(t *testing.T) {
			temp, out := tempFolder(t), earlierReports(t)
			cmd := command(t, temp, append([]string{"run"}, c.args...)...)
			cmd.Env = slices.Concat(cmd.Env, []string{"RUNTIME=processes", "OUT=" + out}, c.env) // the last of a name counts
			o := finish(t, 10*time.Second, cmd)
			refusal(t, o, c.says...)
			// Which engine answers is asked once all else is right.
			if o.stdout != "" && !strings.HasPrefix(o.stdout, "Crossing · ") || strings.Count(o.stdout, "\n") > 1 {
				t.Errorf("something was done before: %s", o)
			}
			if strings.Contains(o.stderr, "plain-secret") {
				t.Errorf("a value that may be a secret was told: %s", o)
			}
			untouched(t, out)
			if left := listed(t, temp); len(left) > 0 {
				t.Errorf("left among the temp files: %q", left)
			}
		})
	}
}

// refusal says whether a run ended with status 2 and one sentence that holds
// the words.
func refusal(t *testing.T, o outcome, says ...string) {
	t.Helper()
	if o.status != exitUnready {
		t.Errorf("want status %d: %s", exitUnready, o)
	}
	if said := strings.TrimSpace(o.stderr); strings.Contains(said, "\n") || !strings.HasPrefix(said, "crossing: ") {
		t.Errorf("want one sentence: %s", o)
	}
	for _, part := range says {
		if !strings.Contains(o.stderr, part) {
			t.Errorf("%q is not named: %s", part, o)
		}
	}
}

// earlierReports is a folder with those of an earlier run.
func earlierReports(t *testing.T) string {
	t.Helper()
	out := filepath.Join(tempFolder(t), "out") // which other accounts may enter
	for _, name := range earlier {
		fill(t, filepath.Join(out, name), "earlier")
	}
	return out
}

var earlier = []string{"run.json", "traces/earlier.json"}

// untouched says whether the earlier reports are as they were.
func untouched(t *testing.T, out string) {
	t.Helper()
	if got := listed(t, out); !slices.Equal(got, earlier) {
		t.Errorf("the folder of the earlier reports holds %q, want %q", got, earlier)
	}
	for _, name := range earlier {
		if data, _ := os.ReadFile(filepath.Join(out, name)); string(data) != "earlier" {
			t.Errorf("%s was written over", name)
		}
	}
}

// A CI job's unset input is there and empty.
func TestAnEmptySettingIsTheDefault(t *testing.T) {
	t.Parallel()
	out := earlierReports(t)
	cmd := command(t, "", "run", "--config=/nowhere/crossing.yaml", "--out="+out)
	cmd.Env = append(cmd.Env, "PROCS=", "TIMEOUT=", "SEED= ", "SLOWMO=", "HEADED=", "RUNTIME=", "ENGINE=", "SET=", "CHROMIUM=")
	// The next thing that is wrong is what is told.
	refusal(t, finish(t, 10*time.Second, cmd), "/nowhere/crossing.yaml")
	untouched(t, out)
}

func TestACommandOutsideItsCheckoutSaysSo(t *testing.T) {
	dir := t.TempDir()
	data, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := filepath.Join(dir, "crossing")
	if err := os.WriteFile(elsewhere, data, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := command(t, "", "run")
	cmd.Path, cmd.Dir = elsewhere, dir
	o := finish(t, 10*time.Second, cmd)
	if o.status != exitUnready || !strings.Contains(o.stderr, "make setup") {
		t.Error(o)
	}
}
