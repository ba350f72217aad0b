package stack

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"crossing/harness/target"
	"crossing/harness/trace"
)

func TestServicesStartInTheOrderOfTheirNeedsAndMigrateOnce(t *testing.T) {
	each(t, func(t *testing.T, runtime string) {
		s := up(t, options(t, runtime, map[string]target.Service{
			"store": part("store"),
			"auth": part("plain", needs("store"), env("STORE", "${url.store}"), env("CHECK", "${url.store}/count"), func(s *target.Service) {
				s.Migrate = "./service migrate"
				s.Instances = target.Instances{{}, {Environment: map[string]string{"OWN": "second"}}}
			}),
			"api": part("plain", needs("auth"), env("CHECK", "${url.auth}/env/INSTANCE")),
		}))

		if n := get(t, s, "store", "/count"); n != "1" {
			t.Errorf("migrations ran %s times, want 1", n)
		}
		for _, name := range []string{"auth-1", "auth-2"} {
			if logs, err := s.Logs(t.Context(), name); err != nil || !strings.Contains(string(logs), "before: 1") {
				t.Errorf("%s did not begin after the migration (%v): %s", name, err, logs)
			}
			if got := get(t, s, name, "/env/INSTANCE"); got != name {
				t.Errorf("address of %s leads to %s", name, got)
			}
		}
		if a, b := get(t, s, "auth-1", "/env/OWN"), get(t, s, "auth-2", "/env/OWN"); a != "" || b != "second" {
			t.Errorf("OWN is %q and %q, want only the second's", a, b)
		}
		if logs, _ := s.Logs(t.Context(), "api"); !strings.Contains(string(logs), "before: auth-1") {
			t.Errorf("api did not reach auth at its start: %s", logs)
		}
		if got := s.Environment("auth-2")["OWN"]; got != "second" {
			t.Errorf("environment tells OWN=%q", got)
		}
		if n := len(s.Instances("auth")); n != 2 {
			t.Errorf("%d instances of auth", n)
		}
	})
}

func TestDownLeavesNothing(t *testing.T) {
	each(t, func(t *testing.T, runtime string) {
		mode := "plain"
		if runtime == Processes {
			mode = "parent" // and takes a stubborn grandchild along
		}
		s := up(t, options(t, runtime, map[string]target.Service{"api": part(mode, env("DATA", "${data}"))}))
		if len(left(t, s.options.Run)) == 0 {
			t.Fatal("nothing is found while it runs: this test proves nothing")
		}

		if err := s.Down(t.Context()); err != nil {
			t.Fatal(err)
		}

		if found := left(t, s.options.Run); len(found) > 0 {
			t.Errorf("left: %v", found)
		}
		if err := s.Down(t.Context()); err != nil {
			t.Errorf("down once more: %v", err)
		}
	})
}

func TestADeadServiceIsReportedAtOnce(t *testing.T) {
	each(t, func(t *testing.T, runtime string) {
		o := options(t, runtime, map[string]target.Service{"api": part("dies", env("PASSWORD", "${secret.password}"))})
		o.Redactor = trace.NewRedactor(nil)
		run := ownRun(t, &o)
		begun := time.Now()

		_, err := Up(t.Context(), o)

		failsWith(t, err, "api", "exit status 3", "no such table: visitors", "the password is hmac:")
		if runtime == Containers {
			failsWith(t, err, "crossing/api:")
		} else {
			failsWith(t, err, "./service")
		}
		if took := time.Since(begun); took > 8*time.Second {
			t.Errorf("it took %s, as if the limit had been waited for", took)
		}
		if found := leftOver(t, run); len(found) > 0 {
			t.Errorf("left: %v", found)
		}
	})
}

