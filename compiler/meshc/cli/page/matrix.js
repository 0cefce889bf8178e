const canvas = by("matrix"), told = by("matrix-told"), rowsOf = by("matrix-rows");
let grid = { rows: [], columns: [], cells: [], size: 0, left: 0, top: 0, most: 1 }, cursor = [0, 0];

/* Rows, columns and, for each cell, the numbers of the services in it. A row of services has one service in a cell. */
function gridOf() {
  const columns = chosen(), position = new Map(columns.map((one, index) => [one.at, index]));
  const byService = rowsOf.value === "services";
  let rows = byService ? data.services.map((one, at) => ({ name: `${one[0]}/${one[1]}`, at })) : columns;
  const index = byService ? null : position, cells = new Map();
  const put = (row, column, service) => {
    const key = row * columns.length + column;
    if (cells.has(key)) cells.get(key).push(service); else cells.set(key, [service]);
  };
  data.services.forEach(([, , homes, clients], service) => {
    for (const client of data.sets[clients]) {
      if (!position.has(client)) continue;
      if (byService) put(service, position.get(client), service);
      else for (const home of data.sets[homes]) if (index.has(home) && home !== client) put(index.get(home), position.get(client), service);
    }
  });
  if (!byService) {
    const used = [...new Set([...cells.keys()].map((key) => Math.floor(key / columns.length)))].sort((a, b) => a - b);
    const moved = new Map(used.map((row, to) => [row, to])), kept = new Map();
    for (const [key, list] of cells) kept.set(moved.get(Math.floor(key / columns.length)) * columns.length + key % columns.length, list);
    return { rows: used.map((row) => rows[row]), columns, cells: kept, byService };
  }
  return { rows, columns, cells, byService };
}

function draw() {
  const room = canvas.closest("section").clientWidth, style = getComputedStyle(document.documentElement);
  const found = gridOf(), left = room < 600 ? 96 : 170, top = 96;
  const size = Math.max(4, Math.min(22, Math.floor((room - left - 44) / Math.max(1, found.columns.length))));
  const scale = devicePixelRatio || 1, width = left + size * found.columns.length + 44, height = top + size * found.rows.length + 4;
  let most = 1;
  for (const list of found.cells.values()) most = Math.max(most, list.length);
  grid = { ...found, size, left, top, most };
  canvas.width = width * scale; canvas.height = height * scale;
  canvas.style.width = `${width}px`; canvas.style.height = `${height}px`;
  const paint = canvas.getContext("2d"), dim = document.createElement("canvas").getContext("2d");
  paint.scale(scale, scale);
  paint.font = "12px system-ui, sans-serif";
  const colour = (name) => { const probe = node("i", ""); probe.style.color = `var(--${name})`; document.body.append(probe); const got = getComputedStyle(probe).color; probe.remove(); return got; };
  const line = colour("line"), blue = colour("blue"), text = colour("faint"), good = colour("good"), gap = size > 6 ? 1 : 0;
  paint.fillStyle = line; paint.globalAlpha = .35;
  paint.fillRect(left, top, size * found.columns.length, size * found.rows.length);
  for (const [key, list] of found.cells) {
    paint.globalAlpha = found.byService ? .8 : .25 + .75 * Math.log(1 + list.length) / Math.log(1 + most);
    paint.fillStyle = blue;
    paint.fillRect(left + key % found.columns.length * size, top + Math.floor(key / found.columns.length) * size, size - gap, size - gap);
  }
  paint.globalAlpha = 1;
  if (found.byService) { /* where each service runs */
    const place = new Map(found.columns.map((one, at) => [one.at, at]));
    paint.fillStyle = good;
    data.services.forEach(([, , homes], row) => { for (const home of data.sets[homes]) if (place.has(home)) paint.fillRect(left + place.get(home) * size, top + row * size, size - gap, size - gap); });
  }
  paint.fillStyle = text; paint.textBaseline = "middle"; paint.textAlign = "right";
  const each = Math.max(1, Math.ceil(14 / size));
  const cut = (name, most) => name.length > most ? `${name.slice(0, most - 1)}…` : name;
  for (let row = 0; row < found.rows.length; row += each) paint.fillText(cut(found.rows[row].name, left < 120 ? 13 : 24), left - 6, top + row * size + size / 2);
  paint.textAlign = "left";
  for (let column = 0; column < found.columns.length; column += each) {
    paint.save(); paint.translate(left + column * size + size / 2, top - 6); paint.rotate(-Math.PI / 3);
    paint.fillText(cut(found.columns[column].name, 15), 0, 0); paint.restore();
  }
  cursor = [Math.min(cursor[0], Math.max(0, found.rows.length - 1)), Math.min(cursor[1], Math.max(0, found.columns.length - 1))];
  if (document.activeElement === canvas && found.rows.length) {
    paint.strokeStyle = colour("text"); paint.lineWidth = 2;
    paint.strokeRect(left + cursor[1] * size, top + cursor[0] * size, size, size);
  }
  canvas.setAttribute("aria-label", `Heat map: ${found.rows.length} ${found.byService ? "services" : "exporting clusters"} by ${found.columns.length} calling clusters`);
}

function names(list, most) {
  const said = list.slice(0, most).map((at) => `${data.services[at][0]}/${data.services[at][1]}`).join(", ");
  return list.length > most ? `${said} and ${list.length - most} more` : said;
}

function tell(most) {
  const row = grid.rows[cursor[0]], column = grid.columns[cursor[1]];
  if (!row || !column) { told.textContent = "No cluster that is chosen exports to another one."; return; }
  const list = grid.cells.get(cursor[0] * grid.columns.length + cursor[1]) || [];
  if (grid.byService) {
    const runs = data.sets[data.services[row.at][2]].includes(column.at);
    told.textContent = `${row.name}: ${runs ? "runs in" : list.length ? "has a copy in" : "no copy in"} ${column.name}`;
  } else {
    told.textContent = list.length ? `${column.name} calls ${list.length} of ${row.name}: ${names(list, most)}` : `${column.name} calls nothing of ${row.name}`;
  }
}

function pointed(event) {
  const box = canvas.getBoundingClientRect();
  const row = Math.floor((event.clientY - box.top - grid.top) / grid.size), column = Math.floor((event.clientX - box.left - grid.left) / grid.size);
  if (!grid.rows[row] || !grid.columns[column]) return;
  cursor = [row, column];
  tell(event.type === "click" ? 200 : 5);
}
canvas.addEventListener("pointermove", pointed);
canvas.addEventListener("click", pointed);
canvas.addEventListener("keydown", (event) => {
  const moves = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }, move = moves[event.key];
  if (move) {
    event.preventDefault();
    cursor = [Math.max(0, Math.min(grid.rows.length - 1, cursor[0] + move[0])), Math.max(0, Math.min(grid.columns.length - 1, cursor[1] + move[1]))];
    draw();
  }
  if (move || event.key === "Enter") tell(event.key === "Enter" ? 200 : 5);
});
for (const name of ["focus", "blur"]) canvas.addEventListener(name, draw);
rowsOf.addEventListener("change", () => { cursor = [0, 0]; draw(); });
document.addEventListener("chosen", draw);
addEventListener("resize", draw);
