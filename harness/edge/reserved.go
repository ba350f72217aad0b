package edge

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// Below this path the edge answers itself, on every origin and past every
// fault, so that the browser's cookie policy is proved with the very sites of
// the application. A well-known name (RFC 8615) is no application's own.
const reservedPath = "/.well-known/crossing"

// Reserved says whether path is answered by the edge on every origin, and is
// no traffic of the application's.
func Reserved(path string) bool {
	return path == reservedPath || strings.HasPrefix(path, reservedPath+"/")
}

// The cookies of the reserved path: one as third-party cookies always were,
// and one as CHIPS wants it.
const (
	PlainCookie       = "crossing-plain"
	PartitionedCookie = "crossing-partitioned"
)

// reserved answers below the reserved path:
//
//	page     an empty page; ?frame=URL puts a frame with the id "frame" into it
//	set      sets both cookies, for ?max-age= seconds where given
//	cookies  the cookies received, {"crossing-plain": "value"}
//	clear    removes both cookies, in their partition and without one
func (e *Edge) reserved(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Add("Vary", "Origin")
	if origin := r.Header.Get("Origin"); e.origins[origin] {
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Allow-Credentials", "true")
		h.Set("Access-Control-Allow-Methods", "GET")
		h.Set("Access-Control-Allow-Headers", r.Header.Get("Access-Control-Request-Headers"))
	}
	if IsPreflight(r) {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if r.Method != http.MethodGet {
		h.Set("Allow", "GET, OPTIONS")
		speak(w, http.StatusMethodNotAllowed, "reserved", "Only GET is answered below "+reservedPath+".")
		return
	}
	switch strings.TrimPrefix(r.URL.Path, reservedPath+"/") {
	case "page":
		e.page(w, r)
	case "set":
		set(w, r)
	case "cookies":
		showCookies(w, r)
	case "clear":
		for _, name := range []string{PlainCookie, PartitionedCookie} {
			h.Add("Set-Cookie", cookieLine(name, "", "; Max-Age=0"))
			h.Add("Set-Cookie", cookieLine(name, "", "; Partitioned; Max-Age=0"))
		}
		writeJSON(w, map[string]string{})
	default:
		speak(w, http.StatusNotFound, "reserved", "Below "+reservedPath+" there are page, set, cookies and clear.")
	}
}

func cookieLine(name, value, more string) string {
	return name + "=" + value + "; Path=" + reservedPath + "; Secure; SameSite=None" + more
}

// set is not HttpOnly: a control reads document.cookie in the evaluation that
// wrote it.
func set(w http.ResponseWriter, r *http.Request) {
	age := ""
	if given := r.URL.Query().Get("max-age"); given != "" {
		seconds, err := strconv.Atoi(given)
		if err != nil {
			speak(w, http.StatusBadRequest, "reserved", fmt.Sprintf("max-age %q is no number of seconds.", given))
			return
		}
		age = "; Max-Age=" + strconv.Itoa(seconds)
	}
	values := map[string]string{PlainCookie: rand.Text(), PartitionedCookie: rand.Text()}
	w.Header().Add("Set-Cookie", cookieLine(PlainCookie, values[PlainCookie], age))
	w.Header().Add("Set-Cookie", cookieLine(PartitionedCookie, values[PartitionedCookie], "; Partitioned"+age))
	writeJSON(w, values)
}

func showCookies(w http.ResponseWriter, r *http.Request) {
	received := map[string]string{}
	for _, c := range r.Cookies() {
		if strings.HasPrefix(c.Name, "crossing-") {
			received[c.Name] = c.Value
		}
	}
	writeJSON(w, received)
}

func writeJSON(w http.ResponseWriter, v map[string]string) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // the browser may have gone
}

// The icon spares the application a request that no person made.
var emptyPage = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>crossing</title><link rel="icon" href="data:,"></head>
<body>{{if .}}<iframe id="frame" src="{{.}}"></iframe>{{end}}</body></html>
`))

func (e *Edge) page(w http.ResponseWriter, r *http.Request) {
	frame := r.URL.Query().Get("frame")
	if frame != "" && !within(frame, func(origin string) bool { return e.origins[origin] }) {
		speak(w, http.StatusBadRequest, "reserved", fmt.Sprintf("frame %q is on no origin of this edge.", frame))
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = emptyPage.Execute(w, frame)
}

// within says whether address is an https URL on one of the origins.
func within(address string, origin func(string) bool) bool {
	u, err := url.Parse(address)
	return err == nil && u.Scheme == "https" && u.User == nil && origin("https://"+u.Host)
}
