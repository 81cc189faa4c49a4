"""Phases and comparisons on the page equal their Datasets."""

from __future__ import annotations

import io
import json

import numpy as np
import pandas as pd
import pytest

from neurodrift import analyze, compare, testing
from neurodrift.report.comparison import comparison_section
from neurodrift.report.methods import comparison_methods
from neurodrift.report.page import page as report
from neurodrift.report.phases import phases_section
from neurodrift.report.view import views
from neurodrift.report.words import number, percent


@pytest.fixture(scope="module")
def two():
    """Two populations without position, one of which falls silent."""
    found = []
    for silencing in (0.0, 0.12):
        recording = testing.linear_track(
            n_units=25, n_sessions=6, minutes=1, silencing=silencing, seed=3
        )
        position = ["x", "speed", "direction", "trial", "lap"]
        found.append(analyze(recording.drop_vars(position)))
    return found


@pytest.fixture(scope="module")
def comparison(two):
    return compare(*two, names=["still", "falling <silent>"])


def test_comparison__statements_are_those_of_the_dataset(comparison):
    section = comparison_section(comparison)
    assert section["sides"] == ["still", "falling <silent>"]
    for row, name in zip(section["statements"], comparison["statement"].values, strict=True):
        for cell, side in zip(row["cells"], comparison["side"].values, strict=True):
            one = comparison.sel(statement=name, side=side, adjustment="none")
            assert cell[0]["verdict"] == str(one["statement_verdict"].item())
            estimate = float(one["statement_estimate"])
            if np.isfinite(estimate):
                kind = comparison["effect_kind"].sel(effect=one["statement_effect"].item()).item()
                factor = 100 if kind == "slope" else 1
                assert cell[0]["detail"].startswith(number(factor * estimate))
                assert "over the whole way" in cell[0]["detail"]  # its unit
            else:
                assert cell[0]["detail"] == str(one["statement_reason"].item())


def test_comparison__tables_are_those_of_the_dataset(comparison):
    tables = {table.name: table for table in comparison_section(comparison)["tables"]}
    effects = pd.read_csv(io.StringIO(tables["effects"].csv()), keep_default_na=False)
    dims = ["side", "scale", "axis", "adjustment", "effect"]
    assert len(effects) == np.prod([comparison.sizes[dim] for dim in dims])
    for _, row in effects.iterrows():
        one = comparison.sel({dim: row[dim] for dim in dims})
        expected = float(one["slope"])
        assert row["slope"] == "" if np.isnan(expected) else True
        if np.isfinite(expected):
            np.testing.assert_allclose(float(row["slope"]), expected, rtol=1e-9)
        assert row["slope_reason"] == str(one["slope_reason"].item())


def test_comparison__says_where_the_own_section_says_otherwise(two, comparison, changed):
    falling = str(comparison["side"].values[1])
    values = {"slope": -0.1, "se": 0.01, "p": 0.01, "ci_low": -0.12, "ci_high": -0.08, "dof": 8.0}
    fits = {name: (lambda old, v=v: 0 * old.fillna(0) + v) for name, v in values.items()}
    trees = [two[0], changed(two[1], "regression", **fits)]
    shown = views(dict(zip(comparison["side"].values.astype(str), trees, strict=True)))
    name, at = "fewer active units", {"side": falling, "adjustment": "none"}

    def own(verdict, recordings=shown):
        other = comparison.copy(deep=True)
        other["statement_verdict"].loc[{"statement": name, **at}] = verdict
        other["statement_p"].loc[{"statement": name, **at}] = 0.02
        other["statement_p_holm"].loc[{"statement": name, **at}] = 0.1
        rows = comparison_section(other, recordings)["statements"]
        (row,) = [row for row in rows if row["text"] == name]
        return row["cells"][1][0]["own"]

    assert own("holds") == {} and own("undecided", ()) == {}
    found = own("undecided")
    assert found["place"] == "r2-measures" and found["name"] == falling
    assert "Its own section finds this: as recorded a fall of active cells (" in found["text"]
    assert "p\u00a0=\u00a00.02 alone, p\u00a0=\u00a00.10 corrected" in found["text"]
    assert "“no change”" not in found["text"] and "“no change”" in own("no change")["text"]


