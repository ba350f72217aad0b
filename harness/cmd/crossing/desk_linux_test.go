package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"crossing/harness/stack"
)

// screen is a display that nobody sees, with hands: xdotool moves the pointer
// and types as a person's devices would.
type screen struct {
	t    *testing.T
	name string
}

func newScreen(t *testing.T) *screen {
	t.Helper()
	if _, err := exec.LookPath("xdotool"); err != nil {
		t.Fatal("a person's clicks are acted out by xdotool: apt-get install xdotool")
	}
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = read.Close() }()
	// -r: a key that a busy machine lets go of late is not typed twice.
	cmd := exec.Command("Xvfb", "-displayfd", "3", "-screen", "0", "1400x1000x24", "-nolisten", "tcp", "-noreset", "-r")
	cmd.ExtraFiles = []*os.File{write}
	err = cmd.Start()
	_ = write.Close()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	number, err := bufio.NewReader(read).ReadString('\n')
	if err != nil {
		t.Fatalf("no display: %v", err)
	}
	return &screen{t: t, name: ":" + strings.TrimSpace(number)}
}

func (s *screen) do(words ...string) string {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "xdotool", words...)
	cmd.Env = append(os.Environ(), "DISPLAY="+s.name)
	text, err := cmd.CombinedOutput()
	if err != nil {
		s.t.Fatalf("xdotool %q: %v\n%s", words, err, text)
	}
	return strings.TrimSpace(string(text))
}

// window finds the application's window, and turns to it.
func (s *screen) window() string {
	s.t.Helper()
	all := strings.Fields(s.do("search", "--sync", "--onlyvisible", "--name", "Waypost"))
	w := all[len(all)-1]
	s.do("windowfocus", "--sync", w)
	return w
}

// write types at a person's pace, into what has the focus.
func (s *screen) write(text string) {
	s.t.Helper()
	s.do("type", "--delay", "60", text)
}

// width of a window in pixels.
func (s *screen) width(window string) int {
	s.t.Helper()
	var width int
	for line := range strings.Lines(s.do("getwindowgeometry", "--shell", window)) {
		_, _ = fmt.Sscanf(line, "WIDTH=%d", &width) // the others are not asked for
	}
	return width
}

// toolbars are the height in pixels of what stands above the page; email is
// how far below that the middle of the sign-in form's first field is.
var toolbars = map[string]int{"chromium": 87, "webkit": 39}

const email = 274

// begin starts the command in a temp folder, and lets it go on.
func begin(t *testing.T, temp, display string, args ...string) *started {
	t.Helper()
	s := &started{t: t, temp: temp, text: &lockedText{}, end: make(chan struct{})}
	s.cmd = command(t, temp, args...)
	s.cmd.Env = slices.DeleteFunc(s.cmd.Env, func(entry string) bool {
		return strings.HasPrefix(entry, "DISPLAY=") || strings.HasPrefix(entry, "WAYLAND_DISPLAY=")
	})
	if display != "" {
		s.cmd.Env = append(s.cmd.Env, "DISPLAY="+display)
	}
	s.cmd.Stdout, s.cmd.Stderr = s.text, s.text
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = s.cmd.Wait() // its status is read from ProcessState
		close(s.end)
	}()
	t.Cleanup(func() {
		_ = s.cmd.Process.Signal(syscall.SIGTERM)
		s.ended(limit)
	})
	return s
}

// finished waits for the command's end and its status.
func (s *started) finished(want int) string {
	s.t.Helper()
	if !s.ended(limit) {
		s.t.Fatalf("%q goes on:\n%s", s.cmd.Args, s.text)
	}
	if status := s.cmd.ProcessState.ExitCode(); status != want {
		s.t.Fatalf("%q: status %d, want %d:\n%s", s.cmd.Args, status, want, s.text)
	}
	return s.text.String()
}

// keptUp has a stack kept, which is down when the test ends.
func keptUp(t *testing.T) (up *started, kept stack.Kept) {
	t.Helper()
	temp := tempFolder(t)
	t.Cleanup(func() {
		begin(t, temp, "", "down").finished(0)
	})
	up = begin(t, temp, "", "up", "--runtime=processes")
	said := up.finished(0)
	data, err := os.ReadFile(filepath.Join(temp, stack.KeptFile))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &kept); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{kept.Person.Email, kept.Person.Password, kept.Handover.Instances[0].Address, "https://docs.crossing-front.com", "make down"} {
		if !strings.Contains(said, want) {
			t.Errorf("up does not say %q:\n%s", want, said)
		}
	}
	return up, kept
}

