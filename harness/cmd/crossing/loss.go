package main

import (
	"net/http"
	"sync"

	"crossing/harness/target"
	"crossing/harness/trace"
)

// loss notices that a visitor who was signed in is no longer found.
type loss struct {
	contract    target.Contract
	keepsCookie bool

	mu       sync.Mutex
	signedIn bool
	turns    int
}

// What an exchange says of the session.
type verdict int

const (
	sessionKept verdict = iota
	// sessionDoubted: the page asked without credentials, which is its way to
	// find out that this browser keeps no cookie; it may ask again with others.
	sessionDoubted
	sessionLost
)

// see takes the visitor's exchanges in their order.
func (l *loss) see(e trace.Exchange) verdict {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e.Role != trace.RoleAuth || e.Preflight || e.Err != "" {
		return sessionKept
	}
	ok := e.Status >= 200 && e.Status < 300
	paths, as := l.contract.Paths, l.contract.Requests
	is := func(path, method string) bool { return e.Path == path && e.Method == method }
	switch {
	case is(paths.SignUp, as.SignUp.Method), is(paths.SignIn, as.SignIn.Method):
		l.signedIn = l.signedIn || ok
		l.turns++
	case is(paths.SignOut, as.SignOut.Method):
		l.signedIn = l.signedIn && !ok
		l.turns++
	case is(paths.Session, http.MethodGet):
		person, _ := l.contract.SignedIn.Of(e.Status, e.Response.Body)
		return l.asked(e, person != "")
	case is(paths.Token, http.MethodGet):
		if e.Status == http.StatusUnauthorized {
			return l.asked(e, false)
		}
	}
	return sessionKept
}

// asked judges the answer to a question for the session.
func (l *loss) asked(e trace.Exchange, found bool) verdict {
	l.turns++
	if found {
		l.signedIn = true
		return sessionKept
	}
	answered := e.Status == http.StatusOK || e.Status == http.StatusUnauthorized
	if !l.signedIn || !answered {
		return sessionKept
	}
	if !l.keepsCookie && e.Request.Get("Authorization") == "" {
		return sessionDoubted
	}
	l.signedIn = false
	return sessionLost
}

// turn counts what has been seen of the session so far.
func (l *loss) turn() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.turns
}

// confirm says whether a doubt has become a loss: nothing came after it.
func (l *loss) confirm(turn int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	lost := l.signedIn && l.turns == turn
	if lost {
		l.signedIn = false
	}
	return lost
}
