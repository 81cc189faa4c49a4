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
    const what = d.counted, has = (name) => c[name] && Number.isFinite(c[name][i]);
    if (what && has("n_events")) parts.push(`${show(c.n_events[i])} ${what}${c.n_events[i] === 1 ? "" : "s"}`);
    if (has("p")) parts.push(c.p[i] < .001 ? "p < 0.001" : `p = ${c.p[i].toFixed(3)}`);
    const best = ["bae", "ssr", "naive"].find(has);
    if (best) parts.push(`${c[best][i].toFixed(2).replace("-", "−")} bit/event${best === "naive" ? " (naive)" : ""}`);
    return parts.map((part) => part.replaceAll(" ", "\u00a0"));
  };
  const curve = (u, s, k, top) => {
    const peak = d.peaks[r.at(u, s, k)] || 0, steps = [], gaps = [];
    let line = [];
    const bars = d.parts.length > 0 && !d.unit, cut = new Set(r.borders());  // categories are bars
    const close = () => { if (line.length) steps.push(`M${line[0][0]} 1L${line.map((q) => q.join(" ")).join("L")}L${line[line.length - 1][0]} 1`); line = []; };
    for (let p = 0; p < nP; p++) {
      const c = r.code(u, s, k, p);
      if (c === 255) { close(); gaps.push(p); continue; }
      const high = (1 - c / 254 * peak / top).toFixed(4);
      if (bars || cut.has(p)) close();
      if (!line.length) line.push([p, high]);
      line.push([p + .5, high]);
      if (bars || p === nP - 1 || cut.has(p + 1) || r.code(u, s, k, p + 1) === 255) line.push([p + 1, high]);
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
    find(".unit-summary", box).textContent = `${d.noun} ${d.units[u]}${region}: detected in ${times(d.detected, u)} of ${nS} sessions` +
      (d.place ? `, place cell in ${times(d.place, u)}` : "") + `; ${order.indexOf(u) + 1} of ${order.length} in this selection. All maps share one scale, up to ${show(top)} ${d.rateUnit}`;
    view.replaceChildren();
    (d.twoD ? drawFields : drawTraces)(u, top);
    const rows = [];
    for (let s = 0; s < nS; s++) for (let k = 0; k < nD; k++) {
      const row = make("tr"), i = r.at(u, s, k), bin = r.peakBin(u, s, k), c = d.cells;
      row.append(make("td", {}, d.sessions[s]), make("td", {}, nD > 1 ? d.ways[k] : "both"),
        make("td", {}, d.detected[u * nS + s] ? "yes" : "no"), make("td", {}, d.place ? d.place[u * nS + s] && (!d.significant || d.significant[i]) ? "yes" : "no" : "–"),
        make("td", {}, show(d.peaks[i])), make("td", {}, r.place(bin)));
      for (const name of ["n_events", "p", "naive", "ssr", "bae", "stability"]) row.append(make("td", {}, c[name] ? show(c[name][i]) : "–"));
      rows.push(row);
    }
    find(".unit-numbers tbody", box).replaceChildren(...rows);
  };
  const drawTraces = (u, top) => {
    view.className = `unit-maps unit${nD === 1 ? " single" : ""}`;
    view.style.gridTemplateColumns = `minmax(5rem, auto) repeat(${nD}, minmax(0, 1fr))`;
    view.append(make("div", { class: "head" }, "Session"));
    for (let k = 0; k < nD; k++) view.append(make("div", { class: "head" }, `${r.heading(k)}, ${r.range()}`));
    for (let s = 0; s < nS; s++) {
      const name = make("div", { class: "session" }, d.sessions[s]);
      if (d.where[s]) name.append(make("small", {}, d.where[s]));
      view.append(name);
      for (let k = 0; k < nD; k++) {
        const there = d.detected[u * nS + s], place = d.significant && d.place[u * nS + s] && d.significant[r.at(u, s, k)];
        const trace = make("div", { class: `trace s${k + 1}${there ? "" : " absent"}` });
        const text = there ? numbers(u, s, k) : ["not detected"];
        const svg = make("svg", { viewBox: `0 0 ${nP} 1`, preserveAspectRatio: "none", role: "img", height: nS <= 10 ? 46 : nS <= 30 ? 28 : 16,
          "aria-label": `session ${r.session(s)}, ${r.heading(k)}: ${text.join(", ")}` });
        if (there) {
          const { path, gaps } = curve(u, s, k, top);
          for (const p of r.borders()) svg.append(make("path", { class: "border", d: `M${p} 0V1` }));
          for (const p of gaps) svg.append(make("rect", { class: "gap", x: p, y: 0, width: 1, height: 1 }));
          svg.append(make("path", { d: path }));
        }
        const label = make("small");
        if (place) label.append(make("b", {}, "place\u00a0cell"), " ");
        for (const part of text) label.append(make("span", {}, part), " ");
        trace.append(svg, label);
        if (there && d.lines.length) trace.append(drawMaze(r, u, s, k, top));
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
      card.append(make("h4", {}, d.sessions[s] + (nD > 1 ? ` ${d.ways[k]}` : "")), overlay(r, canvas),
        make("small", {}, (d.where[s] ? `${d.where[s]} · ` : "") + (there ? numbers(u, s, k).join(" · ") : "not detected")));
      view.append(card);
    }
  };
  const step = (by) => { current = order[(order.indexOf(current) + by + order.length) % order.length]; draw(); };
  all(".unit-step", box).forEach((button) => button.addEventListener("click", () => step(Number(button.dataset.by))));
  input.addEventListener("change", () => {
    const wanted = input.value.trim(), exact = d.units.indexOf(wanted);
    const u = exact >= 0 ? exact : d.units.findIndex((label) => label.includes(wanted));
    find(".unit-missing", box).textContent = u < 0 || !wanted ? `There is no ${d.noun.toLowerCase()} “${wanted}” here.` : "";
    if (u >= 0 && wanted) r.showUnit(u, false); else draw();
  });
  filter.addEventListener("change", arrange);
  sort.addEventListener("change", () => { arrange(); if (order.length) { current = order[0]; draw(); } });
  r.showUnit = (u, scroll = true) => {
    current = u;
    if (!order.includes(u)) { filter.value = "all"; arrange(); } else draw();
    const folded = box.closest("details");
    if (folded) folded.open = true;
    if (scroll) { box.scrollIntoView({ block: "start" }); input.focus({ preventScroll: true }); }
  };
  if (d.place && d.place.some((v) => v)) { filter.value = "some"; sort.value = "place"; }
  arrange();
  current = order[0] ?? 0;
  draw();
};
