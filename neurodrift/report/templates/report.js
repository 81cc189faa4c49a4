"use strict";
(() => {
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
      const every = Math.ceil(nS / 12), short = (s) => d.sessions[s].length > 7 ? String(s + 1) : d.sessions[s];
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
      if (d.twoD) fieldsOfPair(r, box, rows, a, b, k);
      else for (const s of a === b ? [a] : [a, b]) populationPanel(r, box, rows, s, k, [a, b]);
    }
    const what = nD > 1 ? d.directions.map((v, k) => `${counts[k]} ${v > 0 ? "forward" : "backward"}`).join(", ") : String(counts[0]);
    find(".pair-count", r.root).textContent = `Maps shown: ${what}, sorted by ${d.twoD ? "peak rate" : "their peak"} in session ${r.session(reference)}; each map relative to its own peak.`;
    box.classList.toggle("plane", d.twoD);
  };

  const populationPanel = (r, box, rows, s, k, [a, b]) => {
    const { d, nP } = r, panel = make("div", { class: "panel" }), title = make("h4", {}, `Session ${d.sessions[s]}`);
    const canvas = paint(make("canvas", { tabindex: 0, role: "application",
      "aria-label": `${rows.length} rate maps of session ${r.session(s)}, ${r.heading(k)}. Up and down arrows go through the units, Enter shows one.` }),
      nP, rows.length, (row, p) => { const c = r.code(rows[row], s, k, p); return c === 255 ? null : colour(rates, c / 254); });
    canvas.style.setProperty("--tall", `${Math.min(Math.max(rows.length * 3, 60), 380)}px`);
    const mark = make("i", { class: "mark", hidden: "" });
    let at = -1;
    const point = (row) => {
      if (!rows.length) return;
      at = Math.min(Math.max(row, 0), rows.length - 1);
      const u = rows[at], p = [a, b].map((t) => { const bin = r.peakBin(u, t, k); return bin < 0 ? "–" : show(d.x[bin]); });
      mark.hidden = false;
      mark.style.top = `${canvas.offsetTop + at * canvas.clientHeight / rows.length - 1}px`;
      mark.style.height = `${Math.max(canvas.clientHeight / rows.length, 2) + 2}px`;
      const c = r.correlation(u, a, b, k);
      find(".readout", r.root).textContent = `Unit ${d.units[u]}: peak at ${a === b ? p[0] : p.join(" and ")} cm` + (Number.isFinite(c) ? `, correlation ${show(c, 2)}` : "");
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
    ends.append(make("span", {}, show(d.x[0])), make("span", {}, `${show(d.x[nP - 1])} cm`));
    panel.append(title, make("div", { class: "ends" }, r.heading(k)), canvas, mark, ends);
    box.append(panel);
  };

  const fieldsOfPair = (r, box, rows, a, b, k) => {
    const most = 24, grid = make("div", { class: "fields" });
    for (const u of rows.slice(0, most)) {
      const card = make("div"), two = make("div", { class: "two" });
      for (const s of a === b ? [a] : [a, b]) {
        const canvas = make("canvas", { role: "img", "aria-label": `unit ${r.d.units[u]}, session ${r.session(s)}` });
        drawField(r, canvas, u, s, k, r.d.peaks[r.at(u, s, k)] || 1);
        two.append(canvas);
      }
      const c = r.correlation(u, a, b, k);
      card.append(two, make("small", {}, `unit ${r.d.units[u]}` + (Number.isFinite(c) ? `, r ${show(c, 2)}` : "")));
      grid.append(card);
    }
    box.append(grid);
    if (rows.length > most) box.append(make("p", { class: "soft" }, `The first ${most} of ${rows.length} units.`));
  };

  /* Maps of one unit in every session. */
  const explorer = (r) => {
    const box = find(".explorer", r.root), { d, nS, nD, nP } = r;
    r.showUnit = () => {};
    if (!box) return;
    const input = find(".unit-name", box), list = find("datalist", box), view = find(".unit-maps", box);
    const filter = find(".unit-filter", box), sort = find(".unit-sort", box);
    const times = (flag, u) => flag ? flag.subarray(u * nS, (u + 1) * nS).reduce((n, v) => n + v, 0) : 0;
    const mean = (name, u) => {
      const values = [...d.cells[name].subarray(u * nS * nD, (u + 1) * nS * nD)].filter(Number.isFinite);
      return values.length ? values.reduce((x, y) => x + y) / values.length : -Infinity;
    };
    const keys = {
      label: () => 0,
      place: (u) => -times(d.place, u),
      rate: (u) => -Math.max(...[...d.peaks.subarray(u * nS * nD, (u + 1) * nS * nD)].filter(Number.isFinite), 0),
      information: (u) => d.cells.bae || d.cells.naive ? -mean(d.cells.bae ? "bae" : "naive", u) : 0,
    };
    let order = [], current = 0;
    const arrange = () => {
      const keep = { all: () => true, some: (u) => times(d.place, u) > 0,
        every: (u) => times(d.detected, u) === nS && times(d.place, u) === nS, followed: (u) => times(d.detected, u) === nS }[filter.value];
      const key = d.units.map((_, u) => keys[sort.value](u));
      order = d.units.map((_, u) => u).filter(keep).sort((u, v) => key[u] - key[v] || u - v);
      list.replaceChildren(...order.map((u) => make("option", { value: d.units[u] })));
      if (order.length && !order.includes(current)) current = order[0];
      draw();
    };
    const numbers = (u, s, k) => {
      const i = r.at(u, s, k), c = d.cells, parts = [`peak ${show(d.peaks[i], 2)} ${d.rateUnit}`];
      const what = d.rateUnit === "Hz" ? "event" : "active frame", has = (name) => c[name] && Number.isFinite(c[name][i]);
      if (has("n_events")) parts.push(`${show(c.n_events[i])} ${what}${c.n_events[i] === 1 ? "" : "s"}`);
      if (has("p")) parts.push(c.p[i] < .001 ? "p < 0.001" : `p = ${c.p[i].toFixed(3)}`);
      const best = ["bae", "ssr", "naive"].find(has);
      if (best) parts.push(`${c[best][i].toFixed(2).replace("-", "−")} bit/event${best === "naive" ? " (naive)" : ""}`);
      return parts.map((part) => part.replaceAll(" ", "\u00a0"));
    };
    const curve = (u, s, k, top) => {
      const peak = d.peaks[r.at(u, s, k)] || 0, steps = [], gaps = [];
      let line = [];
      const close = () => { if (line.length) steps.push(`M${line[0][0]} 1L${line.map((q) => q.join(" ")).join("L")}L${line[line.length - 1][0]} 1`); line = []; };
      for (let p = 0; p < nP; p++) {
        const c = r.code(u, s, k, p);
        if (c === 255) { close(); gaps.push(p); continue; }
        if (!line.length) line.push([p, (1 - c / 254 * peak / top).toFixed(4)]);
        line.push([p + .5, (1 - c / 254 * peak / top).toFixed(4)]);
        if (p === nP - 1 || r.code(u, s, k, p + 1) === 255) line.push([p + 1, (1 - c / 254 * peak / top).toFixed(4)]);
      }
      close();
      return { path: steps.join(""), gaps };
    };
    const draw = () => {
      find(".unit-empty", box).hidden = order.length > 0;
      view.hidden = !order.length;
      all(".unit-step", box).forEach((button) => { button.disabled = order.length < 2; });
      if (!order.length) { find(".unit-summary", box).textContent = ""; return; }
      const u = current, top = Math.max(...[...d.peaks.subarray(u * nS * nD, (u + 1) * nS * nD)].filter(Number.isFinite), 0) || 1;
      input.value = d.units[u];
      const region = d.region.length && d.region[u] ? ` (${d.region[u]})` : "";
      find(".unit-summary", box).textContent = `Unit ${d.units[u]}${region}: detected in ${times(d.detected, u)} of ${nS} sessions` +
        (d.place ? `, place cell in ${times(d.place, u)}` : "") + `; ${order.indexOf(u) + 1} of ${order.length} in this selection. All maps share one scale, 0 to ${show(top)} ${d.rateUnit}.`;
      view.replaceChildren();
      (d.twoD ? drawFields : drawTraces)(u, top);
      const rows = [];
      for (let s = 0; s < nS; s++) for (let k = 0; k < nD; k++) {
        const row = make("tr"), i = r.at(u, s, k), bin = r.peakBin(u, s, k), c = d.cells;
        row.append(make("td", {}, d.sessions[s]), make("td", {}, nD > 1 ? d.directions[k] > 0 ? "forward" : "backward" : "both"),
          make("td", {}, d.detected[u * nS + s] ? "yes" : "no"), make("td", {}, d.place ? d.place[u * nS + s] ? "yes" : "no" : "–"),
          make("td", {}, show(d.peaks[i])), make("td", {}, bin < 0 ? "–" : d.twoD ? `${show(d.x[bin])}, ${show(d.y[bin])}` : show(d.x[bin])));
        for (const name of ["n_events", "p", "naive", "ssr", "bae", "stability"]) row.append(make("td", {}, c[name] ? show(c[name][i]) : "–"));
        rows.push(row);
      }
      find(".unit-numbers tbody", box).replaceChildren(...rows);
    };
    const drawTraces = (u, top) => {
      view.className = `unit-maps unit${nD === 1 ? " single" : ""}`;
      view.style.gridTemplateColumns = `minmax(5rem, auto) repeat(${nD}, minmax(0, 1fr))`;
      view.append(make("div", { class: "head" }, "Session"));
      for (let k = 0; k < nD; k++) view.append(make("div", { class: "head" }, `${r.heading(k)}, ${show(d.x[0])} to ${show(d.x[nP - 1])} cm`));
      for (let s = 0; s < nS; s++) {
        const name = make("div", { class: "session" }, d.sessions[s]);
        if (d.where[s]) name.append(make("small", {}, d.where[s]));
        view.append(name);
        for (let k = 0; k < nD; k++) {
          const there = d.detected[u * nS + s], place = d.significant && d.significant[r.at(u, s, k)];
          const trace = make("div", { class: `trace s${k + 1}${there ? "" : " absent"}` });
          const text = there ? numbers(u, s, k) : ["not detected"];
          const svg = make("svg", { viewBox: `0 0 ${nP} 1`, preserveAspectRatio: "none", role: "img", height: nS <= 10 ? 46 : nS <= 30 ? 28 : 16,
            "aria-label": `session ${r.session(s)}, ${r.heading(k)}: ${text.join(", ")}` });
          if (there) {
            const { path, gaps } = curve(u, s, k, top);
            for (const p of gaps) svg.append(make("rect", { class: "gap", x: p, y: 0, width: 1, height: 1 }));
            svg.append(make("path", { d: path }));
          }
          const label = make("small");
          if (place) label.append(make("b", {}, "place\u00a0cell"), " · ");
          label.append(text.join(" · "));
          trace.append(svg, label);
          view.append(trace);
        }
      }
    };
    const drawFields = (u, top) => {
      view.className = "unit-maps fields";
      for (let s = 0; s < nS; s++) for (let k = 0; k < nD; k++) {
        const card = make("div"), there = d.detected[u * nS + s];
        const canvas = make("canvas", { role: "img", "aria-label": `session ${r.session(s)}` });
        drawField(r, canvas, u, s, k, top);
        card.append(make("h4", {}, d.sessions[s] + (nD > 1 ? ` ${d.directions[k] > 0 ? "→" : "←"}` : "")), canvas,
          make("small", {}, (d.where[s] ? `${d.where[s]} · ` : "") + (there ? numbers(u, s, k).join(" · ") : "not detected")));
        view.append(card);
      }
    };
    const step = (by) => { current = order[(order.indexOf(current) + by + order.length) % order.length]; draw(); };
    all(".unit-step", box).forEach((button) => button.addEventListener("click", () => step(Number(button.dataset.by))));
    input.addEventListener("change", () => {
      const wanted = input.value.trim(), exact = d.units.indexOf(wanted);
      const u = exact >= 0 ? exact : d.units.findIndex((label) => label.includes(wanted));
      find(".unit-missing", box).textContent = u < 0 || !wanted ? `There is no unit “${wanted}” here.` : "";
      if (u >= 0 && wanted) r.showUnit(u, false); else draw();
    });
    filter.addEventListener("change", arrange);
    sort.addEventListener("change", () => { arrange(); if (order.length) { current = order[0]; draw(); } });
    r.showUnit = (u, scroll = true) => {
      current = u;
      if (!order.includes(u)) { filter.value = "all"; arrange(); } else draw();
      if (scroll) { box.scrollIntoView({ block: "start" }); input.focus({ preventScroll: true }); }
    };
    if (d.place && d.place.some((v) => v)) { filter.value = "some"; sort.value = "place"; }
    arrange();
    current = order[0] ?? 0;
    draw();
  };

  /* The page: tabs, choice of axis, downloads, copying, tips, print. */
  const tabs = all("[role=tab]");
  const select = (tab, focus) => {
    for (const other of tabs) {
      other.setAttribute("aria-selected", String(other === tab));
      other.tabIndex = other === tab ? 0 : -1;
      find(`#${other.getAttribute("aria-controls")}`).hidden = other !== tab;
    }
    if (focus) tab.focus();
  };
  tabs.forEach((tab, i) => {
    tab.addEventListener("click", () => select(tab, false));
    tab.addEventListener("keydown", (event) => {
      const to = { ArrowLeft: i - 1, ArrowRight: i + 1, Home: 0, End: tabs.length - 1 }[event.key];
      if (to !== undefined) { event.preventDefault(); select(tabs[(to + tabs.length) % tabs.length], true); }
    });
  });
  if (tabs.length) { find("[role=tablist]").hidden = false; select(tabs[0], false); }
  const follow = () => {
    const target = location.hash && document.getElementById(location.hash.slice(1));
    const panel = target && target.closest("[role=tabpanel]");
    if (panel && panel.hidden) { select(tabs.find((tab) => tab.getAttribute("aria-controls") === panel.id), false); target.scrollIntoView(); }
  };
  window.addEventListener("hashchange", follow);

  for (const root of all(".recording")) {
    const r = open(root);
    explorer(r);
    drift(r);
    const axis = find(".axis-choice", root);
    if (axis) axis.addEventListener("change", () => all(".series", root).forEach((series) => { series.hidden = series.dataset.predictor !== axis.value; }));
  }
  follow();
  all(".rates-scale").forEach((item) => { item.style.background = gradient(rates); });
  all("[data-needs-script]").forEach((item) => { item.hidden = false; });

  const save = (blob, name) => {
    const link = make("a", { href: URL.createObjectURL(blob), download: name });
    document.body.append(link); link.click(); link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };
  all("button[data-table]").forEach((button) => button.addEventListener("click", async () => {
    const packed = bytes(document.getElementById(button.dataset.table).textContent.trim()), name = button.dataset.file;
    if (typeof DecompressionStream === "undefined") { save(new Blob([packed], { type: "application/gzip" }), `${name}.gz`); return; }
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    save(new Blob([await new Response(stream).arrayBuffer()], { type: "text/csv" }), name);
  }));
  all("button.copy").forEach((button) => button.addEventListener("click", async () => {
    const text = all(button.dataset.copy).map((item) => item.innerText.trim()).join("\n\n");
    try { await navigator.clipboard.writeText(text); button.textContent = "Copied"; } catch {
      const range = document.createRange();
      range.selectNode(find(button.dataset.copy));
      getSelection().removeAllRanges(); getSelection().addRange(range);
      button.textContent = "Selected: copy it with the keyboard";
    }
  }));
  const tip = make("div", { id: "tip", role: "presentation", hidden: "" });
  document.body.append(tip);
  document.addEventListener("pointerover", (event) => {
    const text = event.target.dataset && event.target.dataset.tip;
    tip.hidden = !text;
    if (!text) return;
    tip.textContent = text;
    tip.style.left = `${Math.min(event.clientX + 12, innerWidth - tip.offsetWidth - 8)}px`;
    tip.style.top = `${event.clientY + (event.clientY > innerHeight - 70 ? -38 : 14)}px`;
  });
  window.addEventListener("beforeprint", () => all("details[data-print]").forEach((item) => { item.open = true; }));
})();
