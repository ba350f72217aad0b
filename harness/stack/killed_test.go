package stack

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	goos "runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/moby/moby/client"

	"crossing/harness/stack/owner"
	"crossing/harness/target"
)

// ownRun gives the stack a run that the test can look at after a failure.
func ownRun(t *testing.T, o *Options) Run {
	t.Helper()
	r, err := NewRun()
	if err != nil {
		t.Fatal(err)
	}
	o.Run = r
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// leftOver is left, but for the folder, which is the test's own.
func leftOver(t *testing.T, run Run) []string {
	t.Helper()
	run.Dir = "/nonexistent"
	return left(t, run)
}

// leftInEngine lists containers and networks of a run; none where no engine
// answers.
func leftInEngine(t *testing.T, id string) []string {
	t.Helper()
	c, err := client.New(client.FromEnv)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if _, err := c.Ping(ctx, client.PingOptions{}); err != nil {
		return nil
	}
	filter := client.Filters{}.Add("label", "crossing.run="+id)
	var found []string
	listed, err := c.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: filter})
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range listed.Items {
		found = append(found, "container "+i.Names[0])
	}
	networks, err := c.NetworkList(ctx, client.NetworkListOptions{Filters: filter})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range networks.Items {
		found = append(found, "network "+n.Name)
	}
	return found
}

// publishedPorts lists the addresses that a run's containers publish.
func publishedPorts(t *testing.T, id string) []string {
	t.Helper()
	c, err := client.New(client.FromEnv)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	listed, err := c.ContainerList(t.Context(), client.ContainerListOptions{Filters: client.Filters{}.Add("label", "crossing.run="+id)})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, i := range listed.Items {
		for _, p := range i.Ports {
			if p.PublicPort != 0 {
				all = append(all, fmt.Sprintf("%s:%d", p.IP, p.PublicPort))
			}
		}
	}
	return all
}

// own is the other process of the tests below: it starts a stack, says so, and
// waits to be killed.
func own() {
	service = os.Getenv("CROSSING_TEST_SERVICE")
	mode := "plain"
	if os.Getenv("CROSSING_TEST_OWNER") == Processes {
		mode = "parent"
	}
	s, err := Up(context.Background(), Options{
		Dir: service, StateDir: os.Getenv("CROSSING_TEST_STATE"), Runtime: os.Getenv("CROSSING_TEST_OWNER"),
		File: target.File{Services: map[string]target.Service{"api": part(mode)}},
	})
	if err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
	fmt.Println(s.options.Run.Marker, s.options.Run.Dir)
	select {}
}

// another starts a process that owns a stack, and returns it with its run.
func another(t *testing.T, runtime string) (*exec.Cmd, Run) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "CROSSING_TEST_OWNER="+runtime, "CROSSING_TEST_SERVICE="+service, "CROSSING_TEST_STATE="+t.TempDir())
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have been killed before
		_ = cmd.Wait()
		if _, err := Sweep(context.Background()); err != nil {
			t.Error(err)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || strings.HasPrefix(line, "failed:") {
		t.Fatalf("the other process: %s %v", line, err)
	}
	marker, dir, _ := strings.Cut(strings.TrimSpace(line), " ")
	id, _, _ := strings.Cut(marker, ":")
	return cmd, Run{ID: id, Marker: marker, Dir: dir}
}

func TestSweepRemovesWhatAKilledOwnerLeftAndNothingElse(t *testing.T) {
	each(t, func(t *testing.T, runtime string) {
		dead, deadRun := another(t, runtime)
		_, livingRun := another(t, runtime)
		living := left(t, livingRun)
		if err := dead.Process.Signal(syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		_ = dead.Wait() // it was killed: that is its error
		if runtime == Processes && goos.GOOS == "linux" {
			diesWithItsOwner(t, deadRun)
		}
		if found := left(t, deadRun); len(found) == 0 {
			t.Fatal("the killed run left nothing: this test proves nothing")
		}

		removed, err := Sweep(t.Context())

		if err != nil {
			t.Fatal(err)
		}
		if found := left(t, deadRun); len(found) > 0 {
			t.Errorf("left: %v", found)
		}
		if text := strings.Join(removed, "\n"); !strings.Contains(text, deadRun.ID) || strings.Contains(text, livingRun.ID) {
			t.Errorf("it says that it removed:\n%s", text)
		}
		if now := left(t, livingRun); len(now) == 0 || len(now) != len(living) {
			t.Errorf("the living had %v and has %v", living, now)
		}
	})
}

// diesWithItsOwner waits for the service to be gone without anybody's help.
// Its child, which no signal told, and the folder are what is left.
func diesWithItsOwner(t *testing.T, run Run) {
	t.Helper()
	deadline := time.Now().Add(5 * time.Second)
	for found := left(t, run); len(found) > 2; found = left(t, run) {
		if time.Now().After(deadline) {
			t.Fatalf("the service outlived its owner: %v", found)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestAReusedNumberIsNotTheOwner(t *testing.T) {
	self := owner.Self()
	if self.Dead() {
		t.Fatal("this process takes itself for dead")
	}
	other := self
	other.Start = "1.00000000"
	if !other.Dead() {
		t.Error("a process that started at another time is taken for the owner")
	}
	elsewhere := other
	elsewhere.Place = "1"
	if elsewhere.Dead() {
		t.Error("an owner in another place is taken for dead")
	}
}
