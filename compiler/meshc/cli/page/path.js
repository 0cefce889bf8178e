const from = by("path-from"), to = by("path-to"), without = by("path-without"), answer = by("path-told");
const text = (at) => data.texts[at];
for (const [name] of data.clusters) { const one = node("option", ""); one.value = name; by("path-clusters").append(one); }
for (const [namespace, name] of data.services) { const one = node("option", ""); one.value = `${namespace}/${name}`; by("path-services").append(one); }
const losses = new Map(data.losses.map(([route, lost, after]) => [`${route} ${lost}`, after]));

/* The number of the route of a cluster to a service: rows are pairs of a number and how often it stands there. */
function routeOf(caller, service) {
  const row = data.rows[data.services[service][4]];
  for (let at = 0, seen = 0; at < row.length; at += 2) { seen += row[at + 1]; if (caller < seen) return row[at]; }
  return -1;
}

function way([cluster, , transport, signer, why, gateways]) {
  if (text(why)) return `doesn't answer: ${text(why)}`;
  const by = gateways.length ? `through ${gateways.map(text).join(" or ")}` : "its pods directly";
  return `${by}, ${text(transport)}${text(transport) === "mutual TLS" ? `, by ${text(signer)}` : ""}`;
}

function show(changed) {
  const caller = data.clusters.findIndex(([name]) => name === from.value);
  const service = data.services.findIndex(([namespace, name]) => `${namespace}/${name}` === to.value);
  answer.replaceChildren();
  if (caller < 0 || service < 0) {
    if (from.value || to.value) answer.append(node("p", caller < 0 ? "Choose a cluster that calls." : "Choose a service, as namespace/name."));
    return;
  }
  const number = routeOf(caller, service);
  if (changed) {
    const lost = data.clusters.map(([name], at) => ({ name, at })).filter(({ at }) => losses.has(`${number} ${at}`));
    without.replaceChildren(without.options[0], ...lost.map(({ name, at }) => { const one = node("option", name); one.value = at; return one; }));
    without.value = "";
  }
  const taken = without.value === "" ? number : losses.get(`${number} ${without.value}`);
  const [resolves, why, planes, ends, remarks] = data.routes[taken];
  const list = node("dl", ""), row = (term, said) => list.append(node("dt", term), node("dd", said));
  row("host", `${data.services[service][1]}.${data.services[service][0]}.svc.${data.domain}`);
  row("name", text(resolves) || "resolves to nothing");
  if (ends.length) row("told by", planes.map((at) => data.clusters[at][0]).join(", "));
  for (const end of ends) row(data.clusters[end[0]][0], way(end));
  if (text(why)) row("no answer", text(why));
  for (const remark of remarks) row("note", text(remark));
  answer.append(list);
}
for (const one of [from, to]) { one.addEventListener("input", () => show(true)); one.addEventListener("change", () => show(true)); }
without.addEventListener("change", () => show(false));
by("path-form").addEventListener("submit", (event) => event.preventDefault());
themed();
opened();
