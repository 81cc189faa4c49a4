"""The nodes `turnover` and `fields` of an analysis, and what is said of them."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import neurodrift as nd
from neurodrift.analysis.fields.sentences import describe_fields
from neurodrift.analysis.nodes.table import left_out
from neurodrift.analysis.survival.sentences import describe_turnover

WANTED = ["turnover", "fields"]


@pytest.fixture(scope="module")
def recording():
    return nd.testing.linear_track(n_units=40, n_sessions=4, tuned=0.8, drift=0.2, minutes=10)


@pytest.fixture(scope="module")
def results(recording):
    return nd.analyze(recording, measures=WANTED, n_repeats=10)


def test_nodes__are_what_the_functions_give(results):
    node = results["turnover"].to_dataset()
    alone = nd.compute_turnover(results)
    for name in ("still", "still_corrected", "n_missing", "still_by_lag", "loss"):
        xr.testing.assert_identical(
            node[name].reset_coords(drop=True), alone[name].reset_coords(drop=True)
        )
    runs = nd.compute_run_lengths(results)
    np.testing.assert_array_equal(node["run_stay"], runs["stay"])
    np.testing.assert_array_equal(node["run_excess_p"], runs["excess_p"])
    survival = nd.compute_survival(results)
    np.testing.assert_array_equal(node["survival"], survival["survival"])
    fields = nd.match_fields(results)
    np.testing.assert_array_equal(results["fields"]["kept"], fields["kept"])


def test_nodes__say_what_they_found(results):
    said = " ".join(describe_turnover(results["turnover"].to_dataset()))
    assert "are place cells again in the next" in said
    said = " ".join(describe_fields(results["fields"].to_dataset()))
    assert "by chance" in said and "With each lap" in said


def test_nodes__are_left_out_of_one_session_and_of_a_plane():
    one = nd.testing.linear_track(n_units=4, n_sessions=1, minutes=3)
    found = nd.analyze(one, measures=WANTED, n_repeats=5)
    assert not {"turnover", "fields"} & set(found.children)
    plane = nd.testing.open_field(n_units=4, n_sessions=2, minutes=3)
    found = nd.analyze(plane, measures=WANTED, n_repeats=5)
    assert "turnover" in found.children
    assert any("line or a circle" in reason for reason in left_out(found))


def test_nodes__of_lazy_recordings_are_the_same(recording, results):
    lazy = recording.assign(activity=recording["activity"].chunk(time=2000, unit=7))
    found = nd.analyze(lazy, measures=WANTED, n_repeats=10)
    for name in WANTED:
        xr.testing.assert_identical(found[name].to_dataset(), results[name].to_dataset())


def test_nodes__stand_nothing_registered_an_empty_session_and_few_units():
    recording = nd.testing.linear_track(n_units=3, n_sessions=3, minutes=3)
    detected = recording["detected"].copy()
    detected[1] = False
    odd = recording.assign(detected=detected)
    found = nd.analyze(odd, measures=WANTED, n_repeats=5)
    assert np.isnan(found["turnover"]["still_corrected"]).all()
    assert found["turnover"].attrs["reason"]
    assert int(found["turnover"]["n_on"].values[:, 1].sum()) == 0
    none = recording.assign_coords(registered=("unit", np.zeros(3, dtype=bool)))
    found = nd.analyze(none, measures=WANTED, n_repeats=5)
    assert not found["turnover"]["n_on"].any() and not found["fields"]["n_fields"].any()
    said = describe_turnover(found["turnover"].to_dataset())
    assert said[0].startswith("Too few place cells")


def test_pictures__need_their_node(results):
    assert nd.plot_survival(results).get_ylabel() == "share that are place cells again"
    nothing = nd.analyze(
        nd.testing.linear_track(n_units=3, n_sessions=2, minutes=3), measures=["sparsity"]
    )
    with pytest.raises(ValueError, match="no turnover"):
        nd.plot_survival(nothing)
