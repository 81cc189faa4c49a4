const find = (selector, root = document) => root.querySelector(selector);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const make = (name, attributes = {}, text) => {
  const svg = ["svg", "path", "rect", "text", "image", "line"].includes(name);
  const node = svg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  return node;
};
const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
const floats = (text) => new Float32Array(bytes(text).buffer);
const shared = JSON.parse(find("#shared").textContent);
const show = (value, digits = 3) => {
  if (!Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const size = Math.floor(Math.log10(Math.abs(value)));
  const text = size < -4 ? value.toExponential(digits - 1)
    : Number.isInteger(value) ? String(value) : value.toFixed(Math.max(digits - 1 - size, 0));
  return text.replace("-", "−");
};
const colour = (lut, fraction) => {
  const at = 3 * Math.round(Math.min(Math.max(fraction, 0), 1) * (lut.length / 3 - 1));
  return [lut[at], lut[at + 1], lut[at + 2]];
};
const rates = bytes(shared.rates), similarities = bytes(shared.similarities);
const gradient = (lut) => `linear-gradient(90deg, ${Array.from({ length: 12 }, (_, i) =>
  `rgb(${colour(lut, i / 11).join(" ")})`).join(", ")})`;
const paint = (canvas, width, height, pixel) => {
  canvas.width = width; canvas.height = Math.max(height, 1);
  const context = canvas.getContext("2d"), image = context.createImageData(width, Math.max(height, 1));
  for (let row = 0; row < height; row++) for (let column = 0; column < width; column++) {
    const rgb = pixel(row, column);
    if (rgb) image.data.set([...rgb, 255], 4 * (row * width + column));
  }
  context.putImageData(image, 0, 0);
  return canvas;
};

/* One recording: its numbers, and where they lie. */
const open = (root) => {
  const d = JSON.parse(find("script[type='application/json']", root).textContent);
  const nS = d.sessions.length, nD = d.directions ? d.directions.length : 0, nP = d.x ? d.x.length : 0;
  for (const m of d.matrices) m.values = floats(m.values);
  if (d.units) {
    d.codes = bytes(d.codes); d.peaks = floats(d.peaks);
    for (const name in d.cells) d.cells[name] = floats(d.cells[name]);
    for (const name of ["detected", "place", "significant"]) if (d[name]) d[name] = bytes(d[name]);
    d.even = d.even ? bytes(d.even) : null;
    d.odd = d.odd ? new Int16Array(bytes(d.odd).buffer) : null;
    d.pairs = d.pairs ? new Int16Array(bytes(d.pairs).buffer) : null;
    d.twoD = d.y.length > 0;
  }
  const at = (u, s, k) => (u * nS + s) * nD + k;
  const code = (u, s, k, p) => d.codes[at(u, s, k) * nP + p];
  const peakBin = (u, s, k) => {
    const from = at(u, s, k) * nP;
    let best = -1, top = -1;
    for (let p = 0; p < nP; p++) { const c = d.codes[from + p]; if (c < 255 && c > top) { top = c; best = p; } }
    return top > 0 ? best : -1;
  };
  const correlation = (u, a, b, k) => {
    if (!d.pairs || a === b) return NaN;
    const [i, j] = a < b ? [a, b] : [b, a];
    const pair = i * nS - i * (i + 1) / 2 + (j - i - 1);
    const value = d.pairs[(pair * d.units.length + u) * nD + k];
    return value === -32768 ? NaN : value / 10000;
  };
  // Where a bin is, in words: an arm and the way along it, a category, or a place.
  const place = (bin) => bin < 0 ? "–" : d.twoD ? `${show(d.x[bin])}, ${show(d.y[bin])}`
    : d.parts.length && !d.unit ? d.parts[bin] : d.parts.length ? `${show(d.x[bin])} (${d.parts[bin]})` : show(d.x[bin]);
  const range = () => {
    if (d.parts.length) return [...new Set(d.parts)].join(" | ");
    const [from, to] = d.ends.length ? d.ends : [d.x[0], d.x[nP - 1]];
    return `${show(from)} to ${show(to)} ${d.unit}` + (d.round ? ", its end is its beginning" : "");
  };
  const borders = () => d.parts.flatMap((name, p) => p && name !== d.parts[p - 1] ? [p] : []);
  const session = (s) => d.where[s] ? `${d.sessions[s]} (${d.where[s]})` : d.sessions[s];
  const heading = (k) => nD === 1 ? "Rate map" : d.ways[k][0].toUpperCase() + d.ways[k].slice(1) + (d.typed ? "" : d.directions[k] > 0 ? " →" : " ←");
  return { root, d, nS, nD, nP, at, code, peakBin, place, range, borders, correlation, session, heading };
};

/* Lines in the plane, such as the walls of an arena, over a map of the same plane. */
const overlay = (r, canvas) => {
  if (!r.d.outline.length) return canvas;
  const step = (values) => { const v = [...new Set(values)].sort((a, b) => a - b); return [v[0], v[v.length - 1], v.length > 1 ? Math.min(...v.slice(1).map((w, i) => w - v[i])) : 1]; };
  const [x0, x1, dx] = step(r.d.x), [y0, y1, dy] = step(r.d.y), top = y1 + dy / 2;
  const svg = make("svg", { class: "walls", viewBox: `${x0 - dx / 2} 0 ${x1 - x0 + dx} ${y1 - y0 + dy}`, preserveAspectRatio: "none" });
  svg.append(make("path", { d: `M${r.d.outline.map(([x, y]) => `${x} ${top - y}`).join("L")}Z` }));
  const box = make("div", { class: "arena" });
  box.append(canvas, svg);
  return box;
};
/* A map on the arms of a maze. */
const drawMaze = (r, u, s, k, top) => {
  const lines = r.d.lines, xs = lines.flatMap((l) => [l[0], l[2]]), ys = lines.flatMap((l) => [l[1], l[3]]);
  const x0 = Math.min(...xs), x1 = Math.max(...xs), y0 = Math.min(...ys), y1 = Math.max(...ys);
  const wide = Math.max(x1 - x0, y1 - y0) / 14, scale = r.d.peaks[r.at(u, s, k)] / top / 254;
  const svg = make("svg", { class: "maze", role: "img", "aria-label": `session ${r.session(s)}, on the arms of the maze`,
    viewBox: `${x0 - wide} ${-y1 - wide} ${x1 - x0 + 2 * wide} ${y1 - y0 + 2 * wide}` });
  lines.forEach(([ax, ay, bx, by], p) => {
    const c = r.code(u, s, k, p);
    svg.append(make("path", { d: `M${ax} ${-ay}L${bx} ${-by}`, class: c === 255 ? "gap" : "",
      style: `stroke-width:${wide}` + (c === 255 ? "" : `;stroke:rgb(${colour(rates, c * scale || 0).join(" ")})`) }));
  });
  return svg;
};

/* Grid of the visited bins of a plane. */
const plane = (d) => {
  const xs = [...new Set(d.x)].sort((a, b) => a - b), ys = [...new Set(d.y)].sort((a, b) => a - b);
  const bin = new Int32Array(xs.length * ys.length).fill(-1);
  d.x.forEach((x, p) => { bin[(ys.length - 1 - ys.indexOf(d.y[p])) * xs.length + xs.indexOf(x)] = p; });
  return { width: xs.length, height: ys.length, bin };
};
const drawField = (r, canvas, u, s, k, top) => {
  r.grid ??= plane(r.d);
  const scale = r.d.peaks[r.at(u, s, k)] / top / 254;
  paint(canvas, r.grid.width, r.grid.height, (row, column) => {
    const p = r.grid.bin[row * r.grid.width + column];
    const c = p < 0 ? 255 : r.code(u, s, k, p);
    return c === 255 ? null : colour(rates, c * scale || 0);
  });
};
