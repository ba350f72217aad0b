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
const fresh = !document[key];
if (fresh) {
	const state = {id: call.mint, errors: [], pending: new Map()};
	Object.defineProperty(document, key, {value: state});
	const note = (text) => {
		if (state.errors.length >= 100) return;
		state.errors.push({time: Date.now(), page: location.href, text: String(text).slice(0, 4000)});
	};
	// Errors of images and scripts that fail to load do not bubble: what comes
	// here was thrown. What a page's own listener settled is not uncaught.
	addEventListener("error", (e) => {
		if (e.defaultPrevented) return;
		note(`${e.error == null ? e.message : words(e.error)} (${e.filename}:${e.lineno})`);
	});
	addEventListener("unhandledrejection", (e) => {
		if (!e.defaultPrevented) note(`unhandled rejection: ${words(e.reason)}`);
	});
}
const state = document[key];
const answer = (value) => ({
	document: state.id, fresh, url: location.href, errors: state.errors.splice(0), value: value ?? null,
});
