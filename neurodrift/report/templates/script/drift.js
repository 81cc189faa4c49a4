/* Matrix of pairs of sessions and the maps of the chosen pair. */
const drift = (r) => {
  const box = find(".drift", r.root);
  if (!box) return;
  const { d, nS } = r, svg = find("svg.matrix", box), which = find(".which", box);
  const selects = all(".pair-session", box), size = 400, edge = 46, side = (size - edge - 4) / nS;
  let a = 0, b = nS - 1, matrix = d.matrices[0];
  d.matrices.forEach((m, i) => {
    let group = all("optgroup", which).find((g) => g.label === m.group);
    if (!group) which.append(group = make("optgroup", { label: m.group }));
    group.append(make("option", { value: i }, m.title));
  });
  selects.forEach((select) => d.sessions.forEach((_, s) => select.append(make("option", { value: s }, r.session(s)))));
  const value = (m, i, j) => m.values[i * nS + j];
  const draw = () => {
    const finite = [...matrix.values].filter(Number.isFinite);
    const low = Math.min(0, ...finite), high = Math.max(1, ...finite);
    svg.replaceChildren();
    const canvas = paint(make("canvas"), nS, nS, (i, j) => {
      const v = value(matrix, i, j);
      return Number.isFinite(v) ? colour(similarities, (v - low) / (high - low)) : null;
    });
    svg.append(make("rect", { x: edge, y: 4, width: side * nS, height: side * nS, fill: "var(--gap)" }));
    svg.append(make("image", { x: edge, y: 4, width: side * nS, height: side * nS, href: canvas.toDataURL(), preserveAspectRatio: "none" }));
    const every = Math.ceil(nS / 12), long = d.sessions.some((label) => label.length > 7);
      const short = (s) => long ? String(s + 1) : d.sessions[s];
    for (let s = 0; s < nS; s += every) {
      svg.append(make("text", { x: edge - 7, y: 4 + side * (s + .5) + 4, "text-anchor": "end" }, short(s)));
      svg.append(make("text", { x: edge + side * (s + .5), y: size - edge + 4 + 18, "text-anchor": "middle" }, short(s)));
    }
    svg.append(make("text", { x: edge + side * nS / 2, y: size - 4, "text-anchor": "middle" }, "session"));
    if (nS <= 10) for (let i = 0; i < nS; i++) for (let j = 0; j < nS; j++) {
      const v = value(matrix, i, j);
      if (!Number.isFinite(v)) continue;
      const rgb = colour(similarities, (v - low) / (high - low));
      const light = .3 * rgb[0] + .6 * rgb[1] + .1 * rgb[2] > 140;
      svg.append(make("text", { class: "cell", x: edge + side * (j + .5), y: 4 + side * (i + .5) + 4, "text-anchor": "middle",
        style: `fill:${light ? "#111" : "#fff"}` }, v.toFixed(2).replace("-", "−")));
    }
    for (const name of ["chosen", "chosen inner"]) svg.append(make("rect", { class: name, x: edge + side * b, y: 4 + side * a, width: side, height: side }));
    find(".scale i", box).style.background = gradient(similarities);
    find(".low", box).textContent = show(low, 2);
    find(".high", box).textContent = show(high, 2);
    selects[0].value = a; selects[1].value = b;
    const v = value(matrix, a, b);
    find(".pair-text", box).textContent = `Sessions ${r.session(a)} and ${r.session(b)}: ${matrix.title.toLowerCase()} ${show(v)}.`;
    numbers();
    population(r, a, b);
  };
  const numbers = () => {
    const body = find(".pair-numbers tbody", box), names = [...new Set(d.matrices.map((m) => m.name))];
    body.replaceChildren(...names.map((name) => {
      const row = make("tr");
      row.append(make("td", {}, d.matrices.find((m) => m.name === name).title));
      for (const node of ["session_drift", "drift"]) {
        const m = d.matrices.find((item) => item.name === name && item.node === node);
        row.append(make("td", {}, m ? show(value(m, a, b)) : "–"));
      }
      return row;
    }));
  };
  const choose = (i, j) => {
    a = Math.min(Math.max(i, 0), nS - 1); b = Math.min(Math.max(j, 0), nS - 1); draw();
  };
  svg.addEventListener("click", (event) => {
    const area = svg.getBoundingClientRect(), unit = size / area.width;
    const j = Math.floor(((event.clientX - area.left) * unit - edge) / side);
    const i = Math.floor(((event.clientY - area.top) * unit - 4) / side);
    if (i >= 0 && j >= 0 && i < nS && j < nS) choose(i, j);
  });
  svg.addEventListener("keydown", (event) => {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (step) { event.preventDefault(); choose(a + step[0], b + step[1]); }
  });
  which.addEventListener("change", () => { matrix = d.matrices[Number(which.value)]; draw(); });
  selects.forEach((select) => select.addEventListener("change", () => choose(Number(selects[0].value), Number(selects[1].value))));
  all(".pair-choice", box).forEach((item) => item.addEventListener("change", draw));
  draw();
};

