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
const follow = (hash) => {
  const target = hash && document.getElementById(hash.slice(1));
  for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
  const panel = target && target.closest("[role=tabpanel]");
  if (panel && panel.hidden) { select(tabs.find((tab) => tab.getAttribute("aria-controls") === panel.id), false); target.scrollIntoView(); }
};
/* A folded part that a link or a search leads into is opened. */
window.addEventListener("hashchange", () => follow(location.hash));
/* A link to the place that the address names already changes no address: it must open its tab all the same. */
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href^='#']");
  if (link) follow(link.hash);
});

for (const root of all(".recording")) {
  const r = open(root);
  explorer(r);
  drift(r);
  panels(r);
  const axis = find(".axis-choice", root);
  if (axis) axis.addEventListener("change", () => all(".series", root).forEach((series) => { series.hidden = series.dataset.predictor !== axis.value; }));
}
follow(location.hash);
all("[data-needs-script]").forEach((item) => { item.hidden = false; });

all("button.copy").forEach((button) => button.addEventListener("click", async () => {
  const text = all(button.dataset.copy).map((item) => item.textContent.trim().replace(/[ \t]*\n\s*/g, "\n\n")).join("\n\n");
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
/* On a phone long tables are folded; they open at a touch. */
if (innerWidth <= 640) all("details[data-wide]").forEach((item) => { item.open = false; });
window.addEventListener("beforeprint", () => all("details[data-print]").forEach((item) => { item.open = true; }));
