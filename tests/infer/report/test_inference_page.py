"""The page of an inference: what it says of each verdict, and that it needs nothing else."""

from __future__ import annotations

import re
import shutil

import numpy as np
import pytest

import neurodrift as nd
from neurodrift.infer.report.care import inference_cautions
from neurodrift.infer.report.figures import inference_figures
from neurodrift.infer.report.page import inference_page
from neurodrift.report.svg import small_svg
from tests.infer.clouds import one_run, table

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)


@pytest.fixture(scope="module")
def prior():
    return table(n=50, apart=7.0, n_statistics=14)


@pytest.fixture(scope="module")
def named(prior):
    return nd.infer_rule(*one_run(prior, 120))


@pytest.fixture(scope="module")
def away(prior):
    seen, rest = one_run(prior, 120)
    seen["value"][9] += 30.0
    return nd.infer_rule(seen, rest)


def text_of(page):
    found = re.sub(r"<(style|script).*?</\1>", " ", page, flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found))


def test_inference_page__a_rule_that_is_named(named):
    text = text_of(inference_page(named))
    assert "Most like label noise" in text and "What decided" in text
    assert "Which pairs of rules are told apart" in text and "Guo et al., 2017" in text
    assert "are of no use" not in text


def test_inference_page__outside_gives_no_rule(away):
    page = inference_page(away)
    text = text_of(page)
    assert "Outside the prior" in text and "What puts it outside" in text
    assert "these probabilities are of no use" in text and "Most like" not in text
    assert "No rule of this prior drifts like this" in text
    assert [c.code for c in inference_cautions(away)][0] == "outside"
    # the verdict leads, distances come before probabilities, which are folded
    places = [page.index(text) for text in ("None of these rules", 'class="facts"')]
    places += [page.index("How far the target is"), page.index("Probabilities, of no use")]
    places += [page.index("Probability of each rule")]
    assert places == sorted(places)
    dose = re.search(r"What the statistics tell of the parameters.*?</table>", page, re.S).group()
    assert '<td data-label="dose">–</td>' in dose
    assert not re.search(r"<td data-label=\"dose\">[^–]", dose)


def test_inference_page__is_the_same_twice_and_after_a_store(named, tmp_path):
    back = nd.open_results(nd.save_results(named, tmp_path / "x.zarr"))
    assert inference_page(back) == inference_page(named) == inference_page(named)


def test_inference_figures__a_panel_of_the_statistic_that_is_outside_leads(away):
    figure = inference_figures(away)["clouds"][0]
    charts = figure.drawing.rows[0][1]
    assert charts[0].title == "s09" and len(charts) == 8
    line = next(mark for mark in charts[0].marks if mark.style == "ink")
    assert (line.y == 5.0).all()  # on the edge of the axis
    own = figure.frame[
        (figure.frame["statistic"] == "s09") & (figure.frame["rule"] == "the target")
    ]
    assert own["value"].item() > 10  # the table has it as it is


def test_inference_figures__dots_are_the_runs(named, prior):
    frame = inference_figures(named)["clouds"][0].frame
    model = named["model"].to_dataset().sel(statistic="s04")
    own = frame[(frame["statistic"] == "s04") & (frame["rule"] == "hebbian")]["value"]
    runs = prior["value"].sel(statistic="s04").values[prior["rule"].values == "hebbian"]
    scaled = (runs - float(model["centre"])) / float(model["spread"])
    assert len(own) == 30 and all(np.abs(scaled - value).min() < 1e-9 for value in own)


def test_inference_figures__nothing_that_puts_it_outside_is_negative(away):
    figure = inference_figures(away)["decided"][0]
    assert figure.frame["statistic"][0] == "s09"
    assert (figure.frame[["by itself", "given the others"]] >= 0).all(axis=None)


def test_inference_figures__every_rule_has_its_colour_and_number():
    rules = tuple("abcdefg")
    found = nd.infer_rule(*one_run(table(rules=rules, n=12, n_statistics=14), 3))
    figures = inference_figures(found)
    styles = [style for _, style in figures["clouds"][0].legend]
    assert len(set(styles)) == len(styles) == 8
    drawing = figures["clouds"][0].drawing
    assert [word for _, word in drawing.x_ticks] == list("1234567")
    svg = small_svg(drawing, drawing.rows[0][1][0])
    assert all(f">{i}</text>" in svg for i in range(1, 8)) and ">2.5</text>" not in svg


def test_inference_figures__hollow_is_told_where_there_is_any(named):
    assert "Hollow" in inference_figures(named)["posterior"][0].caption
    alone = nd.infer_rule(*one_run(table(n=30, tasks=("random",)), 3))
    assert "Hollow" not in inference_figures(alone)["posterior"][0].caption


def test_inference_page__one_rule():
    found = nd.infer_rule(*one_run(table(rules=("adam",), n=30), 3))
    assert "Cannot tell" in text_of(inference_page(found))


def test_inference_page__refuses_other_results(named):
    with pytest.raises(ValueError, match="expected an inference"):
        inference_page(named["posterior"])


def test_write_inference_report__keeps_what_is_there(named, tmp_path):
    path = nd.write_inference_report(named, tmp_path / "a.html", title="Mouse & <rule>")
    assert "Mouse &amp; &lt;rule&gt;" in path.read_text()
    with pytest.raises(FileExistsError):
        nd.write_inference_report(named, path)


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on the path")
@pytest.mark.parametrize("width", [1200, 390])
def test_inference_page__in_a_browser(named, tmp_path, width):
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = nd.write_inference_report(named, tmp_path / "rule.html")
    told = []
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": width, "height": 800})
        page.on("console", lambda message: told.append(message.text))
        page.on("pageerror", lambda error: told.append(str(error)))
        page.goto(path.as_uri())
        wide = page.evaluate("document.documentElement.scrollWidth")
        dots = page.locator("svg.panel circle").count()
        browser.close()
    assert not told and wide <= width and dots > 500
