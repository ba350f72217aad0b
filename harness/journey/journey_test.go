package journey

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"crossing/harness/browser"
	"crossing/harness/target"
	"crossing/harness/trace"
)

func TestNoTwoPeopleAreTheSame(t *testing.T) {
	a, b := NewPerson("ada"), NewPerson("ada")
	if a.Email == b.Email || a.Password == b.Password || !strings.HasPrefix(a.Email, "ada.") {
		t.Errorf("got %v and %v", a.Email, b.Email)
	}
}

func TestAWalkMarksItsStepsAndStopsAtTheFirstThatFails(t *testing.T) {
	rec := trace.NewRecorder(trace.NewRedactor(nil), trace.Trace{})
	const secret = "a-password-that-nobody-knows"
	rec.Redactor().Learn(secret)
	var walked []string
	step := func(name string, err error) Step {
		return Step{name, func(ctx context.Context, _ browser.Page) error {
			walked = append(walked, name)
			if _, bounded := ctx.Deadline(); !bounded {
				t.Errorf("%s has no limit of its own", name)
			}
			return err
		}}
	}
	boom := errors.New("the form said " + secret)
	err := Way{Recorder: rec}.Walk(t.Context(), nil, step("one", nil), step("two", boom), step("three", nil))
	if !errors.Is(err, boom) || !strings.HasPrefix(err.Error(), "two: ") {
		t.Errorf("the error is %v", err)
	}
	if strings.Join(walked, " ") != "one two" {
		t.Errorf("walked %v", walked)
	}
	marks := rec.Snapshot().Marks
	if len(marks) != 2 || marks[0].Err != "" || marks[1].Step != "two" || marks[1].End.Before(marks[1].Begin) {
		t.Fatalf("marks are %+v", marks)
	}
	if !strings.Contains(marks[1].Err, "the form said") || strings.Contains(marks[1].Err, secret) {
		t.Errorf("the mark says %q", marks[1].Err)
	}
}

// service is an auth service as far as Outside knows one.
func service(t *testing.T, cookie string) (*httptest.Server, Outside) {
	t.Helper()
	to := &target.Target{}
	to.Origins.Frontend = "https://docs.example.com"
	to.Contract.Cookie.Name = "s"
	to.Contract.Paths = trace.Paths{SignUp: "/up", Token: "/token"}
	to.Contract.Requests.SignUp = target.Request{Method: http.MethodPost, Body: map[string]string{"email": "${person.email}"}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /up", func(w http.ResponseWriter, r *http.Request) {
		var who map[string]string
		if json.NewDecoder(r.Body).Decode(&who) != nil || who["email"] == "" || r.Header.Get("Origin") != to.Origins.Frontend {
			http.Error(w, "no", http.StatusForbidden)
			return
		}
		http.SetCookie(w, &http.Cookie{Name: cookie, Value: "v"})
	})
	mux.HandleFunc("GET /token", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Cookie") != "s=v" {
			http.Error(w, "who?", http.StatusUnauthorized)
			return
		}
		_, _ = w.Write([]byte(`{"token":"a.b.c"}`))
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server, Outside{Target: to}
}

func TestOutsideSignsUpAndAsksForTokensAtOnce(t *testing.T) {
	server, outside := service(t, "s")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	cookie, err := outside.SignUp(ctx, server.URL, NewPerson("ada"))
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := outside.TokensAtOnce(ctx, []string{server.URL, server.URL}, cookie, 3)
	if err != nil || len(tokens) != 6 || tokens[5] != "a.b.c" {
		t.Errorf("got %v, %v", tokens, err)
	}
	if _, err := outside.TokensAtOnce(ctx, []string{server.URL}, "s=other", 1); err == nil || !strings.Contains(err.Error(), "401") {
		t.Errorf("without the cookie: %v", err)
	}
}

func TestOutsideSaysThatNoCookieWasSet(t *testing.T) {
	server, outside := service(t, "another")
	if _, err := outside.SignUp(t.Context(), server.URL, NewPerson("ada")); err == nil || !strings.Contains(err.Error(), `no cookie "s"`) {
		t.Errorf("got %v", err)
	}
}
