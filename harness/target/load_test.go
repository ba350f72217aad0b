package target

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const minimal = `
origins:
  frontend: https://docs.example.com
  auth: https://auth.example.net
`

func parseText(t *testing.T, text string) (*Target, error) {
	t.Helper()
	dir := t.TempDir()
	for _, folder := range []string{"a", "b"} {
		if err := os.Mkdir(filepath.Join(dir, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, DefaultName)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return Load(path)
}

func TestTheReferenceFileIsValid(t *testing.T) {
	got, err := Load("../../fixtures/crossing.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if n := len(got.Services["auth"].Instances); n != 2 {
		t.Errorf("auth has %d instances, want 2", n)
	}
	if got.Contract.Cookie.Name != "__Secure-better-auth.session_token" || !got.Contract.Cookie.Partitioned {
		t.Errorf("the preset's cookie is not there: %+v", got.Contract.Cookie)
	}
	if got.Contract.Issuer != "https://auth.crossing-back.net" {
		t.Errorf("issuer is %q", got.Contract.Issuer)
	}
}

func TestAMinimalFileIsRemoteAndFollowsThePreset(t *testing.T) {
	got, err := parseText(t, minimal)
	if err != nil {
		t.Fatal(err)
	}
	if !got.Remote() || got.Contract.Paths.Session != "/api/auth/get-session" {
		t.Errorf("got %+v", got)
	}
}

func TestAFileStandsOverThePresetFieldByField(t *testing.T) {
	got, err := parseText(t, minimal+"contract:\n  cookie: {sameSite: Lax}\n  paths: {session: /who}\n")
	if err != nil {
		t.Fatal(err)
	}
	c := got.Contract
	if c.Cookie.SameSite != "Lax" || !c.Cookie.Secure || c.Cookie.Path != "/" || c.Cookie.Lifetime != 604800 {
		t.Errorf("cookie is %+v", c.Cookie)
	}
	if c.Paths.Session != "/who" || c.Paths.SignIn != "/api/auth/sign-in/email" || c.Paths.RevokeAll != "/api/auth/revoke-sessions" {
		t.Errorf("paths are %+v", c.Paths)
	}
	if c.UpdateAge != 86400 || !slices.Equal(c.CORS.Auth.Exposed, []string{"set-auth-token", "set-auth-jwt"}) || !slices.Equal(c.CORS.API.Allowed, []string{"authorization"}) {
		t.Errorf("the rest is %+v, updated at %d", c.CORS, c.UpdateAge)
	}
}

func TestProblemsNameFileLineFieldAndWhatIsAllowed(t *testing.T) {
	service := func(lines string) string {
		return minimal + "serves: {frontend: a, auth: a}\nservices:\n  a:\n    command: ./run\n    port: 80\n    ready: {path: /}\n" + lines
	}
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"empty":              {"", []string{"is empty", "origins.frontend"}},
		"syntax":             {"origins: [", []string{"crossing.yaml:1"}},
		"unknown field":      {minimal + "orgins: {}\n", []string{":5:", "orgins"}},
		"wrong type":         {minimal + "secrets: {a: b}\n", []string{":5:"}},
		"missing origin":     {"origins:\n  frontend: https://docs.example.com\n", []string{"origins.auth", "missing"}},
		"http":               {strings.Replace(minimal, "https://auth", "http://auth", 1), []string{":4:", "origins.auth", "not https"}},
		"slash":              {strings.Replace(minimal, "example.net", "example.net/", 1), []string{":4:", "ends in a slash"}},
		"path":               {strings.Replace(minimal, "example.net", "example.net/x", 1), []string{"no path"}},
		"port":               {strings.Replace(minimal, "example.net", "example.net:8443", 1), []string{"names a port"}},
		"address":            {strings.Replace(minimal, "auth.example.net", "10.0.0.1", 1), []string{"is an address"}},
		"unlisted domain":    {strings.Replace(minimal, "example.net", "example.test", 1), []string{`".test"`, "public suffix list"}},
		"public suffix":      {strings.Replace(minimal, "auth.example.net", "vercel.app", 1), []string{"itself a public suffix"}},
		"one site":           {strings.Replace(minimal, "auth.example.net", "auth.example.com", 1), []string{"origins.auth", "one site", "partitioned: false"}},
		"stranger's site":    {minimal + "  stranger: https://x.example.com\n", []string{":5:", "must be of another"}},
		"preset":             {minimal + "contract:\n  preset: auth0\n", []string{":6:", `"auth0"`, "better-auth"}},
		"same-site word":     {minimal + "contract:\n  cookie: {sameSite: none}\n", []string{":6:", `"none"`, "None, Lax, Strict"}},
		"serves without any": {minimal + "serves: {auth: auth}\n", []string{":5:", "describes none"}},
		"needs of nobody":    {service("    needs: [db]\n"), []string{"services.a.needs[0]", `"db"`, "there are: a"}},
		"needs in a circle":  {service("    needs: [b]\n  b: {command: x, port: 81, ready: {path: /}, needs: [a]}\n"), []string{"a → b → a"}},
		"nothing to run":     {minimal + "serves: {frontend: a, auth: a}\nservices:\n  a: {port: 1, ready: {path: /}}\n", []string{"services.a", "nothing to run"}},
		"readiness missing":  {minimal + "serves: {frontend: a, auth: a}\nservices:\n  a: {command: x, port: 1}\n", []string{"services.a.ready", "one of path"}},
		"service not served": {minimal + "serves: {frontend: a, auth: z}\nservices:\n  a: {command: x, port: 1, ready: {path: /}}\n", []string{"serves.auth", `"z"`}},
		"instances":          {service("    instances: 0\n"), []string{"out of range", "1 to 9"}},
		"folder":             {service("    directory: gone\n"), []string{"services.a.directory", `"gone"`}},
		"dockerfile":         {service("    directory: a\n    dockerfile: Dockerfile\n"), []string{"services.a.dockerfile", "no file"}},
		"revoke without /":   {minimal + "contract:\n  paths: {revoke: end}\n", []string{":6:", "contract.paths.revoke", `"end"`}},
		"update age":         {minimal + "contract:\n  updateAge: -1\n", []string{":6:", "contract.updateAge", "-1"}},
		"signing secret":     {service("contract:\n  signingSecret: AUTH_KEY\n"), []string{"contract.signingSecret", "AUTH_KEY"}},
		"tab":                {"origins:\n\tfrontend: x\n", []string{":2:", "a tab", "spaces"}},
		"nested field":       {service("    enviroment: {A: b}\n"), []string{":11: services.a.enviroment:", "did you mean environment?", "allowed: image, dockerfile"}},
		"field of a list":    {service("    instances: [{}, {env: {A: b}}]\n"), []string{":11: services.a.instances[1].env:", "allowed: environment"}},
		"far from any field": {minimal + "zzz: 1\n", []string{":5: zzz: there is no such field; allowed: name, origins"}},
		"written twice":      {minimal + "name: a\nname: b\n", []string{":6: name:", "first in line 5"}},
		"no fields":          {"origins: [a]\n", []string{":1: origins: a list where fields are expected"}},
		"no list":            {service("    needs: a\n"), []string{":11: services.a.needs:", `"a" where a list is expected`}},
		"no number":          {strings.Replace(service(""), "port: 80", "port: http", 1), []string{":9: services.a.port:", `"http" is no whole number`}},
		"no truth":           {service("    unprivileged: yes\n"), []string{":11: services.a.unprivileged:", `"yes" is neither true nor false`}},
		"no value":           {minimal + "name: {a: b}\n", []string{":5: name: fields where one value is expected"}},
		"instances of words": {service("    instances: many\n"), []string{":11: services.a.instances:", `"many"`, "1 to 9"}},
		"bare duration":      {strings.Replace(service(""), "path: /}", "path: /, within: 5}", 1), []string{":10: services.a.ready.within: 5 is no duration", "30s"}},
		"two documents":      {minimal + "---\n" + minimal, []string{"holds 2 documents"}},
		"no text":            {"\x00\x01", []string{"it is no text", "UTF-8"}},
		"too long":           {strings.Repeat("# more\n", 200_000), []string{"longer than 1 MiB"}},
		"template":           {service("    environment: {A: \"${secret.none}\"}\n"), []string{":11: services.a.environment.A: ${secret.none} is unknown", "${address.a}"}},
		"template, instance": {service("    instances: [{environment: {A: \"${nope}\"}}]\n"), []string{":11: services.a.instances[0].environment.A: ${nope}"}},
		"template, command":  {strings.Replace(service(""), "./run", "./run ${url.b}", 1), []string{":8: services.a.command: ${url.b} is unknown"}},
		"template, database": {service("database: {url: \"postgres://${host}/x\", session: SELECT}\n"), []string{":11: database.url: ${host} is unknown"}},
		"no database":        {service("database: {url: \"mysql://u:open-sesame@h/x\"}\n"), []string{"database.url: not the address", "database.session: missing"}},
		"capitals":           {strings.Replace(minimal, "https://auth", "https://Auth", 1), []string{":4: origins.auth:", "https://auth.example.net"}},
		"usual port":         {strings.Replace(minimal, "example.net", "example.net:443", 1), []string{":4: origins.auth:", "leave it out"}},
		"other letters":      {strings.Replace(minimal, "auth.example", "bücher", 1), []string{":4: origins.auth:", "https://xn--bcher-kva.net"}},
		"star":               {strings.Replace(minimal, "auth.", "*.", 1), []string{":4: origins.auth:", "no name of a host"}},
		"image":              {strings.Replace(service(""), "command: ./run", "image: My App", 1), []string{":8: services.a.image:", `"My App"`, "small letters"}},
		"duration":           {strings.Replace(service(""), "path: /}", "path: /, within: soon}", 1), []string{":10:"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parseText(t, c.text)
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error lacks %q:\n%v", want, err)
				}
			}
			if strings.Contains(err.Error(), "open-sesame") {
				t.Errorf("a password is told:\n%v", err)
			}
		})
	}
}

