package trace

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"html"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// shortest is the length in bytes below which a value is not looked for in
// texts: shorter ones stand by chance in ordinary words. It is also what one
// step of a search compares, as one number.
const shortest = 8

// Redactor turns secrets into digests, with one random key per run, so that
// equal secrets are seen to be equal within a run and nowhere else. It keeps
// the plain values in memory for observations, and never writes them.
// Its methods may be called from several goroutines.
type Redactor struct {
	key []byte

	mu    sync.RWMutex
	plain map[string]string // digest → plain
	// forms holds what is looked for by its first eight bytes, so that a
	// search costs the same for one secret and for a thousand.
	forms map[uint64][]form
	maybe sieve
	// public are origins that everybody knows.
	public map[string]bool
}

// sieve tells quickly that no form begins with eight given bytes; when it says
// that one may, the map knows. Nearly every place of every text ends here.
type sieve [1 << 10]uint64

func (s *sieve) bit(start uint64) (word, mask uint64) {
	h := start * 0x9E3779B97F4A7C15 >> 48 // Fibonacci hashing, to 16 bits
	return h >> 6, 1 << (h & 63)
}

func (s *sieve) add(start uint64) {
	word, mask := s.bit(start)
	s[word] |= mask
}

func (s *sieve) has(start uint64) bool {
	word, mask := s.bit(start)
	return s[word]&mask != 0
}

// form is one way in which a secret may stand in a text.
type form struct{ text, digest string }

// NewRedactor makes a Redactor. Processes of one run share a key, so that
// digests agree; a nil key draws a random one.
func NewRedactor(key []byte) *Redactor {
	if len(key) == 0 {
		key = make([]byte, 32)
		_, _ = rand.Read(key) // never fails (crypto/rand, since Go 1.24)
	}
	return &Redactor{key: key, plain: map[string]string{}, forms: map[uint64][]form{}, public: map[string]bool{}}
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

// Placeholder says whether value is what a program sends where it has no
// secret: "Bearer undefined" is a fault to be shown, and "undefined" a word
// that must stay readable.
func Placeholder(value string) bool {
	switch value {
	case "undefined", "null", "NaN", "None", "[object Object]", "[object Promise]", "true", "false":
		return true
	}
	return false
}

// Learn makes secret known, and returns its digest: from now on Scrub replaces
// it in its plain, URL-encoded, JSON, HTML and base64 forms, and Reveal finds it.
// What is shorter than eight bytes, or a Placeholder, can be revealed but is
// not looked for.
func (r *Redactor) Learn(secret string) string {
	d := r.Digest(secret)
	if secret == "" {
		return d
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, known := r.plain[d]; known || r.open(secret) {
		return d
	}
	r.plain[d] = secret
	if len(secret) < shortest || Placeholder(secret) {
		return d
	}
	for _, text := range formsOf(secret) {
		r.seek(form{text, d}, text == secret)
	}
	return d
}

// Publish says that origins are no secrets, nor addresses below them that have
// no query: a cookie may hold one, as Auth.js's callback-url does, and to take
// that for a secret would hide the very addresses that a trace is about.
func (r *Redactor) Publish(origins ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, origin := range origins {
		r.public[origin] = true
	}
}

// open says whether a value is an address that was published.
func (r *Redactor) open(value string) bool {
	if plain, err := url.QueryUnescape(value); err == nil {
		value = plain
	}
	u, err := url.Parse(value)
	return err == nil && u.RawQuery == "" && u.Fragment == "" && u.User == nil && r.public[u.Scheme+"://"+u.Host]
}

// seek has f looked for. One text may be a form of two secrets, such as a
// cookie's value and the same unescaped: it stands for the one that it is.
func (r *Redactor) seek(f form, own bool) {
	start := binary.LittleEndian.Uint64([]byte(f.text))
	r.maybe.add(start)
	at := slices.IndexFunc(r.forms[start], func(g form) bool { return g.text == f.text })
	switch {
	case at < 0:
		r.forms[start] = append(r.forms[start], f)
	case own:
		r.forms[start][at] = f
	}
}

// Conceal returns what may be written of value, which stood where a secret
// belongs: its digest, and it is learnt; or the very value, of a Placeholder.
func (r *Redactor) Conceal(value string) string {
	if Placeholder(value) {
		return value
	}
	return r.Learn(value)
}

// formsOf are the ways in which a secret may stand in a text.
func formsOf(secret string) []string {
	all := []string{secret}
	if plain, err := url.QueryUnescape(secret); err == nil { // cookie values come URL-encoded
		all = append(all, plain)
	}
	for _, s := range slices.Clone(all) {
		for _, escaped := range []string{url.QueryEscape(s), url.PathEscape(s)} {
			all = append(all, escaped, lowerEscapes(escaped))
		}
		if quoted, err := json.Marshal(s); err == nil {
			all = append(all, string(quoted[1:len(quoted)-1]))
		}
		all = append(all, quotes.Replace(s), slashes.Replace(s))
		markup := html.EscapeString(s)
		all = append(all, markup, plus.Replace(markup), entities.Replace(s))
		all = append(all, base64Forms(s)...)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	return slices.DeleteFunc(all, func(f string) bool { return len(f) < shortest })
}

// JSON as most write it, and with slashes escaped as PHP does.
var (
	quotes  = strings.NewReplacer(`\`, `\\`, `"`, `\"`)
	slashes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, `/`, `\/`)
)

// HTML and XML: by numbers, as Go's html and encoding/xml write it; with "+" by
// number, too, as html/template does; and by names.
var (
	plus     = strings.NewReplacer("+", "&#43;")
	entities = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&apos;")
)

// base64Forms are secret in base64 wherever it begins within what was encoded,
// such as "user:password": the digits that depend on its neighbours are left
// out (RFC 4648, section 4).
func base64Forms(secret string) []string {
	var all []string
	for lead := range 3 {
		padded := append(make([]byte, lead), secret...)
		from := []int{0, 2, 3}[lead]
		to := len(padded) * 8 / 6 // whole digits
		for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			all = append(all, enc.EncodeToString(padded)[from:to])
		}
	}
	return append(all, base64.StdEncoding.EncodeToString([]byte(secret)),
		base64.RawStdEncoding.EncodeToString([]byte(secret)),
		base64.RawURLEncoding.EncodeToString([]byte(secret)))
}

// lowerEscapes writes %2B as %2b, as some clients do.
func lowerEscapes(escaped string) string {
	return escapes.ReplaceAllStringFunc(escaped, strings.ToLower)
}

var escapes = regexp.MustCompile(`%[0-9A-F]{2}`)

// known is the number of secrets learnt.
func (r *Redactor) known() int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return len(r.plain)
}

// Reveal returns the plain value of a digest that was learnt. It serves
// observations; what it returns must not be written.
func (r *Redactor) Reveal(digest string) (string, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	plain, ok := r.plain[digest]
	return plain, ok
}

// Secrets returns all plain values that are looked for. It serves a process
// that searches what others have written; what it returns must not be written
// where anybody else can read it.
func (r *Redactor) Secrets() []string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.Sorted(maps.Values(r.plain))
}

