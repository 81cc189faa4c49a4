"""Trends as recorded beside those on an equal footing, and the sentence where they disagree."""

from __future__ import annotations

import pytest
import xarray as xr

from neurodrift.report.cautions import cautions
from neurodrift.report.findings import findings
from neurodrift.report.footing import trends
from neurodrift.report.methods import methods
from neurodrift.report.trend_table import trend_table
from neurodrift.report.view import views
from neurodrift.report.words import number, p_value


def with_slopes(tree: xr.DataTree, raw: tuple[float, float], matched: tuple[float, float]):
    """The tree with (slope, p) of the share of place cells, raw and on an equal footing."""
    tree = tree.copy(deep=True)
    fits = tree["regression"].to_dataset().copy(deep=True)
    for name, (slope, p) in (("", raw), ("_matched", matched)):
        at = fits["measure"].values.tolist().index(f"fraction_place_cells{name}")
        day = fits["predictor"].values.tolist().index("day")
        for key, value in (
            ("slope", slope),
            ("p", p),
            ("ci_low", slope - 0.1),
            ("ci_high", slope + 0.1),
        ):
            fits[key].values[at, day] = value
    tree["regression"] = xr.DataTree(fits)
    return tree


@pytest.mark.parametrize(
    ("raw", "matched", "disagree"),
    [
        ((-0.05, 0.001), (0.002, 0.8), True),
        ((0.001, 0.7), (-0.04, 0.01), True),
        ((-0.05, 0.001), (0.04, 0.01), True),
        ((-0.05, 0.001), (-0.04, 0.01), False),
        ((-0.01, 0.4), (0.01, 0.6), False),
    ],
)
def test_footing__says_when_trends_disagree(results, raw, matched, disagree) -> None:
    view = views(with_slopes(results, raw, matched))[0]
    one = next(trend for trend in trends(view) if trend.measure == "fraction_place_cells")
    assert one.disagree == disagree
    rows = trend_table(view, "day")["main"]["rows"]
    at = [row[0] for row in rows].index("Place cells")
    units = results["matched"].attrs["n_units"]
    among = f" (of the {units} cells with enough events, silenced ones left out)"
    assert rows[at + 1][0].strip() == f"the same, with equal events{among}"
    assert rows[at + 1][-1] == ("differs" if disagree else "agrees") and rows[at][-1] == ""
    (finding,) = [item for item in findings(view) if item.key == "fraction_place_cells"]
    assert ("But with equal events in every session" in finding.text) == disagree
    for slope, p in (raw, matched):
        assert (
            f"{number(100 * slope, 2)}\u00a0percentage points a day"
            in f"{finding.text} {finding.details}"
        )
        assert p_value(p) in f"{finding.text} {finding.details}"
    found = {caution.code: caution.text for caution in cautions(view)}
    listed = "place cells: as recorded" in found.get("equal-footing", "")
    assert listed == disagree


def test_findings__as_a_lab_would_say_them(results) -> None:
    view = views(with_slopes(results, (-0.05, 0.001), (0.002, 0.8)))[0]
    found = {item.key: item for item in findings(view)}
    assert [*found][0] == "drift"
    text = found["fraction_place_cells"].text
    assert text.startswith("Place cells seem to fall: ") and "6 days later" in text
    assert "the trend as recorded may come from how much was recorded" in text
    steady = {
        item.key: item
        for item in findings(views(with_slopes(results, (0.01, 0.4), (0.01, 0.6)))[0])
    }
    assert "show no clear trend" in steady["fraction_place_cells"].text
    assert (
        "would have been found with a power of 80\u00a0%" in steady["fraction_place_cells"].details
    )
    drift = found["drift"].details
    assert "the ceiling" in drift and "Population vectors go from" in drift


def test_footing__caution_of_events_and_of_units_left_out(results, changed) -> None:
    falling = {"events_per_unit": [90.0, 70.1, 50.0, 29.8]}
    tree = changed(changed(results, "sessions", **falling), "matched", n_units_left_out=3)
    found = {caution.code: caution.text for caution in cautions(views(tree)[0])}
    assert "29.8 to 90" in found["events-per-unit"]
    assert found["units-left-out"].startswith("3 cells of ")
    steady = {"events_per_unit": [50.0, 51.0, 49.0, 50.5]}
    tree = changed(changed(results, "sessions", **steady), "matched", n_units_left_out=0)
    found = {caution.code for caution in cautions(views(tree)[0])}
    assert not {"events-per-unit", "units-left-out"} & found


def test_footing__nothing_without_the_node(results) -> None:
    tree = results.copy(deep=True)
    del tree["matched"]
    view = views(tree)[0]
    assert trends(view) == []
    assert not any("the same" in row[0] for row in trend_table(view, "day")["rows"])
    assert "equal footing" not in " ".join(methods(view).paragraphs)
    assert "On an equal footing every session kept as many events" in " ".join(
        methods(views(results)[0]).paragraphs
    )
