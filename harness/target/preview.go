package target

import (
	"fmt"
	"path"
	"regexp"
	"strings"
)

// vercelPreview are the names that Vercel gives to one build and to a branch's
// newest (Vercel, "Generated URLs"): project-<hash>-scope, project-git-branch-
// scope. A hash is nine letters and digits; one without any digit could be a
// word, and is not taken for one.
var (
	vercelBuild  = regexp.MustCompile(`^[a-z0-9-]+-([a-z0-9]{9})-[a-z0-9-]+\.vercel\.app$`)
	vercelBranch = regexp.MustCompile(`^[a-z0-9-]+-git-[a-z0-9-]+\.vercel\.app$`)
)

// preview says whether a host is a preview's, by its name or by a pattern of
// the file's.
func (t *Target) preview(host string) bool {
	for _, pattern := range t.Previews {
		if fits, err := path.Match(pattern, host); err == nil && fits {
			return true
		}
	}
	build := vercelBuild.FindStringSubmatch(host)
	return vercelBranch.MatchString(host) || build != nil && strings.ContainsAny(build[1], "0123456789")
}

// GuardProduction refuses a deployment that is no preview, unless its host was
// named: people are signed up there. It names the setting.
func (t *Target) GuardProduction(allowed []string) error {
	known := map[string]bool{}
	for _, host := range allowed {
		known[strings.ToLower(strings.TrimSpace(host))] = true
	}
	for _, o := range []struct{ field, value string }{
		{"origins.frontend", t.Origins.Frontend}, {"origins.auth", t.Origins.Auth}, {"origins.api", t.Origins.API},
	} {
		host := hostOf(o.value)
		if host == "" || known[host] || t.preview(host) {
			continue
		}
		return fmt.Errorf("%s=%s is no preview by its name (PROJECT-HASH-SCOPE or PROJECT-git-BRANCH-SCOPE under vercel.app, or a pattern among previews in crossing.yaml), and new people are signed up there: write ALLOW_PRODUCTION=%s if that is meant", originSettings[o.field], o.value, host)
	}
	return nil
}

func (t *Target) validatePreviews(add adder) {
	for i, pattern := range t.Previews {
		if _, err := path.Match(pattern, ""); err != nil || strings.Contains(pattern, "/") || strings.Trim(pattern, "*.") == "" {
			add(fmt.Sprintf("previews[%d]", i), "%q is no pattern of hosts; write one such as *.preview.example.com, where * stands for any letters", pattern)
		}
	}
}
