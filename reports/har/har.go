// Package har writes the exchanges of a trace as an HTTP Archive, which
// browsers' own tools and proxies open (HAR 1.2, www.softwareishard.com/blog/har-12-spec).
// A trace holds no secret, and so no archive does: values of cookies and tokens
// are digests. What the trace leaves out, such as bodies that are no JSON, is
// not there either.
package har

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"crossing/harness/trace"
)

// Archive is the whole file.
type Archive struct {
	Log Log `json:"log"`
}

// Log is what the archive holds.
type Log struct {
	Version string  `json:"version"`
	Creator Creator `json:"creator"`
	Browser Creator `json:"browser"`
	Entries []Entry `json:"entries"`
	Comment string  `json:"comment"`
}

// Creator is a program and its version.
type Creator struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// Entry is one exchange. Times are in milliseconds; -1 stands for what is not
// known, as the format has it.
type Entry struct {
	Started  time.Time `json:"startedDateTime"`
	Time     float64   `json:"time"`
	Request  Request   `json:"request"`
	Response Response  `json:"response"`
	Cache    struct{}  `json:"cache"`
	Timings  Timings   `json:"timings"`
	Comment  string    `json:"comment,omitempty"`
}

// Timings: the edge tells the whole alone.
type Timings struct {
	Send    float64 `json:"send"`
	Wait    float64 `json:"wait"`
	Receive float64 `json:"receive"`
}

// Request is one side.
type Request struct {
	Method      string        `json:"method"`
	URL         string        `json:"url"`
	HTTPVersion string        `json:"httpVersion"`
	Cookies     []Cookie      `json:"cookies"`
	Headers     []trace.Field `json:"headers"`
	Query       []trace.Field `json:"queryString"`
	PostData    *PostData     `json:"postData,omitempty"`
	HeadersSize int           `json:"headersSize"`
	BodySize    int64         `json:"bodySize"`
}

// Response is the other. Status 0 stands for no answer.
type Response struct {
	Status      int           `json:"status"`
	StatusText  string        `json:"statusText"`
	HTTPVersion string        `json:"httpVersion"`
	Cookies     []Cookie      `json:"cookies"`
	Headers     []trace.Field `json:"headers"`
	Content     Content       `json:"content"`
	RedirectURL string        `json:"redirectURL"`
	HeadersSize int           `json:"headersSize"`
	BodySize    int64         `json:"bodySize"`
}

// Content is the answer's body.
type Content struct {
	Size     int64  `json:"size"`
	MIMEType string `json:"mimeType"`
	Text     string `json:"text,omitempty"`
}

// PostData is the request's body.
type PostData struct {
	MIMEType string `json:"mimeType"`
	Text     string `json:"text"`
}

// Cookie is one cookie, its value a digest.
type Cookie struct {
	Name     string `json:"name"`
	Value    string `json:"value"`
	Path     string `json:"path,omitempty"`
	Domain   string `json:"domain,omitempty"`
	HTTPOnly bool   `json:"httpOnly,omitempty"`
	Secure   bool   `json:"secure,omitempty"`
	Comment  string `json:"comment,omitempty"`
}

// unknown is the version of HTTP, which a trace does not tell.
const unknown = "unknown"

// Of is the archive of a trace.
func Of(t trace.Trace) Archive {
	name, version, _ := strings.Cut(t.Browser, " ")
	a := Archive{Log{
		Version: "1.2", Creator: Creator{"Crossing", "1"}, Browser: Creator{name, version}, Entries: []Entry{},
		Comment: fmt.Sprintf("%s on %s; values of cookies and tokens are digests, equal for equal values of one run", t.Visitor, t.Profile),
	}}
	for _, e := range t.Exchanges {
		if !strings.HasPrefix(e.Path, trace.ReservedPath) {
			a.Log.Entries = append(a.Log.Entries, entry(e))
		}
	}
	return a
}

func entry(e trace.Exchange) Entry {
	whole := e.Origin + e.Path
	if e.Query != "" {
		whole += "?" + e.Query
	}
	x := Entry{
		Started: e.Time, Time: e.Millis, Timings: Timings{Wait: e.Millis},
		Request: Request{
			Method: e.Method, URL: whole, HTTPVersion: unknown, Cookies: []Cookie{}, Headers: fields(e.Request), Query: query(e.Query),
			HeadersSize: size(e.Request), BodySize: e.Request.Bytes,
		},
		Response: Response{
			Status: e.Status, StatusText: http.StatusText(e.Status), HTTPVersion: unknown, Cookies: []Cookie{}, Headers: fields(e.Response),
			Content:     Content{Size: e.Response.Bytes, MIMEType: e.Response.Get("Content-Type"), Text: e.Response.Body},
			RedirectURL: e.Response.Get("Location"), HeadersSize: size(e.Response), BodySize: e.Response.Bytes,
		},
		Comment: comment(e),
	}
	for _, c := range e.Request.Cookies {
		x.Request.Cookies = append(x.Request.Cookies, Cookie{Name: c.Name, Value: c.Digest})
	}
	for _, c := range e.Response.SetCookies {
		x.Response.Cookies = append(x.Response.Cookies, Cookie{Name: c.Name, Value: c.Digest, Path: c.Path, Domain: c.Domain, HTTPOnly: c.HTTPOnly, Secure: c.Secure, Comment: c.Line})
	}
	if e.Request.Body != "" {
		x.Request.PostData = &PostData{MIMEType: e.Request.Get("Content-Type"), Text: e.Request.Body}
	}
	return x
}

// comment says what the format has no field for.
func comment(e trace.Exchange) string {
	all := []string{"request id " + e.ID}
	for _, c := range []struct{ word, text string }{{"answered by ", e.Instance}, {"no answer: ", e.Err}, {"broken on purpose: ", e.Fault}} {
		if c.text != "" {
			all = append(all, c.word+c.text)
		}
	}
	if e.Outside {
		all = append(all, "asked by the harness, not by the browser")
	}
	return strings.Join(all, "; ")
}

// fields are the header lines, Cookie and Set-Cookie among them.
func fields(m trace.Message) []trace.Field {
	all := append([]trace.Field{}, m.Header...)
	var pairs []string
	for _, c := range m.Cookies {
		pairs = append(pairs, c.Name+"="+c.Digest)
	}
	if len(pairs) > 0 {
		all = append(all, trace.Field{Name: "Cookie", Value: strings.Join(pairs, "; ")})
	}
	for _, c := range m.SetCookies {
		all = append(all, trace.Field{Name: "Set-Cookie", Value: c.Line})
	}
	return all
}

func size(m trace.Message) int {
	if m.HeaderBytes == 0 {
		return -1
	}
	return m.HeaderBytes
}

func query(text string) []trace.Field {
	all := []trace.Field{}
	for pair := range strings.SplitSeq(text, "&") {
		if name, value, _ := strings.Cut(pair, "="); name != "" {
			all = append(all, trace.Field{Name: plain(name), Value: plain(value)})
		}
	}
	return all
}

func plain(text string) string {
	if read, err := url.QueryUnescape(text); err == nil {
		return read
	}
	return text
}

// Write writes the archive of the trace in a file to another.
func Write(from, to string) error {
	t, err := trace.Read(from)
	if err != nil {
		return err
	}
	data, err := json.MarshalIndent(Of(t), "", " ")
	if err != nil {
		return fmt.Errorf("write the HAR of %s: %w", from, err)
	}
	if err := os.WriteFile(to, data, 0o644); err != nil {
		return fmt.Errorf("write the HAR of %s: %w", from, err)
	}
	return nil
}
