// Drawing. Every text becomes a text node, so that nothing that a service has
// answered can be taken for markup.

// el makes an element: el("a", {href: "#x", class: "y"}, "text", child, [children]).
function el(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  append(made, children);
  return made;
}

function append(parent, children) {
  for (const child of children) {
    if (child === undefined || child === null || child === false) continue;
    if (Array.isArray(child)) append(parent, child);
    else parent.append(child);
  }
}

// later makes details whose body is drawn when they are opened for the first
// time: a page of a thousand failures opens as fast as one of ten.
function later(attributes, summary, draw) {
  const made = el("details", attributes, el("summary", null, summary));
  made.draw = () => {
    if (made.drawn) return;
    made.drawn = true;
    append(made, [draw()]);
  };
  made.addEventListener("toggle", () => { if (made.open) made.draw(); });
  return made;
}

// open opens details, draws them, and all that they stand in.
function open(details) {
  for (let at = details; at; at = at.parentElement) {
    if (at.tagName === "DETAILS") {
      if (at.draw) at.draw();
      at.open = true;
    }
  }
}

function seconds(s) {
  if (s >= 60) return `${Math.floor(s / 60)} min ${Math.round(s % 60)} s`;
  if (s >= 10) return `${Math.round(s)} s`;
  if (s >= 1) return `${s.toFixed(1)} s`;
  return `${Math.round(s * 1000)} ms`;
}

function plural(n, one, many) { return `${n.toLocaleString("en")} ${n === 1 ? one : many}`; }

// definitions draws a list of terms and texts; what is empty is left out.
function definitions(className, pairs) {
  return el("dl", {class: className}, pairs.filter(([, text]) => text !== undefined && text !== "" && text !== null)
    .map(([term, text, wrong]) => [el("dt", {class: wrong && "wrong"}, term), el("dd", {class: wrong && "wrong"}, text)]));
}

// copyable is a command with a button. Where the browser keeps the clipboard
// from a page that was opened from disk, the command is selected instead.
function copyable(text) {
  const pre = el("pre", {tabindex: "0", role: "group", "aria-label": "The command"}, text);
  const say = el("span", {class: "heard", role: "status"});
  const copy = async (event) => {
    const button = event.currentTarget;
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
      say.textContent = "The command was copied";
    } catch {
      getSelection().selectAllChildren(pre);
      say.textContent = "The command is selected";
    }
  };
  return el("div", {class: "again"}, pre, el("button", {type: "button", onclick: copy}, "Copy"), say);
}
