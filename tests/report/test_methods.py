from __future__ import annotations

import numpy as np
import pytest

from neurodrift import Binning, analyze, testing
from neurodrift.report.methods import REFERENCES, methods
from neurodrift.report.view import views


def text(tree) -> str:
    return " ".join(methods(views(tree)[0]).paragraphs)


@pytest.fixture(scope="module")
def other():
    """Results with every parameter away from its default."""
    recording = testing.linear_track(n_units=4, n_sessions=3, minutes=2, frame_rate=10.0)
    binning = Binning(
        edges=np.arange(0.0, 101.0, 5.0), exclude_ends=10.0, speed_range=(2.0, 50.0),
        directions=False, min_occupancy=0.3,
    )  # fmt: skip
    return analyze(
        recording,
        binning=binning,
        smoothing=6.5,
        min_events=8,
        alpha=0.01,
        n_repeats=12,
        n_draws=1,
        seed=3,
    )


def test_methods__are_those_of_the_parameters(other):
    found = text(other)
    for words in (
        "Calcium events of 4 cells (synthetic, environment linear track)",
        "in 3 sessions over 5 days",
        "frames at 10 Hz",
        "20 bins of 5 cm between 0 and 100 cm (16 were used)",
        "bins within 10 cm of either end were left out",
        "running speed of 2 to 50 cm/s",
        "less than 0.300 s",
        "standard deviation of 6.50 cm",
        "at least 8 calcium events",
        "random circular shifts of its activity within laps where laps are known",
        "place cell at p < 0.01, without correction",
        "12/f repetitions",
        "random seed 3",
        "neurodrift " + other.attrs["neurodrift_version"],
    ):
        assert words in found, words
    assert "Running directions were analysed apart" not in found


def test_methods__defaults_say_something_else(results):
    found = text(results)
    assert "Running directions were analysed apart" in found
    assert "running speed of at least 1 cm/s" in found
    assert "place cell at p < 0.05 in any direction" in found
    assert "were left out" not in found


def test_methods__follow_the_attributes_of_the_tests(results, changed):
    tree = changed(
        results,
        "place_cells",
        attrs={"null": "lap", "n_repeats": 250, "criterion": "q", "combine": "all"},
    )
    found = text(tree)
    assert "250 random circular shifts of its activity within laps" in found
    assert "(r + 1)/(n + 1) (Phipson & Smyth, 2010)" in found
    assert "false discovery rate below 0.05 (Benjamini & Hochberg, 1995)" in found
    assert "in all directions" in found


def test_methods__threshold_instead_of_a_test(results, changed):
    tree = changed(
        results, "place_cells", attrs={"criterion": "information", "min_information": 0.02}
    )
    assert "above 0.02 bit/event" in text(tree) and "circular shift of its" not in text(tree)


def test_methods__without_position(still):
    found = text(still)
    assert "place cell" not in found and "bins" not in found and "tracked position" not in found
    assert "correlation of the cells' mean activities" in found


def test_methods__cite_exactly_their_references(results, still):
    for tree in (results, still):
        written = methods(views(tree)[0])
        whole = " ".join(written.paragraphs)
        assert {key for key, ref in REFERENCES.items() if ref.cite in whole} == set(written.cited)
        assert "{" not in whole and "  " not in whole and ".." not in whole
    for reference in REFERENCES.values():
        assert reference.url.startswith("https://")
        assert reference.cite.split()[0].rstrip(",") in reference.entry


def test_methods__of_a_simulation(results, changed):
    tree = changed(results, "sessions", training_step=("session", np.arange(4) * 1000))
    found = text(changed(tree, "sparsity", attrs={"activity_kind": "activation"}))
    assert "at 4 training steps between 0 and 3\u202f000" in found
    assert "activity above 0" in found and "mean activation in each bin" in found
