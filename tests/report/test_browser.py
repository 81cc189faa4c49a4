"""The page in a real Chromium: opened, clicked, used by keyboard, printed."""

from __future__ import annotations

import re
import shutil

import numpy as np
import pytest
import xarray as xr

from neurodrift.report import write_report

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium on the path: apt-get install chromium"
)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PEAKS = """canvas => {
  const {width, height} = canvas;
  const data = canvas.getContext('2d').getImageData(0, 0, width, height).data;
  return Array.from({length: height}, (_, row) => {
    const bright = Array.from({length: width}, (_, x) => data[4 * (row * width + x) + 1]);
    return bright.indexOf(Math.max(...bright));
  });
}"""
CONTRASTS = """() => {
  const linear = v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = colour => {
    const [r, g, b] = colour.match(/[0-9.]+/g).slice(0, 3).map(v => linear(v / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const back = element => {
    const colour = getComputedStyle(element).backgroundColor;
    return colour === 'rgba(0, 0, 0, 0)' ? back(element.parentElement) : colour;
  };
  const own = element => [...element.childNodes].some(n => n.nodeType === 3 && n.data.trim());
  return [...document.querySelectorAll('body *')]
    .filter(e => e.checkVisibility() && own(e) && !e.closest('svg, script'))
    .map(e => {
      const [a, b] = [light(getComputedStyle(e).color), light(back(e))];
      const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      return [e.tagName + ' ' + e.textContent.slice(0, 30), ratio];
    });
}"""