func TestAServiceThatIsNeverReadyTellsItsLastAnswer(t *testing.T) {
	each(t, func(t *testing.T, runtime string) {
		o := options(t, runtime, map[string]target.Service{"api": part("never", env("PASSWORD", "${secret.password}"), func(s *target.Service) {
			s.Ready.Within = 1500 * time.Millisecond
		})})

		_, err := Up(t.Context(), o)

		failsWith(t, err, "api", "not ready within 1.5s", "503", "schema is behind, password hmac:", "begins with")
	})
}

func TestAFailedMigrationStopsItsService(t *testing.T) {
	each(t, func(t *testing.T, runtime string) {
		o := options(t, runtime, map[string]target.Service{"api": part("unmigratable", func(s *target.Service) { s.Migrate = "./service migrate" })})

		_, err := Up(t.Context(), o)

		failsWith(t, err, `"./service migrate"`, "api", "exit status 4", "permission denied for schema public")
	})
}

func TestRestartKeepsAddressAndData(t *testing.T) {
	each(t, func(t *testing.T, runtime string) {
		s := up(t, options(t, runtime, map[string]target.Service{
			"store": part("plain", env("DATA", "${data}")),
			"api":   part("plain", env("CHECK", "${url.store}/healthz"), needs("store")),
		}))
		i, err := s.Instance("store")
		if err != nil {
			t.Fatal(err)
		}
		before := i.Address()
		call(t, s, http.MethodPost, "store", "/note")
		call(t, s, http.MethodPost, "store", "/count")

		if err := i.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}

		if i.Address() != before {
			t.Errorf("address was %s and is %s", before, i.Address())
		}
		if n := get(t, s, "store", "/count"); n != "0" {
			t.Errorf("memory holds %s: it was never restarted", n)
		}
		if note := get(t, s, "store", "/note"); note != "kept" {
			t.Errorf("data is %q", note)
		}
		if logs, err := s.Logs(t.Context(), "store"); err != nil || strings.Count(string(logs), "begins") != 2 {
			t.Errorf("logs don't hold both starts (%v): %s", err, logs)
		}
	})
}

func TestAStoppedInstanceRefusesAndItsTwinAnswers(t *testing.T) {
	each(t, func(t *testing.T, runtime string) {
		s := up(t, options(t, runtime, map[string]target.Service{"auth": part("plain", func(s *target.Service) {
			s.Instances = target.Instances{{Environment: map[string]string{"MODE": "stubborn"}}, {}}
		})}))
		i, err := s.Instance("auth-1")
		if err != nil {
			t.Fatal(err)
		}

		if err := i.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}

		if conn, err := net.DialTimeout("tcp", i.Address(), time.Second); err == nil {
			conn.Close()
			t.Error("it still answers")
		}
		select {
		case <-i.Ended():
		case <-time.After(5 * time.Second):
			t.Error("it is not known to have ended")
		}
		if got := get(t, s, "auth-2", "/env/INSTANCE"); got != "auth-2" {
			t.Errorf("its twin answers %q", got)
		}
	})
}

func TestCancellingUpTakesEverythingDown(t *testing.T) {
	each(t, func(t *testing.T, runtime string) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		o := options(t, runtime, map[string]target.Service{"store": part("plain"), "api": part("never", needs("store"))})
		run := ownRun(t, &o)
		o.Progress = func(text string) {
			t.Log(text)
			if strings.HasPrefix(text, "store: ready") {
				cancel()
			}
		}

		_, err := Up(ctx, o)

		if !errors.Is(err, context.Canceled) {
			t.Errorf("error is %v", err)
		}
		if found := leftOver(t, run); len(found) > 0 {
			t.Errorf("left: %v", found)
		}
	})
}

func TestContainersPublishOnLoopbackOnly(t *testing.T) {
	needsEngine(t)
	store := part("store")
	auth := part("plain", needs("store"), env("STORE", "${url.store}"), func(s *target.Service) { s.Migrate = "./service migrate" })
	s := up(t, options(t, Containers, map[string]target.Service{"store": store, "auth": auth}))

	published := publishedPorts(t, s.options.Run.ID)

	// The tests' image exposes another port, which must not be published.
	if len(published) != 2 {
		t.Errorf("published: %v", published)
	}
	for _, p := range published {
		if !strings.HasPrefix(p, "127.0.0.1:") {
			t.Errorf("published on %s", p)
		}
	}
}

