"""Every recording passes `analyze` and `report`; what is absent is left out and said."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr

import neurodrift as nd
from neurodrift.analysis.nodes.table import left_out
from neurodrift.cli import main
from neurodrift.report.cautions import cautions
from neurodrift.report.view import views


def mouse(**options) -> xr.Dataset:
    return nd.testing.linear_track(
        **{"n_units": 6, "n_sessions": 3, "minutes": 2, "seed": 3} | options
    )


def changed(recording: xr.Dataset, session: int, **values: float) -> xr.Dataset:
    """The recording with other values in the frames of one session."""
    where = nd.slice_sessions(recording)[session]
    for name, value in values.items():
        held = recording[name].values.copy()
        held[where] = value
        recording = recording.assign({name: (recording[name].dims, held, recording[name].attrs)})
    return recording


def standing(recording: xr.Dataset, *sessions: int) -> xr.Dataset:
    for session in sessions:
        recording = changed(recording, session, speed=0.0, direction=0)
    return recording


def without_frames(recording: xr.Dataset, session: int) -> xr.Dataset:
    where = nd.slice_sessions(recording)[session]
    kept = np.delete(np.arange(recording.sizes["time"]), np.arange(where.start, where.stop))
    return recording.isel(time=kept)


def asleep(recording: xr.Dataset) -> xr.Dataset:
    return recording.drop_vars(["x", "speed", "direction", "trial", "lap"])


def box(**options) -> xr.Dataset:
    return nd.testing.open_field(**{"n_units": 6, "minutes": 4} | options)


ODD = {
    "no unit": lambda: mouse(n_units=1).isel(unit=[]),
    "no unit, one session": lambda: mouse(n_units=1, n_sessions=1).isel(unit=[]),
    "one unit": lambda: mouse(n_units=1),
    "one session": lambda: mouse(n_sessions=1),
    "one unit, one session": lambda: mouse(n_units=1, n_sessions=1),
    "silent": lambda: mouse().assign(activity=mouse()["activity"] * np.uint8(0)),
    "no place cells": lambda: mouse(tuned=0.0, baseline=0.01),
    "one session standing": lambda: standing(mouse(), 1),
    "all sessions standing": lambda: standing(mouse(), 0, 1, 2),
    "one session, standing": lambda: standing(mouse(n_sessions=1), 0),
    "one session untracked": lambda: changed(mouse(), 1, x=np.nan, speed=np.nan, direction=0),
    "an empty session": lambda: without_frames(mouse(), 1),
    "an empty first session": lambda: without_frames(mouse(), 0),
    "no frames": lambda: mouse().isel(time=slice(0)),
    "asleep": lambda: asleep(mouse()),
    "asleep, one session": lambda: asleep(mouse(n_sessions=1)),
    "asleep, an empty session": lambda: asleep(without_frames(mouse(), 1)),
    "nothing registered": lambda: mouse().assign_coords(registered=("unit", np.zeros(6, bool))),
    "no speed": lambda: mouse().drop_vars(["speed", "direction"]),
    "box": box,
    "box, one session untracked": lambda: changed(box(), 1, x=np.nan, y=np.nan, speed=np.nan),
    "box, no speed": lambda: box().drop_vars("speed"),
}


@pytest.mark.parametrize("name", ODD)
def test_analyze__odd_recordings_pass_to_the_report(name, tmp_path, capsys):
    stored, results, page = (str(tmp_path / end) for end in ("r.zarr", "a.zarr", "a.html"))
    nd.save_recording(ODD[name](), stored)
    assert main(["analyze", stored, "-o", results, "--n-repeats", "5"]) == 0, (
        capsys.readouterr().err
    )
    assert main(["report", results, "-o", page]) == 0, capsys.readouterr().err
    assert "</html>" in (tmp_path / "a.html").read_text(encoding="utf-8")


def told(results: xr.DataTree) -> dict[str, str]:
    """Cautions of the report by their code."""
    return {item.code: item.text for item in cautions(views(results)[0])}


@pytest.mark.parametrize("odd", ["standing", "untracked", "empty"])
def test_analyze__a_session_without_a_map_is_said_and_no_number(odd):
    recording = mouse()
    made = {
        "standing": lambda: standing(recording, 1),
        "untracked": lambda: changed(recording, 1, x=np.nan, speed=np.nan, direction=0),
        "empty": lambda: without_frames(recording, 1),
    }[odd]()
    results = nd.analyze(made, n_repeats=5, n_draws=1)
    assert json.loads(results.attrs["unused_sessions"]) == ["2"]
    assert "No frame can be used in session 2" in str(nd.summary(results))
    assert "No frame of 1 session of 3 (2)" in told(results)["unused-sessions"]
    sessions = results["sessions"]
    for measure in ("fraction_place_cells", "information_naive", "information_all"):
        assert np.isnan(sessions[measure].values[1]) and np.isfinite(sessions[measure].values[0])
    assert results["maps"]["rate"].isel(session=1).isnull().all()
    drift = results["session_drift"]
    assert drift["session_a"].values.tolist() == ["1", "2", "3"]
    np.testing.assert_array_equal(drift["lag"].values[0], [0, 1, 2])
    assert np.isnan(drift["rate_map_correlation"].values[1]).all()

    # The other sessions are what they are without it.
    rest = nd.analyze(nd.select_sessions(recording, ["1", "3"]), n_repeats=5, n_draws=1)
    for node, variable in (("maps", "rate"), ("place_cells", "p"), ("information", "ssr")):
        there = results[node][variable].sel(session=["1", "3"]).values
        np.testing.assert_array_equal(there, rest[node][variable].values)
    there = drift["rate_map_correlation"].values[np.ix_([0, 2], [0, 2])]
    np.testing.assert_array_equal(there, rest["session_drift"]["rate_map_correlation"].values)


def test_analyze__nothing_to_map_is_left_out_and_said():
    for name, reason in (
        ("no unit", "the recording has no unit"),
        ("asleep", "the recording has no position"),
        ("all sessions standing", "no frame can be used: none is tracked in a running animal"),
    ):
        results = nd.analyze(ODD[name]())
        assert {"maps", "place_cells", "lag", "session_drift"} <= set(left_out(results)[reason])
        assert f"left out, because {reason}" in str(nd.summary(results))
    with pytest.raises(ValueError, match="no frame can be used in session"):
        nd.analyze(mouse(), binning=nd.Binning(edges=[500, 600]))  # asked for, so no accident


def test_analyze__without_a_speed_is_as_with_the_one_of_its_position():
    whole = nd.kinematics.running(mouse().drop_vars(["speed", "direction"]))
    bare = whole.drop_vars(["speed", "direction"])
    with_speed, derived = (nd.analyze(item, n_repeats=5, n_draws=1) for item in (whole, bare))
    for node in with_speed.children:
        xr.testing.assert_identical(with_speed[node].to_dataset(), derived[node].to_dataset())
    assert with_speed.attrs["derived"] == "[]"
    assert derived.attrs["derived"] == '["speed", "direction"]'
    assert "speed and direction of running are derived" in str(nd.summary(derived))
    assert "derived from its position" in told(derived)["derived-speed"]
    assert "derived-speed" not in told(with_speed) and "speed" not in bare

    every = nd.Binning(speed_range=(0, np.inf))
    kept = nd.analyze(bare, binning=every, measures=["maps", "sessions"])
    assert kept.attrs["derived"] == "[]"
    assert kept["maps"]["occupancy"].sum() > derived["maps"]["occupancy"].sum()
    text = str(nd.summary(kept))
    assert "has no speed: rest is not left out" in text
    assert "Both directions of running are pooled" in text


def test_analyze__only_frames_of_running_have_no_speed_to_derive():
    bare = mouse().drop_vars(["speed", "direction"]).assign_attrs(only_running=1)
    results = nd.analyze(bare, measures=["maps", "sessions"])
    assert results.attrs["derived"] == "[]"
    assert "has no speed: rest is not left out" in str(nd.summary(results))


def test_analyze__activity_below_0_leaves_out_what_is_of_rates(tmp_path):
    """A trace that was accepted has drift, but no information and no place cells."""
    rng = np.random.default_rng(0)
    time = np.arange(4000) * 0.05
    trace = rng.normal(0, 1, (4000, 3))
    x = 50 + 40 * np.sin(time / 3)
    recording = nd.recording_from_arrays(
        [trace, trace], kind="deconvolved", time=[time, time], x=[x, x], accept=["trace"]
    )
    results = nd.analyze(recording, n_repeats=5, n_draws=1)
    left_out = json.loads(results.attrs["left_out"])
    below = "bits per event are not defined: activity is a trace of fluorescence, or below 0"
    for name in ("informative", "information", "place_fields"):
        assert left_out[name] == below
    for name in ("place_cells", "stability"):
        assert left_out[name].startswith("some activity is below 0 but is no fluorescence")
    assert "rate_map_correlation" in results["drift"]
    nd.write_report(results, tmp_path / "report.html")
