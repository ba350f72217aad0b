package visit

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"crossing/harness/edge"
)

// TimeWaits puts a stopwatch into every page of the frontend that this visitor
// opens from now on: Way.Waited reads it. The edge does that, since no driver
// of all engines can run a script before the page's own.
func (v *Visitor) TimeWaits() error {
	script, err := v.Way.Stopwatch()
	if err != nil {
		return err
	}
	v.Line.Break(edge.Fault{
		Name: "a stopwatch in the page",
		When: func(r *http.Request) bool {
			return "https://"+r.Host == v.Way.Origins.Frontend && strings.Contains(r.Header.Get("Accept"), "text/html")
		},
		Response: func(res *http.Response) error { return putIn(res, script) },
	})
	return nil
}

// putIn puts a script into a page, before all others; other answers stay.
func putIn(res *http.Response, script string) error {
	kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if res.StatusCode != http.StatusOK || kind != "text/html" {
		return nil
	}
	page, err := io.ReadAll(res.Body)
	if err != nil {
		return fmt.Errorf("read a page to put a script into it: %w", err)
	}
	edge.SetBody(res, inHead(page, "<script>"+script+"</script>"))
	const policy = "Content-Security-Policy"
	for i, line := range res.Header[policy] {
		res.Header[policy][i] = permit(line, script)
	}
	return nil
}

// Where a page's head begins; a page may leave the tag out, and the type, too.
var (
	headTag = regexp.MustCompile(`(?i)<head(\s[^>]*)?>`)
	docType = regexp.MustCompile(`(?i)^\s*<!doctype[^>]*>`)
)

func inHead(page []byte, tag string) []byte {
	at := 0
	if found := headTag.FindIndex(page); found != nil {
		at = found[1]
	} else if found := docType.FindIndex(page); found != nil {
		at = found[1]
	}
	return slices.Concat(page[:at], []byte(tag), page[at:])
}

// permit has a page's policy allow this one script by its hash (CSP Level 3,
// sections 2.3.1 and 6.8.2), and changes nothing else that it allows.
func permit(policy, script string) string {
	sum := sha256.Sum256([]byte(script))
	hash := "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	directives := strings.Split(policy, ";")
	governs := -1
	// The first of these that is there governs (section 6.8.3).
	for _, name := range []string{"script-src-elem", "script-src", "default-src"} {
		governs = slices.IndexFunc(directives, func(d string) bool {
			words := strings.Fields(d)
			return len(words) > 0 && strings.EqualFold(words[0], name)
		})
		if governs >= 0 {
			break
		}
	}
	if governs < 0 {
		return policy
	}
	words := strings.Fields(directives[governs])
	sources := words[1:]
	lists := func(prefix string) bool {
		return slices.ContainsFunc(sources, func(s string) bool { return strings.HasPrefix(strings.ToLower(s), prefix) })
	}
	// A hash would switch 'unsafe-inline' off, which allows it already unless
	// a hash or a nonce has done so.
	if lists("'unsafe-inline'") && !lists("'sha") && !lists("'nonce-") {
		return policy
	}
	sources = slices.DeleteFunc(slices.Clone(sources), func(s string) bool { return strings.EqualFold(s, "'none'") })
	allowed := strings.Join(append([]string{words[0]}, append(sources, hash)...), " ")
	if strings.EqualFold(words[0], "default-src") {
		// It governs more than scripts: these get a directive of their own.
		directives = append(directives, " "+strings.Replace(allowed, words[0], "script-src", 1))
	} else {
		directives[governs] = " " + allowed
	}
	return strings.TrimSpace(strings.Join(directives, ";"))
}
