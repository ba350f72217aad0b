// What stands on the page at once: failures, the list of specs, the slowest.

const data = JSON.parse(document.getElementById("data").textContent);
const signs = {passed: "✓", failed: "✗", "not applicable": "–", "not run": "·", quarantined: "~", infrastructure: "!"};

// Failures: the first is open, the others wait.
const stories = document.getElementById("stories");
const storyBySpec = new Map();
for (const story of data.stories) {
  const made = storyOf(story, data.specs[story.spec]);
  storyBySpec.set(story.spec, made);
  stories.append(made);
}
if (data.stories.length) open(stories.firstElementChild);

// openNamed opens the failure that the address names, so that a link to one
// can be sent to somebody.
function openNamed() {
  const found = location.hash.startsWith("#failure-") && document.getElementById(location.hash.slice(1));
  if (found) {
    open(found);
    found.scrollIntoView();
  }
}
addEventListener("hashchange", openNamed);

// On paper every story is open, up to as many as somebody would read there.
const onPaper = 20;
addEventListener("beforeprint", () => { for (const made of [...storyBySpec.values()].slice(0, onPaper)) open(made); });

// Specs.
const form = document.getElementById("filter");
const body = document.getElementById("rows");
const rows = data.specs.map((spec, i) => {
  const name = storyBySpec.has(i) ? el("a", {href: `#failure-${i}`}, spec.text) : spec.text;
  const row = el("tr", null,
    el("td", null, el("span", {class: spec.state === "failed" ? "chip bad" : spec.state === "passed" ? "chip good" : spec.state === "infrastructure" ? "chip mild" : "chip"}, `${signs[spec.state]} `, el("span", {class: "word"}, spec.state))),
    el("td", null, name, " ", el("small", null, spec.behaviour), !storyBySpec.has(i) && spec.message ? el("div", {class: "soft"}, spec.message) : null),
    el("td", {class: "profile"}, spec.profile), data.earlier && el("td", null, before(spec)), el("td", {class: "n"}, seconds(spec.seconds)));
  return {row, spec, i, words: [spec.suite, spec.behaviour, spec.profile, spec.text, spec.state, spec.message || ""].join(" ").toLowerCase()};
});
body.append(...rows.map((r) => r.row));

for (const [name, values] of [["state", data.specs.map((s) => s.state)], ["profile", data.specs.map((s) => s.profile)]]) {
  for (const value of [...new Set(values)].sort()) form.elements[name].append(el("option", {value}, value));
}

let behaviour = "";

function filterSpecs() {
  const wanted = form.elements.words.value.toLowerCase().split(/\s+/).filter(Boolean);
  const {state, profile} = {state: form.elements.state.value, profile: form.elements.profile.value};
  let shown = 0;
  for (const {row, spec, words} of rows) {
    row.hidden = !((!state || spec.state === state) && (!profile || spec.profile === profile) &&
      (!behaviour || spec.behaviour === behaviour) && wanted.every((w) => words.includes(w)));
    if (!row.hidden) shown++;
  }
  form.elements.shown.textContent = `${shown.toLocaleString("en")} of ${plural(rows.length, "spec", "specs")}${behaviour ? ` · ${behaviour}` : ""}`;
}

function orderSpecs() {
  const by = {slowest: (a, b) => b.spec.seconds - a.spec.seconds,
    name: (a, b) => a.words.localeCompare(b.words)}[form.elements.order.value] || ((a, b) => a.i - b.i);
  body.append(...[...rows].sort(by).map((r) => r.row));
}

form.addEventListener("input", () => { behaviour = ""; filterSpecs(); });
form.elements.order.addEventListener("change", orderSpecs);
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("reset", () => setTimeout(() => { behaviour = ""; filterSpecs(); orderSpecs(); }));
filterSpecs();

// A cell of the matrix chooses its specs.
for (const cell of document.querySelectorAll(".cell")) {
  cell.addEventListener("click", () => {
    form.reset();
    setTimeout(() => {
      behaviour = cell.dataset.behaviour;
      form.elements.profile.value = cell.dataset.profile;
      filterSpecs();
    });
  });
}

// The slowest ten.
const slowest = [...data.specs].filter((s) => s.seconds > 0).sort((a, b) => b.seconds - a.seconds).slice(0, 10);
document.getElementById("slowest").append(...slowest.map((s) => el("li", null,
  el("span", {class: "what"}, s.text, " ", el("small", null, `${s.behaviour} · ${s.profile}`)), el("span", {class: "n"}, seconds(s.seconds)),
  el("meter", {"aria-hidden": "true", min: 0, max: slowest[0].seconds, value: s.seconds}))));

openNamed();
