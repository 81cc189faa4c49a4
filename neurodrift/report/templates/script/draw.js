const find = (selector, root = document) => root.querySelector(selector);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const make = (name, attributes = {}, text) => {
  const svg = ["svg", "path", "rect", "text", "image"].includes(name);
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
  const session = (s) => d.where[s] ? `${d.sessions[s]} (${d.where[s]})` : d.sessions[s];
  const heading = (k) => nD === 1 ? "Rate map" : d.directions[k] > 0 ? "Forward →" : "Backward ←";
  return { root, d, nS, nD, nP, at, code, peakBin, correlation, session, heading };
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
