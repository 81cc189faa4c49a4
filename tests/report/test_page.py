from __future__ import annotations

import base64
import hashlib
import json
import re

import numpy as np
import pytest
import xarray as xr

import neurodrift.report.document as document_module
from neurodrift import analyze, testing
from neurodrift.report import write_report
from neurodrift.report.page import page as report
from neurodrift.report.tables import tables
from neurodrift.report.view import views


@pytest.fixture(scope="module")
def html(results):
    return report(results)


@pytest.fixture(scope="module")
def page(html, parse):
    return parse(html)


def test_report__is_well_formed(page):
    assert page.unbalanced == []
    ids = [element["id"] for element in page.elements if "id" in element]
    assert len(ids) == len(set(ids))
    levels = [int(e["tag"][1]) for e in page.elements if re.fullmatch(r"h[1-6]", e["tag"])]
    assert levels[0] == 1 and levels.count(1) == 1
    assert max(np.diff(levels)) <= 1, "a level of headings is left out"


def test_report__loads_nothing(html, page):
    for element in page.elements:
        assert "src" not in element
        if element["tag"] == "image":
            assert element["href"].startswith("data:image/png;base64,")
        elif "href" in element and not element["href"].startswith(("#", "data:,")):
            assert element["tag"] == "a" and element["href"].startswith("https://")
    assert not re.search(r"@import|url\(|fetch\(|XMLHttpRequest|import\(", html)
    policy = page.all("meta", http_equiv="Content-Security-Policy")[0]["content"]
    assert "default-src 'none'" in policy


def test_report__only_its_own_script_may_run(html, page):
    scripts = [e for e in page.all("script") if "type" not in e]
    assert len(scripts) == 1
    start = html.index("<script>") + len("<script>")
    script = html[start : html.index("</script>", start)]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = page.all("meta", http_equiv="Content-Security-Policy")[0]["content"]
    assert f"script-src 'sha256-{digest}'" in policy and "unsafe-eval" not in policy
    assert not any(key.startswith("on") for element in page.elements for key in element)


def test_report__controls_have_names(page):
    labelled = 0
    for tag in ("select", "input"):
        for element in page.all(tag):
            index = page.elements.index(element)
            before = [e["tag"] for e in page.elements[max(0, index - 1) : index]]
            assert before == ["label"], f"{element} has no label around it"
            labelled += 1
    assert labelled >= 8
    for button in page.all("button"):
        assert button["text"].strip()
    for drawing in page.all("svg"):
        assert drawing["role"] in ("img", "application") and drawing["aria-label"]
    for table in page.all("table"):
        assert "<th" not in table["text"]
    assert page.all("a", class_="skip")[0]["href"] == "#content"
    assert page.all("main", id="content") and page.all("html", lang="en")


def test_report__is_the_same_every_time(results, html):
    assert report(results) == html


def test_report__says_what_was_found(results, page):
    text = page.all("main")[0]["text"]
    sessions = results["sessions"].to_dataset()
    first, last = (100 * float(sessions["fraction_active_units"][i]) for i in (0, -1))
    where = f"{first:.0f}\u00a0% of all detected cells in the first session, {last:.0f}\u00a0%"
    assert where in text
    assert "random seed" in text and "synthetic" in text
    for name in ("Recording", "Maps", "Example cells", "Drift", "Tests", "Cautions", "Methods"):
        link = next(e for e in page.all("a") if e["text"] == name)
        assert page.all(id=link["href"][1:]), f"{link} leads nowhere"


def test_report__writes_the_parameters(results, page):
    found = dict(
        zip((e["text"] for e in page.all("dt")), (e["text"] for e in page.all("dd")), strict=True)
    )
    parameters = json.loads(results.attrs["parameters"])
    assert found["n repeats"] == "10" and found["random seed"] == "7"
    assert found["alpha"] == f"{parameters['alpha']:g}"
    assert found["binning: bin width"] == f"{parameters['binning']['bin_width']:g}"
    assert found["place cells: null"] == results["place_cells"].attrs["null"].replace("_", " ")


def test_report__source_attributes_are_shown(results, parse, changed):
    source = json.dumps({"institution": "Lab <b>of</b> places", "nwb_files": ["a.nwb", "b.nwb"]})
    text = parse(report(changed(results, attrs={"recording": source, "source": "m.zarr"})))
    values = [e["text"] for e in text.all("dd")]
    assert {"Lab <b>of</b> places", "a.nwb, b.nwb", "m.zarr"} <= set(values)


def hostile(results, text):
    tree = results.copy(deep=True)
    tree["subject"] = ((), text)
    units = np.array([f"{text}{i}" for i in range(10)], dtype=object)
    sessions = np.array([f"{i} {text}" for i in range(4)], dtype=object)

    of_unit = dict(zip(results["sparsity"]["unit"].values.tolist(), units, strict=True))
    of_session = dict(zip(results["sparsity"]["session"].values.tolist(), sessions, strict=True))

    def rename(node):
        found = {}
        for name in ("unit", "session", "session_a", "session_b"):
            if name in node.coords:
                names = of_unit if name == "unit" else of_session
                labels = [names[label] for label in node[name].values.tolist()]
                found[name] = (node[name].dims, np.array(labels, dtype=object))
        return node.assign_coords(found)

    return tree.map_over_datasets(rename)


