"""What a reader of the page tripped over: numbers that follow from each other, words that fit."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
import xarray as xr

from neurodrift.analysis.alignment.sentences import alignment_sentences
from neurodrift.analysis.behaviour.sentences import describe_behaviour
from neurodrift.analysis.stable_units.sentences import describe_stability
from neurodrift.analysis.within.sentences import describe_within_drift
from neurodrift.report.cautions import cautions
from neurodrift.report.findings import findings
from neurodrift.report.methods import methods
from neurodrift.report.page import page as page_of
from neurodrift.report.phases import in_words, phases_section
from neurodrift.report.series import main_figures, session_figure
from neurodrift.report.view import views
from neurodrift.report.within import within_figures


def answers(tree):
    return {item.key: item for item in findings(views(tree)[0])}


def estimated(results, changed, share):
    """The results with an estimate of wrong matches, the same in every pair of sessions."""
    off = np.where(np.eye(4, dtype=bool), np.nan, 1.0)
    ends = {"": share, "_ci_low": share / 2, "_ci_high": share * 1.5}
    values = {f"wrong_share{end}": value * off for end, value in ends.items()}
    return changed(results, "quality", verdict=np.full(4, "ok", dtype=object), **values)


@pytest.mark.parametrize(("share", "level"), [(0.1, "care"), (0.9, "serious"), (0.001, None)])
def test_wrong_matches__stand_beside_the_drift(results, changed, share, level):
    tree = estimated(results, changed, share)
    found = tree["identity_sensitivity"].sel(measure="rate_map_correlation_relative")
    within, now, wrong = (
        float(found[name].values[0, 3]) for name in ("within", "similarity", "wrong")
    )
    text = answers(tree)["registration"].text
    assert f"Of the {within - now:.2f} that the correlation of maps" in text
    assert f"would take about {share * (within - wrong):.2f} (" in text
    made = min(share * (within - wrong), within - now)
    assert f"lost, wrong matches alone may make about {made:.2f} (" in answers(tree)["drift"].text
    told = {item.code: item for item in cautions(views(tree)[0])}
    if level is None:
        assert "registration-share" not in told
    else:
        assert told["registration-share"].level == level


def test_wrong_matches__nothing_is_said_without_an_estimate(results, changed):
    tree = estimated(results, changed, np.nan)
    assert "these wrong matches" not in answers(tree)["registration"].text
    assert "registration-share" not in {item.code for item in cautions(views(tree)[0])}


def test_wrong_matches__sessions_with_a_warning_are_left_to_it(results, changed):
    verdict = np.array(["ok", "ok", "ok", "misregistered"], dtype=object)
    tree = changed(estimated(results, changed, 0.1), "quality", verdict=verdict)
    assert "between sessions 1 and 3, these wrong" in answers(tree)["registration"].text


def test_methods__what_is_not_detected_is_said_once(results, changed):
    tree = changed(results, "sparsity", attrs={"detection": "each_session"})
    first = methods(views(tree)[0]).paragraphs[0]
    assert "Maps and similarities of a session are of the cells detected in it" in first
    assert "Only fractions and survival count a cell that was not detected in a session" in first
    assert "they are of all registered cells" in first
    assert "treated as missing" not in first and " and one that was not detected" not in first


def test_methods__name_every_estimate_of_the_page(results, changed):
    tree = estimated(results, changed, 0.1)
    text = " ".join(methods(views(tree)[0]).paragraphs)
    for node, words in {
        "drift_index": "drift index is (w − b) / (w + b)",
        "time_constant": "a floor is not seen",
        "steps": "drift comes in jumps",
        "turnover": "Survival is the share of the place cells",
        "fields": "matched one to one",
        "quality": "The share of wrong matches was estimated",
    }.items():
        assert node in tree.children and words in text, node
    cited = methods(views(tree)[0]).cited
    assert {"marks2021", "micou2026", "kuhn1955"} <= set(cited)
    del tree["drift_index"]
    assert "marks2021" not in methods(views(tree)[0]).cited


def test_drift__one_line_first_and_shares_follow_from_what_is_printed(results):
    drift = answers(results)["drift"]
    assert drift.text.count(". ") == 0 and len(drift.text) < 200
    near, far = (
        float(n) for n in re.findall(r"(?:correlation of|days\) of) ([\d.]+)", drift.details)
    )
    top = float(re.search(r"reach ([\d.]+), the ceiling", drift.details)[1])
    said = re.search(r"of which that is (\d+)\u00a0% and (\d+)\u00a0%", drift.details)
    assert [float(n) for n in said.groups()] == pytest.approx(
        [100 * near / top, 100 * far / top], abs=0.6
    )
    assert "is another statistic" in drift.details


def test_active_cells__say_what_counts_as_silent(results, changed):
    shares = [0.9, 0.8, 0.85, 0.95]
    tree = changed(results, "sparsity", attrs={"detection": "each_session"})
    tree = changed(tree, "sessions", fraction_active_of_detected=("session", shares))
    words = "counts as silent here (of the detected ones 80\u00a0% to 95\u00a0% are active)"
    assert words in answers(tree)["fraction_active_units"].text
    view = views(tree)[0]
    assert words in session_figure(view, "fraction_active_units", "day").caption
    assert words not in session_figure(view, "fraction_place_cells", "day").caption
    tree = changed(tree, "sparsity", attrs={"detection": "once"})
    assert words not in answers(tree)["fraction_active_units"].text


def test_within__minutes_of_the_clock_and_both_losses(results, changed):
    sizes = {"first_last_pooled": 0.88, "first_last_pooled_se": 0.01, "within_p": 0.001}
    sizes |= {"overnight_pooled": 0.86, "step_pooled": 0.95, "excess_pooled": 0.09}
    found = results["within_drift"].to_dataset().assign(overnight_p=0.001, **sizes)
    text = describe_within_drift(found)
    assert "loses 0.12 from its first to its last" in text and "beside 0.14 from its last" in text
    assert "loses 0.12" not in describe_within_drift(found.assign(within_p=0.5))
    tree = changed(results, "within_drift", **sizes)
    item = answers(tree)["within"]
    assert "lose 0.12 from the first to the last laps" in item.text
    tree = changed(tree, "within_drift", overnight_p=0.001)
    item = answers(tree)["within"]
    net = "they lose 0.14, 0.09 more than laps of one session do"
    assert item.text.endswith(f"From its last laps to the first of the next {net}.")
    assert not item.more and "0.09 is lost between sessions" in item.details
    for share, could in ((0.9, "could make all of it"), (0.01, "could make 0.01 of it")):
        own = answers(estimated(tree, changed, share))["within"].text
        assert own.endswith(f"{net}; wrong matches {could}.")
    tree = changed(tree, "within_drift", overnight_p=0.5)
    assert "not shown to be more than laps of one session" in answers(tree)["within"].text
    minutes = np.full(found.sizes["lag_part"], 9.0)
    tree = changed(
        results,
        "within_drift",
        curve=minutes / 10,
        curve_minutes=minutes,
        curve_se=minutes / 100,
        curve_n=minutes.astype(int),
    )
    (figure,) = within_figures(views(tree)[0])
    assert "Minutes are of the clock" in figure.caption
    tree = changed(tree, "sessions", tracked_time=np.full(4, 12.0))
    assert "clock" not in within_figures(views(tree)[0])[0].caption


def test_page__captions_name_no_colour_that_the_dark_page_changes(results, parse):
    words = " ".join(item["text"] for item in parse(page_of(results)).all("figcaption"))
    assert len(words) > 500
    assert not re.search(r"\b(black|white|blue|red|orange|coloured|upper|lower)\b", words, re.I)


def test_examples__grey_is_explained(results, parse):
    said = " ".join(item["text"] for item in parse(page_of(results)).all("p"))
    assert "Grey streaks: places without a usable frame" in said and "Grey panels" in said


def test_behaviour__why_both_together_can_have_less():
    found = xr.Dataset(
        {
            "explained": ("model", [0.79, 0.12, 0.80]),
            "explained_by_chance": ("model", [0.04, 0.04, 0.08]),
            "slope": ("term", [-0.017, 0.0]),
            "slope_alone": ("term", [-0.017, 0.0]),
            "p": ("term", [0.001, 0.4]),
            "n_sessions": 8.0,
        },
        coords={"term": ["lag_day", "overall"], "model": ["time", "behaviour", "both"]},
        attrs={"verdict": "time", "times": json.dumps(["lag_day"]), "measure": "error"},
    )
    text = describe_behaviour(found)
    assert "time explains 75 %" in text and "both together 72 % (chance is taken off each" in text


def test_phases__are_explained_and_sentences_begin_large(view):
    section = phases_section(view)
    assert all(
        name in section["words"] for name in ("Fast learning", "Directed drift", "Null drift")
    )
    said = in_words("Of events. active_fraction is left out: -0.2.", "cell")
    assert said == "Of events. Time that a cell is active is left out: −0.2."


def test_alignment__a_negative_share_is_explained():
    ends = ("", "_p", "_unrelated_p", "_excess")
    values = {f"mean_transfer{end}": np.nan for end in ends}
    values |= dict(zip((f"mean_extrapolation{end}" for end in ends), (-0.44, 1, 1, 0), strict=True))
    (text,) = alignment_sentences(xr.Dataset(values))
    assert "−0.44 of the next step of the same length (less than 0: turning makes it worse" in text
    (text,) = alignment_sentences(xr.Dataset(values | {"mean_extrapolation": 0.3}))
    assert "worse" not in text


def test_stability__says_what_chance_is():
    found = xr.Dataset(
        {name: ("predictor", [0.1, 0.03]) for name in ("effect", "effect_null", "partial", "p")}
        | {"beyond": ("predictor", [False, False]), "n_units": 141},
        coords={"predictor": ["rate", "width"]},
    )
    text = describe_stability(found)
    assert "than chance among units of the same rates" in text and "a link (" not in text
    assert "smallest p of 2 tests 0.03" in text


@pytest.mark.parametrize(
    ("detection", "of"),
    [
        ("each_session", "all 10 cells, detected or not"),
        ("unknown", "the cells detected in each session"),
        ("together", "the cells detected in each session"),
    ],
)
def test_place_cells__why_both_shares_lie_apart(results, changed, detection, of):
    tree = changed(results, "matched", attrs={"n_units": 6, "match": "events"})
    tree = changed(tree, "sparsity", attrs={"detection": detection})
    view = views(tree)[0]
    figure = main_figures(view, "day")[1]
    assert figure.name.startswith("fraction-place-cells")
    assert f"As recorded is a share of {of}, with equal events" in figure.caption
    assert "the 6 that always had enough: compare trends, not levels" in figure.caption
    # the denominator is that of the answer
    (answer,) = [item for item in findings(view) if item.key == "fraction_place_cells"]
    whose = "registered" if "or not" in of else "detected"
    assert f"of all {whose} cells" in answer.text


def test_session_figure__no_share_beyond_the_whole(results, changed):
    tree = changed(results, "sessions", fraction_place_cells=[0.9, 1.0, 0.95, 1.0])
    tree = changed(tree, "regression", se=lambda old: old * 0 + 0.05)
    figure = session_figure(views(tree)[0], "fraction_place_cells", "day")
    bands = [mark for mark in figure.drawing.marks if mark.kind == "band"]
    assert bands and all(mark.high.max() <= 100 for mark in bands)
    assert "Line and band end at 0 and 100 %" in figure.caption
    tree = changed(tree, "regression", slope=lambda old: old * 0 + 0.05)
    figure = session_figure(views(tree)[0], "fraction_place_cells", "day")
    lines = [mark for mark in figure.drawing.marks if mark.kind == "line"]
    bands = [mark for mark in figure.drawing.marks if mark.kind == "band"]
    assert lines[0].y.max() == 100  # the trend as recorded goes on beyond the whole
    for line, band in zip(lines, bands, strict=False):
        assert (line.y <= band.high + 1e-9).all()


def test_page__animals_have_cells_and_true_minus_signs(results, parse):
    said = [f"{item.text} {item.details}" for item in findings(views(results)[0])]
    said += methods(views(results)[0]).paragraphs
    assert not re.search(r"\bunits?\b", " ".join(said))
    assert not re.search(r"[ (]-\d", " ".join(said))
    page = page_of(results)
    assert "Distance of behaviour, by the time" not in page
