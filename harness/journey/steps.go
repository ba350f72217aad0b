package journey

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"crossing/harness/browser"
	"crossing/harness/target"
	"crossing/harness/trace"
)

// Open goes to a path of the frontend by a full load. A page that leads
// elsewhere is an error: the contract names the paths where pages stand.
func (w Way) Open(path string) Step {
	return Step{"open " + path, func(ctx context.Context, p browser.Page) error {
		if err := p.Goto(ctx, w.Origins.Frontend+path); err != nil {
			return err
		}
		at, err := p.URL(ctx)
		if err != nil {
			return err
		}
		if want := w.Origins.Frontend + path; strings.TrimSuffix(at, "/") != strings.TrimSuffix(want, "/") {
			return fmt.Errorf("the page asked for was %s, the one that opened is %s", want, at)
		}
		return nil
	}}
}

// Home opens the frontend's home page by a full load.
func (w Way) Home() Step { return w.Open(w.Contract.Pages.Home) }

// Account opens, by a full load, the page from which the api is called.
func (w Way) Account() Step { return w.Open(w.Contract.Pages.Other) }

// SignUp fills the sign-up form as a new person, and waits for the answer of
// the auth service, whatever it is, and until the page has led on or says that
// it failed.
func (w Way) SignUp(who Person) Step {
	return w.form(signingUp, w.Contract.Pages.SignUp, w.Contract.Requests.SignUp.Method, w.Contract.Paths.SignUp, who)
}

// SignIn fills the sign-in form, and waits likewise.
func (w Way) SignIn(who Person) Step {
	return w.form(signingIn, w.Contract.Pages.SignIn, w.Contract.Requests.SignIn.Method, w.Contract.Paths.SignIn, who)
}

// Enter is how a person comes in: a new one by the sign-up form, one who has an
// account by the sign-in form.
func (w Way) Enter(who Person) Step {
	if w.Known {
		return w.SignIn(who)
	}
	return w.SignUp(who)
}

// Entered is the status by which Enter's form is answered where it succeeds.
func (w Way) Entered() int {
	if w.Known {
		return w.Contract.Requests.SignIn.Answered
	}
	return w.Contract.Requests.SignUp.Answered
}

func (w Way) form(name string, form target.Form, method, endpoint string, who Person) Step {
	return Step{name, func(ctx context.Context, p browser.Page) error {
		w.Recorder.Redactor().Learn(who.Password)
		if err := p.Goto(ctx, w.Origins.Frontend+form.Path); err != nil {
			return err
		}
		fields := []struct{ selector, text string }{{form.Name, who.Name}, {form.Email, who.Email}, {form.Password, who.Password}}
		for _, f := range fields {
			if f.selector == "" {
				continue
			}
			if err := p.Fill(ctx, f.selector, f.text); err != nil {
				return err
			}
		}
		began := time.Now()
		if err := p.Click(ctx, form.Submit); err != nil {
			return err
		}
		if form.Landing == "" {
			_, err := w.await(ctx, began, method, endpoint)
			return err
		}
		landed, err := w.land(ctx, p, form)
		if err != nil {
			return err
		}
		return w.answered(ctx, p, form, method+" "+endpoint, began, landed)
	}}
}

// recording is how long an answer that a page has acted on may take to be
// recorded: the edge does so once all of it was sent.
const recording = 500 * time.Millisecond

// answered waits for the exchange behind what the page shows. A page that says
// that it failed may never have got through to the auth service, as where CORS
// or mixed content forbids the call: that is an error, with the page's words.
func (w Way) answered(ctx context.Context, p browser.Page, form target.Form, endpoint string, since time.Time, landed bool) error {
	method, path, _ := strings.Cut(endpoint, " ")
	within := ctx
	if !landed {
		var cancel context.CancelFunc
		within, cancel = context.WithTimeout(ctx, recording)
		defer cancel()
	}
	_, err := w.await(within, since, method, path)
	if err == nil || landed || ctx.Err() != nil {
		return err
	}
	shown, _ := p.Attributes(ctx, form.Error)
	return fmt.Errorf("the auth service was never asked %s, and the page says: %s", endpoint, w.Recorder.Redactor().Scrub(shown[""]))
}

