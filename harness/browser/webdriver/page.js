// The head of every script that runs in a page: it stands in a function of
// (call, input, script), and a task follows. The script that a caller wants
// evaluated stands outside that function, so that it sees the page's names and
// none of these.

// A frame that was replaced leaves the driver elsewhere: run nothing there.
if ((window !== window.top) !== call.framed) return {astray: true};

const words = (e) => {
	if (typeof e === "string") return e;
	if (e && typeof e === "object" && "message" in e) return `${e.name}: ${e.message}`;
	try { return JSON.stringify(e) ?? String(e) } catch { return String(e) }
};

// What the harness remembers of a document hangs on the document itself, under
// a name that no listing of properties shows, and goes with it.
const key = Symbol.for("crossing harness");
if (!document[key]) {
	const state = {id: call.id, errors: [], pending: new Map()};
	Object.defineProperty(document, key, {value: state});
	const note = (event, text) => {
		if (state.errors.length >= 100) return;
		state.errors.push({event, time: Date.now(), page: location.href, text: text.slice(0, 4000)});
	};
	// Errors of images and scripts that fail to load do not bubble: what comes
	// here was thrown.
	addEventListener("error", (e) => {
		note(e, `${e.error == null ? e.message : words(e.error)} (${e.filename}:${e.lineno})`);
	});
	addEventListener("unhandledrejection", (e) => note(e, `unhandled rejection: ${words(e.reason)}`));
}
const state = document[key];
// What a listener of the page has settled is not uncaught. Only now have all
// listeners had the event.
const uncaught = () => state.errors.splice(0).filter((e) => !e.event.defaultPrevented)
	.map(({time, page, text}) => ({time, page, text}));
const answer = (value) => ({
	document: state.id, url: location.href, errors: uncaught(), value: value ?? null,
});
// The driver presses where an element was when it looked, and lets go there; what
// the page puts in above it meanwhile moves it away. What then meets another
// element is kept from the page, and noted.
const aimAt = (el) => {
	const aim = {done: new AbortController(), missed: ""};
	const guard = (e) => {
		if (!e.isTrusted) return;
		const [at] = e.composedPath(), on = e.composedPath().includes(el);
		if (on && e.type === "click") aim.done.abort(); // a label clicks its field next
		const press = e.type.endsWith("down");
		if (press && on) aim.missed = "";
		// One that the page takes away when it is pressed was met.
		else if (!on && (press || el.isConnected)) aim.missed ||= `<${at.localName ?? "nothing"}${at.id && ` id="${at.id}"`}>`;
		if (!aim.missed) return;
		e.preventDefault();
		e.stopImmediatePropagation();
	};
	for (const type of ["pointerdown", "mousedown", "pointerup", "mouseup", "click"]) {
		addEventListener(type, guard, {capture: true, signal: aim.done.signal});
	}
	return aim;
};
