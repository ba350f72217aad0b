package rig

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"

	"crossing/harness/edge"
)

// ChangeCookie changes an attribute of a Set-Cookie line of a response, or
// takes it out where value is "-"; a flag such as Partitioned has the value "".
func ChangeCookie(res *http.Response, cookie, attribute, value string) error {
	edge.ChangeCookie(res, cookie, attribute, value)
	return nil
}

// Expired makes the api refuse a token, for a while, as it will once its life
// is over. The
// api's own refusal is used, of a token whose signature is broken, so that all
// around it is as it would be; the reason alone is changed (PyJWT's words).
func Expired(token string, while func() bool) edge.Fault {
	return edge.Fault{
		Name: "the life of a token is over",
		When: func(r *http.Request) bool { return r.Header.Get("Authorization") == "Bearer "+token && while() },
		Request: func(r *http.Request) {
			r.Header.Set("Authorization", "Bearer "+Tampered(token))
		},
		Response: func(res *http.Response) error {
			const code, message = "ExpiredSignatureError", "the life of this token is over"
			told := res.Header.Get("WWW-Authenticate")
			res.Header.Set("WWW-Authenticate", brokenSignature.ReplaceAllString(told, code+": "+message))
			edge.SetBody(res, fmt.Appendf(nil, `{"code":%q,"message":%q}`, code, message))
			return nil
		},
	}
}

var brokenSignature = regexp.MustCompile(`InvalidSignatureError: [^"]*`)

// changeField sets one field of a JSON body.
func changeField(res *http.Response, field string, value any) error {
	if res.StatusCode != http.StatusOK {
		return nil // a 304 has no body to change
	}
	data, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	_ = res.Body.Close()
	var body map[string]any
	if err := json.Unmarshal(data, &body); err != nil {
		return fmt.Errorf("change %s in a body that is no JSON object: %w", field, err)
	}
	if _, there := body[field]; !there {
		return fmt.Errorf("change %s in a body that has no such field", field)
	}
	body[field] = value
	if data, err = json.Marshal(body); err != nil {
		return err
	}
	res.Body = io.NopCloser(bytes.NewReader(data))
	res.ContentLength = int64(len(data))
	res.Header.Set("Content-Length", strconv.Itoa(len(data)))
	return nil
}