def test_comparison__on_the_page(two, comparison, parse):
    page = parse(report(dict(zip(("a", "b"), two, strict=True)), comparison=comparison))
    assert page.unbalanced == []
    text = page.all("section", id="comparison")[0]["text"]
    for note in json.loads(comparison.attrs["notes"]):
        assert note.replace("_", " ") in text
    for statement in comparison["statement"].values:
        assert str(statement)[1:] in text
    ids = [element["id"] for element in page.elements if "id" in element]
    assert len(ids) == len(set(ids)) and "comparison-table-effects" in ids
    assert "The sides still and falling <silent> were compared" in page.all("main")[0]["text"]


def test_comparison__figures_hold_every_point(comparison):
    figures = {figure.title: figure for figure in comparison_section(comparison)["figures"]}
    one = comparison.sel(axis="fraction", scale="first", measure="fraction_active_units")
    n = int(np.isfinite(one["series_mean"].values).sum())
    points = [mark for mark in figures["Active cells"].drawing.marks if mark.kind == "points"]
    assert sum(np.isfinite(mark.y).sum() for mark in points) == n
    frame = figures["Active cells"].frame
    column = frame.columns[-1]
    np.testing.assert_array_equal(
        frame[column], comparison["normalized"].sel(measure="fraction_active_units")
    )


def test_comparison__bands_are_within_the_axes(comparison):
    for figure in comparison_section(comparison)["figures"]:
        for mark in figure.drawing.marks:
            for edge in (mark.low, mark.high):
                edge = edge[np.isfinite(edge)]
                assert (edge >= figure.drawing.y_low).all() or not edge.size
                assert (edge <= figure.drawing.y_high).all() or not edge.size


def test_comparison__methods_follow_the_parameters(two):
    found = compare(*two, names=["a", "b"], factor=3.0, level=0.9)
    text = comparison_methods(found).paragraphs[0]
    assert "within 3 by two one-sided tests" in text and "both 90 % intervals" in text
    assert "random intercept" not in text


def test_phases__are_those_of_the_node(two):
    view = views(two[1])[0]
    phases, section = view.nodes["phases"], phases_section(view)
    assert section["verdict"] == phases.attrs["verdict"]
    assert [name for _, name, _ in section["strip"]] == phases["dominant"].values.tolist()
    finite = np.isfinite(phases["series"].values).any(axis=phases["series"].get_axis_num("session"))
    assert len(section["figures"]) == finite.sum()
    for row, quantity in zip(section["evidence"]["rows"], phases["quantity"].values, strict=True):
        observed = phases["observed"].sel(quantity=quantity)
        for cell, phase in zip(row[1:4], phases["phase"].values, strict=True):
            assert cell.startswith(str(observed.sel(phase=phase).item()))
        seen = float(phases["detectable"].sel(quantity=quantity))
        assert row[5:] == [percent(seen) if np.isfinite(seen) else ""]


def test_phases__borders_in_words(two, changed):
    def borders(point, low, high):
        pair = {
            "change_point": np.array([np.nan, point]),
            "change_point_ci_low": np.array([np.nan, low]),
            "change_point_ci_high": np.array([np.nan, high]),
            "reached": np.array([np.nan, 0.87]),
        }
        return phases_section(views(changed(two[1], "phases", **pair))[0])["borders"]["rows"]

    first, second = borders(3.5, 2.0, 5.25)
    assert first[1] == "cannot be told" and second[1:] == ["3.50 [2, 5.25]", "87\u00a0%"]
    assert borders(np.inf, 4.0, np.inf)[1][1] == "after the last session (from 4 on)"


def test_phases__absent_without_the_node(two):
    tree = two[0].filter(lambda node: node.name != "phases")
    assert phases_section(views(tree)[0]) is None
    assert "Phases of learning" not in report(tree)
