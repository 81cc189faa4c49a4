/* Downloads: every figure as SVG, PNG and CSV, every table as CSV. */
const cell = (value) => {
  const text = /^[=+\-@\t\r]/.test(value) && !Number.isFinite(Number(value)) ? `'${value}` : String(value);
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};
const save = (blob, name) => {
  const link = make("a", { href: URL.createObjectURL(blob), download: name });
  document.body.append(link); link.click(); link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
};
const savePacked = async (text, name) => {
  const packed = bytes(text.trim());
  if (typeof DecompressionStream === "undefined") { save(new Blob([packed], { type: "application/gzip" }), `${name}.gz`); return; }
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  save(new Blob([await new Response(stream).arrayBuffer()], { type: "text/csv" }), name);
};
/* One drawing with its title, on white, with its style in it; pictures of a grid stand in rows. */
const drawingOf = (figure) => {
  const parts = all("svg.chart", figure), title = find("h3, h4", figure).textContent;
  const grids = all(".panels", figure), sizes = (part) => part.getAttribute("viewBox").split(" ").slice(2).map(Number);
  const place = [], top = 22;
  let width = 0, height = top;
  const legend = all(".legend li", figure).map((item) => [item.textContent, item.className]);
  for (const [text, how] of legend) {
    place.push([{ text, how }, 0, height]);
    width = Math.max(width, 23 + 6 * text.length);
    height += 15;
  }
  if (!grids.length) { const [w, h] = sizes(parts[0]); place.push([parts[0], 0, height, w, h]); width = Math.max(width, w); height += h; }
  for (const grid of grids) {
    const row = all("svg.chart", grid), most = Math.min(row.length, 12), way = grid.previousElementSibling;
    if (way && way.className === "way") { place.push([way.textContent, 0, height + 12]); height += 18; }
    let high = 0;
    row.forEach((part, i) => {
      const [w, h] = sizes(part), note = find("small", part.parentElement);
      place.push([part, (w + 12) * (i % most), height, w, h]);
      if (note && note.textContent) place.push([note.textContent, (w + 12) * (i % most), height + h + 9, true]);
      high = Math.max(high, h + 16);
      width = Math.max(width, (w + 12) * (i % most) + w);
      if (i % most === most - 1 || i === row.length - 1) { height += high; high = 0; }
    });
  }
  width = Math.max(width, 7 * title.length);
  const svg = make("svg", { xmlns: "http://www.w3.org/2000/svg", class: "chart", viewBox: `0 0 ${width} ${height + 4}`, width, height: height + 4 });
  const style = document.createElementNS("http://www.w3.org/2000/svg", "style");
  style.textContent = shared.style;
  svg.append(style, make("rect", { width: "100%", height: "100%", fill: "#fff" }), make("text", { x: 0, y: 14, style: "font-weight:bold" }, title));
  for (const [part, x, y, w, h] of place) {
    if (part.how) svg.append(make("line", { class: `rule ${part.how}`, x1: 0, x2: 18, y1: y + 6, y2: y + 6 }), make("text", { x: 23, y: y + 10, class: "tick" }, part.text));
    else if (typeof part === "string") svg.append(make("text", w === true ? { x, y, class: "tick" } : { x, y }, part));
    else {
      const copy = part.cloneNode(true);
      for (const [key, value] of Object.entries({ x, y, width: w, height: h })) copy.setAttribute(key, value);
      all("[data-tip]", copy).forEach((item) => item.removeAttribute("data-tip"));
      svg.append(copy);
    }
  }
  return new XMLSerializer().serializeToString(svg);
};
const svgOf = (figure) => {
  const image = find("img", figure);
  return image ? new TextDecoder().decode(bytes(image.src.split(",")[1])) : drawingOf(figure);
};
const pngOf = async (text) => {
  const image = new Image();
  image.src = `data:image/svg+xml;base64,${btoa(Array.from(new TextEncoder().encode(text), (c) => String.fromCharCode(c)).join(""))}`;
  await image.decode();
  const scale = Math.min(4, 8000 / Math.max(image.width, image.height, 1));
  const canvas = make("canvas", { width: image.width * scale, height: image.height * scale });
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
};
all("figure [data-get]").forEach((button) => button.addEventListener("click", async () => {
  const figure = button.closest("figure"), name = figure.dataset.file, form = button.dataset.get;
  if (form === "svg") save(new Blob([svgOf(figure)], { type: "image/svg+xml" }), `${name}.svg`);
  if (form === "png") save(await pngOf(svgOf(figure)), `${name}.png`);
  if (form === "csv" && figure.csv) save(new Blob([figure.csv], { type: "text/csv" }), `${name}.csv`);
  else if (form === "csv") savePacked(find("script", figure).textContent, `${name}.csv`);
}));
all("button[data-table]").forEach((button) => button.addEventListener("click", () =>
  savePacked(document.getElementById(button.dataset.table).textContent, button.dataset.file)));
