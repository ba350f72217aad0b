package stack

import (
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"crossing/harness/target"
)

func TestAnEngineThatIsNotThereIsNeverReplacedInSilence(t *testing.T) {
	silent, err := net.Listen("unix", filepath.Join(t.TempDir(), "silent.sock")) // accepts, and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for name, c := range map[string]struct{ host, why string }{
		"dead":    {"unix:///nonexistent/docker.sock", "unix:///nonexistent/docker.sock"},
		"silent":  {"unix://" + silent.Addr().String(), "no answer within 2s"},
		"remote":  {"tcp://192.0.2.1:2376", "another machine's"},
		"garbled": {"docker.sock", `"docker.sock" is no address`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("DOCKER_HOST", c.host)
			begun := time.Now()

			kind, why, err := Choose(t.Context(), "auto")
			if kind != Processes || err != nil || !strings.Contains(why, c.why) || !strings.Contains(why, "DOCKER_HOST") {
				t.Errorf("auto: %s, %q, %v", kind, why, err)
			}
			_, _, err = Choose(t.Context(), Containers)
			failsWith(t, err, c.why, "RUNTIME=processes", "make setup DOCKER=1")
			if kind, _, err := Choose(t.Context(), Processes); kind != Processes || err != nil {
				t.Errorf("processes: %s, %v", kind, err)
			}
			if took := time.Since(begun); took > 6*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
}

func TestALivingEngineIsChosenAndNamed(t *testing.T) {
	needsEngine(t)

	kind, why, err := Choose(t.Context(), "")

	if kind != Containers || err != nil || !strings.Contains(why, "docker.sock answered") {
		t.Errorf("%s, %q, %v", kind, why, err)
	}
}

func TestAnUnknownRuntimeIsRefused(t *testing.T) {
	_, _, err := Choose(t.Context(), "podman")
	failsWith(t, err, `"podman"`, "auto, containers, processes")
}

func TestServicesThatARuntimeCantStartAreNamedBeforeAnythingStarts(t *testing.T) {
	o := options(t, Processes, map[string]target.Service{
		"cache": {Image: "cache:1", Port: 1},
		"api":   part("plain", needs("cash")),
	})
	o.Environment = map[string]map[string]string{"atuh": {"A": "b"}}

	_, err := Up(t.Context(), o)

	failsWith(t, err, "services.cache has no command", "containers runtime", `"cash" is no service`, `"atuh"`, "there are: api, cache")
}

func TestServicesThatNeedEachOtherAreNamed(t *testing.T) {
	o := options(t, Processes, map[string]target.Service{
		"a": part("plain", needs("b")), "b": part("plain", needs("c")), "c": part("plain", needs("b")), "d": part("plain"),
	})

	_, err := Up(t.Context(), o)

	failsWith(t, err, "circle", "b → c → b")
}
