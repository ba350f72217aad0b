package conformance

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"

	"crossing/harness/edge"
	"crossing/harness/trace"
)

// Three origins on three registrable domains under listed top-level domains:
// WebKit takes subdomains of unlisted ones for third parties of each other.
const (
	front    = "https://www.harbour-lights.com"
	back     = "https://desk.northern-ferry.net"
	stranger = "https://lone-stranger.org"
	// nowhere is an origin that the edge does not know.
	nowhere = "https://nowhere.unheard-of.org"
)

// cookieValue is what the HttpOnly cookie holds.
const cookieValue = "conformance-secret-0123456789"

// site is what the three origins answer.
type site struct {
	visits atomic.Int64
	// held keeps requests to /hang open until the bench closes.
	held chan struct{}
	once sync.Once
}

func newSite() *site { return &site{held: make(chan struct{})} }

func (s *site) release() { s.once.Do(func() { close(s.held) }) }

func (s *site) routes() []edge.Route {
	return []edge.Route{
		{Origin: front, Role: trace.RoleFrontend, Handler: s.handler()},
		{Origin: back, Role: trace.RoleAuth, Handler: s.handler()},
		{Origin: stranger, Role: trace.RoleStranger, Handler: s.handler()},
	}
}

func (s *site) handler() http.Handler {
	mux := http.NewServeMux()
	for path, body := range pages {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) { write(w, body) })
	}
	mux.HandleFunc("GET /visits", func(w http.ResponseWriter, _ *http.Request) {
		write(w, fmt.Sprintf(`<p id="visits">%d</p>`, s.visits.Add(1)))
	})
	mux.HandleFunc("GET /moved", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/plain", http.StatusFound)
	})
	mux.HandleFunc("GET /away", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, stranger+"/plain", http.StatusFound)
	})
	mux.HandleFunc("GET /broken", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = w.Write([]byte(`<!doctype html><title>broken</title><p id="text">out of order</p>`))
	})
	mux.HandleFunc("GET /strict", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'self'; script-src 'self'")
		write(w, `<title>strict</title>`)
	})
	mux.HandleFunc("GET /hang", func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-s.held:
		case <-r.Context().Done():
		}
	})
	mux.HandleFunc("GET /cookies", func(w http.ResponseWriter, _ *http.Request) {
		for _, line := range []string{
			"__Host-kept=" + cookieValue + "; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=3600",
			"wide=plain-value-for-everyone; Domain=" + strings.TrimPrefix(front, "https://www.") + "; Path=/; Secure; SameSite=Strict",
		} {
			w.Header().Add("Set-Cookie", line)
		}
		write(w, `<title>cookies</title>`)
	})
	return mux
}

func write(w http.ResponseWriter, body string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write([]byte("<!doctype html><meta charset=utf-8>" + body))
}

// pages are the documents that every origin serves.
var pages = map[string]string{
	"/plain": `<title>plain</title><p id="text" data-kind="greeting">hello &amp; welcome</p>`,
	// Only trusted events count: whatever else arrives is counted apart.
	"/buttons": `<title>buttons</title><style>body{margin:0} button{display:block;height:30px}</style>
<button id="now">now</button>
<button id="off" disabled>off</button>
<div style="position:relative"><button id="under" style="width:200px">under</button>
<div id="cover" style="position:absolute;inset:0;background:silver"></div></div>
<button id="hidden" style="display:none">hidden</button>
<a id="link" href="/plain">link</a>
<div style="height:4000px"></div><button id="far">far</button>
<script>
window.clicks = {}; window.fake = 0;
addEventListener('click', e => {
	if (!e.isTrusted) { fake++; return }
	clicks[e.target.id] = (clicks[e.target.id] || 0) + 1;
}, true);
window.later = ms => setTimeout(() => {
	const b = document.createElement('button');
	b.id = 'later'; b.textContent = 'later';
	document.body.prepend(b);
}, ms);
window.enable = ms => setTimeout(() => { document.getElementById('off').disabled = false }, ms);
window.still = true;
window.drift = ms => {
	const now = document.getElementById('now'), until = performance.now() + ms;
	const step = (at) => {
		still = at > until;
		now.style.marginTop = (at / 10) % 200 + 'px';
		if (!still) requestAnimationFrame(step);
	};
	still = false;
	requestAnimationFrame(step);
};
window.dodge = () => addEventListener('mousemove', () => {
	const b = document.createElement('button');
	b.id = 'decoy'; b.textContent = 'decoy';
	b.onclick = () => { clicks.decoyed = 1 };
	document.body.prepend(b);
}, {once: true});
</script>`,
	// The controlled input does what a framework's does: it shadows the value
	// property of the element, so that an event after a plain assignment tells
	// it nothing new, and writes its state back after each event.
	"/form": `<title>form</title>
<input id="plain" value="old text"><input id="mail" type="email" value="old@example.com">
<input id="secret" type="password"><textarea id="area">old
lines</textarea><input id="controlled" value=""><input id="locked" readonly value="stays">
<input id="off" disabled value="stays">
<script>
window.events = []; window.fake = 0; window.state = '';
addEventListener('input', e => { if (e.isTrusted) events.push(e.target.id); else fake++ }, true);
(() => {
	const el = document.getElementById('controlled');
	const own = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value');
	let seen = el.value;
	Object.defineProperty(el, 'value', {
		get() { return own.get.call(this) },
		set(v) { seen = String(v); own.set.call(this, v) },
	});
	el.addEventListener('input', () => {
		const now = own.get.call(el);
		if (now === seen) return;
		seen = now; window.state = now; el.value = now;
	});
})();
</script>`,
	"/framed": `<title>framed</title><h1>outer</h1><script>
const f = document.createElement('iframe');
f.id = 'inner'; f.src = '` + back + `/inside';
document.body.append(f);
window.late = ms => setTimeout(() => {
	const g = document.createElement('iframe');
	g.id = 'late'; g.src = '` + stranger + `/inside';
	document.body.append(g);
}, ms);
</script>`,
	"/inside": `<title>inside</title><p id="text">inner text</p><button id="press">press</button>
<input id="field" value="old"><script>
window.pressed = 0; window.typed = 0;
document.getElementById('press').addEventListener('click', e => { if (e.isTrusted) pressed++ });
document.getElementById('field').addEventListener('input', e => { if (e.isTrusted) typed++ });
</script>`,
	"/halves": `<title>halves</title><style>html,body{margin:0;height:100%}
body{display:flex} div{flex:1} #l{background:rgb(200,20,20)} #r{background:rgb(20,20,200)}</style>
<div id="l"></div><div id="r"></div>`,
	"/throws": `<title>throws</title><script>
window.throwLater = () => setTimeout(() => { throw new Error('uncaught-by-timer') });
window.rejectLater = () => { Promise.reject(new Error('unhandled-rejection')) };
window.catchIt = () => { try { throw new Error('caught-and-handled') } catch { } };
</script>`,
}
