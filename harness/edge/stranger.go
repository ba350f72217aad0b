package edge

import (
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"crossing/harness/trace"
)

// Stranger returns a site of the harness's own, of neither frontend nor auth,
// for Route.Handler: it shows what another top-level site sees of a visitor.
//
//	/            a page that says whose it is
//	/frame?url=  a page with one of the target's in a frame, id "frame"
//	/post?url=   a page with a form, id "form", that posts the other query
//	             parameters to the target; ?enctype= sets how they are written
//
// Only addresses on the target's own origins are accepted.
func Stranger(origins trace.Origins) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { show(w, view{}) })
	mux.HandleFunc("GET /frame", func(w http.ResponseWriter, r *http.Request) {
		if address, ok := targetURL(w, r, origins); ok {
			show(w, view{Frame: address})
		}
	})
	mux.HandleFunc("GET /post", func(w http.ResponseWriter, r *http.Request) {
		if address, ok := targetURL(w, r, origins); ok {
			showForm(w, r, address)
		}
	})
	return mux
}

// view is what the stranger's page shows.
type view struct {
	Frame, Action, Encoding string
	Fields                  []trace.Field
}

var strangerPage = template.Must(template.New("stranger").Parse(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>A stranger's site</title>
<link rel="icon" href="data:,">
<style>
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 44rem; margin: 4rem auto; padding: 0 1rem; color: #222; background: #fdfbf7 }
h1 { font-size: 1.4rem }
iframe { width: 100%; height: 24rem; border: 1px solid #bbb; border-radius: .4rem }
button { font: inherit; padding: .4rem 1rem }
</style>
</head>
<body>
<h1>A stranger's site</h1>
<p>Nobody signs in here. This site belongs to neither the frontend nor the auth service.</p>
{{- if .Frame}}
<p>A page of the application, in a frame:</p>
<iframe id="frame" src="{{.Frame}}"></iframe>
{{- end}}
{{- if .Action}}
<p>A form that posts to the application:</p>
<form id="form" method="post" action="{{.Action}}" enctype="{{.Encoding}}">
{{- range .Fields}}
<input type="hidden" name="{{.Name}}" value="{{.Value}}">
{{- end}}
<button id="submit" type="submit">Post to {{.Action}}</button>
</form>
{{- end}}
</body>
</html>
`))

func show(w http.ResponseWriter, v view) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_ = strangerPage.Execute(w, v) // the browser may have gone
}

func targetURL(w http.ResponseWriter, r *http.Request, origins trace.Origins) (string, bool) {
	address := r.URL.Query().Get("url")
	if within(address, func(o string) bool { return origins.Role(o) != trace.RoleUnknown }) {
		return address, true
	}
	http.Error(w, fmt.Sprintf("url %q is on none of the target's origins: give one that is", address), http.StatusBadRequest)
	return "", false
}

// encodings are those that a form can have (HTML, form-submission attributes);
// text/plain is how a cross-site form smuggles JSON past CORS.
var encodings = []string{"application/x-www-form-urlencoded", "multipart/form-data", "text/plain"}

func showForm(w http.ResponseWriter, r *http.Request, address string) {
	query := r.URL.Query()
	v := view{Action: address, Encoding: encodings[0]}
	if given := query.Get("enctype"); given != "" {
		if !slices.Contains(encodings, given) {
			http.Error(w, fmt.Sprintf("enctype %q: a form has one of %q", given, encodings), http.StatusBadRequest)
			return
		}
		v.Encoding = given
	}
	delete(query, "url")
	delete(query, "enctype")
	for name, values := range query {
		for _, value := range values {
			v.Fields = append(v.Fields, trace.Field{Name: name, Value: value})
		}
	}
	slices.SortStableFunc(v.Fields, func(a, b trace.Field) int { return strings.Compare(a.Name, b.Name) })
	show(w, v)
}
