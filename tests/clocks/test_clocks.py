"""Clocks of six kinds, and kinds of activity, from generators of their own."""

from __future__ import annotations

import importlib.util
import itertools
import math
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

import neurodrift as nd
from neurodrift.analysis.maps.even import Ticks, ticks_of
from neurodrift.analysis.place_cells._variance import VarianceNull
from neurodrift.analysis.place_cells.shuffles import Plan
from neurodrift.gate.durations import frame_durations, mend_clock
from neurodrift.io.nwb.read import import_nwb
from neurodrift.io.nwb.session import NwbSession, Series
from neurodrift.io.nwb.write import write_session
from neurodrift.schema.kinds import KINDS

_spec = importlib.util.spec_from_file_location(
    "six_clocks", Path(__file__).parent / "six_clocks.py"
)
six = importlib.util.module_from_spec(_spec)
sys.modules["six_clocks"] = six
_spec.loader.exec_module(six)


@pytest.mark.parametrize("clock", [*six.CLOCKS, "two_rates"])
def test_clock__no_place_cell_by_itself_and_rates_that_are_right(clock):
    share, error = six.measured(clock, units=240, minutes=6, seed=1)
    # 480 tests; 4.3 standard deviations above 5 %, where the old counting of frames gave 95 %
    assert sum(share) / 2 < 0.093
    assert error < 0.12  # 2,160 events a bin: 2.2 % each, 40 bins


def literal_durations(clock):
    """The stated rule, step by step."""
    steps = [b - a for a, b in itertools.pairwise(clock)]
    middle = float(np.median(steps))
    regular = [step for step in steps if step <= 1.5 * middle]
    typical = math.fsum(regular) / len(regular)
    if abs(typical - middle) <= 1e-6 * middle:
        typical = middle
    strays, low, high, even = 0.0, 0.0, 0.0, True
    for step in steps:
        if step > 1.5 * typical:
            low = high = strays
            continue
        strays += step - typical
        low, high = min(low, strays), max(high, strays)
        even &= high - low <= typical * (1 + 1e-9)
    long_time = sum(s for s in steps if 1.5 * typical < s and not (s > 10 * typical and s > 1))
    held = sum(s for s in steps if not (s > 10 * typical and s > 1))
    n_long = sum(1.5 * typical < s for s in steps)
    if even and (long_time <= 0.5 * held or n_long < 10):
        return [typical] * len(clock)
    return None


@pytest.mark.parametrize("seed", range(8))
def test_frame_durations__even_clocks_have_one_length(seed):
    rng = np.random.default_rng(seed)
    clock = np.arange(400) / 30
    if seed % 2:
        clock = np.round(clock, 3)
    clock = clock[rng.random(400) > 0.02 * (seed % 4)]  # lost frames
    found = frame_durations(clock)
    np.testing.assert_allclose(found, literal_durations(clock.tolist()), rtol=1e-9)
    assert np.unique(found).size == 1 and found[0] == pytest.approx(1 / 30, rel=5e-4)


def test_frame_durations__an_uneven_clock_lasts_from_frame_to_frame():
    steps = np.where(np.random.default_rng(0).random(2000) < 0.3, 0.030, 0.044)
    clock = np.concatenate([[0.0], np.cumsum(steps)])
    np.testing.assert_allclose(frame_durations(clock)[:-1], steps, rtol=1e-9)


def test_frame_durations__bursts_are_no_gaps_but_a_pause_is():
    pattern = np.tile([0.022, 0.022, 0.022, 0.134], 500)
    pattern[999] = 60.0  # the recording was interrupted
    clock = np.concatenate([[0.0], np.cumsum(pattern)])
    found = frame_durations(clock)[:-1]
    others = np.arange(2000) != 999
    np.testing.assert_allclose(found[others], pattern[others], rtol=1e-9)
    assert found[999] == pytest.approx(0.022)


