// Stories: a failed spec, from what was found to what was seen.

const hops = ["browser", "edge", "auth", "database", "api"];

function storyOf(story, spec) {
  const first = story.visitors.find((v) => v.diagnosis.findings && v.diagnosis.findings.length) || story.visitors[0];
  const line = gist(spec.message || "");
  const summary = [el("span", {class: "mark", "aria-hidden": "true"}, "✗"),
    el("strong", null, spec.text), ` · ${spec.behaviour} · ${spec.profile}`,
    el("span", {class: "why"}, first && first.diagnosis.findings && first.diagnosis.findings.length ? first.sentence : line)];
  return later({class: "story", id: `failure-${story.spec}`}, summary, () => el("div", {class: "body"},
    story.visitors.map((v) => visitorOf(v, story.visitors.length > 1)),
    data.earlier && spec.earlier && [el("h3", null, "In the runs before"), el("p", null, before(spec))],
    el("h3", null, "Run exactly this again"), copyable(spec.reproduce || ""),
    el("p", {class: "note"}, [story.commit ? `commit ${story.commit.replace(/\+$/, "")}${story.commit.endsWith("+") ? ", with changes that are not committed" : ""} · ` : "", `failed at ${spec.where || "?"}`]),
    later({class: "plain"}, "What the spec said when it failed", () => el("pre", null, spec.message || ""))));
}

// before draws what became of a spec in the runs before, the oldest first.
const became = {p: "passed", f: "failed", n: "not judged", q: "failed in quarantine", Q: "passed in quarantine"};

function before(spec) {
  const seen = [...spec.earlier || ""];
  const counts = Object.entries(became).map(([letter, word]) => [seen.filter((l) => l === letter).length, word]).filter(([n]) => n);
  const said = counts.map(([n, word]) => `${n} ${word}`).join(", ") || "new";
  return [el("span", {class: "past", "aria-hidden": "true", title: said}, seen.map((l) => el("i", {class: `was-${l === "-" ? "none" : l}`}))), el("span", {class: seen.length ? "heard" : "soft"}, said)];
}

// gist is what a message begins with, in one line: Gomega puts what it says
// below a line such as "Unexpected error:".
function gist(message) {
  const said = message.split("\n").map((l) => l.trim()).filter(Boolean);
  const text = said.slice(0, said[0] && said[0].endsWith(":") ? 3 : 1).join(" ");
  return text.length > 220 ? `${text.slice(0, 219)}…` : text;
}

function visitorOf(v, several) {
  const d = v.diagnosis;
  return el("div", null,
    el("h3", null, several ? `Why ${v.name} lost it` : "Why"), el("p", null, `${v.name} on ${v.browser || v.profile}: ${v.sentence}`),
    (d.findings || []).map((f) => finding(f, v)),
    lines("What else went wrong, and does not follow from that", d.unexplained, v), lines("Certain all the same", d.certain, v), lines("Look at this next", d.next, v),
    d.ruledOut && d.ruledOut.length ? later({class: "plain"}, `${plural(d.ruledOut.length, "cause is", "causes are")} ruled out`, () => definitions("attributes", d.ruledOut.map((r) => [r.cause, r.how]))) : null,
    v.moments.length ? [el("h3", null, "What happened, in order"), timeline(v)] : null,
    picture(v),
    v.exchanges.length ? [el("h3", null, "Exchanges"), traffic(v)] : null,
    v.jars.length ? [el("h3", null, "Cookies that the browser kept"), jars(v)] : null,
    v.errors.length ? [el("h3", null, "Errors of the page"), el("ul", null, v.errors.map((e) => el("li", null, el("span", {class: "chip"}, e.kind), " ", e.text, " ", el("small", null, e.page))))] : null,
    v.gaps && lines("What this engine cannot report", v.gaps, v),
    el("p", {class: "note"}, el("a", {href: address(v.trace)}, "The whole trace"), " · ", el("a", {href: address(v.trace.replace(/\.json$/, ".har"))}, "its exchanges as HAR"), " · explain it again, on any machine: ", el("code", null, `.crossing/bin/crossing explain ${v.trace}`)),
    v.left && el("p", {class: "note"}, `Left out here: ${v.left.join("; ")}.`));
}

function finding(f, v) {
  const at = hops.indexOf(f.hop);
  return el("div", {class: "finding"},
    el("p", null, el("code", null, f.cause), f.instance ? ` at ${f.instance}` : ""),
    el("ol", {class: "hops", "aria-label": "Where on the way it first shows"}, hops.map((hop, i) =>
      el("li", {class: i === at && "here", "aria-current": i === at ? "step" : null}, i === at ? [hop, el("span", {class: "heard"}, ": it first shows here")] : hop))),
    el("h4", null, "Evidence"), el("ul", {class: "mono"}, (f.evidence || []).map((l) => el("li", null, evidence(l, v)))),
    el("h4", null, "Mend"), el("ul", {class: "mends"}, (f.mend || []).map((l) => el("li", null, l))),
    f.consequences && [el("h4", null, "What followed"), el("ul", {class: "mono"}, f.consequences.map((l) => el("li", null, evidence(l, v))))]);
}

