// Exchanges: who asked whom for what, with its cookies taken apart.

function exchangeLine(x) {
  const failed = x.err || x.status >= 400;
  return [
    el("span", {class: "n soft"}, `${x.at.toFixed(2)} s`),
    el("span", {class: failed ? "chip bad" : "chip"}, x.err ? "no answer" : String(x.status)),
    el("span", null, x.method),
    el("span", {class: "url mono"}, x.url),
    el("span", {class: "by soft"}, [x.instance || x.role, x.kind === "page's own" ? "" : ` · ${x.kind}`, x.proof ? " · evidence" : "", x.fault ? " · broken on purpose" : ""]),
  ];
}

function exchangeBody(x, visitor) {
  return el("div", {class: "body"},
    definitions("attributes", [["request id", x.id], ["asked by", x.page ? `a page of ${x.page}` : ""], ["answered by", x.instance || x.role],
      ["took", seconds(x.millis / 1000)], ["no answer", x.err, true], ["broken on purpose", x.fault]]),
    x.sent && [el("h4", {class: "sub"}, "Cookie: what the browser sent"), x.sent.map((c) => sentCookie(c, visitor))],
    x.setCookies && [el("h4", {class: "sub"}, "Set-Cookie: attribute by attribute"), x.setCookies.map(setCookie)],
    tokenOf("Token that was sent", x.request.token), tokenOf("Token in the answer", x.response.token),
    x.logs && [el("h4", {class: "sub"}, "What the service logged for this request"), x.logs.map((l) => el("pre", null, `${l.instance}  ${readable(l.text)}`))],
    headers("Request header", x.request), headers("Answer's header", x.response));
}

function sentCookie(c, visitor) {
  return definitions("attributes", [[c.name, c.digest], ["set by", c.setBy && reference(c.setBy, visitor)],
    ["partition key", c.key || "", false], ["", c.setBy ? "" : "no answer in this trace set this value"]].filter(([t, x]) => t || x));
}

function setCookie(c) {
  return el("div", null, el("pre", null, c.line),
    c.agreed ? el("small", null, "This is the session cookie that the contract agrees on.") : null,
    definitions("attributes", [
      ...c.parts.map((p) => [p.name, p.wrong ? `✗ ${p.text}` : p.text, p.wrong]),
      ["the browser", c.refused && `✗ refused to store it: ${[...new Set(c.refused)].join(", ")}`, true],
    ]));
}

function tokenOf(title, t) {
  if (!t) return null;
  return [el("h4", {class: "sub"}, title), definitions("attributes", t.opaque ? [["digest", t.digest], ["", "it is no JWT"]] : [
    ["digest", t.digest], ["alg", t.alg], ["kid", t.kid], ["iss", t.iss], ["aud", (t.aud || []).join(", ")], ["sub", t.sub], ["iat", t.iat], ["exp", t.exp]])];
}

function headers(title, side) {
  const lines = (side.header || []).map((f) => `${f.name}: ${f.value}`).join("\n");
  if (!lines && !side.body) return null;
  return later({class: "plain"}, `${title} and body (${plural(side.bytes, "byte", "bytes")})`, () => [
    lines && el("pre", null, lines), side.body && el("pre", null, readable(side.body))]);
}

// readable indents what is JSON.
function readable(text) {
  if (text.length > 120 && text.startsWith("{")) {
    try { return JSON.stringify(JSON.parse(text), null, 1); } catch { /* it was cut */ }
  }
  return text;
}

const named = /\b[0-9a-f]{16}\b/;

// reference leads to an exchange by its id.
function reference(id, visitor) {
  if (!visitor.exchanges.some((x) => x.id === id)) return el("code", null, id);
  return el("a", {href: `#x-${id}`, class: "mono", onclick: (event) => { event.preventDefault(); show(id, visitor); }}, id);
}

// show opens an exchange and goes there, whatever the filter hides.
function show(id, visitor) {
  if (visitor.reveal) visitor.reveal();
  const found = document.getElementById(`x-${id}`);
  if (!found) return;
  open(found);
  found.scrollIntoView({block: "center"});
  found.querySelector("summary").focus();
}

// evidence is a line in which an exchange that it names can be followed.
function evidence(line, visitor) {
  const id = named.exec(line);
  if (!id) return [line];
  return [line.slice(0, id.index), reference(id[0], visitor), line.slice(id.index + id[0].length)];
}

// traffic lists the exchanges of a visitor, with a filter. What a page is made
// of and the harness's own questions are hidden until they are asked for.
function traffic(visitor) {
  const rows = visitor.exchanges.map((x) => {
    const made = later({id: `x-${x.id}`, class: x.proof ? "proof" : null}, exchangeLine(x), () => exchangeBody(x, visitor));
    made.exchange = x;
    made.words = [x.method, x.url, x.status, x.instance, x.role, x.kind, x.err, x.fault, x.id, x.proof ? "evidence" : "",
      ...(x.setCookies || []).map((c) => c.line), ...(x.sent || []).map((c) => `${c.name} ${c.digest}`), ...(x.logs || []).map((l) => l.text)].join(" ").toLowerCase();
    return made;
  });
  const count = el("output", {"aria-live": "polite"});
  const words = el("input", {type: "search", autocomplete: "off", placeholder: "get-session 401"});
  const all = el("input", {type: "checkbox"});
  const filter = () => {
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const told = all.checked || row.exchange.proof || !["part of a page", "harness", "proof"].includes(row.exchange.kind);
      row.hidden = !(wanted.length ? wanted.every((w) => row.words.includes(w)) && (told || wanted.length > 0) : told);
      if (!row.hidden) shown++;
    }
    count.textContent = `${shown} of ${rows.length} shown`;
  };
  words.addEventListener("input", filter);
  all.addEventListener("change", filter);
  filter();
  visitor.reveal = () => { words.value = ""; all.checked = true; filter(); };
  return el("div", {class: "traffic"}, el("div", {class: "filter", role: "group", "aria-label": `Exchanges of ${visitor.name}`},
    el("label", null, "Words in exchanges", words), el("label", {class: "tick"}, all, "also parts of pages, the harness's questions and the cookie policy's proof"), count), rows);
}
