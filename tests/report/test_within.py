"""Drift within sessions and wrong matches, in the results and the report."""

import numpy as np
import pytest

import neurodrift as nd
from neurodrift import testing
from neurodrift.report.findings import findings
from neurodrift.report.view import views
from neurodrift.report.within import within_figures


@pytest.fixture(scope="module")
def results():
    recording = testing.linear_track(n_units=30, n_sessions=3, drift=0.3, minutes=6)
    measures = [
        "session_drift",
        "within_drift",
        "identity_sensitivity",
        "drift",
        "regression",
        "maps",
        "smoothed_maps",
    ]
    return nd.analyze(recording, measures=measures, n_repeats=20)


def test_nodes_are_those_of_the_functions(results):
    found = results["identity_sensitivity"].to_dataset()
    one = found.sel(measure="rate_map_correlation_relative")
    drift = results["session_drift"].to_dataset()["rate_map_correlation_relative"]
    off = ~np.eye(3, dtype=bool)
    np.testing.assert_allclose(one["similarity"].values[off], drift.values[off], atol=1e-9)
    assert np.isfinite(results["within_drift"]["first_last_pooled"])


def test_report_and_summary_say_it(results):
    view = views(results)[0]
    said = {finding.key: finding for finding in findings(view)}
    assert "Within a session, maps" in said["within"].details
    lost = 1 - float(results["within_drift"]["overnight_pooled"])
    more = float(results["within_drift"]["excess_pooled"])
    assert said["within"].text == (
        "Maps are not shown to change from the first to the last laps of a session. From its last "
        f"laps to the first of the next they lose {lost:.2f}, {more:.2f} more than laps of one "
        "session do."
    )
    assert "Wrong matches" in said["matches"].text
    figure = within_figures(view)[0]
    assert figure.frame["similarity"][0] == 1.0
    np.testing.assert_allclose(
        figure.frame["similarity"][1:], results["within_drift"]["curve"].values
    )
    text = str(nd.summary(results))
    assert "Within a session, maps" in text and "Wrong matches: if 5 %" in text