function lines(title, all, v) {
  if (!all || !all.length) return null;
  return [el("h3", null, title), el("ul", null, all.map((l) => el("li", null, evidence(l, v))))];
}

// timeline folds what was asked afterwards, outside the browser, into one.
function timeline(v) {
  const asked = v.moments.filter((m) => m.kind === "observed");
  return [el("ol", {class: "line"}, v.moments.filter((m) => m.kind !== "observed").map((m) => momentOf(m, v))),
    asked.length ? later({class: "plain"}, `${plural(asked.length, "answer", "answers")} that services and database gave afterwards, outside the browser`,
      () => el("ol", {class: "line"}, asked.map((m) => momentOf(m, v)))) : null];
}

function momentOf(m, v) {
  return el("li", {class: `${m.kind}${m.bad ? " bad" : ""}`},
    el("span", {class: "at"}, `${m.at.toFixed(2)} s`), el("span", {class: "dot", "aria-hidden": "true"}),
    el("span", {class: "what"}, m.kind === "lost" && el("strong", null, "Here it was lost: "),
      el("span", {class: "text"}, m.text), m.took ? el("small", null, ` took ${seconds(m.took)}`) : null,
      m.exchange && [" ", reference(m.exchange, v)],
      m.screenshot && el("a", {class: "thumb", href: address(m.screenshot)}, m.picture ? el("img", {src: m.picture, loading: "lazy", alt: `The page after: ${m.text}`}) : "its picture"),
      m.note && el("div", {class: "soft"}, `no picture: ${m.note}`),
      m.detail && el("div", {class: m.kind === "cookie" ? "soft mono" : "soft"}, m.detail)));
}

// address is a path beside the page, as a link has it.
function address(path) { return path.split("/").map(encodeURIComponent).join("/"); }

function picture(v) {
  if (!v.screenshot) return null;
  const alt = `The page that ${v.name} saw when the spec failed`;
  const path = address(v.screenshot);
  return el("figure", {class: "shot"}, v.picture && el("a", {href: path}, el("img", {src: v.picture, alt})), el("figcaption", null, v.picture ? `${alt}.` : el("a", {href: path}, alt)));
}

// jars shows each jar against the one before it.
function jars(v) {
  const before = [];
  return v.jars.map((j, i) => {
    const kept = (j.cookies || []).map((c) => ({c, key: [c.name, c.domain, c.path, c.partitionKey].join("|")}));
    const earlier = i > 0 ? before[i - 1] : [];
    before.push(kept);
    const gone = earlier.filter((o) => !kept.some((k) => k.key === o.key));
    const title = `${j.label || (i === v.jars.length - 1 ? "at the end" : "on the way")} (${j.at.toFixed(2)} s): ${plural(kept.length, "cookie", "cookies")}${j.scope === "host" ? " of the page's host; this engine shows no others" : ""}`;
    const word = ({c, key}) => {
      const was = earlier.find((o) => o.key === key);
      return !was ? "new" : was.c.digest === c.digest ? "kept" : "changed";
    };
    return el("div", null, el("h4", {class: "sub"}, title), kept.length + gone.length ? el("div", {class: "wide", tabindex: "0", role: "group", "aria-label": title}, el("table", null,
      el("thead", null, el("tr", null, ["", "name", "value", "domain", "path", "partition key", "expires", "flags"].map((h) => el("th", {scope: "col"}, h || el("span", {class: "heard"}, "change"))))),
      el("tbody", null, [...kept.map((k) => cookieRow(k.c, word(k))), ...gone.map((k) => cookieRow(k.c, "gone"))]))) : null);
  });
}

function cookieRow(c, word) {
  const flags = [c.secure && "Secure", c.httpOnly && "HttpOnly", c.sameSite && `SameSite=${c.sameSite}`, c.hostOnly && "this host only"].filter(Boolean).join(", ");
  const expires = c.expires.startsWith("0001") ? "with the browser" : c.expires.slice(0, 19).replace("T", " ");
  return el("tr", null, el("td", null, el("span", {class: word === "gone" ? "chip bad" : word === "kept" ? "chip" : "chip good"}, word)), el("td", {class: "mono"}, c.name), el("td", {class: "mono"}, c.digest),
    el("td", null, c.domain), el("td", null, c.path), el("td", null, c.partitionKey || "none"), el("td", null, expires), el("td", null, flags));
}
