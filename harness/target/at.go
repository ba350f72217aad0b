package target

import (
	"fmt"
	"net/url"
	"strings"

	"crossing/harness/trace"
)

// Settings that name deployed origins.
var originSettings = map[string]string{
	"origins.frontend": "FRONTEND_URL", "origins.auth": "AUTH_URL", "origins.api": "API_URL",
}

// At is an application that is deployed at these origins and is reached as it
// is: no service is started for it, and its database is nobody's business. Its
// contract is like's; without one, the preset's. Its error names the setting.
func At(origins trace.Origins, like *Target) (*Target, error) {
	t := &Target{File: File{Contract: presets[BetterAuth]}, Path: originSettings["origins.auth"]}
	if like != nil {
		t.Name, t.Contract, t.Path, t.Dir, t.Previews = like.Name, like.Contract, like.Path, like.Dir, like.Previews
		t.Contract.SigningSecret = ""
		// What followed from the origin follows from the new one.
		if t.Contract.Issuer == like.Origins.Auth {
			t.Contract.Issuer = ""
		}
		if t.Contract.Audience == like.Origins.Auth {
			t.Contract.Audience = ""
		}
	}
	// As copied from a browser's address bar.
	for _, o := range []*string{&origins.Frontend, &origins.Auth, &origins.API} {
		*o = strings.TrimSuffix(strings.TrimSpace(*o), "/")
	}
	t.Origins = origins
	t.fill()
	if like == nil {
		t.Name = hostOf(origins.Auth)
	}
	if why := t.doubled(); why != "" {
		return nil, fmt.Errorf("%s", why)
	}
	var lines []string
	t.validateOrigins(func(field, why string, args ...any) {
		lines = append(lines, originSettings[field]+": "+fmt.Sprintf(why, args...))
	})
	if len(lines) > 0 {
		return nil, fmt.Errorf("%s", strings.Join(lines, "\n"))
	}
	return t, nil
}

// doubled: one address was given for two parts.
func (t *Target) doubled() string {
	seen := map[string]string{}
	for _, o := range []struct{ setting, value string }{
		{"FRONTEND_URL", t.Origins.Frontend}, {"AUTH_URL", t.Origins.Auth}, {"API_URL", t.Origins.API},
	} {
		if other := seen[o.value]; other != "" && o.value != "" {
			return fmt.Sprintf("%s and %s are both %s: give each part's own address", other, o.setting, o.value)
		}
		seen[o.value] = o.setting
	}
	return ""
}

func hostOf(origin string) string {
	u, err := url.Parse(origin)
	if err != nil {
		return origin
	}
	return u.Host
}