func TestAHandedOverStackIsUsableElsewhere(t *testing.T) {
	each(t, func(t *testing.T, runtime string) {
		s := up(t, options(t, runtime, map[string]target.Service{"api": part("plain", env("PASSWORD", "${secret.password}"))}))
		data, err := json.Marshal(s.Handover())
		if err != nil {
			t.Fatal(err)
		}
		var h Handover
		if err := json.Unmarshal(data, &h); err != nil {
			t.Fatal(err)
		}

		other := Adopt(h, nil)

		if got := get(t, other, "api", "/env/PASSWORD"); got != s.Secret("password") || got != other.Secret("password") || len(got) != 64 {
			t.Errorf("secrets differ")
		}
		if logs, err := other.Logs(t.Context(), "api"); err != nil || !strings.Contains(string(logs), "api begins") {
			t.Errorf("logs (%v): %s", err, logs)
		}
		i, err := other.Instance("api")
		if err != nil {
			t.Fatal(err)
		}
		if err := i.Restart(t.Context()); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("restart by one who does not own it: %v", err)
		}
		if err := other.Down(t.Context()); err != nil {
			t.Fatal(err)
		}
		get(t, s, "api", "/healthz") // still there
	})
}

func TestAProcessSeesLittleOfTheUsersEnvironment(t *testing.T) {
	t.Setenv("CROSSING_TEST_STRAY", "stray")
	o := options(t, Processes, map[string]target.Service{"api": part("plain", env("GIVEN", "${env.CROSSING_TEST_STRAY}"))})
	bin := filepath.Join(o.StateDir, "bin")
	if err := os.Mkdir(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	s := up(t, o)

	var names []string
	for line := range strings.Lines(get(t, s, "api", "/all")) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		names = append(names, name)
		if name == "PATH" && !strings.HasPrefix(value, bin+":") {
			t.Errorf("PATH is %s", value)
		}
	}
	slices.Sort(names)
	want := []string{"CROSSING_RUN", "GIVEN", "HOME", "HOST", "INSTANCE", "LANG", "MODE", "PATH", "PORT", "PWD", "TMPDIR"}
	if !slices.Equal(names, want) {
		t.Errorf("it sees %v, want %v", names, want)
	}
}

func TestAnUnprivilegedServiceLeavesRoot(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root has an account to leave")
	}
	o := options(t, Processes, map[string]target.Service{
		"database": part("plain", env("DATA", "${data}"), func(s *target.Service) { s.Unprivileged = true }),
		"api":      part("plain"),
	})
	s := up(t, o)

	if _, uid, _ := strings.Cut(get(t, s, "database", "/who"), " "); uid == "0" {
		t.Error("it runs as root")
	}
	if _, uid, _ := strings.Cut(get(t, s, "api", "/who"), " "); uid != "0" {
		t.Errorf("the other runs as %s", uid)
	}
	call(t, s, http.MethodPost, "database", "/note")
	if got := get(t, s, "database", "/note"); got != "kept" {
		t.Errorf("its data folder: %s", got)
	}
}

func TestAnUnprivilegedServiceRunsFromAFolderThatOnlyRootReads(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root has an account to leave")
	}
	o := options(t, Processes, map[string]target.Service{"database": part("plain", func(s *target.Service) { s.Unprivileged = true })})
	o.Dir = filepath.Join(t.TempDir(), "private", "app")
	if err := os.CopyFS(o.Dir, os.DirFS(service)); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Dir(o.Dir), 0o700); err != nil {
		t.Fatal(err)
	}

	s := up(t, o)

	get(t, s, "database", "/who")
}