@pytest.fixture(scope="module")
def chromium():
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def file(results, still, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "report.html"
    return write_report({"mouse": results, "cells": still}, path)


@pytest.fixture
def open_page(chromium, file):
    """Open a page; nothing may be asked of the network or written to the console."""
    contexts, messages, requests = [], [], []

    def opened(path=file, folded=False, **options):
        context = chromium.new_context(accept_downloads=True, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: messages.append(message.text))
        page.on("pageerror", lambda error: messages.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(f"file://{path}")
        if not folded:
            page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert messages == []
    assert [url for url in requests if not url.startswith(("file:", "data:", "blob:"))] == []


def test_page__draws_maps_and_matrix(open_page, results):
    page = open_page()
    assert page.locator(".explorer .trace svg path").count() > 0
    assert page.locator("#r1 .matrix image").count() == 1
    summary = page.locator(".unit-summary").inner_text()
    label = page.locator(".unit-name").input_value()
    place = results["place_cells"]["is_place_cell"].sel(unit=int(label))
    assert f"place cell in {int(place.sum())}" in summary


def test_page__unit_by_search_and_steps(open_page, results):
    page = open_page()
    page.locator(".unit-filter").select_option("all")
    page.locator(".unit-sort").select_option("label")
    page.locator(".unit-name").fill("7")
    page.locator(".unit-name").press("Enter")
    assert page.locator(".unit-summary").inner_text().startswith("Cell 7:")
    page.get_by_role("button", name="Next").click()
    assert page.locator(".unit-name").input_value() == "8"
    page.get_by_role("button", name="Previous").click()
    rows = page.locator(".unit-numbers tbody tr").all_inner_texts()
    cells = results["place_cells"].to_dataset()
    assert len(rows) == 4 * 2
    for row in rows:
        session, direction, detected, place, *_, events, p, _, _, _, _ = row.split("\t")
        at = {"session": session, "unit": 7, "direction": 1 if direction == "forward" else -1}
        assert detected == (
            "yes" if results["maps"]["detected"].sel(unit=7, session=session) else "no"
        )
        one = cells.sel(at)
        assert place == ("yes" if one["is_place_cell"] and one["significant"] else "no")
        for shown, expected in ((events, cells["n_events"]), (p, cells["p"])):
            value = float(expected.sel(at))
            assert (shown == "–") == bool(np.isnan(value))
            if shown != "–":
                assert float(shown) == pytest.approx(value, rel=0.01)
    page.locator(".unit-name").fill("no such unit")
    page.locator(".unit-name").press("Enter")
    assert "no cell" in page.locator(".unit-missing").inner_text()


def test_page__matrix_leads_to_the_maps_of_the_pair(open_page, results):
    page = open_page()
    matrix = page.locator("#r1 svg.matrix")
    box = matrix.bounding_box()
    side = (400 - 50) / 4 * box["width"] / 400
    edge = 46 * box["width"] / 400
    matrix.click(position={"x": edge + 2.5 * side, "y": 4 + 1.5 * side})  # sessions 2 and 3
    value = float(results["session_drift"]["rate_map_correlation"][1, 2])
    text = page.locator("#r1 .pair-text").inner_text()
    assert text.startswith("Sessions 2 (day 2) and 3 (day 4)")
    assert float(re.search(r"([\d.]+)\.$", text).group(1)) == pytest.approx(value, abs=6e-4)
    significant = results["place_cells"]["significant"].sel(session=["2", "3"]).any("session")
    seen = results["maps"]["detected"].sel(session=["2", "3"]).all("session")
    n = (significant & seen).sum("unit")
    count = page.locator("#r1 .pair-count").inner_text()
    assert f"{int(n.sel(direction=1))} forward, {int(n.sel(direction=-1))} backward" in count
    canvas = page.locator("#r1 .population canvas").first
    assert canvas.evaluate("c => c.height") == int(n.sel(direction=1))


def test_page__population_is_sorted_by_the_chosen_session(open_page, results):
    page = open_page()
    page.locator("#r1 .pair-sort").select_option("b")
    sorted_by = page.locator("#r1 .population canvas").nth(1).evaluate(PEAKS)
    other = page.locator("#r1 .population canvas").nth(0).evaluate(PEAKS)
    assert sorted_by == sorted(sorted_by) and other != sorted(other)


def test_page__tables_are_downloaded_as_they_are(open_page, results):
    from neurodrift.report.tables import tables
    from neurodrift.report.view import views

    page = open_page()
    expected = {table.name: table.csv() for table in tables(views({"mouse": results})[0], 30_000)}
    for name, text in expected.items():
        with page.expect_download() as download:
            page.locator(f"button[data-table=r1-table-{name}]").click()
        assert download.value.suggested_filename == f"mouse-{name}.csv"
        assert download.value.path().read_text(encoding="utf-8") == text


def test_page__tables_without_decompression_are_gzip(open_page, results):
    import gzip

    page = open_page()
    page.evaluate("delete window.DecompressionStream")
    with page.expect_download() as download:
        page.locator("button[data-table=r1-table-sessions]").click()
    assert download.value.suggested_filename == "mouse-sessions.csv.gz"
    assert gzip.decompress(download.value.path().read_bytes()).startswith(b"subject,")


def focused(page) -> str:
    return page.evaluate(
        "(document.activeElement.className.baseVal ?? document.activeElement.className)"
        " + ' ' + document.activeElement.textContent.slice(0, 40)"
    )


def test_page__by_keyboard_alone(open_page):
    page = open_page(folded=True)
    page.keyboard.press("Tab")
    assert "Skip to the results" in focused(page)
    assert page.evaluate("document.activeElement.getBoundingClientRect().left >= 0")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    reached = []
    for _ in range(140):
        page.keyboard.press("Tab")
        reached.append(focused(page))
        visible = page.evaluate(
            "(() => { const s = getComputedStyle(document.activeElement); "
            "return s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2; })()"
        )
        assert visible, f"no visible focus on {reached[-1]}"
        if "Any cell" in reached[-1] or "Every pair" in reached[-1]:
            page.keyboard.press("Enter")  # what is folded opens
        if reached[-1].startswith("sort-choice"):
            images = page.locator("#r1 .sorted image")
            before = images.first.get_attribute("href")
            page.keyboard.press("ArrowDown")
            assert images.first.get_attribute("href") != before
        if reached[-1].startswith("matrix"):
            before = page.locator("#r1 .pair-text").inner_text()
            page.keyboard.press("ArrowDown")
            assert page.locator("#r1 .pair-text").inner_text() != before
        if reached[-1].startswith("unit-step") and "Next" in reached[-1]:
            before = page.locator(".unit-name").input_value()
            page.keyboard.press("Enter")
            assert page.locator(".unit-name").input_value() != before
        if reached[-1].startswith("axis-choice"):
            break
    for word in ("sort-choice", "SVG", "which", "matrix", "pair-session", "unit-name"):
        assert any(item.startswith(word) or word in item for item in reached), word


def test_page__tabs_by_arrows_and_links(open_page):
    page = open_page()
    assert page.locator("#r1").is_visible() and not page.locator("#r2").is_visible()
    page.locator("#r1-tab").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("#r2").is_visible() and not page.locator("#r1").is_visible()
    assert page.locator("#r2-tab").get_attribute("aria-selected") == "true"
    for _ in range(2):  # the second time the address holds the link's place already
        page.locator("nav.contents a", has_text="mouse").click()
        assert page.locator("#r1").is_visible()
        page.locator("#r2-tab").click()
        assert not page.locator("#r1").is_visible()


def test_page__axis_of_the_sessions(open_page):
    page = open_page()
    page.locator("#r1 .axis-choice").select_option("experience")
    shown = page.locator("#r1 .series:visible")
    assert shown.count() == 1 and shown.get_attribute("data-predictor") == "experience"


@pytest.mark.parametrize("width", [360, 820, 1400])
def test_page__fits_the_screen(open_page, width):
    page = open_page(viewport={"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    small = page.evaluate(
        "[...document.querySelectorAll('button, select, input')].filter(e => e.offsetParent)"
        ".filter(e => e.getBoundingClientRect().height < 24).length"
    )
    assert small == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page__text_has_contrast(open_page, scheme):
    page = open_page(color_scheme=scheme)
    found = page.evaluate(CONTRASTS)
    assert len(found) > 100
    assert [item for item in found if item[1] < 4.5] == []


def test_page__prints_every_recording(open_page, tmp_path):
    page = open_page()
    page.emulate_media(media="print")
    assert page.locator("#r1").is_visible() and page.locator("#r2").is_visible()
    assert page.locator("#r1 .sorted image").first.is_visible()
    for hidden in (".controls", "nav.contents", ".downloads", ".get", "[role=tablist]"):
        assert not page.locator(hidden).first.is_visible()
    page.pdf(path=tmp_path / "report.pdf")
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")


def test_page__hostile_labels_do_nothing(open_page, results, tmp_path, hostile_text):
    tree = results.copy(deep=True)
    tree["subject"] = ((), hostile_text)

    def rename(node):
        if "unit" not in node.dims:
            return node
        labels = [f"{hostile_text}{unit}" for unit in node["unit"].values]
        return node.assign_coords(unit=("unit", np.array(labels, dtype=object)))

    tree = tree.map_over_datasets(rename)
    page = open_page(write_report(tree, tmp_path / "hostile.html"))
    assert page.locator("img").count() == 0
    assert page.locator(".unit-name").input_value().startswith(hostile_text)
    page.get_by_role("button", name="Next").click()
    assert hostile_text in page.locator(".unit-summary").inner_text()


def test_page__plane_shows_fields(open_page, tmp_path):
    from neurodrift import Binning, analyze, recording_from_arrays

    rng = np.random.default_rng(0)
    n, x, y, activity = 3000, [], [], []
    for _ in range(2):
        walk = np.cumsum(rng.normal(0, 0.1, (2, n)), axis=1)
        x.append(50 + 50 * np.sin(walk[0]))
        y.append(30 + 30 * np.sin(walk[1]))
        near = [np.exp(-((x[-1] - c) ** 2 + (y[-1] - 30) ** 2) / 300) for c in (20, 50, 80)]
        activity.append(rng.poisson(np.stack(near, axis=1)).astype("u1"))
    recording = recording_from_arrays(activity, kind="events", x=x, y=y, frame_duration=0.05)
    results = analyze(recording, binning=Binning(bin_width=10.0), n_repeats=5, n_draws=1)
    page = open_page(write_report(results, tmp_path / "plane.html"))
    fields = page.locator(".unit-maps canvas")
    assert fields.count() == 2
    size = fields.first.evaluate("c => [c.width, c.height]")
    centres = results["maps"].to_dataset()
    assert size == [np.unique(centres["x_bin"]).size, np.unique(centres["y_bin"]).size]
    assert page.locator(".population canvas").count() == 2 * 3


def figures_of_page(page):
    return [
        page.locator(f"#{name}")
        for name in page.evaluate(
            "[...document.querySelectorAll('#r1 figure')].filter(f => f.checkVisibility())"
            ".map(f => f.id)"
        )
    ]


def test_page__every_figure_has_three_downloads(open_page, results):
    import base64
    import gzip

    from neurodrift.io.csv import csv_text
    from neurodrift.report.publication import figures_of
    from neurodrift.report.view import views

    page = open_page()
    written = {figure.name: figure for figure in figures_of(views({"mouse": results})[0])}
    found = figures_of_page(page)
    names = {item.get_attribute("id").removeprefix("r1-fig-") for item in found}
    assert names <= set(written) and {"registration", "sorted-maps"} <= names
    for item in found:
        assert item.locator("[data-get]").all_inner_texts() == ["SVG", "PNG", "CSV"]
        name = item.get_attribute("id").removeprefix("r1-fig-")
        held = gzip.decompress(base64.b64decode(item.locator("script").text_content()))
        text = csv_text(written[name].frame, float_format="%.10g")
        assert held.decode() == text
        if name not in ("registration", "sorted-maps", "fraction-place-cells-by-day"):
            continue  # a browser slows down many downloads; these are of each kind
        with page.expect_download() as download:
            item.locator("[data-get=csv]").click()
        assert download.value.suggested_filename == f"mouse-{name}.csv"
        assert download.value.path().read_text(encoding="utf-8") == text


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page__a_figure_is_a_drawing_of_its_own(open_page, scheme):
    import io
    from xml.etree import ElementTree

    from PIL import Image

    page = open_page(color_scheme=scheme)
    for name in ("sorted-maps", "fraction-place-cells-by-day", "registration"):
        item = page.locator(f"#r1-fig-{name}")
        with page.expect_download() as download:
            item.locator("[data-get=svg]").click()
        text = download.value.path().read_text(encoding="utf-8")
        assert "var(" not in text and "data-tip" not in text  # other programs know neither
        root = ElementTree.fromstring(text)
        width, height = (float(v) for v in root.get("viewBox").split()[2:])
        words = [node.text for node in root.iter("{http://www.w3.org/2000/svg}text")]
        assert item.locator("h3, h4").first.inner_text() in words
        with page.expect_download() as download:
            item.locator("[data-get=png]").click()
        with Image.open(io.BytesIO(download.value.path().read_bytes())) as image:
            assert image.width / image.height == pytest.approx(width / height, rel=0.02)
            assert image.convert("RGB").getpixel((0, 0)) == (255, 255, 255)  # for paper, always
            assert len(image.convert("RGB").getcolors(1 << 24)) > 3


def test_page__maps_in_the_order_of_another_session(open_page, results):
    page = open_page()
    page.locator("#r1 .sort-choice").select_option("2")
    caption = page.locator("#r1-fig-sorted-maps figcaption").inner_text()
    assert "Sorted by the odd trials of day 4, which shows its even ones" in caption
    place = results["place_cells"]["significant"].isel(session=2, direction=0).values
    place &= results["sparsity"]["detected"].isel(session=2).values
    odd, even = (results["half_maps"]["rate"].values[2, half, :, 0] for half in (0, 1))
    peak = np.where(
        np.nanmax(odd, axis=1) > 0, np.nanargmax(np.nan_to_num(odd, nan=-1), axis=1), 99
    )
    order = sorted(np.flatnonzero(place), key=lambda u: (peak[u], u))
    drawn = page.evaluate(
        """async () => {
          const image = new Image();
          image.src = document.querySelector('#r1 image[data-key="2-0"]').getAttribute('href');
          await image.decode();
          const canvas = document.createElement('canvas');
          canvas.width = image.width; canvas.height = image.height;
          canvas.getContext('2d').drawImage(image, 0, 0);
          return (PEAKS)(canvas);
        }""".replace("PEAKS", PEAKS)
    )
    assert len(drawn) == len(order)
    for row, u in zip(drawn, order, strict=True):  # to the step of the colours
        assert even[u, row] >= (1 - 1 / 100) * np.nanmax(even[u])
    with page.expect_download() as download:
        page.locator("#r1-fig-sorted-maps [data-get=csv]").click()
    lines = download.value.path().read_text(encoding="utf-8").splitlines()
    units = results["half_maps"]["unit"].values
    rows = [line.split(",") for line in lines[1:]]
    shown = [row[0] for row in rows if row[1] == "3" and row[2] == "forward"]
    assert shown == [str(units[u]) for u in order]


def test_page__tables_of_trends_and_contents_are_not_clipped(open_page, results, tmp_path):
    page = open_page(
        write_report(results, tmp_path / "one.html"), viewport={"width": 1280, "height": 800}
    )
    clipped = "e => e.scrollWidth > e.clientWidth + 1"
    trends = page.locator(".wide[aria-label^='Trends']")
    assert trends.count() > 1
    for i in range(trends.count()):
        assert not trends.nth(i).evaluate(clipped)
    contents = page.locator("nav.contents ul")
    assert contents.locator("a").count() > 9 and not contents.evaluate(clipped)


def test_page__place_cell_in_the_table_is_that_of_the_direction(open_page, results, tmp_path):
    tree = results.copy(deep=True)
    cells = tree["place_cells"].to_dataset().transpose("session", "unit", "direction")
    significant = cells["significant"].values.copy()
    significant[:, :, 0] = False
    cells["significant"] = (cells["significant"].dims, significant)
    tree = tree.assign({"place_cells": xr.DataTree(cells)})
    cells = cells.isel(unit=int(cells["is_place_cell"].values.sum(axis=0).argmax()))
    page = open_page(write_report(tree, tmp_path / "one.html"))
    page.locator(".unit-filter").select_option("all")
    page.locator(".unit-name").fill(str(cells["unit"].item()))
    page.locator(".unit-name").press("Enter")
    rows = [row.split("\t") for row in page.locator(".unit-numbers tbody tr").all_inner_texts()]
    assert "in this direction" in page.locator(".unit-numbers thead").inner_text()
    expected = (cells["is_place_cell"] & cells["significant"]).values.ravel()
    assert [row[3] == "yes" for row in rows] == expected.tolist()
    assert cells["is_place_cell"].any()


def test_page__on_a_phone_nothing_is_cut_and_it_is_short(open_page):
    page = open_page(folded=True, viewport={"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollHeight") < 8000
    beyond = page.evaluate(
        """() => [...document.querySelectorAll('main *, header *')]
          .filter(e => e.checkVisibility() && !e.closest('.wide, svg') && e.getClientRects().length)
          .filter(e => !e.classList.contains('unseen'))
          .filter(e => e.getBoundingClientRect().right > 391 || e.getBoundingClientRect().left < -1)
          .map(e => e.tagName + '.' + e.className)"""
    )
    assert beyond == []
    cut = page.evaluate(
        """() => [...document.querySelectorAll('svg.chart text')]
          .filter(t => t.checkVisibility())
          .filter(t => {
            const [a, b] = [t.getBoundingClientRect(), t.closest('svg').getBoundingClientRect()];
            return a.left < b.left - 8 || a.right > Math.max(b.right + 8, 390);
          }).map(t => t.textContent)"""
    )
    assert cut == []


def test_page__first_screen_is_the_animal(open_page):
    page = open_page(folded=True, viewport={"width": 1280, "height": 800})
    for place in ("#r1 .facts", "#r1-fig-registration image"):
        box = page.locator(place).first.bounding_box()
        assert box["y"] + min(box["height"], 150) < 800, place
