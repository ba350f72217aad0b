package inspect

// look is a script that lists what a page shows: elements that an author has
// named, that a person can use, or that say something of themselves by an
// attribute. A selector fits its element alone: the author's name for tests
// first, then what else is there for good, and where it stands last. What holds
// one of the texts given is one person's, and no name.
const look = `(persons) => {
	const most = 1500, longest = 200;
	const tests = ["data-testid", "data-test", "data-test-id", "data-cy", "data-qa"];
	const words = (text) => (text || "").replace(/\s+/g, " ").trim().slice(0, longest);
	const value = (text) => /^[A-Za-z_][\w-]*$/.test(text) ? text : JSON.stringify(text);
	const alone = (selector) => document.querySelectorAll(selector).length === 1;
	// An id that a program has made is another one after the next build.
	const made = (id) => id.length > 40 || /\d{3,}|:|[0-9a-f]{8}/.test(id);
	const visible = (e) => {
		const box = e.getBoundingClientRect();
		return box.width > 0 && box.height > 0 && getComputedStyle(e).visibility !== "hidden";
	};
	const named = (e) => {
		const tag = e.localName, all = [];
		const by = (name, stem = "") => {
			const held = e.getAttribute(name);
			if (held && held.length <= 60) all.push(stem + "[" + name + "=" + value(held) + "]");
		};
		tests.forEach((name) => by(name));
		if (e.id && !made(e.id)) all.push("#" + CSS.escape(e.id));
		if (/^(input|select|textarea|button)$/.test(tag)) ["name", "type", "autocomplete"].forEach((name) => by(name, tag));
		if (tag === "a") by("href", "a");
		by("role");
		by("aria-label", tag);
		if (e.form && tag !== "input") all.push("form " + tag);
		if (/^(html|body|main|h1|form)$/.test(tag)) all.push(tag);
		const anybodys = (selector) => !persons.some((text) => selector.toLowerCase().includes(text.toLowerCase()));
		return all.filter(anybodys).find(alone) || "";
	};
	const placed = (e) => {
		let path = "";
		for (let at = e; at; at = at.parentElement) {
			const stem = at === e ? "" : named(at);
			if (stem) return stem + " > " + path;
			let n = 1;
			for (let other = at; (other = other.previousElementSibling);) n += other.localName === at.localName;
			path = at.localName + ":nth-of-type(" + n + ")" + (path && " > " + path);
		}
		return path;
	};
	const forms = [...document.forms];
	const telling = (e) => e.id || /^(input|select|textarea|button|a|form|h1|h2|h3|main)$/.test(e.localName) ||
		[...e.attributes].some((a) => a.name.startsWith("data-") || a.name.startsWith("aria-") || a.name === "role");
	const elements = [document.documentElement, ...document.querySelectorAll("body, body *")]
		.filter((e) => telling(e) && !/^(script|style|template|svg|path|link|meta)$/.test(e.localName))
		.slice(0, most)
		.map((e) => {
			const selector = named(e);
			const attributes = {};
			for (const a of e.attributes) attributes[a.name] = a.value.slice(0, longest);
			// What somebody has typed is nobody's business.
			if (e.localName === "input" && !/^(submit|button)$/.test(e.type)) delete attributes.value;
			if (e.localName === "a" && e.origin === location.origin) attributes.href = e.pathname;
			return {
				selector: selector || placed(e), fragile: !selector, tag: e.localName, text: words(e.innerText ?? e.textContent),
				label: words([...(e.labels ?? [])].map((l) => l.innerText).join(" ")),
				attributes, visible: visible(e), main: !!e.closest("main"), form: e.form ? forms.indexOf(e.form) + 1 : 0,
			};
		});
	return {path: location.pathname, elements};
}`

// pulse is a script that says how far a page has come: it is another text as
// long as the page changes.
const pulse = `() => [location.href, document.readyState, document.getElementsByTagName("*").length, document.body?.innerText.length].join(" ")`