// TestAPersonAtTheDesk acts out what README says under "At your desk".
func TestAPersonAtTheDesk(t *testing.T) {
	up, kept := keptUp(t)
	stays := up.ids()
	for _, engine := range []string{"chromium", "webkit"} {
		t.Run(engine, func(t *testing.T) { clickThrough(t, up.temp, engine, kept, stays) })
	}
	ran := begin(t, up.temp, "", "run", "--engine=chromium", "--one=persistence chromium outlives a reload", "--out="+t.TempDir()).finished(0)
	if !strings.Contains(ran, "the kept stack is used") || !strings.Contains(ran, "1 passed, 0 failed") || !strings.Contains(ran, "(stack 0.0 s,") {
		t.Errorf("a run does not use the kept stack:\n%s", ran)
	}
	t.Run("watch", func(t *testing.T) { watchFiles(t, up.temp) })
	if again := begin(t, up.temp, "", "up", "--runtime=processes").finished(0); !strings.Contains(again, "is up already") {
		t.Errorf("up a second time says:\n%s", again)
	}
	said := begin(t, up.temp, "", "down").finished(0)
	if !strings.Contains(said, "The stack is down: ") || !strings.Contains(said, "auth-2") {
		t.Errorf("down says:\n%s", said)
	}
	up.gone(stays, 0)
	if left, err := os.ReadDir(up.temp); err != nil || len(left) > 0 {
		t.Errorf("there stays: %v %v", left, err)
	}
	if said := begin(t, up.temp, "", "down").finished(0); !strings.Contains(said, "Nothing is up") {
		t.Errorf("down a second time says:\n%s", said)
	}
}

// clickThrough signs in, loses the session, and closes the window.
func clickThrough(t *testing.T, temp, engine string, kept stack.Kept, stays []string) {
	desk := newScreen(t)
	out := t.TempDir()
	s := begin(t, temp, desk.name, "open", "--engine="+engine, "--out="+out)
	s.awaitAfter("", "Close the window")
	s.awaitAfter("", "auth /api/auth/get-session")
	ids := slices.DeleteFunc(s.ids(), func(id string) bool { return slices.Contains(stays, id) })
	if len(s.left(ids)) < 3 {
		t.Fatalf("an open window has processes and a folder, and this one has only %q: the test proves nothing", s.left(ids))
	}

	w := desk.window()
	// The page has a shortcut's keys first, and the address bar the focus only
	// when it did nothing with them: letters that follow at once can overtake
	// that. What has the focus by then is handed the shortcut once more.
	desk.do("key", "ctrl+l")
	s.rest()
	desk.do("key", "ctrl+l")
	desk.write("https://docs.crossing-front.com/sign-in")
	desk.do("key", "Return")
	s.awaitAfter("frontend /sign-in ", "auth /api/auth/get-session")
	s.rest()
	desk.do("mousemove", "--window", w, fmt.Sprint(desk.width(w)/2), fmt.Sprint(toolbars[engine]+email), "click", "1")
	// A press that waits in the browser is overtaken by keys, which go to what had
	// the focus before: on a busy machine the first letter was lost. Keys do not
	// overtake keys: what is typed over the first attempt arrives whole.
	s.rest()
	desk.write(kept.Person.Email)
	desk.do("key", "ctrl+a")
	desk.write(kept.Person.Email)
	desk.do("key", "Tab")
	desk.write(kept.Person.Password)
	desk.do("key", "Return")
	// Signed in: by the cookie, or by the token where none is kept.
	s.awaitAfter("POST    auth /api/auth/sign-in/email ", map[string]string{"chromium": "→ session_token·", "webkit": "→ bearer·"}[engine])

	if text := s.text.String(); strings.Contains(text, "LOST") {
		t.Fatalf("a session is lost that is not:\n%s", text)
	}
	loseAll(t, kept)
	desk.window()
	desk.do("key", "F5")
	s.awaitAfter("THE SESSION WAS LOST", "session-row-")

	desk.do("key", "ctrl+w")
	said := s.finished(0)
	// The kept stack's folder is there, as it should be.
	if left := slices.DeleteFunc(s.left(ids), func(what string) bool { return strings.Contains(what, "/crossing-"+stays[0]+"-") }); len(left) > 0 {
		t.Errorf("a closed window leaves:\n%s", strings.Join(left, "\n"))
	}
	for _, pattern := range []string{
		`\d\d:\d\d:\d\d\.\d{3}  POST    auth /api/auth/sign-in/email {18} 200  auth-[12] +\d+ ms`,
		`\d\d:\d\d:\d\d\.\d{3}  GET     frontend /sign-in {29} 200  frontend +\d+ ms`,
	} {
		if !regexp.MustCompile(pattern).MatchString(said) {
			t.Errorf("no line is %s:\n%s", pattern, said)
		}
	}
	traces, _ := filepath.Glob(filepath.Join(out, "visits", engine+"-*.json"))
	if len(traces) != 1 || !strings.Contains(said, "explain "+traces[0]) {
		t.Fatalf("the traces %v are not told of:\n%s", traces, said)
	}
	data, err := os.ReadFile(traces[0])
	if err != nil || strings.Contains(string(data), kept.Person.Password) {
		t.Errorf("the trace cannot be read (%v), or holds the password", err)
	}
	if again := begin(t, temp, "", "explain", traces[0]).finished(exitFailed); !strings.Contains(again, "session-row-") {
		t.Errorf("explained again:\n%s", again)
	}
}

