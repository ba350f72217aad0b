package lint

import (
	"encoding/json"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"crossing/harness/diagnose"
	"crossing/harness/trace"
)

// recorded are answers of the healthy reference application, two instances;
// written by TestTheHealthyApplicationHasNoFinding where RECORD=1 is set.
const recorded = "testdata/healthy.json"

func healthy(t *testing.T) *Answers {
	t.Helper()
	var a Answers
	if err := json.Unmarshal(content(t, recorded), &a); err != nil {
		t.Fatal(err)
	}
	return &a
}

// record keeps the answers for the tests of the pure half.
func record(t *testing.T, a *Answers) {
	t.Helper()
	if os.Getenv("RECORD") == "" {
		return
	}
	if err := Write(recorded, a); err != nil {
		t.Fatal(err)
	}
}

func TestRecordedAnswersAreJudgedAgain(t *testing.T) {
	if r := Judge(healthy(t)); len(r.Findings()) > 0 || len(r.Results) != len(checks()) {
		t.Errorf("found:\n%s", r)
	}
}

// change alters every recorded answer to one of the questions.
func change(a *Answers, f func(*Answer), questions ...string) {
	for i := range a.Asked {
		if slices.Contains(questions, a.Asked[i].Question) {
			f(&a.Asked[i])
		}
	}
}

func set(name, value string) func(*Answer) {
	return func(x *Answer) {
		x.Response.Header = slices.DeleteFunc(x.Response.Header, func(f trace.Field) bool { return strings.EqualFold(f.Name, name) })
		if value != "" {
			x.Response.Header = append(x.Response.Header, trace.Field{Name: name, Value: value})
		}
	}
}

func body(text string) func(*Answer) { return func(x *Answer) { x.Response.Body = text } }

