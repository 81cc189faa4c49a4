from __future__ import annotations

import math
import re

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import xarray as xr
from hypothesis import given, settings
from scipy import stats

from neurodrift.analysis.regression.regression import regress_each
from neurodrift.report.chart import Chart, Forest
from neurodrift.report.decay import decay_figures
from neurodrift.report.series import main_figures, other_figures, regression_band, session_figure
from neurodrift.report.svg import chart_svg, forest_limits, forest_svg, tick, ticks
from neurodrift.report.trend import slope_sentence, slope_words
from neurodrift.report.view import views
from neurodrift.report.words import number, p_value, percent, plural
from neurodrift.schema.words import listing


def by_least_squares(tree):
    """Results whose slopes are those of least squares."""
    table = tree["sessions"].to_dataset().to_dataframe().reset_index()
    nodes = {name: node.to_dataset() for name, node in tree.children.items()}
    nodes["regression"] = regress_each(table, method="ols")
    return xr.DataTree.from_dict({"/": tree.to_dataset(inherit=False), **nodes})


def test_regression_band__is_that_of_its_line(view):
    band = regression_band(view, "fraction_place_cells", "day")
    fit = view.slope("fraction_place_cells", "day")
    x, middle = band["x"], np.argmin(band["high"] - band["low"])
    assert np.diff(band["line"]) / np.diff(x) == pytest.approx(fit["slope"])
    # the tangent of the band's branches far away is the interval of the slope
    half = (band["high"] - band["low"]) / 2
    assert 0 < middle < x.size - 1 or half[0] != half[-1]
    a, b, c = np.polyfit(x, half**2, 2)
    quantile = stats.t.ppf(0.975, fit["dof"])
    assert np.sqrt(a) == pytest.approx(quantile * fit["se"], rel=1e-6)


def test_regression_band__is_that_of_statsmodels(results):
    view = views(by_least_squares(results))[0]
    table = view.sessions
    band = regression_band(view, "fraction_place_cells", "day")
    fit = sm.OLS(table["fraction_place_cells"], sm.add_constant(table["day"])).fit()
    expected = fit.get_prediction(pd.DataFrame({"const": 1.0, "day": band["x"]})).summary_frame()
    for name, column in (
        ("line", "mean"),
        ("low", "mean_ci_lower"),
        ("high", "mean_ci_upper"),
    ):
        np.testing.assert_allclose(band[name], expected[column], rtol=1e-9)


def test_regression_band__leaves_out_missing_sessions(results, changed):
    values = results["sessions"]["fraction_place_cells"].values.copy()
    values[1] = np.nan
    slope, intercept = np.polyfit(np.array([0.0, 4.0, 6.0]), values[[0, 2, 3]], 1)
    fits = results["regression"].to_dataset().copy(deep=True)
    fits["slope"].loc[{"measure": "fraction_place_cells", "predictor": "day"}] = slope
    tree = changed(by_least_squares(results), "sessions", fraction_place_cells=values)
    tree = changed(tree, "regression", slope=fits["slope"].values)
    band = regression_band(views(tree)[0], "fraction_place_cells", "day")
    np.testing.assert_allclose(band["line"], intercept + slope * band["x"], rtol=1e-9)


def test_slope_words__say_the_stored_numbers(results, view):
    fit = results["regression"].sel(measure="fraction_place_cells", predictor="day")
    slope, low, high = (
        number(100 * float(fit[name]), 2) for name in ("slope", "ci_low", "ci_high")
    )
    text = slope_words(view, "fraction_place_cells")
    assert text.startswith(f"{slope}\u00a0percentage points a day, 95\u00a0% CI {low} to {high}, ")
    assert f"{p_value(float(fit['p']))}†, {number(float(fit['dof']), 2)} degrees of freedom" in text
    assert "degrees" not in slope_words(view, "fraction_place_cells", degrees=False)
    assert slope_sentence(view, "running_speed").startswith("no slope")


