"""A report as a whole: its order and words, what a user adds, PDF, and figures for a paper."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET
import zlib

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib.figure import Figure

import neurodrift as nd
from neurodrift.io.csv import csv_text
from neurodrift.report.findings import findings
from neurodrift.report.page import page as page_of
from neurodrift.report.publication import NARROW, WIDE, figures_of
from neurodrift.report.view import views
from neurodrift.report.words import MEASURES
from neurodrift.schema.results import RESULTS

UNITS = r"(?:%|percentage points|bit/event|days?|degrees?|correlation|min|cells?|training steps)"


@pytest.fixture(scope="module")
def html(results):
    return page_of(results)


def test_page__sections_stand_in_the_order_of_a_reader(html, parse):
    wanted = ["r1-animal", "r1-maps", "r1-cells", "r1-drift", "r1-measures", "r1-phases"]
    wanted += ["r1-tests", "r1-care", "methods", "references"]
    ids = [element["id"] for element in parse(html).elements if "id" in element]
    assert [name for name in ids if name in wanted] == wanted


def test_page__comparison_stands_after_the_methods(results, parse):
    comparison = nd.compare(results, results, names=["a", "b"])
    ids = [
        e["id"]
        for e in parse(page_of([results, results], comparison=comparison)).elements
        if "id" in e
    ]
    assert ids.index("r2") < ids.index("methods") < ids.index("comparison")


def test_page__three_measures_are_large_and_the_rest_is_folded(html, parse):
    page = parse(html)
    open_part = html[html.index('id="r1-measures"') : html.index("more measures by session")]
    for name in ("Active cells", "Place cells", "Spatial information of place cells"):
        assert f"<h4>{name}</h4>" in open_part
    assert open_part.count("<figure") == 3
    assert page.all("details")


def visible(parse, html):
    """The words of a page: no script, no style, no value of an attribute but labels."""
    html = re.sub(r"<(script|style)\b.*?</\1>", " ", html, flags=re.DOTALL)
    page = parse(html)
    words = [page.all("main")[0]["text"]]
    words += [e[name] for e in page.elements for name in ("aria-label", "data-tip") if name in e]
    return "\n".join(words)


def test_page__has_no_name_of_the_program(html, parse):
    text = visible(parse, html)
    names = {name for table in RESULTS.values() for name in table} | set(RESULTS) | set(MEASURES)
    names = {name for name in names if "_" in name} | {"predictive_track", "circular_exact"}
    found = {name for name in names if re.search(rf"\b{name}\b", text)}
    assert found == set()
    assert not re.search(r"changes by \d", text)


def test_page__environment_in_words(results, parse):
    tree = results.copy(deep=True)
    tree["environment"] = xr.DataArray("predictive_track")
    assert "predictive_track" not in visible(parse, page_of(tree))


def test_findings__every_number_has_a_unit(view):
    for finding in findings(view):
        text = finding.text.replace("\u00a0", " ").replace("\u202f", "")
        text = re.sub(r"95 % CI −?[\d.]+ to −?[\d.]+", "", text)  # in the unit of the slope
        text = re.sub(r"p [=<] [\d.]+", "", text)
        if finding.key == "registration":  # names of sessions, and numbers of them
            text = re.sub(r"sessions? \d+((, | and )\d+)*|\d+ sessions|\d+ to (?=\d)", "", text)
        if (
            finding.more or finding.key == "within"
        ):  # shares and correlations, named by their sentences
            continue
        if finding.key == "drift":
            assert "correlate by" in text and "have a correlation of" in finding.details
            continue
        for number in re.finditer(r"−?\d[\d.]*", text):
            after = text[number.end() :].lstrip()
            assert re.match(UNITS, after), f"{number.group()} in {text}"


def test_findings__one_paragraph_a_question(view):
    found = findings(view)
    assert len({item.question for item in found}) == len(found)
    assert all(item.question.endswith("?") for item in found)


def test_registration_figure__is_what_was_detected(results, view):
    from neurodrift.report.recorded import registration_figure

    detected = results["sparsity"]["detected"].transpose("unit", "session")
    figure = registration_figure(view)
    (panel,) = figure.drawing.rows[0][1]
    times = detected.values.sum(axis=1)
    assert (panel.values == 1.0).sum() == times[times > 1].sum()
    assert (panel.values == 0.5).sum() == (times == 1).sum()
    frame = figure.frame.set_index("cell")
    for label, row in zip(detected["unit"].values, detected.values, strict=True):
        np.testing.assert_array_equal(frame.loc[str(label)].iloc[1:], row)
    rows = [tuple(row) for row in frame.iloc[:, 1:].to_numpy()]
    assert rows == sorted(rows, reverse=True)  # those of the first session on top


def test_example_figures__rows_are_the_laps_of_the_recording(results, view):
    from neurodrift.report.examples import example_figures

    figures = example_figures(view)
    assert len(figures) == 6 and len({figure.name for figure in figures}) == 6
    laps = results["lap_maps"].to_dataset()
    for figure in figures:
        label = int(figure.name.rsplit("-", 1)[1])
        frame = figure.frame
        way = 0 if "forward" in figure.title else 1
        whole = frame[frame["lap"] == "whole session"]
        expected = results["smoothed_maps"]["rate"].sel(unit=label).isel(direction=way)
        np.testing.assert_allclose(
            whole.iloc[:, 2:].to_numpy(float), expected.values, rtol=6e-3, atol=1e-12
        )
        single = frame[frame["lap"] != "whole session"]
        own = laps["rate"].sel(unit=label).isel(direction=way)
        for _, row in single.iterrows():
            at = (laps["session"].values == row["session"]) & (
                laps["lap"].values == int(row["lap"])
            )
            exact = own.values[at][0].astype(float)
            drawn = row.iloc[2:].to_numpy(float)
            there = np.isfinite(exact)
            assert there.any()
            np.testing.assert_allclose(drawn[there], exact[there], rtol=6e-3, atol=1e-12)


def own_figure():
    figure = Figure(figsize=(3, 2))
    figure.subplots().plot([0, 1], [2, 3])
    return figure


def test_report__own_figure_and_text(results, parse, hostile_text):
    report = nd.Report(results, title="Mine")
    data = pd.DataFrame({"day": [0, 1], "weight [g]": [25.5, 24.0]})
    same = report.add("Weight", figure=own_figure(), text="First.\n\nSecond.", data=data)
    assert same is report
    report.add(hostile_text, text=hostile_text)
    html = report.html()
    page = parse(html)
    assert page.unbalanced == []
    (section,) = page.all("section", id="added-1")
    assert "First." in section["text"] and "Second." in section["text"]
    (image,) = page.all("img")
    assert image["src"].startswith("data:image/svg+xml;base64,") and image["alt"] == "Weight"
    assert page.all("h2", id="added-2-title")[0]["text"] == hostile_text
    ids = [element["id"] for element in page.elements if "id" in element]
    assert ids.index("r1-care") < ids.index("added-1") < ids.index("methods")
    assert html == report.html()
    again = nd.Report(results, title="Mine").add(
        "Weight", figure=own_figure(), text="First.\n\nSecond.", data=data
    )
    assert again.add(hostile_text, text=hostile_text).html() == html


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda r: r.add("nothing"), ValueError, "neither a figure nor a text"),
        (lambda r: r.add("axes", figure=own_figure().axes[0]), TypeError, "ax.figure"),
        (lambda r: r.add("x", text="t", data=[1]), TypeError, "pandas.DataFrame"),
        (lambda r: r.add(1, text="t"), TypeError, "plain text"),
    ],
)
def test_report__refuses_what_it_cannot_show(results, make, error, words):
    with pytest.raises(error, match=words):
        make(nd.Report(results))


def needs_weasyprint():
    """Skip where WeasyPrint, or the Pango that it needs, is not there."""
    try:
        import weasyprint  # noqa: F401
    except (ImportError, OSError) as error:
        pytest.skip(f"no WeasyPrint: {error}")


def unpacked(stream):
    try:
        return zlib.decompress(stream)
    except zlib.error:
        return b""


def test_write_pdf__pages_with_their_pictures(results, tmp_path):
    needs_weasyprint()
    report = nd.Report(results, title="On paper").add("Mine", figure=own_figure())
    path = report.write_pdf(tmp_path / "report.pdf")
    content = path.read_bytes()
    assert content.startswith(b"%PDF")
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", content, re.DOTALL)
    inside = b"\n".join(unpacked(stream) for stream in streams)
    assert len(re.findall(rb"/Type ?/Page\b(?!s)", inside + content)) > 2
    assert len(re.findall(rb"/Subtype ?/Image", inside + content)) > 10  # the maps are there
    with pytest.raises(FileExistsError, match="overwrite"):
        report.write_pdf(path)
    report.write_pdf(path, overwrite=True)
    other = tmp_path / "other.pdf"
    other.write_bytes(b"%PDF-1.4 somebody's paper")
    with pytest.raises(FileExistsError, match="no report"):
        report.write_pdf(other, overwrite=True)
    assert other.read_bytes() == b"%PDF-1.4 somebody's paper"


def test_pdf__says_what_is_missing(monkeypatch):
    import sys

    from neurodrift.report.pdf import to_pdf

    monkeypatch.setitem(sys.modules, "weasyprint", None)
    with pytest.raises(ImportError, match=r"pip install neurodrift\[report-pdf\]"):
        to_pdf("<p></p>")


def test_write_figures__one_file_a_panel_with_its_numbers(still, tmp_path):
    folder = nd.Report(still).write_figures(tmp_path / "figures")
    view = views(still)[0]
    figures = figures_of(view)
    assert len({figure.name for figure in figures}) == len(figures)
    names = {item.name for item in folder.iterdir()}
    wanted = {f"{figure.name}.{form}" for figure in figures for form in ("svg", "pdf", "csv")}
    assert names == wanted | {"README.txt"}
    for figure in figures:
        text = (folder / f"{figure.name}.csv").read_text(encoding="utf-8")
        assert text == csv_text(figure.frame, float_format="%.10g")
        root = ET.parse(folder / f"{figure.name}.svg").getroot()
        width = float(root.get("width").removesuffix("pt")) / 72 * 25.4
        assert width == pytest.approx(NARROW, abs=0.5) or NARROW < width <= WIDE + 0.5
        words = [node.text for node in root.iter("{http://www.w3.org/2000/svg}text")]
        assert figure.title in words  # text is text, and can be edited
        fonts = (folder / f"{figure.name}.pdf").read_bytes()
        assert b"/TrueType" in fonts or b"/CIDFontType2" in fonts
        assert b"/Type3" not in fonts
    with pytest.raises(FileExistsError, match="overwrite"):
        nd.Report(still).write_figures(folder)
    (folder / "notes.docx").write_text("mine")
    with pytest.raises(FileExistsError):
        nd.Report(still).write_figures(folder, overwrite=True)


def test_write_figures__grids_of_maps(results, tmp_path):
    from neurodrift.report.publication import draw

    for figure in figures_of(views(results)[0]):
        if figure.name in ("registration", "sorted-maps") or figure.name.startswith("example-st"):
            drawn = draw(figure)
            assert drawn.get_figwidth() * 25.4 <= WIDE + 0.5
            images = [axis for axis in drawn.axes if axis.images]
            assert len(images) == sum(len(panels) for _, panels in figure.drawing.rows)


def odd(name):
    """Odd recordings, each analysed with little work."""
    rng = np.random.default_rng(3)
    n, rate = 3000, 20
    x = 60 + 59 * np.sin(np.arange(n) * 2 * np.pi / 300)
    near = rng.poisson(np.exp(-((x - 60) ** 2) / 200)[:, None] * 0.5, (n, 3)).astype("u1")
    common = {"kind": "events", "frame_duration": 1 / rate}
    if name == "one unit, one session":
        return nd.testing.linear_track(n_units=1, n_sessions=1, minutes=2)
    if name == "no registration":
        recording = nd.recording_from_arrays(
            [near, near], x=[x, x], registered=[False] * 3, **common
        )
        return recording
    if name == "plane":
        y = 40 + 30 * np.cos(np.arange(n) * 2 * np.pi / 170)
        return nd.recording_from_arrays([near, near], x=[x, x], y=[y, y], **common)
    if name == "circle":
        turn = np.arange(n) * 0.6 % 180
        return nd.recording_from_arrays(
            [near, near], x=[turn, turn], geometry="circular:180", **common
        )
    if name == "maze":
        shape = nd.geometry.t_maze(80, 60)
        arms = nd.geometry.arms.arms_of(shape)
        ways = [s + np.linspace(0, m, 500) for s, m in zip(arms.starts, arms.lengths, strict=True)]
        way = np.concatenate([*ways, *ways[::-1]])[:n]
        activity = near[: way.size]
        return nd.recording_from_arrays([activity] * 2, x=[way, way], geometry=shape, **common)
    steps = [0, 1000, 2000]
    return nd.recording_from_arrays(
        [rng.random((400, 5)) for _ in steps],
        kind="activation",
        frame_duration=1.0,
        x=[np.arange(400) % 40 + 0.5] * 3,
        training_step=steps,
        loss=[1.0, 0.5, 0.4],
        environment="predictive_track",
    )


@pytest.mark.parametrize(
    "name", ["one unit, one session", "no registration", "plane", "circle", "maze", "network"]
)
def test_page__odd_recordings_have_a_page(name, parse):
    results = nd.analyze(odd(name), n_repeats=4, n_draws=1)
    html = page_of(results)
    page = parse(html)
    assert page.unbalanced == []
    ids = [element["id"] for element in page.elements if "id" in element]
    assert len(ids) == len(set(ids))
    for figure in page.all("figure"):
        assert figure["data-file"] and "SVGPNGCSV" in figure["text"].replace("\n", "").replace(
            " ", ""
        )
    text = visible(parse, html)
    assert "nan" not in re.findall(r"[a-z]+", text.lower()) and "predictive_track" not in text
    if name == "plane":
        assert "r1-maps" not in ids and "r1-cells" in ids
    if name == "no registration":
        assert "0cells matched in" in text.replace("\n", "").replace("  ", "") or "matched" in text
    for figure in figures_of(views(results)[0]):
        pd.read_csv(io.StringIO(csv_text(figure.frame)))


def test_page__of_a_big_recording_is_bounded(results):
    """Maps of 4,000 cells in 24 sessions would be 19 MB; the page draws those that fit."""
    from neurodrift.report.data import kept_units
    from neurodrift.report.page import _MAP_BYTES

    maps = results["smoothed_maps"].to_dataset()
    view = views(results)[0]
    many = maps.isel(unit=np.resize(np.arange(10), 4000), session=np.resize(np.arange(4), 24))
    view.nodes["smoothed_maps"] = many.assign_coords(unit=np.arange(4000), session=np.arange(24))
    sparsity = view.nodes["sparsity"].isel(unit=np.resize(np.arange(10), 4000))
    view.nodes["sparsity"] = sparsity.assign_coords(unit=np.arange(4000))
    cells = view.nodes["place_cells"].isel(unit=np.resize(np.arange(10), 4000))
    view.nodes["place_cells"] = cells.assign_coords(unit=np.arange(4000))
    kept = kept_units(view, _MAP_BYTES)
    size = kept.size * 24 * many.sizes["direction"] * many.sizes["position"]
    assert 2 * size <= _MAP_BYTES and kept.size < 4000