// What no setting of the reference application causes: proxies, caches, other
// applications.
func TestEachCheckFindsItsFaultAndNoOther(t *testing.T) {
	lines := func(f func(*trace.SetCookie)) func(*Answer) {
		return func(x *Answer) {
			for i := range x.Response.SetCookies {
				f(&x.Response.SetCookies[i])
			}
		}
	}
	auth := []string{qSession, qSignIn, qSignUp, qToken, qNoToken, qSignOut, qAfter, qBearer, qNobody, qKeys, qRenew}
	for name, c := range map[string]struct {
		change func(a *Answers)
		want   []string
	}{
		"no cookie":             {func(a *Answers) { change(a, func(x *Answer) { x.Response.SetCookies = nil }, qSignIn) }, []string{"cookie-not-set"}},
		"no HttpOnly":           {func(a *Answers) { change(a, lines(func(l *trace.SetCookie) { l.HTTPOnly = false }), qSignIn) }, []string{"cookie-readable"}},
		"too large":             {func(a *Answers) { change(a, lines(func(l *trace.SetCookie) { l.Bytes = 5000 }), qSignIn) }, []string{"cookie-too-large"}},
		"ends with the browser": {func(a *Answers) { change(a, lines(func(l *trace.SetCookie) { l.MaxAge = nil }), qSignIn) }, []string{"cookie-short-lived"}},
		"twice in one answer": {func(a *Answers) {
			change(a, func(x *Answer) { x.Response.SetCookies = append(x.Response.SetCookies, x.Response.SetCookies...) }, qSignIn)
		}, []string{"cookie-set-twice"}},
		"lengthened without its cookie": {func(a *Answers) { change(a, func(x *Answer) { x.Response.SetCookies = nil }, qRenew) }, []string{"cookie-not-renewed"}},
		"renewed without Partitioned":   {func(a *Answers) { change(a, lines(func(l *trace.SetCookie) { l.Partitioned = false }), qRenew) }, []string{"cookie-renewed-differently"}},
		"not cleared":                   {func(a *Answers) { change(a, func(x *Answer) { x.Response.SetCookies = nil }, qSignOut) }, []string{"sign-out-left-cookie"}},
		"cleared in another partition": {func(a *Answers) { change(a, lines(func(l *trace.SetCookie) { l.Partitioned = false }), qSignOut) },
			[]string{"sign-out-left-cookie"}},
		"a cache answers":    {func(a *Answers) { change(a, set("Age", "12"), qSession) }, []string{"session-cached"}},
		"a cache may answer": {func(a *Answers) { change(a, set("Cache-Control", "public, s-maxage=60"), qToken) }, []string{"token-cached"}},
		"a cache answers nobody": {func(a *Answers) {
			change(a, body(`{"session":{},"user":{"email":"grace@crossing.example"}}`), qNobody)
		}, []string{"session-cached"}},
		"CORS off":                   {func(a *Answers) { change(a, set("Access-Control-Allow-Origin", ""), auth...) }, []string{"cors-refused"}},
		"CORS wildcard":              {func(a *Answers) { change(a, set("Access-Control-Allow-Origin", "*"), auth...) }, []string{"cors-refused"}},
		"CORS without credentials":   {func(a *Answers) { change(a, set("Access-Control-Allow-Credentials", ""), auth...) }, []string{"cors-refused"}},
		"errors without CORS":        {func(a *Answers) { change(a, set("Access-Control-Allow-Origin", ""), qNoToken) }, []string{"cors-refused"}},
		"no Authorization allowed":   {func(a *Answers) { change(a, set("Access-Control-Allow-Headers", "*"), qAPIAllowed) }, []string{"cors-refused"}},
		"a preflight that redirects": {func(a *Answers) { change(a, func(x *Answer) { x.Status = 308 }, qPreflight) }, []string{"cors-refused"}},
		"a token that cannot be read": {func(a *Answers) { change(a, set("Access-Control-Expose-Headers", "x-request-id"), qSignIn) },
			[]string{"cors-refused"}},
		"a stranger may read": {func(a *Answers) {
			change(a, func(x *Answer) {
				set("Access-Control-Allow-Origin", a.Subject.Origins.Stranger)(x)
				set("Access-Control-Allow-Credentials", "true")(x)
			}, qStranger)
		}, []string{"stranger-trusted"}},
		"a stranger may ask the api with credentials": {func(a *Answers) {
			change(a, func(x *Answer) {
				if x.Of == ofStranger {
					set("Access-Control-Allow-Origin", a.Subject.Origins.Stranger)(x)
					set("Access-Control-Allow-Credentials", "true")(x)
				}
			}, qAPIAllowed)
		}, []string{"cors-open"}},
		"the frontend trusted with a slash": {func(a *Answers) {
			change(a, func(x *Answer) {
				switch x.Of {
				case ofFrontend:
					x.Status, x.Response.Body = 403, `{"code":"INVALID_ORIGIN"}`
				case ofSlash:
					x.Status, x.Response.Body = 200, `{"success":true}`
				}
			}, qOrigin)
		}, []string{"origin-not-trusted"}},
		"an api that looks at nothing": {func(a *Answers) { change(a, func(x *Answer) { x.Status = 200 }, qAPI) }, []string{"api-open"}},
		"a private key": {func(a *Answers) {
			change(a, func(x *Answer) {
				x.Response.Body = strings.Replace(x.Response.Body, `"kty"`, `"d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","kty"`, 1)
			}, qKeys)
		}, []string{"keys-private"}},
		"a key that cannot be parsed": {func(a *Answers) { change(a, body(`{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a"}]}`), qKeys) }, []string{"token-keys-unreachable"}},
		"a clock ahead": {func(a *Answers) {
			change(a, func(x *Answer) { set("Date", x.Time.Add(time.Minute).UTC().Format(http.TimeFormat))(x) }, append(auth, qOrigin, qPreflight, qAuthorized, qStranger, qHealth)...)
		}, []string{"token-not-yet-valid"}},
		"a limiter of few":          {func(a *Answers) { change(a, func(x *Answer) { x.Status = 429 }, qBearer) }, []string{"rate-limited"}},
		"a bearer that is stripped": {func(a *Answers) { change(a, body("null"), qBearer) }, []string{"bearer-refused"}},
		"no bearer":                 {func(a *Answers) { change(a, set("set-auth-token", ""), qSignIn) }, []string{"bearer-not-offered"}},
		"a service that is gone": {func(a *Answers) {
			change(a, func(x *Answer) { x.Status, x.Err = 502, "api refused the connection" }, qAPI)
		},
			[]string{"upstream-gone"}},
		"instances behind one name": {func(a *Answers) {
			for i := range a.Asked {
				if x := &a.Asked[i]; x.Question == qSession && x.To != x.Of {
					x.Response.Body, x.Response.SetCookies = "null", nil
				}
			}
			a.Observed = slices.DeleteFunc(a.Observed, func(o trace.Observation) bool { return o.Name == trace.ObserveSignature })
		}, []string{"instances-disagree"}},
		"an issuer that follows the host": {func(a *Answers) {
			a.Observed = append(a.Observed, trace.Observation{Name: observeHost, Instance: "auth-1", Answer: trace.AnswerNo, Detail: "https://www.crossing-stranger.org"})
		}, []string{"issuer-follows-host"}},
		"a certificate that ends": {func(a *Answers) {
			a.Remote = true
			a.Certificates = []Certificate{{Origin: a.Subject.Origins.Auth, TLS: "TLS 1.3", Until: a.Begun.Add(5 * 24 * time.Hour)}}
		}, []string{"certificate"}},
	} {
		t.Run(name, func(t *testing.T) {
			a := healthy(t)
			before, _ := json.Marshal(a)
			c.change(a)
			if after, _ := json.Marshal(a); string(after) == string(before) {
				t.Fatal("the change changed nothing")
			}
			expect(t, Judge(a), c.want...)
		})
	}
}

// One cause has one mend, wherever it is found.
func TestMendsOfDiagnosisAreNotSaidAgain(t *testing.T) {
	for slug := range mends {
		if words := diagnose.Mends(slug); len(words) > 0 {
			t.Errorf("%s has a mend here and in package diagnose: %q", slug, words)
		}
	}
}

func TestWhatWasNotAnsweredIsNotCheckable(t *testing.T) {
	a := healthy(t)
	a.Asked, a.Observed = nil, nil
	r := Judge(a)
	for _, result := range r.Results {
		if result.State == Found || result.State == OK && result.Name != "frontend" {
			t.Errorf("%s is %s of nothing: %s", result.Name, result.State, result.Said)
		}
		if result.State == NotCheckable && result.Said == "" {
			t.Errorf("%s does not say why", result.Name)
		}
	}
}

func TestOnlyACacheThatKeepsIsOne(t *testing.T) {
	for value, want := range map[string]bool{
		"": false, "no-store": false, "private, no-cache": false, "max-age=0, must-revalidate": false, "public, max-age=0, no-store": false,
		"max-age=60": true, "public": true, "private, max-age=30": true, "s-maxage=1": true,
	} {
		x := Answer{}
		set("Cache-Control", value)(&x)
		if got := cacheable(x) != ""; got != want {
			t.Errorf("Cache-Control: %s: %v, want %v", value, got, want)
		}
	}
}
