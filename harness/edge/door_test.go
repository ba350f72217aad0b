package edge

import (
	"io"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"crossing/harness/trace"
)

// opened is the address of a line of an edge with these options.
func opened(t *testing.T, o Options) string {
	t.Helper()
	o.Routes = []Route{{Origin: "https://a.example.com", Role: trace.RoleFrontend, Handler: Stranger(trace.Origins{})}}
	e, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	l, err := e.Open(trace.NewRecorder(trace.NewRedactor(nil), trace.Trace{}))
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(l.Proxy())
	if err != nil {
		t.Fatal(err)
	}
	return u.Host
}

// tunnelled says whether a caller from an address of this machine gets an
// answer out of a line.
func tunnelled(t *testing.T, from, line string) bool {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: 5 * time.Second}
	c, err := d.Dial("tcp", line)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := io.WriteString(c, "CONNECT a.example.com:443 HTTP/1.1\r\nHost: a.example.com:443\r\n\r\n"); err != nil {
		return false
	}
	head := make([]byte, 12)
	_, err = io.ReadFull(c, head)
	return err == nil && string(head) == "HTTP/1.1 200"
}

func TestALineTurnsAwayWhomItDoesNotKnow(t *testing.T) {
	line := opened(t, Options{Address: "127.0.0.2", Admit: []netip.Prefix{netip.MustParsePrefix("127.0.1.0/24")}})
	if !strings.HasPrefix(line, "127.0.0.2:") {
		t.Errorf("it listens on %s", line)
	}
	for from, want := range map[string]bool{"127.0.0.2": true, "127.0.1.9": true, "127.0.0.1": false, "127.0.2.1": false} {
		if got := tunnelled(t, from, line); got != want {
			t.Errorf("from %s: let in: %v", from, got)
		}
	}
	if line := opened(t, Options{}); !tunnelled(t, "127.0.0.1", line) || tunnelled(t, "127.0.0.9", line) {
		t.Errorf("a line on loopback is this machine's 127.0.0.1 alone")
	}
}

func TestAnEdgeListensOnOneAddress(t *testing.T) {
	routes := []Route{{Origin: "https://a.example.com", Role: trace.RoleFrontend, Handler: Stranger(trace.Origins{})}}
	for address, word := range map[string]string{"here": "192.0.2.7", "0.0.0.0": "everywhere", "::": "everywhere"} {
		if _, err := New(Options{Routes: routes, Address: address}); err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%s: %v", address, err)
		}
	}
}
