package target

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"crossing/harness/trace"
)

var deployed = trace.Origins{Frontend: "https://docs.example.com", Auth: "https://auth.example.net", API: "https://api.example.net"}

func TestADeploymentHasTheContractOfTheFileAndNoneOfItsServices(t *testing.T) {
	like, err := Load("../../fixtures/crossing.yaml")
	if err != nil {
		t.Fatal(err)
	}
	got, err := At(deployed, like)
	if err != nil {
		t.Fatal(err)
	}
	if !got.Remote() || got.Database != nil || got.Contract.Pages.SignUp.Path != "/sign-up" || got.Contract.SigningSecret != "" {
		t.Errorf("got %+v", got)
	}
	if got.Contract.Issuer != deployed.Auth || got.Contract.Audience != deployed.Auth {
		t.Errorf("issuer %q, audience %q: want those of the deployment", got.Contract.Issuer, got.Contract.Audience)
	}
	if like.Contract.SigningSecret == "" || like.Contract.Issuer == deployed.Auth {
		t.Error("the file's own target was changed")
	}
}

func TestADeploymentWithoutAFileHasThePreset(t *testing.T) {
	got, err := At(trace.Origins{Frontend: "https://docs.example.com/", Auth: deployed.Auth}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got.Origins.Frontend != deployed.Frontend || got.Origins.API != "" || got.Contract.Paths.Session != "/api/auth/get-session" || got.Name != "auth.example.net" {
		t.Errorf("got %+v", got)
	}
}

func TestWrongAddressesNameTheirSetting(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*trace.Origins)
		want   []string
	}{
		"missing":  {func(o *trace.Origins) { o.Auth = "" }, []string{"AUTH_URL", "missing"}},
		"http":     {func(o *trace.Origins) { o.API = "http://api.example.net" }, []string{"API_URL", "not https"}},
		"mistyped": {func(o *trace.Origins) { o.Frontend = "docs.example.com" }, []string{"FRONTEND_URL", "is no origin"}},
		"path":     {func(o *trace.Origins) { o.Frontend += "/home" }, []string{"FRONTEND_URL", "no path"}},
		"twice":    {func(o *trace.Origins) { o.Frontend = o.Auth }, []string{"FRONTEND_URL and AUTH_URL are both https://auth.example.net"}},
		"one site": {func(o *trace.Origins) { o.Frontend = "https://docs.example.net" }, []string{"AUTH_URL", "one site"}},
	} {
		t.Run(name, func(t *testing.T) {
			o := deployed
			c.change(&o)
			_, err := At(o, nil)
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error lacks %q: %v", want, err)
				}
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("want one sentence: %v", err)
			}
		})
	}
}

func TestAccessIsReadAndItsMistakesNamed(t *testing.T) {
	app, err := At(deployed, nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := ParseAccess([]string{"auth.example.net=127.0.0.1:8443", "docs.example.com=::1"}, "")
	if err != nil || r.Addresses["auth.example.net"] != "127.0.0.1:8443" || r.Addresses["docs.example.com"] != "[::1]:443" || r.Roots != nil {
		t.Fatalf("got %+v, %v", r, err)
	}
	if err := r.Check(app); err != nil {
		t.Error(err)
	}
	if err := (Access{Addresses: map[string]string{"aut.example.net": "x"}}).Check(app); err == nil || !strings.Contains(err.Error(), `"aut.example.net"`) {
		t.Errorf("a name of nobody: %v", err)
	}
	noPEM := filepath.Join(t.TempDir(), "notes.txt")
	if err := os.WriteFile(noPEM, []byte("notes"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		resolve, ca, want string
	}{
		{"auth.example.net", "", "HOST=ADDRESS"},
		{"https://auth.example.net=127.0.0.1", "", "HOST=ADDRESS"},
		{"auth.example.net=localhost", "", "names no address"},
		{"auth.example.net=127.0.0.1:https!", "", "names no address"},
		{"", "/nowhere/ca.pem", "CA=/nowhere/ca.pem"},
		{"", noPEM, "holds no certificate"},
	} {
		words := strings.Fields(c.resolve)
		if _, err := ParseAccess(words, c.ca); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q, %q: got %v", c.resolve, c.ca, err)
		}
	}
}

func TestBypassesGoToTheirOwnHosts(t *testing.T) {
	app, err := At(deployed, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Bypasses{All: " one-for-all-of-them\n", Auth: "of-the-auth-service"}.For(app)
	if err != nil || len(got) != 3 || got["docs.example.com"] != "one-for-all-of-them" || got["auth.example.net"] != "of-the-auth-service" || got["api.example.net"] != "one-for-all-of-them" {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err := (Bypasses{}).For(app); err != nil || len(got) != 0 {
		t.Errorf("without any: %v, %v", got, err)
	}
	app.Origins.API = ""
	for want, b := range map[string]Bypasses{
		"VERCEL_AUTOMATION_BYPASS_SECRET has 5 letters": {All: "short"},
		"AUTH_BYPASS_SECRET holds a space":              {Auth: "open sesame, please"},
		"API_BYPASS_SECRET is for an origin that":       {API: "of-the-api-that-is-none"},
	} {
		if _, err := b.For(app); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "sesame") {
			t.Errorf("%s: got %v", want, err)
		}
	}
}
