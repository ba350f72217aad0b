package target

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Reference is ${name} or ${kind.name} in a string of crossing.yaml; a doubled
// dollar sign, $${HOME}, leaves the rest to a shell as ${HOME}.
var Reference = regexp.MustCompile(`\$?\$\{([^}]*)\}`)

// own are references to the instance that reads them.
var own = []string{"port", "host", "data", "instance"}

// unknown says why a reference in text can never be filled in, or nothing.
// inside: an instance reads it, which has a port and so on of its own. A
// variable of the environment (${env.X}) is known when a run starts, not here.
func (t *Target) unknown(text string, inside bool) string {
	for _, found := range Reference.FindAllString(text, -1) {
		if strings.HasPrefix(found, "$$") || strings.HasPrefix(found, "${env.") {
			continue
		}
		all := t.references(inside)
		if !slices.Contains(all, found) {
			return fmt.Sprintf("%s is unknown; allowed: %s, ${env.NAME} (and $${X} for a ${X} that is meant for a shell)", found, strings.Join(all, ", "))
		}
	}
	return ""
}

// references lists all that there are.
func (t *Target) references(inside bool) []string {
	var all []string
	put := func(format string, names ...string) {
		for _, name := range names {
			all = append(all, fmt.Sprintf(format, name))
		}
	}
	if inside {
		put("${%s}", own...)
	}
	for _, o := range t.roles() {
		if o.value != "" {
			put("${origin.%s}", o.role)
		}
	}
	put("${secret.%s}", t.Secrets...)
	put("${address.%s}", t.instanceNames()...)
	put("${url.%s}", t.instanceNames()...)
	return all
}

// validateReferences looks into every string that is filled in.
func (t *Target) validateReferences(add adder) {
	check := func(field, text string, inside bool) {
		if why := t.unknown(text, inside); why != "" {
			add(field, "%s", why)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(t.Services)) {
		s, field := t.Services[name], "services."+name
		check(field+".command", s.Command, true)
		check(field+".migrate", s.Migrate, true)
		check(field+".ready.sql", s.Ready.SQL, true)
		environment := func(field string, all map[string]string) {
			for _, variable := range slices.Sorted(maps.Keys(all)) {
				check(field+".environment."+variable, all[variable], true)
			}
		}
		environment(field, s.Environment)
		for i, instance := range s.Instances {
			environment(fmt.Sprintf("%s.instances[%d]", field, i), instance.Environment)
		}
	}
	if t.Database != nil {
		check("database.url", t.Database.URL, false)
	}
}
