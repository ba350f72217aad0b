package edge

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"net"
	"strings"
	"testing"
	"time"

	"crossing/harness/trace"
)

// handshake opens a tunnel to host and shakes hands as config says.
func (w *world) handshake(t *testing.T, host string, config *tls.Config) (*tls.Conn, error) {
	t.Helper()
	conn, err := net.Dial("tcp", w.line.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := conn.Write([]byte("CONNECT " + host + ":443 HTTP/1.1\r\nHost: " + host + ":443\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(established))
	if _, err := readFull(conn, got); err != nil || string(got) != established {
		t.Fatalf("CONNECT %s: %q, error %v", host, got, err)
	}
	secure := tls.Client(conn, config)
	return secure, secure.Handshake()
}

func readFull(c net.Conn, p []byte) (int, error) {
	n := 0
	for n < len(p) {
		m, err := c.Read(p[n:])
		n += m
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

func TestOneKeyOneLeafPerHost(t *testing.T) {
	w := newWorld(t, nil)
	leaves := map[string]*x509.Certificate{}
	for _, origin := range []string{origins.Frontend, origins.Auth, origins.Auth} {
		host := strings.TrimPrefix(origin, "https://")
		c, err := w.handshake(t, host, &tls.Config{RootCAs: w.edge.Pool(), ServerName: host})
		if err != nil {
			t.Fatal(err)
		}
		leaf := c.ConnectionState().PeerCertificates[0]
		if before := leaves[host]; before != nil && !before.Equal(leaf) {
			t.Errorf("%s has a second leaf", host)
		}
		leaves[host] = leaf
		if sum := sha256.Sum256(leaf.RawSubjectPublicKeyInfo); base64.StdEncoding.EncodeToString(sum[:]) != w.edge.SPKI() {
			t.Errorf("%s does not have the key that SPKI names", host)
		}
		if len(leaf.DNSNames) != 1 || leaf.DNSNames[0] != host {
			t.Errorf("the leaf of %s is for %v", host, leaf.DNSNames)
		}
		if left := time.Until(leaf.NotAfter); left < 24*time.Hour || left > 7*24*time.Hour {
			t.Errorf("the leaf of %s is valid for another %v", host, left)
		}
	}
}

func TestTheAuthorityIsConfinedToItsHosts(t *testing.T) {
	w := newWorld(t, nil)
	block, _ := pem.Decode(w.edge.CAPEM())
	if block == nil {
		t.Fatal("CAPEM is no PEM")
	}
	ca, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	if !ca.IsCA || !ca.PermittedDNSDomainsCritical || len(ca.PermittedDNSDomains) != 4 {
		t.Errorf("the authority may sign for %v, critical %v", ca.PermittedDNSDomains, ca.PermittedDNSDomainsCritical)
	}
	other := newWorld(t, nil)
	if _, err := w.handshake(t, "auth.crossing-back.net", &tls.Config{RootCAs: other.edge.Pool(), ServerName: "auth.crossing-back.net"}); err == nil {
		t.Error("another edge's authority vouches for this one")
	}
}

func TestABrowserThatDoesNotTrustTheEdgeIsRecorded(t *testing.T) {
	w := newWorld(t, nil)
	if _, err := w.handshake(t, "auth.crossing-back.net", &tls.Config{RootCAs: x509.NewCertPool(), ServerName: "auth.crossing-back.net"}); err == nil {
		t.Fatal("an empty pool trusts the edge")
	}
	x := w.await(t, "a failed handshake", func(x trace.Exchange) bool { return x.Err != "" })
	if x.Method != "CONNECT" || x.Role != trace.RoleAuth || x.Origin != origins.Auth || x.Status != 0 || !strings.Contains(x.Err, "certificate") {
		t.Errorf("recorded %+v", x)
	}
}

func TestAHandshakeForAnotherHostIsRefused(t *testing.T) {
	w := newWorld(t, nil)
	config := &tls.Config{RootCAs: w.edge.Pool(), ServerName: "docs.crossing-front.com"}
	if _, err := w.handshake(t, "auth.crossing-back.net", config); err == nil {
		t.Error("a tunnel to auth shows the frontend's certificate")
	}
	x := w.await(t, "the refused handshake", func(x trace.Exchange) bool { return x.Err != "" })
	if !strings.Contains(x.Err, "a handshake for docs.crossing-front.com") {
		t.Errorf("recorded %+v", x)
	}
}