def test_report__labels_are_text_and_never_markup(results, parse, hostile_text):
    text = hostile_text
    page = parse(report(hostile(results, text), title=text))
    assert page.unbalanced == []
    assert not page.all("img")
    plain = parse(report(results))
    assert len(page.all("script")) == len(plain.all("script"))
    assert page.all("h1")[0]["text"] == text
    data = json.loads(
        next(e for e in page.all("script", type="application/json") if "id" not in e)["text"]
    )
    assert data["units"][3] == f"{text}3" and data["sessions"][1] == f"1 {text}"
    files = {e["data-file"] for e in page.all("button") if "data-file" in e}
    assert files and all(re.fullmatch(r"[\w.-]+", name, re.ASCII) for name in files)


def test_report__several_recordings_are_tabs(results, still, parse):
    page = parse(report({"mouse": results, "cells": still}))
    tabs = page.all("button", role="tab")
    assert [tab["text"] for tab in tabs] == ["mouse", "cells"]
    panels = page.all("section", role="tabpanel")
    assert [panel["id"] for panel in panels] == [tab["aria-controls"] for tab in tabs]
    assert [panel["aria-labelledby"] for panel in panels] == [tab["id"] for tab in tabs]
    ids = [element["id"] for element in page.elements if "id" in element]
    assert len(ids) == len(set(ids))


def test_report__equal_names_are_told_apart(results, parse):
    page = parse(report([results, results]))
    names = [tab["text"] for tab in page.all("button", role="tab")]
    assert names == ["synthetic · linear track", "synthetic · linear track (2)"]


def test_report__without_position_has_no_maps(still, parse):
    page = parse(report(still))
    assert not page.all("div", class_="explorer")
    assert page.all("li", data_code="no-position")
    assert "place cell at p" not in page.all("main")[0]["text"]
    assert page.all("svg", class_="matrix")


def test_report__one_session_has_no_pairs(parse):
    from neurodrift import analyze, testing

    page = parse(
        report(analyze(testing.linear_track(n_units=1, n_sessions=1), n_repeats=5, n_draws=1))
    )
    assert not page.all("svg", class_="matrix") and page.all("div", class_="explorer")
    assert page.all("li", data_code="few-units") and page.all("li", data_code="few-sessions")


def test_report__without_any_value(results, parse):
    def empty(node):
        floats = [name for name, array in node.data_vars.items() if array.dtype.kind == "f"]
        return node.assign({name: node[name] * np.nan for name in floats})

    nodes = {name: xr.DataTree(empty(node.to_dataset())) for name, node in results.children.items()}
    page = parse(report(results.assign(nodes)))
    assert page.all("li", data_code="all-missing")
    assert page.unbalanced == []


def _versioned(tree, version):
    tree = tree.copy()
    tree.attrs["format_version"] = version
    return tree


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda tree: [], ValueError, "no results"),
        (lambda tree: [1], TypeError, "expected results"),
        (lambda tree: tree["maps"].to_dataset(), TypeError, "expected results"),
        (lambda tree: _versioned(tree, 0), ValueError, "format version 0"),
        (lambda tree: _versioned(tree, 99), ValueError, "run neurodrift"),
        (lambda tree: tree.filter(lambda n: n.name != "drift"), ValueError, "node 'drift'"),
        (
            lambda tree: {"x": tree.filter(lambda n: n.name != "sessions")},
            ValueError,
            "x lacks node 'sessions'",
        ),
    ],
)
def test_report__refuses(results, make, error, words):
    with pytest.raises(error, match=words):
        report(make(results))


def test_report__refuses_what_is_no_comparison(results):
    with pytest.raises(ValueError, match="comparison lacks"):
        report(results, comparison=xr.Dataset())


def test_write_report__whole_or_not_there(results, tmp_path, monkeypatch):
    path = write_report(results, tmp_path / "new" / "report.html", title="One")
    assert "<h1>One</h1>" in path.read_text(encoding="utf-8")
    with pytest.raises(FileExistsError, match="overwrite"):
        write_report(results, path)
    write_report(results, path, title="Two", overwrite=True)

    def fail(*_, **__):
        raise ValueError("broken")

    monkeypatch.setattr(document_module, "page", fail)
    with pytest.raises(ValueError, match="broken"):
        write_report(results, path, overwrite=True)
    assert "<h1>Two</h1>" in path.read_text(encoding="utf-8")
    assert [item.name for item in path.parent.iterdir()] == ["report.html"]


def test_write_report__keeps_a_folder(results, tmp_path):
    with pytest.raises(FileExistsError, match="is a folder"):
        write_report(results, tmp_path, overwrite=True)


def test_report__says_what_was_left_out_and_why(parse):
    from neurodrift import analyze, testing

    recording = testing.linear_track(n_units=4, n_sessions=2, minutes=4)
    bare = recording.drop_vars(["x", "speed", "direction", "trial", "lap"])
    page = parse(report(analyze(bare, n_repeats=5, n_draws=1)))
    terms = [e["text"] for e in page.all("dt")]
    said = dict(zip(terms, (e["text"] for e in page.all("dd")), strict=True))
    (term,) = [term for term in terms if term.startswith("left out: map switches, maps,")]
    assert said[term] == "the recording has no position"


def test_page__says_what_a_curation_left_out(tmp_path):
    recording = testing.linear_track(n_units=10, n_sessions=3, minutes=2)
    units = [{"unit": label, "reason": "dendrite <of> 4", "by": "A. Person"} for label in (2, 3)]
    results = analyze(recording, n_repeats=10, n_draws=1, curation={"units": units})
    page = write_report([results], tmp_path / "r.html").read_text()
    text = "2 units are left out by a curation: dendrite &lt;of&gt; 4 (A. Person)."
    assert page.count(text) == 2  # among the warnings, and in the methods
    (table,) = [item for item in tables(views(results)[0], 100) if item.name == "curation"]
    assert table.frame["unit"].tolist() == ["2", "3"]
