package behaviour

import (
	"cmp"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strconv"
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

var (
	visited = []string{front, sister, third, vercelA}
	asked   = []string{back, vercelB}
)

// Of a session that is shared, all behaviours share the sites that are only
// visited, and those that are only asked from other sites' pages, too: a
// browser need not connect to each anew, nor start a process for it. What keeps
// one from seeing what another has left is the name of its cookies (tags). Those
// that visit what they ask as first party have it apart, since browsers may
// remember that; and those that empty, fill or open something have it to
// themselves.
const (
	abroad = iota // asked from other sites' pages alone: the canonical ones
	home          // asked from their own pages
	alone         // the first of those that one behaviour has to itself
)

// Groups of behaviours that share what they ask.
const (
	thirdParties      = "Ordinary third-party cookie"
	partitionedCookie = "Partitioned cookie"
	frames            = "Frames"
	elsewhere         = "Attributes, set by a fetch from another site"
	ownSite           = "Attributes, on its own site"
	credentialed      = "Credentials"
	corsLacks         = "CORS: what the answer to a request lacks"
	preflightLacks    = "CORS: what the answer to its preflight lacks"
)

var sharing = map[string]int{
	thirdParties: abroad, partitionedCookie: abroad, frames: abroad, elsewhere: abroad, credentialed: abroad,
	corsLacks: abroad, preflightLacks: abroad, ownSite: home,
}

// exceptions are behaviours that do not share what their group does.
var exceptions = map[string]int{
	"third-party-visited": alone, "partitioned-own-site": alone,
	"partitioned-top-level": home, "partitioned-same-name": home, "partitioned-delete": home, "partitioned-delete-own": home,
	"redirect-embedded-to": abroad, "redirect-embedded-from": abroad,
	"localstorage-stays": abroad, "http-cache": abroad,
}

// sites are those of one visit. All that a probe names is canonical.
type sites struct {
	set int    // of the sites that are asked
	tag string // of the cookies and of all else that has a name; "" for the canonical one
}

// sitesOf are those of the i-th behaviour in a session that is shared.
func sitesOf(i int, what Behaviour) sites {
	set, known := exceptions[what.Name]
	if !known {
		if set, known = sharing[what.Group]; !known {
			set = alone
		}
	}
	if set == alone {
		set += i
	}
	return sites{set: set, tag: strconv.Itoa(i + 1)}
}

// crumb is the canonical name of what a behaviour leaves: a cookie, an entry of
// storage, an address of its own.
const crumb = "crumb"

// real is a text with the names of these sites and of what is left there.
func (s sites) real(text string) string {
	var names []string
	if s.set != abroad {
		names = append(names,
			"anchor-back.net", fmt.Sprintf("anchor-back-%d.net", s.set),
			"b.vercel.app", fmt.Sprintf("b-%d.vercel.app", s.set))
	}
	if s.tag != "" {
		names = append(names, crumb, crumb+"-"+s.tag)
	}
	return strings.NewReplacer(names...).Replace(text)
}

// canonical is the name of a cookie, if it is one of this visit's.
func (s sites) canonical(name string) (string, bool) {
	before, tag, tagged := strings.Cut(name, crumb+"-")
	if !tagged {
		return name, true
	}
	return before + crumb, tag == s.tag
}

// origins are all of this visit's.
func (s sites) origins() []string {
	all := slices.Clone(visited)
	for _, origin := range asked {
		all = append(all, s.real(origin))
	}
	return all
}

// routes are those of so many sets of sites.
func routes(sets int) []edge.Route {
	h := site()
	known := map[string]bool{}
	var all []edge.Route
	for n := range sets {
		for _, origin := range (sites{set: n}).origins() {
			if !known[origin] {
				known[origin] = true
				all = append(all, edge.Route{Origin: origin, Role: trace.RoleStranger, Handler: h})
			}
		}
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
//	/number/…  a number, another one for each request that arrives; cacheable
//	/cors/…    answers with the headers of ?h=Name:value alone; a preflight, with
//	           those of ?p= and the status ?s=
//
// A page's own origin may read all of them but /cors/, with credentials.
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
	handle("/number/", func(w http.ResponseWriter, r *http.Request) {
		// The same for every origin: an answer for one alone would be refused
		// to another, cached or not.
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Del("Access-Control-Allow-Credentials")
		w.Header().Set("Cache-Control", "public, max-age=600")
		_, _ = fmt.Fprint(w, numbers.Add(1))
	})
	mux.HandleFunc("/cors/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		headers, status := r.URL.Query()["h"], http.StatusOK
		if edge.IsPreflight(r) {
			headers = r.URL.Query()["p"]
			status, _ = strconv.Atoi(cmp.Or(r.URL.Query().Get("s"), "204"))
		}
		for _, line := range headers {
			name, value, _ := strings.Cut(line, ":")
			w.Header().Set(name, value)
		}
		w.WriteHeader(status)
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
	access = 'asked, and not answered'
	try { await document.requestStorageAccess(); access = 'granted' } catch (e) { access = 'denied' }
}
</script></head>
<body><button id="ask" onclick="ask()">ask</button> <button id="popup" onclick="window.open(popup)">open</button> <button id="nothing">nothing</button>
{{range $i, $src := .}}<iframe id="frame{{$i}}" src="{{$src}}"></iframe>{{end}}</body></html>
`))

func page(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = document.Execute(w, r.URL.Query()["frame"]) // the browser may have gone
}
