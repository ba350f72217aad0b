package rig

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"crossing/harness/edge"
)

// ChangeCookie changes an attribute of a Set-Cookie line of a response, or
// takes it out where value is "-"; a flag such as Partitioned has the value "".
func ChangeCookie(res *http.Response, cookie, attribute, value string) error {
	edge.ChangeCookie(res, cookie, attribute, value)
	return nil
}

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