// compact finds what looks like a signed or an encrypted token in compact form
// (RFC 7515, section 7.1: three parts; RFC 7516, section 7.1: five, of which
// the second may be empty).
var compact = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{8,}\.(?:[A-Za-z0-9_-]*\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{8,}|[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,})`)

// Scrub replaces every learnt secret in text, and whatever looks like a JWT,
// by digests.
func (r *Redactor) Scrub(text string) string {
	if found := r.find(text); len(found) > 0 {
		var out strings.Builder
		end := 0
		for _, f := range joined(found) {
			out.WriteString(text[end:f.from])
			out.WriteString(f.digest)
			end = f.to
		}
		text = out.String() + text[end:]
	}
	return compact.ReplaceAllStringFunc(text, r.Digest)
}

// span is where a secret stands in a text.
type span struct {
	from, to int
	digest   string
}

// find returns where secrets stand, in the order of their beginnings.
func (r *Redactor) find(text string) []span {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if len(r.forms) == 0 || len(text) < shortest {
		return nil
	}
	var found []span
	window := binary.LittleEndian.Uint64([]byte(text[:shortest]))
	for at := 0; ; at++ {
		if r.maybe.has(window) {
			found = append(found, r.beginning(window, text, at)...)
		}
		if at+shortest == len(text) {
			return found
		}
		window = window>>8 | uint64(text[at+shortest])<<56
	}
}

func (r *Redactor) beginning(window uint64, text string, at int) []span {
	var found []span
	for _, f := range r.forms[window] {
		if strings.HasPrefix(text[at:], f.text) {
			found = append(found, span{at, at + len(f.text), f.digest})
		}
	}
	return found
}

// joined makes one span of those that overlap, under the digest of the longest:
// a token within "token.signature" must not break the longer secret apart, nor
// leave its end behind.
func joined(found []span) []span {
	var all []span
	longest := 0
	for _, s := range found {
		if len(all) == 0 || all[len(all)-1].to <= s.from {
			all, longest = append(all, s), s.to-s.from
			continue
		}
		last := &all[len(all)-1]
		last.to = max(last.to, s.to)
		if s.to-s.from > longest {
			last.digest, longest = s.digest, s.to-s.from
		}
	}
	return all
}

// Leaks returns the digests of the learnt secrets that stand in data in any of
// their forms, each once.
func (r *Redactor) Leaks(data []byte) []string {
	var digests []string
	for _, f := range r.find(string(data)) {
		if !slices.Contains(digests, f.digest) {
			digests = append(digests, f.digest)
		}
	}
	return digests
}