def test_frame_durations__lost_frames_of_an_uneven_clock_are_gaps():
    rng = np.random.default_rng(1)
    steps = 0.05 * (1 + 0.3 * np.sin(np.arange(3000) / 200))  # the rate drifts
    clock = np.concatenate([[0.0], np.cumsum(steps)])
    kept = np.ones(3001, bool)
    kept[rng.choice(np.arange(20, 2980), 100, replace=False)] = False
    found = frame_durations(clock[kept])
    np.testing.assert_allclose(found[:-1], steps[kept[:-1]], rtol=0.03)


def test_mend_clock__repeated_and_backward_times():
    clock = np.arange(1000) / 20
    wrong = clock.copy()
    wrong[300], wrong[500] = wrong[299], 2.0
    wrong = np.insert(wrong, 700, wrong[699])  # written twice
    found = mend_clock(wrong, "x")
    np.testing.assert_allclose(found.clock, clock, atol=1e-9)
    assert (found.n_moved, int((~found.kept).sum())) == (2, 1)
    assert found.findings[0].severity == "warns"
    many = clock.copy()
    many[::20] = 0.0
    untouched = mend_clock(many, "x")
    assert not untouched.findings and untouched.clock is not None
    np.testing.assert_array_equal(untouched.clock, many)


def test_ticks__a_frame_has_its_share_of_them():
    rng = np.random.default_rng(0)
    durations = rng.choice([0.02, 0.05, 0.4], 500)
    ticks = Ticks(durations)
    assert ticks.step == pytest.approx(durations.mean())
    ends = np.cumsum(durations)
    for tick in range(500):
        middle = (tick + 0.5) * durations.mean()
        assert ticks.frame[tick] == next(i for i in range(500) if middle < ends[i])
    counts = rng.poisson(2.0, (3, 500)).astype(np.uint8)
    found = ticks.activity(counts, counts=True, level=False)
    assert found.dtype.kind == "u"
    np.testing.assert_array_equal(found.sum(axis=1), counts.sum(axis=1))
    level = rng.normal(size=(2, 500))
    np.testing.assert_array_equal(
        ticks.activity(level, counts=False, level=True), level[:, ticks.frame]
    )
    amounts = rng.random((2, 500))
    spread = ticks.activity(amounts, counts=False, level=False)
    np.testing.assert_allclose(spread.sum(axis=1), amounts.sum(axis=1))
    some = np.flatnonzero(counts[0])
    at, how_many = ticks.amounts(some, counts[0, some].astype(float), True)
    np.testing.assert_array_equal(how_many, found[0, at])
    assert ticks_of(np.full(9, 0.1)) is None


def literal_share(values, states):
    whole = sum((v - np.mean(values)) ** 2 for v in values)
    between = 0.0
    for state in set(states):
        here = [v for v, s in zip(values, states, strict=True) if s == state]
        between += len(here) * (np.mean(here) - np.mean(values)) ** 2
    return between / whole


@pytest.mark.parametrize("n", [60, 61])  # 61 is prime: laid twice for the transform
def test_variance_null__is_the_literal_share_for_every_shift(n):
    rng = np.random.default_rng(n)
    states = np.unique(rng.integers(0, 5, n), return_inverse=True)[1]
    values = 300 + rng.normal(size=n)
    null = VarianceNull(states)
    every = np.arange(n)
    plan = Plan(null="circular_exact")
    observed, found = null.values(every, values, plan, rng)
    expected = [literal_share(np.roll(values, k).tolist(), states.tolist()) for k in range(n)]
    np.testing.assert_allclose(found, expected, rtol=1e-8)
    assert observed == pytest.approx(expected[0])
    assert null.observed(every, values) == pytest.approx(expected[0])
    weights = rng.choice([1, 2, 3], n)
    seconds = VarianceNull(states, seconds=weights.astype(float))
    repeated = np.repeat(values, weights), np.repeat(states, weights)
    expected = literal_share(repeated[0].tolist(), repeated[1].tolist())
    assert seconds.observed(every, values * weights) == pytest.approx(expected)


