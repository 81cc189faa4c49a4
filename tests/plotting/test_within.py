"""The picture of minutes and days, and what is said of it."""

import numpy as np
import pytest
import xarray as xr

import neurodrift as nd
from neurodrift import testing
from neurodrift.analysis.identity.sentences import sensitivity_sentence


@pytest.fixture(scope="module")
def found():
    recording = testing.linear_track(n_units=40, n_sessions=3, drift=0.3)
    return nd.compute_within_drift(recording, by="minute")


def test_plot_within_drift__draws_the_numbers(found):
    left, right = nd.plot_within_drift(found)
    curve = left.lines[-2].get_xydata() if len(left.lines) > 2 else left.lines[0].get_xydata()
    drawn = [line.get_ydata() for line in left.lines]
    assert any(
        len(y) == found.sizes["lag_part"] + 1 and np.allclose(y[1:], found["curve"]) for y in drawn
    ), curve
    means = right.lines[1].get_xydata()
    between = found["between"].values
    np.testing.assert_allclose(means[0], [2.0, (between[0, 1] + between[1, 2]) / 2])
    np.testing.assert_allclose(means[1], [4.0, between[0, 2]])
    with pytest.raises(ValueError, match="left_out"):
        nd.plot_within_drift(found.assign(curve=found["curve"] * np.nan))


def test_describe_within_drift__says_what_is_sure(found):
    def said(**values):
        return nd.describe_within_drift(found.assign({k: v for k, v in values.items()}))

    base = {
        "first_last_pooled": 0.9,
        "first_last_pooled_se": 0.01,
        "within_p": 0.001,
        "step_pooled": 0.95,
        "overnight_pooled": 0.94,
        "excess_pooled": 0.01,
        "overnight_p": 0.4,
    }
    text = said(**base)
    assert "agree by 0.90 ± 0.02" in text and "they change (p = 0.001)" in text
    assert "(2 days later) the agreement is 0.94, against 0.95" in text
    assert "no loss between sessions is shown" in text
    text = said(**base | {"within_p": 0.5, "overnight_p": 0.01, "excess_pooled": 0.2})
    assert "no change is shown (p = 0.5)" in text and "0.20 is lost between sessions" in text


def test_sensitivity_sentence__says_the_numbers():
    pair = ("measure", "session_a", "session_b")
    table = {"within": 0.86, "similarity": 0.61, "wrong": 0.235, "needed": 0.4}
    found = xr.Dataset(
        {name: (pair, np.full((1, 2, 2), value)) for name, value in table.items()},
        coords={
            "measure": ["rate_map_correlation"],
            "session_a": ["1", "8"],
            "session_b": ["1", "8"],
            "lag": (("session_a", "session_b"), [[0, 7], [-7, 0]]),
        },
    )
    assert sensitivity_sentence(found) == (
        "Wrong matches: if 5 % of the matches were wrong, that alone would take 0.03 off the "
        "correlation of maps of 0.61 between sessions 1 and 8 (all cells). The drift seen is "
        "0.25: wrong matches of 40 % would be needed to make all of it."
    )
    assert "no share" in sensitivity_sentence(found.assign(needed=found["needed"] * 3))
    assert sensitivity_sentence(found.assign(needed=found["needed"] * np.nan)) == ""