// watchFiles saves files as an editor does, and waits for their specs.
func watchFiles(t *testing.T, temp string) {
	s := begin(t, temp, "", "watch", "--engine=chromium", "--out="+t.TempDir())
	s.awaitAfter("", "Save a file of suites")
	for _, file := range []string{"session/cors_test.go", "internal/rig/rig.go"} { // the second has no specs: the first's again
		said := s.text.String()
		began := time.Now()
		saveAgain(t, filepath.Join("..", "..", "..", "suites", file))
		s.awaitAfter(said, "Reports: ")
		t.Logf("%s: told after %s", file, time.Since(began).Round(10*time.Millisecond))
		_, now, _ := strings.Cut(s.text.String(), said)
		for _, want := range []string{filepath.Base(file) + " was saved", "the kept stack is used", "✓ CORS in a browser · chromium", "PASSED: 5 passed, 0 failed"} {
			if !strings.Contains(now, want) {
				t.Errorf("after %s was saved it does not say %q:\n%s", file, want, now)
			}
		}
	}
	if err := s.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	s.finished(0)
}

// saveAgain writes a file anew, with what it held, as editors do: beside it, and
// renamed, so that nobody reads half of it.
func saveAgain(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, path+".saved", string(text))
	if err := os.Rename(path+".saved", path); err != nil {
		t.Fatal(err)
	}
}

// glance is how long a window may take to do what a click asks for.
const glance = time.Minute

// awaitAfter waits for a text that comes after another; "" stands for the
// beginning.
func (s *started) awaitAfter(first, then string) {
	s.t.Helper()
	deadline := time.Now().Add(glance)
	for {
		_, after, _ := strings.Cut(s.text.String(), first)
		if strings.Contains(after, then) {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("after %q it has not said %q:\n%s", first, then, s.text)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// rest waits until the window has asked for nothing for a second, as a person
// waits for a page to stand still before they type.
func (s *started) rest() {
	s.t.Helper()
	deadline := time.Now().Add(glance)
	for last := ""; last != s.text.String(); time.Sleep(time.Second) {
		if last = s.text.String(); time.Now().After(deadline) {
			s.t.Fatalf("the window does not come to rest:\n%s", last)
		}
	}
}

// loseAll deletes every session's row.
func loseAll(t *testing.T, kept stack.Kept) {
	t.Helper()
	c, err := pgx.Connect(t.Context(), kept.Handover.Database)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(context.Background()) }()
	if done, err := c.Exec(t.Context(), "DELETE FROM session"); err != nil || done.RowsAffected() == 0 {
		t.Fatalf("no session was there to be lost: %v", err)
	}
}
