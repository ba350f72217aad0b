package trace

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"regexp"
	"sort"
	"strings"
	"sync"
)

// shortest is the length in bytes below which a value is not taken for a
// secret: shorter ones stand by chance in ordinary text.
const shortest = 8

// Redactor turns secrets into digests, with one random key per run, so that
// equal secrets are seen to be equal within a run and nowhere else. It keeps
// the plain values in memory for observations, and never writes them.
// Its methods may be called from several goroutines.
type Redactor struct {
	key []byte

	mu      sync.RWMutex
	plain   map[string]string // digest → plain
	ordered []string          // learnt forms, longest first
	digest  map[string]string // form → digest
}

// NewRedactor makes a Redactor. Processes of one run share a key, so that
// digests agree; a nil key draws a random one.
func NewRedactor(key []byte) *Redactor {
	if len(key) == 0 {
		key = make([]byte, 32)
		_, _ = rand.Read(key) // never fails (crypto/rand, since Go 1.24)
	}
	return &Redactor{key: key, plain: map[string]string{}, digest: map[string]string{}}
}

// Digest returns what stands for secret in everything that is written:
// "hmac:" and twelve hexadecimal digits. The empty string stays empty.
func (r *Redactor) Digest(secret string) string {
	if secret == "" {
		return ""
	}
	mac := hmac.New(sha256.New, r.key)
	mac.Write([]byte(secret))
	return "hmac:" + hex.EncodeToString(mac.Sum(nil)[:6])
}

// Learn makes secret known, and returns its digest: from now on Scrub replaces
// it and its URL-encoded and base64 forms, and Reveal finds it.
func (r *Redactor) Learn(secret string) string {
	d := r.Digest(secret)
	if secret == "" {
		return d
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, known := r.plain[d]; known {
		return d
	}
	r.plain[d] = secret
	if len(secret) < shortest {
		return d
	}
	for _, form := range forms(secret) {
		if _, known := r.digest[form]; !known {
			r.digest[form] = d
			r.ordered = append(r.ordered, form)
		}
	}
	// Longest first: a token within "token.signature" must not break the
	// longer secret apart.
	sort.Slice(r.ordered, func(i, j int) bool { return len(r.ordered[i]) > len(r.ordered[j]) })
	return d
}

// forms are the ways in which a secret may stand in a text.
func forms(secret string) []string {
	all := []string{secret, url.QueryEscape(secret), url.PathEscape(secret)}
	if plain, err := url.QueryUnescape(secret); err == nil {
		all = append(all, plain)
	}
	all = append(all, base64.StdEncoding.EncodeToString([]byte(secret)),
		base64.RawStdEncoding.EncodeToString([]byte(secret)),
		base64.RawURLEncoding.EncodeToString([]byte(secret)))
	out, seen := all[:0], map[string]bool{}
	for _, f := range all {
		if len(f) >= shortest && !seen[f] {
			seen[f] = true
			out = append(out, f)
		}
	}
	return out
}

// Reveal returns the plain value of a digest that was learnt. It serves
// observations; what it returns must not be written.
func (r *Redactor) Reveal(digest string) (string, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	plain, ok := r.plain[digest]
	return plain, ok
}

// jwt finds what looks like a signed token (RFC 7515, compact form).
var jwt = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}`)

// Scrub replaces every learnt secret in text, and whatever looks like a JWT,
// by digests.
func (r *Redactor) Scrub(text string) string {
	r.mu.RLock()
	for _, form := range r.ordered {
		if strings.Contains(text, form) {
			text = strings.ReplaceAll(text, form, r.digest[form])
		}
	}
	r.mu.RUnlock()
	return jwt.ReplaceAllStringFunc(text, r.Digest)
}

// Leaks returns the digests of the learnt secrets that stand in data in any of
// their forms.
func (r *Redactor) Leaks(data []byte) []string {
	text := string(data)
	r.mu.RLock()
	defer r.mu.RUnlock()
	var found []string
	seen := map[string]bool{}
	for _, form := range r.ordered {
		if d := r.digest[form]; !seen[d] && strings.Contains(text, form) {
			seen[d] = true
			found = append(found, d)
		}
	}
	return found
}
