package trace

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
)

// SecretName says whether what stands under name, in a JSON object, a form or
// a query, is a secret: passwords, tokens, keys. It looks at the name's end
// without case, "-" and "_", so that newPassword and refresh_token count and
// tokenType does not.
func SecretName(name string) bool {
	plain := strings.ToLower(joints.Replace(name))
	for _, end := range secretEnds {
		if strings.HasSuffix(plain, end) {
			return true
		}
	}
	return false
}

var (
	joints     = strings.NewReplacer("-", "", "_", "")
	secretEnds = []string{"password", "passwd", "passphrase", "secret", "token", "jwt",
		"apikey", "privatekey", "authorization", "cookie", "protectionbypass"}
)

// JSON returns the document in data, compact and in its own order, with the
// values under secret names learnt and concealed at any depth, and every other
// text scrubbed. What is no JSON is an error: it cannot be redacted by name.
func (r *Redactor) JSON(data []byte) (string, error) {
	before := r.known()
	text, err := rewrite(data, writer{r, SecretName})
	if err != nil || r.known() == before {
		return text, err
	}
	// Once more: a value learnt near the end may stand in plain near the start.
	return rewrite(data, writer{r, SecretName})
}

// writer writes JSON again without its secrets.
type writer struct {
	r *Redactor
	// secret says what is a secret by its name; nil: nothing is, and the
	// names, being a format's own, stay as they are.
	secret func(name string) bool
}

func rewrite(data []byte, w writer) (string, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var out bytes.Buffer
	if err := w.value(dec, &out, false); err != nil {
		return "", fmt.Errorf("redact JSON: %w", err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return "", errors.New("redact JSON: text after the document")
	}
	return out.String(), nil
}

// value copies one value from dec to out; below a secret name, concealed.
func (w writer) value(dec *json.Decoder, out *bytes.Buffer, secret bool) error {
	token, err := dec.Token()
	if err != nil {
		return err
	}
	switch v := token.(type) {
	case json.Delim:
		return w.inside(dec, out, v, secret)
	case string:
		if secret {
			v = w.r.Conceal(v)
		} else {
			v = w.r.Scrub(v)
		}
		return quote(out, v)
	case json.Number:
		if secret {
			return quote(out, w.r.Learn(v.String()))
		}
		out.WriteString(v.String())
	case bool:
		fmt.Fprint(out, v)
	case nil:
		out.WriteString("null")
	}
	return nil
}

// inside copies the members of an object or list that open has begun.
func (w writer) inside(dec *json.Decoder, out *bytes.Buffer, open json.Delim, secret bool) error {
	out.WriteRune(rune(open))
	for first := true; dec.More(); first = false {
		if !first {
			out.WriteByte(',')
		}
		below := secret
		if open == '{' {
			token, err := dec.Token()
			if err != nil {
				return err
			}
			name, _ := token.(string)
			if w.secret != nil {
				below = secret || w.secret(name)
				name = w.r.Scrub(name)
			}
			if err := quote(out, name); err != nil {
				return err
			}
			out.WriteByte(':')
		}
		if err := w.value(dec, out, below); err != nil {
			return err
		}
	}
	shut, err := dec.Token()
	if err != nil {
		return err
	}
	out.WriteRune(rune(shut.(json.Delim)))
	return nil
}

func quote(out *bytes.Buffer, text string) error {
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(text); err != nil {
		return err
	}
	out.Truncate(out.Len() - 1) // Encode ends with a newline
	return nil
}

// Query returns a query, or a form body, in its own order and writing, with
// the values of secret names learnt and digested and the rest scrubbed. "code"
// counts as secret here: OAuth hands its grants over in queries (RFC 6749,
// section 4.1.2).
func (r *Redactor) Query(query string) string {
	if query == "" {
		return ""
	}
	pairs := strings.Split(query, "&")
	for i, pair := range pairs {
		name, value, found := strings.Cut(pair, "=")
		if plain, err := url.QueryUnescape(name); err == nil && (SecretName(plain) || plain == "code") && found {
			if text, err := url.QueryUnescape(value); err == nil {
				value = text
			}
			pairs[i] = name + "=" + r.Conceal(value)
			continue
		}
		pairs[i] = r.Scrub(pair)
	}
	return strings.Join(pairs, "&")
}

// URL returns address with its query and fragment redacted as Query does, and
// the rest scrubbed.
func (r *Redactor) URL(address string) string {
	address, fragment, hasFragment := strings.Cut(address, "#")
	address, query, hasQuery := strings.Cut(address, "?")
	out := r.Scrub(address)
	if hasQuery {
		out += "?" + r.Query(query)
	}
	if hasFragment {
		out += "#" + r.Query(fragment)
	}
	return out
}
