package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"crossing/harness/stack"
	"crossing/harness/target"
	"crossing/harness/trace"
)

// deployment is the reference application behind a TLS front of its own, as a
// platform's edge stands before a deployment: with an authority that nobody's
// system trusts, on a port that no name leads to.
type deployment struct {
	target  *target.Target
	address string
	ca      string
	// change is what a proxy on the way does to answers.
	change atomic.Pointer[func(*http.Response)]
	// visitor is the address that the platform tells the services.
	visitor atomic.Uint32
	turn    atomic.Uint32
}

func deploy(t *testing.T) *deployment {
	t.Helper()
	return deployOf(t, "fixtures")
}

// deployOf is deploy for the application in a folder of this checkout.
func deployOf(t *testing.T, folder string) *deployment {
	t.Helper()
	home, err := findCheckout()
	if err != nil {
		t.Fatal(err)
	}
	d := &deployment{}
	if d.target, err = target.Load(filepath.Join(string(home), folder, target.DefaultName)); err != nil {
		t.Fatal(err)
	}
	s, err := stack.Up(t.Context(), stack.Options{Dir: d.target.Dir, File: d.target.File, Runtime: stack.Processes,
		StateDir: home.state(), Redactor: trace.NewRedactor(nil)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Down(context.Background()); err != nil {
			t.Error(err)
		}
	})
	certificate := d.authority(t)
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12})
	if err != nil {
		t.Fatal(err)
	}
	d.address = listener.Addr().String()
	silent := log.New(io.Discard, "", 0)
	front := &http.Server{ErrorLog: silent, Handler: &httputil.ReverseProxy{ErrorLog: silent, ModifyResponse: d.changed, Rewrite: func(r *httputil.ProxyRequest) {
		serves := d.target.Serves
		service := map[string]string{d.target.Origins.Frontend: serves.Frontend, d.target.Origins.Auth: serves.Auth, d.target.Origins.API: serves.API}["https://"+r.In.Host]
		instances := s.Instances(service)
		chosen := instances[int(d.turn.Add(1))%len(instances)]
		r.SetURL(&url.URL{Scheme: "http", Host: chosen.Address()})
		r.Out.Host = r.In.Host
		visitor := d.visitor.Load()
		r.Out.Header.Set("X-Forwarded-For", fmt.Sprintf("203.0.%d.%d", visitor>>8, visitor&255))
		r.Out.Header.Set("X-Forwarded-Host", r.In.Host)
		r.Out.Header.Set("X-Forwarded-Proto", "https")
	}}}
	go func() { _ = front.Serve(listener) }()
	t.Cleanup(func() { _ = front.Close() })
	return d
}

func (d *deployment) changed(res *http.Response) error {
	if change := d.change.Load(); change != nil {
		(*change)(res)
	}
	return nil
}

// authority makes one, and a certificate for every host of the target.
func (d *deployment) authority(t *testing.T) tls.Certificate {
	t.Helper()
	o := d.target.Origins
	origins := []string{o.Frontend, o.Auth}
	if o.API != "" {
		origins = append(origins, o.API)
	}
	settings, root := certified(t, origins...)
	d.ca = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(d.ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root}), 0o644); err != nil {
		t.Fatal(err)
	}
	return settings.Certificates[0]
}

// certified makes an authority, and a certificate of it for some origins.
func certified(t *testing.T, origins ...string) (settings *tls.Config, authority []byte) {
	t.Helper()
	made := func(template, parent *x509.Certificate, signer *ecdsa.PrivateKey) ([]byte, *ecdsa.PrivateKey) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if signer == nil {
			signer = key
		}
		der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
		if err != nil {
			t.Fatal(err)
		}
		return der, key
	}
	var hosts []string
	for _, origin := range origins {
		hosts = append(hosts, strings.TrimPrefix(origin, "https://"))
	}
	root := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "A platform"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(90 * 24 * time.Hour)}
	rootDER, rootKey := made(root, root, nil)
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), DNSNames: hosts, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		NotBefore: root.NotBefore, NotAfter: root.NotAfter}
	leafDER, leafKey := made(leaf, root, rootKey)
	return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{{Certificate: [][]byte{leafDER}, PrivateKey: leafKey}}}, rootDER
}

// look runs a command on the deployment, as a visitor from another address
// than the one before.
func (d *deployment) look(t *testing.T, command string, more ...string) outcome {
	t.Helper()
	o := d.target.Origins
	args := append([]string{"--frontend=" + o.Frontend, "--auth=" + o.Auth, "--api=" + o.API}, more...)
	return d.reach(t, command, args...)
}

// reach runs a command that knows by itself where the deployment is.
func (d *deployment) reach(t *testing.T, command string, more ...string) outcome {
	t.Helper()
	d.visitor.Add(1)
	args := []string{command, "--ca=" + d.ca}
	for _, host := range d.target.Hosts() {
		args = append(args, "--resolve="+host+"="+d.address)
	}
	return runCrossing(t, 3*time.Minute, append(args, more...)...)
}

