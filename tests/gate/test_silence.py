"""Imaging that begins after the position, or ends before it: silence there is no rest."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pandas as pd
import pynapple as nap
import pytest
import scipy.io

from neurodrift import (
    from_pynapple,
    import_nwb,
    recording_from_arrays,
    recording_from_sessions,
)
from neurodrift.convert.own.arrays import convert
from neurodrift.convert.own.sessions import nwb_session, write_sessions
from neurodrift.gate.clocks import silence_findings
from neurodrift.gate.findings import GateWarning
from neurodrift.gate.inputs import Activity, Position
from neurodrift.io.nwb.read import read_session

RNG = np.random.default_rng(0)
TIME = np.arange(0, 600, 0.05)
X = 50 + 45 * np.sin(TIME / 3)
COUNTS = RNG.poisson(0.02, (TIME.size, 20)).astype(np.uint8)
SPIKES = [np.sort(RNG.uniform(0, 600, 300)) for _ in range(20)]


def until(stop, start=0.0):
    return [times[(times >= start) & (times < stop)] for times in SPIKES]


# --- samples with a clock of their own


@pytest.mark.parametrize("kind", ["events", "spikes", "amplitudes"])
@pytest.mark.parametrize(("start", "stop"), [(0, 580), (25, 600), (12.5, 450)])
def test_samples__frames_without_a_sample_are_left_out(kind, start, stop):
    time = np.arange(start, stop, 0.1)
    counts = RNG.poisson(0.05, (time.size, 20))
    one = {"position": X, "position_time": TIME, "activity": counts, "activity_time": time}
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        found = recording_from_sessions([one], kind=kind, subject="m1")
    left_out = ("frames lie in invalid_times", "frames lie outside the obs_intervals")
    assert any(text in str(item.message) for item in told for text in left_out)
    kept = found["time"].values
    assert abs(kept[0] - max(0, start - 0.1)) < 0.06 and abs(kept[-1] - stop + 0.05) < 0.06
    assert kept.size == pytest.approx((stop - start) * 20, abs=3)
    total = counts.sum() if kind != "amplitudes" else (counts > 0).sum()
    assert found["activity"].values.sum() == pytest.approx(total)


def test_samples__a_pause_of_the_imaging_is_left_out(tmp_path):
    time = np.concatenate([np.arange(0, 200, 0.1), np.arange(260, 600, 0.1)])
    counts = RNG.poisson(0.05, (time.size, 20))
    one = {"position": X, "position_time": TIME, "activity": counts, "activity_time": time}
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        found = recording_from_sessions([one], subject="m1")
    texts = " ".join(str(item.message) for item in told)
    assert "1 gaps, 60 s in all" in texts and "of 12000 frames lie in invalid_times" in texts
    kept = found["time"].values
    assert not ((kept > 200.1) & (kept < 259.9)).any()


def test_samples__on_the_clock_of_the_position_lose_nothing():
    one = {"position": X, "position_time": TIME, "activity": COUNTS, "activity_time": TIME}
    found = recording_from_sessions([one], subject="m1")  # warnings are errors here
    np.testing.assert_array_equal(found["activity"], COUNTS)


# --- times, which have no clock


def test_times__silence_at_the_end_is_refused_until_it_is_known(tmp_path):
    cells = np.empty((20, 1), dtype=object)
    for i, times in enumerate(until(420)):
        cells[i, 0] = times[:, None]
    scipy.io.savemat(tmp_path / "s.mat", {"s": cells})
    pd.DataFrame({"t": TIME, "x": X}).to_csv(tmp_path / "p.csv", index=False)
    text = (
        "subject: {id: m1}\nenvironment: track\nposition: {file: p.csv, x: x, unit: cm, time: t}\n"
    )
    text += "sessions: [{session: 1}]\nactivity: {file: s.mat, times: s, kind: events%s}\n"
    path = tmp_path / "map.yaml"
    path.write_text(text % "")
    with pytest.raises(ValueError, match=r"(?s)no unit is active in 18\d.* 30 % .*\[silence\]"):
        convert(path, tmp_path / "nwb")
    path.write_text(text % ", recorded: [0, 420]")
    (file,) = convert(path, tmp_path / "nwb")
    with pytest.warns(GateWarning, match="3600 of 12000 frames lie in invalid_times"):
        found = import_nwb(file)
    assert found["time"].values[-1] < 420 and found["activity"].sum() > 4000
    for wrong, message in (("[420, 0]", "starts after it stops"), ("[0]", "is too short")):
        path.write_text(text % f", recorded: {wrong}")
        with pytest.raises(ValueError, match=message):
            convert(path, tmp_path / "nwb", overwrite=True)


def test_times__recorded_in_python():
    one = {"position": X, "position_time": TIME, "activity": until(500, 30)}
    with pytest.raises(ValueError, match="30.* s before its first activity and 10"):
        recording_from_sessions([one], subject="m1")
    with pytest.warns(GateWarning, match="frames lie in invalid_times"):
        found = recording_from_sessions([one | {"recorded": [30, 500]}], subject="m1")
    assert found.sizes["time"] == 9400
    with pytest.raises(ValueError, match="expected start and stop"):
        recording_from_sessions([one | {"recorded": [500, 30]}], subject="m1")
    with pytest.raises(ValueError, match="samples have a clock"):
        sampled = {"activity": COUNTS, "activity_time": TIME, "recorded": [0, 600]}
        recording_from_sessions([one | sampled], subject="m1")


def test_times__little_silence_is_warned_of_and_kept(tmp_path):
    one = {"position": X, "position_time": TIME, "activity": until(585)}
    with pytest.warns(GateWarning, match=r"no unit is active in 15.* 3 % of the session"):
        recording_from_sessions([one], subject="m1")


# --- import, arrays, pynapple


def test_import__silence_of_a_foreign_file(tmp_path):
    session = nwb_session(
        Activity(kind="spikes", source="s", times=until(420)),
        Position(time=TIME, xy=X, source="p"),
        subject="m1",
        environment="t",
        session="1",
        accept=["silence"],
    )
    (path,) = write_sessions({"a": session}, tmp_path)
    with pytest.raises(
        ValueError, match=r"(?s)session 1 does not pass.*30 % of the session.*\[silence\]"
    ):
        read_session(path)
    found = read_session(path, accept=["silence"])
    (kept,) = json.loads(found.attrs["findings"])
    assert kept["name"] == "silence" and kept["accepted"]
    assert kept["numbers"]["silent_s"] == pytest.approx(180, abs=2)


@pytest.mark.parametrize("kind", ["events", "deconvolved"])
def test_arrays__padded_with_zeros_to_the_length_of_the_camera(kind):
    counts = COUNTS.copy()
    counts[9000:] = 0
    activity = counts if kind == "events" else counts * 0.5
    with pytest.raises(ValueError, match=r"(?s)after its last activity, 25 % .*\[silence\]"):
        recording_from_arrays(activity, kind=kind, time=TIME, x=X)
    found = recording_from_arrays(activity, kind=kind, time=TIME, x=X, accept=["silence"])
    assert json.loads(found.attrs["findings"])[0]["accepted"]
    cut = recording_from_arrays(activity[:9000], kind=kind, time=TIME[:9000], x=X[:9000])
    assert "findings" not in cut.attrs


def test_arrays__rest_at_the_end_is_not_silence():
    counts = COUNTS.copy()
    for start in range(0, TIME.size, 2400):  # every two minutes the cells pause for half a minute
        counts[start + 1800 : start + 2400] = 0
    assert "findings" not in recording_from_arrays(counts, kind="events", time=TIME, x=X).attrs


def test_pynapple__frames_that_run_on():
    units = nap.TsGroup({i: nap.Ts(times) for i, times in enumerate(until(400))})
    frames = nap.TsdFrame(t=TIME, d=X[:, None], columns=["x"])
    with pytest.raises(ValueError, match=r"(?s)33 % of the session.*\[silence\]"):
        from_pynapple(units, frames, kind="events")
    accepted = from_pynapple(units, frames, kind="events", accept=["silence"])
    assert accepted.sizes["time"] == 12000
    recorded = nap.IntervalSet(start=0, end=399.99)
    found = from_pynapple(units.restrict(recorded), frames.restrict(recorded), kind="events")
    assert found.sizes["time"] == 8000


@pytest.mark.parametrize("n_units", [1, 5, 50])
def test_silence_findings__false_alarms(n_units):
    """Units that fire at random all through a session are not silent at its ends."""
    rng, found = np.random.default_rng(n_units), 0
    for _ in range(400):
        rate = rng.uniform(0.02, 0.2, n_units)
        times = [np.sort(rng.uniform(0, 600, rng.poisson(600 * r))) for r in rate]
        found += bool(silence_findings(np.unique(np.concatenate(times)), 0, 600, "s"))
    assert found <= 1
