"""The page of a study in a real Chromium: a phone, the dark, downloads, links into folded parts."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest

from neurodrift.studies.report.page import study_page

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium on the path: apt-get install chromium"
)
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
ARGUMENTS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
GROUPS = {f"m{i}": {"genotype": "ko" if i % 2 else "wt"} for i in range(100)}


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """Open a page; nothing may be asked of the network or written to the console."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    messages, requests = [], []
    folder = tmp_path_factory.mktemp("page")

    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)

        def made(html, **options):
            path = folder / "report.html"
            path.write_text(html, encoding="utf-8")
            page = browser.new_context(accept_downloads=True, **options).new_page()
            page.on("console", lambda message: messages.append(message.text))
            page.on("pageerror", lambda error: messages.append(str(error)))
            page.on("request", lambda request: requests.append(request.url))
            page.goto(f"file://{path}")
            return page

        yield made
        browser.close()
    assert messages == []
    assert [url for url in requests if not url.startswith(("file:", "data:", "blob:"))] == []


@pytest.fixture(scope="module")
def html(mice, view_of, ways_of):
    trees = mice(6)
    factors = {name: GROUPS[name] for name in (f"m{i}" for i in range(6))}
    return study_page(view_of(trees, ways_of(trees), factors=factors))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_page__fits_the_screen(opened, html, width, scheme):
    page = opened(html, viewport={"width": width, "height": 844}, color_scheme=scheme)
    size = page.evaluate("[document.body.scrollWidth, document.documentElement.scrollHeight]")
    assert size[0] <= width and size[1] < 8000
    folded = page.locator(".finding details").first.get_attribute("open")
    assert (folded is None) == (width == 390)


def test_page__hundred_animals_on_a_phone(opened, mice, view_of):
    html = study_page(view_of(mice(100), factors=GROUPS, questions=None))
    page = opened(html, viewport={"width": 390, "height": 844})
    size = page.evaluate("[document.body.scrollWidth, document.documentElement.scrollHeight]")
    assert size[0] <= 390 and size[1] < 8000


@pytest.mark.parametrize("name", ["ways-1", "animals-information", "answer-1", "normalized-1"])
def test_page__figures_are_saved(opened, html, name):
    page = opened(html, viewport={"width": 1280, "height": 844})
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    figure = page.locator(f"figure[id^='study-fig-{name}']").first
    for form in ("SVG", "PNG", "CSV"):
        with page.expect_download() as waiting:
            figure.get_by_role("button", name=f" as {form}").click()
        path = Path(waiting.value.path())
        if form == "CSV":
            with path.open(encoding="utf-8") as file:
                assert len(list(csv.reader(file))) > 3
        elif form == "SVG":
            assert path.read_text(encoding="utf-8").startswith("<svg")
        else:
            assert path.read_bytes().startswith(b"\x89PNG")


def test_page__tips_name_a_way(opened, html):
    page = opened(html, viewport={"width": 1280, "height": 844})
    page.locator("figure[id^='study-fig-ways-1'] circle").first.hover()
    assert "bin width 2 cm, speed 1 cm/s" in page.locator("#tip").inner_text()