func TestWhatIsUnusualAndRightIsTaken(t *testing.T) {
	service := minimal + "serves: {frontend: a, auth: a}\nservices:\n  a:\n    command: ./run\n    port: 80\n    ready: {path: /, within: 1m}\n"
	for name, text := range map[string]string{
		"a byte order mark":       "\xef\xbb\xbf" + minimal,
		"lines of Windows":        strings.ReplaceAll(minimal, "\n", "\r\n"),
		"values that are no text": service + "    environment: {A: true, B: 3, C: 1.5, D: null}\n",
		"a list of instances":     service + "    instances: [{}, {environment: {A: \"1\"}}]\n",
		"an alias":                service + "    environment: &e {A: b}\n  b:\n    command: x\n    port: 81\n    ready: {path: /}\n    environment: *e\n",
		"a merged mapping":        service + "    environment: &e {A: b}\n  b:\n    command: x\n    port: 81\n    ready: {path: /}\n    environment: {<<: *e, C: d}\n",
		"a shell's variable":      service + "    environment: {A: \"$${HOME} ${address.a} ${url.a} ${origin.auth} ${env.ANY} ${port}\"}\n",
		"an image with a port":    strings.Replace(service, "command: ./run", "image: localhost:5000/my_app/web:V1.2", 1),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := parseText(t, text); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAllProblemsAreToldAtOnce(t *testing.T) {
	_, err := parseText(t, "origins:\n  frontend: http://a.example.com\n  auth: https://b.example.net/\n")
	if err == nil || strings.Count(err.Error(), "\n") != 1 {
		t.Fatalf("want two lines, got:\n%v", err)
	}
}

func TestAMissingFileSaysHowToNameOne(t *testing.T) {
	_, err := Load(filepath.Join(t.TempDir(), DefaultName))
	if err == nil || !strings.Contains(err.Error(), "--config") {
		t.Fatalf("got %v", err)
	}
}

func TestSetChangesServicesAndInstancesThatExist(t *testing.T) {
	got, err := Load("../../fixtures/crossing.yaml")
	if err != nil {
		t.Fatal(err)
	}
	set, err := got.ParseSet([]string{"auth.A=1", "auth-2.B=x=y"})
	if err != nil || set["auth"]["A"] != "1" || set["auth-2"]["B"] != "x=y" {
		t.Fatalf("got %v, %v", set, err)
	}
	for _, wrong := range []string{"auth", "auth.A", "A=1", "auth-3.A=1", "db.A=1", "auth.A=1,auth-2.B=2", "auth.A=${secret.none}"} {
		if _, err := got.ParseSet([]string{wrong}); err == nil || !strings.Contains(err.Error(), "SET") {
			t.Errorf("%q: got %v", wrong, err)
		}
	}
}

func TestBudgetsAreASecondUnlessTheFileSaysOtherwise(t *testing.T) {
	const second = Budget(time.Second)
	for text, want := range map[string]Budgets{
		"": {SignIn: second, Reload: second},
		"contract:\n  budgets: {signIn: 2500ms}\n":        {SignIn: 5 * second / 2, Reload: second},
		"contract:\n  budgets: {signIn: 0, reload: 0s}\n": {},
		"contract:\n  budgets:\n    reload: 300ms\n":      {SignIn: second, Reload: 3 * second / 10},
	} {
		got, err := parseText(t, minimal+text)
		if err != nil || got.Contract.Budgets != want {
			t.Errorf("%q: %+v, want %+v (%v)", text, got, want, err)
		}
	}
	for text, words := range map[string]string{
		"contract:\n  budgets: {reload: -1s}\n":   "contract.budgets.reload: -1s is negative",
		"contract:\n  budgets: {signIn: swift}\n": "swift",
		"contract:\n  budgets: {reload: 2}\n":     "crossing.yaml:6: contract.budgets.reload:",
		"contract:\n  budgets: {signin: 1s}\n":    "signin",
	} {
		if _, err := parseText(t, minimal+text); err == nil || !strings.Contains(err.Error(), words) || !strings.Contains(err.Error(), ":") {
			t.Errorf("%q: the error is %v, and should hold %q", text, err, words)
		}
	}
}
