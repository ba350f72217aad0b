package webdriver

import (
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"

	"crossing/harness/browser"
)

// relay is the one address at which a browser looks for its proxy whose driver
// sets none for a session, as safaridriver does not: that of its machine's
// settings. What comes there is passed on to the proxy of the session that is
// open; without one it is turned away.
type relay struct {
	listener net.Listener
	work     sync.WaitGroup

	mu   sync.Mutex
	to   string // host:port of the session's proxy; "": no session
	open map[net.Conn]bool
}

// listen begins a relay on a port of this machine's loopback.
func listen(port int) (*relay, error) {
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return nil, fmt.Errorf("EDGE_PORT=%d: the edge cannot listen there (%w); name the port that this machine's proxy settings name, and end what has it", port, err)
	}
	r := &relay{listener: l, open: map[net.Conn]bool{}}
	r.work.Go(func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return // closed
			}
			r.work.Go(func() { r.pass(from) })
		}
	})
	return r, nil
}

// take leads what comes from now on to a session's proxy, "http://host:port".
func (r *relay) take(proxy string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.to != "" {
		return fmt.Errorf("%w, since its proxy is its machine's", browser.ErrOneSession)
	}
	r.to = strings.TrimPrefix(proxy, "http://")
	return nil
}

// leave ends what the session had open, so that nothing of it reaches the next.
func (r *relay) leave() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.to = ""
	for c := range r.open {
		_ = c.Close()
	}
}

// pass carries one connection, both ways, until either end is closed.
func (r *relay) pass(from net.Conn) {
	defer from.Close()
	to, ok := r.admit("", from)
	if !ok {
		return
	}
	defer r.forget(from)
	proxy, err := net.Dial("tcp", to)
	if err != nil {
		return // the session's line has gone: so does the connection
	}
	defer proxy.Close()
	if _, ok := r.admit(to, proxy); !ok {
		return // the session has ended meanwhile
	}
	defer r.forget(proxy)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = io.Copy(proxy, from) // either end may go at any time
		_ = proxy.(*net.TCPConn).CloseWrite()
	}()
	_, _ = io.Copy(from, proxy)
	_ = from.Close()
	<-ended
}

// admit notes a connection of the session that is open, which must be that
// whose proxy is to, unless to is empty.
func (r *relay) admit(to string, c net.Conn) (string, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.to == "" || to != "" && to != r.to {
		return "", false
	}
	r.open[c] = true
	return r.to, true
}

func (r *relay) forget(c net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.open, c)
}

// close ends the relay and all that goes through it.
func (r *relay) close() error {
	err := r.listener.Close()
	r.leave()
	r.work.Wait()
	return err
}