@pytest.mark.parametrize(("dof", "marked"), [(2.0, True), (4.0, True), (4.2, False), (6.0, False)])
def test_slope_words__few_degrees_of_freedom_have_a_dagger(results, changed, dof, marked):
    fits = results["regression"].to_dataset()
    tree = changed(results, "regression", dof=np.full(fits["dof"].shape, dof))
    view = views(tree)[0]
    assert ("†" in slope_words(view, "fraction_place_cells")) == marked
    figure = session_figure(view, "fraction_place_cells", "day")
    assert ("†" in figure.caption) == marked == bool(figure.notes)
    if marked:
        assert figure.notes[0].startswith(f"† {number(dof, 2)} degrees of freedom")


def test_slope_words__training_steps_are_gathered(results, changed):
    steps = np.arange(4) * 50_000
    fits = results["regression"].to_dataset().rename({"predictor": "old"}).isel(old=0)
    fits = fits.drop_vars("old").expand_dims(predictor=["training_step"])
    tree = changed(results, "sessions", training_step=("session", steps))
    tree = tree.assign({"regression": type(tree)(fits)})
    slope = float(fits["slope"].sel(measure="information").item())
    text = slope_words(views(tree)[0], "information")
    assert text.startswith(f"{number(1e5 * slope, 2)}\u00a0bit/event per 100\u202f000 steps, ")


def test_slope_sentence__constant_measure(results, changed):
    tree = changed(results, "sessions", fraction_active_units=np.full(4, 0.7))
    view = views(tree)[0]
    assert slope_sentence(view, "fraction_active_units") == "the same in every session"


def points(figure):
    return [mark for mark in figure.drawing.marks if mark.kind == "points"]


def test_main_figures__raw_and_on_an_equal_footing(results, view):
    figures = main_figures(view, "day")
    assert [figure.title for figure in figures] == [
        "Active cells", "Place cells", "Spatial information of place cells",
    ]  # fmt: skip
    sessions = results["sessions"].to_dataset()
    for figure, name in zip(
        figures, ("fraction_active_units", "fraction_place_cells", "information"), strict=True
    ):
        factor = 1 if name == "information" else 100
        raw, equal = points(figure)
        np.testing.assert_allclose(raw.y, factor * sessions[name])
        np.testing.assert_allclose(equal.y, factor * sessions[f"{name}_matched"])
        assert "hollow" in equal.style and len(figure.legend) == 2
        column = next(c for c in figure.frame if c.endswith(", as recorded"))
        np.testing.assert_allclose(figure.frame[column], raw.y)


def test_other_figures__the_rest_and_the_circumstances(view):
    titles = [figure.title for figure in other_figures(view, "day")]
    assert {"Running speed", "Number of detected cells"} <= set(titles)
    assert "Active cells" not in titles and not any("equal footing" in title for title in titles)
    for figure in other_figures(view, "day"):
        assert "nan" not in chart_svg(figure.drawing, figure.title, "").lower()


@pytest.mark.parametrize("width", [0.001, 1.0, 1e6])
def test_session_figure__a_band_is_never_cut(results, changed, width):
    fits = results["regression"].to_dataset()
    tree = changed(by_least_squares(results), "regression", se=width * np.abs(fits["slope"].values))
    figure = session_figure(views(tree)[0], "fraction_place_cells", "day")
    bands = [mark for mark in figure.drawing.marks if mark.kind == "band"]
    for band in bands:
        assert band.low.min() >= figure.drawing.y_low and band.high.max() <= figure.drawing.y_high
    drawn = "too wide to draw" not in figure.caption
    assert drawn == (len(bands) == 2) and (width < 1e6 or not drawn)


def test_decay_figures__every_pair_and_its_mean(results, view):
    figure = decay_figures(view)[0]
    assert figure.title == "Rate maps, by the time between sessions"
    matrix = results["session_drift"]["rate_map_correlation"].values
    pairs, means = points(figure)
    upper = np.triu_indices(4, k=1)
    np.testing.assert_allclose(np.sort(pairs.y), np.sort(matrix[upper]))
    assert means.y.size == 3 and means.y[-1] == matrix[0, 3]
    top = np.nanmean(np.diagonal(matrix))
    assert f"ceiling {number(top)}" in figure.caption
    assert [mark.y[0] for mark in figure.drawing.marks if mark.kind == "level"][0] == top
    frame = figure.frame
    for _, row in frame.iterrows():
        a, b = int(row["session a"]) - 1, int(row["session b"]) - 1
        assert row["correlation"] == matrix[a, b] and row["lag [days]"] == 2 * (b - a)


