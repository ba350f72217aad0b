async ({selector, want}) => {
	let el;
	try { el = document.querySelector(selector) } catch (e) { return {wrong: e.message} }
	if (!el) return {state: "is not there"};
	if (want === "attributes") {
		const attributes = {"": el.textContent};
		for (const a of el.attributes) attributes[a.name] = a.value;
		return {attributes};
	}
	const tag = el.localName;
	if (want === "frame") {
		if (tag !== "iframe" && tag !== "frame") return {wrong: `it is a <${tag}>, no frame`};
		const blank = el.hasAttribute("srcdoc") || /^(about:|$)/.test(el.getAttribute("src") ?? "");
		return {element: el, blank};
	}
	const box = [...el.getClientRects()].find((r) => r.width > 0 && r.height > 0);
	if (!box || getComputedStyle(el).visibility !== "visible") return {state: "is not visible"};
	// The driver "clicks" a disabled element without an error.
	if (el.matches(":disabled")) return {state: "is disabled"};
	if (el.scrollIntoViewIfNeeded) el.scrollIntoViewIfNeeded(true);
	else el.scrollIntoView({block: "center", inline: "nearest", behavior: "instant"});

	if (want === "click") {
		const place = () => [...el.getClientRects()].find((r) => r.width > 0 && r.height > 0);
		const before = place();
		// A hidden window draws no frames: there, a pause has to do. A busy machine
		// draws them late, and what moves by frames stands still meanwhile.
		await new Promise((r) => { requestAnimationFrame(() => requestAnimationFrame(r)); setTimeout(r, document.hidden ? 100 : 2000); });
		const r = place();
		if (!el.isConnected || !r) return {state: "went away"};
		if (!before || r.left !== before.left || r.top !== before.top) return {state: "is moving"};
		const hit = document.elementFromPoint(
			(Math.max(r.left, 0) + Math.min(r.right, innerWidth)) / 2,
			(Math.max(r.top, 0) + Math.min(r.bottom, innerHeight)) / 2);
		if (!hit) return {state: "is outside what is visible"};
		if (!el.contains(hit)) return {state: `is covered by <${hit.localName}${hit.id && ` id="${hit.id}"`}>`};
		state.aim?.done.abort(); // of a click that nobody could be asked about
		state.aim = aimAt(el);
		return {element: el};
	}

	const texts = ["text", "search", "url", "tel", "email", "password", "number"];
	const plain = tag === "textarea" || (tag === "input" && texts.includes(el.type));
	if (!plain && !el.isContentEditable) {
		return {wrong: `<${tag}${tag === "input" ? ` type="${el.type}"` : ""}> takes no typed text`};
	}
	if (plain && el.readOnly) return {state: "is read-only"};
	el.focus();
	if (document.activeElement !== el) return {state: "does not take the focus"};
	// Emptied as an editor does it, so that the page gets beforeinput and input
	// as trusted events. The protocol's own "clear" fires no input event here,
	// and a framework's controlled field would write its text back.
	if (plain) el.select();
	else getSelection().selectAllChildren(el);
	document.execCommand("delete");
	const left = plain ? el.value : el.textContent;
	if (left !== "") return {state: "keeps its text when it is deleted"};
	return {element: el, lines: tag !== "input"};
}
