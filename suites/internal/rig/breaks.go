package rig

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// ChangeCookie changes an attribute of a Set-Cookie line of a response, or
// takes it out where value is "-"; a flag such as Partitioned has the value "".
func ChangeCookie(res *http.Response, cookie, attribute, value string) error {
	lines := res.Header.Values("Set-Cookie")
	res.Header.Del("Set-Cookie")
	for _, line := range lines {
		if strings.HasPrefix(line, cookie+"=") {
			line = changeAttribute(line, attribute, value)
		}
		res.Header.Add("Set-Cookie", line)
	}
	return nil
}

func changeAttribute(line, attribute, value string) string {
	parts := strings.Split(line, ";")
	kept := parts[:1]
	for _, p := range parts[1:] {
		name, _, _ := strings.Cut(strings.TrimSpace(p), "=")
		if !strings.EqualFold(name, attribute) {
			kept = append(kept, p)
		}
	}
	switch value {
	case "-":
	case "":
		kept = append(kept, " "+attribute)
	default:
		kept = append(kept, " "+attribute+"="+value)
	}
	return strings.Join(kept, ";")
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
