package behaviour

import (
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"sync/atomic"

	"crossing/harness/edge"
	"crossing/harness/trace"
)

// The sites. They exist inside the edge only.
const (
	front   = "https://docs.harbour-front.com"
	sister  = "https://shop.harbour-front.com" // of front's site
	back    = "https://auth.anchor-back.net"
	third   = "https://www.far-stranger.org"
	vercelA = "https://a.vercel.app" // vercel.app is a public suffix
	vercelB = "https://b.vercel.app"
)

var origins = trace.Origins{Frontend: front, Auth: back, Stranger: third}

func routes() []edge.Route {
	h := site()
	var all []edge.Route
	for _, o := range []string{front, sister, back, third, vercelA, vercelB} {
		all = append(all, edge.Route{Origin: o, Role: trace.RoleStranger, Handler: h})
	}
	return all
}

// site answers on every origin:
//
//	/page      a page; ?frame=URL, several times: frames, with the ids frame0, frame1…
//	/set       sets the cookies of ?c=LINE, several times
//	/line      hands the line of ?c= to a script, in the header X-Line
//	/cookies   what was received: {"cookies": ["name=value", …], "site": Sec-Fetch-Site}
//	/to        sets the cookies of ?c= and redirects to ?u=
//	/clear     Clear-Site-Data: "cookies"
//	/number    a number, another one for each request that arrives; cacheable
//	/cors      answers with the headers of ?h=Name:value alone
//
// A page's own origin may read all of them but /cors, with credentials.
func site() http.Handler {
	var numbers atomic.Int64
	mux := http.NewServeMux()
	handle := func(path string, f func(w http.ResponseWriter, r *http.Request)) {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "no-store")
			permit(w.Header(), r)
			for _, line := range r.URL.Query()["c"] {
				if path == "/set" || path == "/to" {
					w.Header().Add("Set-Cookie", line)
				}
			}
			if r.Method == http.MethodOptions {
				w.WriteHeader(http.StatusNoContent)
				return
			}
			f(w, r)
		})
	}
	handle("/page", page)
	handle("/set", page)
	handle("/line", func(w http.ResponseWriter, r *http.Request) { w.Header().Set("X-Line", r.URL.Query().Get("c")) })
	handle("/cookies", func(w http.ResponseWriter, r *http.Request) {
		var all []string
		for _, c := range r.Cookies() {
			all = append(all, c.Name+"="+c.Value)
		}
		_ = json.NewEncoder(w).Encode(answer{Cookies: all, Site: r.Header.Get("Sec-Fetch-Site")})
	})
	handle("/to", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.URL.Query().Get("u"), http.StatusFound)
	})
	handle("/clear", func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Clear-Site-Data", `"cookies"`) })
	handle("/number", func(w http.ResponseWriter, r *http.Request) {
		// The same for every origin: an answer for one alone would be refused
		// to another, cached or not.
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Del("Access-Control-Allow-Credentials")
		w.Header().Set("Cache-Control", "public, max-age=600")
		_, _ = fmt.Fprint(w, numbers.Add(1))
	})
	mux.HandleFunc("/cors", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		for _, line := range r.URL.Query()["h"] {
			name, value, _ := strings.Cut(line, ":")
			w.Header().Set(name, value)
		}
	})
	return mux
}

type answer struct {
	Cookies []string `json:"cookies"`
	Site    string   `json:"site"`
}

func permit(h http.Header, r *http.Request) {
	if origin := r.Header.Get("Origin"); origin != "" {
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Allow-Credentials", "true")
		h.Set("Access-Control-Allow-Headers", "X-Asked")
		h.Set("Access-Control-Expose-Headers", "X-Line")
	}
}

// document is a page whose buttons act on a person's click: one asks for
// storage access, one opens a window.
var document = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>page</title><link rel="icon" href="data:,">
<script>
let access = 'no click arrived', popup = ''
async function ask() {
	if (!document.requestStorageAccess) { access = 'no such API'; return }
	try { await document.requestStorageAccess(); access = 'granted' } catch (e) { access = 'denied' }
}
</script></head>
<body><button id="ask" onclick="ask()">ask</button> <button id="popup" onclick="window.open(popup)">open</button>
{{range $i, $src := .}}<iframe id="frame{{$i}}" src="{{$src}}"></iframe>{{end}}</body></html>
`))

func page(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = document.Execute(w, r.URL.Query()["frame"]) // the browser may have gone
}