const population = (r, a, b) => {
  const { d, nD, nP } = r, box = find(".population", r.root);
  if (!box || !d.units) return;
  const reference = find(".pair-sort", r.root).value === "b" ? b : a, mode = find(".pair-units", r.root).value;
  const chosen = (u, k) => {
    if (!d.detected[u * r.nS + a] || !d.detected[u * r.nS + b]) return false;
    if (mode === "all" || !d.significant) return true;
    const [first, second] = [d.significant[r.at(u, a, k)], d.significant[r.at(u, b, k)]];
    return mode === "both" ? first && second : first || second;
  };
  box.replaceChildren();
  const counts = [];
  for (let k = 0; k < nD; k++) {
    const key = (u) => d.twoD ? -d.peaks[r.at(u, reference, k)] || 0 : r.peakBin(u, reference, k);
    const rows = d.units.map((_, u) => u).filter((u) => chosen(u, k)).sort((u, v) => key(u) - key(v) || u - v);
    counts.push(rows.length);
    if (d.twoD) { fieldsOfPair(r, box, rows, a, b, k); continue; }
    const direction = make("div"), both = make("div", { class: "sessions" });
    if (nD > 1) direction.append(make("h4", {}, r.heading(k)));
    direction.append(both);
    box.append(direction);
    for (const s of a === b ? [a] : [a, b]) populationPanel(r, both, rows, s, k, [a, b]);
  }
  const what = nD > 1 ? d.directions.map((v, k) => `${counts[k]} ${d.ways[k]}`).join(", ") : String(counts[0]);
  find(".pair-count", r.root).textContent = `Maps shown: ${what}, sorted by ${d.twoD ? "peak rate" : "their peak"} in session ${r.session(reference)}; each map relative to its own peak.`;
  box.classList.toggle("plane", d.twoD);
};

const populationPanel = (r, box, rows, s, k, [a, b]) => {
  const { d, nP } = r, panel = make("div", { class: "panel" }), title = make("small", { class: "soft" }, `session ${d.sessions[s]}`);
  const canvas = paint(make("canvas", { tabindex: 0, role: "application",
    "aria-label": `${rows.length} rate maps of session ${r.session(s)}, ${r.heading(k)}. Up and down arrows go through the units, Enter shows one.` }),
    nP, rows.length, (row, p) => { const c = r.code(rows[row], s, k, p); return c === 255 ? null : colour(rates, c / 254); });
  canvas.style.setProperty("--tall", `${Math.min(Math.max(rows.length * 3, 60), 380)}px`);
  const mark = make("i", { class: "mark", hidden: "" });
  let at = -1;
  const point = (row) => {
    if (!rows.length) return;
    at = Math.min(Math.max(row, 0), rows.length - 1);
    const u = rows[at], p = [a, b].map((t) => { const bin = r.peakBin(u, t, k); return r.place(bin); });
    mark.hidden = false;
    mark.style.top = `${canvas.offsetTop + at * canvas.clientHeight / rows.length - 1}px`;
    mark.style.height = `${Math.max(canvas.clientHeight / rows.length, 2) + 2}px`;
    const c = r.correlation(u, a, b, k);
    find(".readout", r.root).textContent = `${d.noun} ${d.units[u]}: peak at ${a === b ? p[0] : p.join(" and ")} ${d.unit}` + (Number.isFinite(c) ? `, correlation ${show(c, 2)}` : "");
  };
  canvas.addEventListener("pointermove", (event) => {
    const area = canvas.getBoundingClientRect();
    point(Math.floor((event.clientY - area.top) / area.height * rows.length));
  });
  canvas.addEventListener("pointerleave", () => { mark.hidden = true; });
  canvas.addEventListener("blur", () => { mark.hidden = true; });
  canvas.addEventListener("focus", () => point(at));
  canvas.addEventListener("click", () => { if (at >= 0) r.showUnit(rows[at]); });
  canvas.addEventListener("keydown", (event) => {
    const step = { ArrowUp: -1, ArrowDown: 1, PageUp: -10, PageDown: 10 }[event.key];
    if (step) { event.preventDefault(); point(at + step); }
    if (event.key === "Enter" && at >= 0) r.showUnit(rows[at]);
  });
  const ends = make("div", { class: "ends" });
  if (d.parts.length) ends.append(...[...new Set(d.parts)].map((name) => make("span", {}, name)));
  else ends.append(make("span", {}, show(d.ends.length ? d.ends[0] : d.x[0])), make("span", {}, `${show(d.ends.length ? d.ends[1] : d.x[nP - 1])} ${d.unit}`));
  panel.append(title, canvas, mark, ends);
  box.append(panel);
};

const fieldsOfPair = (r, box, rows, a, b, k) => {
  const most = 24, grid = make("div", { class: "fields" });
  for (const u of rows.slice(0, most)) {
    const card = make("div"), two = make("div", { class: "two" });
    for (const s of a === b ? [a] : [a, b]) {
      const canvas = make("canvas", { role: "img", "aria-label": `${r.d.noun.toLowerCase()} ${r.d.units[u]}, session ${r.session(s)}` });
      drawField(r, canvas, u, s, k, r.d.peaks[r.at(u, s, k)] || 1);
      two.append(canvas);
    }
    const c = r.correlation(u, a, b, k);
    card.append(two, make("small", {}, `${r.d.noun.toLowerCase()} ${r.d.units[u]}` + (Number.isFinite(c) ? `, r ${show(c, 2)}` : "")));
    grid.append(card);
  }
  box.append(grid);
  if (rows.length > most) box.append(make("p", { class: "soft" }, `The first ${most} of ${rows.length} ${r.d.noun.toLowerCase()}s.`));
};