def traces(n, tuned):
    """Calcium traces of cells that have a place, or of none that has."""
    rng = np.random.default_rng(3)
    time = np.arange(0, 600, 0.1)
    x = six.place_at(time, 5)
    seen = np.exp(-0.5 * ((x[:, None] - np.linspace(8, 92, n)) / 6) ** 2)
    events = rng.random(seen.shape) < (0.25 * seen if tuned else 0.03)
    kernel = np.exp(-np.arange(40) / 12)
    trace = np.column_stack([np.convolve(column, kernel)[: time.size] for column in events.T])
    trace += 0.1 * rng.standard_normal(trace.shape)
    return nd.recording_from_arrays(trace, kind="fluorescence", time=time, x=x)


def test_fluorescence__is_tested_by_shuffles_and_has_no_bits():
    forward = nd.analyze(traces(10, True), n_repeats=20, n_draws=1)
    assert int(forward["place_cells"]["is_place_cell"].sum()) == 10
    left_out = forward.attrs["left_out"]
    assert "bits per event are not defined" in left_out
    assert "information" not in forward.children and "place_fields" not in forward.children
    assert forward["place_cells"]["information"].isnull().all()
    assert forward["place_cells"]["explained_variance"].max() > 0.2
    assert forward["maps"]["rate"].attrs["units"] == "a.u."
    untuned = nd.detect_place_cells(nd.kinematics.running(traces(100, False)))
    assert float((untuned["p"] < 0.05).mean()) < 0.115  # 5 % expected, 4.3 standard deviations
    information = nd.compute_mutual_information(traces(10, True), n_repeats=50)
    assert information.attrs["responses"] == "levels" and (information["ssr"] > 0.1).all()


def session(path, **fields):
    return write_session(
        NwbSession(
            subject="m",
            environment="track",
            session=path.stem,
            start=datetime(2026, 1, 1, tzinfo=UTC),
            registered_cell_id=np.arange(2),
            **fields,
        ),
        path,
    )


def test_import__an_event_at_10_hz_beside_a_position_at_500_hz_is_one_frame(tmp_path):
    slow, fast = np.arange(0, 100, 0.1), np.arange(0, 100, 0.002)
    events = np.zeros((1000, 2))
    events[::50] = 1.0
    series = Series(name="dec", time=slow, data=events, unit="a.u.", description="deconvolved")
    path = session(
        tmp_path / "a.nwb", responses=series, time=fast, position=50 + 40 * np.sin(fast / 3)
    )
    found = import_nwb([path])
    assert nd.compute_sparsity(found)["n_events"].values.tolist() == [[20.0, 20.0]]
    np.testing.assert_allclose(found["x"], 50 + 40 * np.sin(slow / 3), atol=1e-6)


def test_import__spikes_beside_a_webcam_in_bursts(tmp_path):
    clock = six.bursts(300, 0)
    trains = six.trains_of(2, 299, 0)
    path = session(tmp_path / "b.nwb", spikes=trains, time=clock, position=six.place_at(clock, 1))
    found = import_nwb([path])
    assert np.unique(found["frame_duration"].round(9)).size == 1
    seconds = float(found["frame_duration"].sum())
    assert seconds == pytest.approx(clock[-1] - clock[0], rel=0.001)
    inside = sum(((t >= clock[0]) & (t <= clock[-1])).sum() for t in trains)
    assert int(found["activity"].sum()) == pytest.approx(inside, abs=1)
    slower = import_nwb([path], frame_rate=10.0)
    np.testing.assert_allclose(slower["frame_duration"], 0.1)


def test_export__uneven_frames_come_back_as_they_were(tmp_path):
    from neurodrift.io.nwb.session import session_from_recording

    recording = six.recording_of("slower", 4, 120, 2)
    path = write_session(session_from_recording(recording, "1"), tmp_path / "c.nwb")
    again = import_nwb([path])
    np.testing.assert_array_equal(again["activity"], recording["activity"])
    np.testing.assert_allclose(again["frame_duration"], recording["frame_duration"], atol=1e-9)


def test_kinds__each_is_in_the_table_with_what_it_allows():
    assert set(KINDS) == {
        "spikes", "events", "amplitudes", "deconvolved", "fluorescence", "activation"
    }  # fmt: skip
    assert "information" not in KINDS["fluorescence"].statistics
    assert KINDS["fluorescence"].signed and not KINDS["activation"].signed
