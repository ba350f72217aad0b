package webdriver

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// displayLimit is how long Xvfb may take to open a display, and to close it.
const displayLimit = 10 * time.Second

// display is an X server without a screen. Only who can read its cookie may
// connect: other accounts of the machine could else read what is typed.
type display struct {
	name, authority string
	server          *process
}

var errNoXvfb = errors.New("WebKitGTK needs a display even when nobody looks, and Xvfb, which makes one, is not installed: " +
	"apt-get install xvfb (Debian, Ubuntu), or set DISPLAY to one that may be used")

// openDisplay starts Xvfb on the first free display number.
func openDisplay(ctx context.Context, dir string) (*display, error) {
	path, err := exec.LookPath("Xvfb")
	if err != nil {
		return nil, errNoXvfb
	}
	d := &display{authority: filepath.Join(dir, "Xauthority")}
	if err := os.WriteFile(d.authority, newAuthority(), 0o600); err != nil {
		return nil, fmt.Errorf("write the display's cookie: %w", err)
	}
	read, write, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("start Xvfb: %w", err)
	}
	defer func() { _ = read.Close() }()
	// Without -noreset the server begins anew when its last client leaves, and
	// refuses the next one that comes at that moment.
	cmd := exec.Command(path, "-displayfd", "3", "-nolisten", "tcp", "-noreset",
		"-screen", "0", "1280x1024x24", "-auth", d.authority)
	cmd.ExtraFiles = []*os.File{write} // becomes 3
	// SIGTERM, since Xvfb must remove its lock and its socket from /tmp.
	d.server, err = start("Xvfb", cmd, syscall.SIGTERM)
	_ = write.Close()
	if err != nil {
		return nil, err
	}
	number, err := readNumber(ctx, read)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("wait for Xvfb to open a display: %w; %s", err, d.server.words()), d.close())
	}
	d.name = ":" + number
	return d, nil
}

// readNumber reads the line that Xvfb writes when clients may connect.
func readNumber(ctx context.Context, from *os.File) (string, error) {
	limit := time.Now().Add(displayLimit)
	if end, ok := ctx.Deadline(); ok && end.Before(limit) {
		limit = end
	}
	if err := from.SetReadDeadline(limit); err != nil {
		return "", err
	}
	stop := context.AfterFunc(ctx, func() { _ = from.SetReadDeadline(time.Now()) })
	defer stop()
	line, err := bufio.NewReader(from).ReadString('\n')
	if err != nil {
		return "", errors.Join(err, ctx.Err())
	}
	return strings.TrimSpace(line), nil
}

// newAuthority is an Xauthority file with one fresh cookie that holds for any
// address and any display number (Xau: FamilyWild, empty number).
func newAuthority() []byte {
	const familyWild = 0xffff
	secret := make([]byte, 16)
	_, _ = rand.Read(secret) // never fails (crypto/rand, since Go 1.24)
	data := binary.BigEndian.AppendUint16(nil, familyWild)
	for _, field := range []string{"", "", "MIT-MAGIC-COOKIE-1", string(secret)} {
		data = binary.BigEndian.AppendUint16(data, uint16(len(field)))
		data = append(data, field...)
	}
	return data
}

// close ends the server, gently first: killed, it would leave its lock.
func (d *display) close() error {
	if err := d.server.signal(syscall.SIGTERM); err != nil {
		return err
	}
	if d.server.gone(displayLimit) {
		return nil
	}
	return d.server.kill()
}