// strip has a proxy on the way take Partitioned off every cookie.
func strip(res *http.Response) {
	for i, line := range res.Header["Set-Cookie"] {
		res.Header["Set-Cookie"][i] = strings.Replace(line, "; Partitioned", "", 1)
	}
}

func TestADeploymentIsJudgedAsItIs(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	change := func(t *testing.T, f func(*http.Response)) {
		d.change.Store(&f)
		t.Cleanup(func() { d.change.Store(nil) })
	}
	config := "--config=" + d.target.Path

	t.Run("lint finds nothing", func(t *testing.T) {
		found := filepath.Join(t.TempDir(), "found.json")
		o := d.look(t, "lint", "--json="+found)
		says(t, o, 0, "nothing found", "✓ tls", "TLS 1.3", "– instances       not checkable")
		var report struct {
			Results []struct{ Name, State string }
		}
		if data, err := os.ReadFile(found); err != nil || json.Unmarshal(data, &report) != nil || len(report.Results) < 15 {
			t.Errorf("the file holds %d results (%v)", len(report.Results), err)
		}
	})
	t.Run("lint finds what a proxy does", func(t *testing.T) {
		change(t, strip)
		says(t, d.look(t, "lint"), exitFailed, "cookie-not-partitioned", "COOKIE_PARTITIONED=true", "Set-Cookie: __Secure-better-auth.session_token=hmac:")
	})
	t.Run("diagnose, by the pages", func(t *testing.T) {
		o := d.look(t, "diagnose", config, "--engine=chromium", "--out="+t.TempDir())
		says(t, o, 0, "chromium: follow a link", "The session held", "held on chromium")
	})
	t.Run("diagnose, by a script, finds what a proxy does", func(t *testing.T) {
		change(t, strip)
		out := t.TempDir()
		o := d.look(t, "diagnose", "--engine=chromium", "--out="+out)
		says(t, o, exitFailed, "no pages are described", "The session cookie was lost because", "cookie-not-partitioned", filepath.Join(out, "diagnose", "chromium.json"))
		again := runCrossing(t, time.Minute, "explain", filepath.Join(out, "diagnose", "chromium.json"))
		says(t, again, exitFailed, "cookie-not-partitioned")
	})
	t.Run("diagnose, by a script", func(t *testing.T) {
		o := d.look(t, "diagnose", "--out="+t.TempDir())
		says(t, o, 0, "sign out by a call", "held on chromium, webkit")
	})
	t.Run("what cannot be judged", func(t *testing.T) { d.misfits(t) })
}

// misfits are targets that are not what was asked for: one clear sentence.
func (d *deployment) misfits(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := closed.Addr().String()
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	o := d.target.Origins
	answer := func(origin string, status int, header map[string]string) func(*http.Response) {
		return func(res *http.Response) {
			if "https://"+res.Request.Host == origin {
				res.StatusCode = status
				for name, value := range header {
					res.Header.Set(name, value)
				}
			}
		}
	}
	for _, c := range []struct {
		name   string
		change func(*http.Response)
		args   []string
		says   []string
	}{
		{"nobody listens", nil, []string{"--resolve=auth.crossing-back.net=" + nobody}, []string{"the auth service cannot be reached", "AUTH_URL"}},
		{"a certificate that nobody trusts", nil, []string{"--ca="}, []string{"certificate that does not verify", "CA"}},
		{"a login page elsewhere", answer(o.Frontend, 302, map[string]string{"Location": "https://login.example.com/?next=x"}), nil,
			[]string{"leads to another site", "https://login.example.com/", "FRONTEND_URL"}},
		{"a platform's wall", answer(o.Auth, 302, map[string]string{"Location": "https://vercel.com/sso-api?url=x"}), nil, []string{"the auth service", "behind a wall", "vercel.com"}},
		{"another path", answer(o.Auth, 404, nil), nil, []string{"contract.paths.session", "404", "the contract does not fit"}},
		{"a page in the endpoint's place", answer(o.API, 200, map[string]string{"Content-Type": "text/html"}), nil, []string{"contract.paths.api", "a page of HTML"}},
		{"no page", answer(o.Frontend, 200, map[string]string{"Content-Type": "application/json"}), nil, []string{"is no page", "FRONTEND_URL"}},
	} {
		for _, command := range []string{"lint", "diagnose"} {
			if command == "diagnose" && c.name != "nobody listens" && c.name != "a platform's wall" {
				continue // both ask in the same way
			}
			t.Run(command+" "+c.name, func(t *testing.T) {
				d.change.Store(nil)
				if c.change != nil {
					d.change.Store(&c.change)
				}
				o := d.look(t, command, c.args...)
				says(t, o, exitUnready, c.says...)
				if said := strings.TrimSpace(o.stderr); strings.Contains(said, "\n") {
					t.Errorf("want one sentence: %s", o)
				}
			})
		}
	}
	d.change.Store(nil)
}

func says(t *testing.T, o outcome, status int, words ...string) {
	t.Helper()
	if o.status != status {
		t.Errorf("want status %d: %s", status, o)
	}
	for _, word := range words {
		if !strings.Contains(o.stdout+o.stderr, word) {
			t.Errorf("%q is not said: %s", word, o)
		}
	}
}