def test_chart__escapes_and_breaks_lines():
    chart = Chart(np.arange(4.0), np.arange(4.0), x_label="<x>", y_label='"&"')
    chart.points(np.arange(2.0), np.arange(2.0), ["<b>", '"'], "ink")
    chart.line(np.arange(4.0), np.array([0, 1, np.nan, 3]), "ink")
    svg = chart_svg(chart, "<t>", "d")
    assert "<b>" not in svg and "<x>" not in svg and "&lt;t&gt;" in svg
    path = re.search(r'd="([^"]*)"', svg).group(1)
    assert path.count("M") == 2 and path.count("L") == 1


def test_forest__clips_and_marks_what_goes_on():
    rows = [("a", [("one", "s1", 0.1, -0.1, 0.3), ("two", "s2", 0.2, -50.0, 50.0)])]
    svg = forest_svg(Forest(rows, "slope"), "title")
    assert svg.count("<circle") == 2 and "‹" in svg and "›" in svg
    positions = [float(x) for x in re.findall(r'x[12]="([\d.-]+)"', svg)]
    assert min(positions) >= 0 and max(positions) <= 360


def test_forest__shows_half_of_the_intervals_whole():
    groups = [("a", "s1", 0.1, -4.0, 4.0), ("b", "s1", 0.2, -5.0, 5.0), ("c", "s1", 0.1, -90, 90)]
    low, high = forest_limits(Forest([("a", groups)], "slope"))
    assert low < -5 and high > 5
    assert low > -90 and high < 90


@pytest.mark.parametrize(("low", "high"), [(2, 85), (0.63, 0.89), (-0.2, 0.9), (1.0, 2.6)])
def test_ticks__are_as_many_as_a_scale_needs(low, high):
    found = ticks(low, high, 3, fewest=2)
    assert len(found) >= 2 and min(found) >= low and max(found) <= high
    assert len(ticks(low, high, 5, fewest=3)) >= 3


@settings(max_examples=80, deadline=None)
@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e7), st.integers(2, 8))
def test_ticks__are_round_and_inside(low, span, n):
    found = ticks(low, low + span, n)
    assert 1 <= len(found) <= n + 2
    slack = 1e-6 * span + 2 * math.ulp(abs(low) + span)  # as near as numbers of that size lie
    assert min(found) >= low - slack and max(found) <= low + span + slack
    if len(found) > 1:
        step = found[1] - found[0]
        rounding = 2 * math.ulp(abs(low) + span) / step  # of a difference of two ticks
        first = step / 10 ** np.floor(np.log10(step) + 1e-9 + rounding)
        assert min(abs(first - r) for r in (1, 2, 2.5, 5, 10)) < 1e-3 + 10 * rounding


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (float("nan"), "–"), (0, "0"), (-3, "−3"), (1234567, "1\u202f234\u202f567"),
        (0.01234, "0.0123"), (123.456, "123"), (-1.5e-7, "−1.50 × 10⁻⁷"), (np.inf, "∞"),
    ],
)  # fmt: skip
def test_number__as_a_reader_writes_it(value, text):
    assert number(value) == text


def test_words():
    assert p_value(0.0004) == "p\u00a0<\u00a00.001" and p_value(0.0312) == "p\u00a0=\u00a00.03"
    assert p_value(0.0071) == "p\u00a0=\u00a00.007" and p_value(float("nan")) == ""
    assert percent(0.1234) == "12\u00a0%" and percent(0.0123) == "1.2\u00a0%"
    assert plural(1, "unit") == "1 unit" and plural(0, "unit") == "0 units"
    assert listing(["a"]) == "a" and listing(["a", "b", "c"]) == "a, b and c"
    assert [tick(v) for v in (0.0, -0.0, 0.25, 50_000, 2e6, 1e-5)] == [
        "0", "0", "0.25", "50k", "2M", "1.0 × 10⁻⁵",
    ]  # fmt: skip
