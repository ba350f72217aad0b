package edge

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/websocket"

	"crossing/harness/trace"
)

func TestAStreamArrivesWhileItLasts(t *testing.T) {
	read := make(chan struct{})
	w := newWorld(t, behind(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for i := range 3 {
			fmt.Fprintf(w, "data: %d\n", i)
			_ = http.NewResponseController(w).Flush()
			select { // the next only once this one was read
			case <-read:
			case <-r.Context().Done():
				return
			}
		}
	})))
	for _, change := range []func(*http.Transport){http1, nil} {
		resp, err := w.browser(t, change).Get(origins.Auth + "/events")
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(resp.Body)
		for i := range 3 {
			if !lines.Scan() || lines.Text() != fmt.Sprintf("data: %d", i) {
				t.Fatalf("%s: event %d is %q, error %v", resp.Proto, i, lines.Text(), lines.Err())
			}
			select {
			case read <- struct{}{}:
			case <-time.After(5 * time.Second):
				t.Fatalf("%s: the service has gone", resp.Proto)
			}
		}
		if lines.Scan() {
			t.Errorf("%s: more came: %q", resp.Proto, lines.Text())
		}
		_ = resp.Body.Close()
		if x := w.last(t); x.Response.Bytes != 24 || x.Response.Body != "" || x.Err != "" {
			t.Errorf("%s: recorded %+v", resp.Proto, x)
		}
	}
}

func TestALargeUploadPassesWhole(t *testing.T) {
	w := newWorld(t, behind(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		fmt.Fprintf(w, "%d %v", n, err)
	})))
	const size = 3 << 20
	for _, change := range []func(*http.Transport){http1, nil} {
		resp, err := w.browser(t, change).Post(origins.Auth+"/upload", "application/octet-stream", bytes.NewReader(make([]byte, size)))
		if err != nil {
			t.Fatal(err)
		}
		got, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if string(got) != fmt.Sprintf("%d <nil>", size) || w.last(t).Request.Bytes != size {
			t.Errorf("%s: the service counted %s, the trace %d", resp.Proto, got, w.last(t).Request.Bytes)
		}
	}
}

// dialWebSocket speaks to auth through the line, as a browser does: HTTP/1.1 in
// a tunnel of its own.
func (w *world) dialWebSocket(t *testing.T) *websocket.Conn {
	t.Helper()
	secure, err := w.handshake(t, "auth.crossing-back.net",
		&tls.Config{RootCAs: w.edge.Pool(), ServerName: "auth.crossing-back.net", NextProtos: []string{"http/1.1"}})
	if err != nil {
		t.Fatal(err)
	}
	config, err := websocket.NewConfig("wss://auth.crossing-back.net/live?token=canary-socket-01", origins.Frontend)
	if err != nil {
		t.Fatal(err)
	}
	ws, err := websocket.NewClient(config, secure)
	if err != nil {
		t.Fatal(err)
	}
	return ws
}

func TestAWebSocketPassesThrough(t *testing.T) {
	w := newWorld(t, behind(t, websocket.Handler(func(ws *websocket.Conn) {
		var text string
		for websocket.Message.Receive(ws, &text) == nil {
			_ = websocket.Message.Send(ws, text)
		}
	})))
	ws := w.dialWebSocket(t)
	for _, said := range []string{"hello", strings.Repeat("long ", 5000)} {
		var heard string
		if err := websocket.Message.Send(ws, said); err != nil {
			t.Fatal(err)
		}
		if err := websocket.Message.Receive(ws, &heard); err != nil || heard != said {
			t.Fatalf("heard %.40q, error %v", heard, err)
		}
	}
	x := w.last(t) // while it is still open
	if x.Status != 101 || x.Instance != "auth" || x.Path != "/live" || x.PageOrigin != origins.Frontend || x.Response.Get("Upgrade") != "websocket" || x.Err != "" {
		t.Errorf("recorded %+v", x)
	}
	findNothing(t, w, map[string]string{"query token": "canary-socket-01"})
	if err := ws.Close(); err != nil {
		t.Error(err)
	}
	until(t, func() error {
		w.line.mu.Lock()
		defer w.line.mu.Unlock()
		if n := len(w.line.passages); n > 0 {
			return fmt.Errorf("%d passages are open", n)
		}
		return nil
	})
	if n := len(w.rec.Snapshot().Exchanges); n != 1 {
		t.Errorf("%d exchanges for one socket", n)
	}
}

func TestARefusedUpgradeIsAnAnswer(t *testing.T) {
	w := newWorld(t, behind(t, http.NotFoundHandler()))
	r := ask(t, w.browser(t, http1), "GET", origins.Auth+"/live", "", "Connection", "Upgrade", "Upgrade", "websocket")
	if x := w.await(t, "the refusal", func(x trace.Exchange) bool { return x.Path == "/live" }); r.StatusCode != 404 || x.Status != 404 {
		t.Errorf("%d, recorded %+v", r.StatusCode, x)
	}
}

func TestLinesCloseInBoundedTimeWhateverIsOpen(t *testing.T) {
	began := make(chan struct{}, 8)
	hang := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began <- struct{}{}
		<-r.Context().Done()
	})
	mux := http.NewServeMux()
	mux.Handle("/hang", hang)
	mux.Handle("/live", websocket.Handler(func(ws *websocket.Conn) { _, _ = io.Copy(ws, ws) }))
	w := newWorld(t, behind(t, mux))
	ws := w.dialWebSocket(t)
	proxy, err := url.Parse(w.line.Proxy())
	if err != nil {
		t.Fatal(err)
	}
	failed := make(chan error, 2)
	for _, c := range []*http.Client{w.browser(t, http1), w.browser(t, nil)} {
		go func() {
			_, err := try(c, "GET", origins.Auth+"/hang", "")
			failed <- err
		}()
		<-began
	}
	start := time.Now()
	if err := w.line.Close(); err != nil {
		t.Error(err)
	}
	if err := w.line.Close(); err != nil {
		t.Errorf("closed twice: %v", err)
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("closing took %v", took)
	}
	for range 2 {
		if err := <-failed; err == nil {
			t.Error("a request that hung got an answer")
		}
	}
	var heard string
	if err := websocket.Message.Receive(ws, &heard); err == nil {
		t.Error("the socket is still open")
	}
	if n := len(w.rec.Snapshot().Exchanges); n != 3 { // all that was open, and nothing is added later
		t.Errorf("%d exchanges are recorded", n)
	}
	c := &http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(proxy)}, Timeout: 5 * time.Second}
	if _, err := try(c, "GET", "http://auth.crossing-back.net/", ""); err == nil {
		t.Error("the listener is still open")
	}
}

func TestWhatHoldsUpCloseIsNamed(t *testing.T) {
	w := newWorld(t, nil)
	release, began := make(chan struct{}), make(chan struct{})
	w.line.Break(Fault{Name: "deaf", Answer: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(began)
		<-release
	})})
	go func() { _, _ = try(w.browser(t, nil), "GET", origins.Auth+"/deaf", "") }()
	<-began
	err := w.line.Close()
	close(release)
	if err == nil || !strings.Contains(err.Error(), "GET "+origins.Auth+"/deaf") {
		t.Errorf("error %v", err)
	}
}
