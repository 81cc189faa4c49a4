from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

import neurodrift as nd
from neurodrift import plotting
from neurodrift.schema.results import StatementVerdict
from neurodrift.testing import results_of


@pytest.fixture(scope="module")
def comparison():
    rng = np.random.default_rng(0)

    def tree(seed, clock):
        way = np.linspace(0, 1, 6)
        table = {
            clock: 10 * way,
            "active_fraction": 1 - 0.3 * way + rng.normal(0, 0.02, 6),
            "running_speed": rng.normal(10, 1, 6),
        }
        r = np.exp(-np.abs(way[:, None] - way[None, :])) + rng.normal(0, 0.01, (6, 6))
        return results_of(table, similarity=(r + r.T) / 2, subject=str(seed))

    return nd.compare(
        [tree(i, "day") for i in range(3)], tree(9, "training_step"), names=["mice", "net"]
    )


def curves(axis):
    return {str(c.get_label()): c.lines[0].get_xydata() for c in axis.containers}


def test_plot_series_beside__draws_means_and_every_recording(comparison):
    axis = plotting.plot_series_beside(comparison, "active_fraction")
    mean = comparison["series_mean"].sel(
        scale="first", axis="fraction", measure="active_fraction", side="mice"
    )
    np.testing.assert_allclose(curves(axis)["mice"][:, 1], mean.values)
    assert set(curves(axis)) == {"mice", "net"}
    heights = [line.get_ydata() for line in axis.lines]
    single = comparison["normalized"].sel(measure="active_fraction").values[:6]
    assert any(np.array_equal(y, single) for y in heights)


def test_plot_series_beside__leaves_out_a_side_without_the_axis(comparison):
    axis = plotting.plot_series_beside(comparison, "active_fraction", axis="day", scale="raw")
    assert set(curves(axis)) == {"mice"} and axis.get_xlabel() == "day"


def test_plot_lag_beside__draws_means_and_pairs(comparison):
    axis = plotting.plot_lag_beside(comparison)
    mean = comparison["decay_mean"].sel(
        axis="fraction", similarity="rate_map_correlation", side="net"
    )
    np.testing.assert_allclose(curves(axis)["net"][:, 1], mean.values)
    assert any(line.get_xydata().shape == (45, 2) for line in axis.lines)


@pytest.mark.parametrize("adjustment", ["none", "running_speed"])
def test_plot_slopes__draws_estimates_and_intervals(comparison, adjustment):
    axis = plotting.plot_slopes(comparison, ["active_fraction"], adjustment=adjustment)
    own = comparison.sel(
        effect="active_fraction", adjustment=adjustment, axis="fraction", scale="first"
    )
    points = {str(line.get_label()): line.get_xdata()[0] for line in axis.lines}
    bars = np.array([c.get_segments()[0][:, 0] for c in axis.collections])
    for i, side in enumerate(("mice", "net")):
        one = own.sel(side=side)
        assert points[side] == one["slope"].item()
        np.testing.assert_array_equal(bars[i], [one["slope_ci_low"], one["slope_ci_high"]])


def test_plot_statements__writes_every_verdict(comparison):
    axis = plotting.plot_statements(comparison)
    texts = [text.get_text() for text in axis.texts]
    verdicts = comparison["statement_verdict"].values.ravel().tolist()
    assert sorted(t for t in texts if t in set(verdicts)) == sorted(verdicts)
    assert len(axis.get_xticks()) == 4


def test_plot_statements__every_verdict_that_there_is(comparison):
    known = get_args(StatementVerdict)
    shape = comparison["statement_verdict"].shape
    said = np.resize(np.array(known, dtype=object), shape)
    axis = plotting.plot_statements(
        comparison.assign(statement_verdict=(comparison["statement_verdict"].dims, said))
    )
    assert {text.get_text() for text in axis.texts} >= set(known)
    assert len({p.get_facecolor() for p in axis.patches}) == len(known)


def test_plots_of_comparisons__unknown_labels_are_named(comparison):
    with pytest.raises(ValueError, match="no measure 'loss', but active_fraction"):
        plotting.plot_series_beside(comparison, "loss")
    with pytest.raises(ValueError, match="no axis 'week'"):
        plotting.plot_lag_beside(comparison, axis="week")
    with pytest.raises(ValueError, match="no effect 'x'"):
        plotting.plot_slopes(comparison, ["x"])
