// Package webdriver drives a browser by the W3C WebDriver protocol
// (https://www.w3.org/TR/webdriver2/): stock WebKitGTK, which it starts, with
// WebKitWebDriver and MiniBrowser; and whatever an endpoint elsewhere has. The protocol's client, the sessions and pages upon
// it, and what is WebKitGTK's own are kept apart, so that other drivers of
// this protocol can be put beneath the same sessions. It knows no BiDi.
package webdriver

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// Error codes that are acted on (WebDriver, section 6.6, "Handling errors").
const (
	codeIntercepted     = "element click intercepted"
	codeInvalidSession  = "invalid session id"
	codeJavaScript      = "javascript error"
	codeNoElement       = "no such element"
	codeNoFrame         = "no such frame"
	codeNoWindow        = "no such window"
	codeNotInteractable = "element not interactable"
	codeNotCreated      = "session not created"
	codeStale           = "stale element reference"
	codeUnknown         = "unknown error"
)

// errTransport is why there is no answer at all: the remote end has gone, or
// the context has ended.
var errTransport = errors.New("no answer from the driver")

// wireError is an error that the remote end answered with.
type wireError struct {
	Status  int    `json:"-"`
	Code    string `json:"error"`
	Message string `json:"message"`
}

func (e *wireError) Error() string {
	if e.Message == "" {
		return e.Code
	}
	return e.Code + ": " + e.Message
}

// code returns the W3C code of an error that the remote end answered with,
// and "" for any other one.
func code(err error) string {
	var e *wireError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// client is the local end: it speaks with one remote end, whose address is
// base, "http://127.0.0.1:4444".
type client struct {
	base string
	http *http.Client
}

// newClient makes a client that honours no proxy variables: drivers stand on
// loopback, and a grid is reached as directly as the harness itself.
func newClient(base string) *client {
	return &client{base: base, http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 2}}}
}

func (c *client) close() { c.http.CloseIdleConnections() }

// call sends one command, with ctx as its limit, and decodes the "value" of
// the answer into out, which may be nil. A body of nil is sent as {} where the
// method is POST, as the protocol wants it.
func (c *client) call(ctx context.Context, method, path string, body, out any) error {
	var payload io.Reader
	if method == http.MethodPost {
		if body == nil {
			body = struct{}{}
		}
		data, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("encode %s %s: %w", method, path, err)
		}
		payload = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, payload)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	res, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("%w: %w", errTransport, err)
	}
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		return fmt.Errorf("%w: read what it says to %s %s: %w", errTransport, method, path, err)
	}
	return decode(res.StatusCode, data, out)
}

// decode takes an answer apart: {"value": ...}, which for an error holds its
// code and message (WebDriver, section 6.6).
func decode(status int, data []byte, out any) error {
	var answer struct {
		Value json.RawMessage `json:"value"`
	}
	if err := json.Unmarshal(data, &answer); err != nil || answer.Value == nil {
		return &wireError{Status: status, Code: codeUnknown,
			Message: fmt.Sprintf("status %d and no WebDriver answer: %.200q", status, data)}
	}
	if status < 200 || status > 299 {
		e := &wireError{Status: status}
		if err := json.Unmarshal(answer.Value, e); err != nil || e.Code == "" {
			return &wireError{Status: status, Code: codeUnknown,
				Message: fmt.Sprintf("status %d and no error code: %.200q", status, data)}
		}
		return e
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(answer.Value, out); err != nil {
		return fmt.Errorf("decode the answer %.200q: %w", answer.Value, err)
	}
	return nil
}
