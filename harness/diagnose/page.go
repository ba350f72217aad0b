package diagnose

import (
	"fmt"
	"strings"

	"crossing/harness/trace"
)

// pageRules are the faults of what happens inside a page before a request
// leaves it: they show by what is missing on the wire.
var pageRules = []rule{
	{CauseInfo{
		Slug: "mixed-content", Hops: []Hop{HopBrowser},
		Means: "The frontend was told an http address of the auth service or the api, which a page of https may not call (W3C, Mixed Content).",
		Shows: "No call to the service at all; the frontend's settings name the address with http.",
	}, mixedContent},
	{CauseInfo{
		Slug: "service-worker-cache", Hops: []Hop{HopBrowser},
		Means: "A service worker of the frontend answers the question for the session in the service's place.",
		Shows: "The page is under a service worker and shows somebody signed out; no get-session left the browser since it loaded.",
	}, workerCache},
	{CauseInfo{
		Slug: "browser-clock", Hops: []Hop{HopBrowser},
		Means: "The browser's clock is wrong, and the frontend judges a token's exp by it, so that it takes every token for expired.",
		Shows: "The page's clock differs from the harness's; the token call is 200, and the api is never called.",
	}, browserClock},
}

// mixedContent reads the frontend's own JSON answers, which tell it where the
// services are.
func mixedContent(s *scene) (*Finding, string) {
	o := s.t.Subject.Origins
	told := false
	for _, e := range s.t.Exchanges {
		if e.Role != trace.RoleFrontend || e.Response.Body == "" {
			continue
		}
		for _, at := range []string{o.Auth, o.API} {
			plain := "http://" + strings.TrimPrefix(at, "https://")
			told = told || strings.Contains(e.Response.Body, at)
			if at == "" || !strings.Contains(e.Response.Body, plain) {
				continue
			}
			c := call{Exchange: e}
			f := of(c)
			f.Evidence[0] += ", which names " + plain
			for _, p := range s.t.PageErrors {
				if strings.Contains(p.Text, plain) {
					f.Evidence = append(f.Evidence, "the browser: "+p.Text)
				}
			}
			f.Title = fmt.Sprintf("the frontend was told to call %s, and a page of https may not call an http address", plain)
			return f, ""
		}
	}
	if told {
		return nil, "the frontend was told https addresses"
	}
	return nil, ""
}

// workerCache: the page loaded, decided who the person is, and asked nobody.
func workerCache(s *scene) (*Finding, string) {
	for _, o := range s.observed(trace.ObserveWorker) {
		if o.Answer != trace.AnswerPresent {
			return nil, "no service worker answers the page"
		}
		loaded, asked := s.loaded(), false
		for _, c := range s.signedIn(atSession) {
			asked = asked || c.Time.After(loaded.Time)
		}
		out := s.lastStandings()
		if loaded.ID == "" || asked || len(out) == 0 || out[len(out)-1].Undecided {
			continue
		}
		st := out[len(out)-1]
		f := &Finding{At: st.Time, Evidence: []string{quote(o), call{Exchange: loaded}.line() + ", and no get-session since", fmt.Sprintf("%s showed the person signed out %s", st.TopLevel, stepOf(st))}}
		f.Title = fmt.Sprintf("the service worker %s answered for the auth service: the page says that nobody is signed in, and no question for the session left the browser", o.Detail)
		return f, ""
	}
	return nil, ""
}

// loaded is the last page of the frontend that the browser loaded.
func (s *scene) loaded() (last trace.Exchange) {
	for _, e := range s.t.Exchanges {
		accept := e.Request.Get("Accept")
		if e.Role == trace.RoleFrontend && (e.Request.Get("Sec-Fetch-Dest") == "document" || strings.HasPrefix(accept, "text/html")) {
			last = e
		}
	}
	return last
}

func browserClock(s *scene) (*Finding, string) {
	for _, o := range s.observed(trace.ObserveClock) {
		if o.Instance != "browser" {
			continue
		}
		if o.Answer == trace.AnswerYes {
			return nil, "the browser's clock is right"
		}
		token, got := s.answered(atToken, 200)
		if !got || len(s.signedIn(atAPI)) > 0 {
			return nil, ""
		}
		f := of(token)
		f.Evidence = append(f.Evidence, quote(o), "no call to the api followed")
		f.Title = fmt.Sprintf("the browser's clock is wrong by %s, and the frontend, which judges exp by it, used no token that it was given", o.Detail)
		f.opens = "The api was never called"
		return f, ""
	}
	return nil, ""
}
