package rig

import (
	"encoding/json"
	"maps"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"crossing/harness/edge"
	"crossing/harness/journey"
	"crossing/harness/target"
	"crossing/harness/trace"
)

// Call is a request that the open page's script makes by fetch.
type Call struct {
	URL         string            `json:"url"`
	Method      string            `json:"method,omitempty"`
	Credentials string            `json:"credentials,omitempty"` // "include", "omit"; the browser's default is "same-origin"
	Mode        string            `json:"mode,omitempty"`        // "no-cors" asks for no leave, and reads nothing
	Headers     map[string]string `json:"headers,omitempty"`
	Body        string            `json:"body,omitempty"`
	// Sandboxed makes the call out of a frame whose origin is opaque, so that
	// the browser sends "Origin: null" (HTML, "sandboxed origin").
	Sandboxed bool `json:"sandboxed,omitempty"`
}

// Read is what the script could read of the answer.
type Read struct {
	// Refused is what fetch said in place of an answer.
	Refused string   `json:"refused"`
	Type    string   `json:"type"` // "cors", "opaque" (Fetch, "response type")
	Status  int      `json:"status"`
	Headers []string `json:"headers"` // their names, in lower case
	Body    string   `json:"body"`
}

const callScript = `async (call) => {
	const ask = async ({url, method, credentials, mode, headers, body}) => {
		try {
			const got = await fetch(url, {method, credentials, mode, headers, body});
			return {type: got.type, status: got.status, headers: [...got.headers.keys()], body: await got.text()};
		} catch (why) {
			return {refused: String(why)};
		}
	};
	if (!call.sandboxed) return ask(call);
	const frame = document.createElement("iframe");
	frame.sandbox = "allow-scripts";
	frame.srcdoc = "<script>const ask = " + ask + "; onmessage = async (m) => parent.postMessage(await ask(m.data), '*')<" + "/script>";
	const loaded = new Promise((done) => { frame.onload = done });
	document.body.append(frame);
	await loaded;
	const answered = new Promise((done) => addEventListener("message", (m) => { if (m.source === frame.contentWindow) done(m.data) }));
	frame.contentWindow.postMessage(call, "*");
	const read = await answered;
	frame.remove();
	return read;
}`

// Call makes the open page's script ask, and returns what it could read, and
// all that the edge saw of it: a preflight, where there was one, and the
// request, where one followed.
func (v *Visitor) Call(ctx SpecContext, c Call) (Read, []trace.Exchange) {
	GinkgoHelper()
	began := time.Now()
	var read Read
	Expect(v.Page.Eval(ctx, callScript, c, &read)).To(Succeed())
	asked := func(e trace.Exchange) bool { return e.Origin+e.Path == c.URL && !e.Outside }
	// What a page may not read may be recorded after the page was told so.
	_, err := v.Recorder.Await(ctx, began, c.URL, asked)
	Expect(err).NotTo(HaveOccurred())
	var seen []trace.Exchange
	for _, e := range v.Recorder.Snapshot().Exchanges {
		if asked(e) && !e.Time.Before(began) {
			seen = append(seen, e)
		}
	}
	return read, seen
}

// ToSignIn is the call by which the open page signs a person in, as the
// contract has it, with a fresh token against forged requests where there is
// one.
func (v *Visitor) ToSignIn(ctx SpecContext, who journey.Person) Call {
	GinkgoHelper()
	if v.Way.Pace != nil {
		Expect(v.Way.Pace(ctx, v.Way.Contract.Paths.SignIn)).To(Succeed())
	}
	contract, blanks := v.Way.Contract, target.Blanks{Name: who.Name, Email: who.Email, Password: v.Secret(who.Password)}
	if csrf := contract.Requests.CSRF; csrf.Path != "" {
		read, _ := v.Call(ctx, Call{URL: v.Way.Origins.Auth + csrf.Path, Credentials: "include"})
		var fields map[string]any
		Expect(json.Unmarshal([]byte(read.Body), &fields)).To(Succeed(), "the answer with the token against forged requests")
		blanks.CSRF, _ = fields[csrf.Field].(string)
		v.Secret(blanks.CSRF)
	}
	kind, body, err := contract.Requests.SignIn.Content(blanks)
	Expect(err).NotTo(HaveOccurred())
	headers := map[string]string{"content-type": kind}
	maps.Copy(headers, contract.Requests.SignIn.Headers)
	return Call{URL: v.Way.Origins.Auth + contract.Paths.SignIn, Method: contract.Requests.SignIn.Method, Credentials: "include", Headers: headers, Body: string(body)}
}

// SetClock makes the clock that the open page's scripts read run ahead by so
// much, or behind, until the page is left: nothing waits, and nothing else
// knows.
func (v *Visitor) SetClock(ctx SpecContext, ahead time.Duration) {
	GinkgoHelper()
	const script = `(ms) => {
		const real = globalThis.crossingDate ??= Date;
		globalThis.Date = new Proxy(real, {
			construct: (target, given, as) => Reflect.construct(target, given.length ? given : [real.now() + ms], as),
			apply: () => new real(real.now() + ms).toString(),
			get: (target, name) => name === "now" ? () => real.now() + ms : Reflect.get(target, name),
		});
		return Date.now() - real.now();
	}`
	var off int64
	Expect(v.Page.Eval(ctx, script, ahead.Milliseconds(), &off)).To(Succeed())
	Expect(off).To(BeNumerically("~", ahead.Milliseconds(), 1000), "the page's clock was not set")
}

// Since are this person's own exchanges with a role from a moment on,
// preflights left out.
func (v *Visitor) Since(moment time.Time, role trace.Role) []trace.Exchange {
	var found []trace.Exchange
	for _, e := range v.Recorder.Snapshot().Exchanges {
		if e.Role == role && !e.Time.Before(moment) && !e.Outside && !e.Preflight {
			found = append(found, e)
		}
	}
	return found
}

// CookiesInScript is what the open page's script reads of cookies.
func (v *Visitor) CookiesInScript(ctx SpecContext) string {
	GinkgoHelper()
	var read string
	Expect(v.Page.Eval(ctx, "() => document.cookie", nil, &read)).To(Succeed())
	return read
}

// CookiesInFrame is what script reads of cookies in the frame of the open
// page, which must be the edge's own page. A control proves that it would read
// one that script may have: the edge sets it, in the same partition.
func (v *Visitor) CookiesInFrame(ctx SpecContext) string {
	GinkgoHelper()
	frame, err := v.Page.Frame(ctx, "#frame")
	Expect(err).NotTo(HaveOccurred())
	const script = `async (path) => {
		await (await fetch(path + "set")).text();
		const read = document.cookie;
		await (await fetch(path + "clear")).text();
		return read;
	}`
	var read string
	Expect(frame.Eval(ctx, script, trace.ReservedPath, &read)).To(Succeed())
	Expect(read).To(ContainSubstring(edge.PartitionedCookie), "script cannot read the control's cookie, so that its silence on others proves nothing")
	return read
}

// Secret makes a text known as a secret, so that it is digested wherever it is
// seen from now on.
func (v *Visitor) Secret(text string) string {
	v.Recorder.Redactor().Learn(text)
	return text
}
