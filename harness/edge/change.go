package edge

import (
	"net/http"
	"strings"
)

// ChangeCookie changes an attribute of a cookie's Set-Cookie lines, for a
// Fault's Response, or takes it out where value is "-"; a flag such as
// Partitioned has the value "".
func ChangeCookie(resp *http.Response, cookie, attribute, value string) {
	ChangeSetCookie(resp, cookie, func(line string) []string {
		return []string{changeAttribute(line, attribute, value)}
	})
}

// ChangeSetCookie puts what change returns in place of each Set-Cookie line of
// a cookie; no lines drop it.
func ChangeSetCookie(resp *http.Response, cookie string, change func(line string) []string) {
	lines := resp.Header.Values("Set-Cookie")
	resp.Header.Del("Set-Cookie")
	for _, line := range lines {
		if !strings.HasPrefix(line, cookie+"=") {
			resp.Header.Add("Set-Cookie", line)
			continue
		}
		for _, changed := range change(line) {
			resp.Header.Add("Set-Cookie", changed)
		}
	}
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
