package diagnose

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"crossing/harness/trace"
)

// living is a signed-in person's trace, to be gone on with.
func living(w world) *walker {
	t := w.walk()
	t.Subject.Paths.RevokeAll = "/api/auth/revoke-sessions"
	return &walker{w: w, t: t, r: trace.NewRedactor([]byte("key")), now: start.Add(time.Second), n: len(t.Exchanges), value: "token0123456789.c2lnbmF0dXJl"}
}

func named200(ends time.Time) answer {
	return says200(fmt.Sprintf(`{"session":{"expiresAt":%q},"user":{"email":"ada@example.com","id":"u1"}}`, ends.Format(time.RFC3339Nano)))
}

// brief has the session end ten seconds after the sign-in, and its person use it
// at these seconds of its life; each use moves the end by lengthens.
func brief(w world, lengthens time.Duration, uses ...int) *walker {
	ends := start.Add(10 * time.Second)
	w.session = func(string) answer { return named200(ends) }
	k := living(w)
	for _, at := range uses {
		k.now = start.Add(time.Duration(at) * time.Second)
		if k.now.Before(ends) {
			ends = ends.Add(lengthens)
			k.ask(exchange{path: k.t.Subject.Paths.Session, instance: "auth-1", answer: named200(ends), with: true, bearer: !w.keeps})
			continue
		}
		k.ask(exchange{path: k.t.Subject.Paths.Session, instance: "auth-1", answer: gone, with: true, bearer: !w.keeps})
		k.stand("", "reload")
	}
	return k
}

func TestASessionThatIsNeverLengthened(t *testing.T) {
	for what, w := range map[string]world{"cookie": with(chromium(), noFallback), "bearer": webkit()} {
		d := Explain(brief(w, 0, 3, 8, 12).t)
		if got := causes(d); !slices.Equal(got, []string{"session-not-lengthened"}) || d.Verdict != VerdictLost || len(d.Unexplained) > 0 {
			t.Errorf("by %s: %s, causes %v:\n%s", what, d.Verdict, got, d)
		}
		// Not used in the second half of its life: it was let run out.
		left := brief(w, 0, 3, 12)
		left.t.Observations = append(left.t.Observations, trace.Observation{Time: left.tick(), Name: trace.ObserveRow, Answer: trace.AnswerExpired})
		d = Explain(left.t)
		if got := causes(d); !slices.Equal(got, []string{"session-expired"}) {
			t.Errorf("by %s, left alone: causes %v:\n%s", what, got, d)
		}
		healthy(t, "lengthened, by "+what, Explain(brief(w, 5*time.Second, 3, 8, 12, 18).t))
	}
}

// What a session is after its end was asked for, here or everywhere.
func TestASessionThatOutlivesItsEnd(t *testing.T) {
	const everywhere, here = "/api/auth/revoke-sessions", "/api/auth/sign-out"
	for end, worlds := range map[string][]world{everywhere: {chromium(), webkit()}, here: {webkit()}} {
		for _, w := range worlds {
			after := func(a answer) *walker {
				k := living(w)
				k.ask(exchange{path: end, method: "POST", instance: "auth-1", answer: says200(`{"status":true}`), with: true, bearer: !w.keeps})
				k.ask(exchange{path: k.t.Subject.Paths.Session, instance: "auth-2", answer: a, with: true, bearer: !w.keeps})
				return k
			}
			healthy(t, "after "+end, Explain(after(gone).t))
			d := Explain(after(says200(person)).t)
			if got := causes(d); !slices.Equal(got, []string{"cookie-cache-stale"}) || d.Findings[0].Instance != "auth-2" {
				t.Errorf("after %s: causes %v:\n%s", end, got, d)
			}
			if want := "The session outlives its row because the auth service (auth-2) still names the person"; !strings.HasPrefix(d.Sentence(), want) {
				t.Errorf("the sentence is %q, want %q…", d.Sentence(), want)
			}
		}
	}
}

func TestAStrangerThatIsTrusted(t *testing.T) {
	asks := func(origin, method, allowed string, status int) Diagnosis {
		k := living(chromium())
		k.ask(exchange{path: k.t.Subject.Paths.Session, method: method, instance: "auth-1", answer: answer{status: status, noCORS: true, body: "null"}, with: true})
		e := &k.t.Exchanges[len(k.t.Exchanges)-1]
		e.PageOrigin = origin
		if allowed != "" {
			e.Response.Header = append(e.Response.Header, trace.Field{Name: "Access-Control-Allow-Origin", Value: allowed},
				trace.Field{Name: "Access-Control-Allow-Credentials", Value: "true"})
		}
		return Explain(k.t)
	}
	for _, origin := range []string{stranger, "null"} {
		for what, d := range map[string]Diagnosis{"read": asks(origin, "GET", origin, 200), "post": asks(origin, "POST", "", 200)} {
			if got := causes(d); !slices.Equal(got, []string{"stranger-trusted"}) || !strings.HasPrefix(d.Sentence(), "A stranger's page can act for the person because the auth service (auth-1)") {
				t.Errorf("%s %s: causes %v:\n%s", origin, what, got, d)
			}
		}
		healthy(t, "refused", asks(origin, "POST", "", 403))
		healthy(t, "not readable", asks(origin, "GET", "", 200))
		healthy(t, "another may read", asks(origin, "GET", front, 200))
	}
	healthy(t, "the auth service's own page", asks(auth, "POST", "", 200))
}
