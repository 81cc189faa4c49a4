/* Maps of all sessions in the order of another session: the same rule as in the written page. */
const panels = (r) => {
  const choice = find(".sort-choice", r.root), box = find(".sorted figure", r.root), { d, nD } = r;
  if (!choice || !box) return;
  const images = all("image[data-key]", box);
  const rowsOf = (s, k) => {
    const place = d.significant && d.place.some((v, i) => v && i % r.nS === s);
    const chosen = d.units.map((_, u) => u).filter((u) => d.detected[u * r.nS + s] && (!place || d.significant[r.at(u, s, k)]));
    const peak = (u) => { const bin = d.odd ? d.odd[r.at(u, s, k)] : r.peakBin(u, s, k); return bin < 0 ? Infinity : bin; };
    return chosen.map((u) => [peak(u), u]).sort((a, b) => (a[0] === b[0] ? 0 : a[0] - b[0]) || a[1] - b[1]).map((pair) => pair[1]);
  };
  const codeOf = (u, s, k, p, other) => (other ? d.even : d.codes)[r.at(u, s, k) * r.nP + p];
  choice.addEventListener("change", () => {
    const reference = Number(choice.value), orders = Array.from({ length: nD }, (_, k) => rowsOf(reference, k));
    const name = choice.selectedOptions[0].textContent;
    const lines = [];
    for (const image of images) {
      const [s, k] = image.dataset.key.split("-").map(Number), rows = orders[k], other = d.even && s === reference;
      const canvas = paint(make("canvas"), r.nP, rows.length, (row, p) => {
        const c = codeOf(rows[row], s, k, p, other);
        return c === 255 ? null : colour(rates, c / 254);
      });
      image.setAttribute("href", canvas.toDataURL());
      const small = find("small", image.closest("div")) || image.closest("div").appendChild(make("small"));
      small.textContent = other ? `even ${d.halves}` : "";
      for (const u of rows) lines.push([d.units[u], d.sessions[s], nD > 1 ? d.ways[k] : "both", other ? `even ${d.halves}` : "whole session",
        ...Array.from({ length: r.nP }, (_, p) => { const c = codeOf(u, s, k, p, other); return c === 255 ? "" : String(Number((c / 254).toFixed(4))); })]);
    }
    const head = ["unit", "session", "direction", "laps", ...d.x.map((x) => `share of the peak at ${x} ${d.unit}`)];
    box.csv = [head, ...lines].map((line) => line.map(cell).join(",")).join("\n") + "\n";
    const how = d.odd ? `Sorted by the odd ${d.halves} of ${name}, which shows its even ones; the others show all.` : `Sorted by the peaks of ${name}, so that this session looks tidier than it is.`;
    find("figcaption", box).textContent = `Place cells of ${name} (${orders.map((o) => o.length).join(" and ")}), each relative to the peak of its own map. ${how}`;
  });
};
