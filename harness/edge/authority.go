package edge

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"time"
)

// authority signs one leaf per host, once: a new leaf per connection makes
// Chromium give up with ERR_TOO_MANY_RETRIES. All leaves share one key, so
// that a browser has one key to trust. Nothing of it is ever on a disk.
type authority struct {
	cert   *x509.Certificate
	leaves map[string]*tls.Certificate
	spki   string
}

// The certificates are valid from an hour ago, for clocks that differ, and for
// as long as somebody may keep a run open to look at it.
const (
	backdated = time.Hour
	validity  = 48 * time.Hour
)

func newAuthority(hosts []string) (*authority, error) {
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make the authority's key: %w", err)
	}
	template := certificate("Crossing edge, this run only")
	template.IsCA = true
	template.BasicConstraintsValid = true
	template.MaxPathLenZero = true
	template.KeyUsage = x509.KeyUsageCertSign
	template.PermittedDNSDomains = hosts
	template.PermittedDNSDomainsCritical = true
	cert, err := sign(template, template, &caKey.PublicKey, caKey)
	if err != nil {
		return nil, fmt.Errorf("make the authority's certificate: %w", err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make the leaves' key: %w", err)
	}
	a := &authority{cert: cert, leaves: map[string]*tls.Certificate{}}
	for _, host := range hosts {
		template := certificate(host)
		template.DNSNames = []string{host}
		template.KeyUsage = x509.KeyUsageDigitalSignature
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		leaf, err := sign(template, cert, &key.PublicKey, caKey)
		if err != nil {
			return nil, fmt.Errorf("make the certificate of %s: %w", host, err)
		}
		sum := sha256.Sum256(leaf.RawSubjectPublicKeyInfo)
		a.spki = base64.StdEncoding.EncodeToString(sum[:])
		a.leaves[host] = &tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key, Leaf: leaf}
	}
	return a, nil
}

func certificate(name string) *x509.Certificate {
	// 63 bits cut to fit: a serial must be positive (RFC 5280, 4.1.2.2).
	serial, _ := rand.Int(rand.Reader, big.NewInt(1<<62)) // never fails, since Go 1.24
	if len(name) > 64 {                                   // RFC 5280, ub-common-name
		name = name[:64]
	}
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: serial.Add(serial, big.NewInt(1)),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    now.Add(-backdated),
		NotAfter:     now.Add(validity),
	}
}

func sign(template, parent *x509.Certificate, public *ecdsa.PublicKey, by *ecdsa.PrivateKey) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, by)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

func (a *authority) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})
}