// land waits until the person was led on, or was told that it failed. To go
// elsewhere before that would race with the page's own navigation. It waits
// within the page, and anew where the landing page is loaded and the script
// goes with the page that was left.
func (w Way) land(ctx context.Context, p browser.Page, form target.Form) (landed bool, err error) {
	const script = `([landing, landed, error]) => new Promise((done) => {
		const look = () => {
			const there = location.pathname.replace(/\/$/, "") === landing.replace(/\/$/, "");
			if (there && (!landed || document.querySelector(landed))) done("landed");
			else if (error && document.querySelector(error)) done("failed");
			else setTimeout(look, 10);
		};
		look();
	})`
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		var seen string
		err := p.Eval(ctx, script, []string{form.Landing, form.Landed, form.Error}, &seen)
		if err == nil || errors.Is(err, browser.ErrDead) {
			return seen == "landed", err
		}
		select {
		case <-ctx.Done():
			at, _ := p.URL(ctx)
			return false, fmt.Errorf("await to be led to %s, or an error in %s; last seen at %s: %w", form.Landing, form.Error, at, errors.Join(err, context.Cause(ctx)))
		case <-tick.C: // between two pages there may be none that could be asked
		}
	}
}

// await waits for the auth service's answer on an endpoint.
func (w Way) await(ctx context.Context, since time.Time, method, path string) (trace.Exchange, error) {
	return w.Recorder.Await(ctx, since, method+" "+w.Origins.Auth+path, func(e trace.Exchange) bool {
		return e.Role == trace.RoleAuth && e.Method == method && e.Path == path && !e.Outside
	})
}

// Reload loads the page again.
func (w Way) Reload() Step {
	return Step{"reload", func(ctx context.Context, p browser.Page) error { return p.Reload(ctx) }}
}

// FollowLink goes on by client-side navigation: a click on a link, no load.
func (w Way) FollowLink() Step {
	return Step{"follow a link", func(ctx context.Context, p browser.Page) error {
		if err := p.Eval(ctx, "() => { window.crossingStays = true }", nil, nil); err != nil {
			return err
		}
		if err := p.Click(ctx, w.Contract.Pages.OtherLink); err != nil {
			return err
		}
		want := w.Origins.Frontend + w.Contract.Pages.Other
		if err := w.arrive(ctx, p, want); err != nil {
			return err
		}
		var stays bool
		if err := p.Eval(ctx, "() => window.crossingStays === true", nil, &stays); err != nil {
			return err
		}
		if !stays {
			return fmt.Errorf("the link to %s loaded the page anew: it is no client-side navigation", want)
		}
		return nil
	}}
}

// arrive waits until the address is want, a trailing slash aside.
func (w Way) arrive(ctx context.Context, p browser.Page, want string) error {
	const script = `(want) => new Promise((done) => {
		const there = () => location.href.replace(/\/$/, "") === want.replace(/\/$/, "");
		const look = () => there() ? done(true) : setTimeout(look, 10);
		look();
	})`
	if err := p.Eval(ctx, script, want, nil); err != nil {
		at, _ := p.URL(ctx)
		return fmt.Errorf("await the address %s, last seen %s: %w", want, at, err)
	}
	return nil
}

// Leave goes to the stranger's site in the same tab.
func (w Way) Leave() Step {
	return Step{"leave for another site", func(ctx context.Context, p browser.Page) error {
		return p.Goto(ctx, w.Origins.Stranger+"/")
	}}
}

// CallAPI presses the button that calls the api, and waits until the page
// shows an answer.
func (w Way) CallAPI() Step {
	return Step{"call the api", func(ctx context.Context, p browser.Page) error {
		call := w.Contract.Pages.CallAPI
		if err := p.Click(ctx, call.Click); err != nil {
			return err
		}
		const script = `([selector, attribute]) => new Promise((done) => {
			const look = () => document.querySelector(selector)?.getAttribute(attribute) ? done(true) : setTimeout(look, 10);
			look();
		})`
		if err := p.Eval(ctx, script, []string{call.Answer, call.Status}, nil); err != nil {
			shown, _ := p.Attributes(ctx, call.Answer)
			return fmt.Errorf("await the api's answer in %s, which showed %v: %w", call.Answer, shown, err)
		}
		return nil
	}}
}

// SignOut presses the button, and waits for the auth service's answer.
func (w Way) SignOut() Step {
	return w.press("sign out", w.Contract.Pages.SignOut, w.Contract.Requests.SignOut.Method, w.Contract.Paths.SignOut)
}

// SignOutEverywhere presses the button that ends this person's sessions in
// every browser, and waits likewise.
func (w Way) SignOutEverywhere() Step {
	return w.press("sign out everywhere", w.Contract.Pages.SignOutEverywhere, http.MethodPost, w.Contract.Paths.RevokeAll)
}

func (w Way) press(name, button, method, endpoint string) Step {
	return Step{name, func(ctx context.Context, p browser.Page) error {
		began := time.Now()
		if err := p.Click(ctx, button); err != nil {
			return err
		}
		_, err := w.await(ctx, began, method, endpoint)
		return err
	}}
}

func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return address
	}
	return u.Scheme + "://" + u.Host
}
