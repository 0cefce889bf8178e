"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const by = (id) => document.getElementById(id);
const node = (name, text) => { const made = document.createElement(name); made.textContent = text; return made; };
const label = by("label"), role = by("role"), step = by("step"), search = by("search");
const rows = [...document.querySelectorAll("[data-row]")].map((row) => ({
  row, clusters: row.dataset.clusters ? row.dataset.clusters.split(" ") : [], text: row.textContent.toLowerCase(),
}));
const fleet = new Map([...document.querySelectorAll("tr[data-role]")].map((row) => [row.dataset.clusters, row.dataset]));

/* The clusters that the three selections leave, as they stand in the data. */
function chosen() {
  return data.clusters.map(([name, labels], at) => ({ name, labels, at })).filter(({ name, labels }) => {
    const known = fleet.get(name);
    return (!label.value || labels.includes(label.value)) && (!role.value || known.role === role.value)
      && (!step.value || known.step === step.value);
  });
}

function filter() {
  const left = new Set(chosen().map((one) => one.name));
  const all = left.size === data.clusters.length;
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const { row, clusters, text } of rows) {
    const fits = (all || !clusters.length || clusters.some((name) => left.has(name))) && words.every((word) => text.includes(word));
    row.hidden = !fits;
    shown += fits;
  }
  for (const part of document.querySelectorAll(".group, table:has([data-row])")) part.hidden = !part.querySelector("[data-row]:not([hidden])");
  if (words.length || !all) for (const part of document.querySelectorAll(".group")) part.open = true;
  by("shown").textContent = words.length || !all ? `${shown} of ${rows.length} rows` : "";
}

let waiting = 0;
search.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(filter, 80); });
for (const one of [label, role, step]) one.addEventListener("change", () => { filter(); document.dispatchEvent(new Event("chosen")); });
by("tools").addEventListener("submit", (event) => { event.preventDefault(); filter(); });
document.addEventListener("keydown", (event) => {
  const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
  if (event.key === "/" && !typing) { event.preventDefault(); search.focus(); }
  if (event.key === "Escape" && event.target === search) { search.value = ""; filter(); }
});

const dark = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (document.documentElement.dataset.theme || (dark.matches ? "dark" : "light")) === "dark";
function themed() {
  by("theme").textContent = isDark() ? "Light" : "Dark";
  by("theme").setAttribute("aria-pressed", String(isDark()));
  document.dispatchEvent(new Event("chosen"));
}
by("theme").addEventListener("click", () => { document.documentElement.dataset.theme = isDark() ? "light" : "dark"; themed(); });
dark.addEventListener("change", themed);

/* A link to the page of a code opens it; a printed page has all of them open. */
function opened() {
  const target = location.hash && by(decodeURIComponent(location.hash.slice(1)));
  if (target && target.tagName === "DETAILS") { target.open = true; target.scrollIntoView(); }
}
addEventListener("hashchange", opened);
document.addEventListener("click", (event) => { if (event.target.matches("a.code")) setTimeout(opened); });
addEventListener("beforeprint", () => { for (const one of document.querySelectorAll("details")) one.open = true; });
