package setup

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"crossing/harness/stack"
)

const enginePID = "/var/run/docker.pid"

// Engine installs Debian's Docker engine where none answers, and starts
// it. It is the user who asks for it (make setup DOCKER=1): the engine stays
// after the run, as one that a system starts would.
func Engine(ctx context.Context, o Options) error {
	if err := os.MkdirAll(o.StateDir, 0o755); err != nil {
		return err
	}
	if _, _, err := stack.Choose(ctx, "containers"); err == nil {
		return nil
	}
	if os.Getenv("DOCKER_HOST") != "" {
		return fmt.Errorf("DOCKER_HOST is %q and nothing answers there; start that engine, or unset DOCKER_HOST to have one installed here", os.Getenv("DOCKER_HOST"))
	}
	if !onPath("dockerd") && !isFile("/usr/sbin/dockerd") {
		missing := []need{{"a Docker engine", nil, []string{"docker.io", "iptables"}, "install and start one, or leave DOCKER out"}}
		if err := aptInstall(ctx, o, packagesOf(missing)); err != nil {
			return refuse(err, missing)
		}
	}
	if _, _, err := stack.Choose(ctx, "containers"); err == nil {
		return nil // the package has started its service
	}
	return startEngine(ctx, o)
}

// startEngine starts dockerd for good: in a session of its own, with its log
// beside the state, and waits until it answers.
func startEngine(ctx context.Context, o Options) error {
	prefix, err := asRoot()
	if err != nil {
		return fmt.Errorf("%w; a Docker engine is installed and does not run: type sudo dockerd", err)
	}
	removeStalePID()
	logPath := filepath.Join(o.StateDir, "dockerd.log")
	log, err := os.Create(logPath)
	if err != nil {
		return fmt.Errorf("open the Docker engine's log: %w", err)
	}
	defer func() { _ = log.Close() }()
	o.Progress("start dockerd")
	words := append(prefix, "/usr/sbin/dockerd")
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start dockerd: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		_, _, err := stack.Choose(ctx, "containers")
		if err == nil {
			return nil
		}
		select {
		case <-ended:
			text, _ := os.ReadFile(logPath)
			return fmt.Errorf("dockerd ended at once; its last lines, of %s:\n%s", logPath, tail(string(text), 10))
		case <-ctx.Done():
			return fmt.Errorf("dockerd does not answer within 30 s: %w", err)
		case <-tick.C:
		}
	}
}

// removeStalePID takes away the file of an engine that was killed, which would
// keep the next one from starting.
func removeStalePID() {
	text, err := os.ReadFile(enginePID)
	if err != nil {
		return
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || syscall.Kill(pid, 0) != nil {
		_ = os.Remove(enginePID)
	}
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir()
}
